// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Whether an address gets out at level relaxed, of random programs
 *
 * A program (gen_ptr.h) is loaded twice, each time with maps of its own, and both run
 * on the same packets. What they leave in packets, maps and verdicts must be the same:
 * an address that gets out differs, as the maps of both are at different places, and
 * most packets are.
 *
 * Done with translations that level relaxed lets pass there must be no difference. Done
 * with the programs as they are, which the kernel alone lets pass, many must differ, or
 * this test would notice nothing.
 *
 *	test_pointers [SEED [COUNT]]
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../host/leaks.h"
#include "../host/twin.h"
#include "../ktap.h"
#include "dump.h"
#include "gen_ptr.h"
#include "packet.h"

#define PACKETS		6
#define PAGE		4096
#define MAX_TOLD	5
#define MIN_COMPARED	100	/* translations, of COUNT programs */
#define COUNT		20000
#define RAW_COUNT	2000	/* programs as they are */
#define MIN_NOTICED	5	/* per cent of those that are compared */

static const struct rw_map maps[] = {
	{ LEAK_ARRAY, BPF_MAP_TYPE_ARRAY, 4, 64, 4 },
	{ LEAK_HASH, BPF_MAP_TYPE_HASH, 16, 16, 16 },
};

static uint64_t first_seed = 1, count = COUNT;

/**
 * struct outcome - what a program did to a packet
 * @err: it did not run
 * @verdict: that it returned
 * @len: bytes in @data
 * @data: the packet afterwards
 */
struct outcome {
	int err;
	uint32_t verdict;
	uint32_t len;
	uint8_t data[TWIN_PACKET];
};

/**
 * run() - run a program on a packet
 * @fd: the program
 * @packet: the packet
 * @out: result
 */
static void run(int fd, const struct packet *packet, struct outcome *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts,
		.data_in = packet->data, .data_size_in = packet->len,
		.data_out = out->data, .data_size_out = sizeof(out->data), .repeat = 1);

	out->err = bpf_prog_test_run_opts(fd, &opts);
	out->verdict = opts.retval;
	out->len = out->err ? 0 : opts.data_size_out;
}

/**
 * same_packets() - do two instances of a program do the same to packets?
 * @a: fd of the one
 * @b: fd of the other
 * @seed: of the packets
 *
 * Memory is taken in between, for packets to be at different places.
 *
 * Return: true if so
 */
static bool same_packets(int a, int b, uint64_t seed)
{
	static struct outcome x, y;
	struct packet packet;

	for (uint64_t i = 0; i < PACKETS; i++) {
		size_t size = PAGE * (i + 1);
		void *taken;

		packet_make(&packet, seed * PACKETS + i);
		run(a, &packet, &x);
		taken = mmap(NULL, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		run(b, &packet, &y);
		if (taken != MAP_FAILED)
			munmap(taken, size);
		if (x.err != y.err || x.verdict != y.verdict || x.len != y.len ||
		    memcmp(x.data, y.data, x.len))
			return false;
	}
	return true;
}

/**
 * same_maps() - have two instances left the same in their maps?
 * @a: the one
 * @b: the other
 * @which: which program of the twins: 0 for the native one, 1 for the translation
 *
 * Return: true if so
 */
static bool same_maps(struct twin *a, struct twin *b, int which)
{
	for (size_t m = 0; m < ARRAY_SIZE(maps); m++) {
		int fd = a->maps[m][!which];

		a->maps[m][!which] = b->maps[m][which];
		b->maps[m][which] = fd;
	}
	return twin_maps_equal(a);
}

/**
 * load_native() - load twins' program as it is, with the privileges that there are
 * @arg: the twins
 *
 * Return: 0 or -EACCES
 */
static int load_native(void *arg)
{
	return twin_load_native(arg) ? 0 : -EACCES;
}

/**
 * load() - load one instance
 * @t: the twins; result, free with twin_free() in any case
 * @prog: the program
 * @raw: as it is, else its translation
 *
 * Return: true if it is accepted
 */
static bool load(struct twin *t, const struct rw_prog *prog, bool raw)
{
	twin_init(t, prog);
	if (!twin_make_own(t) || !twin_make_maps(t))
		return false;
	if (raw)
		return !twin_relaxed(load_native, t);
	twin_translate_relaxed(t);
	return !t->err;
}

/**
 * passes() - does level relaxed let a program pass?
 * @prog: the program
 *
 * To know it before anything is made saves most of the time.
 *
 * Return: true if so
 */
static bool passes(const struct rw_prog *prog)
{
	const struct rw_opts opts = {
		.form = RW_FORM_LITE, .target = RW_TARGET_SKB, .tap_ifindex = 1,
		.level = RW_LEVEL_RELAXED,
	};
	struct rw_out out;
	bool ok = !rw_rewrite(prog, &opts, &out, NULL);

	rw_out_free(&out);
	return ok;
}

/**
 * compare() - load many programs twice and compare
 * @cnt: number of programs
 * @raw: as they are, else their translations
 * @compared: result: how many of them were accepted
 *
 * Return: how many differ
 */
static uint32_t compare(uint64_t cnt, bool raw, uint32_t *compared)
{
	static struct ptr_prog p;
	uint32_t differ = 0;

	*compared = 0;
	for (uint64_t seed = first_seed; seed < first_seed + cnt; seed++) {
		struct rw_prog prog = { .maps = maps, .map_cnt = ARRAY_SIZE(maps), .ifindex = 1 };
		struct twin a, b;

		ptr_program(&p, seed);
		prog.insns = p.insns;
		prog.cnt = p.cnt;
		if (!raw && !passes(&prog))
			continue;
		twin_init(&b, &prog);
		if (load(&a, &prog, raw) && load(&b, &prog, raw)) {
			++*compared;
			if (!same_packets(raw ? a.native : a.strict, raw ? b.native : b.strict,
					  seed) || !same_maps(&a, &b, !raw)) {
				if (!raw && differ < MAX_TOLD) {
					printf("# seed %llu:\n", (unsigned long long)seed);
					dump_program(p.insns, p.cnt);
				}
				differ++;
			}
		}
		twin_free(&a);
		twin_free(&b);
	}
	printf("# %llu programs, %u compared, %u differ\n", (unsigned long long)cnt, *compared,
	       differ);
	return differ;
}

/**
 * relaxed() - no address gets out of what level relaxed lets pass
 *
 * Return: true if none does
 */
static bool relaxed(void)
{
	uint32_t compared;

	CHECK_EQ(compare(count, false, &compared), 0);
	CHECK(count < COUNT || compared >= MIN_COMPARED);
	return true;
}

/**
 * noticed() - addresses that get out are noticed
 *
 * Return: true if they are, of programs that the kernel alone lets pass
 */
static bool noticed(void)
{
	uint32_t compared, differ = compare(RAW_COUNT, true, &compared);

	CHECK(compared >= MIN_COMPARED);
	CHECK(differ * 100 >= compared * MIN_NOTICED);
	return true;
}

/**
 * main() - run the cases
 * @argc: number of arguments
 * @argv: see above
 *
 * Return: exit status
 */
int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "addresses that get out are noticed", noticed },
		{ "none gets out at level relaxed", relaxed },
	};
	cpu_set_t cpu;

	if (argc > 1)
		first_seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		count = strtoull(argv[2], NULL, 0);
	if (!twin_usable()) {
		printf("TAP version 13\n1..0 # SKIP loading programs needs root\n");
		return 0;
	}
	/* A hash map reuses its elements in an order that depends on the CPU. */
	CPU_ZERO(&cpu);
	CPU_SET(0, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	return ktap_main(cases, ARRAY_SIZE(cases));
}
