// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The operator's policy: limits on work, its change, and TAPs that go
 *
 * In a bed as test_loader.c has it, with two ports of two users.
 */
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "../ktap.h"
#include "bed.h"
#include "proxy.h"

#define READ_AGAIN	"the configuration was read again"
#define STAYS		"the configuration stays as it was"

/**
 * configure() - have the daemon take other limits
 * @defaults: lines of [defaults]
 * @ports: lines behind the ports
 *
 * Return: whether it took them
 */
static bool configure(const char *defaults, const char *ports)
{
	return bed_conf(defaults, ports) && bed_reload(READ_AGAIN);
}

/**
 * vbpf() - run the operator's command
 * @out: set to what it prints
 * @size: bytes of @out
 * @args: its arguments
 *
 * Return: its exit status
 */
static int vbpf(char *out, size_t size, const char *args)
{
	return bed_run(out, size, "%s/vbpf -c %s %s 2>&1", bed.bin, bed_path("control"), args);
}

/**
 * test_start() - the bed's parts that all cases need
 *
 * Return: whether they are there
 */
static bool test_start(void)
{
	char out[256];

	CHECK(bed_conf("", "") && tap_open());
	CHECK_EQ(bed_run(out, sizeof(out), "ip tuntap add " TAP1 " mode tap 2>&1"), 0);
	CHECK(bed_start());
	return true;
}

/**
 * test_verified() - a program that takes the verifier too many instructions
 *
 * Return: whether it is refused with the figure, and a simpler one is not
 */
static bool test_verified(void)
{
	struct virtio_bpf_insn loop[PROXY_LOOP];
	struct reply reply;
	char out[4096];
	int sock;

	CHECK(configure("max_verified = 1000\n", ""));
	sock = proxy_open();
	CHECK(sock >= 0);
	proxy_loop(loop, 2000);
	CHECK_EQ(proxy_load_insns(sock, loop, PROXY_LOOP, &reply), -VIRTIO_BPF_S_TOOBIG);
	CHECK(proxy_says(&reply, "that the host's verifier looked at,"));
	CHECK(proxy_says(&reply, "over this port's limit of 1000"));
	CHECK_EQ(proxy_info(sock).progs, 0);
	proxy_loop(loop, 20);
	CHECK(proxy_load_insns(sock, loop, PROXY_LOOP, &reply) > 0);
	CHECK_EQ(vbpf(out, sizeof(out), "--json show vm0"), 0);
	CHECK(strstr(out, "\"max_verified\":1000") && strstr(out, "\"over_limits\":["));
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_load_rate() - a port that has used up its CPU time
 *
 * Return: whether its next program is refused with the time to wait, on a new
 *         connection too, and another port's is not
 */
static bool test_load_rate(void)
{
	struct virtio_bpf_insn loop[PROXY_LOOP];
	struct reply reply;
	int sock, other;

	CHECK(configure("load_rate = 1\nload_burst = 1\n", ""));
	sock = proxy_open();
	other = proxy_open1();
	CHECK(sock >= 0 && other >= 0);
	proxy_loop(loop, 8000);
	CHECK(proxy_load_insns(sock, loop, PROXY_LOOP, &reply) > 0);
	CHECK_EQ(proxy_load(sock, 2, 0, &reply), -VIRTIO_BPF_S_AGAIN);
	CHECK(proxy_says(&reply, "they get 1 ms a second; try again in "));
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_DETACH, 0), VIRTIO_BPF_S_OK);
	close(sock);
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK_EQ(proxy_load(sock, 2, 0, &reply), -VIRTIO_BPF_S_AGAIN);
	CHECK(proxy_load(other, 2, 0, &reply) > 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	/* More a second, and the debt is gone soon. */
	CHECK(configure("load_rate = 1000\n", ""));
	sock = proxy_open();
	CHECK(proxy_load_in_time(sock));
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_call(other, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	close(other);
	return true;
}

/**
 * test_gone_time() - a proxy goes while its program is checked
 *
 * Return: whether the CPU time that it took until then counts
 */
static bool test_gone_time(void)
{
	static struct virtio_bpf_insn bomb[PROXY_BOMB];
	struct reply reply;
	int sock;

	CHECK(configure("load_rate = 1\nload_burst = 20\n", ""));
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK(proxy_load(sock, 2, 0, &reply) > 0);
	proxy_bomb(bomb);
	CHECK(!proxy_load_send(sock, 1, "test", bomb, PROXY_BOMB));
	usleep(800000);
	close(sock);
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK_EQ(proxy_load(sock, 2, 0, &reply), -VIRTIO_BPF_S_AGAIN);
	CHECK(configure("load_rate = 1000\n", ""));
	CHECK(proxy_load_in_time(sock));
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_request_rate() - a port that asks more than it may
 *
 * Return: whether it waits, and another port does not
 */
static bool test_request_rate(void)
{
	const struct vbpf_msg msg = { .type = VIRTIO_BPF_GET_INFO, .id = 7, .fd = -1 };
	struct reply reply;
	int64_t start;
	int sock, other;

	CHECK(configure("request_rate = 10\nrequest_burst = 5\n", ""));
	sock = proxy_open();
	other = proxy_open1();
	CHECK(sock >= 0 && other >= 0);
	start = now_ms();
	for (int i = 0; i < 25; i++)
		CHECK(!vbpf_msg_send(sock, &msg));
	CHECK_EQ(proxy_info(other).progs, 0);
	CHECK(now_ms() - start < 1500);
	for (int i = 0; i < 25; i++)
		CHECK_EQ(proxy_recv(sock, &reply), 1);
	printf("# 25 requests at 10 a second, 5 at once: %lld ms\n", (long long)(now_ms() - start));
	CHECK(now_ms() - start > 1500);
	close(sock);
	close(other);
	return true;
}

/**
 * test_busy() - a program that takes long to verify
 *
 * Return: whether its proxy is told meanwhile that the daemon lives, and so is
 *         one that has to wait because it asks too much
 */
static bool test_busy(void)
{
	static struct virtio_bpf_insn bomb[PROXY_BOMB];
	const struct vbpf_msg ask = { .type = VIRTIO_BPF_GET_INFO, .id = 7, .fd = -1 };
	struct reply reply;
	struct pollfd busy;
	int64_t start;

	CHECK(configure("request_rate = 1\nrequest_burst = 5\nload_rate = 1000\n"
			"load_burst = 60000\nmax_load_time = 30\n", ""));
	proxy_bomb(bomb);
	for (int i = 0; i < 2; i++) {
		busy = (struct pollfd){ .fd = proxy_open(), .events = POLLIN };
		CHECK(busy.fd >= 0);
		start = now_ms();
		if (!i)
			CHECK(!proxy_load_send(busy.fd, 1, "test", bomb, PROXY_BOMB));
		for (int j = 0; i && j < 12; j++)
			CHECK(!vbpf_msg_send(busy.fd, &ask));
		do {
			CHECK_EQ(poll(&busy, 1, 8000), 1);
			CHECK_EQ(vbpf_msg_recv(busy.fd, reply.buf, sizeof(reply.buf), &reply.msg),
				 1);
		} while (i && reply.msg.type == VIRTIO_BPF_GET_INFO);
		printf("# told after %lld ms\n", (long long)(now_ms() - start));
		CHECK_EQ(reply.msg.type, VBPF_MSG_BUSY);
		CHECK(!reply.msg.id && !reply.msg.body_len && !reply.msg.status);
		close(busy.fd);
	}
	CHECK(configure("load_rate = 1000\nload_burst = 60000\n", ""));
	usleep(1500000);
	return true;
}

/**
 * test_gone_rate() - a proxy leaves more requests behind than its port may make
 *
 * Return: whether they are not done at once, since the next proxy would have to
 *         wait for as long as all of them count
 */
static bool test_gone_rate(void)
{
	static struct virtio_bpf_insn bomb[PROXY_BOMB];
	struct reply reply;
	int64_t start;
	int sock;

	CHECK(configure("request_rate = 2\nrequest_burst = 2\nload_rate = 1000\n"
			"load_burst = 60000\n", ""));
	usleep(1000000);
	sock = proxy_open();
	CHECK(sock >= 0);
	proxy_bomb(bomb);
	for (uint32_t i = 0; i < 30; i++)
		CHECK(!proxy_load_send(sock, i + 1, "test", bomb, PROXY_BOMB));
	close(sock);
	usleep(900000);
	start = now_ms();
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK_EQ(proxy_info(sock).progs, 0);
	printf("# the next proxy was answered after %lld ms\n", (long long)(now_ms() - start));
	CHECK(now_ms() - start < 8000);
	close(sock);
	CHECK(configure("load_rate = 1000\nload_burst = 60000\n", ""));
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_group() - a port for one group
 *
 * Return: whether its user is refused with another group, and cut off when the
 *         group is asked for while it is there
 */
static bool test_group(void)
{
	struct reply reply;
	int sock, status;

	CHECK(configure("", ""));
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK(configure("gid = 4242\n", ""));
	CHECK_EQ(proxy_recv(sock, &reply), 0);
	close(sock);
	close(proxy_hello(PROXY_UID, "vm0", &status, &reply));
	CHECK_EQ(status, VIRTIO_BPF_S_PERM);
	CHECK(proxy_says(&reply, "user 65534, group 0 may not speak"));
	CHECK(configure("gid = 0\n", ""));
	sock = proxy_open();
	CHECK(sock >= 0);
	close(sock);
	return true;
}

/**
 * test_bad_reload() - a file with something wrong in it
 *
 * Return: whether it is told with its lines, and nothing changes
 */
static bool test_bad_reload(void)
{
	struct reply reply;
	char out[4096];
	int sock;

	CHECK(configure("max_progs = 1\n", ""));
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK(proxy_load(sock, 2, 0, &reply) > 0);
	CHECK(bed_conf("max_progs = 4\nlevel = lax\n", "[port vm2]\n"));
	CHECK(bed_reload(STAYS));
	CHECK(bed_logged("conf:8: level takes strict or relaxed, not"));
	CHECK(bed_logged("conf:17: \\[port vm2\\] has no keys"));
	CHECK_EQ(proxy_load(sock, 2, 0, &reply), -VIRTIO_BPF_S_NOSPC);
	CHECK(proxy_says(&reply, "limit of 1 programs"));
	CHECK(bed_conf("max_progs = 4\n", ""));
	CHECK_EQ(bed_run(out, sizeof(out), "sed -i s,/control$,/other, %s", bed_path("conf")), 0);
	CHECK(bed_reload(STAYS));
	CHECK(bed_logged("only taken over by a restart"));
	CHECK_EQ(proxy_load(sock, 2, 0, &reply), -VIRTIO_BPF_S_NOSPC);
	CHECK_EQ(bed_run(out, sizeof(out), "rm %s", bed_path("conf")), 0);
	CHECK(bed_reload(STAYS));
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_lower() - limits that are lower than what is there
 *
 * Return: whether the attached program goes on, and the operator is told
 */
static bool test_lower(void)
{
	struct reply reply;
	char out[8192];
	int64_t drop;
	int sock;

	CHECK(configure("", ""));
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK(proxy_map(sock, 100, &reply) > 0);
	close(reply.msg.fd);
	drop = proxy_drop(sock);
	CHECK(drop > 0);
	CHECK(configure("max_insns = 1\nmax_maps = 0\nmax_entries = 10\n", ""));
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(le32toh(proxy_info(sock).attached), drop);
	CHECK(bed_logged("has 2 instructions, over this port.s limit of 1"));
	CHECK(bed_logged("the number of maps, 1 is over this port.s limit of 0"));
	CHECK_EQ(vbpf(out, sizeof(out), "show vm0"), 0);
	CHECK(strstr(out, "over the limits: program ") && strstr(out, "over the limits: map "));
	CHECK_EQ(proxy_load(sock, 1, 0, &reply), -VIRTIO_BPF_S_TOOBIG);
	CHECK_EQ(vbpf(out, sizeof(out), "detach vm0"), 0);
	CHECK_EQ(frames_pass(), 3);
	CHECK_EQ(proxy_event(sock, VIRTIO_BPF_EVENT_DETACHED), drop);
	CHECK(configure("", ""));
	CHECK_EQ(vbpf(out, sizeof(out), "show vm0"), 0);
	CHECK(!strstr(out, "over the limits"));
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_helpers() - helpers that a port has by a profile
 *
 * Return: whether a program with one is refused without it, in words; works
 *         with it; and is named and goes on when it is taken away
 */
static bool test_helpers(void)
{
	const struct virtio_bpf_insn clock[] = {
		{ .code = 0x85, .imm = htole32(125) },		/* ktime_get_boot_ns */
		{ .code = 0x15, .off = htole16(2) },		/* if r0 == 0 */
		{ .code = 0xb7, .imm = htole32(1) },		/* r0 = XDP_DROP */
		{ .code = 0x95 },
		{ .code = 0xb7, .imm = htole32(2) },		/* r0 = XDP_PASS */
		{ .code = 0x95 },
	};
	struct reply reply;
	char out[8192];
	int64_t drop;
	int sock;

	CHECK(configure("", ""));
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK_EQ(proxy_load_insns(sock, clock, 6, &reply), -VIRTIO_BPF_S_PERM);
	CHECK(proxy_says(&reply, "instruction 0: helper ktime_get_boot_ns (125) is for ports with"
			 " the helpers \"time\""));
	CHECK(configure("helpers = cpu\n", ""));
	CHECK_EQ(proxy_load_insns(sock, clock, 6, &reply), -VIRTIO_BPF_S_PERM);
	CHECK(configure("helpers = packet time\n", ""));
	CHECK_EQ(vbpf(out, sizeof(out), "--json show vm0"), 0);
	CHECK(strstr(out, "\"helpers\":\"packet time\""));
	drop = proxy_load_insns(sock, clock, 6, &reply);
	CHECK(drop > 0);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 0);
	CHECK(configure("", ""));
	CHECK(bed_logged("calls helper ktime_get_boot_ns, for which this port would need"));
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(le32toh(proxy_info(sock).attached), drop);
	CHECK_EQ(vbpf(out, sizeof(out), "show vm0"), 0);
	CHECK(strstr(out, "over the limits: program "));
	CHECK_EQ(proxy_load_insns(sock, clock, 6, &reply), -VIRTIO_BPF_S_PERM);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_DETACH, 0), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), VIRTIO_BPF_S_PERM);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * map_bytes() - what the maps of vm0 count for
 *
 * Return: bytes, or -1 if vbpf does not say
 */
static long long map_bytes(void)
{
	static const char key[] = "\"map_bytes\":";
	char out[8192];
	const char *at;

	at = vbpf(out, sizeof(out), "--json show vm0") ? NULL : strstr(out, key);
	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

/**
 * kernel_bytes() - what the kernel says that a map takes
 * @fd: of the map
 *
 * Return: bytes, or -1
 */
static long long kernel_bytes(int fd)
{
	char path[64], line[128];
	long long bytes = -1;
	FILE *info;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = fopen(path, "re");
	while (info && fgets(line, sizeof(line), info))
		sscanf(line, "memlock: %lld", &bytes);
	if (info)
		fclose(info);
	return bytes;
}

/**
 * daemon_fds() - how many fds the daemon has open
 * @sock: a proxy's connection; when it is answered, the operator's is closed
 *
 * Return: the number
 */
static int daemon_fds(int sock)
{
	char out[64];

	proxy_info(sock);
	bed_run(out, sizeof(out), "ls /proc/%d/fd | wc -l", (int)bed.daemon);
	return atoi(out);
}

/**
 * weigh() - does a map count for what the kernel takes for it?
 * @sock: connection of vm0, which has no maps
 * @req: the map
 * @least: bytes that it counts for if the kernel says less, or 0
 *
 * Return: whether it does, is refused if the limit is a byte less, leaving
 *         nothing behind, and is taken if it is not
 */
static bool weigh(int sock, const struct virtio_bpf_map_create *req, long long least)
{
	struct reply reply;
	long long bytes;
	char limit[128];
	int fds;

	CHECK(configure("max_map_bytes = 1G\nmax_value_size = 65536\n", ""));
	fds = daemon_fds(sock);
	CHECK(proxy_map_new(sock, req, &reply) > 0);
	bytes = kernel_bytes(reply.msg.fd);
	close(reply.msg.fd);
	printf("# type %u, key %u, value %u, entries %u, flags %u: the kernel says %lld, counted"
	       " %lld\n", le32toh(req->map_type), le32toh(req->key_size),
	       le32toh(req->value_size), le32toh(req->max_entries), le32toh(req->map_flags),
	       bytes, map_bytes());
	CHECK(bytes > 0);
	bytes = bytes < least ? least : bytes;
	CHECK_EQ(map_bytes(), bytes);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	snprintf(limit, sizeof(limit), "max_value_size = 65536\nmax_map_bytes = %lld\n", bytes - 1);
	CHECK(configure(limit, ""));
	CHECK_EQ(proxy_map_new(sock, req, &reply), -VIRTIO_BPF_S_NOSPC);
	snprintf(limit, sizeof(limit), "%lld bytes together, and %lld of them are left", bytes - 1,
		 bytes - 1);
	CHECK(proxy_says(&reply, limit));
	CHECK_EQ(map_bytes(), 0);
	CHECK_EQ(daemon_fds(sock), fds);
	snprintf(limit, sizeof(limit), "max_value_size = 65536\nmax_map_bytes = %lld\n", bytes);
	CHECK(configure(limit, ""));
	CHECK(proxy_map_new(sock, req, &reply) > 0);
	close(reply.msg.fd);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	return true;
}

/**
 * test_map_bytes() - maps count for the kernel's own figures
 *
 * Return: whether each does, and for the same after a restart
 */
static bool test_map_bytes(void)
{
	const long long cpus = libbpf_num_possible_cpus();
	const struct {
		uint32_t type, key, value, entries, flags;
		long long least;
	} rows[] = {
		{ BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0, 0 },
		{ BPF_MAP_TYPE_ARRAY, 4, 8, 1024, 0, 0 },
		{ BPF_MAP_TYPE_ARRAY, 4, 4096, 1000, 0, 1024 * 4096 },
		{ BPF_MAP_TYPE_ARRAY, 4, 1, 1025, 0, 2048 * 8 },
		{ BPF_MAP_TYPE_HASH, 4, 8, 1, 0, 0 },
		{ BPF_MAP_TYPE_HASH, 4, 1, 1000, 0, 0 },
		{ BPF_MAP_TYPE_HASH, 64, 100, 65536, 0, 0 },
		{ BPF_MAP_TYPE_HASH, 16, 65536, 16, 0, 0 },
		{ BPF_MAP_TYPE_HASH, 4, 8, 1000, BPF_F_NO_PREALLOC,
		  (1000 + cpus * 96) * 128 + 1024 * 16 },
		{ BPF_MAP_TYPE_HASH, 4, 4096, 1, BPF_F_NO_PREALLOC, (1 + cpus * 5) * 8192 + 16 },
	};
	struct reply reply;
	long long bytes;
	int sock = proxy_open();

	CHECK(sock >= 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct virtio_bpf_map_create req = {
			.map_type = htole32(rows[i].type), .key_size = htole32(rows[i].key),
			.value_size = htole32(rows[i].value), .name = "weighed",
			.max_entries = htole32(rows[i].entries),
			.map_flags = htole32(rows[i].flags),
		};

		CHECK(weigh(sock, &req, rows[i].least));
	}
	CHECK(configure("", ""));
	for (uint32_t i = 1; i <= 3; i++) {
		CHECK(proxy_map(sock, 100 * i, &reply) > 0);
		close(reply.msg.fd);
	}
	bytes = map_bytes();
	CHECK(bytes > 600 * 64);
	CHECK_EQ(bed_stop(), 0);
	close(sock);
	CHECK(bed_start());
	CHECK_EQ(map_bytes(), bytes);
	sock = proxy_open();
	CHECK(sock >= 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(proxy_recv(sock, &reply), 1);
		CHECK_EQ(reply.msg.type, VBPF_MSG_MAP);
		close(reply.msg.fd);
	}
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_short() - a daemon starts while the kernel is short of memory
 *
 * Return: whether it does not, and removes nothing: the next one finds all
 */
static bool test_short(void)
{
#ifndef __SANITIZE_ADDRESS__
	static const char *const pins[] = {
		"/port", "/map-", "/prog-", "/counters-", "/src-", "/norm", "/link",
	};
	struct reply reply;
	int64_t map, drop;
	char out[1024];
	int sock;

	CHECK(configure("", ""));
	sock = proxy_open();
	CHECK(sock >= 0);
	map = proxy_map(sock, 10, &reply);
	close(reply.msg.fd);
	drop = proxy_load(sock, 1, (uint32_t)map, &reply);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), VIRTIO_BPF_S_OK);
	CHECK_EQ(bed_stop(), 0);
	close(sock);
	for (size_t i = 0; i < sizeof(pins) / sizeof(*pins); i++) {
		CHECK_EQ(bed_run(out, sizeof(out), "VBPF_FAIL_GET=vm0%s"
				 " LD_PRELOAD=%s/../tests/host/fail_get.so"
				 " %s/virtio-bpfd -c %s 2>&1", pins[i], bed.bin, bed.bin,
				 bed_path("conf")), 1);
		CHECK(strstr(out, "cannot be read now, and stays as it is: Cannot allocate"));
		CHECK_EQ(frames_pass(), 0);
	}
	CHECK(bed_start());
	CHECK_EQ(frames_pass(), 0);
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK_EQ(proxy_recv(sock, &reply), 1);
	CHECK_EQ(reply.msg.type, VBPF_MSG_MAP);
	close(reply.msg.fd);
	CHECK_EQ(le32toh(proxy_info(sock).attached), drop);
	CHECK_EQ(le32toh(proxy_info(sock).progs), 1);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
#endif
	return true;
}

/**
 * test_ports() - ports come and go
 *
 * Return: whether a new one works, one that went was released and told, and the
 *         one that stays does not notice
 */
static bool test_ports(void)
{
	static const char more[] = "[port vm.2]\ntap = vbpf-tap2\nuid = 2\n"
				   "mac = 52:54:00:12:34:5a\n";
	struct reply reply;
	char out[8192];
	int64_t drop;
	int sock, new;

	CHECK_EQ(bed_run(out, sizeof(out), "ip tuntap add vbpf-tap2 mode tap 2>&1"), 0);
	sock = proxy_open();
	drop = proxy_drop(sock);
	CHECK(drop > 0);
	CHECK(proxy_open_port(2, "vm.2") < 0);
	CHECK(configure("", more));
	new = proxy_open_port(2, "vm.2");
	CHECK(new >= 0);
	drop = proxy_drop(new);
	CHECK(drop > 0);
	CHECK_EQ(vbpf(out, sizeof(out), "list"), 0);
	CHECK(strstr(out, "vm.2"));
	CHECK(configure("", ""));
	CHECK_EQ(proxy_event(new, VIRTIO_BPF_EVENT_LOST), 0);
	CHECK_EQ(proxy_recv(new, &reply), 0);
	close(new);
	CHECK(access(bed_path("bpf/ports/vm~2"), F_OK));
	CHECK(proxy_open_port(2, "vm.2") < 0);
	CHECK(le32toh(proxy_info(sock).attached) > 0);
	CHECK_EQ(frames_pass(), 0);
	/* The port gets another MAC, so another tenant: nothing is handed on. */
	CHECK(bed_conf("", ""));
	CHECK_EQ(bed_run(out, sizeof(out), "sed -i s/:56$/:57/ %s", bed_path("conf")), 0);
	CHECK(bed_reload(READ_AGAIN));
	CHECK_EQ(proxy_event(sock, VIRTIO_BPF_EVENT_LOST), 0);
	CHECK_EQ(proxy_recv(sock, &reply), 0);
	close(sock);
	CHECK_EQ(frames_pass(), 3);
	sock = proxy_open();
	CHECK_EQ(proxy_info(sock).progs, 0);
	close(sock);
	/* The pair of a port whose folder was removed, and another daemon's. */
	CHECK_EQ(bed_run(out, sizeof(out), "ip link add vbpf-a type veth peer name vbpf-b &&"
			 " ip link set vbpf-a alias 'virtio-bpf: %s/vm9' &&"
			 " ip link add vbpf-c type veth peer name vbpf-d &&"
			 " ip link set vbpf-c alias 'virtio-bpf: /no/vm9'",
			 bed_path("bpf/ports")), 0);
	CHECK(configure("", ""));
	CHECK(!if_nametoindex("vbpf-a") && if_nametoindex("vbpf-c"));
	CHECK_EQ(bed_run(out, sizeof(out), "ip link del vbpf-c"), 0);
	return true;
}

/**
 * test_busy_reload() - a port goes while a worker is at its program
 *
 * Return: whether it does, and the daemon goes on
 */
static bool test_busy_reload(void)
{
	static struct virtio_bpf_insn bomb[PROXY_BOMB];
	struct reply reply;
	char out[256];
	int sock, other;

	CHECK(configure("", ""));
	sock = proxy_open();
	other = proxy_open1();
	CHECK(sock >= 0 && other >= 0);
	proxy_bomb(bomb);
	CHECK(!proxy_load_send(sock, 1, "test", bomb, PROXY_BOMB));
	usleep(200000);
	CHECK(bed_conf("", ""));
	CHECK_EQ(bed_run(out, sizeof(out), "sed -i s/:56$/:57/ %s", bed_path("conf")), 0);
	CHECK(bed_reload(READ_AGAIN));
	CHECK_EQ(proxy_event(sock, VIRTIO_BPF_EVENT_LOST), 0);
	CHECK_EQ(proxy_recv(sock, &reply), 0);
	CHECK_EQ(proxy_info(other).progs, 0);
	close(sock);
	close(other);
	CHECK(configure("", ""));
	return true;
}

/**
 * test_rename() - the TAP of an attached program gets another name
 *
 * Return: whether the program is detached and the guest told, at once
 */
static bool test_rename(void)
{
	struct reply reply;
	char out[256];
	int64_t drop;
	int sock = proxy_open();

	drop = proxy_drop(sock);
	CHECK(drop > 0);
	CHECK_EQ(bed_run(out, sizeof(out), "ip tuntap add vbpf-d mode tap && ip link del vbpf-d"),
		 0);
	CHECK_EQ(le32toh(proxy_info(sock).attached), drop);
	CHECK_EQ(bed_run(out, sizeof(out), "ip link set " TAP " down && ip link set " TAP
			 " name vbpf-x"), 0);
	CHECK_EQ(proxy_event(sock, VIRTIO_BPF_EVENT_DETACHED), drop);
	CHECK(bed_logged("was deleted, renamed or moved: program"));
	CHECK_EQ(bed_run(out, sizeof(out), "ip link set vbpf-x name " TAP " && ip link set " TAP
			 " up"), 0);
	CHECK_EQ(frames_pass(), 3);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 0);
	/* It is deleted while the daemon is away. */
	CHECK_EQ(bed_stop(), 0);
	close(sock);
	close(bed.tap);
	CHECK(!if_nametoindex(TAP) && tap_open());
	CHECK(bed_start());
	sock = proxy_open();
	CHECK_EQ(proxy_event(sock, VIRTIO_BPF_EVENT_DETACHED), drop);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_move() - the TAP of an attached program goes to another network namespace
 *
 * Return: whether the program is detached and the guest told
 */
static bool test_move(void)
{
	struct reply reply;
	char out[256];
	int64_t drop;
	int sock = proxy_open(), status;
	pid_t child;

	drop = proxy_drop(sock);
	CHECK(drop > 0);
	child = fork();
	if (!child) {
		status = unshare(CLONE_NEWNET);
		pause();
		_exit(status);
	}
	usleep(200000);
	CHECK_EQ(bed_run(out, sizeof(out), "ip link set " TAP " netns %d 2>&1", (int)child), 0);
	CHECK_EQ(proxy_event(sock, VIRTIO_BPF_EVENT_DETACHED), drop);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	close(bed.tap);
	CHECK_EQ(le32toh(proxy_info(sock).attached), 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return tap_open();
}

/**
 * test_replaced() - a request comes for a TAP made anew before the daemon has
 * looked at its interfaces
 *
 * Return: whether the guest is told that what was attached is not, though the
 *         request is refused
 */
static bool test_replaced(void)
{
	struct virtio_bpf_insn loop[PROXY_LOOP];
	struct virtio_bpf_handle body = { 0 };
	struct virtio_bpf_event event;
	struct reply reply;
	bool told = false;
	char out[256];
	int64_t drop;
	int sock;

	CHECK(configure("", ""));
	sock = proxy_open();
	drop = proxy_drop(sock);
	CHECK(drop > 0);
	CHECK(configure("load_rate = 1\nload_burst = 1\n", ""));
	proxy_loop(loop, 8000);
	CHECK(proxy_load_insns(sock, loop, PROXY_LOOP, &reply) > 0);
	/* It looks five times in half a second at most. */
	CHECK_EQ(bed_run(out, sizeof(out), "for i in 1 2 3 4 5 6 7 8; do ip link set " TAP1
			 " mtu $((1400 + i)); done"), 0);
	close(bed.tap);
	CHECK(tap_open());
	body.handle = htole32((uint32_t)drop);
	CHECK_EQ(vbpf_msg_send(sock, &(struct vbpf_msg){ .type = VIRTIO_BPF_XDP_ATTACH,
		 .body = &body, .body_len = sizeof(body), .fd = -1 }), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(proxy_recv(sock, &reply), 1);
		if (reply.msg.type == VIRTIO_BPF_XDP_ATTACH) {
			CHECK_EQ(reply.msg.status, VIRTIO_BPF_S_AGAIN);
			continue;
		}
		memcpy(&event, reply.msg.body, sizeof(event));
		told = le32toh(event.type) == VIRTIO_BPF_EVENT_DETACHED &&
		       le32toh(event.handle) == drop;
	}
	CHECK(told);
	CHECK_EQ(le32toh(proxy_info(sock).attached), 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * main() - run the cases
 *
 * Return: the exit status
 */
int main(void)
{
	static const struct ktap_case cases[] = {
		{ "the daemon starts", test_start },
		{ "instructions that the verifier looks at are limited", test_verified },
		{ "CPU time for loading is limited per second", test_load_rate },
		{ "CPU time counts also of a proxy that went", test_gone_time },
		{ "requests are limited per second", test_request_rate },
		{ "a proxy that waits for long is told so", test_busy },
		{ "requests of a proxy that went are limited per second", test_gone_rate },
		{ "a port may be for one group", test_group },
		{ "a bad file changes nothing", test_bad_reload },
		{ "lower limits take nothing away", test_lower },
		{ "profiles of helpers", test_helpers },
		{ "maps count for what the kernel says", test_map_bytes },
		{ "nothing is removed for want of memory", test_short },
		{ "ports come and go", test_ports },
		{ "a port goes while its program is checked", test_busy_reload },
		{ "a TAP is renamed or deleted under its program", test_rename },
		{ "a TAP is moved away under its program", test_move },
		{ "a TAP is made anew just before an attachment", test_replaced },
	};

	return bed_main(cases, sizeof(cases) / sizeof(*cases));
}
