// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What is left to the daemon, its fork server and its workers
 *
 * Of capabilities, CAP_BPF and CAP_NET_ADMIN; to the fork server and to its
 * workers CAP_PERFMON as well (forkserver.c).
 *
 * Of system calls, by seccomp, in steps. The daemon keeps what its event loop, its sockets,
 * bpffs, the reading of its configuration (user names may be asked of a name
 * service) and the start of workers need, and of bpf(2) the commands that it
 * uses. It loses execve, ptrace, mount, the namespaces, the changing of users,
 * io_uring, perf_event_open and whatever else is not listed.
 *
 * A worker keeps memory, one message to the daemon, and of bpf(2) what loads a
 * program. One that the fork server made may receive messages too, since its
 * program comes in one, and can make no map: form lite has no scratch.
 *
 * The fork server keeps what its workers do (they have its filter as well as
 * their own), messages, clone() with the flags that it uses, and what a worker
 * does before it has its filter.
 *
 * What is not allowed fails with EPERM, and does not kill: a C library that
 * tries something newer first shall find its way back.
 *
 * The sanitizers do more than the program that they watch, and want more room.
 * A build with them has no filters and no limit on memory.
 */
#include <cap-ng.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
static const bool sandbox_wanted = false;
#else
static const bool sandbox_wanted = true;
#endif

static const int sandbox_daemon_calls[] = {
	/* memory, time, itself */
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(mprotect),
	SCMP_SYS(madvise), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(getrandom), SCMP_SYS(futex), SCMP_SYS(rseq), SCMP_SYS(set_robust_list),
	SCMP_SYS(set_tid_address), SCMP_SYS(uname),
	SCMP_SYS(sysinfo), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid),
	SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	SCMP_SYS(prlimit64), SCMP_SYS(getrusage), SCMP_SYS(sched_getaffinity), SCMP_SYS(umask),
	SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* signals and workers */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(sigaltstack), SCMP_SYS(kill), SCMP_SYS(tgkill),
	SCMP_SYS(fork), SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(pidfd_open),
	SCMP_SYS(pidfd_send_signal), SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(close_range),
	/* the event loop */
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(signalfd4),
	SCMP_SYS(eventfd2),
	/* sockets; socket() itself by its family */
	SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen),
	SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname),
	SCMP_SYS(getpeername), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(shutdown),
	/* files: the configuration, name services, bpffs */
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(pread64),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(fcntl), SCMP_SYS(dup),
	SCMP_SYS(dup3), SCMP_SYS(memfd_create),	/* libbpf */
	SCMP_SYS(ioctl), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
};

static const int sandbox_daemon_cmds[] = {
	BPF_MAP_CREATE, BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_UPDATE_BATCH,
	BPF_MAP_DELETE_BATCH, BPF_PROG_LOAD, BPF_OBJ_PIN, BPF_OBJ_GET, BPF_OBJ_GET_INFO_BY_FD,
	BPF_LINK_CREATE, BPF_LINK_UPDATE, BPF_LINK_DETACH,
};

static const int sandbox_worker_calls[] = {
	SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(close),
	SCMP_SYS(sendmsg), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static const int sandbox_worker_cmds[] = {
	BPF_PROG_LOAD, BPF_OBJ_GET_INFO_BY_FD,
};

/* Beside a worker's: messages, and how a process becomes a worker (worker.c) */
static const int sandbox_forkserver_calls[] = {
	SCMP_SYS(recvmsg), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(prctl),
	SCMP_SYS(prlimit64), SCMP_SYS(close_range), SCMP_SYS(seccomp),
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/**
 * sandbox_allow() - allow system calls, whatever their arguments
 * @ctx: the filter
 * @calls: the calls; one that this architecture does not have is passed over
 * @cnt: number of @calls
 *
 * Return: 0, or a negative errno
 */
static int sandbox_allow(scmp_filter_ctx ctx, const int *calls, size_t cnt)
{
	int err = 0;

	for (size_t i = 0; i < cnt && !err; i++)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	return err;
}

/**
 * sandbox_allow_if() - allow a system call if its first argument is right
 * @ctx: the filter
 * @call: the call
 * @mask: bits of the argument that are looked at
 * @value: that they must have
 *
 * Return: 0, or a negative errno
 */
static int sandbox_allow_if(scmp_filter_ctx ctx, int call, uint64_t mask, uint64_t value)
{
	const struct scmp_arg_cmp arg = {
		.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value,
	};

	return seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, call, 1, &arg);
}

/**
 * sandbox_allow_args() - allow a system call if its first argument is one of some
 * @ctx: the filter
 * @call: the call
 * @args: those, of 32 bits
 * @cnt: number of @args
 *
 * Return: 0, or a negative errno
 */
static int sandbox_allow_args(scmp_filter_ctx ctx, int call, const int *args, size_t cnt)
{
	int err = 0;

	for (size_t i = 0; i < cnt && !err; i++)
		err = sandbox_allow_if(ctx, call, UINT32_MAX, (uint64_t)args[i]);
	return err;
}

/**
 * sandbox_daemon() - keep the system calls that the daemon needs, for good
 * @why: a sentence if that fails
 *
 * To fork is allowed as a clone() without flags for namespaces.
 *
 * Return: 0, or a negative errno with @why
 */
int sandbox_daemon(struct text *why)
{
	static const int families[] = { AF_UNIX, AF_NETLINK };
	static const uint64_t namespaces = 0x7e020080;	/* CLONE_NEW*, all of them */
	scmp_filter_ctx ctx;
	int err;

	if (!sandbox_wanted)
		return 0;
	ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	err = ctx ? sandbox_allow(ctx, sandbox_daemon_calls, COUNT(sandbox_daemon_calls)) : -ENOMEM;
	if (!err)
		err = sandbox_allow_if(ctx, SCMP_SYS(clone), namespaces, 0);
	if (!err)	/* its flags are out of a filter's sight; glibc then takes clone() */
		err = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!err)
		err = sandbox_allow_args(ctx, SCMP_SYS(socket), families, COUNT(families));
	if (!err)
		err = sandbox_allow_args(ctx, SCMP_SYS(bpf), sandbox_daemon_cmds,
					 COUNT(sandbox_daemon_cmds));
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	if (err)
		text_add(why, "cannot give system calls up, which this daemon does not run without:"
			 " %s\n", strerror(-err));
	return err;
}

/**
 * sandbox_small() - begin a filter with what every worker needs
 * @err: set to 0 or a negative errno
 *
 * Return: the filter, or NULL
 */
static scmp_filter_ctx sandbox_small(int *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	*err = ctx ? sandbox_allow(ctx, sandbox_worker_calls, COUNT(sandbox_worker_calls)) :
		     -ENOMEM;
	if (!*err)
		*err = sandbox_allow_args(ctx, SCMP_SYS(bpf), sandbox_worker_cmds,
					  COUNT(sandbox_worker_cmds));
	return ctx;
}

/**
 * sandbox_forkserver() - keep the system calls that the fork server and its
 * workers need, for good
 *
 * Return: 0, or a negative errno
 */
int sandbox_forkserver(void)
{
	scmp_filter_ctx ctx;
	int err;

	if (!sandbox_wanted)
		return 0;
	ctx = sandbox_small(&err);
	if (!err)
		err = sandbox_allow(ctx, sandbox_forkserver_calls,
				    COUNT(sandbox_forkserver_calls));
	if (!err)
		err = sandbox_allow_if(ctx, SCMP_SYS(clone), UINT64_MAX, CLONE_PARENT | SIGCHLD);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

/**
 * sandbox_worker() - keep the system calls that a worker needs, for good
 * @relaxed: it is the fork server's
 *
 * Return: 0, or a negative errno
 */
int sandbox_worker(bool relaxed)
{
	scmp_filter_ctx ctx;
	int err;

	if (!sandbox_wanted)
		return 0;
	ctx = sandbox_small(&err);
	if (!err && relaxed)
		err = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), 0);
	if (!err && !relaxed)	/* the scratch of form sfi */
		err = sandbox_allow_if(ctx, SCMP_SYS(bpf), UINT32_MAX, BPF_MAP_CREATE);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

/**
 * sandbox_privileges() - keep the capabilities that are needed, for good
 * @perfmon: CAP_PERFMON is among them
 * @why: a sentence if that fails
 *
 * The bounding set can only be shrunk with CAP_SETPCAP, which is dropped with
 * the rest. no_new_privs closes that way too.
 *
 * Return: 0, or -EPERM with @why
 */
int sandbox_privileges(bool perfmon, struct text *why)
{
	capng_select_t set = CAPNG_SELECT_CAPS;

	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
		set |= CAPNG_SELECT_BOUNDS;
	capng_clear(CAPNG_SELECT_ALL);
	capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_BPF, CAP_NET_ADMIN,
		      perfmon ? CAP_PERFMON : -1, -1);
	if (capng_apply(set) || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		text_add(why, "cannot drop privileges: %s\n", strerror(errno));
		return -EPERM;
	}
	return 0;
}

/**
 * sandbox_memory() - limit this process's address space
 * @more: bytes that it may have beside what it has
 *
 * Return: 0, or a negative errno
 */
int sandbox_memory(uint64_t more)
{
	struct rlimit limit;
	unsigned long long pages = 0;
	FILE *file;
	int cnt;

	if (!sandbox_wanted)
		return 0;
	file = fopen("/proc/self/statm", "re");
	if (!file)
		return -errno;
	cnt = fscanf(file, "%llu", &pages);
	fclose(file);
	if (cnt != 1)
		return -EIO;
	limit.rlim_cur = pages * (uint64_t)sysconf(_SC_PAGESIZE) + more;
	limit.rlim_max = limit.rlim_cur;
	return setrlimit(RLIMIT_AS, &limit) ? -errno : 0;
}
