/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef JOB_H
#define JOB_H
/* One program and what becomes of it; and how that is told */
#include <json-c/json.h>

#include "../rewriter/analysis.h"
#include "object.h"

#define JOB_AUTO	0	/* form: lite, then sfi, as virtio-bpfd does */

/**
 * struct job - one program; free with job_free()
 * @prog: the program, not owned
 * @maps: its object's maps, for the rewriter
 * @opts: what it is translated to; in the end with the form that it has
 * @err: 0, or the negative errno that the rewriter refused it with
 * @no_lite: form lite was tried, and is not what came out
 * @lite: the sentence for that
 * @why: the sentence if it is refused
 * @out: the translation, if it is not refused
 * @decoded: @code is there
 * @code: the program's structure
 * @analysed: @an is there
 * @an: what is known of its registers
 */
struct job {
	const struct object_prog *prog;
	struct rw_map *maps;
	struct rw_opts opts;
	int err;
	bool no_lite;
	struct text lite;
	struct text why;
	struct rw_out out;
	bool decoded;
	struct rw_code code;
	bool analysed;
	struct rw_analysis an;
};

/* job.c */
int job_run(struct job *job, const struct object_prog *prog, uint32_t profile,
	    const struct rw_opts *opts);
void job_free(struct job *job);
const char *job_form(const struct job *job);
const char *job_map(const void *arg, uint32_t handle);
uint32_t job_stack(const struct job *job);
bool job_uses_map(const struct job *job, uint32_t map);
bool job_uses_helper(const struct job *job, uint32_t id);
uint32_t job_group(const struct job *job, uint32_t at, uint32_t *first);

/* explain.c: an instruction's fate in words */
bool explain_copied(const struct job *job, uint32_t at);
void explain_insn(const struct job *job, uint32_t at, struct text *text);
void explain_regs(const struct job *job, uint32_t at, struct text *text);

/* show.c: for people */
void show_job(const struct job *job);
void show_listing(const struct job *job);
void show_explain(const struct job *job);
void show_taint(const struct job *job);

/* json.c: for machines */
struct json_object *json_job(const struct job *job);

#endif /* JOB_H */
