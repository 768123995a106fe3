// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: vbpf-rewrite, the rewriter on the command line
 *
 *   file → programs (object.c) → translation (job.c) → words (show.c, json.c)
 *
 * For operators and tenants who want to know what becomes of a program before a
 * host sees it. Loads nothing and needs no privilege.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../helpers-whitelist/whitelist.h"
#include "job.h"

/* Exit statuses, as in vbpf-rewrite(1) */
#define EXIT_REFUSED	1	/* a program was refused */
#define EXIT_USAGE	2	/* the command line or the file is wrong */

#define MAPS_MAX	64

/**
 * struct args - the command line
 * @query: which programs
 * @maps: for @query
 * @profile: what they may do, see RW_PROFILE_TENANT
 * @opts: what to make of them
 * @disasm: print the listing
 * @explain: print why instructions are not copied
 * @json: print JSON instead
 * @out: file for the translated instructions, or NULL
 */
struct args {
	struct object_query query;
	struct object_map maps[MAPS_MAX];
	uint32_t profile;
	struct rw_opts opts;
	bool disasm;
	bool explain;
	bool json;
	const char *out;
};

static const char usage[] =
	"vbpf-rewrite [OPTION]... FILE: what becomes of an XDP program on the host\n"
	"FILE is an ELF object, or bare instructions of 8 bytes each\n"
	"  --prog NAME         the program of this name\n"
	"  --section NAME      the programs of this section (default: all XDP programs)\n"
	"  --map HANDLE=TYPE,KEY,VALUE,ENTRIES  of bare instructions: a map; TYPE is\n"
	"                      array, hash or a number, KEY and VALUE are sizes\n"
	"  --helpers PROFILE   time or cpu: what the port has beside packet; may be repeated\n"
	"  --form FORM         lite, sfi or auto: lite, or else sfi (default)\n"
	"  --level LEVEL       strict (default) or relaxed, which has form lite alone\n"
	"  --host-kernel X.Y   the host's kernel; before 6.17 loops are form sfi's alone\n"
	"  --target skb        what it is translated for\n"
	"  --tap-ifindex N     index of the TAP, where XDP_TX comes out (default 1)\n"
	"  --window BYTES      how much of a packet form sfi copies (default 2048)\n"
	"  --disasm            the program and its translation, side by side\n"
	"  --explain           why instructions are not copied as they are\n"
	"  --json              JSON\n"
	"  -o, --output FILE   write the translated instructions of the one program\n"
	"  -V, --version; -h, --help\n"
	"See vbpf-rewrite(1).";

/**
 * bad() - say what is wrong with the command line
 * @what: the sentence's beginning
 * @arg: its end
 *
 * Return: false
 */
static bool bad(const char *what, const char *arg)
{
	fprintf(stderr, "vbpf-rewrite: %s %s\n", what, arg);
	return false;
}

/**
 * number() - read a number
 * @arg: its text
 * @num: result
 *
 * Return: true if it is one
 */
static bool number(const char *arg, uint32_t *num)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(arg, &end, 0);
	*num = (uint32_t)n;
	return *arg >= '0' && *arg <= '9' && !*end && !errno && n <= UINT32_MAX;
}

/**
 * add_map() - read what a map looks like
 * @a: gets the map
 * @arg: HANDLE=TYPE,KEY,VALUE,ENTRIES
 *
 * Return: true if that is what it is
 */
static bool add_map(struct args *a, const char *arg)
{
	struct object_map *map = &a->maps[a->query.map_cnt];
	struct rw_map *def = &map->def;
	char type[16], rest;

	if (a->query.map_cnt == MAPS_MAX)
		return bad("there are too many maps:", arg);
	if (sscanf(arg, "%u=%15[a-z0-9],%u,%u,%u%c", &def->handle, type, &def->key_size,
		   &def->value_size, &def->max_entries, &rest) != 5)
		return bad("a map is HANDLE=TYPE,KEY,VALUE,ENTRIES, not", arg);
	if (!strcmp(type, "hash"))
		def->map_type = BPF_MAP_TYPE_HASH;
	else if (!strcmp(type, "array"))
		def->map_type = BPF_MAP_TYPE_ARRAY;
	else if (!number(type, &def->map_type))
		return bad("a map's type is array, hash or a number, not", type);
	snprintf(map->name, sizeof(map->name), "map %u", def->handle);
	a->query.map_cnt++;
	return true;
}

/**
 * set_form() - read the name of a form
 * @a: gets it
 * @arg: the name
 *
 * Return: true if it is one
 */
static bool set_form(struct args *a, const char *arg)
{
	if (!strcmp(arg, "auto"))
		a->opts.form = JOB_AUTO;
	else if (!strcmp(arg, "lite"))
		a->opts.form = RW_FORM_LITE;
	else if (!strcmp(arg, "sfi"))
		a->opts.form = RW_FORM_SFI;
	else
		return bad("a form is lite, sfi or auto, not", arg);
	return true;
}

/**
 * add_helpers() - read the name of a profile of helpers
 * @a: gets it, beside those that it has
 * @arg: the name
 *
 * Return: true if it is one
 */
static bool add_helpers(struct args *a, const char *arg)
{
	const struct wl_profile_name *name;

	for (name = wl_profiles; name->name; name++) {
		if (strcmp(name->name, arg))
			continue;
		a->profile |= name->profile;
		return true;
	}
	return bad("a port's helpers are packet, time or cpu, not", arg);
}

/**
 * set_level() - read the name of a level
 * @a: gets it
 * @arg: the name
 *
 * Return: true if it is one
 */
static bool set_level(struct args *a, const char *arg)
{
	if (!strcmp(arg, "strict"))
		a->opts.level = RW_LEVEL_STRICT;
	else if (!strcmp(arg, "relaxed"))
		a->opts.level = RW_LEVEL_RELAXED;
	else
		return bad("a level is strict or relaxed, not", arg);
	return true;
}

/**
 * set_kernel() - read which kernel the host has
 * @a: gets what that means for a translation
 * @arg: what uname -r says there, or the beginning of it
 *
 * Return: true if it is one that virtio-bpfd runs on
 */
static bool set_kernel(struct args *a, const char *arg)
{
	unsigned int major, minor;

	if (sscanf(arg, "%3u.%3u", &major, &minor) != 2 || major > 999 || minor > 999)
		return bad("a kernel is X.Y, as 6.12, not", arg);
	if (major < 6 || (major == 6 && minor < 6))
		return bad("virtio-bpfd needs Linux 6.6 or newer, not", arg);
	a->opts.walks_on = major == 6 && minor < 17;
	return true;
}

/**
 * set_option() - one option
 * @a: the command line
 * @c: the option
 * @arg: its argument
 *
 * Return: true if it is well
 */
static bool set_option(struct args *a, int c, char *arg)
{
	switch (c) {
	case 'p':
		a->query.prog = arg;
		return true;
	case 's':
		a->query.section = arg;
		return true;
	case 'm':
		return add_map(a, arg);
	case 'H':
		return add_helpers(a, arg);
	case 'f':
		return set_form(a, arg);
	case 'l':
		return set_level(a, arg);
	case 'k':
		return set_kernel(a, arg);
	case 't':
		return !strcmp(arg, "skb") || bad("the target is skb, not", arg);
	case 'i':
		return number(arg, &a->opts.tap_ifindex) || bad("no interface's index:", arg);
	case 'w':
		return (number(arg, &a->opts.window) && a->opts.window >= RW_WINDOW_MIN &&
			a->opts.window <= RW_WINDOW_MAX) ||
		       bad("the window is 64 to 15360 bytes, not", arg);
	case 'd':
		return a->disasm = true;
	case 'e':
		return a->explain = true;
	case 'j':
		return a->json = true;
	case 'o':
		a->out = arg;
		return true;
	}
	fprintf(stderr, "%s\n", usage);
	return false;
}

_Static_assert(RW_WINDOW_MIN == 64 && RW_WINDOW_MAX == 15360, "as said above");

/**
 * parse() - read the command line
 * @a: result
 * @argc: as main()'s
 * @argv: as main()'s
 *
 * Return: true if it is well; does not return after --help and --version
 */
static bool parse(struct args *a, int argc, char **argv)
{
	static const struct option options[] = {
		{ "prog", required_argument, NULL, 'p' },
		{ "section", required_argument, NULL, 's' },
		{ "map", required_argument, NULL, 'm' },
		{ "helpers", required_argument, NULL, 'H' },
		{ "form", required_argument, NULL, 'f' },
		{ "level", required_argument, NULL, 'l' },
		{ "host-kernel", required_argument, NULL, 'k' },
		{ "target", required_argument, NULL, 't' },
		{ "tap-ifindex", required_argument, NULL, 'i' },
		{ "window", required_argument, NULL, 'w' },
		{ "disasm", no_argument, NULL, 'd' },
		{ "explain", no_argument, NULL, 'e' },
		{ "json", no_argument, NULL, 'j' },
		{ "output", required_argument, NULL, 'o' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	*a = (struct args){ .opts = {
		.form = JOB_AUTO, .target = RW_TARGET_SKB, .tap_ifindex = 1,
		.window = RW_WINDOW_DEFAULT,
	} };
	a->query.maps = a->maps;
	while ((c = getopt_long(argc, argv, "o:Vh", options, NULL)) != -1) {
		if (c == 'V' || c == 'h') {
			puts(c == 'V' ? "vbpf-rewrite " VBPF_VERSION : usage);
			exit(0);
		}
		if (!set_option(a, c, optarg))
			return false;
	}
	if (argc != optind + 1) {
		fprintf(stderr, "%s\n", usage);
		return false;
	}
	if (a->opts.level == RW_LEVEL_RELAXED && a->opts.form == RW_FORM_SFI)
		return bad("at level relaxed there is form lite alone, not", "sfi");
	a->query.path = argv[optind];
	return true;
}

/**
 * write_insns() - write a translation to a file
 * @path: of the file
 * @out: the translation
 *
 * Return: 0 or EXIT_USAGE
 */
static int write_insns(const char *path, const struct rw_out *out)
{
	FILE *file = fopen(path, "w");
	bool ok = file;

	if (file) {
		ok = fwrite(out->insns, sizeof(*out->insns), out->cnt, file) == out->cnt;
		ok = !fclose(file) && ok;
	}
	if (!ok)
		fprintf(stderr, "vbpf-rewrite: %s cannot be written: %s\n", path, strerror(errno));
	return ok ? 0 : EXIT_USAGE;
}

/**
 * tell() - tell of one program
 * @a: the command line
 * @job: the program
 * @array: with --json: gets it
 */
static void tell(const struct args *a, const struct job *job, struct json_object *array)
{
	if (a->json) {
		json_object_array_add(array, json_job(job));
		return;
	}
	show_job(job);
	if (job->err) {
		if (a->explain)
			show_taint(job);
		return;
	}
	if (a->explain)
		show_explain(job);
	if (a->disasm)
		show_listing(job);
}

/**
 * rewrite() - translate one program and tell of it
 * @a: the command line
 * @prog: the program
 * @array: with --json: gets it
 *
 * Return: exit status
 */
static int rewrite(const struct args *a, const struct object_prog *prog, struct json_object *array)
{
	struct job job;
	int status = 0;

	if (prog->error[0]) {
		fprintf(stderr, "vbpf-rewrite: %s: libbpf cannot link it: %s\n", prog->name,
			prog->error);
		return EXIT_USAGE;
	}
	if (job_run(&job, prog, a->profile, &a->opts)) {
		fprintf(stderr, "vbpf-rewrite: out of memory\n");
		status = EXIT_USAGE;
	} else {
		tell(a, &job, array);
		if (job.err)
			status = EXIT_REFUSED;
		else if (a->out)
			status = write_insns(a->out, &job.out);
	}
	job_free(&job);
	return status;
}

/**
 * main() - the command
 * @argc: number of @argv
 * @argv: see usage[]
 *
 * Return: exit status
 */
int main(int argc, char **argv)
{
	struct json_object *array;
	struct object obj;
	struct text why = { 0 };
	struct args args;
	int status = 0;

	if (!parse(&args, argc, argv))
		return EXIT_USAGE;
	if (object_read(&args.query, &obj, &why)) {
		fprintf(stderr, "vbpf-rewrite: %s: %s", args.query.path, why.buf ? why.buf : "\n");
		text_free(&why);
		object_free(&obj);
		return EXIT_USAGE;
	}
	if (args.out && obj.cnt > 1) {
		bad("--output takes one program, name it with --prog, and not all of",
		    args.query.path);
		object_free(&obj);
		return EXIT_USAGE;
	}
	array = json_object_new_array();
	for (uint32_t i = 0; i < obj.cnt; i++) {
		int one = rewrite(&args, &obj.progs[i], array);

		if (status < one)
			status = one;
		if (!args.json && i + 1 < obj.cnt)
			printf("\n");
	}
	if (args.json)
		puts(json_object_to_json_string_ext(array, JSON_C_TO_STRING_PRETTY));
	json_object_put(array);
	object_free(&obj);
	return status;
}
