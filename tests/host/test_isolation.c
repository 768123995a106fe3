// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A hostile proxy, and programs that are made to hurt
 *
 * Each case is an attack by the proxy of vm0, which is what a guest can reach if
 * its proxy is lost. It must get nothing of vm1's, and vm1 must be served
 * meanwhile. In a bed as test_loader.c has it.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "../ktap.h"
#include "bed.h"
#include "proxy.h"

#define SLOW_MS 1000	/* an answer that takes as long has been in a bomb's way */

/**
 * test_start() - the bed's parts that all cases need
 *
 * Return: whether they are there
 */
static bool test_start(void)
{
	char out[256];

	CHECK(bed_conf("max_load_time = 1\nload_rate = 1000\nload_burst = 60000\n"
		       "request_rate = 1000000\nrequest_burst = 1000000\nmax_insns = 16384\n", ""));
	CHECK(tap_open());
	CHECK_EQ(bed_run(out, sizeof(out), "ip tuntap add " TAP1 " mode tap 2>&1"), 0);
	CHECK(bed_start());
	return true;
}

/**
 * daemon_fds() - how many fds does the daemon have open?
 *
 * Return: their number
 */
static int daemon_fds(void)
{
	char path[64];
	int cnt = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)bed.daemon);
	dir = opendir(path);
	if (!dir)
		return 0;
	while (readdir(dir))
		cnt++;
	closedir(dir);
	return cnt;
}

/**
 * worker_pid() - the daemon's worker
 *
 * Return: its process id, or 0 if there is none
 */
static pid_t worker_pid(void)
{
	char out[64];

	return bed_run(out, sizeof(out), "pgrep -P %d", (int)bed.daemon) ? 0 : atoi(out);
}

/**
 * worker_gone() - does the daemon's worker end?
 *
 * Return: whether there is none within two seconds
 */
static bool worker_gone(void)
{
	for (int i = 0; i < 100; i++) {
		if (!worker_pid())
			return true;
		usleep(20000);
	}
	return false;
}

/**
 * others_served() - is the other port served?
 * @sock: connection of vm1's proxy
 * @worst: raised to the longest time that an answer took, in milliseconds
 *
 * Return: whether it can load, attach nothing, and free
 */
static bool others_served(int sock, int64_t *worst)
{
	struct reply reply;
	int64_t start = now_ms(), handle = proxy_load(sock, 2, 0, &reply);

	if (handle <= 0 || proxy_handle(sock, VIRTIO_BPF_PROG_FREE, handle))
		return false;
	if (now_ms() - start > *worst)
		*worst = now_ms() - start;
	return true;
}

/**
 * test_other_port() - handles, maps and limits of another port
 *
 * Return: whether none can be named, seen or counted
 */
static bool test_other_port(void)
{
	struct reply reply;
	int64_t maps[4], prog;
	int sock = proxy_open(), other = proxy_open1();

	CHECK(sock >= 0 && other >= 0);
	for (int i = 0; i < 4; i++) {
		maps[i] = proxy_map(other, 10, &reply);
		CHECK(maps[i] > 0);
		close(reply.msg.fd);
	}
	prog = proxy_load(other, 1, (uint32_t)maps[3], &reply);
	CHECK(prog > 0);
	CHECK_EQ(proxy_info(sock).progs, 0);
	CHECK_EQ(proxy_info(sock).maps, 0);
	for (uint32_t handle = 0; handle < 32; handle++) {
		CHECK(proxy_load(sock, 2, handle ?: UINT32_MAX, &reply) < 0);
		CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, handle), VIRTIO_BPF_S_BADF);
		CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, handle), VIRTIO_BPF_S_BADF);
		CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_MAP_FREE, handle), VIRTIO_BPF_S_BADF);
	}
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_DETACH, prog), VIRTIO_BPF_S_BADF);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	CHECK_EQ(le32toh(proxy_info(other).progs), 1);
	CHECK_EQ(le32toh(proxy_info(other).maps), 4);
	CHECK_EQ(proxy_handle(other, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 3);
	CHECK_EQ(proxy_call(other, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	close(other);
	return true;
}

/**
 * test_own_handles() - the rewriter's own handles, in a tenant's program
 *
 * Return: whether none is taken, whatever stands in its place
 */
static bool test_own_handles(void)
{
	static const uint32_t handles[] = { UINT32_MAX, UINT32_MAX - 1, UINT32_MAX - 2,
					    1u << 31, 3, 0 };
	struct reply reply;
	int sock = proxy_open();

	CHECK(sock >= 0);
	for (size_t i = 0; i < sizeof(handles) / sizeof(*handles); i++) {
		const struct virtio_bpf_insn insns[] = {
			{ .code = 0x18, .regs = 0x11, .imm = htole32(handles[i]) },
			{ 0 },
			{ .code = 0xb7, .imm = htole32(2) },
			{ .code = 0x95 },
		};

		CHECK(proxy_load_insns(sock, insns, 4, &reply) < 0);
		CHECK(reply.msg.text_len > 0);
	}
	close(sock);
	return true;
}

/**
 * test_files() - pins and sockets, seen from the proxies' users
 *
 * Return: whether none can be opened, and a port's folder not even listed
 */
static bool test_files(void)
{
	struct reply reply;
	char out[1024];
	int sock = proxy_open();

	CHECK(sock >= 0);
	CHECK(proxy_map(sock, 10, &reply) > 0);
	close(reply.msg.fd);
	for (int i = 0; i < 2; i++) {
		int uid = i ? PROXY1_UID : PROXY_UID;

		CHECK(bed_run(out, sizeof(out), "setpriv --reuid=%d --clear-groups ls %s 2>&1", uid,
			      bed_path("bpf/ports")));
		CHECK(strstr(out, "Permission denied"));
		CHECK(bed_run(out, sizeof(out),
			      "setpriv --reuid=%d --clear-groups ls %s/map-1 2>&1", uid,
			      bed_path("bpf/ports/vm0")));
		CHECK(bed_run(out, sizeof(out),
			      "setpriv --reuid=%d --clear-groups /proc/self/fd/9 -c %s detach vm1 "
			      "9<%s/vbpf 2>&1", uid, bed_path("control"), bed.bin));
		CHECK(strstr(out, "Permission denied") && !strstr(out, "setpriv"));
	}
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_freed() - handles that were freed, and objects in use
 *
 * Return: whether no handle works twice, and what is attached stays
 */
static bool test_freed(void)
{
	struct reply reply;
	int64_t map, prog, next;
	int sock = proxy_open();

	CHECK(sock >= 0);
	map = proxy_map(sock, 10, &reply);
	CHECK(map > 0);
	close(reply.msg.fd);
	prog = proxy_load(sock, 1, (uint32_t)map, &reply);
	CHECK(prog > 0);
	/* A map's handle is no program's, nor the other way round. */
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, map), VIRTIO_BPF_S_BADF);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, map), VIRTIO_BPF_S_BADF);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_MAP_FREE, prog), VIRTIO_BPF_S_BADF);
	CHECK(proxy_load(sock, 1, (uint32_t)prog, &reply) < 0);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, prog), VIRTIO_BPF_S_BUSY);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_MAP_FREE, map), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_MAP_FREE, map), VIRTIO_BPF_S_BADF);
	CHECK(proxy_load(sock, 1, (uint32_t)map, &reply) < 0);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_DETACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_BADF);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, prog), VIRTIO_BPF_S_BADF);
	next = proxy_map(sock, 10, &reply);
	CHECK(next > prog && next > map);
	close(reply.msg.fd);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_race() - a map is freed while its fd is used
 *
 * Return: whether the daemon goes on, and no fd is left in it
 */
static bool test_race(void)
{
	struct reply reply;
	int sock = proxy_open(), fds, status;
	int64_t map, prog;
	pid_t child;

	CHECK(sock >= 0);
	fds = daemon_fds();
	for (int i = 0; i < 50; i++) {
		map = proxy_map(sock, 100, &reply);
		CHECK(map > 0);
		child = fork();
		if (!child) {
			for (uint32_t key = 0; key < 20000; key++) {
				uint32_t k = key % 200;
				uint64_t value = key;

				bpf_map_update_elem(reply.msg.fd, &k, &value, BPF_ANY);
				bpf_map_lookup_elem(reply.msg.fd, &k, &value);
				bpf_map_delete_elem(reply.msg.fd, &k);
			}
			_exit(0);
		}
		prog = proxy_load(sock, 2, (uint32_t)map, &reply);
		CHECK(prog > 0);
		CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_MAP_FREE, map), VIRTIO_BPF_S_OK);
		CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_PROG_FREE, prog), VIRTIO_BPF_S_OK);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		for (int fd = 3; fd < 64; fd++)
			if (fd != sock && fd != bed.tap)
				close(fd);
	}
	CHECK_EQ(le32toh(proxy_info(sock).maps), 0);
	/* The port's record comes with its first object. */
	CHECK(daemon_fds() <= fds + 1);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_unread() - a proxy sends requests and does not read its answers
 *
 * Return: whether it is cut off, its port is kept, and others are served
 */
static bool test_unread(void)
{
	const struct vbpf_msg msg = { .type = VIRTIO_BPF_GET_INFO, .id = 7, .fd = -1 };
	int sock = proxy_open(), other = proxy_open1();
	int before = bed_logged("vm0: .*it does not read what it is sent"), err = 0;
	int64_t drop, worst = 0;
	struct reply reply;
	long sent = 0;

	CHECK(sock >= 0 && other >= 0);
	drop = proxy_drop(sock);
	CHECK(drop > 0);
	fcntl(sock, F_SETFL, O_NONBLOCK);
	for (int64_t end = now_ms() + 10000; now_ms() < end; sent++) {
		err = vbpf_msg_send(sock, &msg);
		if (err == -EAGAIN)
			usleep(1000);
		else if (err)
			break;
		if (sent % 1000 == 0)
			CHECK(others_served(other, &worst));
	}
	CHECK(err == -EPIPE || err == -ECONNRESET);
	CHECK(bed_logged("vm0: .*it does not read what it is sent") > before);
	close(sock);
	printf("# cut off after %ld requests; the other port waited %lld ms at most\n", sent,
	       (long long)worst);
	CHECK(worst < SLOW_MS);
	sock = proxy_open();
	CHECK_EQ(le32toh(proxy_info(sock).attached), drop);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	close(other);
	return true;
}

/**
 * send_fds() - send a message with fds
 * @sock: connection
 * @cnt: number of fds, at most 64
 *
 * Return: whether it was sent
 */
static bool send_fds(int sock, int cnt)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(64 * sizeof(int))];
	} control = { 0 };
	struct vbpf_msg_hdr hdr = {
		.magic = htole32(VBPF_MSG_MAGIC), .version = htole16(VBPF_MSG_VERSION),
		.type = htole16(VIRTIO_BPF_GET_INFO),
	};
	struct iovec iov = { &hdr, sizeof(hdr) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			      .msg_controllen = CMSG_SPACE((size_t)cnt * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int fds[64] = { 0 };

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN((size_t)cnt * sizeof(int));
	memcpy(CMSG_DATA(c), fds, (size_t)cnt * sizeof(int));
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == sizeof(hdr);
}

/**
 * test_uninvited() - fds that nobody asked for, before HELLO and after it
 *
 * Return: whether their sender is cut off and none stays in the daemon
 */
static bool test_uninvited(void)
{
	static const int cnts[] = { 1, 2, 64 };
	struct reply reply;
	int fds, sock, ret;

	sock = proxy_open();
	CHECK(sock >= 0);
	close(sock);
	fds = daemon_fds();
	for (int i = 0; i < 6; i++) {
		sock = i < 3 ? proxy_open() : proxy_connect(PROXY_UID);
		CHECK(sock >= 0 && send_fds(sock, cnts[i % 3]));
		ret = proxy_recv(sock, &reply);
		CHECK(ret == 0 || ret == -ECONNRESET);
		close(sock);
	}
	sock = proxy_open();
	CHECK_EQ(proxy_info(sock).progs, 0);
	close(sock);
	CHECK(daemon_fds() <= fds + 1);
	return true;
}

/**
 * test_garbage() - a flood of messages that are none, from the port's own user
 *
 * Return: whether each is cut off, objects are kept, and others are served
 */
static bool test_garbage(void)
{
	int sock = proxy_open(), other = proxy_open1();
	int64_t drop, worst = 0;
	struct reply reply;

	CHECK(sock >= 0 && other >= 0);
	drop = proxy_drop(sock);
	CHECK(drop > 0);
	close(sock);
	srand(1);
	for (int i = 0; i < 200; i++) {
		struct vbpf_msg_hdr hdr = {
			.magic = htole32(VBPF_MSG_MAGIC), .version = htole16(VBPF_MSG_VERSION),
			.type = htole16(VIRTIO_BPF_PROG_LOAD), .body_len = htole32(40),
		};
		char data[64];
		size_t len = 1 + (size_t)rand() % sizeof(data);

		memcpy(data, &hdr, sizeof(hdr));
		/* One byte of the header is wrong, or the length is not its own. */
		data[rand() % 8] ^= (char)(1 + rand() % 255);
		sock = proxy_open();
		CHECK(sock >= 0);
		send(sock, data, len, MSG_NOSIGNAL);
		if (i % 20 == 0)
			CHECK(others_served(other, &worst));
		close(sock);
	}
	CHECK(worst < SLOW_MS);
	sock = proxy_open();
	CHECK_EQ(le32toh(proxy_info(sock).attached), drop);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	close(other);
	return true;
}

/**
 * test_bomb() - a program that takes the verifier many seconds
 *
 * Return: whether it is given up in words, the other port is served meanwhile,
 *         and the port's next request waits for it
 */
static bool test_bomb(void)
{
	const struct vbpf_msg next = { .type = VIRTIO_BPF_GET_INFO, .id = 2, .fd = -1 };
	static struct virtio_bpf_insn bomb[PROXY_BOMB];
	int sock = proxy_open(), other = proxy_open1();
	int64_t start = now_ms(), worst = 0;
	struct reply reply;
	int served = 0;

	CHECK(sock >= 0 && other >= 0);
	proxy_bomb(bomb);
	CHECK(!proxy_load_send(sock, 1, "test", bomb, PROXY_BOMB) && !vbpf_msg_send(sock, &next));
	while (now_ms() - start < 800) {
		CHECK(others_served(other, &worst));
		served++;
	}
	CHECK_EQ(proxy_load_reply(sock, 1, &reply), -VIRTIO_BPF_S_TOOBIG);
	printf("# given up after %lld ms; the other port loaded %d programs, %lld ms at most\n",
	       (long long)(now_ms() - start), served, (long long)worst);
	/* 1 second of CPU time; on a busy machine 4 by the clock pass first. */
	CHECK(proxy_says(&reply, "to check it took more than"));
	CHECK(worst < SLOW_MS && now_ms() - start < 8000);
	CHECK_EQ(proxy_recv(sock, &reply), 1);
	CHECK_EQ(reply.msg.id, 2);
	CHECK_EQ(proxy_info(sock).progs, 0);
	CHECK(worker_gone());
	close(sock);
	close(other);
	return true;
}

/**
 * test_worker() - what a worker can reach while it works
 *
 * Return: whether it has no files and few rights, and its death is one program's
 */
static bool test_worker(void)
{
	static struct virtio_bpf_insn bomb[PROXY_BOMB];
	struct reply reply;
	char out[4096];
	int sock = proxy_open();
	pid_t pid = 0;

	CHECK(sock >= 0);
	CHECK(proxy_map(sock, 10, &reply) > 0);
	close(reply.msg.fd);
	proxy_bomb(bomb);
	CHECK(!proxy_load_send(sock, 1, "test", bomb, PROXY_BOMB));
	for (int i = 0; i < 50 && !pid; i++)
		pid = worker_pid();
	CHECK(pid > 0);
	usleep(200000);
	CHECK_EQ(bed_run(out, sizeof(out), "grep -E '^(CapEff|CapBnd|Seccomp|NoNewPrivs):' "
			 "/proc/%d/status | tr -d '\\n'", (int)pid), 0);
	printf("# worker: %s\n", out);
	CHECK(strstr(out, "CapEff:\t0000008000001000") && strstr(out, "NoNewPrivs:\t1"));
#ifndef __SANITIZE_ADDRESS__
	CHECK(strstr(out, "Seccomp:\t2"));
	CHECK_EQ(bed_run(out, sizeof(out), "grep -c 'Max address space *unlimited' /proc/%d/limits",
			 (int)pid), 1);
#endif
	CHECK_EQ(bed_run(out, sizeof(out), "find /proc/%d/fd -lname 'socket:*' | wc -l", (int)pid),
		 0);
	CHECK_EQ(atoi(out), 1);
	CHECK_EQ(bed_run(out, sizeof(out), "ls /proc/%d/fd | wc -l", (int)pid), 0);
	CHECK_EQ(atoi(out), 3 + 1 + 2);
	CHECK_EQ(bed_run(out, sizeof(out), "find /proc/%d/fd -lname '*bpf-map*' | wc -l", (int)pid),
		 0);
	CHECK_EQ(atoi(out), 2);
	kill(pid, SIGKILL);
	CHECK_EQ(proxy_load_reply(sock, 1, &reply), -VIRTIO_BPF_S_IO);
	CHECK(proxy_says(&reply, "the host's worker died"));
	CHECK(bed_logged("died over a program: signal 9"));
	CHECK(proxy_load(sock, 2, 0, &reply) > 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_hangup() - a proxy that goes as soon as it has sent a bomb, and again
 *
 * Return: whether its workers go as well
 */
static bool test_hangup(void)
{
	static struct virtio_bpf_insn bomb[PROXY_BOMB];
	int other = proxy_open1(), sock;
	int64_t worst = 0;

	CHECK(other >= 0);
	proxy_bomb(bomb);
	for (int i = 0; i < 10; i++) {
		sock = proxy_open();
		CHECK(sock >= 0);
		CHECK(!proxy_load_send(sock, 1, "test", bomb, PROXY_BOMB));
		usleep(20000);
		close(sock);
		CHECK(others_served(other, &worst));
	}
	CHECK(worker_gone());
	CHECK(worst < SLOW_MS);
	sock = proxy_open();
	CHECK_EQ(proxy_info(sock).progs, 0);
	close(sock);
	close(other);
	return true;
}

/**
 * test_maximal() - programs of the greatest size
 *
 * Return: whether straight code is taken, one more is not, and branches all over
 *         are refused or taken in time
 */
static bool test_maximal(void)
{
	static struct virtio_bpf_insn insns[VIRTIO_BPF_MAX_INSNS];
	const uint32_t cnt = VIRTIO_BPF_MAX_INSNS;
	struct virtio_bpf_insn *big;
	struct reply reply;
	int64_t start, handle;
	int sock = proxy_open();

	CHECK(sock >= 0);
	for (uint32_t i = 0; i < cnt - 1; i++)
		insns[i] = (struct virtio_bpf_insn){ .code = 0xb7, .imm = htole32(2) };
	insns[cnt - 1] = (struct virtio_bpf_insn){ .code = 0x95 };
	start = now_ms();
	CHECK(proxy_load_insns(sock, insns, cnt, &reply) > 0);
	printf("# %u instructions in a row: %lld ms\n", cnt, (long long)(now_ms() - start));
	/* r0 = random; then: if r0 > i, over the next one; r0 += 1 */
	insns[0] = (struct virtio_bpf_insn){ .code = 0x85, .imm = htole32(7) };
	for (uint32_t i = 1; i + 4 < cnt; i += 2) {
		insns[i] = (struct virtio_bpf_insn){ .code = 0x25, .off = htole16(1),
						     .imm = htole32(i) };
		insns[i + 1] = (struct virtio_bpf_insn){ .code = 0x07, .imm = htole32(1) };
	}
	start = now_ms();
	handle = proxy_load_insns(sock, insns, cnt, &reply);
	printf("# branches all over: %s after %lld ms\n", handle > 0 ? "taken" : "refused",
	       (long long)(now_ms() - start));
	CHECK(handle > 0 || reply.msg.text_len > 0);
	CHECK(now_ms() - start < 8000);
	/* Longer than a message may be. */
	big = calloc(cnt + 1, sizeof(*big));
	CHECK(big && !proxy_load_send(sock, 1, "test", big, cnt + 1));
	free(big);
	CHECK_EQ(proxy_recv(sock, &reply), 0);
	close(sock);
	sock = proxy_open();
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_flood() - requests and bombs without end, at the default limits
 *
 * Return: whether they cost at most a twentieth of a CPU, over the burst
 */
static bool test_flood(void)
{
	static struct virtio_bpf_insn loop[PROXY_LOOP];
	const struct vbpf_msg msg = { .type = VIRTIO_BPF_GET_INFO, .id = 7, .fd = -1 };
	int64_t start, before, used, loads = 0;
	int sock, other = proxy_open1();
	struct reply reply;
	char out[256];

	CHECK(other >= 0);
	CHECK(bed_conf("request_burst = 10\nload_burst = 1\n", "") &&
	      bed_reload("the configuration was read again"));
	sock = proxy_open();
	CHECK(sock >= 0);
	fcntl(sock, F_SETFL, O_NONBLOCK);
	proxy_loop(loop, 8000);
	CHECK_EQ(bed_run(out, sizeof(out), "awk '{ print $14 + $15 + $16 + $17 }' /proc/%d/stat",
			 (int)bed.daemon), 0);
	before = atoi(out);
	for (start = now_ms(); now_ms() - start < 4000;) {
		int err = proxy_load_send(sock, 1, "test", loop, PROXY_LOOP);

		loads += !err;
		CHECK(!err || err == -EAGAIN);
		err = vbpf_msg_send(sock, &msg);
		CHECK(!err || err == -EAGAIN);
		usleep(2000);
		while (recv(sock, reply.buf, sizeof(reply.buf), MSG_DONTWAIT) > 0)
			;
	}
	CHECK_EQ(bed_run(out, sizeof(out), "awk '{ print $14 + $15 + $16 + $17 }' /proc/%d/stat",
			 (int)bed.daemon), 0);
	used = atoi(out) - before;
	printf("# 4 s of flood, %lld loads sent: %lld ms of CPU time\n", (long long)loads,
	       (long long)used * 10);
	CHECK(used * 10 <= 4000 / 20 + 100);
	CHECK_EQ(proxy_info(other).progs, 0);
	close(sock);
	close(other);
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
		{ "another port's handles, maps and limits", test_other_port },
		{ "the host's own handles in a program", test_own_handles },
		{ "pins and sockets", test_files },
		{ "handles that were freed, objects in use", test_freed },
		{ "a map is freed while it is used", test_race },
		{ "answers that are not read", test_unread },
		{ "fds that nobody asked for", test_uninvited },
		{ "messages that are none", test_garbage },
		{ "a verifier bomb stalls nobody else", test_bomb },
		{ "a worker has little, and its death is one program's", test_worker },
		{ "a proxy goes while its program is checked", test_hangup },
		{ "programs of the greatest size", test_maximal },
		{ "a flood costs a twentieth of a CPU", test_flood },
	};

	return bed_main(cases, sizeof(cases) / sizeof(*cases));
}
