// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap.h"

/**
 * tap_ifindex() - find a port's TAP
 * @name: of the interface, in the network namespace of this process
 * @ifindex: set to its index
 * @why: a sentence if there is none, or if it is no TAP
 *
 * Packets for a VM leave through a TAP's egress. On any other kind of netdev a
 * tenant's program would decide over somebody else's packets.
 *
 * Return: 0, or -ENODEV or -EIO with @why
 */
int tap_ifindex(const char *name, uint32_t *ifindex, struct text *why)
{
	struct ethtool_drvinfo drv = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq ifr = { 0 };
	int err = -ENODEV;
	int sock;

	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0) {
		text_add(why, "virtio-bpf: the host cannot look for the TAP of this port: %s\n",
			 strerror(errno));
		return -EIO;
	}
	memcpy(ifr.ifr_name, name, strnlen(name, sizeof(ifr.ifr_name) - 1));
	if (ioctl(sock, SIOCGIFINDEX, &ifr)) {
		text_add(why, "virtio-bpf: the TAP of this port, %s, is not there\n", name);
		goto out;
	}
	*ifindex = (uint32_t)ifr.ifr_ifindex;
	ifr.ifr_data = (char *)&drv;
	if (ioctl(sock, SIOCETHTOOL, &ifr) || strcmp(drv.driver, "tun") ||
	    strcmp(drv.bus_info, "tap")) {
		text_add(why, "virtio-bpf: %s, configured as the TAP of this port, is no TAP\n",
			 name);
		goto out;
	}
	err = 0;
out:
	close(sock);
	return err;
}

/**
 * tap_mtu() - how long packets through a TAP can be
 * @name: of the interface, in the network namespace of this process
 *
 * Return: bytes, without the Ethernet header, or 0 if that cannot be found out
 */
uint32_t tap_mtu(const char *name)
{
	struct ifreq ifr = { 0 };
	uint32_t mtu = 0;
	int sock;

	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return 0;
	memcpy(ifr.ifr_name, name, strnlen(name, sizeof(ifr.ifr_name) - 1));
	if (!ioctl(sock, SIOCGIFMTU, &ifr) && ifr.ifr_mtu > 0)
		mtu = (uint32_t)ifr.ifr_mtu;
	close(sock);
	return mtu;
}
