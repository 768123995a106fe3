// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Files, read with care
 *
 * Objects come from anybody, and libbpf was made for files that one trusts. So
 * it works in a process of its own, which hands over what it made of the file;
 * a file that makes it crash, or work for ever, ends that process alone.
 */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "object.h"

#define MAX_PROGS	1024
#define MAX_INSNS	(1u << 20)
#define MAX_MAPS	4096
#define MAX_SECONDS	20	/* of the processor, for libbpf */

/**
 * take() - read an array that another process wrote
 * @from: where from
 * @cnt: number of its elements
 * @max: how many they may be
 * @size: bytes of one
 *
 * Return: the array for free(), or NULL
 */
static void *take(FILE *from, uint32_t cnt, uint32_t max, size_t size)
{
	void *array = cnt <= max ? calloc(cnt + 1, size) : NULL;

	if (array && fread(array, size, cnt, from) == cnt)
		return array;
	free(array);
	return NULL;
}

/**
 * name_maps() - have a program's instructions name maps as the rewriter wants it
 * @prog: the program
 */
static void name_maps(struct object_prog *prog)
{
	for (uint32_t i = 0; i < prog->cnt; i++) {
		struct bpf_insn *insn = &prog->insns[i];

		if (insn->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		if (insn->src_reg == BPF_PSEUDO_MAP_IDX)
			insn->src_reg = BPF_PSEUDO_MAP_FD;
		else if (insn->src_reg == BPF_PSEUDO_MAP_IDX_VALUE)
			insn->src_reg = BPF_PSEUDO_MAP_VALUE;
		i++;
	}
}

/**
 * take_prog() - read a program that another process wrote
 * @from: where from
 * @obj: gets it
 *
 * Return: true if there was one
 */
static bool take_prog(FILE *from, struct object *obj)
{
	struct object_prog prog, *progs;

	if (obj->cnt == MAX_PROGS || fread(&prog, sizeof(prog), 1, from) != 1)
		return false;
	prog.name[OBJECT_NAME - 1] = 0;
	prog.section[OBJECT_NAME - 1] = 0;
	prog.error[sizeof(prog.error) - 1] = 0;
	prog.insns = take(from, prog.cnt, MAX_INSNS, sizeof(*prog.insns));
	prog.maps = take(from, prog.map_cnt, MAX_MAPS, sizeof(*prog.maps));
	progs = realloc(obj->progs, (obj->cnt + 1) * sizeof(*progs));
	if (progs)
		obj->progs = progs;
	if (!progs || !prog.insns || !prog.maps) {
		free(prog.insns);
		free(prog.maps);
		return false;
	}
	name_maps(&prog);
	progs[obj->cnt++] = prog;
	return true;
}

/**
 * work() - be the process that works with libbpf
 * @query: which programs
 * @fd: where they are written
 */
static void __attribute__((noreturn)) work(const struct object_query *query, int fd)
{
	const struct rlimit seconds = { MAX_SECONDS, MAX_SECONDS }, none = { 0, 0 };
	FILE *to = fdopen(fd, "w");

	setrlimit(RLIMIT_CPU, &seconds);
	setrlimit(RLIMIT_CORE, &none);
	if (!to)
		_exit(1);
	object_link_all(query, to);
	_exit(fclose(to) ? 1 : 0);
}

/**
 * read_elf() - read an ELF object
 * @query: which programs
 * @obj: result
 * @why: for a sentence
 *
 * Return: 0 or a negative errno
 */
static int read_elf(const struct object_query *query, struct object *obj, struct text *why)
{
	int fds[2], status = 0;
	FILE *from;
	pid_t pid;

	if (pipe(fds))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		work(query, fds[1]);
	}
	close(fds[1]);
	from = pid < 0 ? NULL : fdopen(fds[0], "r");
	while (from && take_prog(from, obj))
		;
	if (from)
		fclose(from);
	else
		close(fds[0]);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		text_add(why, "the object is damaged: libbpf could not get through it\n");
		return -EINVAL;
	}
	if (obj->cnt == 1 && !obj->progs[0].name[0]) {
		text_add(why, "libbpf cannot read it: %s\n", obj->progs[0].error);
		return -EINVAL;
	}
	return 0;
}

/**
 * read_raw() - read a file of bare instructions
 * @query: its path and maps
 * @from: the file, at its start
 * @obj: result
 * @why: for a sentence
 *
 * Return: 0 or a negative errno
 */
static int read_raw(const struct object_query *query, FILE *from, struct object *obj,
		    struct text *why)
{
	struct object_prog *prog = calloc(1, sizeof(*prog));
	const char *name = strrchr(query->path, '/');
	size_t len;

	if (!prog)
		return -ENOMEM;
	obj->progs = prog;
	obj->cnt = 1;
	snprintf(prog->name, sizeof(prog->name), "%s", name ? name + 1 : query->path);
	prog->insns = calloc(MAX_INSNS, sizeof(*prog->insns));
	prog->maps = calloc(query->map_cnt + 1, sizeof(*prog->maps));
	if (!prog->insns || !prog->maps)
		return -ENOMEM;
	if (query->map_cnt)
		memcpy(prog->maps, query->maps, query->map_cnt * sizeof(*prog->maps));
	prog->map_cnt = query->map_cnt;
	len = fread(prog->insns, 1, MAX_INSNS * sizeof(*prog->insns), from);
	prog->cnt = (uint32_t)(len / sizeof(*prog->insns));
	if (!len || len % sizeof(*prog->insns) || fgetc(from) != EOF) {
		text_add(why, "it is neither an ELF object nor a file of instructions, which has "
			 "%zu bytes for each, and %u of them at most\n", sizeof(*prog->insns),
			 MAX_INSNS);
		return -EINVAL;
	}
	name_maps(prog);
	return 0;
}

/**
 * object_read() - read programs from a file
 * @query: which
 * @obj: result; free with object_free() in any case
 * @why: for a sentence if that fails
 *
 * Return: 0 or a negative errno
 */
int object_read(const struct object_query *query, struct object *obj, struct text *why)
{
	char magic[SELFMAG] = "";
	FILE *from = fopen(query->path, "r");
	int err;

	memset(obj, 0, sizeof(*obj));
	if (!from) {
		err = -errno;
		text_add(why, "it cannot be opened: %s\n", strerror(-err));
		return err;
	}
	if (fread(magic, 1, SELFMAG, from) == SELFMAG && !memcmp(magic, ELFMAG, SELFMAG)) {
		err = read_elf(query, obj, why);
	} else {
		rewind(from);
		err = read_raw(query, from, obj, why);
	}
	fclose(from);
	if (!err && !obj->cnt) {
		text_add(why, query->section || query->prog ?
			 "it has no such program\n" :
			 "it has no program whose section says that it is XDP; name one with "
			 "--section or --prog\n");
		err = -ENOENT;
	}
	if (err && !why->len)
		text_add(why, "it cannot be read: %s\n", strerror(-err));
	return err;
}

/**
 * object_free() - free programs
 * @obj: they
 */
void object_free(struct object *obj)
{
	for (uint32_t i = 0; i < obj->cnt; i++) {
		free(obj->progs[i].insns);
		free(obj->progs[i].maps);
	}
	free(obj->progs);
	memset(obj, 0, sizeof(*obj));
}
