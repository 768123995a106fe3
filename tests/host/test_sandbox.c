// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What a proxy that was taken over can still do
 *
 * A build of the proxy with a hook (probe.c) tries, from inside. Everything is
 * tried twice: after the last stage, where the filter of system calls kills it,
 * and before that, where what lies behind the filter must refuse it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../qemu-proxy/sandbox.h"
#include "../ktap.h"
#include "bed.h"
#include "launch.h"

#define SYSCALLS	480	/* more than any kernel so far has */
#define ALLOWED_MAX	40

/* What is tried (probe.c), and the system call that it is killed for */
static const struct {
	const char *name;
	long nr;
} crimes[] = {
	{ "open", SYS_openat }, { "create", SYS_openat }, { "network", SYS_socket },
	{ "unix", SYS_socket }, { "exec", SYS_execve }, { "fork", SYS_clone },
	{ "ptrace", SYS_ptrace }, { "kill", SYS_kill }, { "prog_load", SYS_bpf },
	{ "map_create", SYS_bpf }, { "map_by_id", SYS_bpf }, { "mmap_exec", SYS_mmap },
	{ "mprotect_exec", SYS_mprotect }, { "mount", SYS_mount }, { "unshare", SYS_unshare },
	{ "ioctl", SYS_ioctl }, { "fcntl", SYS_fcntl }, { "dumpable", SYS_prctl },
};

/**
 * hooked() - a proxy with the hook
 * @probe: STAGE:NAME, or NULL
 *
 * Return: it, not started
 */
static struct launch hooked(const char *probe)
{
	return (struct launch){
		.program = "tests/host/hooked-proxy", .uid = PROXY_UID, .probe = probe,
		.sock = -1, .loader = bed_path("socket"), .port = "vm0",
	};
}

/**
 * says() - does some output contain some words?
 * @out: the output
 * @words: the words
 *
 * Return: whether it does
 */
static bool says(const char *out, const char *words)
{
	if (strstr(out, words))
		return true;
	printf("# expected \"%s\", got \"%s\"\n", words, out);
	return false;
}

/**
 * t_filter() - what is forbidden kills, and nothing else does
 *
 * Return: true if so
 */
static bool t_filter(void)
{
	struct launch l = hooked("filtered:nothing");
	char out[2048], probe[64], words[64];

	CHECK(launch_start(&l));
	CHECK_EQ(launch_wait(&l, 10000, out, sizeof(out)), 0);
	CHECK(says(out, "probe: done"));
	for (size_t i = 0; i < sizeof(crimes) / sizeof(*crimes); i++) {
		snprintf(probe, sizeof(probe), "filtered:%s", crimes[i].name);
		snprintf(words, sizeof(words), "probe: killed for %ld\n", crimes[i].nr);
		l = hooked(probe);
		CHECK(launch_start(&l));
		CHECK_EQ(launch_wait(&l, 10000, out, sizeof(out)), 1);
		if (!says(out, words) || !says(out, "was killed for a system call")) {
			printf("# by %s\n", crimes[i].name);
			return false;
		}
	}
	return true;
}

/**
 * refused() - does something fail before the filter is there?
 * @what: name of the probe
 * @root: see struct launch
 * @no_landlock: as there
 *
 * Return: the errno; 0 if it does not fail, -1 if the test does
 */
static int refused(const char *what, const char *root, bool no_landlock)
{
	struct launch l;
	char out[2048], probe[64];
	const char *words;

	snprintf(probe, sizeof(probe), "isolated:%s", what);
	l = hooked(probe);
	l.root = root;
	l.no_landlock = no_landlock;
	if (!launch_start(&l) || launch_wait(&l, 10000, out, sizeof(out)))
		return -1;
	words = strstr(out, "probe: ");
	if (!words || !strncmp(words, "probe: done", 11))
		return words ? 0 : -1;
	return atoi(words + strlen("probe: refused ("));
}

/**
 * t_namespaces() - behind the filter: no file, no network, no process
 *
 * Return: true if so
 */
static bool t_namespaces(void)
{
	CHECK_EQ(refused("open", NULL, true), ENOENT);
	CHECK_EQ(refused("create", NULL, true), ENOENT);
	CHECK_EQ(refused("exec", NULL, true), ENOENT);
	CHECK_EQ(refused("network", NULL, true), ENETUNREACH);
	CHECK_EQ(refused("fork", NULL, true), EAGAIN);
	CHECK_EQ(refused("ptrace", NULL, true), EPERM);
	CHECK_EQ(refused("mount", NULL, true), EPERM);
	CHECK_EQ(refused("prog_load", NULL, true), EPERM);
	return true;
}

/**
 * other_root() - get a folder that can be a root
 *
 * Return: a mount of all there is, in the run folder; or NULL
 */
static const char *other_root(void)
{
	static char root[64];

	snprintf(root, sizeof(root), "%s", bed_path("root"));
	mkdir(root, 0755);
	return mount("/", root, NULL, MS_BIND | MS_REC, NULL) ? NULL : root;
}

/**
 * t_landlock() - where no namespaces can be had, Landlock does it
 *
 * Whoever is in a chroot may make no user namespace.
 *
 * Return: true if so
 */
static bool t_landlock(void)
{
	struct launch l = hooked("isolated:nothing");
	const char *root = other_root();
	char out[2048];
	bool ok;

	CHECK(root);
	l.root = root;
	CHECK(launch_start(&l));
	ok = !launch_wait(&l, 10000, out, sizeof(out)) && says(out, "sandboxed by Landlock") &&
	     refused("open", root, false) == EACCES && refused("create", root, false) == EACCES &&
	     refused("exec", root, false) == EACCES && refused("fork", root, false) == EAGAIN &&
	     refused("ptrace", root, false) == EPERM && refused("mount", root, false) == EPERM &&
	     refused("prog_load", root, false) == EPERM;
	umount2(root, MNT_DETACH);
	return ok;
}

/**
 * t_refuses() - without a sandbox it does not start, unless told to
 *
 * Return: true if so
 */
static bool t_refuses(void)
{
	struct launch l = hooked("isolated:nothing");
	const char *root = other_root();
	char out[2048];
	bool ok;

	CHECK(root);
	l.root = root;
	l.no_landlock = true;
	ok = launch_start(&l) && launch_wait(&l, 10000, out, sizeof(out)) == 1 &&
	     says(out, "cannot be sandboxed") && says(out, "--sandbox=none") &&
	     !strstr(out, "probe:");
	l.option = "--sandbox=none";
	l.probe = "filtered:open";
	ok = ok && launch_start(&l) && !launch_wait(&l, 10000, out, sizeof(out)) &&
	     says(out, "running without a sandbox") && says(out, "probe: done");
	umount2(root, MNT_DETACH);
	CHECK(ok);
	l = hooked("filtered:nothing");
	l.no_seccomp = true;
	CHECK(launch_start(&l) && launch_wait(&l, 10000, out, sizeof(out)) == 1);
	CHECK(says(out, "cannot filter system calls") && !strstr(out, "probe:"));
	return true;
}

/**
 * serves_in() - check what the kernel says of one of the two processes
 * @pid: the process
 * @worker: it is the worker
 *
 * Return: true if all is as it should be
 */
static bool serves_in(pid_t pid, bool worker)
{
	static const char *const spaces[] = { "user", "mnt", "net", "ipc", "uts", "cgroup" };
	char out[8192], ours[64], its[64], path[64];

	CHECK(!bed_run(out, sizeof(out), "cat /proc/%d/status /proc/%d/limits", pid, pid));
	CHECK(says(out, "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
			"CapEff:\t0000000000000000\n"));
	CHECK(says(out, "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"));
	CHECK(says(out, "Uid:\t65534\t65534\t65534\t65534\n"));
	CHECK(says(out, "Max core file size        0                    0 "));
	CHECK(says(out, "Max processes             0                    0 "));
	CHECK(says(out, "Max open files            1152                 1152 "));
	CHECK(says(out, "Max data size             67108864             67108864 "));
	for (size_t i = 0; worker && i < sizeof(spaces) / sizeof(*spaces); i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, spaces[i]);
		n = readlink(path, its, sizeof(its) - 1);
		CHECK(n > 0);
		its[n] = 0;
		snprintf(path, sizeof(path), "/proc/self/ns/%s", spaces[i]);
		n = readlink(path, ours, sizeof(ours) - 1);
		CHECK(n > 0);
		ours[n] = 0;
		CHECK(strcmp(ours, its) != 0);
	}
	if (worker) {
		CHECK(!bed_run(out, sizeof(out), "ls -A /proc/%d/root/", pid) && !*out);
		CHECK(!bed_run(out, sizeof(out), "wc -l </proc/%d/mountinfo", pid));
		CHECK_EQ(atoi(out), 1);
	}
	CHECK(!bed_run(out, sizeof(out), "ls -l /proc/%d/fd", pid));
	CHECK(!strstr(out, "-> /proc") && !strstr(out, "-> /tmp") && !strstr(out, "-> /etc"));
	return true;
}

/**
 * t_proc() - what the kernel says of a proxy that serves
 *
 * Return: true if all is as it should be
 */
static bool t_proc(void)
{
	struct launch l = hooked(NULL);
	char out[64];
	pid_t pid;
	bool ok;

	l.program = "qemu-proxy/virtio-bpf-proxy";
	CHECK(launch_start(&l));
	pid = launch_worker(&l);
	CHECK(pid);
	/* The filter is the last thing. */
	for (int i = 0; i < 250; i++) {
		if (!bed_run(out, sizeof(out), "grep -q '^Seccomp:.2' /proc/%d/status", pid))
			break;
		usleep(20000);
	}
	ok = serves_in(pid, true) && serves_in(l.pid, false);
	CHECK_EQ(launch_stop(&l), 0);
	return ok;
}

/**
 * t_die_together() - neither process outlives the other
 *
 * Return: true if so
 */
static bool t_die_together(void)
{
	struct launch l = hooked(NULL);
	char out[2048];
	pid_t pid;

	CHECK(launch_start(&l));
	pid = launch_worker(&l);
	CHECK(pid && !kill(pid, SIGKILL));
	CHECK_EQ(launch_wait(&l, 10000, out, sizeof(out)), 1);
	CHECK(says(out, "was killed by signal 9"));
	CHECK(launch_start(&l));
	CHECK(launch_worker(&l));
	usleep(200000);
	kill(l.pid, SIGKILL);
	/* Both have the pipe open: it ends when both did. */
	CHECK_EQ(launch_wait(&l, 5000, NULL, 0), -1);
	return true;
}

/**
 * allowed() - try a system call under the worker's filter
 * @nr: its number
 *
 * Return: whether it is allowed, with arguments of all ones
 */
static bool allowed(long nr)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		alarm(5);
		if (filter_worker())
			_exit(1);
		syscall(nr, -1, -1, -1, -1, -1, -1);
		syscall(SYS_exit_group, 0);
	}
	waitpid(pid, &status, 0);
	return !WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS;
}

/**
 * t_count() - how many system calls the worker has left
 *
 * Return: true if they are few
 */
static bool t_count(void)
{
	/* Allowed with other arguments alone */
	static const long picky[] = { SYS_bpf, SYS_mmap, SYS_mprotect, SYS_setsockopt };
	int cnt = sizeof(picky) / sizeof(*picky);

	for (size_t i = 0; i < sizeof(picky) / sizeof(*picky); i++)
		CHECK(!allowed(picky[i]));
	for (long nr = 0; nr < SYSCALLS; nr++)
		cnt += allowed(nr);
	printf("# %d system calls\n", cnt);
	CHECK(cnt > 20 && cnt <= ALLOWED_MAX);
	return true;
}

/**
 * t_folder() - make what the cases need
 *
 * Return: true if that worked
 */
static bool t_folder(void)
{
	CHECK(!mkdir(bed_path("proxy"), 0700));
	CHECK(!chown(bed_path("proxy"), PROXY_UID, PROXY_UID));
	return true;
}

/**
 * main() - run all cases
 *
 * Return: the exit status
 */
int main(void)
{
	static const struct ktap_case cases[] = {
		{ "a folder for the proxy's socket", t_folder },
		{ "a forbidden system call is the last one", t_filter },
		{ "at most 40 system calls are left", t_count },
		{ "without the filter: namespaces", t_namespaces },
		{ "without filter and namespaces: Landlock", t_landlock },
		{ "no sandbox: it does not start, unless told to", t_refuses },
		{ "capabilities, filter, limits and namespaces, from /proc", t_proc },
		{ "neither process outlives the other", t_die_together },
	};

#ifdef VBPF_SANITIZED
	printf("TAP version 13\n1..0 # SKIP the sanitizers need a wider sandbox\n");
	return 0;
#endif
	return bed_main(cases, sizeof(cases) / sizeof(*cases));
}
