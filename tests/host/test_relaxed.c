// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The level relaxed, and the processes that have CAP_PERFMON for it
 *
 * In a bed as test_loader.c has it. Port vm0 is relaxed and vm1 strict, unless a
 * case says otherwise.
 */
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>

#include "../ktap.h"
#include "../unit/insns.h"
#include "bed.h"
#include "proxy.h"

#define READ_AGAIN	"the configuration was read again"
#define STAYS		"the configuration stays as it was"
#define OVER		"was verified at level relaxed, and this port.s level is strict"
#define LIMITS		"max_load_time = 1\nload_rate = 1000\nload_burst = 60000\n"	\
			"request_rate = 1000000\nrequest_burst = 1000000\n"
#define CAPS_BPF	"0000008000001000"	/* CAP_BPF, CAP_NET_ADMIN */
#define CAPS_PERFMON	"000000c000001000"	/* and CAP_PERFMON */
#define MAPS		256

/*
 * What no form does at level strict: the packet is looked at behind an offset that
 * is not constant, for which form lite needs CAP_PERFMON and form sfi room on the
 * stack, and the stack is full. Then r0 is 1 or 2, by a bit of what was found.
 */
#define DEEP_INSNS	18
#define DEEP									\
	ST(BPF_DW, R10, -504, 0), ST(BPF_DW, R10, -8, 0),			\
	LD_DATA(R2, R1), LD_END(R3, R1),					\
	MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 8),	\
	LDX(BPF_B, R5, R2, 0), ALU64_K(BPF_AND, R5, 7), ALU64_X(BPF_ADD, R2, R5), \
	MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 1), JMP_X(BPF_JGT, R4, R3, 2),	\
	LDX(BPF_B, R0, R2, 0), JA(1),						\
	MOV64_K(R0, 1), ALU64_K(BPF_AND, R0, 1), ALU64_K(BPF_ADD, R0, 1)

/* The frames of frame_send() have 0x52 & 7 = 2, and 0 there: XDP_DROP. */
static const struct bpf_insn deep[] = { DEEP, EXIT };
static const struct bpf_insn pass[] = { MOV64_K(R0, 2), EXIT };

/**
 * load() - load a program
 * @sock: connection
 * @insns: the program
 * @cnt: number of @insns, at most PROXY_INSNS
 * @reply: filled
 *
 * Return: the program's handle, or minus the status
 */
static int64_t load(int sock, const struct bpf_insn *insns, uint32_t cnt, struct reply *reply)
{
	struct virtio_bpf_insn out[PROXY_INSNS];

	proxy_insns(out, insns, cnt);
	return proxy_load_insns(sock, out, cnt, reply);
}

/**
 * loaded_level() - the level that the answer to a PROG_LOAD names
 * @reply: the answer
 *
 * Return: VIRTIO_BPF_LEVEL_*
 */
static int loaded_level(const struct reply *reply)
{
	struct virtio_bpf_prog_loaded loaded;

	memcpy(&loaded, reply->msg.body, sizeof(loaded));
	return loaded.level;
}

/**
 * relaxed_bomb() - a program that strict refuses at once, and that takes the
 * verifier many seconds at level relaxed
 * @insns: room for DEEP_INSNS + PROXY_BOMB instructions; set
 */
static void relaxed_bomb(struct virtio_bpf_insn *insns)
{
	proxy_insns(insns, deep, DEEP_INSNS);
	proxy_bomb(insns + DEEP_INSNS);
}

/**
 * slow() - a program that strict refuses at once, and that takes the verifier some
 * tenths of a second at level relaxed
 * @insns: room for DEEP_INSNS + PROXY_BOMB instructions; set
 *
 * Return: number of instructions
 */
static uint32_t slow(struct virtio_bpf_insn *insns)
{
	const uint32_t bits = 15, head = DEEP_INSNS + 3 + 2 * bits, tail = 4;

	relaxed_bomb(insns);
	memmove(insns + head, insns + DEEP_INSNS + PROXY_BOMB - tail, tail * sizeof(*insns));
	return head + tail;
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
 * child() - a child of the daemon
 * @but: one that is not meant, or 0
 *
 * Return: its process id, or 0 if there is no other
 */
static pid_t child(pid_t but)
{
	char out[256], *rest = out, *line;

	bed_run(out, sizeof(out), "pgrep -P %d", (int)bed.daemon);
	while ((line = strsep(&rest, "\n")))
		if (*line && atoi(line) != but)
			return atoi(line);
	return 0;
}

/**
 * worker() - wait until a worker is at a program, or no more
 * @server: the fork server, or 0
 * @there: which of both
 *
 * Return: its process id, or 0
 */
static pid_t worker(pid_t server, bool there)
{
	pid_t pid = child(server);

	for (int i = 0; i < 100 && !pid == there; i++) {
		usleep(20000);
		pid = child(server);
	}
	return pid;
}

/**
 * relaxed_worker() - wait until a worker for level relaxed is at a program
 * @server: the fork server
 *
 * Return: its process id, or 0
 */
static pid_t relaxed_worker(pid_t server)
{
	char out[64];

	for (int i = 0; i < 100; i++) {
		pid_t pid = child(server);

		if (pid && !bed_run(out, sizeof(out), "grep -s '^CapEff:.*" CAPS_PERFMON "'"
				    " /proc/%d/status", (int)pid))
			return pid;
		usleep(5000);
	}
	return 0;
}

/**
 * restart() - start the daemon with another configuration
 * @vm0: level of vm0
 * @vm1: level of vm1
 *
 * Return: whether it serves
 */
static bool restart(const char *vm0, const char *vm1)
{
	char defaults[512], ports[64];

	bed_stop();
	snprintf(defaults, sizeof(defaults), LIMITS "max_maps = %d\nlevel = %s\n", MAPS, vm0);
	snprintf(ports, sizeof(ports), "level = %s\n", vm1);
	return bed_conf(defaults, ports) && bed_start();
}

/**
 * reload() - have the daemon read another configuration
 * @vm0: level of vm0
 * @vm1: level of vm1
 * @words: that it logs then
 *
 * Return: whether it does
 */
static bool reload(const char *vm0, const char *vm1, const char *words)
{
	char defaults[512], ports[64];

	snprintf(defaults, sizeof(defaults), LIMITS "max_maps = %d\nlevel = %s\n", MAPS, vm0);
	snprintf(ports, sizeof(ports), "level = %s\n", vm1);
	return bed_conf(defaults, ports) && bed_reload(words);
}

/**
 * share() - give vm0, which is relaxed, another share of CPU time for loading
 * @rate: milliseconds a second
 * @burst: milliseconds at once
 *
 * Return: whether the daemon took it
 */
static bool share(int rate, int burst)
{
	char defaults[512];

	snprintf(defaults, sizeof(defaults), "max_load_time = 1\nlevel = relaxed\n"
		 "load_rate = %d\nload_burst = %d\n", rate, burst);
	return bed_conf(defaults, "level = strict\n") && bed_reload(READ_AGAIN);
}

/**
 * has_caps() - has a process these capabilities and no others, and no way to more?
 * @pid: the process
 * @caps: as in /proc/PID/status
 *
 * Return: whether it has
 */
static bool has_caps(pid_t pid, const char *caps)
{
	char out[1024], want[512];

	bed_run(out, sizeof(out), "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/%d/status |"
		" tr -d '\\n'", (int)pid);
	snprintf(want, sizeof(want), "CapInh:\t0000000000000000CapPrm:\t%sCapEff:\t%s"
		 "CapBnd:\t0000000000000000CapAmb:\t0000000000000000NoNewPrivs:\t1"
#ifndef __SANITIZE_ADDRESS__
		 "Seccomp:\t2"
#endif
		 , caps, caps);
	printf("# %d: %s\n", (int)pid, out);
	return !strncmp(out, want, strlen(want));
}

/**
 * fds_of() - count a process's fds
 * @pid: the process
 * @kind: pattern of what they refer to
 *
 * Return: number of those that match
 */
static int fds_of(pid_t pid, const char *kind)
{
	char out[64];

	bed_run(out, sizeof(out), "find /proc/%d/fd -lname '%s' | wc -l", (int)pid, kind);
	return atoi(out);
}

/**
 * test_strict() - no port is relaxed
 *
 * Return: whether there is no process for the level, the program is refused, and
 *         a port cannot become relaxed
 */
static bool test_strict(void)
{
	struct reply reply;
	char out[256];
	int sock;

	CHECK(tap_open());
	CHECK_EQ(bed_run(out, sizeof(out), "ip tuntap add " TAP1 " mode tap 2>&1"), 0);
	CHECK(restart("strict", "strict"));
	CHECK_EQ(child(0), 0);
	CHECK(has_caps(bed.daemon, CAPS_BPF));
	sock = proxy_open();
	CHECK_EQ(load(sock, deep, ARRAY_SIZE(deep), &reply), -VIRTIO_BPF_S_UNSUPP);
	CHECK(!memmem(reply.msg.text, reply.msg.text_len, "relaxed", 7));
	CHECK(reload("strict", "relaxed", STAYS));
	CHECK_EQ(bed_logged("conf:[0-9]*: port vm1 is relaxed, for which this daemon has given up"),
		 1);
	CHECK_EQ(load(sock, deep, ARRAY_SIZE(deep), &reply), -VIRTIO_BPF_S_UNSUPP);
	CHECK_EQ(child(0), 0);
	close(sock);
	return true;
}

/**
 * load_time() - how long does it take to load a program?
 * @sock: connection
 * @insns: the program
 * @cnt: number of @insns
 *
 * Return: milliseconds for ten of them, one after the other, or -1
 */
static int64_t load_time(int sock, const struct bpf_insn *insns, uint32_t cnt)
{
	int64_t start = now_ms(), prog;
	struct reply reply;

	for (int i = 0; i < 10; i++) {
		prog = load(sock, insns, cnt, &reply);
		if (prog <= 0 || proxy_handle(sock, VIRTIO_BPF_PROG_FREE, prog))
			return -1;
	}
	return now_ms() - start;
}

/**
 * test_levels() - one program at a relaxed port and at a strict one
 *
 * Return: whether the one takes it at level relaxed, after level strict, and the
 *         other does not take it; and both sides are told
 */
static bool test_levels(void)
{
	struct reply reply;
	char out[4096];
	int sock, other;
	int64_t prog;

	CHECK(restart("relaxed", "strict"));
	CHECK_EQ(bed_logged("vm0: the port is relaxed: process [0-9]* keeps CAP_PERFMON"), 1);
	sock = proxy_open();
	other = proxy_open1();
	CHECK(sock >= 0 && other >= 0);
	CHECK_EQ(load(other, deep, ARRAY_SIZE(deep), &reply), -VIRTIO_BPF_S_UNSUPP);
	CHECK(proxy_says(&reply, "moves a packet pointer by a number that is not constant"));
	CHECK(!memmem(reply.msg.text, reply.msg.text_len, "relaxed", 7));
	prog = load(sock, deep, ARRAY_SIZE(deep), &reply);
	printf("# %.*s\n", (int)reply.msg.text_len, reply.msg.text);
	CHECK(prog > 0);
	CHECK_EQ(loaded_level(&reply), VIRTIO_BPF_LEVEL_RELAXED);
	CHECK(proxy_says(&reply, "moves a packet pointer by a number that is not constant"));
	CHECK(proxy_says(&reply, "so it is not accepted at level strict; at level relaxed:\n"
			 "accepted: form lite, level relaxed, "));
	CHECK_EQ(vbpf(out, sizeof(out), "show vm0"), 0);
	CHECK(strstr(out, " lite  relaxed "));
	CHECK_EQ(vbpf(out, sizeof(out), "--json show | tr -d ' \n'"), 0);
	CHECK(strstr(out, "\"form\":\"lite\",\"level\":\"relaxed\""));
	CHECK(strstr(out, "\"level\":\"relaxed\",\"helpers\"") &&
	      strstr(out, "\"level\":\"strict\",\"helpers\""));
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 3);
	printf("# to load ten programs: %lld ms at level strict, %lld ms at level relaxed\n",
	       (long long)load_time(sock, pass, ARRAY_SIZE(pass)),
	       (long long)load_time(sock, deep, ARRAY_SIZE(deep)));
	close(sock);
	close(other);
	return true;
}

/**
 * test_order() - programs that a relaxed port has no need of the level for, and
 * such as are wrong at any
 *
 * Return: whether the former are loaded at level strict, in either form, and the
 *         latter refused without another try
 */
static bool test_order(void)
{
	static const struct bpf_insn sfi[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 14),
		JMP_X(BPF_JGT, R4, R3, 7), LDX(BPF_B, R5, R2, 0), ALU64_K(BPF_AND, R5, 7),
		ALU64_X(BPF_ADD, R2, R5), MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 1),
		JMP_X(BPF_JGT, R4, R3, 1), LDX(BPF_B, R0, R2, 0), MOV64_K(R0, 2), EXIT,
	};
	static const struct bpf_insn wrong[] = { CALL(6), MOV64_K(R0, 2), EXIT };
	static const struct bpf_insn redirect[] = { MOV64_K(R0, 4), EXIT };
	struct reply reply;
	int sock = proxy_open();

	CHECK(sock >= 0);
	CHECK(proxy_load(sock, 2, 0, &reply) > 0);
	CHECK_EQ(loaded_level(&reply), VIRTIO_BPF_LEVEL_STRICT);
	CHECK(proxy_says(&reply, "accepted: form lite, level strict, "));
	CHECK(load(sock, sfi, ARRAY_SIZE(sfi), &reply) > 0);
	CHECK_EQ(loaded_level(&reply), VIRTIO_BPF_LEVEL_STRICT);
	CHECK(proxy_says(&reply, "accepted: form sfi, level strict, "));
	CHECK(!memmem(reply.msg.text, reply.msg.text_len, "relaxed", 7));
	CHECK(load(sock, wrong, ARRAY_SIZE(wrong), &reply) < 0);
	CHECK(!memmem(reply.msg.text, reply.msg.text_len, "relaxed", 7));
	CHECK_EQ(load(sock, redirect, ARRAY_SIZE(redirect), &reply), -VIRTIO_BPF_S_PERM);
	CHECK(!memmem(reply.msg.text, reply.msg.text_len, "relaxed", 7));
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_maps() - as many maps as a port may have
 *
 * Return: whether a program at level relaxed has the last of them, and a change
 *         that it makes is seen there; and as an upper bound, one that names a
 *         map that is not there is refused
 */
static bool test_maps(void)
{
	struct bpf_insn insns[] = {
		DEEP, MOV64_X(R6, R0), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -8),
		LD_MAP(R1, 0), CALL(1), JMP_K(BPF_JEQ, R0, 0, 2),
		MOV64_K(R1, 1), ATOMIC(BPF_DW, R0, 0, R1, BPF_ADD), MOV64_X(R0, R6), EXIT,
	};
	const uint32_t at = DEEP_INSNS + 3;
	struct reply reply;
	int sock = proxy_open(), fd = -1;
	char out[1024];
	int64_t map = 0, prog;

	CHECK(sock >= 0);
	for (int i = 0; i < MAPS; i++) {
		if (fd >= 0)
			close(fd);
		map = proxy_map(sock, 10, &reply);
		CHECK(map > 0);
		fd = reply.msg.fd;
	}
	CHECK_EQ(bed_run(out, sizeof(out), "bpftool map update pinned %s/map-%u key 0 0 0 0 value"
			 " 0 0 0 0 0 0 0 0 2>&1", bed_path("bpf/ports/vm0"), (uint32_t)map), 0);
	insns[at].imm = (int)map + 1;
	CHECK(load(sock, insns, ARRAY_SIZE(insns), &reply) < 0);
	insns[at].imm = (int)map;
	prog = load(sock, insns, ARRAY_SIZE(insns), &reply);
	printf("# %.*s\n", (int)reply.msg.text_len, reply.msg.text);
	CHECK(prog > 0);
	CHECK_EQ(loaded_level(&reply), VIRTIO_BPF_LEVEL_RELAXED);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(bed_run(out, sizeof(out), "bpftool map dump pinned %s/map-%u 2>&1",
			 bed_path("bpf/ports/vm0"), (uint32_t)map), 0);
	CHECK(strstr(out, "value: 03 00 00 00 00 00 00 00"));
	close(fd);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_leaks() - programs that would tell their tenant an address
 *
 * Return: whether none is taken, at either level, and the tenant is told why
 */
static bool test_leaks(void)
{
	struct bpf_insn insns[] = {
		MOV64_X(R6, R1), DEEP, MOV64_X(R7, R0), MOV64_X(R2, R10),
		ALU64_K(BPF_ADD, R2, -8), LD_MAP(R1, 0), CALL(1), JMP_K(BPF_JEQ, R0, 0, 1),
		STX(BPF_DW, R0, 0, R6), MOV64_X(R0, R7), EXIT,
	};
	const uint32_t at = DEEP_INSNS + 4;
	struct reply reply;
	int sock = proxy_open(), other = proxy_open1();
	int64_t map;

	CHECK(sock >= 0 && other >= 0);
	map = proxy_map(other, 10, &reply);
	CHECK(map > 0);
	close(reply.msg.fd);
	insns[at].imm = (int)map;
	CHECK(load(other, insns, ARRAY_SIZE(insns), &reply) < 0);
	map = proxy_map(sock, 10, &reply);
	CHECK(map > 0);
	close(reply.msg.fd);
	insns[at].imm = (int)map;
	CHECK(load(sock, insns, ARRAY_SIZE(insns), &reply) < 0);
	printf("# %.*s\n", (int)reply.msg.text_len, reply.msg.text);
	CHECK(proxy_says(&reply, "so it is not accepted at level strict; at level relaxed:\n"
			 "instruction 26: stores r6, the context, to a map's value, where"));
	CHECK_EQ(proxy_info(sock).progs, 0);
	CHECK_EQ(proxy_call(other, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	close(other);
	return true;
}

/**
 * test_log() - a program that the kernel refuses at level relaxed
 *
 * Return: whether its tenant gets the verifier's log, which names instructions
 *         that load maps, without the addresses that are in it at this level
 */
static bool test_log(void)
{
	struct bpf_insn insns[] = {
		MOV64_X(R6, R1), DEEP, MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -8),
		LD_MAP(R1, 0), CALL(1), LD_DATA(R2, R6), LDX(BPF_B, R0, R2, 100), EXIT,
	};
	const uint32_t at = DEEP_INSNS + 3;
	struct reply reply;
	int sock = proxy_open();
	int64_t map;

	CHECK(sock >= 0);
	map = proxy_map(sock, 10, &reply);
	CHECK(map > 0);
	close(reply.msg.fd);
	insns[at].imm = (int)map;
	CHECK_EQ(load(sock, insns, ARRAY_SIZE(insns), &reply), -VIRTIO_BPF_S_ACCES);
	CHECK(proxy_says(&reply, "at level relaxed:\n"));
	CHECK(proxy_says(&reply, "(18) r1 = 0x0000000000000000 "));
	CHECK(proxy_says(&reply, "which stems from your instruction 25\n"));
	CHECK(!memmem(reply.msg.text, reply.msg.text_len, "0xffff8", 7));
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	return true;
}

/**
 * test_processes() - what the daemon, the fork server and both kinds of workers have
 *
 * Return: whether CAP_PERFMON is where it belongs alone, and files nowhere
 */
static bool test_processes(void)
{
	static struct virtio_bpf_insn bomb[DEEP_INSNS + PROXY_BOMB];
	pid_t server = child(0), pid;
	int sock = proxy_open(), other = proxy_open1();
	struct reply reply;
	char out[256];

	CHECK(sock >= 0 && other >= 0 && server > 0);
	CHECK(proxy_map(sock, 10, &reply) > 0);
	close(reply.msg.fd);
	CHECK(has_caps(bed.daemon, CAPS_BPF));
	CHECK(has_caps(server, CAPS_PERFMON));
	CHECK_EQ(bed_run(out, sizeof(out), "ls /proc/%d/fd | wc -l", (int)server), 0);
	CHECK_EQ(atoi(out), 3 + 1);
	CHECK_EQ(fds_of(server, "socket:*"), 1);
	CHECK_EQ(bed_run(out, sizeof(out), "cat /proc/%d/comm", (int)server), 0);
	CHECK(!strcmp(out, "virtio-bpf-fork\n"));
	/* With the daemon's user and rights: the daemon can be looked into, this not. */
	CHECK_EQ(bed_run(out, sizeof(out), "setpriv --bounding-set=-all,+bpf,+net_admin cat"
			 " /proc/%d/environ 2>&1", (int)bed.daemon), 0);
	CHECK_EQ(bed_run(out, sizeof(out), "setpriv --bounding-set=-all,+bpf,+net_admin cat"
			 " /proc/%d/environ 2>&1", (int)server), 1);
	CHECK(strstr(out, "Permission denied"));
	proxy_bomb(bomb);
	CHECK(!proxy_load_send(sock, 1, "test", bomb, PROXY_BOMB));
	pid = worker(server, true);
	CHECK(pid > 0);
	/* It has time to shut itself in, and none to end before it was looked at. */
	usleep(200000);
	CHECK(!kill(pid, SIGSTOP));
	CHECK(has_caps(pid, CAPS_BPF));
	CHECK(!kill(pid, SIGCONT));
	CHECK_EQ(proxy_load_reply(sock, 1, &reply), -VIRTIO_BPF_S_TOOBIG);
	CHECK(!memmem(reply.msg.text, reply.msg.text_len, "relaxed", 7));
	CHECK_EQ(worker(server, false), 0);
	relaxed_bomb(bomb);
	CHECK(!proxy_load_send(sock, 2, "test", bomb, DEEP_INSNS + PROXY_BOMB));
	pid = relaxed_worker(server);
	CHECK(pid > 0);
	usleep(200000);
	CHECK(!kill(pid, SIGSTOP));
	CHECK(has_caps(pid, CAPS_PERFMON));
	CHECK_EQ(bed_run(out, sizeof(out), "ls /proc/%d/fd | wc -l", (int)pid), 0);
	CHECK_EQ(atoi(out), 3 + 1 + 2);
	CHECK_EQ(fds_of(pid, "socket:*"), 1);
	CHECK_EQ(fds_of(pid, "*bpf-map*"), 2);
#ifndef __SANITIZE_ADDRESS__
	CHECK_EQ(bed_run(out, sizeof(out), "grep -c 'Max address space *unlimited' /proc/%d/limits",
			 (int)pid), 1);
#endif
	kill(pid, SIGKILL);
	CHECK_EQ(proxy_load_reply(sock, 2, &reply), -VIRTIO_BPF_S_IO);
	CHECK(proxy_says(&reply, "the host's worker died"));
	CHECK_EQ(child(server), 0);
	CHECK(load(sock, deep, ARRAY_SIZE(deep), &reply) > 0);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	close(sock);
	close(other);
	return true;
}

/**
 * test_bomb() - a program that takes the verifier many seconds at level relaxed
 *
 * Return: whether it is given up in words, its time is the port's, the other port
 *         is served meanwhile, and it goes with its proxy
 */
static bool test_bomb(void)
{
	static struct virtio_bpf_insn bomb[DEEP_INSNS + PROXY_BOMB];
	const uint32_t cnt = DEEP_INSNS + PROXY_BOMB;
	pid_t server = child(0);
	int sock = proxy_open(), other = proxy_open1();
	int64_t start = now_ms(), at, worst = 0;
	struct reply reply;

	CHECK(sock >= 0 && other >= 0);
	relaxed_bomb(bomb);
	CHECK(!proxy_load_send(sock, 1, "test", bomb, cnt));
	while (now_ms() - start < 800) {
		at = now_ms();
		CHECK_EQ(proxy_info(other).progs, 0);
		if (now_ms() - at > worst)
			worst = now_ms() - at;
	}
	CHECK_EQ(proxy_load_reply(sock, 1, &reply), -VIRTIO_BPF_S_TOOBIG);
	printf("# given up after %lld ms; the other port waited %lld ms at most\n",
	       (long long)(now_ms() - start), (long long)worst);
	CHECK(proxy_says(&reply, "at level relaxed:\nthe host gave up on the program: to check it"
			 " took more than"));
	CHECK(worst < 1000 && now_ms() - start < 8000);
	CHECK_EQ(worker(server, false), 0);
	/* Cut off while it is checked. */
	CHECK(!proxy_load_send(sock, 2, "test", bomb, cnt));
	usleep(300000);
	CHECK(worker(server, true) > 0);
	close(sock);
	CHECK_EQ(worker(server, false), 0);
	/* Its time counts, in either case. */
	for (int cut = 0; cut < 2; cut++) {
		/* What was used up before comes back. */
		CHECK(share(1000, 60000));
		sock = proxy_open();
		CHECK(proxy_load_in_time(sock));
		CHECK(share(1, 20));
		CHECK(proxy_load(sock, 2, 0, &reply) > 0);
		CHECK(!proxy_load_send(sock, 3, "test", bomb, cnt));
		if (cut) {
			usleep(800000);
			close(sock);
			sock = proxy_open();
		} else {
			CHECK_EQ(proxy_load_reply(sock, 3, &reply), -VIRTIO_BPF_S_TOOBIG);
		}
		CHECK_EQ(proxy_load(sock, 2, 0, &reply), -VIRTIO_BPF_S_AGAIN);
		printf("# %.*s\n", (int)reply.msg.text_len, reply.msg.text);
		CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
		close(sock);
	}
	close(other);
	return true;
}

/**
 * test_restart() - a program at level relaxed is attached when the daemon goes
 *
 * Return: whether it goes on, its level is known afterwards, it is translated again
 *         for a TAP made anew, and reported if its port has become strict
 */
static bool test_restart(void)
{
	struct reply reply;
	char out[4096];
	int64_t prog;
	int sock;

	CHECK(restart("relaxed", "strict"));
	sock = proxy_open();
	prog = load(sock, deep, ARRAY_SIZE(deep), &reply);
	CHECK(prog > 0);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(bed_stop(), 0);
	close(sock);
	CHECK_EQ(frames_pass(), 0);
	CHECK(bed_start());
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(vbpf(out, sizeof(out), "show vm0"), 0);
	CHECK(strstr(out, " lite  relaxed ") && !strstr(out, "over the limits"));
	sock = proxy_open();
	close(bed.tap);
	CHECK(!if_nametoindex(TAP) && tap_open());
	CHECK_EQ(proxy_event(sock, VIRTIO_BPF_EVENT_DETACHED), prog);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(vbpf(out, sizeof(out), "show vm0"), 0);
	CHECK(strstr(out, " lite  relaxed "));
	CHECK_EQ(bed_stop(), 0);
	close(sock);
	CHECK(restart("strict", "relaxed"));
	CHECK_EQ(bed_logged(OVER), 1);
	CHECK_EQ(frames_pass(), 0);
	CHECK(restart("relaxed", "strict"));
	CHECK_EQ(bed_logged(OVER), 1);
	CHECK_EQ(frames_pass(), 0);
	return true;
}

/**
 * test_reload() - a port becomes strict, and relaxed again
 *
 * Return: whether what is attached goes on and is reported, nothing else gets the
 *         level, and the process for it goes with the last such port
 */
static bool test_reload(void)
{
	struct reply reply;
	char out[4096];
	int64_t prog, strict;
	int sock = proxy_open();

	CHECK(sock >= 0);
	prog = le32toh(proxy_info(sock).attached);
	CHECK(prog > 0 && child(0) > 0);
	/* Another port becomes relaxed, this one strict. */
	CHECK(reload("strict", "relaxed", READ_AGAIN));
	CHECK(child(0) > 0);
	CHECK_EQ(bed_logged(OVER), 2);
	CHECK_EQ(vbpf(out, sizeof(out), "show vm0"), 0);
	CHECK(strstr(out, "over the limits: program ") && strstr(out, "level is strict"));
	CHECK_EQ(frames_pass(), 0);
	CHECK_EQ(load(sock, deep, ARRAY_SIZE(deep), &reply), -VIRTIO_BPF_S_UNSUPP);
	/* It can be replaced, or detached by the operator, and not attached again. */
	CHECK_EQ(vbpf(out, sizeof(out), "detach vm0"), 0);
	CHECK_EQ(proxy_event(sock, VIRTIO_BPF_EVENT_DETACHED), prog);
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_PERM);
	CHECK_EQ(frames_pass(), 3);
	strict = proxy_drop(sock);
	CHECK(strict > 0);
	CHECK_EQ(frames_pass(), 0);
	CHECK(reload("relaxed", "relaxed", READ_AGAIN));
	CHECK_EQ(proxy_handle(sock, VIRTIO_BPF_XDP_ATTACH, prog), VIRTIO_BPF_S_OK);
	CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
	CHECK(reload("strict", "strict", READ_AGAIN));
	CHECK_EQ(bed_logged("no port is relaxed any more: CAP_PERFMON is given up"), 1);
	CHECK_EQ(child(0), 0);
	CHECK(reload("relaxed", "strict", STAYS));
	CHECK_EQ(child(0), 0);
	close(sock);
	return true;
}

/**
 * test_busy_reload() - a port becomes strict while a worker is at its program
 *
 * Return: whether what that makes is not taken
 */
static bool test_busy_reload(void)
{
	static struct virtio_bpf_insn insns[DEEP_INSNS + PROXY_BOMB];
	const uint32_t cnt = slow(insns);
	struct reply reply;
	int64_t start, status = 0;
	pid_t pid, server;
	int sock;

	CHECK(restart("relaxed", "relaxed"));
	server = child(0);
	sock = proxy_open();
	start = now_ms();
	CHECK(proxy_load_insns(sock, insns, cnt, &reply) > 0);
	printf("# loaded within %lld ms\n", (long long)(now_ms() - start));
	/* A worker that was through before it was stopped proves nothing. */
	for (uint32_t i = 2; status != -VIRTIO_BPF_S_PERM && i < 7; i++) {
		CHECK_EQ(proxy_call(sock, VBPF_MSG_RESET, NULL, 0, &reply), VIRTIO_BPF_S_OK);
		CHECK(reload("relaxed", "relaxed", READ_AGAIN));
		CHECK(!proxy_load_send(sock, i, "test", insns, cnt));
		pid = relaxed_worker(server);
		CHECK(!pid || !kill(pid, SIGSTOP));
		CHECK(reload("strict", "relaxed", READ_AGAIN));
		CHECK(!pid || !kill(pid, SIGCONT));
		status = proxy_load_reply(sock, i, &reply);
	}
	CHECK_EQ(status, -VIRTIO_BPF_S_PERM);
	CHECK(proxy_says(&reply, "verified at level relaxed, and this port's level is strict\n"));
	CHECK_EQ(proxy_info(sock).progs, 0);
	close(sock);
	return true;
}

/**
 * test_lost() - the fork server is killed, or hangs
 *
 * Return: whether programs for level relaxed are refused in words, others are
 *         not, and a restart mends it
 */
static bool test_lost(void)
{
	static const char gone[] = "programs are loaded at level strict alone";
	struct reply reply;
	int64_t start;
	pid_t server;
	int sock;

	for (int hang = 0; hang < 2; hang++) {
		int before = bed_logged(gone);

		CHECK(restart("relaxed", "strict"));
		server = child(0);
		CHECK(server > 0);
		sock = proxy_open();
		CHECK(load(sock, deep, ARRAY_SIZE(deep), &reply) > 0);
		kill(server, hang ? SIGSTOP : SIGKILL);
		start = now_ms();
		for (int i = 0; i < 2; i++) {
			CHECK_EQ(load(sock, deep, ARRAY_SIZE(deep), &reply),
				 -VIRTIO_BPF_S_UNSUPP);
			CHECK(proxy_says(&reply, "the host has lost its process for this level: its"
					 " operator has to restart virtio-bpfd\n"));
		}
		printf("# %s: refused after %lld ms\n", hang ? "stopped" : "killed",
		       (long long)(now_ms() - start));
		CHECK(now_ms() - start < 8000);
		CHECK_EQ(bed_logged(gone), before + 1);
		CHECK_EQ(child(0), 0);
		CHECK(proxy_load(sock, 2, 0, &reply) > 0);
		/* Other changes are taken. */
		CHECK(reload("relaxed", "strict", READ_AGAIN));
		close(sock);
	}
	CHECK(restart("relaxed", "strict"));
	sock = proxy_open();
	CHECK(load(sock, deep, ARRAY_SIZE(deep), &reply) > 0);
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
		{ "no port is relaxed", test_strict },
		{ "a relaxed port and a strict one", test_levels },
		{ "level strict comes first", test_order },
		{ "as many maps as a port may have", test_maps },
		{ "programs that would leak addresses", test_leaks },
		{ "the verifier's log at level relaxed", test_log },
		{ "capabilities and fds of each process", test_processes },
		{ "a verifier bomb at level relaxed", test_bomb },
		{ "a restart keeps the level", test_restart },
		{ "a port becomes strict and relaxed again", test_reload },
		{ "a port becomes strict while its program is checked", test_busy_reload },
		{ "the process for the level is lost", test_lost },
	};

	return bed_main(cases, sizeof(cases) / sizeof(*cases));
}
