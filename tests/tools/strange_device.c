// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A vhost-user back end that the driver must leave alone
 *
 *   strange_device SOCKET MAGIC VERSION [MAC]
 *
 * It looks like a virtio BPF device, but its configuration space begins with
 * the given numbers. With a MAC it serves the NIC of that address, and answers
 * each request in another way that makes no sense. One connection, then it ends.
 */
#include <endian.h>
#include <errno.h>
#include <netinet/ether.h>
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

/* The kick that is waited for; without a MAC, none is */
static struct {
	int fd;
	vu_watch_cb cb;
	void *data;
} watch = { .fd = -1 };

/* Answers given */
static unsigned int lies;

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
 * @cb: to be called
 * @data: for @cb
 */
static void on_set_watch(VuDev *dev, int fd, int condition, vu_watch_cb cb, void *data)
{
	(void)dev;
	(void)condition;
	watch.fd = fd;
	watch.cb = cb;
	watch.data = data;
}

/**
 * on_remove_watch() - libvhost-user does not want to know any more
 * @dev: the device
 * @fd: of the kick
 */
static void on_remove_watch(VuDev *dev, int fd)
{
	(void)dev;
	if (watch.fd == fd)
		watch.fd = -1;
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

/**
 * lie() - write an answer that makes no sense
 * @elem: the request
 *
 * Return: bytes that it is said to have
 */
static unsigned int lie(const VuVirtqElement *elem)
{
	struct virtio_bpf_resp_hdr hdr = { 0 };

	/* No NUL anywhere, and nothing that a terminal should see */
	for (unsigned int i = 0; i < elem->in_num; i++)
		memset(elem->in_sg[i].iov_base, 0x9b, elem->in_sg[i].iov_len);
	switch (lies++ % 6) {
	case 0:		/* nothing, not even a status */
		return 0;
	case 1:		/* no known status, said to be longer than there is room */
		return UINT32_MAX;
	case 2:		/* success without a body, its text longer than all */
		hdr.text_len = htole32(UINT32_MAX);
		memcpy(elem->in_sg[0].iov_base, &hdr, sizeof(hdr));
		return sizeof(hdr);
	case 3:		/* a refusal whose text fills all there is, and more */
		hdr.status = htole32(VIRTIO_BPF_S_ACCES);
		hdr.text_len = htole32(UINT32_MAX);
		memcpy(elem->in_sg[0].iov_base, &hdr, sizeof(hdr));
		return UINT32_MAX;
	case 4:		/* a refusal of one byte less than a header */
		memcpy(elem->in_sg[0].iov_base, &hdr, sizeof(hdr));
		return sizeof(hdr) - 1;
	default:	/* success, and 0 as the handle */
		memset(elem->in_sg[0].iov_base, 0, elem->in_sg[0].iov_len);
		return (unsigned int)elem->in_sg[0].iov_len;
	}
}

/**
 * on_queue() - requests came
 * @dev: the device
 * @qidx: the queue
 */
static void on_queue(VuDev *dev, int qidx)
{
	VuVirtq *vq = vu_get_queue(dev, qidx);
	VuVirtqElement *elem;

	while ((elem = vu_queue_pop(dev, vq, sizeof(*elem)))) {
		if (elem->in_num)
			vu_queue_push(dev, vq, elem, lie(elem));
		vu_queue_notify(dev, vq);
		free(elem);
	}
}

/**
 * on_started() - a queue starts or stops
 * @dev: the device
 * @qidx: the queue
 * @started: which of the two
 */
static void on_started(VuDev *dev, int qidx, bool started)
{
	if (config.classes && qidx == VIRTIO_BPF_VQ_REQUEST)
		vu_set_queue_handler(dev, vu_get_queue(dev, qidx), started ? on_queue : NULL);
}

static const VuDevIface iface = {
	.queue_set_started = on_started,
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
 * serve() - serve the front end until it hangs up
 * @dev: the device
 */
static void serve(VuDev *dev)
{
	for (;;) {
		struct pollfd p[] = {
			{ .fd = dev->sock, .events = POLLIN },
			{ .fd = watch.fd, .events = POLLIN },
		};

		if (poll(p, 2, -1) < 0)
			return;
		if (p[1].revents && watch.fd >= 0)
			watch.cb(dev, VU_WATCH_IN, watch.data);
		if (p[0].revents && !vu_dispatch(dev))
			return;
	}
}

/**
 * main() - see the DOC
 * @argc: 4 or 5
 * @argv: as in the DOC
 *
 * Return: 0 when the front end hangs up
 */
int main(int argc, char **argv)
{
	VuDev dev;
	int sock;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: %s SOCKET MAGIC VERSION [MAC]\n", argv[0]);
		return 1;
	}
	if (argc == 5) {
		if (!ether_aton_r(argv[4], (struct ether_addr *)config.mac))
			return 1;
		config.classes = htole16(1 << VIRTIO_BPF_CLASS_XDP);
	}
	config.magic = htole32((uint32_t)strtoul(argv[2], NULL, 0));
	config.version = htole16((uint16_t)strtoul(argv[3], NULL, 0));
	sock = take_connection(argv[1]);
	if (sock < 0 || !vu_init(&dev, VIRTIO_BPF_VQ_CNT, sock, on_panic, NULL, on_set_watch,
				 on_remove_watch, &iface)) {
		fprintf(stderr, "strange_device: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	serve(&dev);
	vu_deinit(&dev);
	return 0;
}
