// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../host-loader/kern.h"
#include "twin.h"
#include "virtio_bpf.h"

#define LO_IFINDEX	1	/* what BPF_PROG_TEST_RUN shows an XDP program */
#define MAX_CPUS	1024
#define MAX_KEY		512

/* Keep in @t why a check failed. */
#define FAILED(t, ...) (snprintf((t)->text, sizeof((t)->text), __VA_ARGS__), false)

/**
 * struct caps - a thread's capabilities, as capget() and capset() have them
 * @set: 32 of them each
 */
struct caps {
	struct __user_cap_data_struct set[_LINUX_CAPABILITY_U32S_3];
};

/**
 * get_caps() - read this thread's capabilities
 * @caps: result
 *
 * Return: true if that worked
 */
static bool get_caps(struct caps *caps)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return !syscall(SYS_capget, &header, caps->set);
}

/**
 * set_caps() - set this thread's capabilities
 * @caps: they
 *
 * Return: true if that worked
 */
static bool set_caps(const struct caps *caps)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return !syscall(SYS_capset, &header, caps->set);
}

/**
 * is_effective() - is a capability in force?
 * @caps: a thread's capabilities
 * @cap: number of the capability
 *
 * Return: true if so
 */
static bool is_effective(const struct caps *caps, int cap)
{
	return caps->set[cap / 32].effective >> cap % 32 & 1;
}

/**
 * twin_usable() - may this process load programs at all?
 *
 * Return: true if so
 */
bool twin_usable(void)
{
	struct caps caps;

	return get_caps(&caps) && is_effective(&caps, CAP_SYS_ADMIN);
}

/**
 * load() - load a program with the caller's privileges
 * @type: of the program
 * @insns: the program
 * @cnt: number of @insns
 * @log: room for the kernel's log if it is refused, an empty text else
 * @size: bytes of it
 *
 * To have it in the log that a program is too complex is not worth the time.
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
	if (err == -E2BIG) {
		snprintf(log, size, "too complex");
		return err;
	}
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
 * with_caps() - do something with few capabilities in force
 * @what: what
 * @arg: for it
 * @perfmon: CAP_PERFMON is among them
 *
 * The kernel asks which capabilities are in force, so all others are put aside
 * meanwhile.
 *
 * Return: what it returned, or -errno
 */
static int with_caps(int (*what)(void *arg), void *arg, bool perfmon)
{
	struct caps all, few;
	int ret;

	if (!get_caps(&all))
		return -errno;
	few = all;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		few.set[i].effective = 0;
	few.set[CAP_NET_ADMIN / 32].effective |= 1u << CAP_NET_ADMIN % 32;
	few.set[CAP_BPF / 32].effective |= 1u << CAP_BPF % 32;
	if (perfmon)
		few.set[CAP_PERFMON / 32].effective |= 1u << CAP_PERFMON % 32;
	if (!set_caps(&few))
		return -errno;
	ret = what(arg);
	if (!set_caps(&all))
		abort();
	return ret;
}

/**
 * twin_strictly() - do something as virtio-bpfd does it at level strict
 * @what: what; it is called with CAP_BPF and CAP_NET_ADMIN in force alone
 * @arg: for it
 *
 * Return: what it returned, or -errno
 */
int twin_strictly(int (*what)(void *arg), void *arg)
{
	return with_caps(what, arg, false);
}

/**
 * twin_relaxed() - do something as virtio-bpfd does it at level relaxed
 * @what: what; it is called with CAP_PERFMON in force as well
 * @arg: for it
 *
 * Return: what it returned, or -errno
 */
int twin_relaxed(int (*what)(void *arg), void *arg)
{
	return with_caps(what, arg, true);
}

/**
 * struct load - a load to be done with few capabilities
 * @t: the twins
 * @out: the translation, with fds for maps
 */
struct load {
	struct twin *t;
	const struct rw_out *out;
};

/**
 * load_out() - load a translation with the privileges that there are
 * @arg: struct load; its twins' text says why if it is refused
 *
 * Return: an fd or -errno
 */
static int load_out(void *arg)
{
	static char log[1 << 20];
	const struct load *l = arg;
	int fd;

	fd = load(BPF_PROG_TYPE_SCHED_CLS, l->out->insns, l->out->cnt, log, sizeof(log));
	keep_tail(l->t->text, sizeof(l->t->text), log);
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
		if (insns[i].src_reg) {
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
 * twin_make_own() - create the translation's counters and its scratch
 * @t: the twins
 *
 * Return: true if that worked
 */
bool twin_make_own(struct twin *t)
{
	t->counters = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "counters", 4, 8,
				     VIRTIO_BPF_CNT_MAX, NULL);
	if (t->counters < 0)
		return FAILED(t, "no counters: %s", strerror(errno));
	t->scratch = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "scratch", 4,
				    RW_SCRATCH_SIZE(TWIN_WINDOW), 1, NULL);
	if (t->scratch < 0)
		return FAILED(t, "no scratch: %s", strerror(errno));
	return true;
}

/**
 * twin_make_maps() - create both sets of maps
 * @t: the twins, as twin_init() left them
 *
 * Return: true if that worked
 */
bool twin_make_maps(struct twin *t)
{
	for (uint32_t m = 0; m < t->prog.map_cnt; m++) {
		const struct rw_map *map = &t->prog.maps[m];

		for (int which = 0; which < 2; which++) {
			t->maps[m][which] = bpf_map_create(map->map_type, "twin", map->key_size,
							   map->value_size, map->max_entries, NULL);
			if (t->maps[m][which] < 0)
				return FAILED(t, "no map: %s", strerror(errno));
		}
	}
	return true;
}

/**
 * twin_load_native() - load the program as it is, with the caller's privileges
 * @t: the twins, with maps; text says why if it is refused
 *
 * Return: true if that worked
 */
bool twin_load_native(struct twin *t)
{
	static char log[1 << 20];
	struct bpf_insn *insns = calloc(t->prog.cnt, sizeof(*insns));
	char end[1024];

	if (!insns)
		return false;
	memcpy(insns, t->prog.insns, t->prog.cnt * sizeof(*insns));
	put_fds(t, 0, insns, t->prog.cnt);
	close(t->native);
	t->native = load(BPF_PROG_TYPE_XDP, insns, t->prog.cnt, log, sizeof(log));
	free(insns);
	if (t->native >= 0)
		return true;
	keep_tail(end, sizeof(end), log);
	return FAILED(t, "not loaded as XDP: %s\n%s", strerror(-t->native), end);
}

/**
 * walks_on() - twin_walks_on() with the privileges that there are
 * @arg: not used
 *
 * Return: 1 or 0
 */
static int walks_on(void *arg)
{
	(void)arg;
	return kern_walks_on();
}

/**
 * twin_walks_on() - what virtio-bpfd finds out about this kernel's verifier
 *
 * Return: true if it walks mispredicted branches to their end: form lite cannot have
 *         loops then, nor much else
 */
bool twin_walks_on(void)
{
	static int known = -1;

	if (known < 0)
		known = twin_strictly(walks_on, NULL);
	return known > 0;
}

/**
 * twin_translate_as() - translate the program, and load the translation
 * @t: the twins, with all but the translation; t->err tells how that went
 * @opts: what to make of it
 */
void twin_translate_as(struct twin *t, const struct rw_opts *opts)
{
	struct rw_out out = { 0 };
	struct text why = { 0 };

	close(t->strict);
	t->strict = -1;
	t->form = opts->form;
	t->level = opts->level;
	t->cnt = 0;
	t->err = rw_check(&t->prog, VIRTIO_BPF_MAX_INSNS, &why);
	if (!t->err)
		t->err = rw_rewrite(&t->prog, opts, &out, &why);
	if (!t->err) {
		t->cnt = out.cnt;
		t->reach = out.reach;
		put_fds(t, 1, out.insns, out.cnt);
		t->strict = with_caps(load_out, &(struct load){ t, &out },
				      opts->level == RW_LEVEL_RELAXED);
		t->err = t->strict < 0 ? t->strict : 0;
	} else {
		snprintf(t->text, sizeof(t->text), "%s", why.buf ? why.buf : "");
	}
	text_free(&why);
	rw_out_free(&out);
}

/**
 * twin_translate() - translate the program at level strict, and load the translation
 * @t: the twins, with all but the translation; t->err tells how that went
 * @form: of the translation; replaces the one that there is
 * @window: bytes of a packet that are copied, TWIN_WINDOW at most
 */
void twin_translate(struct twin *t, enum rw_form form, uint32_t window)
{
	twin_translate_as(t, &(struct rw_opts){ form, RW_TARGET_SKB, LO_IFINDEX, window,
						RW_LEVEL_STRICT, twin_walks_on() });
}

/**
 * twin_translate_relaxed() - the same at level relaxed
 * @t: the twins, with all but the translation; t->err tells how that went
 */
void twin_translate_relaxed(struct twin *t)
{
	twin_translate_as(t, &(struct rw_opts){ RW_FORM_LITE, RW_TARGET_SKB, LO_IFINDEX,
						TWIN_WINDOW, RW_LEVEL_RELAXED, false });
}

/**
 * twin_init() - begin with nothing
 * @t: result; free with twin_free() in any case
 * @prog: the program; stays the caller's
 */
void twin_init(struct twin *t, const struct rw_prog *prog)
{
	*t = (struct twin){ .native = -1, .strict = -1, .counters = -1, .scratch = -1,
			    .prog = *prog };
	t->prog.ifindex = LO_IFINDEX;
	memset(t->maps, -1, sizeof(t->maps));
}

/**
 * make_native() - begin with all but the translation
 * @t: result; free with twin_free() in any case
 * @prog: the program; stays the caller's
 *
 * Return: false if the program itself is not as it should be
 */
static bool make_native(struct twin *t, const struct rw_prog *prog)
{
	twin_init(t, prog);
	return prog->map_cnt <= TWIN_MAPS && twin_make_own(t) && twin_make_maps(t) &&
	       twin_load_native(t);
}

/**
 * twin_make() - load a program and its translation
 * @t: result; free with twin_free() in any case
 * @prog: the program; stays the caller's
 * @form: of the translation
 *
 * A translation that the rewriter or the kernel refuses is told by t->err.
 *
 * Return: false if the program itself is not as it should be
 */
bool twin_make(struct twin *t, const struct rw_prog *prog, enum rw_form form)
{
	return twin_make_window(t, prog, form, TWIN_WINDOW);
}

/**
 * twin_make_window() - the same with another window of form sfi
 * @t: result; free with twin_free() in any case
 * @prog: the program; stays the caller's
 * @form: of the translation
 * @window: bytes of a packet that are copied, TWIN_WINDOW at most
 *
 * Return: false if the program itself is not as it should be
 */
bool twin_make_window(struct twin *t, const struct rw_prog *prog, enum rw_form form,
		      uint32_t window)
{
	if (!make_native(t, prog))
		return false;
	twin_translate(t, form, window);
	return true;
}

/**
 * twin_make_relaxed() - the same with a translation at level relaxed
 * @t: result; free with twin_free() in any case
 * @prog: the program; stays the caller's
 *
 * Return: false if the program itself is not as it should be
 */
bool twin_make_relaxed(struct twin *t, const struct rw_prog *prog)
{
	if (!make_native(t, prog))
		return false;
	twin_translate_relaxed(t);
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

	twin_init(t, &prog);
	object_path(name, path, sizeof(path));
	obj = bpf_object__open_file(path, NULL);
	if (!obj)
		return FAILED(t, "object %s: %s", name, strerror(errno));
	bp = bpf_object__next_program(obj, NULL);
	/* libbpf links calls and maps when it loads; handles are its maps' fds. */
	if (!bp || bpf_object__load(obj)) {
		bpf_object__close(obj);
		return FAILED(t, "object %s does not load", name);
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
 * twin_count() - read one counter, over all CPUs
 * @t: the twins
 * @counter: which
 *
 * Return: its value, or UINT64_MAX
 */
uint64_t twin_count(const struct twin *t, uint32_t counter)
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
 * struct result - what a program did to a packet
 * @verdict: that it returned
 * @len: bytes in @data
 * @data: the packet afterwards
 */
struct result {
	uint32_t verdict;
	uint32_t len;
	uint8_t data[TWIN_PACKET];
};

/**
 * run() - run a program on a packet
 * @t: the twins
 * @native: run the program as XDP, else its translation
 * @packet: the packet
 * @len: its length
 * @res: result
 *
 * Return: true if it ran
 */
static bool run(struct twin *t, bool native, const void *packet, uint32_t len, struct result *res)
{
	struct xdp_md in = { .data_end = len }, md = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = packet, .data_size_in = len,
		.data_out = res->data, .data_size_out = sizeof(res->data), .repeat = 1);

	if (native) {
		opts.ctx_in = &in;
		opts.ctx_size_in = sizeof(in);
		opts.ctx_out = &md;
		opts.ctx_size_out = sizeof(md);
	}
	if (bpf_prog_test_run_opts(native ? t->native : t->strict, &opts))
		return FAILED(t, "the %s did not run on %u bytes: %s",
			      native ? "program" : "translation", len, strerror(errno));
	/* Metadata in front of the packet comes out with it, and says so. */
	res->verdict = opts.retval;
	res->len = opts.data_size_out - md.data;
	memmove(res->data, res->data + md.data, res->len);
	return true;
}

/**
 * same_bytes() - are two packets the same?
 * @t: the twins
 * @a: the one that the program made
 * @b: the one that the translation made
 *
 * Return: true if so
 */
static bool same_bytes(struct twin *t, const struct result *a, const struct result *b)
{
	uint32_t at = 0;

	if (a->len != b->len)
		return FAILED(t, "XDP makes %u bytes of it, the translation %u", a->len, b->len);
	while (at < a->len && a->data[at] == b->data[at])
		at++;
	if (at < a->len)
		return FAILED(t, "byte %u of %u is 0x%02x after XDP, 0x%02x after the translation",
			      at, a->len, a->data[at], b->data[at]);
	return true;
}

/**
 * twin_run() - run both programs on a packet and compare
 * @t: the twins; text says what differs
 * @packet: the packet
 * @len: its length, an Ethernet header at least
 *
 * What becomes of the bytes of a packet that is dropped nobody can see.
 *
 * Return: true if verdict, bytes and counter agree
 */
bool twin_run(struct twin *t, const void *packet, uint32_t len)
{
	static struct result native, strict;
	uint32_t counter;
	uint64_t before;
	int want;

	if (!run(t, true, packet, len, &native))
		return false;
	want = expected(native.verdict, &counter);
	before = twin_count(t, counter);
	if (!run(t, false, packet, len, &strict))
		return false;
	t->verdict = native.verdict;
	if ((int)strict.verdict != want)
		return FAILED(t, "%u bytes: XDP says %u, the translation %d", len, native.verdict,
			      (int)strict.verdict);
	if (want != TC_ACT_SHOT && !same_bytes(t, &native, &strict))
		return false;
	if (twin_count(t, counter) != before + 1)
		return FAILED(t, "verdict %u is not counted", native.verdict);
	return true;
}

/**
 * value_bytes() - how long the value is that a lookup gives
 * @info: the map
 *
 * Return: bytes; of all CPUs, where each has its own
 */
static uint32_t value_bytes(const struct bpf_map_info *info)
{
	switch (info->type) {
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return (info->value_size + 7) / 8 * 8 * (uint32_t)libbpf_num_possible_cpus();
	default:
		return info->value_size;
	}
}

/**
 * same_value() - is there the same in an element of both maps?
 * @t: the twins
 * @m: index of the map
 * @key: of the element
 * @values: room for two values
 * @size: bytes of a value
 *
 * Return: true if so
 */
static bool same_value(struct twin *t, uint32_t m, const uint8_t *key, uint8_t *values,
		       uint32_t size)
{
	const uint8_t *a = values, *b = values + size;
	uint32_t at = 0;

	if (bpf_map_lookup_elem(t->maps[m][0], key, values))
		return FAILED(t, "map %u: the translation alone has key %02x...", m, key[0]);
	if (bpf_map_lookup_elem(t->maps[m][1], key, values + size))
		return FAILED(t, "map %u: XDP alone has key %02x...", m, key[0]);
	while (at < size && a[at] == b[at])
		at++;
	if (at < size)
		return FAILED(t, "map %u, key %02x..., byte %u: 0x%02x by XDP, 0x%02x by the "
			      "translation", m, key[0], at, a[at], b[at]);
	return true;
}

/**
 * same_map() - have both programs left the same in one of their maps?
 * @t: the twins
 * @m: index of the map
 * @info: the map
 *
 * Return: true if so
 */
static bool same_map(struct twin *t, uint32_t m, const struct bpf_map_info *info)
{
	uint8_t key[MAX_KEY], next[MAX_KEY], *values = calloc(2, value_bytes(info));
	bool same = values;

	for (int which = 0; same && which < 2; which++) {
		void *last = NULL;

		while (same && !bpf_map_get_next_key(t->maps[m][which], last, next)) {
			memcpy(key, next, info->key_size);
			last = key;
			same = same_value(t, m, key, values, value_bytes(info));
		}
	}
	free(values);
	return same;
}

/**
 * twin_maps_equal() - have both programs left the same in their maps?
 * @t: the twins; keys are MAX_KEY bytes at most; text says what differs
 *
 * Maps of which a program cannot read what is in them hold nothing to compare:
 * queues, buffers for events and maps of maps.
 *
 * Return: true if so
 */
bool twin_maps_equal(struct twin *t)
{
	for (uint32_t m = 0; m < t->prog.map_cnt; m++) {
		struct bpf_map_info info = { 0 };
		uint32_t len = sizeof(info);

		if (bpf_obj_get_info_by_fd(t->maps[m][0], &info, &len) || info.key_size > MAX_KEY)
			return FAILED(t, "map %u cannot be compared", m);
		switch (info.type) {
		case BPF_MAP_TYPE_ARRAY: case BPF_MAP_TYPE_PERCPU_ARRAY:
		case BPF_MAP_TYPE_HASH: case BPF_MAP_TYPE_PERCPU_HASH:
		case BPF_MAP_TYPE_LRU_HASH: case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		case BPF_MAP_TYPE_LPM_TRIE:
			if (!same_map(t, m, &info))
				return false;
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
