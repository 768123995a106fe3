// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: What level relaxed must not let out
 *
 * Each program of leaks.c is
 *
 * - loaded as it is, as XDP, with CAP_PERFMON: that it loads shows that the channel
 *   is real. A few the kernel refuses there as well;
 * - loaded as it is without CAP_PERFMON, and refused;
 * - translated at level relaxed, and refused in words;
 * - translated at level strict, into both forms, and loaded. What the kernel takes
 *   there is run, and what comes out in maps and packet must be no address: to form
 *   sfi a packet pointer is a number that begins at OFFSET_BASE, an offset into a copy
 *   of the packet, and form lite makes a constant of the distance of two.
 *
 * Those of harmless.c must be taken at level relaxed and do what they do as XDP.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ktap.h"
#include "agree.h"
#include "leaks.h"
#include "virtio_bpf.h"

#define LEN		64	/* of the packet that they run on */
#define VALUE		64
#define OFFSET_BASE	(1u << 30)	/* SFI_BASE in host-loader/rewriter/sfi.h */
#define OFFSET_MAX	RW_SCRATCH_SIZE(TWIN_WINDOW)

static const struct rw_map maps[] = {
	{ LEAK_ARRAY, BPF_MAP_TYPE_ARRAY, 4, VALUE, 4 },
	{ LEAK_HASH, BPF_MAP_TYPE_HASH, 16, 16, 16 },
};

/* A leak that does not behave: say which, and what is wrong. */
#define WRONG(l, ...) (printf("# %s: ", (l)->name), printf(__VA_ARGS__), printf("\n"), false)

/**
 * load_native() - load twins' program as it is
 * @arg: the twins; their native program is loaded with the privileges that there are
 *
 * Return: 0 or -errno
 */
static int load_native(void *arg)
{
	return twin_load_native(arg) ? 0 : -EACCES;
}

/**
 * kernel_agrees() - does the kernel take a program where it should, and not elsewhere?
 * @l: the program
 * @t: its twins, with maps and nothing loaded
 *
 * Return: true if so
 */
static bool kernel_agrees(const struct leak *l, struct twin *t)
{
	if (!twin_strictly(load_native, t))
		return WRONG(l, "the kernel takes it without CAP_PERFMON");
	if ((l->raw == LEAKS) != !twin_relaxed(load_native, t))
		return WRONG(l, "with CAP_PERFMON the kernel %s it: %s",
			     l->raw == LEAKS ? "refuses" : "takes", t->text);
	return true;
}

/**
 * is_refused() - is a program refused at level relaxed, in the right words?
 * @l: the program
 * @t: its twins
 *
 * Return: true if so
 */
static bool is_refused(const struct leak *l, struct twin *t)
{
	twin_translate_relaxed(t);
	if (!t->err || t->cnt)
		return WRONG(l, "level relaxed translates it (%d)", t->err);
	if (!strstr(t->text, l->says))
		return WRONG(l, "level relaxed says: %s", t->text);
	return true;
}

/**
 * is_near() - is a number near a multiple of what offsets in form sfi begin at?
 * @number: the number
 *
 * Return: true of an offset, of its halves, of its negative, of a sum of two
 */
static bool is_near(uint64_t number)
{
	uint32_t half = (uint32_t)number, part = half % OFFSET_BASE;

	return (number == half || -number < 4ull * OFFSET_BASE) &&
	       (part < OFFSET_MAX || part > OFFSET_BASE - OFFSET_MAX);
}

/**
 * is_small() - is a number one that no address is?
 * @number: the number
 *
 * Return: true of an offset, of one whose bytes are swapped, of its upper half, and
 *         of its checksum
 */
static bool is_small(uint64_t number)
{
	return is_near(number) || is_near(__builtin_bswap64(number)) ||
	       number - (OFFSET_BASE >> 16) < OFFSET_MAX;
}

/**
 * all_small() - are all of some numbers ones that no address is?
 * @numbers: the numbers
 * @cnt: of them
 * @which: result: one that may be an address
 *
 * Return: true if so
 */
static bool all_small(const uint64_t *numbers, uint32_t cnt, uint64_t *which)
{
	for (uint32_t i = 0; i < cnt; i++) {
		*which = numbers[i];
		if (!is_small(numbers[i]))
			return false;
	}
	return true;
}

/**
 * only_offsets() - is all that a translation left behind harmless?
 * @t: its twins; it has run, on a packet of zeroes
 * @packet: the packet afterwards
 * @which: result: what is not
 *
 * Return: true if so
 */
static bool only_offsets(const struct twin *t, const uint64_t *packet, uint64_t *which)
{
	uint64_t element[VALUE / 8], key[2], last[2];
	void *from = NULL;

	if (!all_small(packet, LEN / 8, which))
		return false;
	for (uint32_t i = 0; i < 4; i++)
		if (bpf_map_lookup_elem(t->maps[0][1], &i, element) ||
		    !all_small(element, VALUE / 8, which))
			return false;
	while (!bpf_map_get_next_key(t->maps[1][1], from, key)) {
		if (bpf_map_lookup_elem(t->maps[1][1], key, element) ||
		    !all_small(key, 2, which) || !all_small(element, 2, which))
			return false;
		memcpy(last, key, sizeof(last));
		from = last;
	}
	return true;
}

/**
 * stays_in() - does level strict refuse a program, or what it lets out tell nothing?
 * @l: the program
 * @t: its twins
 * @form: of the translation
 *
 * Return: true if so
 */
static bool stays_in(const struct leak *l, struct twin *t, enum rw_form form)
{
	uint64_t packet[LEN / 8] = { 0 }, out[LEN / 8] = { 0 }, where = 0;
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = packet, .data_size_in = LEN,
		.data_out = out, .data_size_out = LEN, .repeat = 1);

	twin_translate(t, form, TWIN_WINDOW);
	if (t->err)
		return true;
	if (bpf_prog_test_run_opts(t->strict, &opts))
		return WRONG(l, "does not run: %s", strerror(errno));
	if (!only_offsets(t, out, &where))
		return WRONG(l, "form %s lets 0x%llx out", form == RW_FORM_LITE ? "lite" : "sfi",
			     (unsigned long long)where);
	return true;
}

/**
 * check_leak() - all that is to be shown of one program
 * @l: the program
 * @sfi: counted up if form sfi takes it
 *
 * Return: true if so
 */
static bool check_leak(const struct leak *l, uint32_t *sfi)
{
	const struct rw_prog prog = { l->insns, l->cnt, maps, ARRAY_SIZE(maps), 1,
				      RW_PROFILE_TENANT };
	struct twin t;
	bool ok;

	twin_init(&t, &prog);
	ok = twin_make_own(&t) && twin_make_maps(&t) && kernel_agrees(l, &t) &&
	     is_refused(l, &t) && stays_in(l, &t, RW_FORM_LITE) && stays_in(l, &t, RW_FORM_SFI);
	*sfi += ok && !t.err;
	twin_free(&t);
	return ok;
}

/**
 * check_sort() - all programs of one sort
 * @index: of the sort
 *
 * Return: true if all are as they should be
 */
static bool check_sort(uint32_t index)
{
	uint32_t wrong = 0, sfi = 0, real = 0;

	CHECK(index < leaks_cnt);
	for (uint32_t i = 0; i < leaks[index].cnt; i++) {
		const struct leak *l = &leaks[index].leak[i];

		real += l->raw == LEAKS;
		wrong += !check_leak(l, &sfi);
	}
	printf("# %s: %u programs, %u the kernel takes with CAP_PERFMON; at level strict form sfi "
	       "takes %u\n", leaks[index].name, leaks[index].cnt, real, sfi);
	return !wrong;
}

/**
 * check_harmless() - is a program taken at level relaxed, and right there?
 * @h: the program
 *
 * Return: true if so
 */
static bool check_harmless(const struct harmless *h)
{
	const struct rw_prog prog = { h->insns, h->cnt, maps, ARRAY_SIZE(maps), 1,
				      RW_PROFILE_TENANT };
	struct twin t;
	bool ok = twin_make_relaxed(&t, &prog);

	if (!ok)
		printf("# %s\n", t.text);
	ok = ok && twin_agree(&t);
	twin_free(&t);
	return ok;
}

/**
 * check_unfilled() - a buffer that xdp_load_bytes failed to fill has nothing in it
 *
 * The first function leaves the context where the second one has its buffer. To the
 * analysis that is written: it is the zeroes in front of the function that count.
 *
 * Return: true if all that gets out is zero
 */
static bool check_unfilled(void)
{
	static const struct bpf_insn insns[] = {
		BEGIN, SUBCALL(14), MOV64_X(R1, R6), SUBCALL(15), MOV64_X(R7, R0), TELL(R7),
		STX(BPF_DW, R10, -64, R1), MOV64_K(R0, 0), EXIT,
		MOV64_K(R2, 0xfff0), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -64), MOV64_K(R4, 8),
		CALL(BPF_FUNC_xdp_load_bytes), LDX(BPF_DW, R0, R10, -64), EXIT,
	};
	const struct rw_prog prog = { insns, ARRAY_SIZE(insns), maps, ARRAY_SIZE(maps), 1,
				      RW_PROFILE_TENANT };
	uint64_t packet[LEN / 8] = { 0 }, element[VALUE / 8] = { 0 };
	uint32_t key = 0;
	struct twin t;
	bool ok;
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = packet, .data_size_in = LEN, .repeat = 1);

	ok = twin_make_relaxed(&t, &prog) && !t.err;
	if (!ok)
		printf("# %s\n", t.text);
	ok = ok && !bpf_prog_test_run_opts(t.strict, &opts) &&
	     !bpf_map_lookup_elem(t.maps[0][1], &key, element);
	if (ok && element[0])
		printf("# 0x%llx gets out\n", (unsigned long long)element[0]);
	twin_free(&t);
	return ok && !element[0];
}

/**
 * result() - print one case's line
 * @ok: it is well
 * @number: of the case
 * @name: of the case
 *
 * Return: @ok
 */
static bool result(bool ok, uint32_t number, const char *name)
{
	printf("%s %u %s\n", ok ? "ok" : "not ok", number, name);
	return ok;
}

/**
 * main() - a case for each sort of leak and each harmless program, and one more
 *
 * Return: exit status
 */
int main(void)
{
	uint32_t number = 0, failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!twin_usable()) {
		printf("TAP version 13\n1..0 # SKIP loading programs needs root\n");
		return 0;
	}
	printf("TAP version 13\n1..%u\n", leaks_cnt + harmless_cnt + 1);
	for (uint32_t i = 0; i < leaks_cnt; i++)
		failed += !result(check_sort(i), ++number, leaks[i].name);
	for (uint32_t i = 0; i < harmless_cnt; i++)
		failed += !result(check_harmless(&harmless[i]), ++number, harmless[i].name);
	failed += !result(check_unfilled(), ++number, "a buffer that a helper did not fill");
	return failed != 0;
}
