// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: How the proxy shuts itself in
 *
 * What parses a hostile guest's bytes is assumed lost one day. So before it
 * reads the first of them it gives up everything that it will not need, in
 * stages, each as early as what comes after it allows:
 *
 * 1. Start: inherited fds are closed, capabilities dropped, new privileges
 *    ruled out. Then the VMM's socket is made, and the porter (porter.c) goes
 *    its own way.
 * 2. Isolation (the worker): a user namespace, and in it a network without
 *    interfaces, IPC, UTS and cgroup namespaces of our own, and a mount
 *    namespace whose root is an empty, read-only tmpfs. Landlock as well, with
 *    no rule: nothing on any file system can be opened, no TCP port used and,
 *    with a kernel that can, no process outside signalled. Where namespaces are
 *    not permitted (in a chroot, by sysctl, by an outer sandbox) Landlock alone
 *    must do; without either the proxy refuses to start. What holds is said in
 *    one line.
 * 3. Limits: fds, memory of our own, no further process, no core file. The
 *    guest's memory is mapped too, of whatever size, so RLIMIT_AS cannot be
 *    used; RLIMIT_DATA counts only what is private. RLIMIT_FSIZE would end us
 *    when the log is a file.
 * 4. Last, when the event loop is set up: the system call filter (filter.c).
 *
 * Not done: a pid namespace. It would take a third process, and no call that
 * names another process passes the filter.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "maps.h"
#include "sandbox.h"

/* Maps, old and new ones while a loader comes back, and all else */
#define NOFILE		(2 * MAPS_MAX + 128)

/* Memory of our own: requests under way, responses, the library's */
#define DATA_BYTES	(64ul << 20)

/*
 * Landlock, as of the kernel 6.12; older headers lack parts of it, and no
 * library is needed for two calls.
 */
struct landlock_attr {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

#define LANDLOCK_VERSION	1u	/* flag: ask for the ABI's version */
#define LANDLOCK_NET		3u	/* TCP bind and connect */
#define LANDLOCK_SCOPED		3u	/* abstract unix sockets, signals */

#ifdef VBPF_SANITIZED
const char *__asan_default_options(void);

/**
 * __asan_default_options() - choose what the address sanitizer does
 *
 * The search for leaks is done by a process that traces us and reads /proc.
 *
 * Return: the options
 */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

/**
 * keep_capabilities() - drop capabilities
 * @setfcap: keep CAP_SETFCAP, if we have it, for the sandbox
 *
 * Return: 0, or -EPERM
 */
static int keep_capabilities(bool setfcap)
{
	setfcap = setfcap && capng_have_capability(CAPNG_EFFECTIVE, CAP_SETFCAP);
	capng_clear(CAPNG_SELECT_CAPS);
	if (setfcap)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_SETFCAP);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

/**
 * sandbox_drop_privileges() - give up what not even the start needs
 *
 * Root may not map itself into a user namespace without CAP_SETFCAP, which
 * therefore stays until sandbox_limit().
 *
 * Return: 0, or a negative errno after a sentence on stderr
 */
int sandbox_drop_privileges(void)
{
	if (geteuid() == 0)
		log_msg("started as root: going on without capabilities; "
			"a user of its own is better");
	/* The bounding set may stay: no exec can gain anything any more. */
	if (keep_capabilities(geteuid() == 0)) {
		log_msg("cannot drop capabilities");
		return -EPERM;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		log_msg("cannot rule out new privileges: %s", strerror(errno));
		return -errno;
	}
	return 0;
}

/**
 * write_file() - write a small file of /proc
 * @path: the file
 * @text: what goes into it
 *
 * Return: 0, or a negative errno
 */
static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/**
 * map_id() - keep our user or group in a new user namespace
 * @path: uid_map or gid_map
 * @id: the id
 *
 * Return: 0, or a negative errno
 */
static int map_id(const char *path, unsigned int id)
{
	char text[64];

	snprintf(text, sizeof(text), "%u %u 1\n", id, id);
	return write_file(path, text);
}

/**
 * enter_namespaces() - move into namespaces of our own
 *
 * Return: 0, or a negative errno
 */
static int enter_namespaces(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int err;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
		    CLONE_NEWCGROUP))
		return -errno;
	err = map_id("/proc/self/uid_map", uid);
	/* Group ids may be mapped by somebody who cannot change groups. */
	if (!err)
		err = write_file("/proc/self/setgroups", "deny");
	if (!err)
		err = map_id("/proc/self/gid_map", gid);
	return err;
}

/**
 * empty_root() - make an empty folder the root of all that there is
 *
 * The tmpfs is put on /proc because that is everywhere. pivot_root() on "."
 * puts the old root on top of the new one, from where it is taken off.
 *
 * Return: 0, or a negative errno
 */
static int empty_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/proc", "tmpfs", MS_NODEV | MS_NOEXEC | MS_NOSUID | MS_RDONLY,
		  "nr_inodes=1,nr_blocks=1,mode=555") ||
	    chdir("/proc") ||
	    syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH) ||
	    chdir("/"))
		return -errno;
	return 0;
}

/**
 * forbid_files() - have Landlock refuse all that it can
 *
 * Return: the ABI's version, or a negative errno
 */
static int forbid_files(void)
{
	/* Rights on files that each version knows; it refuses those it does not */
	static const unsigned int rights[] = { 0, 13, 14, 15, 15, 16 };
	struct landlock_attr attr = { 0 };
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
	int fd, err = 0;

	if (abi < 0)
		return -errno;
	attr.fs = (1u << rights[abi < 5 ? abi : 5]) - 1;
	attr.net = abi >= 4 ? LANDLOCK_NET : 0;
	attr.scoped = abi >= 6 ? LANDLOCK_SCOPED : 0;
	/* Zeroes that a kernel does not know are no offence. */
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_landlock_restrict_self, fd, 0))
		err = -errno;
	close(fd);
	return err ? err : (int)abi;
}

/**
 * sandbox_isolate() - leave the file systems, the network and all others behind
 *
 * Return: 0, or a negative errno after a sentence on stderr
 */
int sandbox_isolate(void)
{
	int err = enter_namespaces(), abi;

	if (!err)
		err = empty_root();
	abi = forbid_files();
	if (err && abi < 0) {
		log_msg("cannot be sandboxed: no namespaces (%s), no Landlock (%s); permit one of "
			"them, or say --sandbox=none", strerror(-err), strerror(-abi));
		return err;
	}
	if (err)
		log_msg("sandboxed by Landlock (ABI %d) and a filter of system calls; without "
			"namespaces, which are not permitted here (%s)", abi, strerror(-err));
	else if (abi < 0)
		log_msg("sandboxed by namespaces and a filter of system calls; this kernel has no "
			"Landlock");
	else
		log_msg("sandboxed by namespaces, Landlock (ABI %d) and a filter of system calls",
			abi);
	return 0;
}

/**
 * sandbox_limit() - drop the last capabilities and set limits
 *
 * Return: 0, or a negative errno after a sentence on stderr
 */
int sandbox_limit(void)
{
	static const struct {
		int what;
		rlim_t max;
	} limits[] = {
		{ RLIMIT_NOFILE, NOFILE },
		{ RLIMIT_NPROC, 0 },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_MEMLOCK, 0 },
		{ RLIMIT_MSGQUEUE, 0 },
#ifndef VBPF_SANITIZED
		{ RLIMIT_DATA, DATA_BYTES },
#endif
	};

	if (keep_capabilities(false)) {
		log_msg("cannot drop capabilities");
		return -EPERM;
	}
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rlimit now = { 0 };

		/* Never more than whoever started us allows */
		if (!getrlimit(limits[i].what, &now) && now.rlim_max < limits[i].max)
			continue;
		now.rlim_cur = limits[i].max;
		now.rlim_max = limits[i].max;
		if (setrlimit(limits[i].what, &now)) {
			log_msg("cannot limit resource %d: %s", limits[i].what, strerror(errno));
			return -errno;
		}
	}
	/* A proxy of another VM, run by the same user, could trace us. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) {
		log_msg("cannot refuse to be traced: %s", strerror(errno));
		return -errno;
	}
	return 0;
}
