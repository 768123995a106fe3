// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What a proxy that was taken over might try
 *
 * Linked into a build of the proxy for test_sandbox alone, which has the hook.
 * The environment variable VBPF_PROBE, as STAGE:NAME, says what to try, and
 * after which stage of the sandbox. The proxy prints what came of it and ends,
 * unless it is killed for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

void probe(const char *stage);

/* To ask for it later would be a crime of its own. */
static pid_t porter;

/**
 * try_nothing() - do what is allowed
 *
 * Return: 0
 */
static long try_nothing(void)
{
	return getpid() > 0 ? 0 : -1;
}

/**
 * try_open() - read a file that is everywhere
 *
 * Return: -1 if that fails
 */
static long try_open(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC);
}

/**
 * try_create() - make a file
 *
 * Return: -1 if that fails
 */
static long try_create(void)
{
	return open("/tmp/vbpf-probe", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

/**
 * try_network() - reach the network
 *
 * Return: -1 if that fails
 */
static long try_network(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(53),
				    .sin_addr.s_addr = htonl(0x7f000001) };
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return sock < 0 ? -1 : connect(sock, (struct sockaddr *)&addr, sizeof(addr));
}

/**
 * try_unix() - make a unix socket
 *
 * Return: -1 if that fails
 */
static long try_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/**
 * try_exec() - execute a program
 *
 * Return: -1 if that fails
 */
static long try_exec(void)
{
	return execl("/bin/true", "true", NULL);
}

/**
 * try_fork() - make a process
 *
 * Not by fork(): some C libraries block all signals first, which is forbidden too.
 *
 * Return: -1 if that fails
 */
static long try_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0L);

	if (!pid)
		_exit(0);
	return pid;
}

/**
 * try_ptrace() - take over the porter
 *
 * Return: -1 if that fails
 */
static long try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, porter, NULL, NULL);
}

/**
 * try_kill() - signal the porter
 *
 * Return: -1 if that fails
 */
static long try_kill(void)
{
	return kill(porter, 0);
}

/**
 * try_prog_load() - load a BPF program
 *
 * Return: -1 if that fails
 */
static long try_prog_load(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_XDP, .insn_cnt = 2,
				.insns = (uintptr_t)insns, .license = (uintptr_t)"GPL" };

	return syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

/**
 * try_map_create() - create a map
 *
 * Return: -1 if that fails
 */
static long try_map_create(void)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4,
				.max_entries = 1 };

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

/**
 * try_map_by_id() - get at another VM's map
 *
 * Return: -1 if that fails
 */
static long try_map_by_id(void)
{
	union bpf_attr attr = { .map_id = 1 };

	return syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
}

/**
 * try_mmap_exec() - get memory to execute
 *
 * Return: -1 if that fails
 */
static long try_mmap_exec(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0) == MAP_FAILED ? -1 : 0;
}

/**
 * try_mprotect_exec() - make memory executable
 *
 * Return: -1 if that fails
 */
static long try_mprotect_exec(void)
{
	static char page[8192] __attribute__((aligned(4096)));

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

/**
 * try_mount() - mount /proc
 *
 * Return: -1 if that fails
 */
static long try_mount(void)
{
	return mount("proc", "/", "proc", 0, NULL);
}

/**
 * try_unshare() - get capabilities, in a new user namespace
 *
 * Return: -1 if that fails
 */
static long try_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

/**
 * try_ioctl() - use a device's controls
 *
 * Return: -1 if that fails
 */
static long try_ioctl(void)
{
	int n;

	return ioctl(STDOUT_FILENO, FIONREAD, &n);
}

/**
 * try_fcntl() - change an fd
 *
 * Return: -1 if that fails
 */
static long try_fcntl(void)
{
	return fcntl(STDOUT_FILENO, F_GETFL);
}

/**
 * try_dumpable() - let others trace us
 *
 * Return: -1 if that fails
 */
static long try_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/**
 * on_forbidden() - a system call was one too many
 * @sig: SIGSYS
 * @info: which
 * @context: unused
 *
 * The next one, with the signal blocked, is the end.
 */
static void on_forbidden(int sig, siginfo_t *info, void *context)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "probe: killed for %d\n", info->si_syscall);

	(void)sig;
	(void)context;
	if (write(STDERR_FILENO, text, (size_t)len) == len)
		syscall(SYS_getuid);
	abort();
}

/**
 * probe() - try what the environment says, if it is to be tried now
 * @stage: the sandbox's last stage
 */
void probe(const char *stage)
{
	static const struct {
		const char *name;
		long (*run)(void);
	} probes[] = {
		{ "nothing", try_nothing }, { "open", try_open }, { "create", try_create },
		{ "network", try_network }, { "unix", try_unix }, { "exec", try_exec },
		{ "fork", try_fork }, { "ptrace", try_ptrace }, { "kill", try_kill },
		{ "prog_load", try_prog_load }, { "map_create", try_map_create },
		{ "map_by_id", try_map_by_id }, { "mmap_exec", try_mmap_exec },
		{ "mprotect_exec", try_mprotect_exec }, { "mount", try_mount },
		{ "unshare", try_unshare }, { "ioctl", try_ioctl }, { "fcntl", try_fcntl },
		{ "dumpable", try_dumpable },
	};
	const struct sigaction action = { .sa_sigaction = on_forbidden, .sa_flags = SA_SIGINFO };
	const char *what = getenv("VBPF_PROBE");
	size_t len = strlen(stage);

	if (!strcmp(stage, "isolated")) {
		sigaction(SIGSYS, &action, NULL);
		porter = getppid();
	}
	if (!what || strncmp(what, stage, len) != 0 || what[len] != ':')
		return;
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++) {
		if (strcmp(what + len + 1, probes[i].name) != 0)
			continue;
		errno = 0;
		if (probes[i].run() < 0)
			fprintf(stderr, "probe: refused (%d)\n", errno);
		else
			fprintf(stderr, "probe: done\n");
		_exit(0);
	}
	fprintf(stderr, "probe: unknown\n");
	_exit(1);
}
