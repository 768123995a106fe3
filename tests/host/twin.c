// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <cap-ng.h>
#include <errno.h>
#include <limits.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "twin.h"
#include "virtio_bpf.h"

#define LO_IFINDEX	1	/* what BPF_PROG_TEST_RUN shows an XDP program */
#define MAX_CPUS	1024
#define MAX_VALUE	128

/* Say why a check failed, in the output of the test. */
#define FAILED(...) (printf("# " __VA_ARGS__), printf("\n"), false)

/**
 * twin_usable() - may this process load programs at all?
 *
 * Return: true if so
 */
bool twin_usable(void)
{
	return !geteuid() && capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN);
}

/**
 * load() - load a program with the caller's privileges
 * @type: of the program
 * @insns: the program
 * @cnt: number of @insns
 * @log: room for the kernel's log if it is refused, an empty text else
 * @size: bytes of it
 *
 * Return: an fd or -errno
 */
static int load(enum bpf_prog_type type, const struct bpf_insn *insns, uint32_t cnt, char *log,
		uint32_t size)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts);
	int fd = bpf_prog_load(type, "twin", "GPL", insns, cnt, &opts);
	int err = -errno;

	log[0] = 0;
	if (fd >= 0)
		return fd;
	opts.log_buf = log;
	opts.log_size = size;
	opts.log_level = 1;
	fd = bpf_prog_load(type, "twin", "GPL", insns, cnt, &opts);
	return fd < 0 ? err : fd;
}

/**
 * keep_tail() - keep the end of a kernel's log, where the reason is
 * @text: room for it
 * @size: bytes of it
 * @log: the log
 */
static void keep_tail(char *text, size_t size, const char *log)
{
	size_t len = strlen(log), skip = len >= size ? len - size + 1 : 0;

	memcpy(text, log + skip, len - skip + 1);
}

/**
 * load_child() - load a program with CAP_BPF and CAP_NET_ADMIN alone
 * @sock: where the fd's number or -errno goes, and the end of the log
 * @out: the program
 *
 * Does not return. Waits for the other end of @sock to be closed.
 */
static void load_child(int sock, const struct rw_out *out)
{
	static char log[1 << 20];
	char text[1024] = "";
	int fd = -EPERM;

	capng_clear(CAPNG_SELECT_BOTH);
	capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_BPF, CAP_NET_ADMIN, -1);
	if (!capng_apply(CAPNG_SELECT_CAPS) &&
	    !capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON))
		fd = load(BPF_PROG_TYPE_SCHED_CLS, out->insns, out->cnt, log, sizeof(log));
	keep_tail(text, sizeof(text), log);
	if (write(sock, &fd, sizeof(fd)) == sizeof(fd) && write(sock, text, sizeof(text)) > 0)
		(void)!read(sock, &fd, 1);
	_exit(0);
}

/**
 * load_strict() - load a translation as a tenant's is loaded
 * @t: the twins; err and text say how it went
 * @out: the translation, with fds for maps
 *
 * Return: an fd or -errno
 */
static int load_strict(struct twin *t, const struct rw_out *out)
{
	int sock[2], fd = -EIO, pidfd;
	pid_t pid;

	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sock))
		return -errno;
	pid = fork();
	if (!pid) {
		close(sock[0]);
		load_child(sock[1], out);
	}
	close(sock[1]);
	if (pid < 0 || read(sock[0], &fd, sizeof(fd)) != sizeof(fd) ||
	    read(sock[0], t->text, sizeof(t->text) - 1) < 0)
		fd = -EIO;
	if (fd >= 0) {
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
		close(pidfd);
	}
	close(sock[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return fd;
}

/**
 * put_fds() - put fds in the place of map handles
 * @t: the twins
 * @which: 0 for the native program's maps, 1 for the translation's
 * @insns: the program
 * @cnt: number of @insns
 */
static void put_fds(const struct twin *t, int which, struct bpf_insn *insns, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++) {
		if (insns[i].code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insns[i].src_reg == BPF_PSEUDO_MAP_FD) {
			uint32_t handle = (uint32_t)insns[i].imm;

			insns[i].imm = handle == RW_HANDLE_SCRATCH ? t->scratch : t->counters;
			for (uint32_t m = 0; m < t->prog.map_cnt; m++)
				if (t->prog.maps[m].handle == handle)
					insns[i].imm = t->maps[m][which];
		}
		i++;
	}
}

/**
 * make_maps() - create both sets of maps, the counters and the scratch
 * @t: the twins
 *
 * Return: true if that worked
 */
static bool make_maps(struct twin *t)
{
	t->counters = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "counters", 4, 8,
				     VIRTIO_BPF_CNT_MAX, NULL);
	if (t->counters < 0)
		return FAILED("no counters: %s", strerror(errno));
	t->scratch = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "scratch", 4,
				    RW_SCRATCH_SIZE(TWIN_WINDOW), 1, NULL);
	if (t->scratch < 0)
		return FAILED("no scratch: %s", strerror(errno));
	for (uint32_t m = 0; m < t->prog.map_cnt; m++) {
		const struct rw_map *map = &t->prog.maps[m];

		for (int which = 0; which < 2; which++) {
			t->maps[m][which] = bpf_map_create(map->map_type, "twin", map->key_size,
							   map->value_size, map->max_entries, NULL);
			if (t->maps[m][which] < 0)
				return FAILED("no map: %s", strerror(errno));
		}
	}
	return true;
}

/**
 * load_native() - load the program as it is
 * @t: the twins
 *
 * Return: true if that worked
 */
static bool load_native(struct twin *t)
{
	static char log[1 << 20];
	struct bpf_insn *insns = calloc(t->prog.cnt, sizeof(*insns));

	if (!insns)
		return false;
	memcpy(insns, t->prog.insns, t->prog.cnt * sizeof(*insns));
	put_fds(t, 0, insns, t->prog.cnt);
	t->native = load(BPF_PROG_TYPE_XDP, insns, t->prog.cnt, log, sizeof(log));
	free(insns);
	if (t->native >= 0)
		return true;
	keep_tail(t->text, sizeof(t->text), log);
	return FAILED("not loaded as XDP: %s\n# %s", strerror(-t->native), t->text);
}

/**
 * twin_make() - load a program and its translation
 * @t: result; free with twin_free() in any case
 * @prog: the program; stays the caller's
 * @form: of the translation
 *
 * A program that the rewriter or the kernel refuses is told by t->err.
 *
 * Return: false if the program itself is not as it should be
 */
bool twin_make(struct twin *t, const struct rw_prog *prog, enum rw_form form)
{
	const struct rw_opts opts = { form, RW_TARGET_SKB, LO_IFINDEX, TWIN_WINDOW };
	struct rw_out out = { 0 };
	struct text why = { 0 };

	*t = (struct twin){ .native = -1, .strict = -1, .counters = -1, .scratch = -1, .prog = *prog };
	t->prog.ifindex = LO_IFINDEX;
	memset(t->maps, -1, sizeof(t->maps));
	if (prog->map_cnt > TWIN_MAPS || !make_maps(t) || !load_native(t))
		return false;
	t->err = rw_check(&t->prog, VIRTIO_BPF_MAX_INSNS, &why);
	if (!t->err)
		t->err = rw_rewrite(&t->prog, &opts, &out, &why);
	if (!t->err) {
		put_fds(t, 1, out.insns, out.cnt);
		t->strict = load_strict(t, &out);
		t->cnt = out.cnt;
		t->err = t->strict < 0 ? t->strict : 0;
	} else {
		snprintf(t->text, sizeof(t->text), "%s", why.buf ? why.buf : "");
	}
	text_free(&why);
	rw_out_free(&out);
	return true;
}

/**
 * object_path() - where a compiled test program is
 * @name: of the program
 * @path: room for it
 * @size: bytes of it
 */
static void object_path(const char *name, char *path, size_t size)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[len < 0 ? 0 : len] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	snprintf(path, size, "%s/../progs/%s.o", self, name);
}

/**
 * twin_from_object() - load a program that clang compiled, and its translation
 * @t: result; free with twin_free() in any case
 * @name: of the object in tests/progs
 * @form: of the translation
 *
 * Return: false if the program itself is not as it should be
 */
bool twin_from_object(struct twin *t, const char *name, enum rw_form form)
{
	struct rw_map maps[TWIN_MAPS];
	struct rw_prog prog = { .maps = maps };
	struct bpf_program *bp;
	struct bpf_object *obj;
	struct bpf_map *map;
	char path[PATH_MAX + 64];
	bool ok = false;

	*t = (struct twin){ .native = -1, .strict = -1, .counters = -1, .scratch = -1 };
	memset(t->maps, -1, sizeof(t->maps));
	object_path(name, path, sizeof(path));
	obj = bpf_object__open_file(path, NULL);
	if (!obj)
		return FAILED("%s: %s", path, strerror(errno));
	bp = bpf_object__next_program(obj, NULL);
	/* libbpf links calls and maps when it loads; handles are its maps' fds. */
	if (!bp || bpf_object__load(obj)) {
		bpf_object__close(obj);
		return FAILED("%s does not load", path);
	}
	bpf_object__for_each_map(map, obj) {
		if (prog.map_cnt == TWIN_MAPS)
			break;
		maps[prog.map_cnt++] = (struct rw_map){
			.handle = (uint32_t)bpf_map__fd(map),
			.map_type = bpf_map__type(map),
			.key_size = bpf_map__key_size(map),
			.value_size = bpf_map__value_size(map),
			.max_entries = bpf_map__max_entries(map),
		};
	}
	prog.insns = bpf_program__insns(bp);
	prog.cnt = (uint32_t)bpf_program__insn_cnt(bp);
	ok = twin_make(t, &prog, form);
	/* Only what twin_maps_equal() needs outlives the object. */
	t->prog.insns = NULL;
	t->prog.maps = NULL;
	bpf_object__close(obj);
	return ok;
}

/**
 * expected() - what a verdict is at tcx, and which counter it counts
 * @verdict: what the XDP program returned
 * @counter: result
 *
 * Return: what the translation should return
 */
static int expected(uint32_t verdict, uint32_t *counter)
{
	*counter = verdict <= XDP_TX ? verdict : VIRTIO_BPF_CNT_INVALID;
	if (verdict == XDP_PASS)
		return TC_ACT_UNSPEC;
	return verdict == XDP_TX ? TC_ACT_REDIRECT : TC_ACT_SHOT;
}

/**
 * count() - read one counter, over all CPUs
 * @t: the twins
 * @counter: which
 *
 * Return: its value, or UINT64_MAX
 */
static uint64_t count(const struct twin *t, uint32_t counter)
{
	static uint64_t values[MAX_CPUS];
	int cpus = libbpf_num_possible_cpus();
	uint64_t sum = 0;

	if (cpus < 1 || cpus > MAX_CPUS || bpf_map_lookup_elem(t->counters, &counter, values))
		return UINT64_MAX;
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

/**
 * run() - run a program on a packet
 * @fd: the program
 * @packet: the packet
 * @len: its length
 * @out: room for what comes out, TWIN_PACKET bytes
 * @md: the context, of which data_end is set; becomes what comes out; or NULL
 * @opts: result, of libbpf
 *
 * Return: true if it ran
 */
static bool run(int fd, const void *packet, uint32_t len, void *out, struct xdp_md *md,
		struct bpf_test_run_opts *opts)
{
	*opts = (struct bpf_test_run_opts){
		.sz = sizeof(*opts), .data_in = packet, .data_size_in = len,
		.data_out = out, .data_size_out = TWIN_PACKET, .repeat = 1,
		.ctx_in = md, .ctx_size_in = md ? sizeof(*md) : 0,
		.ctx_out = md, .ctx_size_out = md ? sizeof(*md) : 0,
	};
	return !bpf_prog_test_run_opts(fd, opts) ||
	       FAILED("did not run on %u bytes: %s", len, strerror(errno));
}

/**
 * twin_run() - run both programs on a packet and compare
 * @t: the twins
 * @packet: the packet
 * @len: its length, an Ethernet header at least
 *
 * Return: true if verdict, bytes and counter agree
 */
bool twin_run(struct twin *t, const void *packet, uint32_t len)
{
	static uint8_t a[TWIN_PACKET], b[TWIN_PACKET];
	struct bpf_test_run_opts native, strict;
	struct xdp_md md = { .data_end = len };
	uint32_t counter, bytes;
	uint64_t before;
	int want;

	if (!run(t->native, packet, len, a, &md, &native))
		return false;
	/* What comes out begins with the metadata, which goes no further. */
	bytes = native.data_size_out - md.data;
	want = expected(native.retval, &counter);
	before = count(t, counter);
	if (!run(t->strict, packet, len, b, NULL, &strict))
		return false;
	if ((int)strict.retval != want)
		return FAILED("%u bytes: XDP says %u, the translation %d", len, native.retval,
			      (int)strict.retval);
	/* A packet that is dropped has no bytes to compare. */
	if (want != TC_ACT_SHOT && bytes != strict.data_size_out)
		return FAILED("%u bytes become %u, not %u", len, strict.data_size_out, bytes);
	for (uint32_t i = 0; want != TC_ACT_SHOT && i < bytes; i++)
		if (a[md.data + i] != b[i])
			return FAILED("%u bytes come out differently: byte %u of %u is %02x, not %02x",
				      len, i, bytes, b[i], a[md.data + i]);
	if (count(t, counter) != before + 1)
		return FAILED("verdict %u is not counted", native.retval);
	return true;
}

/**
 * twin_maps_equal() - have both programs left the same in their maps?
 * @t: the twins; keys and values are MAX_VALUE bytes at most
 *
 * Return: true if so
 */
bool twin_maps_equal(const struct twin *t)
{
	for (uint32_t m = 0; m < t->prog.map_cnt; m++) {
		uint8_t key[MAX_VALUE], a[MAX_VALUE], b[MAX_VALUE];
		struct bpf_map_info info = { 0 };
		uint32_t len = sizeof(info);
		void *last = NULL;

		if (bpf_obj_get_info_by_fd(t->maps[m][0], &info, &len) ||
		    info.key_size > MAX_VALUE || info.value_size > MAX_VALUE)
			return FAILED("map %u cannot be compared", m);
		for (int which = 0; which < 2; which++) {
			for (last = NULL; !bpf_map_get_next_key(t->maps[m][which], last, key);
			     last = key) {
				if (bpf_map_lookup_elem(t->maps[m][which], key, a) ||
				    bpf_map_lookup_elem(t->maps[m][!which], key, b) ||
				    memcmp(a, b, info.value_size))
					return FAILED("map %u differs", m);
			}
		}
	}
	return true;
}

/**
 * twin_free() - close all that twins have open
 * @t: the twins
 */
void twin_free(struct twin *t)
{
	close(t->native);
	close(t->strict);
	close(t->counters);
	close(t->scratch);
	for (int m = 0; m < TWIN_MAPS; m++) {
		close(t->maps[m][0]);
		close(t->maps[m][1]);
	}
}
