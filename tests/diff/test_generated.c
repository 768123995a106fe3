// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Random programs, against their translations
 *
 * Each program (gen.h) is loaded as XDP and, translated, as a tenant's program
 * (twin.h); both run on a set of random packets, and verdicts, packets, counters
 * and maps must agree. A program that the kernel does not accept as XDP, or that
 * a way of translation does not offer to do, proves nothing: there must not be too many.
 *
 * Where the rewriter says how far a program looks into packets, program and
 * translation run once more, on packets that differ from the first ones behind
 * that and have other lengths: the same must come of it.
 *
 *	test_generated [--seed N] [--count N] [--packets N]
 *		       [--forms lite,sfi,relaxed] [--show] [--verbose]
 *
 * Program number i is made from seed N + i, so that "--seed S --count 1" repeats
 * one of them; --show prints programs, --verbose why a program was left out.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../host/twin.h"
#include "../ktap.h"
#include "dump.h"
#include "gen.h"
#include "packet.h"
#include "rng.h"

#define MAX_DIFFERENCES	5	/* that are printed before a way is given up */
#define MAX_PACKETS	1000	/* for each program */
#define GROWTH_MAX	1000	/* per cent */

/* Per cent that must be reached, or the test proves too little */
#define MIN_NATIVE	80	/* of the programs: accepted as XDP */
#define MIN_LITE	20	/* of those: accepted in form lite */
#define MIN_SFI		97	/* of those: accepted in form sfi */
#define MIN_RELAXED	30	/* of those: accepted at level relaxed */
#define MAX_DENIED	10	/* of those: translated, but not accepted by the kernel */
#define MIN_SEEN	30	/* of the packets: go on, so that bytes are compared */
#define MIN_NEAR	20	/* of the programs compared: do not look at all of a packet */
#define MIN_NOTICED	80	/* of wrong translations: found to differ */
#define MIN_TOO_NEAR	10	/* of reaches that are cut in half; some 40 usually */
#define MIN_COUNT	100	/* programs from which on that is demanded */

/* What is run, from the command line, and what came of it */
static struct {
	uint64_t seed;
	uint64_t count;
	uint32_t packets;
	bool lite;
	bool sfi;
	bool relaxed;
	bool show;
	bool verbose;
	uint32_t verdicts[2][MAX_PACKETS];	/* of the last program: packets as made, changed */
} todo = { .seed = 1, .count = 2000, .packets = 24, .lite = true, .sfi = true, .relaxed = true };

/**
 * struct tally - how the programs fared in one way
 * @programs: generated
 * @native: accepted as XDP
 * @refused: by the rewriter as nothing for this way
 * @denied: translated, but not accepted by the kernel
 * @wrong: refused by the rewriter as wrong programs, which they are not
 * @strict: accepted, and so compared
 * @differ: of those: they differ
 * @packets: compared
 * @seen: of those: they go on, so that their bytes count
 * @near: of @strict: have a reach
 * @changed: packets that were changed behind it
 * @growth: translations by length, in per cent of the program's
 */
struct tally {
	uint64_t programs;
	uint64_t native;
	uint64_t refused;
	uint64_t denied;
	uint64_t wrong;
	uint64_t strict;
	uint64_t differ;
	uint64_t packets;
	uint64_t seen;
	uint64_t near;
	uint64_t changed;
	uint64_t growth[GROWTH_MAX + 1];
};

/* Ways of translation: the two forms at level strict, and form lite at relaxed */
enum way { WAY_LITE, WAY_SFI, WAY_RELAXED };

/**
 * way_name() - a way's name, as --forms has it
 * @way: the way
 *
 * Return: the name
 */
static const char *way_name(enum way way)
{
	static const char *const names[] = { "lite", "sfi", "relaxed" };

	return names[way];
}

/**
 * make() - load a program and its translation
 * @t: result; free with twin_free() in any case
 * @prog: the program; stays the caller's
 * @way: of the translation
 *
 * Return: false if the program itself is not as it should be
 */
static bool make(struct twin *t, const struct rw_prog *prog, enum way way)
{
	if (way == WAY_RELAXED)
		return twin_make_relaxed(t, prog);
	return twin_make(t, prog, way == WAY_LITE ? RW_FORM_LITE : RW_FORM_SFI);
}

/**
 * say() - print text as diagnostics
 * @text: lines
 */
static void say(const char *text)
{
	while (*text) {
		int len = (int)strcspn(text, "\n");

		printf("#   %.*s\n", len, text);
		text += len + (text[len] == '\n');
	}
}

/**
 * leave_out() - a program cannot be compared: say so if that is wanted
 * @p: the program
 * @t: the twins
 * @what: happened
 */
static void leave_out(const struct gen_prog *p, const struct twin *t, const char *what)
{
	if (!todo.verbose)
		return;
	printf("# seed %llu: %s: %s\n", (unsigned long long)p->seed, what, strerror(-t->err));
	say(t->text);
}

/**
 * tell() - a program and its translation differ: print all that helps
 * @p: the program
 * @t: the twins
 * @way: of the translation
 * @packet: number of the packet
 */
static void tell(const struct gen_prog *p, const struct twin *t, enum way way,
		 uint32_t packet)
{
	struct packet pkt;

	printf("# seed %llu, %s, packet %u:\n", (unsigned long long)p->seed,
	       way_name(way), packet);
	say(t->text);
	printf("# again: test_generated --seed %llu --count 1 --packets %u --forms %s\n",
	       (unsigned long long)p->seed, todo.packets, way_name(way));
	if (packet < todo.packets) {
		packet_make(&pkt, p->seed * todo.packets + packet);
		if (t->reach != RW_REACH_ALL)
			printf("# the program's reach is %u\n", t->reach);
		dump_bytes(pkt.data, pkt.len < 256 ? pkt.len : 256);
	}
	dump_program(p->insns, p->cnt);
}

/**
 * compare() - run a program and its translation on all packets
 * @p: the program
 * @t: the twins, as new
 * @way: of the translation
 * @reach: what is behind this offset in the packets is changed first
 * @tally: packets are added; NULL to be quiet
 *
 * Return: true if they agree
 */
static bool compare(const struct gen_prog *p, struct twin *t, enum way way, uint32_t reach,
		    struct tally *tally)
{
	static struct tally unused;
	struct tally *sum = tally ? tally : &unused;
	struct packet pkt;
	uint32_t i;

	for (i = 0; i < todo.packets; i++) {
		packet_make(&pkt, p->seed * todo.packets + i);
		sum->changed += packet_change(&pkt, p->seed + i, reach);
		if (!twin_run(t, pkt.data, pkt.len))
			break;
		todo.verdicts[reach != RW_REACH_ALL][i] = t->verdict;
		sum->packets++;
		sum->seen += t->verdict == XDP_PASS || t->verdict == XDP_TX;
	}
	if (i == todo.packets && twin_maps_equal(t))
		return true;
	if (tally)
		tell(p, t, way, i);
	return false;
}

/**
 * exchange() - exchange the translation's maps of one pair with the program's of another
 * @a: the one
 * @b: the other
 */
static void exchange(struct twin *a, struct twin *b)
{
	for (int m = 0; m < TWIN_MAPS; m++) {
		int fd = a->maps[m][1];

		a->maps[m][1] = b->maps[m][0];
		b->maps[m][0] = fd;
	}
}

/**
 * indifferent() - does a program do the same whatever is behind its reach?
 * @p: the program
 * @t: its twins, after compare() has been content with them
 * @way: of the translation
 * @reach: what is taken for its reach
 * @tally: packets are added; NULL to be quiet
 *
 * Return: true if so
 */
static bool indifferent(const struct gen_prog *p, struct twin *t, enum way way,
			uint32_t reach, struct tally *tally)
{
	struct twin other;
	uint32_t i = 0;
	bool same;

	if (!make(&other, &t->prog, way) || other.err ||
	    !compare(p, &other, way, reach, tally)) {
		twin_free(&other);
		return false;
	}
	while (i < todo.packets && todo.verdicts[0][i] == todo.verdicts[1][i])
		i++;
	exchange(t, &other);
	same = i == todo.packets && twin_maps_equal(t) && twin_maps_equal(&other);
	exchange(t, &other);
	if (!same && tally) {
		snprintf(t->text, sizeof(t->text), "what is behind its reach of %u bytes makes "
			 "a difference\n%.1000s", reach, other.text);
		tell(p, t, way, i);
	}
	twin_free(&other);
	return same;
}

/**
 * make_twins() - generate a program and load it twice
 * @p: the program; result
 * @t: the twins; result, free with twin_free() in any case
 * @seed: of the program
 * @way: of the translation
 *
 * Return: false if it is not accepted as XDP
 */
static bool make_twins(struct gen_prog *p, struct twin *t, uint64_t seed, enum way way)
{
	struct rw_prog prog = { .maps = p->maps, .map_cnt = GEN_MAPS };

	gen_program(p, seed);
	prog.insns = p->insns;
	prog.cnt = p->cnt;
	if (todo.show)
		dump_program(p->insns, p->cnt);
	return make(t, &prog, way);
}

/**
 * run_one() - one program in one way
 * @seed: of the program
 * @way: of the translation
 * @tally: what happened is added
 */
static void run_one(uint64_t seed, enum way way, struct tally *tally)
{
	static struct gen_prog p;
	uint32_t growth;
	struct twin t;

	tally->programs++;
	if (!make_twins(&p, &t, seed, way)) {
		t.err = t.native;
		leave_out(&p, &t, "not accepted as XDP");
		goto out;
	}
	tally->native++;
	if (!t.cnt && (t.err == -EOPNOTSUPP || t.err == -EPERM || t.err == -E2BIG)) {
		tally->refused++;
		leave_out(&p, &t, "not offered");
	} else if (!t.cnt) {
		tally->wrong++;
		tell(&p, &t, way, todo.packets);
	} else if (t.err) {
		tally->denied++;
		leave_out(&p, &t, "the translation is not accepted");
	} else {
		growth = t.cnt * 100 / p.cnt;
		tally->growth[growth < GROWTH_MAX ? growth : GROWTH_MAX]++;
		tally->strict++;
		if (!compare(&p, &t, way, RW_REACH_ALL, tally)) {
			tally->differ++;
		} else if (t.reach != RW_REACH_ALL) {
			tally->near++;
			tally->differ += !indifferent(&p, &t, way, t.reach, tally);
		}
	}
out:
	twin_free(&t);
}

/**
 * median() - the median growth
 * @tally: of a way
 *
 * Return: the translation's length in per cent of the program's
 */
static uint32_t median(const struct tally *tally)
{
	uint64_t sum = 0;
	uint32_t growth = 0;

	while (growth < GROWTH_MAX && 2 * (sum + tally->growth[growth]) < tally->strict)
		sum += tally->growth[growth++];
	return growth;
}

/**
 * enough() - is a share as large as it must be?
 * @part: of @whole
 * @whole: number of all
 * @percent: that @part must be
 *
 * Return: true if so; a few programs need not reach it
 */
static bool enough(uint64_t part, uint64_t whole, uint32_t percent)
{
	return todo.count < MIN_COUNT || (whole && part * 100 >= whole * percent);
}

/**
 * report() - print how the programs fared in one way
 * @tally: it
 */
static void report(const struct tally *tally)
{
	printf("# %llu programs, %llu accepted as XDP; %llu not offered, %llu not accepted,\n",
	       (unsigned long long)tally->programs, (unsigned long long)tally->native,
	       (unsigned long long)tally->refused, (unsigned long long)tally->denied);
	printf("# %llu compared on %llu packets, %llu of which went on; growth x%u.%02u;\n",
	       (unsigned long long)tally->strict, (unsigned long long)tally->packets,
	       (unsigned long long)tally->seen, median(tally) / 100, median(tally) % 100);
	printf("# %llu have a reach, %llu of their packets were changed behind it;\n",
	       (unsigned long long)tally->near, (unsigned long long)tally->changed);
	printf("# %llu refused as wrong, %llu differ\n", (unsigned long long)tally->wrong,
	       (unsigned long long)tally->differ);
}

/**
 * run_way() - all programs in one way
 * @way: of the translations
 * @percent: of the programs that must be accepted in it
 *
 * Return: true if none differs, and enough were compared
 */
static bool run_way(enum way way, uint32_t percent)
{
	static struct tally tally;
	time_t next = time(NULL) + 60;

	memset(&tally, 0, sizeof(tally));
	for (uint64_t i = 0; i < todo.count; i++) {
		run_one(todo.seed + i, way, &tally);
		if (tally.wrong + tally.differ >= MAX_DIFFERENCES)
			break;
		if (time(NULL) >= next) {
			report(&tally);
			next = time(NULL) + 60;
		}
	}
	report(&tally);
	CHECK_EQ(tally.wrong, 0);
	CHECK_EQ(tally.differ, 0);
	CHECK(enough(tally.native, tally.programs, MIN_NATIVE));
	CHECK(enough(tally.strict, tally.native, percent));
	if (way != WAY_LITE || !twin_walks_on())
		CHECK(enough(tally.native - tally.denied, tally.native, 100 - MAX_DENIED));
	CHECK(enough(tally.seen, tally.packets, MIN_SEEN));
	CHECK(enough(tally.near, tally.strict, MIN_NEAR));
	return true;
}

/**
 * lite() - all programs in form lite
 *
 * Return: true if the translations do the same
 */
static bool lite(void)
{
	return run_way(WAY_LITE, MIN_LITE);
}

/**
 * sfi() - all programs in form sfi
 *
 * Return: true if the translations do the same
 */
static bool sfi(void)
{
	return run_way(WAY_SFI, MIN_SFI);
}

/**
 * relaxed() - all programs in form lite at level relaxed
 *
 * Return: true if the translations do the same
 */
static bool relaxed(void)
{
	return run_way(WAY_RELAXED, MIN_RELAXED);
}

/**
 * notice() - the translation of another program is found to be wrong
 *
 * Return: true if nearly all are
 */
static bool notice(void)
{
	static struct gen_prog p;
	uint32_t tried = 0, noticed = 0;

	for (uint64_t seed = todo.seed; tried < 50 && seed < todo.seed + 1000; seed++) {
		struct twin a, b;
		int native;

		if (make_twins(&p, &b, seed + 1, WAY_LITE) && !b.err) {
			if (make_twins(&p, &a, seed, WAY_LITE) && !a.err) {
				native = a.native;
				a.native = b.native;
				b.native = native;
				tried++;
				noticed += !compare(&p, &a, WAY_LITE, RW_REACH_ALL, NULL);
			}
			twin_free(&a);
		}
		twin_free(&b);
	}
	printf("# %u of %u wrong translations are noticed\n", noticed, tried);
	CHECK_EQ(tried, 50);
	CHECK(noticed * 100 >= tried * MIN_NOTICED);
	return true;
}

/**
 * too_near() - half of a reach is found to be too little
 *
 * Return: true if it often is
 */
static bool too_near(void)
{
	static struct gen_prog p;
	uint32_t tried = 0, noticed = 0;

	for (uint64_t seed = todo.seed; tried < 50 && seed < todo.seed + 1000; seed++) {
		struct twin t;

		if (make_twins(&p, &t, seed, WAY_SFI) && !t.err && t.reach > 1 &&
		    t.reach != RW_REACH_ALL && compare(&p, &t, WAY_SFI, RW_REACH_ALL, NULL)) {
			tried++;
			noticed += !indifferent(&p, &t, WAY_SFI, t.reach / 2, NULL);
		}
		twin_free(&t);
	}
	printf("# %u of %u reaches that are too small are noticed\n", noticed, tried);
	CHECK_EQ(tried, 50);
	CHECK(noticed * 100 >= tried * MIN_TOO_NEAR);
	return true;
}

/**
 * parse() - read the command line
 * @argc: as main() has it
 * @argv: as main() has it
 *
 * Return: false if it is wrong
 */
static bool parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "count", required_argument, NULL, 'c' },
		{ "packets", required_argument, NULL, 'p' },
		{ "forms", required_argument, NULL, 'f' },
		{ "show", no_argument, NULL, 'w' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			todo.seed = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			todo.count = strtoull(optarg, NULL, 0);
			break;
		case 'p':
			todo.packets = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'f':
			todo.lite = strstr(optarg, "lite") != NULL;
			todo.sfi = strstr(optarg, "sfi") != NULL;
			todo.relaxed = strstr(optarg, "relaxed") != NULL;
			break;
		case 'w':
			todo.show = true;
			break;
		case 'v':
			todo.verbose = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc && todo.count && todo.packets && todo.packets <= MAX_PACKETS;
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
	struct ktap_case cases[5];
	int cnt = 0;
	cpu_set_t cpu;

	if (!parse(argc, argv)) {
		fprintf(stderr, "usage: test_generated [--seed N] [--count N] [--packets N]\n"
			"                      [--forms lite,sfi,relaxed] [--show] [--verbose]\n");
		return 2;
	}
	if (!twin_usable()) {
		printf("TAP version 13\n1..0 # SKIP loading programs needs root\n");
		return 0;
	}
	/* A hash map reuses its elements in an order that depends on the CPU. */
	CPU_ZERO(&cpu);
	CPU_SET(sched_getcpu() < 0 ? 0 : (size_t)sched_getcpu(), &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	if (todo.count >= MIN_COUNT)
		cases[cnt++] = (struct ktap_case){ "wrong translations are noticed", notice };
	if (todo.count >= MIN_COUNT && todo.sfi)
		cases[cnt++] = (struct ktap_case){ "a reach that is too small is noticed",
						   too_near };
	if (todo.lite)
		cases[cnt++] = (struct ktap_case){ "random programs in form lite", lite };
	if (todo.sfi)
		cases[cnt++] = (struct ktap_case){ "random programs in form sfi", sfi };
	if (todo.relaxed)
		cases[cnt++] = (struct ktap_case){ "random programs at level relaxed", relaxed };
	return ktap_main(cases, cnt);
}
