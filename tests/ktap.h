/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KTAP_H
#define KTAP_H
/**
 * DOC: KTAP from a C test
 *
 * A test program lists its cases and calls ktap_main(). A case is a function
 * that uses the CHECK macros; the first one that fails ends the case, prints a
 * diagnostic line and makes it "not ok".
 */
#include <stdbool.h>
#include <stdio.h>

/**
 * struct ktap_case - one test case
 * @name: as printed
 * @run: returns true if all checks held
 */
struct ktap_case {
	const char *name;
	bool (*run)(void);
};

/* Fail the case with a diagnostic, unless @cond holds. */
#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);    \
			return false;                                          \
		}                                                              \
	} while (0)

/* The same for two integers, showing both. */
#define CHECK_EQ(a, b)                                                         \
	do {                                                                   \
		long long a_ = (long long)(a), b_ = (long long)(b);            \
		if (a_ != b_) {                                                \
			printf("# %s:%d: %s is %lld, %s is %lld\n", __FILE__,  \
			       __LINE__, #a, a_, #b, b_);                      \
			return false;                                          \
		}                                                              \
	} while (0)

/**
 * ktap_main() - run all cases and print KTAP
 * @cases: the cases
 * @cnt: number of @cases
 *
 * Return: the exit status: 0 if every case passed, else 1
 */
static inline int ktap_main(const struct ktap_case *cases, int cnt)
{
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%d\n", cnt);
	for (int i = 0; i < cnt; i++) {
		bool ok = cases[i].run();

		printf("%s %d %s\n", ok ? "ok" : "not ok", i + 1, cases[i].name);
		failed += !ok;
	}
	return failed != 0;
}

#endif /* KTAP_H */
