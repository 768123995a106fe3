// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The veth pair in which packets become what they are on the wire
 *
 * What goes into one end comes out of the other as it would of a cable with no
 * NIC's offloads at its ends: no GSO, no checksum left to fill in. The kernel
 * does that for any netdev without these features; a veth has them all until
 * they are switched off here.
 *
 * Nobody is meant to speak through it: no ARP, no multicast, no IPv6 address.
 * Its MTU is the highest there is: how long packets may be is for the TAP to
 * say, and a change of that must not make the pair drop any.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pair.h"

#define PAIR_MTU	65535
#define PAIR_KIND	"veth"
#define PAIR_MSG	1024	/* bytes, for the longest message that is sent */
#define PAIR_FEATURES	8	/* blocks of 32 features; the kernel has two */
#define PAIR_SWEEP	256	/* ends that are looked for at a time */
#define PAIR_QUIET	(IFF_NOARP | IFF_MULTICAST)	/* flags that are changed */

/**
 * pair_open() - open a socket to the kernel's part that knows of netdevs
 *
 * Return: the socket, or NULL with errno
 */
static struct mnl_socket *pair_open(void)
{
	struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int err;

	if (!nl || !mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		return nl;
	err = errno;
	mnl_socket_close(nl);
	errno = err;
	return NULL;
}

/**
 * pair_talk() - send a request and wait until it is done
 * @nlh: the request
 * @cb: gets each message of the answer, or NULL if it is an ACK
 * @user: for @cb
 *
 * Return: 0, or a negative errno
 */
static int pair_talk(struct nlmsghdr *nlh, mnl_cb_t cb, void *user)
{
	struct mnl_socket *nl = pair_open();
	char buf[16384];
	int ret = MNL_CB_ERROR;

	if (!nl)
		return -errno;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		goto out;
	do {
		ssize_t n = mnl_socket_recvfrom(nl, buf, sizeof(buf));

		ret = n < 0 ? MNL_CB_ERROR :
		      mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(nl), cb, user);
	} while (ret > MNL_CB_STOP);
out:
	ret = ret < 0 ? -errno : 0;
	mnl_socket_close(nl);
	return ret;
}

/**
 * pair_msg() - begin a message about a netdev
 * @buf: PAIR_MSG bytes
 * @type: RTM_*
 * @flags: NLM_F_*
 * @ifindex: of the netdev, or 0
 *
 * Return: the message, in @buf
 */
static struct nlmsghdr *pair_msg(char *buf, uint16_t type, uint16_t flags, uint32_t ifindex)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	ifi->ifi_index = (int)ifindex;
	return nlh;
}

/**
 * pair_new() - make a pair, not up
 * @out: name of the end that packets go into
 * @in: name of the other end
 *
 * Return: 0, or a negative errno
 */
static int pair_new(const char *out, const char *in)
{
	char buf[PAIR_MSG];
	struct nlmsghdr *nlh = pair_msg(buf, RTM_NEWLINK,
					NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, 0);
	struct nlattr *info, *data, *peer;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, out);
	mnl_attr_put_u32(nlh, IFLA_MTU, PAIR_MTU);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, PAIR_KIND);
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, in);
	mnl_attr_put_u32(nlh, IFLA_MTU, PAIR_MTU);
	mnl_attr_nest_end(nlh, peer);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return pair_talk(nlh, NULL, NULL);
}

/**
 * pair_quiet() - keep an end from saying anything by itself, and label it
 * @ifindex: of the end
 * @alias: the label
 *
 * A kernel without IPv6 knows no address generation, and needs none.
 *
 * Return: 0, or a negative errno
 */
static int pair_quiet(uint32_t ifindex, const char *alias)
{
	char buf[PAIR_MSG];
	struct nlmsghdr *nlh = pair_msg(buf, RTM_NEWLINK, NLM_F_ACK, ifindex);
	struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct nlattr *spec, *inet6;
	int err;

	ifi->ifi_flags = IFF_NOARP;
	ifi->ifi_change = PAIR_QUIET;
	mnl_attr_put_strz(nlh, IFLA_IFALIAS, alias);
	err = pair_talk(nlh, NULL, NULL);
	if (err)
		return err;
	nlh = pair_msg(buf, RTM_NEWLINK, NLM_F_ACK, ifindex);
	spec = mnl_attr_nest_start(nlh, IFLA_AF_SPEC);
	inet6 = mnl_attr_nest_start(nlh, AF_INET6);
	mnl_attr_put_u8(nlh, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(nlh, inet6);
	mnl_attr_nest_end(nlh, spec);
	err = pair_talk(nlh, NULL, NULL);
	return err == -EAFNOSUPPORT ? 0 : err;
}

/**
 * pair_ethtool() - ask or tell the driver of a netdev something
 * @name: of the netdev
 * @cmd: struct of an ETHTOOL_* command
 *
 * Return: 0 or more, or a negative errno
 */
static int pair_ethtool(const char *name, void *cmd)
{
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;
	struct ifreq ifr = { .ifr_data = cmd };

	if (sock < 0)
		return -errno;
	memcpy(ifr.ifr_name, name, strnlen(name, sizeof(ifr.ifr_name) - 1));
	ret = ioctl(sock, SIOCETHTOOL, &ifr);
	if (ret < 0)
		ret = -errno;
	close(sock);
	return ret;
}

/**
 * pair_offloads_off() - switch off every feature that can be
 * @name: of an end
 *
 * Return: 0, or a negative errno
 */
static int pair_offloads_off(const char *name)
{
	union {
		struct ethtool_gfeatures cmd;
		char room[sizeof(struct ethtool_gfeatures) +
			  PAIR_FEATURES * sizeof(struct ethtool_get_features_block)];
	} have = { .cmd = { .cmd = ETHTOOL_GFEATURES, .size = PAIR_FEATURES } };
	union {
		struct ethtool_sfeatures cmd;
		char room[sizeof(struct ethtool_sfeatures) +
			  PAIR_FEATURES * sizeof(struct ethtool_set_features_block)];
	} want = { .cmd = { .cmd = ETHTOOL_SFEATURES } };
	int ret = pair_ethtool(name, &have);

	if (ret < 0)
		return ret;
	if (have.cmd.size > PAIR_FEATURES)
		return -E2BIG;
	want.cmd.size = have.cmd.size;
	for (uint32_t i = 0; i < have.cmd.size; i++) {
		const struct ethtool_get_features_block *block = &have.cmd.features[i];

		want.cmd.features[i] = (struct ethtool_set_features_block){
			.valid = block->available & ~block->never_changed,
		};
	}
	ret = pair_ethtool(name, &want);
	return ret < 0 ? ret : 0;
}

/**
 * pair_free_name() - take away what has a name that a pair shall have
 * @name: the name
 *
 * A pair that a daemon left when it died half way has no label yet. Nobody else
 * makes veth pairs of that name; what is no veth is left alone.
 *
 * Return: 0, or a negative errno
 */
static int pair_free_name(const char *name)
{
	struct ethtool_drvinfo drv = { .cmd = ETHTOOL_GDRVINFO };
	int ret = pair_ethtool(name, &drv);

	if (ret < 0 || strcmp(drv.driver, PAIR_KIND))
		return -EEXIST;
	return pair_delete(if_nametoindex(name));
}

/**
 * pair_make() - make the pair for a TAP, not up
 * @tap: ifindex of the TAP
 * @alias: label of both ends, at most 255 bytes
 * @pair: set to the ends
 *
 * Return: 0, or a negative errno; nothing is left then
 */
int pair_make(uint32_t tap, const char *alias, struct pair *pair)
{
	char out[IF_NAMESIZE], in[IF_NAMESIZE];
	int err;

	snprintf(out, sizeof(out), PAIR_OUT, tap);
	snprintf(in, sizeof(in), PAIR_IN, tap);
	err = pair_new(out, in);
	if (err == -EEXIST)
		err = pair_free_name(if_nametoindex(out) ? out : in) ?: pair_new(out, in);
	if (err)
		return err;
	pair->out = if_nametoindex(out);
	pair->in = if_nametoindex(in);
	err = pair->out && pair->in ? 0 : -ENODEV;
	if (!err)
		err = pair_quiet(pair->out, alias) ?: pair_quiet(pair->in, alias);
	if (!err)
		err = pair_offloads_off(out) ?: pair_offloads_off(in);
	if (err && pair->out)
		pair_delete(pair->out);
	return err;
}

/**
 * pair_up() - set a pair up
 * @pair: the pair
 *
 * Return: 0, or a negative errno
 */
int pair_up(const struct pair *pair)
{
	const uint32_t ends[] = { pair->in, pair->out };
	int err = 0;

	for (int i = 0; i < 2 && !err; i++) {
		char buf[PAIR_MSG];
		struct nlmsghdr *nlh = pair_msg(buf, RTM_NEWLINK, NLM_F_ACK, ends[i]);
		struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

		ifi->ifi_flags = IFF_UP;
		ifi->ifi_change = IFF_UP;
		err = pair_talk(nlh, NULL, NULL);
	}
	return err;
}

/**
 * pair_delete() - delete a pair
 * @ifindex: of one of its ends
 *
 * Return: 0, also if it is not there, or a negative errno
 */
int pair_delete(uint32_t ifindex)
{
	char buf[PAIR_MSG];
	struct nlmsghdr *nlh = pair_msg(buf, RTM_DELLINK, NLM_F_ACK, ifindex);
	int err = ifindex ? pair_talk(nlh, NULL, NULL) : 0;

	return err == -ENODEV ? 0 : err;
}

/**
 * struct pair_search - a search for pairs that nobody needs
 * @prefix: of their labels
 * @keep: tells from the rest of the label whether one is needed
 * @user: for @keep
 * @found: ifindexes
 * @cnt: number of @found
 */
struct pair_search {
	const char *prefix;
	pair_keep_t *keep;
	const void *user;
	uint32_t found[PAIR_SWEEP];
	size_t cnt;
};

/**
 * pair_look() - look at one netdev
 * @nlh: the kernel's message about it
 * @user: the search
 *
 * Return: MNL_CB_OK
 */
static int pair_look(const struct nlmsghdr *nlh, void *user)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct pair_search *search = user;
	const char *alias = NULL, *kind = NULL;
	size_t len = strlen(search->prefix);
	struct nlattr *attr, *info;

	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) == IFLA_IFALIAS &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			alias = mnl_attr_get_str(attr);
		if (mnl_attr_get_type(attr) != IFLA_LINKINFO)
			continue;
		mnl_attr_for_each_nested(info, attr)
			if (mnl_attr_get_type(info) == IFLA_INFO_KIND &&
			    mnl_attr_validate(info, MNL_TYPE_NUL_STRING) >= 0)
				kind = mnl_attr_get_str(info);
	}
	if (alias && kind && !strcmp(kind, PAIR_KIND) && search->cnt < PAIR_SWEEP &&
	    !strncmp(alias, search->prefix, len) &&
	    !search->keep(alias + len, (uint32_t)ifi->ifi_index, search->user))
		search->found[search->cnt++] = (uint32_t)ifi->ifi_index;
	return MNL_CB_OK;
}

/**
 * pair_sweep() - delete the pairs that nobody needs
 * @prefix: of the labels of those that are looked at
 * @keep: tells from the rest of the label whether one is needed
 * @user: for @keep
 *
 * Return: how many were deleted, or a negative errno
 */
int pair_sweep(const char *prefix, pair_keep_t *keep, const void *user)
{
	struct pair_search search = { .prefix = prefix, .keep = keep, .user = user };
	char buf[PAIR_MSG];
	int err, cnt = 0;

	do {
		search.cnt = 0;
		err = pair_talk(pair_msg(buf, RTM_GETLINK, NLM_F_DUMP, 0), pair_look, &search);
		for (size_t i = 0; i < search.cnt && !err; i++)
			err = pair_delete(search.found[i]);
		cnt += (int)search.cnt / 2;
	} while (!err && search.cnt == PAIR_SWEEP);
	return err ? err : cnt;
}
