// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Translate a program as virtio-bpfd would, and keep what there is to tell.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../rewriter/check.h"
#include "../rewriter/refuse.h"
#include "disasm.h"
#include "job.h"
#include "virtio_bpf.h"

/**
 * global_data() - does a program use global variables or constants?
 * @prog: the program
 * @why: for a sentence if it does
 *
 * The guest's kernel offloads no such map, so the host never sees the program.
 *
 * Return: 0 or -EOPNOTSUPP
 */
static int global_data(const struct object_prog *prog, struct text *why)
{
	for (uint32_t i = 0; i < prog->cnt; i++) {
		const struct bpf_insn *insn = &prog->insns[i];

		if (insn->code != RW_WIDE)
			continue;
		if (insn->src_reg == BPF_PSEUDO_MAP_VALUE) {
			uint32_t m = (uint32_t)insn->imm;

			return rw_refuse(why, -EOPNOTSUPP, i,
					 "uses global data (%s), which the guest's kernel cannot "
					 "offload: use an array map for variables, and literal "
					 "numbers for constants",
					 m < prog->map_cnt ? prog->maps[m].name : "a map's value");
		}
		i++;
	}
	return 0;
}

/**
 * translate() - translate the program into the form that was asked for
 * @job: the job
 * @in: the program
 *
 * Return: 0 or a negative errno
 */
static int translate(struct job *job, const struct rw_prog *in)
{
	int err;

	if (job->opts.form == JOB_AUTO && job->opts.level == RW_LEVEL_RELAXED)
		job->opts.form = RW_FORM_LITE;
	if (job->opts.form != JOB_AUTO)
		return rw_rewrite(in, &job->opts, &job->out, &job->why);
	job->opts.form = RW_FORM_LITE;
	err = rw_rewrite(in, &job->opts, &job->out, &job->lite);
	if (!err)
		return 0;
	job->no_lite = true;
	if (err != -EOPNOTSUPP) {
		text_add(&job->why, "%s", job->lite.buf ? job->lite.buf : "");
		return err;
	}
	job->opts.form = RW_FORM_SFI;
	return rw_rewrite(in, &job->opts, &job->out, &job->why);
}

/**
 * job_run() - translate a program
 * @job: result; free with job_free() in any case
 * @prog: the program, linked; stays the caller's and must outlive @job
 * @profile: what it may do, see RW_PROFILE_TENANT
 * @opts: what to make of it; form JOB_AUTO to have it chosen
 *
 * Return: 0, also if the program is refused, or -ENOMEM
 */
int job_run(struct job *job, const struct object_prog *prog, uint32_t profile,
	    const struct rw_opts *opts)
{
	struct rw_prog in = { .insns = prog->insns, .cnt = prog->cnt, .map_cnt = prog->map_cnt,
			      .profile = profile };

	*job = (struct job){ .prog = prog, .opts = *opts };
	job->maps = calloc(prog->map_cnt + 1, sizeof(*job->maps));
	if (!job->maps)
		return -ENOMEM;
	for (uint32_t i = 0; i < prog->map_cnt; i++)
		job->maps[i] = prog->maps[i].def;
	in.maps = job->maps;
	in.ifindex = opts->tap_ifindex;
	job->err = global_data(prog, &job->why);
	if (!job->err)
		job->err = rw_check(&in, VIRTIO_BPF_MAX_INSNS, &job->why);
	if (job->err)
		return job->err == -ENOMEM ? -ENOMEM : 0;
	job->err = translate(job, &in);
	/* The same again, to have the facts: the rewriter keeps them to itself. */
	job->decoded = !rw_decode(&in, &job->code, NULL);
	job->analysed = job->decoded && !rw_analyse(&in, &job->code, opts->level, &job->an,
						       NULL);
	return job->err == -ENOMEM ? -ENOMEM : 0;
}

/**
 * job_free() - free all that a job has
 * @job: the job
 */
void job_free(struct job *job)
{
	if (job->analysed)
		rw_analysis_free(&job->an);
	if (job->decoded)
		rw_code_free(&job->code);
	rw_out_free(&job->out);
	text_free(&job->lite);
	text_free(&job->why);
	free(job->maps);
	memset(job, 0, sizeof(*job));
}

/**
 * job_form() - the form that was tried last
 * @job: the job
 *
 * Return: its name
 */
const char *job_form(const struct job *job)
{
	return job->opts.form == RW_FORM_SFI ? "sfi" : "lite";
}

/**
 * job_map() - name a map for people
 * @arg: the job
 * @handle: of the map
 *
 * Return: the name, or NULL
 */
const char *job_map(const void *arg, uint32_t handle)
{
	const struct job *job = arg;

	if (handle == RW_HANDLE_COUNTERS)
		return "counters";
	if (handle == RW_HANDLE_SCRATCH)
		return "scratch";
	for (uint32_t i = 0; i < job->prog->map_cnt; i++)
		if (job->prog->maps[i].def.handle == handle)
			return job->prog->maps[i].name;
	return NULL;
}

/**
 * job_stack() - the stack that a program uses
 * @job: the job
 *
 * Return: bytes, of its function that uses most
 */
uint32_t job_stack(const struct job *job)
{
	uint32_t most = 0;

	for (uint32_t i = 0; job->analysed && i < job->code.func_cnt; i++)
		if (most < job->an.stack[i])
			most = job->an.stack[i];
	return most;
}

/**
 * job_uses_map() - does a program name a map?
 * @job: the job
 * @map: index of the map
 *
 * Return: true if so
 */
bool job_uses_map(const struct job *job, uint32_t map)
{
	const struct object_prog *prog = job->prog;

	for (uint32_t i = 0; i < prog->cnt; i++) {
		const struct bpf_insn *insn = &prog->insns[i];

		if (insn->code != RW_WIDE)
			continue;
		if ((insn->src_reg == BPF_PSEUDO_MAP_FD ||
		     insn->src_reg == BPF_PSEUDO_MAP_VALUE) &&
		    (uint32_t)insn->imm == prog->maps[map].def.handle)
			return true;
		i++;
	}
	return false;
}

/**
 * job_uses_helper() - does a program call a helper?
 * @job: the job
 * @id: of the helper
 *
 * Return: true if so
 */
bool job_uses_helper(const struct job *job, uint32_t id)
{
	const struct object_prog *prog = job->prog;

	for (uint32_t i = 0; i < prog->cnt; i++) {
		if (prog->insns[i].code == RW_CALL && !prog->insns[i].src_reg &&
		    (uint32_t)prog->insns[i].imm == id)
			return true;
		i += prog->insns[i].code == RW_WIDE;
	}
	return false;
}

/**
 * job_group() - the instructions that one of the tenant's became
 * @job: the job
 * @at: index of the tenant's
 * @first: set to the index of the first of them, if there is one
 *
 * Return: number of them
 */
uint32_t job_group(const struct job *job, uint32_t at, uint32_t *first)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < job->out.cnt; i++)
		if (job->out.origin[i] == at && !cnt++)
			*first = i;
	return cnt;
}
