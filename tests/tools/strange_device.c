// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A vhost-user back end that the driver must leave alone
 *
 *   strange_device SOCKET MAGIC VERSION
 *
 * It looks like a virtio BPF device, but its configuration space begins with
 * the given numbers, and it never answers a request. One connection, then it
 * ends.
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "libvhost-user.h"
#include "virtio_bpf.h"

/* Its configuration space; libvhost-user has no place for data of ours. */
static struct virtio_bpf_config config;

/**
 * on_panic() - libvhost-user cannot go on
 * @dev: the device
 * @why: in words
 */
static void on_panic(VuDev *dev, const char *why)
{
	(void)dev;
	fprintf(stderr, "strange_device: %s\n", why);
	exit(1);
}

/**
 * on_set_watch() - libvhost-user wants to know when a queue is kicked
 * @dev: the device
 * @fd: of the kick
 * @condition: unused
 * @cb: unused: nothing is ever answered
 * @data: unused
 */
static void on_set_watch(VuDev *dev, int fd, int condition, vu_watch_cb cb, void *data)
{
	(void)dev;
	(void)fd;
	(void)condition;
	(void)cb;
	(void)data;
}

/**
 * on_remove_watch() - libvhost-user does not want to know any more
 * @dev: the device
 * @fd: of the kick
 */
static void on_remove_watch(VuDev *dev, int fd)
{
	(void)dev;
	(void)fd;
}

/**
 * on_get_features() - the feature bits on offer
 * @dev: the device
 *
 * Return: VERSION_1 alone
 */
static uint64_t on_get_features(VuDev *dev)
{
	(void)dev;
	return 1ull << VIRTIO_F_VERSION_1;
}

/**
 * on_set_features() - the feature bits that were chosen
 * @dev: the device
 * @features: they
 */
static void on_set_features(VuDev *dev, uint64_t features)
{
	(void)dev;
	(void)features;
}

/**
 * on_get_protocol_features() - vhost-user's own features
 * @dev: the device
 *
 * Return: that it has a configuration space
 */
static uint64_t on_get_protocol_features(VuDev *dev)
{
	(void)dev;
	return 1ull << VHOST_USER_PROTOCOL_F_CONFIG;
}

/**
 * on_get_config() - the configuration space is read
 * @dev: the device
 * @to: where to
 * @len: how much
 *
 * Return: 0
 */
static int on_get_config(VuDev *dev, uint8_t *to, uint32_t len)
{
	(void)dev;
	memset(to, 0, len);
	memcpy(to, &config, len < sizeof(config) ? len : sizeof(config));
	return 0;
}

static const VuDevIface iface = {
	.get_features = on_get_features,
	.set_features = on_set_features,
	.get_protocol_features = on_get_protocol_features,
	.get_config = on_get_config,
};

/**
 * take_connection() - wait for the front end
 * @path: where it connects
 *
 * Return: the connection, or -1
 */
static int take_connection(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || strlen(path) >= sizeof(addr.sun_path))
		return -1;
	strcpy(addr.sun_path, path);
	if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) || listen(sock, 1))
		return -1;
	return accept(sock, NULL, NULL);
}

/**
 * main() - see the DOC
 * @argc: 4
 * @argv: as in the DOC
 *
 * Return: 0 when the front end hangs up
 */
int main(int argc, char **argv)
{
	VuDev dev;
	int sock;

	if (argc != 4) {
		fprintf(stderr, "usage: %s SOCKET MAGIC VERSION\n", argv[0]);
		return 1;
	}
	config.magic = htole32((uint32_t)strtoul(argv[2], NULL, 0));
	config.version = htole16((uint16_t)strtoul(argv[3], NULL, 0));
	sock = take_connection(argv[1]);
	if (sock < 0 || !vu_init(&dev, VIRTIO_BPF_VQ_CNT, sock, on_panic, NULL, on_set_watch,
				 on_remove_watch, &iface)) {
		fprintf(stderr, "strange_device: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	while (vu_dispatch(&dev))
		;
	vu_deinit(&dev);
	return 0;
}
