// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: virtio-bpfd, with a real kernel, a real TAP and real frames
 *
 * The test is proxy, operator and VM in one: it speaks the socket protocol as
 * the port's user, runs vbpf, and reads from the TAP what would reach a guest.
 * Everything happens in network and mount namespaces of its own, with a bpffs
 * of its own, all of which go when it ends (bed.c).
 */
#include <bpf/bpf.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "../ktap.h"
#include "bed.h"
#include "proxy.h"

/**
 * test_start() - the daemon starts, and says why it does not
 *
 * Return: whether it does
 */
static bool test_start(void)
{
	char out[4096];

	CHECK(bed_write(bed_path("bad"), "[loader]\nbpffs = /tmp/vbpf-no-such\nlinger = x\n"));
	CHECK_EQ(bed_run(out, sizeof(out), "%s/virtio-bpfd -c %s 2>&1", bed.bin,
			 bed_path("bad")), 1);
	CHECK(strstr(out, "bad:3: linger takes a number"));
	CHECK(bed_write(bed_path("bad"), "[loader]\nbpffs = /dev/shm/vbpf-no-bpffs\n"));
	CHECK_EQ(bed_run(out, sizeof(out), "%s/virtio-bpfd -c %s 2>&1", bed.bin,
			 bed_path("bad")), 1);
	CHECK(strstr(out, "is in no bpffs"));
	CHECK_EQ(bed_run(out, sizeof(out), "setpriv --bounding-set=-bpf %s/virtio-bpfd -c %s 2>&1",
			 bed.bin, bed_path("conf")), 1);
	CHECK(strstr(out, "CAP_BPF and CAP_NET_ADMIN are needed"));
	CHECK_EQ(bed_run(out, sizeof(out), "setpriv --bounding-set=-perfmon "
			 "%s/virtio-bpfd -c %s 2>&1", bed.bin, bed_path("conf")), 1);
	CHECK(strstr(out, "CAP_PERFMON until the normaliser is loaded"));
	CHECK(bed_start());
	CHECK_EQ(bed_run(out, sizeof(out), "grep -c '^Cap\\(Prm\\|Eff\\).*8000001000$' "
			 "/proc/%d/status", (int)bed.daemon), 0);
	CHECK_EQ(atoi(out), 2);
	CHECK_EQ(bed_run(out, sizeof(out), "grep -c '^Cap\\(Bnd\\|Amb\\|Inh\\).*000000$' "
			 "/proc/%d/status", (int)bed.daemon), 0);
	CHECK_EQ(atoi(out), 3);
	CHECK_EQ(bed_run(out, sizeof(out), "%s/virtio-bpfd -c %s 2>&1", bed.bin,
			 bed_path("conf")), 1);
	CHECK(strstr(out, "another daemon listens there"));
	return true;
}

/**
 * test_check() - a file is checked without a daemon
 *
 * Return: whether all that is wrong is told, and what is right is taken
 */
static bool test_check(void)
{
	char out[4096];

	CHECK(bed_write(bed_path("bad"), "[loader]\nlinger = x\n[port a]\n[port b]\ntap = t\n"));
	CHECK_EQ(bed_run(out, sizeof(out), "%s/vbpf check %s 2>&1", bed.bin, bed_path("bad")), 1);
	CHECK(strstr(out, "bad:2: linger takes a number"));
	CHECK(strstr(out, "bad:3: [port a] has no keys"));
	CHECK(strstr(out, "bad:5: port b lacks its tap, mac or uid"));
	CHECK_EQ(bed_run(out, sizeof(out), "%s/vbpf -j check %s", bed.bin, bed_path("bad")), 1);
	CHECK(strstr(out, "\"ok\":false") && strstr(out, "bad:2: linger"));
	CHECK_EQ(bed_run(out, sizeof(out), "%s/vbpf check %s", bed.bin, bed_path("conf")), 0);
	CHECK(strstr(out, "conf: ok, ports: 2"));
	CHECK_EQ(bed_run(out, sizeof(out), "%s/vbpf check /no/such 2>&1", bed.bin), 1);
	CHECK(strstr(out, "/no/such: No such file"));
	return true;
}

/**
 * test_hello() - who may speak for a port
 *
 * Return: whether the right one may, and only that
 */
static bool test_hello(void)
{
	struct vbpf_welcome welcome;
	struct reply reply;
	int sock, other, status;

	close(proxy_hello(0, "vm0", &status, &reply));
	CHECK_EQ(status, VIRTIO_BPF_S_PERM);
	CHECK(proxy_says(&reply, "user 0, group 0 may not speak"));
	close(proxy_hello(1000, "vm0", &status, &reply));
	CHECK_EQ(status, VIRTIO_BPF_S_PERM);
	close(proxy_hello(PROXY_UID, "vm9", &status, &reply));
	CHECK_EQ(status, VIRTIO_BPF_S_PERM);
	close(proxy_hello(PROXY_UID, "vm1", &status, &reply));
	CHECK_EQ(status, VIRTIO_BPF_S_PERM);
	sock = proxy_hello(PROXY_UID, "vm0", &status, &reply);
	CHECK_EQ(status, VIRTIO_BPF_S_OK);
	CHECK_EQ(reply.msg.body_len, sizeof(welcome));
	memcpy(&welcome, reply.msg.body, sizeof(welcome));
	CHECK_EQ(le32toh(welcome.config.magic), VIRTIO_BPF_MAGIC);
	CHECK_EQ(le16toh(welcome.config.version), VIRTIO_BPF_VERSION);
	CHECK_EQ(le16toh(welcome.config.classes), 2);
	CHECK_EQ(welcome.config.mac[5], 0x56);
	CHECK_EQ(le32toh(welcome.config.max_maps), 3);
	CHECK_EQ(le32toh(welcome.config.map_types), 6);
	CHECK_EQ(le32toh(welcome.map_cnt), 0);
	other = proxy_hello(PROXY_UID, "vm0", &status, &reply);
	CHECK_EQ(status, VIRTIO_BPF_S_BUSY);
	CHECK_EQ(proxy_recv(other, &reply), 0);
	close(other);
	close(sock);
	/* At once again: the daemon may not have seen the end of the last one. */
	sock = proxy_open();
	CHECK(sock >= 0);
	close(sock);
	return true;
}

/**
 * cut() - does a connection end after these bytes?
 * @hello: whether HELLO goes before them
 * @data: the bytes, one packet
 * @len: number of bytes
 *
 * Return: whether it does, without a word
 */
static bool cut(bool hello, const void *data, size_t len)
{
	int sock = hello ? proxy_open() : proxy_connect(PROXY_UID);
	struct reply reply;
	int ret = -1;

	if (sock >= 0 && send(sock, data, len, 0) == (ssize_t)len)
		ret = proxy_recv(sock, &reply);
	close(sock);
	return ret == 0 || ret == -ECONNRESET;
}

/**
 * test_rules() - a peer that breaks the rules is cut off
 *
 * Return: whether it is, each time, and others are not
 */
static bool test_rules(void)
{
	struct vbpf_msg_hdr good = {
		.magic = htole32(VBPF_MSG_MAGIC), .version = htole16(VBPF_MSG_VERSION),
		.type = htole16(VIRTIO_BPF_GET_INFO),
	}, hdr;
	struct vbpf_msg with_fd = { .type = VIRTIO_BPF_GET_INFO, .fd = 0 };
	static char big[VBPF_MSG_MAX + 1];
	struct reply reply;
	int sock;

	CHECK(cut(false, &good, sizeof(good)));
	CHECK(cut(true, &good, sizeof(good) - 1));
	CHECK(cut(true, "x", 1));
	hdr = good;
	hdr.magic++;
	CHECK(cut(true, &hdr, sizeof(hdr)));
	hdr = good;
	hdr.version++;
	CHECK(cut(true, &hdr, sizeof(hdr)));
	hdr = good;
	hdr.body_len = htole32(1);
	CHECK(cut(true, &hdr, sizeof(hdr)));
	hdr.body_len = htole32(UINT32_MAX);
	hdr.text_len = htole32(1);
	CHECK(cut(true, &hdr, sizeof(hdr)));
	hdr = good;
	hdr.status = htole32(1);
	CHECK(cut(true, &hdr, sizeof(hdr)));
	hdr = good;
	hdr.type = htole16(VBPF_MSG_HELLO);
	CHECK(cut(true, &hdr, sizeof(hdr)));
	memcpy(big, &good, sizeof(good));
	((struct vbpf_msg_hdr *)big)->body_len = htole32(sizeof(big) - sizeof(good));
	CHECK(cut(true, big, sizeof(big)));
	sock = proxy_open();
	CHECK(sock >= 0 && !vbpf_msg_send(sock, &with_fd));
	CHECK_EQ(proxy_recv(sock, &reply), 0);
	close(sock);
	return true;
}

/**
 * test_requests() - requests that are refused, on a connection that lives on
 *
 * Return: whether they are, with words
 */
static bool test_requests(void)
{
	struct reply reply;
	int sock = proxy_open();

	CHECK(sock >= 0);
	CHECK_EQ(proxy_call(sock, 99, NULL, 0, &reply), VIRTIO_BPF_S_UNSUPP);
	CHECK(proxy_says(&reply, "no request of type 99"));
	CHECK_EQ(proxy_call(sock, VIRTIO_BPF_MAP_LOOKUP, NULL, 0, &reply), VIRTIO_BPF_S_UNSUPP);
	CHECK_EQ(proxy_call(sock, VIRTIO_BPF_PROG_LOAD, "abc", 3, &reply), VIRTIO_BPF_S_INVAL);
	CHECK_EQ(reply.msg.body_len, sizeof(struct virtio_bpf_prog_loaded));
	CHECK(reply.msg.text_len > 0);
	CHECK_EQ(proxy_call(sock, VIRTIO_BPF_GET_INFO, "abc", 3, &reply), VIRTIO_BPF_S_INVAL);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, 1), VIRTIO_BPF_S_BADF);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_MAP_FREE, 0), VIRTIO_BPF_S_BADF);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, 1), VIRTIO_BPF_S_BADF);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_DETACH, 1), VIRTIO_BPF_S_BADF);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_DETACH, 0), VIRTIO_BPF_S_OK);
	CHECK(proxy_load(sock, 2, 12345, &reply) < 0);
	CHECK(reply.msg.text_len > 0);
	CHECK_EQ(proxy_info(sock).progs, 0);
	close(sock);
	return true;
}

/**
 * test_tap() - no program without a TAP
 *
 * Return: whether the tenant is told
 */
static bool test_tap(void)
{
	struct reply reply;
	char out[256];
	int sock = proxy_open();

	CHECK(sock >= 0);
	CHECK_EQ(proxy_load(sock, 2, 0, &reply), -VIRTIO_BPF_S_NODEV);
	CHECK(proxy_says(&reply, TAP ", is not there"));
	CHECK_EQ(bed_run(out, sizeof(out), "ip tuntap add " TAP " mode tun"), 0);
	CHECK_EQ(proxy_load(sock, 2, 0, &reply), -VIRTIO_BPF_S_NODEV);
	CHECK(proxy_says(&reply, "is no TAP"));
	CHECK_EQ(bed_run(out, sizeof(out), "ip link del " TAP), 0);
	CHECK_EQ(bed_run(out, sizeof(out), "ip tuntap add vbpf-x mode tap &&"
			 " ip link property add dev vbpf-x altname " TAP), 0);
	CHECK_EQ(proxy_load(sock, 2, 0, &reply), -VIRTIO_BPF_S_NODEV);
	CHECK(proxy_says(&reply, "is not the first name"));
	CHECK_EQ(bed_run(out, sizeof(out), "ip link del vbpf-x"), 0);
	CHECK(tap_open());
	close(sock);
	return true;
}

/**
 * test_attach() - attach, replace and detach decide over frames
 *
 * Return: whether they do, without a gap
 */
static bool test_attach(void)
{
	struct virtio_bpf_info info;
	struct reply reply;
	int64_t pass, drop, drop2;
	int sock = proxy_open();
	pid_t sender;

	CHECK(sock >= 0);
	CHECK_EQ(frames_pass(), 3);
	pass = proxy_load(sock, 2, 0, &reply);
	CHECK(pass > 0);
	CHECK(proxy_says(&reply, "accepted: form lite, level strict, 2 instructions"));
	drop = proxy_load(sock, 1, 0, &reply);
	drop2 = proxy_load(sock, 1, 0, &reply);
	CHECK(drop > pass && drop2 > drop);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, pass), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 3);
	info = proxy_info(sock);
	CHECK_EQ(le32toh(info.attached), pass);
	CHECK_EQ(le32toh(info.progs), 3);
	CHECK_EQ(le64toh(info.packets[VIRTIO_BPF_CNT_PASS]), 3);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_DROP]), 3);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, drop), VIRTIO_BPF_S_BUSY);
	sender = fork();
	if (!sender)
		_exit(!frame_send(20000));
	/* On a busy machine the sender may need a while to get its turn. */
	for (int i = 0; i < 50 || (i < 5000 &&
	     le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_DROP]) <= 10); i++) {
		CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop2), 0);
		CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), 0);
	}
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	CHECK_EQ(frame_count(), 0);
	CHECK(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_DROP]) > 10);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_DETACH, pass), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_DETACH, drop), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 3);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_DETACH, drop), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, drop), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, drop), VIRTIO_BPF_S_BADF);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_info(sock).progs, 0);
	CHECK(access(bed_path("bpf/ports/vm0"), F_OK));
	close(sock);
	return true;
}

/**
 * test_verifier() - what the host's verifier refuses
 *
 * Return: whether the tenant sees its log and the instruction of its own
 */
static bool test_verifier(void)
{
	struct virtio_bpf_insn insns[] = {
		{ .code = 0x18, .regs = 0x11 },				/* r1 = map */
		{ 0 },
		{ .code = 0x62, .regs = 0x0a, .off = htole16(0xfffc) },	/* key = 0 */
		{ .code = 0xbf, .regs = 0xa2 },				/* r2 = r10 */
		{ .code = 0x07, .regs = 0x02, .imm = htole32(0xfffffffc) }, /* r2 -= 4 */
		{ .code = 0x85, .imm = htole32(1) },			/* map_lookup_elem */
		{ .code = 0x79, .regs = 0x00 },				/* r0 = *r0 */
		{ .code = 0x95 },					/* exit */
	};
	struct reply reply;
	int sock = proxy_open();

	CHECK(sock >= 0);
	insns[0].imm = htole32((uint32_t)proxy_map(sock, 10, &reply));
	close(reply.msg.fd);
	CHECK_EQ(proxy_load_insns(sock, insns, 8, &reply), -VIRTIO_BPF_S_ACCES);
	CHECK(proxy_says(&reply, "map_value_or_null"));
	CHECK(proxy_says(&reply, "stems from your instruction 6"));
	CHECK_EQ(proxy_info(sock).progs, 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_limits() - what the operator's limits refuse
 *
 * Return: whether they do, with the figure allowed
 */
static bool test_limits(void)
{
	struct reply reply;
	int64_t maps[3], prog;
	int sock = proxy_open();

	CHECK(sock >= 0);
	CHECK_EQ(proxy_map(sock, 1001, &reply), -VIRTIO_BPF_S_TOOBIG);
	CHECK(proxy_says(&reply, "entries 1001 is over this port's limit of 1000"));
	for (int i = 0; i < 3; i++) {
		maps[i] = proxy_map(sock, 100, &reply);
		CHECK(maps[i] > 0);
		close(reply.msg.fd);
	}
	CHECK_EQ(proxy_map(sock, 100, &reply), -VIRTIO_BPF_S_NOSPC);
	CHECK(proxy_says(&reply, "limit of 3 maps"));
	prog = proxy_load(sock, 2, (uint32_t)maps[0], &reply);
	CHECK(prog > 0);
	/* Freed, but the program has it: the host still pays for it. */
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_MAP_FREE, maps[0]), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_MAP_FREE, maps[0]), VIRTIO_BPF_S_BADF);
	CHECK_EQ(le32toh(proxy_info(sock).maps), 2);
	CHECK_EQ(proxy_map(sock, 100, &reply), -VIRTIO_BPF_S_NOSPC);
	CHECK(proxy_load(sock, 2, (uint32_t)maps[0], &reply) < 0);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 3);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_DETACH, 0), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, prog), VIRTIO_BPF_S_OK);
	CHECK(proxy_map(sock, 100, &reply) > maps[2]);
	close(reply.msg.fd);
	for (int i = 0; i < 4; i++)
		CHECK(proxy_load(sock, 2, 0, &reply) > 0);
	CHECK_EQ(proxy_load(sock, 2, 0, &reply), -VIRTIO_BPF_S_NOSPC);
	CHECK(proxy_says(&reply, "limit of 4 programs"));
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_map(sock, 1000, &reply), -VIRTIO_BPF_S_NOSPC);
	CHECK(proxy_says(&reply, "65536 bytes together"));
	close(sock);
	return true;
}

/**
 * test_map_fd() - a map's fd works without any privilege
 *
 * Return: whether it does
 */
static bool test_map_fd(void)
{
	struct reply reply;
	int sock = proxy_open(), status = -1;
	pid_t child;

	CHECK(sock >= 0);
	CHECK(proxy_map(sock, 10, &reply) > 0);
	child = fork();
	if (!child) {
		uint64_t value = 77, got = 0;
		uint32_t key = 5;

		if (setgid(PROXY_UID) || setuid(PROXY_UID))
			_exit(2);
		_exit(bpf_map_update_elem(reply.msg.fd, &key, &value, BPF_ANY) ||
		      bpf_map_lookup_elem(reply.msg.fd, &key, &got) || got != value);
	}
	waitpid(child, &status, 0);
	CHECK_EQ(status, 0);
	close(reply.msg.fd);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_restart() - the daemon ends and starts: nothing is lost
 *
 * Return: whether frames are decided all the while, and all objects come back
 */
static bool test_restart(void)
{
	uint32_t key = 5;
	uint64_t value = 77;
	struct vbpf_welcome welcome;
	struct vbpf_map map;
	struct reply reply;
	int64_t handle, gone, drop, other;
	int status, sock = proxy_open();
	char out[1024];

	CHECK(sock >= 0);
	gone = proxy_map(sock, 10, &reply);
	close(reply.msg.fd);
	handle = proxy_map(sock, 10, &reply);
	CHECK(handle > 0 && !bpf_map_update_elem(reply.msg.fd, &key, &value, BPF_ANY));
	close(reply.msg.fd);
	drop = proxy_load(sock, 1, (uint32_t)gone, &reply);
	other = proxy_load(sock, 2, 0, &reply);
	CHECK(drop > 0 && other > 0);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_MAP_FREE, gone), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), VIRTIO_BPF_S_OK);
	CHECK_EQ(bed_stop(), 0);
	CHECK_EQ(proxy_recv(sock, &reply), 0);
	close(sock);
	CHECK_EQ(frames_pass(), 0);
	/* One that could not open all of it does not start, and removes nothing. */
	CHECK_EQ(bed_run(out, sizeof(out), "prlimit --nofile=260:260 %s/virtio-bpfd -c %s 2>&1",
			 bed.bin, bed_path("conf")), 1);
	CHECK(strstr(out, "may open no more than 260 files"));
	CHECK(bed_start());
	CHECK_EQ(frames_pass(), 0);
	sock = proxy_hello(PROXY_UID, "vm0", &status, &reply);
	CHECK_EQ(status, VIRTIO_BPF_S_OK);
	memcpy(&welcome, reply.msg.body, sizeof(welcome));
	CHECK_EQ(le32toh(welcome.map_cnt), 1);
	CHECK_EQ(proxy_recv(sock, &reply), 1);
	CHECK_EQ(reply.msg.type, VBPF_MSG_MAP);
	memcpy(&map, reply.msg.body, sizeof(map));
	CHECK_EQ(le32toh(map.handle), handle);
	CHECK_EQ(le32toh(map.max_entries), 10);
	value = 0;
	CHECK(!bpf_map_lookup_elem(reply.msg.fd, &key, &value));
	CHECK_EQ(value, 77);
	close(reply.msg.fd);
	CHECK_EQ(le32toh(proxy_info(sock).attached), drop);
	CHECK_EQ(le64toh(proxy_info(sock).packets[VIRTIO_BPF_CNT_DROP]), 6);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, other), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 3);
	CHECK(proxy_map(sock, 10, &reply) > other);
	close(reply.msg.fd);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), VIRTIO_BPF_S_OK);
	/* A TAP of the same name: the guest hears of it, and can attach again. */
	close(bed.tap);
	CHECK_EQ(proxy_event(sock, VIRTIO_BPF_EVENT_DETACHED), drop);
	CHECK(tap_open());
	CHECK_EQ(frames_pass(), 3);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 3);
	close(sock);
	return true;
}

/**
 * test_half() - the daemon died while it wrote
 *
 * Return: whether what is whole comes back, and the rest goes
 */
static bool test_half(void)
{
	struct reply reply;
	int64_t drop, other;
	int sock = proxy_open();
	char out[256];

	CHECK(sock >= 0);
	drop = proxy_load(sock, 1, 0, &reply);
	other = proxy_load(sock, 2, 0, &reply);
	CHECK(drop > 0 && other > 0);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), VIRTIO_BPF_S_OK);
	CHECK_EQ(bed_stop(), 0);
	close(sock);
	CHECK_EQ(bed_run(out, sizeof(out), "rm %s/src-%lld", bed_path("bpf/ports/vm0"),
			 (long long)drop), 0);
	CHECK(bed_start());
	CHECK_EQ(frames_pass(), 3);
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK_EQ(proxy_event(sock, VIRTIO_BPF_EVENT_DETACHED), 0);
	CHECK_EQ(le32toh(proxy_info(sock).progs), 1);
	CHECK_EQ(le32toh(proxy_info(sock).attached), 0);
	CHECK_EQ(bed_run(out, sizeof(out), "ls %s", bed_path("bpf/ports/vm0")), 0);
	CHECK(!strstr(out, "link") && !strstr(out, "norm\n"));
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, other), VIRTIO_BPF_S_OK);
	CHECK_EQ(bed_stop(), 0);
	close(sock);
	/* A normaliser without the program that it was for. */
	CHECK_EQ(bed_run(out, sizeof(out), "rm %s/link", bed_path("bpf/ports/vm0")), 0);
	CHECK(bed_start());
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, other), VIRTIO_BPF_S_OK);
	/* The attached program was translated anew, but not yet replaced. */
	drop = proxy_load(sock, 1, 0, &reply);
	CHECK_EQ(bed_stop(), 0);
	close(sock);
	CHECK_EQ(bed_run(out, sizeof(out), "cd %s && ln prog-%lld new && mv new prog-%lld",
			 bed_path("bpf/ports/vm0"), (long long)drop, (long long)other), 0);
	CHECK(bed_start());
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK_EQ(proxy_event(sock, VIRTIO_BPF_EVENT_DETACHED), 0);
	CHECK_EQ(le32toh(proxy_info(sock).attached), 0);
	CHECK_EQ(le32toh(proxy_info(sock).progs), 2);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_untold() - a program is detached while there is no proxy
 *
 * Return: whether the next proxy hears of it, once
 */
static bool test_untold(void)
{
	struct virtio_bpf_event event;
	struct reply reply;
	char out[256];
	int64_t drop;
	int sock = proxy_open();

	drop = proxy_drop(sock);
	CHECK(drop > 0);
	close(sock);
	CHECK_EQ(bed_run(out, sizeof(out), "%s/vbpf -c %s detach vm0", bed.bin,
			 bed_path("control")), 0);
	sock = proxy_open();
	CHECK_EQ(proxy_recv(sock, &reply), 1);
	CHECK_EQ(reply.msg.type, VBPF_MSG_EVENT);
	memcpy(&event, reply.msg.body, sizeof(event));
	CHECK_EQ(le32toh(event.type), VIRTIO_BPF_EVENT_DETACHED);
	CHECK_EQ(le32toh(event.handle), drop);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, drop), VIRTIO_BPF_S_OK);
	/* The TAP takes another name while the daemon is away. */
	CHECK_EQ(bed_stop(), 0);
	close(sock);
	CHECK_EQ(bed_run(out, sizeof(out), "ip link set " TAP " down && ip link set " TAP
			 " name vbpf-x"), 0);
	CHECK(bed_start());
	sock = proxy_open();
	CHECK_EQ(proxy_recv(sock, &reply), 1);
	CHECK_EQ(reply.msg.type, VBPF_MSG_EVENT);
	CHECK_EQ(bed_run(out, sizeof(out), "ip link set vbpf-x name " TAP " && ip link set " TAP
			 " up"), 0);
	close(sock);
	sock = proxy_open();
	CHECK_EQ(le32toh(proxy_info(sock).attached), 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_flood() - somebody connects and connects
 *
 * Return: whether the log stays short
 */
static bool test_flood(void)
{
	char out[64];
	int before;

	CHECK_EQ(bed_run(out, sizeof(out), "grep -c 'was cut' %s", bed_path("log")), 0);
	before = atoi(out);
	for (int i = 0; i < 150; i++)
		CHECK(cut(false, "x", 1));
	CHECK_EQ(bed_run(out, sizeof(out), "grep -c 'was cut' %s", bed_path("log")), 0);
	CHECK(atoi(out) - before <= 100);
	return true;
}

/**
 * try_connect() - connect to the daemon's socket if there is room in its queue
 *
 * Return: the socket, which does not block, or -1
 */
static int try_connect(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	strncpy(addr.sun_path, bed_path("socket"), sizeof(addr.sun_path) - 1);
	if (!connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		return sock;
	close(sock);
	return -1;
}

/**
 * test_crowd() - a stranger keeps the queue in front of the socket full
 *
 * Return: whether a proxy that tries ten times a second, as ours does, gets in
 *         all the same, and its port waits for it
 */
static bool test_crowd(void)
{
	struct vbpf_hello hello = { .port = "vm0" };
	int sock = proxy_open(), tries, status;
	struct reply reply;
	int64_t drop;
	pid_t child;

	drop = proxy_drop(sock);
	CHECK(drop > 0);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(sock);
		while (!setuid(PROXY_UID - 1))
			close(try_connect());
	}
	close(sock);
	usleep(2500000);
	CHECK_EQ(frames_pass(), 0);
	sock = -1;
	for (tries = 0; tries < 100 && sock < 0; tries++) {
		CHECK(!seteuid(PROXY_UID));
		sock = try_connect();
		CHECK(!seteuid(0));
		usleep(100000);
	}
	printf("# a proxy got in at its try %d\n", tries);
	status = sock < 0 ? -1 : proxy_call(sock, VBPF_MSG_HELLO, &hello, sizeof(hello), &reply);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	CHECK_EQ(status, VIRTIO_BPF_S_OK);
	CHECK_EQ(le32toh(proxy_info(sock).attached), drop);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_operator() - what the operator sees and can do
 *
 * Return: whether it is right, and the guest is told
 */
static bool test_operator(void)
{
	struct virtio_bpf_event event;
	struct reply reply;
	char out[8192];
	int64_t drop;
	int sock = proxy_open();

	drop = proxy_drop(sock);
	CHECK(drop > 0);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(bed_run(out, sizeof(out), "%s/vbpf -c %s list", bed.bin, bed_path("control")), 0);
	CHECK(strstr(out, "vm0") && strstr(out, TAP) && strstr(out, "test ("));
	CHECK_EQ(bed_run(out, sizeof(out), "%s/vbpf -c %s show vm0", bed.bin,
			 bed_path("control")), 0);
	CHECK(strstr(out, "lite") && strstr(out, "strict") && strstr(out, "1 of 4 programs"));
	CHECK_EQ(bed_run(out, sizeof(out), "%s/vbpf -c %s --json stats vm0", bed.bin,
			 bed_path("control")), 0);
	CHECK(strstr(out, "\"drop\":3") && strstr(out, "\"failed\":0"));
	CHECK_EQ(bed_run(out, sizeof(out), "%s/vbpf -c %s show vm9 2>&1", bed.bin,
			 bed_path("control")), 1);
	CHECK(strstr(out, "no port \"vm9\""));
	CHECK_EQ(bed_run(out, sizeof(out), "%s/vbpf -c %s attach 2>&1", bed.bin,
			 bed_path("control")), 2);
	CHECK_EQ(bed_run(out, sizeof(out), "setpriv --reuid=%d --clear-groups /proc/self/fd/9 "
			 "-c %s list 9<%s/vbpf 2>&1", PROXY_UID, bed_path("control"), bed.bin), 1);
	CHECK(strstr(out, "Permission denied") && !strstr(out, "setpriv"));
	CHECK_EQ(bed_run(out, sizeof(out), "%s/vbpf -c %s detach vm0", bed.bin,
			 bed_path("control")), 0);
	CHECK(strstr(out, "detached"));
	CHECK_EQ(frames_pass(), 3);
	CHECK_EQ(proxy_recv(sock, &reply), 1);
	CHECK_EQ(reply.msg.type, VBPF_MSG_EVENT);
	CHECK_EQ(reply.msg.id, 0);
	CHECK_EQ(reply.msg.body_len, sizeof(event));
	memcpy(&event, reply.msg.body, sizeof(event));
	CHECK_EQ(le32toh(event.type), VIRTIO_BPF_EVENT_DETACHED);
	CHECK_EQ(le32toh(event.handle), drop);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, drop), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_linger() - a port without a proxy keeps its objects, then frees them
 *
 * Return: whether it does, also after a restart
 */
static bool test_linger(void)
{
	int64_t drop;
	int sock = proxy_open();

	drop = proxy_drop(sock);
	CHECK(drop > 0);
	close(sock);
	usleep(300000);
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK_EQ(le32toh(proxy_info(sock).attached), drop);
	usleep(1200000);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(bed_stop(), 0);
	close(sock);
	CHECK(bed_start());
	CHECK_EQ(frames_pass(), 0);
	CHECK(!access(bed_path("bpf/ports/vm0"), F_OK));
	usleep(1300000);
	CHECK_EQ(frames_pass(), 3);
	CHECK(access(bed_path("bpf/ports/vm0"), F_OK));
	return true;
}

/**
 * test_other_owner() - what one tenant left is not handed to the next
 *
 * Return: whether it is removed when the port's MAC has changed
 */
static bool test_other_owner(void)
{
	char out[256];
	int64_t drop;
	int sock = proxy_open();

	drop = proxy_drop(sock);
	CHECK(drop > 0);
	CHECK_EQ(bed_stop(), 0);
	close(sock);
	CHECK_EQ(bed_run(out, sizeof(out), "sed -i s/:56$/:57/ %s", bed_path("conf")), 0);
	CHECK(bed_start());
	CHECK_EQ(frames_pass(), 3);
	sock = proxy_open();
	CHECK(sock >= 0);
	CHECK_EQ(proxy_info(sock).progs, 0);
	close(sock);
	CHECK_EQ(bed_stop(), 0);
	CHECK(!access(bed_path("bpf/ports"), F_OK) && rmdir(bed_path("bpf/ports")) == 0);
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
		{ "start checks and privileges", test_start },
		{ "a configuration is checked without a daemon", test_check },
		{ "who may speak for a port", test_hello },
		{ "a peer that breaks the rules is cut off", test_rules },
		{ "requests that are refused", test_requests },
		{ "no program without a TAP", test_tap },
		{ "attach, replace and detach decide over frames", test_attach },
		{ "what the host's verifier refuses", test_verifier },
		{ "limits", test_limits },
		{ "a map's fd works without privileges", test_map_fd },
		{ "a restart loses nothing", test_restart },
		{ "what is written by half is cleared away", test_half },
		{ "a guest hears of a detachment later", test_untold },
		{ "a flood of connections does not flood the log", test_flood },
		{ "a flood of connections keeps no proxy out", test_crowd },
		{ "the operator's view", test_operator },
		{ "a port without a proxy lingers, then is released", test_linger },
		{ "nothing is handed to another owner", test_other_owner },
	};

	return bed_main(cases, sizeof(cases) / sizeof(*cases));
}
