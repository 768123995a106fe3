// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What is asked of one program
 *
 * An object is opened by libbpf as often as a program has to be loaded: each
 * time it has maps of its own, with the contents that the object gives them.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../diff/packet.h"
#include "../host/twin.h"
#include "../../host-loader/rewriter/insn.h"
#include "subject.h"

#define PACKETS		200
#define TIMED		37	/* seed of the packet that is timed */
#define REPEAT		20000
#define RELAXED		0	/* no form of its own, see try_form() */
#define FEW		64	/* entries of a map of no size */

#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS	(1U << 5)
#endif

/**
 * is_xdp() - is a program one for a device's XDP hook?
 * @prog: the program
 *
 * Return: true if so
 */
static bool is_xdp(const struct bpf_program *prog)
{
	enum bpf_attach_type attach = bpf_program__expected_attach_type(prog);

	if (bpf_program__type(prog) == BPF_PROG_TYPE_UNSPEC)
		return !strncmp(bpf_program__section_name(prog), "xdp", 3) ||
		       !strcmp(bpf_program__section_name(prog), "prog");
	return bpf_program__type(prog) == BPF_PROG_TYPE_XDP && attach != BPF_XDP_DEVMAP &&
	       attach != BPF_XDP_CPUMAP;
}

/**
 * nth() - one XDP program of an object
 * @obj: the object
 * @index: number of the program
 *
 * Return: it, or NULL
 */
static struct bpf_program *nth(struct bpf_object *obj, int index)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, obj)
		if (is_xdp(prog) && !index--)
			return prog;
	return NULL;
}

/**
 * subject_count() - how many XDP programs an object has
 * @path: of the object
 *
 * Return: the number, or -1 if libbpf cannot read it
 */
int subject_count(const char *path)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	int cnt = 0;

	if (!obj)
		return -1;
	while (nth(obj, cnt))
		cnt++;
	bpf_object__close(obj);
	return cnt;
}

/**
 * struct instance - a program, loaded
 * @path: of its object
 * @index: its number there
 * @obj: the object; NULL if it is not loaded
 * @prog: the program
 * @log: the end of the kernel's log if it is not
 */
struct instance {
	const char *path;
	int index;
	struct bpf_object *obj;
	struct bpf_program *prog;
	char log[1 << 16];
};

/**
 * is_sized() - is a map of a type that cannot have no elements?
 * @type: the type
 *
 * Return: true if it is one of those for devices, CPUs, programs and sockets,
 *         whose size is often known only where it is used
 */
static bool is_sized(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_DEVMAP || type == BPF_MAP_TYPE_DEVMAP_HASH ||
	       type == BPF_MAP_TYPE_CPUMAP || type == BPF_MAP_TYPE_XSKMAP ||
	       type == BPF_MAP_TYPE_PROG_ARRAY || type == BPF_MAP_TYPE_ARRAY ||
	       type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

/**
 * load() - load one program of an object
 * @arg: struct instance; to be closed with bpf_object__close()
 *
 * Return: 0 or a negative errno
 */
static int load(void *arg)
{
	struct instance *in = arg;
	struct bpf_program *prog, *wanted;
	struct bpf_map *map;
	int err;

	in->log[0] = 0;
	in->obj = bpf_object__open_file(in->path, NULL);
	if (!in->obj)
		return -errno;
	wanted = nth(in->obj, in->index);
	bpf_object__for_each_program(prog, in->obj)
		bpf_program__set_autoload(prog, prog == wanted);
	bpf_object__for_each_map(map, in->obj) {
		bpf_map__set_pin_path(map, NULL);
		/* What their own loaders set, to the number of CPUs and so on. */
		if (!bpf_map__max_entries(map) && is_sized(bpf_map__type(map)))
			bpf_map__set_max_entries(map, FEW);
	}
	bpf_program__set_type(wanted, BPF_PROG_TYPE_XDP);
	bpf_program__set_log_buf(wanted, in->log, sizeof(in->log));
	err = bpf_object__load(in->obj);
	in->prog = wanted;
	if (!err)
		return 0;
	bpf_object__close(in->obj);
	in->obj = NULL;
	return err;
}

/**
 * last_line() - the reason, out of a kernel's log
 * @log: the log; its last lines can be statistics
 * @text: room for it, SUBJECT_TEXT bytes
 */
static void last_line(const char *log, char *text)
{
	const char *line = log, *last = log;

	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, "processed ", 10) && strncmp(line, "verification time", 17) &&
		    strncmp(line, "stack depth", 11) && *line != '\n')
			last = line;
	snprintf(text, SUBJECT_TEXT, "%.*s", (int)strcspn(last, "\n"), last);
}

/**
 * is_redirect() - is a helper one that redirects, or calls another program?
 * @id: of the helper
 *
 * Return: true if so
 */
static bool is_redirect(int32_t id)
{
	return id == BPF_FUNC_redirect || id == BPF_FUNC_redirect_map || id == BPF_FUNC_tail_call;
}

/**
 * is_varying() - does a helper not return the same each time?
 * @id: of the helper
 *
 * Return: true if so
 */
static bool is_varying(int32_t id)
{
	switch (id) {
	case BPF_FUNC_ktime_get_ns: case BPF_FUNC_ktime_get_boot_ns:
	case BPF_FUNC_ktime_get_coarse_ns: case BPF_FUNC_ktime_get_tai_ns:
	case BPF_FUNC_jiffies64: case BPF_FUNC_get_prandom_u32:
	case BPF_FUNC_get_smp_processor_id: case BPF_FUNC_get_numa_node_id:
		return true;
	}
	return false;
}

/**
 * look() - look through a program's instructions
 * @s: the program; gets what can be told from them
 * @prog: the same, loaded
 */
static void look(struct subject *s, const struct bpf_program *prog)
{
	const struct bpf_insn *insns = bpf_program__insns(prog);

	s->cnt = (uint32_t)bpf_program__insn_cnt(prog);
	s->hash = 14695981039346656037u;
	for (uint32_t i = 0; i < s->cnt; i++) {
		struct bpf_insn insn = insns[i];
		const uint8_t *bytes = (const uint8_t *)&insn;

		if (insn.code == RW_WIDE && insn.src_reg)
			insn.imm = 0;	/* an fd */
		for (size_t b = 0; b < sizeof(insn); b++)
			s->hash = (s->hash ^ bytes[b]) * 1099511628211u;
		if (insn.code == RW_WIDE && insn.src_reg == BPF_PSEUDO_MAP_VALUE)
			s->onloaded = "global data";
		else if (insn.code == RW_WIDE && insn.src_reg > BPF_PSEUDO_MAP_VALUE)
			s->onloaded = "callbacks or kernel variables";
		if (insn.code == RW_WIDE)
			s->hash ^= (uint32_t)insns[++i].imm;
		if (insn.code != RW_CALL)
			continue;
		if (insn.src_reg == BPF_PSEUDO_KFUNC_CALL)
			s->onloaded = "kernel functions";
		if (insn.src_reg)
			continue;
		s->redirects |= is_redirect(insn.imm);
		s->varies |= is_varying(insn.imm);
		if (insn.imm == BPF_FUNC_spin_lock || insn.imm == BPF_FUNC_timer_init)
			s->onloaded = "typed map values";
	}
	if (bpf_program__flags(prog))
		s->onloaded = "program flags (frags)";
}

/**
 * uses() - does a program name a map?
 * @prog: the program
 * @fd: of the map
 *
 * Return: true if so
 */
static bool uses(const struct bpf_program *prog, int fd)
{
	const struct bpf_insn *insns = bpf_program__insns(prog);
	size_t cnt = bpf_program__insn_cnt(prog);

	for (size_t i = 0; i < cnt; i++) {
		if (insns[i].code != RW_WIDE)
			continue;
		if (insns[i].src_reg && insns[i].imm == fd)
			return true;
		i++;
	}
	return false;
}

/**
 * subject_load() - load a program as it is
 * @s: result
 * @path: of its object
 * @index: its number there
 *
 * Return: false if there is no such program
 */
bool subject_load(struct subject *s, const char *path, int index)
{
	static struct instance in;
	struct bpf_map *map;
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	int err;

	memset(s, 0, sizeof(*s));
	if (!obj)
		return false;
	snprintf(s->object, sizeof(s->object), "%.*s", (int)strlen(file) - 2, file);
	snprintf(s->name, sizeof(s->name), "%s", bpf_program__name(nth(obj, index)));
	bpf_object__close(obj);
	in = (struct instance){ .path = path, .index = index };
	err = load(&in);
	if (err) {
		last_line(in.log, s->text);
		if (!s->text[0])
			snprintf(s->text, sizeof(s->text), "%s", strerror(-err));
		return true;
	}
	s->loads = true;
	look(s, in.prog);
	bpf_object__for_each_map(map, in.obj)
		if (!s->onloaded && bpf_map__type(map) != BPF_MAP_TYPE_ARRAY &&
		    bpf_map__type(map) != BPF_MAP_TYPE_HASH && uses(in.prog, bpf_map__fd(map)))
			s->onloaded = "map types";
	bpf_object__close(in.obj);
	if (!twin_strictly(load, &in))
		s->strict = true;
	bpf_object__close(s->strict ? in.obj : NULL);
	return true;
}

/**
 * nanoseconds() - time a program
 * @fd: the program
 *
 * Return: nanoseconds for each packet
 */
static uint32_t nanoseconds(int fd)
{
	struct packet packet;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet.data, .repeat = REPEAT);

	packet_make(&packet, TIMED);
	opts.data_size_in = packet.len;
	return bpf_prog_test_run_opts(fd, &opts) ? 0 : opts.duration;
}

/**
 * compare() - run a program and its translation on packets
 * @t: the twins
 *
 * Return: true if they agree on all; t->text says what differs
 */
static bool compare(struct twin *t)
{
	struct packet packet;

	for (uint64_t seed = 0; seed < PACKETS; seed++) {
		packet_make(&packet, seed);
		if (!twin_run(t, packet.data, packet.len))
			return false;
	}
	return twin_maps_equal(t);
}

/**
 * set_maps() - tell twins of their maps
 * @t: the twins; t->prog's maps are a static array
 * @native: the program as XDP
 * @other: the same, whose maps are the translation's
 *
 * Return: false if there are too many
 */
static bool set_maps(struct twin *t, const struct instance *native, const struct instance *other)
{
	static struct rw_map maps[TWIN_MAPS];
	struct bpf_map *a = NULL, *b = NULL;
	uint32_t n = 0;

	while ((a = bpf_object__next_map(native->obj, a)) &&
	       (b = bpf_object__next_map(other->obj, b))) {
		int fd = bpf_map__fd(b);

		if (fd < 0 || !uses(other->prog, fd))
			continue;
		if (n == TWIN_MAPS)
			return false;
		maps[n] = (struct rw_map){
			.handle = (uint32_t)fd, .map_type = bpf_map__type(b),
			.key_size = bpf_map__key_size(b), .value_size = bpf_map__value_size(b),
			.max_entries = bpf_map__max_entries(b),
		};
		t->maps[n][0] = dup(bpf_map__fd(a));
		t->maps[n++][1] = dup(fd);
	}
	t->prog.maps = maps;
	t->prog.map_cnt = n;
	return true;
}

/**
 * refused() - what became of a program that is not accepted
 * @t: its twins
 *
 * Return: whose word it is
 */
static enum fate refused(const struct twin *t)
{
	if (t->cnt)
		return FATE_KERNEL;
	return t->err == -EPERM ? FATE_TAINT : FATE_REWRITER;
}

/**
 * try_form() - translate a program into one form, and compare
 * @s: the program
 * @path: of its object
 * @index: its number there
 * @form: the form, at level strict; RELAXED for lite at level relaxed
 * @res: result
 */
static void try_form(struct subject *s, const char *path, int index, int form,
		     struct form_result *res)
{
	static struct instance native, other;
	static struct twin t;
	const struct rw_prog none = { .profile = RW_PROFILE_ALL };

	native = other = (struct instance){ .path = path, .index = index };
	twin_init(&t, &none);
	if (load(&native) || load(&other) || !twin_make_own(&t) ||
	    !set_maps(&t, &native, &other)) {
		snprintf(res->text, sizeof(res->text), "could not be tried");
		goto out;
	}
	t.native = dup(bpf_program__fd(native.prog));
	t.prog.insns = bpf_program__insns(other.prog);
	t.prog.cnt = (uint32_t)bpf_program__insn_cnt(other.prog);
	if (form == RELAXED)
		twin_translate_relaxed(&t);
	else
		twin_translate(&t, (enum rw_form)form, TWIN_WINDOW);
	res->cnt = t.cnt;
	if (t.err) {
		res->fate = refused(&t);
		res->passed = t.err == -EOPNOTSUPP;
		s->redirects |= !t.cnt && strstr(t.text, "XDP_REDIRECT");
	} else if (compare(&t)) {
		res->fate = FATE_EQUAL;
	} else {
		res->fate = s->varies ? FATE_VARIES : FATE_DIFFERS;
	}
	if (res->fate == FATE_KERNEL)
		last_line(t.text, res->text);
	else if (res->fate != FATE_EQUAL)
		snprintf(res->text, sizeof(res->text), "%.*s", (int)strcspn(t.text, "\n"), t.text);
	if (!t.err) {
		res->ns = nanoseconds(t.strict);
		s->ns = nanoseconds(t.native);
	}
out:
	twin_free(&t);
	bpf_object__close(native.obj);
	bpf_object__close(other.obj);
}

/**
 * subject_translate() - translate a program into each form
 * @s: the program, which loads as it is
 * @path: of its object
 * @index: its number there
 */
void subject_translate(struct subject *s, const char *path, int index)
{
	try_form(s, path, index, RW_FORM_LITE, &s->lite);
	try_form(s, path, index, RW_FORM_SFI, &s->sfi);
	try_form(s, path, index, RELAXED, &s->relaxed);
}

/**
 * subject_chosen() - the form that virtio-bpfd would take
 * @s: the program
 *
 * Return: it, or NULL if none is accepted
 */
const struct form_result *subject_chosen(const struct subject *s)
{
	if (s->lite.fate >= FATE_EQUAL)
		return &s->lite;
	return s->sfi.fate >= FATE_EQUAL ? &s->sfi : NULL;
}
