// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What became of a program, for machines.
 */
#include <string.h>

#include "disasm.h"
#include "job.h"

/**
 * add_str() - add a string to an object
 * @obj: the object
 * @key: of the member
 * @val: the string, without the newline at its end if it has one
 */
static void add_str(struct json_object *obj, const char *key, const char *val)
{
	json_object_object_add(obj, key,
			       json_object_new_string_len(val, (int)strcspn(val, "\n")));
}

/**
 * add_num() - add a number to an object
 * @obj: the object
 * @key: of the member
 * @val: the number
 */
static void add_num(struct json_object *obj, const char *key, uint32_t val)
{
	json_object_object_add(obj, key, json_object_new_int64(val));
}

/**
 * json_maps() - the maps that a program uses
 * @job: the job
 *
 * Return: an array
 */
static struct json_object *json_maps(const struct job *job)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < job->prog->map_cnt; i++) {
		const struct object_map *map = &job->prog->maps[i];
		struct json_object *obj;

		if (!job_uses_map(job, i))
			continue;
		obj = json_object_new_object();
		add_str(obj, "name", map->name);
		add_num(obj, "handle", map->def.handle);
		add_num(obj, "type", map->def.map_type);
		add_num(obj, "key_size", map->def.key_size);
		add_num(obj, "value_size", map->def.value_size);
		add_num(obj, "max_entries", map->def.max_entries);
		json_object_array_add(array, obj);
	}
	return array;
}

/**
 * json_helpers() - the helpers that a program calls
 * @job: the job
 *
 * Return: an array of their ids
 */
static struct json_object *json_helpers(const struct job *job)
{
	struct json_object *array = json_object_new_array();

	for (uint32_t i = 0; i < job->prog->cnt; i++) {
		const struct bpf_insn *insn = &job->prog->insns[i];
		bool new = insn->code == RW_CALL && !insn->src_reg;

		for (size_t n = 0; new && n < json_object_array_length(array); n++)
			new = json_object_get_int64(json_object_array_get_idx(array, n)) !=
			      (uint32_t)insn->imm;
		if (new)
			json_object_array_add(array, json_object_new_int64((uint32_t)insn->imm));
		i += insn->code == RW_WIDE;
	}
	return array;
}

/**
 * json_insns() - each of the tenant's instructions and what it became
 * @job: the job, translated
 *
 * Return: an array
 */
static struct json_object *json_insns(const struct job *job)
{
	struct json_object *array = json_object_new_array();
	const struct object_prog *prog = job->prog;

	for (uint32_t i = 0; i < prog->cnt; i += rw_len(&prog->insns[i])) {
		struct json_object *obj = json_object_new_object();
		char line[DISASM_MAX];
		uint32_t first = 0, cnt = job_group(job, i, &first);

		disasm(&prog->insns[i], prog->cnt - i, job_map, job, line, sizeof(line));
		add_num(obj, "insn", i);
		add_str(obj, "text", line);
		add_num(obj, "becomes", cnt);
		if (cnt)
			add_num(obj, "first", first);
		if (!explain_copied(job, i)) {
			struct text why = { 0 };

			explain_insn(job, i, &why);
			add_str(obj, "why", why.buf ? why.buf : "");
			text_free(&why);
		}
		json_object_array_add(array, obj);
	}
	return array;
}

/**
 * json_job() - a program and what became of it
 * @job: the job
 *
 * Return: an object, for json_object_put()
 */
struct json_object *json_job(const struct job *job)
{
	struct json_object *obj = json_object_new_object();

	add_str(obj, "prog", job->prog->name);
	add_str(obj, "section", job->prog->section);
	json_object_object_add(obj, "accepted", json_object_new_boolean(!job->err));
	add_num(obj, "insns", job->prog->cnt);
	json_object_object_add(obj, "maps", json_maps(job));
	json_object_object_add(obj, "helpers", json_helpers(job));
	if (job->no_lite)
		add_str(obj, "not_lite", job->lite.buf ? job->lite.buf : "");
	if (job->err) {
		add_str(obj, "why", job->why.buf ? job->why.buf : "");
		return obj;
	}
	add_str(obj, "form", job_form(job));
	add_str(obj, "level", job->opts.level == RW_LEVEL_RELAXED ? "relaxed" : "strict");
	add_num(obj, "host_insns", job->out.cnt);
	if (job->out.reach != RW_REACH_ALL)
		add_num(obj, "reach", job->out.reach);
	add_num(obj, "stack", job_stack(job));
	json_object_object_add(obj, "translation", json_insns(job));
	return obj;
}
