// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The corpus: other people's XDP programs, and how the rewriter does
 *
 * `make corpus` fetches and compiles them (scripts/corpus); this loads each as
 * it is, translates it, and compares. Three figures must be reached, and the
 * exit status says whether they are. Programs of which the same is in the corpus
 * twice count once.
 *
 * How much programs grow is told twice: of all of them, and of those of MIN_INSNS
 * instructions or more, by which it is judged. What the host adds once, above all
 * to count verdicts, is as much for a program of two instructions as for one of two
 * thousand, and most selftests are so small that it is the greater part.
 */
#include <bpf/libbpf.h>
#include <glob.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../host/twin.h"
#include "subject.h"

#define MAX_SUBJECTS	4096
#define MUST_ACCEPT	95	/* percent */
#define MUST_GROWTH	1.6	/* median, of programs of so many instructions or more: */
#define MIN_INSNS	30

/**
 * struct corpus - all programs
 * @subjects: that load, each once
 * @cnt: number of @subjects
 * @programs: all XDP programs
 * @unloaded: of these: those that do not load
 * @twice: of these: those that are the same as another one
 */
struct corpus {
	struct subject subjects[MAX_SUBJECTS];
	uint32_t cnt;
	uint32_t programs;
	uint32_t unloaded;
	uint32_t twice;
};

/* What libbpf said last of an object: its interface has no room for a pointer. */
static char said[256];

/**
 * listen() - keep what libbpf has to say
 * @level: how bad it is
 * @fmt: as printf()'s
 * @ap: as vprintf()'s
 *
 * Return: 0
 */
static int __attribute__((format(printf, 2, 0)))
listen(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (level == LIBBPF_WARN && !said[0])
		vsnprintf(said, sizeof(said), fmt, ap);
	return 0;
}

/**
 * is_known() - is the same program in the corpus already?
 * @c: the corpus
 * @s: the program
 *
 * Return: true if so
 */
static bool is_known(const struct corpus *c, const struct subject *s)
{
	for (uint32_t i = 0; i < c->cnt; i++)
		if (c->subjects[i].hash == s->hash && c->subjects[i].cnt == s->cnt)
			return true;
	return false;
}

/**
 * fate_mark() - a form's fate, in the table
 * @res: the form
 *
 * Return: a word
 */
static const char *fate_mark(const struct form_result *res)
{
	static const char *const marks[] = {
		[FATE_NONE] = "-", [FATE_REWRITER] = "no", [FATE_TAINT] = "taint",
		[FATE_KERNEL] = "kernel",
		[FATE_EQUAL] = "equal", [FATE_VARIES] = "varies", [FATE_DIFFERS] = "DIFFERS",
	};

	return marks[res->fate];
}

/**
 * show() - print a program's line of the table
 * @s: the program
 */
static void show(const struct subject *s)
{
	const struct form_result *res = subject_chosen(s);
	char name[130];

	snprintf(name, sizeof(name), "%s/%s", s->object, s->name);
	printf("%-58.58s %5u  %-4s %-4s  %-7s %-7s %-7s", name, s->cnt, s->onloaded ? "-" : "yes",
	       s->strict ? "yes" : "-", fate_mark(&s->lite), fate_mark(&s->sfi),
	       fate_mark(&s->relaxed));
	if (res)
		printf(" %-4s %6.2f %5u %5u", res == &s->lite ? "lite" : "sfi",
		       (double)res->cnt / s->cnt, s->ns, res->ns);
	else
		printf(" %-4s %6s %5s %5s", "-", "-", "-", "-");
	if (s->redirects)
		printf("  redirects or calls other programs\n");
	else if (!res)
		printf("  lite: %s; sfi: %s\n", s->lite.text, s->sfi.text);
	else
		printf("%s%s%s%s\n", res->fate == FATE_EQUAL ? "" : "  ", res->text,
		       s->relaxed.fate >= FATE_EQUAL ? "" : "  relaxed: ", s->relaxed.text);
}

/**
 * add() - take a program into the corpus
 * @c: the corpus
 * @path: of its object
 * @index: its number there
 */
static void add(struct corpus *c, const char *path, int index)
{
	struct subject *s = &c->subjects[c->cnt];

	if (c->cnt == MAX_SUBJECTS || !subject_load(s, path, index))
		return;
	c->programs++;
	if (!s->loads) {
		c->unloaded++;
		printf("%s/%s: does not load: %s\n", s->object, s->name, s->text);
	} else if (is_known(c, s)) {
		c->twice++;
	} else {
		subject_translate(s, path, index);
		c->cnt++;
	}
}

/**
 * by_name() - order programs
 * @a: one
 * @b: another
 *
 * Return: as strcmp()
 */
static int by_name(const void *a, const void *b)
{
	const struct subject *x = a, *y = b;
	int order = strcmp(x->object, y->object);

	return order ? order : strcmp(x->name, y->name);
}

/**
 * by_value() - order numbers
 * @a: one
 * @b: another
 *
 * Return: as strcmp()
 */
static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/**
 * median() - the middle one of numbers
 * @values: they; are sorted
 * @cnt: number of @values
 *
 * Return: it
 */
static double median(double *values, uint32_t cnt)
{
	qsort(values, cnt, sizeof(*values), by_value);
	return cnt ? (values[cnt / 2] + values[(cnt - 1) / 2]) / 2 : 0;
}

/**
 * struct sums - the totals of a set of programs
 * @cnt: programs
 * @strict: the kernel takes them as they are
 * @lite: it takes form lite
 * @sfi: it takes form sfi
 * @accepted: it takes one of both
 * @right: and that one does the same as the program as XDP
 * @varies: of these: as far as one can tell
 * @clean: rw_taint() has nothing against them
 * @relaxed: the kernel takes form lite at level relaxed
 * @relaxed_right: and that does the same
 * @either: it takes one of both forms at level strict, or lite at relaxed
 * @long_cnt: of those accepted: programs of MIN_INSNS instructions or more
 * @growth: median, of those accepted
 * @long_growth: the same, of programs of MIN_INSNS instructions or more
 * @more_ns: median of what is added, of those accepted
 */
struct sums {
	uint32_t cnt, strict, lite, sfi, accepted, right, varies, long_cnt;
	uint32_t clean, relaxed, relaxed_right, either;
	double growth, long_growth, more_ns;
};

/**
 * sum() - total a set of programs
 * @c: the corpus
 * @offloadable: only those that a guest's kernel offloads
 *
 * Return: the totals, of those that do not redirect
 */
static struct sums sum(const struct corpus *c, bool offloadable)
{
	static double growth[MAX_SUBJECTS], long_growth[MAX_SUBJECTS], more[MAX_SUBJECTS];
	struct sums t = { 0 };

	for (uint32_t i = 0; i < c->cnt; i++) {
		const struct subject *s = &c->subjects[i];
		const struct form_result *res = subject_chosen(s);

		if (s->redirects || (offloadable && s->onloaded))
			continue;
		t.cnt++;
		t.strict += s->strict;
		t.lite += s->lite.fate >= FATE_EQUAL;
		t.sfi += s->sfi.fate >= FATE_EQUAL;
		t.clean += s->relaxed.fate > FATE_TAINT ||
			   (s->relaxed.fate == FATE_REWRITER && s->relaxed.passed);
		t.relaxed += s->relaxed.fate >= FATE_EQUAL;
		t.relaxed_right += s->relaxed.fate == FATE_EQUAL || s->relaxed.fate == FATE_VARIES;
		t.either += res || s->relaxed.fate >= FATE_EQUAL;
		if (!res)
			continue;
		growth[t.accepted] = (double)res->cnt / s->cnt;
		if (s->cnt >= MIN_INSNS)
			long_growth[t.long_cnt++] = growth[t.accepted];
		more[t.accepted++] = (double)res->ns - s->ns;
		t.right += res->fate != FATE_DIFFERS;
		t.varies += res->fate == FATE_VARIES;
	}
	t.growth = median(growth, t.accepted);
	t.long_growth = median(long_growth, t.long_cnt);
	t.more_ns = median(more, t.accepted);
	return t;
}

/**
 * show_sums() - print totals
 * @name: of the set
 * @t: its totals
 */
static void show_sums(const char *name, const struct sums *t)
{
	printf("%s: %u\n", name, t->cnt);
	printf("  strict as they are       %4u\n", t->strict);
	printf("  strict in form lite      %4u\n", t->lite);
	printf("  strict in form sfi       %4u\n", t->sfi);
	printf("  strict in one of both    %4u\n", t->accepted);
	printf("  and the same as XDP      %4u, of which %u vary by themselves\n", t->right,
	       t->varies);
	printf("  relaxed: nothing leaks   %4u\n", t->clean);
	printf("  relaxed in form lite     %4u\n", t->relaxed);
	printf("  and the same as XDP      %4u\n", t->relaxed_right);
	printf("  strict or relaxed        %4u\n", t->either);
	printf("  growth, median           %7.2f\n", t->growth);
	printf("    of %2d insns or more    %7.2f, %u programs\n", MIN_INSNS, t->long_growth,
	       t->long_cnt);
	printf("  more ns, median          %7.0f\n", t->more_ns);
}

/**
 * must() - print a figure that must be reached
 * @what: the figure
 * @ok: it is reached
 *
 * Return: @ok
 */
static bool must(const char *what, bool ok)
{
	printf("%s  %s\n", ok ? "reached    " : "NOT REACHED", what);
	return ok;
}

/**
 * show_corpus() - print the table and the totals
 * @c: the corpus
 *
 * Return: true if all that must be reached is
 */
static bool show_corpus(struct corpus *c)
{
	uint32_t redirects = 0;
	struct sums all, off;
	char growth[128];
	bool ok;

	qsort(c->subjects, c->cnt, sizeof(c->subjects[0]), by_name);
	printf("\n%-58s %5s  %-4s %-4s  %-7s %-7s %-7s %-4s %6s %5s %5s\n", "program", "insns",
	       "offl", "as is", "lite", "sfi", "relaxed", "form", "growth", "xdp", "ns");
	for (uint32_t i = 0; i < c->cnt; i++) {
		show(&c->subjects[i]);
		redirects += c->subjects[i].redirects;
	}
	all = sum(c, false);
	off = sum(c, true);
	printf("\nXDP programs: %u; %u do not load, %u are there twice, %u remain, of which %u "
	       "redirect or call other programs\n", c->programs, c->unloaded, c->twice, c->cnt,
	       redirects);
	show_sums("all others", &all);
	show_sums("of these offloadable by a guest's kernel", &off);
	printf("\n");
	ok = must("all offloadable programs accepted, and equal to XDP",
		  off.cnt && off.right == off.cnt);
	ok = must("95 % of all accepted, and equal to XDP",
		  all.cnt && all.right * 100 >= all.cnt * MUST_ACCEPT) && ok;
	snprintf(growth, sizeof(growth), "median growth at most %.1f, of programs of %d "
		 "instructions or more; of all: %.2f", MUST_GROWTH, MIN_INSNS, all.growth);
	return must(growth, all.long_cnt && all.long_growth <= MUST_GROWTH) && ok;
}

/**
 * main() - the corpus
 * @argc: number of @argv
 * @argv: the folder with the objects
 *
 * Return: exit status
 */
int main(int argc, char **argv)
{
	static struct corpus c;
	char pattern[4096];
	cpu_set_t one;
	glob_t found;

	if (argc != 2 || !twin_usable()) {
		fprintf(stderr, argc == 2 ? "corpus: loading programs needs root\n" :
					    "usage: corpus FOLDER\n");
		return 2;
	}
	/* What a CPU has of its own has to be the same one's. */
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	setvbuf(stdout, NULL, _IOLBF, 0);
	libbpf_set_print(listen);
	snprintf(pattern, sizeof(pattern), "%s/*.o", argv[1]);
	if (glob(pattern, 0, NULL, &found)) {
		fprintf(stderr, "corpus: there are no objects in %s\n", argv[1]);
		return 2;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int cnt;

		said[0] = 0;
		cnt = subject_count(found.gl_pathv[i]);
		if (cnt < 0)
			printf("%s: %s", strrchr(found.gl_pathv[i], '/') + 1, said);
		for (int n = 0; n < cnt; n++)
			add(&c, found.gl_pathv[i], n);
	}
	globfree(&found);
	return !show_corpus(&c);
}
