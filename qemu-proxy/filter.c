// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The system calls that are left
 *
 * A list for each of the proxy's two processes; anything else kills it, at
 * once. The worker serves with what is open already: it cannot open, connect,
 * execute or make a process, and the few calls that could do more than they are
 * needed for are allowed with some arguments alone:
 *
 * - bpf(2) reads and writes elements of maps whose fds we hold, and asks what
 *   such an fd is;
 * - memory may be mapped, never to be executed.
 *
 * How the lists came about: by running all tests under strace, and reading
 * libvhost-user and sd-event for the rest.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "sandbox.h"

#define CNT(array)	(sizeof(array) / sizeof(*(array)))

/**
 * struct rule - a system call that is allowed
 * @call: its number, as libseccomp has it
 * @cmp: one of its arguments must be this; or op is 0 for "whatever they are"
 *
 * A call that is listed several times is allowed if one of the lines fits.
 */
struct rule {
	int call;
	struct scmp_arg_cmp cmp;
};

#define ANY(name)		{ .call = SCMP_SYS(name) }
#define ONLY(name, arg, value)	{ .call = SCMP_SYS(name), \
				  .cmp = SCMP_CMP64(arg, SCMP_CMP_EQ, value, 0) }
#define NOT_EXEC(name)		{ .call = SCMP_SYS(name), \
				  .cmp = SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) }

#ifdef VBPF_SANITIZED
/*
 * A build for tests alone. The sanitizers keep books of their own, and report
 * by reading /proc and more, which is no crime then, so that a finding is seen.
 */
#define SANITIZER_RULES	\
	ANY(open), ANY(openat), ANY(readlink), ANY(lseek), ANY(fstat), ANY(newfstatat), ANY(stat), \
	ANY(sigaltstack), ANY(rt_sigaction), ANY(rt_sigprocmask), ANY(sched_yield), \
	ANY(gettid), ANY(getppid), ANY(prctl), ANY(arch_prctl), ANY(clone), ANY(wait4), \
	ANY(sched_getaffinity), ANY(getrlimit), ANY(prlimit64), ANY(getrandom), ANY(tgkill), \
	ANY(getuid), ANY(geteuid), ANY(getcwd), ANY(pipe2), ANY(fcntl), ANY(ioctl), \
	ANY(getdents64), ANY(ptrace), ANY(exit), ANY(mlock), ANY(uname), ANY(munmap)
#else
#define SANITIZER_RULES
#endif

/* A call that an architecture does not have costs nothing there. */
static const struct rule worker_rules[] = {
	/* The loop */
	ANY(epoll_wait), ANY(epoll_pwait), ANY(epoll_pwait2), ANY(epoll_ctl),
	ANY(timerfd_settime), ANY(clock_gettime), ANY(poll), ANY(ppoll),
	ANY(restart_syscall), ANY(rt_sigreturn), ANY(getpid),
	/* The VMM, the loader, the porter, kicks and calls, the log */
	ANY(read), ANY(write), ANY(recvmsg), ANY(sendmsg), ANY(accept4), ANY(close), ANY(dup),
	ONLY(setsockopt, 1, SOL_SOCKET),
	/* The guest's memory, and ours */
	NOT_EXEC(mmap), NOT_EXEC(mprotect), ANY(munmap), ANY(mremap), ANY(madvise), ANY(brk),
	ANY(fstatfs), ANY(futex),
	/* Maps */
	ONLY(bpf, 0, BPF_MAP_LOOKUP_ELEM), ONLY(bpf, 0, BPF_MAP_UPDATE_ELEM),
	ONLY(bpf, 0, BPF_MAP_DELETE_ELEM), ONLY(bpf, 0, BPF_MAP_GET_NEXT_KEY),
	ONLY(bpf, 0, BPF_OBJ_GET_INFO_BY_FD),
	/* The end */
	ANY(exit_group),
	SANITIZER_RULES
};

static const struct rule porter_rules[] = {
	ANY(poll), ANY(ppoll), ANY(restart_syscall), ANY(rt_sigreturn),
	ANY(read), ANY(write), ANY(recvmsg), ANY(sendmsg), ANY(close),
	ONLY(socket, 0, AF_UNIX), ANY(connect), ANY(unlink), ANY(unlinkat), ANY(wait4),
	NOT_EXEC(mmap), ANY(munmap), ANY(brk), ANY(futex),
	ANY(exit_group),
	SANITIZER_RULES
};

/* The build for test_sandbox says which call it was, and is killed then. */
#ifdef VBPF_TEST_HOOK
#define FORBIDDEN	SCMP_ACT_TRAP
#else
#define FORBIDDEN	SCMP_ACT_KILL_PROCESS
#endif

/**
 * add_rules() - allow what a list holds
 * @ctx: the filter
 * @rules: the list
 * @cnt: number of @rules
 *
 * Return: 0, or a negative errno
 */
static int add_rules(scmp_filter_ctx ctx, const struct rule *rules, size_t cnt)
{
	int err = 0;

	for (size_t i = 0; i < cnt && !err; i++)
		err = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rules[i].call,
					     rules[i].cmp.op != 0, &rules[i].cmp);
	return err;
}

/**
 * load() - put this process under a filter, for good
 * @rules: what it may do
 * @cnt: number of @rules
 * @victim: a process that it may send signals to, or 0
 *
 * Return: 0, or a negative errno
 */
static int load(const struct rule *rules, size_t cnt, pid_t victim)
{
	const struct rule signals = ONLY(kill, 0, (uint64_t)victim);
	scmp_filter_ctx ctx = seccomp_init(FORBIDDEN);
	int err;

	if (!ctx)
		return -ENOMEM;
	err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!err)
		err = add_rules(ctx, rules, cnt);
	if (!err && victim)
		err = add_rules(ctx, &signals, 1);
	if (!err)
		err = seccomp_load(ctx);
	seccomp_release(ctx);
	return err;
}

/**
 * filter_worker() - leave the worker what it serves with
 *
 * Return: 0, or a negative errno
 */
int filter_worker(void)
{
	return load(worker_rules, CNT(worker_rules), 0);
}

/**
 * filter_porter() - leave the porter what it needs
 * @worker: whom it may end
 *
 * Return: 0, or a negative errno
 */
int filter_porter(pid_t worker)
{
	return load(porter_rules, CNT(porter_rules), worker);
}
