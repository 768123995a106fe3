// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: From a tenant's bytecode to a program in the host's kernel
 *
 *   limits of the port          load_start()
 *
 *   structure, helpers          rw_check()                 in a worker
 *   translation                 rw_rewrite()
 *   handles become fds          load_resolve()
 *   the kernel's verifier       load_kernel()
 *
 *   the verifier's work         port_admit_verified()      in load_finish()
 *   pins                        store_prog()
 *
 * What can take long is done by a worker (worker.c), one per port at a time:
 * the port's next request waits for it, other ports' do not. What a worker says
 * is believed as far as its own program goes; what the daemon decides by, it
 * asks the kernel.
 *
 * A form is tried only if the one before it failed, in the kernel or because
 * rw_rewrite() knows of no way in that form. Whatever refuses writes its reasons
 * for the tenant; the sentence that sums up comes last, since a log is cut at
 * its front.
 *
 * A translated program names its TAP by ifindex, and copies as much of a packet
 * as the TAP's MTU allows. If the one has changed when the program is attached
 * (the TAP was made anew) or the other has grown, it is translated again from
 * the instructions that are kept for this: by a worker as well, since it costs
 * what the first time cost, and a tenant may have it done for each of its
 * programs.
 */
#include <bpf/bpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kern.h"
#include "load.h"
#include "log.h"
#include "map.h"
#include "rewriter/rewriter.h"
#include "store.h"
#include "tap.h"
#include "worker.h"

#define LOAD_LOG_SIZE	(64u << 10)	/* of which the kernel keeps the tail */

/**
 * struct load_form - a form, in the order in which they are tried
 * @form: for the rewriter
 * @name: for people
 */
struct load_form {
	enum rw_form form;
	const char *name;
};

static const struct load_form load_forms[] = {
	{ RW_FORM_LITE, "lite" },
	{ RW_FORM_SFI, "sfi" },
};

#define LOAD_FORMS	(sizeof(load_forms) / sizeof(*load_forms))
/* Of a packet beside the TAP's MTU: Ethernet header and two VLAN tags */
#define LOAD_FRAME	22
/* What the tenant gets of a log: room is left for each form and for sentences */
#define LOAD_LOG_TAIL	(TEXT_MAX / (LOAD_FORMS + 1))

/**
 * struct load - what a worker is at for a port
 * @port: the port
 * @prog: the program; owned unless @again
 * @again: the port has it already
 * @tap_ifindex: the TAP
 * @window: how much of a packet form sfi copies
 * @worker: who is at it, or NULL once it has ended
 * @end: then: how; its fd and text are owned
 */
struct load {
	struct port *port;
	struct prog *prog;
	bool again;
	uint32_t tap_ifindex;
	uint32_t window;
	struct worker *worker;
	struct worker_end end;
};

/**
 * load_last_insn() - the instruction at which the verifier stopped
 * @log: its log; each instruction that it looks at begins a line with "N: "
 *
 * Return: the instruction's index, or -1
 */
long load_last_insn(const char *log)
{
	long last = -1;

	while (log) {
		char *end;

		if (isdigit((unsigned char)*log)) {
			long n = strtol(log, &end, 10);

			if (*end == ':')
				last = n;
		}
		log = strchr(log, '\n');
		if (log)
			log++;
	}
	return last;
}

/**
 * load_explain() - tell the tenant what the kernel's verifier said
 * @out: the program that was refused
 * @log: the verifier's log; its tail is passed on
 * @err: what the kernel returned
 * @text: added to
 */
static void load_explain(const struct rw_out *out, const char *log, int err, struct text *text)
{
	size_t len = strlen(log);
	long at = load_last_insn(log);

	if (len > LOAD_LOG_TAIL) {
		const char *line = strchr(log + len - LOAD_LOG_TAIL, '\n');

		log = line ? line + 1 : log + len;
	}
	text_add(text, "%s", log);
	text_add(text, "the host's verifier refused the translated program (%s), whose"
		 " instruction numbers stand above\n", strerror(-err));
	if (at < 0 || (unsigned long)at >= out->cnt)
		return;
	if (out->origin[at] == UINT32_MAX)
		text_add(text, "it stopped at %ld, which the host added\n", at);
	else
		text_add(text, "it stopped at %ld, which stems from your instruction"
			 " %u\n", at, out->origin[at]);
}

/**
 * load_kernel() - hand a translated program to the kernel
 * @name: the program's name
 * @out: the program, with fds
 * @text: the kernel's reasons if it refuses
 *
 * The log is asked for only after a refusal: it costs more than the check.
 *
 * Return: the fd, or a negative errno with @text
 */
static int load_kernel(const char *name, const struct rw_out *out, struct text *text)
{
	char *log;
	int fd, err;

	err = kern_prog_load(name, out->insns, out->cnt, NULL, 0);
	if (err >= 0)
		return err;
	log = calloc(1, LOAD_LOG_SIZE);
	if (!log)
		return -ENOMEM;
	fd = kern_prog_load(name, out->insns, out->cnt, log, LOAD_LOG_SIZE);
	if (fd < 0)
		load_explain(out, log, err, text);
	free(log);
	if (fd >= 0)
		return fd;
	return err == -ENOMEM ? err : -EACCES;
}

/**
 * load_fd() - the fd that a handle in translated code stands for
 * @prog: the program
 * @scratch: fd of its translation's scratch, or -1
 * @handle: a tenant's, or one of the rewriter's own
 *
 * Return: the fd, or a negative number
 */
static int load_fd(const struct prog *prog, int scratch, uint32_t handle)
{
	if (handle == RW_HANDLE_COUNTERS)
		return prog->counters;
	if (handle == RW_HANDLE_SCRATCH)
		return scratch;
	for (uint32_t i = 0; i < prog->map_cnt; i++)
		if (prog->maps[i]->handle == handle)
			return prog->maps[i]->fd;
	return -EBADF;
}

/**
 * load_resolve() - put fds in the place of handles
 * @prog: the program
 * @scratch: fd of its translation's scratch, or -1
 * @out: its translation
 *
 * Return: 0, or -EIO if the rewriter named a map that the program does not have
 */
static int load_resolve(const struct prog *prog, int scratch, struct rw_out *out)
{
	for (uint32_t i = 0; i < out->cnt; i++) {
		int fd;

		if (!port_is_map_load(&out->insns[i]))
			continue;
		fd = load_fd(prog, scratch, (uint32_t)out->insns[i].imm);
		if (fd < 0)
			return -EIO;
		out->insns[i++].imm = fd;
	}
	return 0;
}

/**
 * load_window() - how much of a packet form sfi has to copy
 * @conf: the port's section of the configuration
 *
 * Return: bytes, room for some growth included
 */
static uint32_t load_window(const struct conf_port *conf)
{
	uint32_t len = tap_mtu(conf->tap) + LOAD_FRAME;

	if (len > RW_WINDOW_MAX)
		return RW_WINDOW_MAX;
	return len > RW_WINDOW_DEFAULT ? len : RW_WINDOW_DEFAULT;
}

/**
 * load_form() - translate a program into one form and load it
 * @prog: the program; gets its translation
 * @in: the same for the rewriter
 * @form: the form
 * @tap_ifindex: the TAP
 * @window: how much of a packet form sfi copies
 * @text: reasons if that fails
 *
 * Return: 0, or a negative errno with @text
 */
static int load_form(struct prog *prog, const struct rw_prog *in, const struct load_form *form,
		     uint32_t tap_ifindex, uint32_t window, struct text *text)
{
	const struct rw_opts opts = {
		.form = form->form,
		.target = RW_TARGET_SKB,
		.tap_ifindex = tap_ifindex,
		.window = window,
		.walks_on = kern_walks_on(),
	};
	struct rw_out out = { 0 };
	int fd, err, scratch = -1;

	err = rw_rewrite(in, &opts, &out, text);
	if (err)
		return err;
	if (form->form == RW_FORM_SFI) {
		scratch = kern_scratch_create(RW_SCRATCH_SIZE(window));
		if (scratch < 0) {
			err = scratch;
			text_add(text, "virtio-bpf: the host cannot make the program's scratch\n");
			goto out;
		}
	}
	err = load_resolve(prog, scratch, &out);
	if (err) {
		text_add(text, "the translation names an unknown map\n");
		goto out;
	}
	fd = load_kernel(prog->src.name, &out, text);
	err = fd < 0 ? fd : 0;
	if (err)
		goto out;
	prog->fd = fd;
	prog->host_insn_cnt = out.cnt;
	prog->reach = out.reach;
	prog->form = form->form;
	text_add(text, "accepted: form %s, level strict, %u instructions became %u",
		 form->name, in->cnt, out.cnt);
	if (out.reach != RW_REACH_ALL)
		text_add(text, ", which look at the first %u bytes of a packet", out.reach);
	text_add(text, "\n");
out:
	port_close_fd(&scratch);
	rw_out_free(&out);
	return err;
}

/**
 * load_maps() - a port's maps, as the rewriter wants to know them
 * @port: the port
 * @prog: whose maps are among them even if they are gone
 * @cnt: set to their number
 *
 * Return: an array for free(), or NULL
 */
static struct rw_map *load_maps(const struct port *port, const struct prog *prog, uint32_t *cnt)
{
	struct rw_map *maps = calloc(port->map_cnt + 1, sizeof(*maps));
	const struct map *map;

	*cnt = 0;
	if (!maps)
		return NULL;
	TAILQ_FOREACH(map, &port->maps, node) {
		bool used = !map->gone;

		for (uint32_t i = 0; i < prog->map_cnt && !used; i++)
			used = prog->maps[i] == map;
		if (!used)
			continue;
		maps[(*cnt)++] = (struct rw_map){
			.handle = map->handle,
			.map_type = map->def.type,
			.key_size = map->def.key_size,
			.value_size = map->def.value_size,
			.max_entries = map->def.max_entries,
		};
	}
	return maps;
}

/**
 * load_translate() - check a program, translate it and load the translation
 * @port: the port
 * @prog: the program; its maps are looked up if it has none yet
 * @tap_ifindex: the TAP
 * @window: how much of a packet form sfi copies
 * @text: empty; then the reasons, or how the program was accepted
 *
 * Return: 0, or a negative errno with @text
 */
static int load_translate(struct port *port, struct prog *prog, uint32_t tap_ifindex,
			  uint32_t window, struct text *text)
{
	struct rw_prog in = {
		.insns = prog->src.insns,
		.cnt = prog->src.insn_cnt,
		.ifindex = prog->src.ifindex,
		.profile = port->conf->helpers,
	};
	struct rw_map *maps = load_maps(port, prog, &in.map_cnt);
	int err;

	if (!maps)
		return -ENOMEM;
	in.maps = maps;
	err = rw_check(&in, port->conf->limits.max_insns, text);
	if (!err && !prog->maps)
		err = port_use_maps(port, prog);
	if (err)
		goto out;
	err = -EOPNOTSUPP;
	for (size_t i = 0; i < LOAD_FORMS && (err == -EOPNOTSUPP || err == -EACCES); i++) {
		struct text words = { 0 };

		err = load_form(prog, &in, &load_forms[i], tap_ifindex, window, &words);
		if (!err)
			text_free(text);
		if (words.len)
			text_add(text, "%s", words.buf);
		text_free(&words);
	}
out:
	free(maps);
	return err;
}

/**
 * load_run() - check, translate and load a program, in a worker
 * @user: what to do (struct load)
 * @made: filled
 * @fd: set to the program's
 * @text: the reasons, or how the program was accepted
 */
static void load_run(void *user, struct worker_made *made, int *fd, struct text *text)
{
	struct load *load = user;
	struct prog *prog = load->prog;

	prog->fd = -1;	/* closed here; its number may be another's by now */
	made->err = load_translate(load->port, prog, load->tap_ifindex, load->window, text);
	made->insn_cnt = prog->host_insn_cnt;
	made->reach = prog->reach;
	made->form = prog->form;
	*fd = prog->fd;
}

/**
 * load_done() - a worker has ended
 * @user: what it was at (struct load)
 * @end: how
 */
static void load_done(void *user, struct worker_end *end)
{
	struct load *load = user;

	load->worker = NULL;
	load->end = *end;
	end->fd = -1;
	end->text = (struct text){ 0 };
	bucket_take(&load->port->loads, end->cpu_nsec);
	load->port->loaded(load->port);
}

/**
 * load_forget() - forget what a worker was at
 * @port: the port; its load is NULL afterwards
 */
static void load_forget(struct port *port)
{
	struct load *load = port->load;

	port->load = NULL;
	if (load->prog && !load->again)
		port_prog_free(load->prog);
	port_close_fd(&load->end.fd);
	text_free(&load->end.text);
	free(load);
}

/**
 * load_begin() - have a worker check, translate and load a program
 * @port: the port; no worker is at anything for it
 * @prog: the program; from now on, and also if this fails, the load's, unless
 *        @again
 * @again: the port has it already
 * @tap_ifindex: the TAP
 * @log: a sentence if that fails
 *
 * Return: 0, or a negative errno with @log
 */
static int load_begin(struct port *port, struct prog *prog, bool again, uint32_t tap_ifindex,
		      struct text *log)
{
	struct worker_job job = {
		.run = load_run,
		.done = load_done,
		.seconds = port->conf->limits.max_load_time,
	};
	struct load *load = calloc(1, sizeof(*load));
	const struct map *map;
	int err = -ENOMEM;

	if (!load) {
		if (!again)
			port_prog_free(prog);
		return -ENOMEM;
	}
	*load = (struct load){
		.port = port,
		.prog = prog,
		.again = again,
		.tap_ifindex = tap_ifindex,
		.window = load_window(port->conf),
		.end.fd = -1,
	};
	port->load = load;
	job.user = load;
	job.fds = calloc(port->map_cnt + 2, sizeof(*job.fds));
	if (job.fds) {
		TAILQ_FOREACH(map, &port->maps, node)
			job.fds[job.fd_cnt++] = map->fd;
		job.fds[job.fd_cnt++] = prog->counters;
		err = worker_start(port->event, &job, &load->worker);
		if (err)
			text_add(log, "the host cannot start a worker for the program: %s\n",
				 strerror(-err));
		free(job.fds);
	}
	if (err)
		load_forget(port);
	return err;
}

/**
 * load_start() - begin to load a tenant's program
 * @port: the port; no worker is at anything for it
 * @src: the program; its instructions become the port's, and NULL here
 * @log: reasons if that fails
 *
 * Return: 0 if a worker is at it: load_finish() when it has ended; or a negative
 * errno with @log
 */
int load_start(struct port *port, struct wire_prog *src, struct text *log)
{
	uint32_t tap_index = 0;
	struct prog *prog;
	int err;

	err = port_admit_prog(port, src, log);
	if (!err)
		err = port_admit_work(port, log);
	if (!err)
		err = tap_ifindex(port->conf->tap, &tap_index, log);
	if (err)
		return err;
	prog = port_prog_new();
	if (!prog)
		return -ENOMEM;
	prog->src = *src;
	src->insns = NULL;
	prog->level = VIRTIO_BPF_LEVEL_STRICT;
	prog->counters = kern_counters_create(VIRTIO_BPF_CNT_MAX);
	if (prog->counters < 0) {
		err = prog->counters;
		text_add(log, "the host cannot make the program's counters\n");
		port_prog_free(prog);
		return err;
	}
	return load_begin(port, prog, false, tap_index, log);
}

/**
 * load_start_again() - begin to translate a program for a TAP that has changed
 * @port: the port; no worker is at anything for it
 * @handle: of the program; if it is attached, its old translation still is
 * @log: reasons if that fails
 *
 * Return: as load_start()
 */
int load_start_again(struct port *port, uint32_t handle, struct text *log)
{
	struct prog *prog = port_prog(port, handle);
	uint32_t tap_index = 0;
	int err = port_admit_work(port, log);

	if (!err)
		err = tap_ifindex(port->conf->tap, &tap_index, log);
	return err ? err : load_begin(port, prog, true, tap_index, log);
}

/**
 * load_take() - take what a worker made
 * @port: the port
 * @load: what it was at
 * @log: reasons if it cannot be taken
 *
 * Return: 0, or a negative errno with @log
 */
static int load_take(struct port *port, struct load *load, struct text *log)
{
	struct prog *prog = load->prog;
	struct prog made = *prog;
	int err = load->end.made.err;

	if (err == -ENOMEM)
		text_add(log, "to check the program took more memory than a worker gets\n");
	if (err)
		return err;
	err = kern_prog_info(load->end.fd, &made.id, &made.verified);
	if (!err && !load->again)
		err = port_use_maps(port, prog);
	if (err) {
		log_msg(LOG_ERR, port->conf->name, "a worker's program is unusable: %s",
			strerror(-err));
		text_add(log, "the host cannot use the program\n");
		return -EIO;
	}
	err = port_admit_verified(port, &made, log);
	if (err)
		return err;
	port_close_fd(&prog->fd);
	prog->fd = load->end.fd;
	load->end.fd = -1;
	prog->id = made.id;
	prog->verified = made.verified;
	prog->host_insn_cnt = load->end.made.insn_cnt;
	prog->reach = load->end.made.reach;
	prog->window = load->window;
	prog->form = load->end.made.form;
	prog->tap_ifindex = load->tap_ifindex;
	return 0;
}

/**
 * load_finish() - finish what load_start() or load_start_again() began
 * @port: the port; a worker has just ended
 * @out: set to the program, which the port owns
 * @log: reasons, or how the program was accepted
 *
 * Return: 0, or a negative errno with @log
 */
int load_finish(struct port *port, struct prog **out, struct text *log)
{
	struct load *load = port->load;
	struct prog *prog = load->prog;
	bool again = load->again;
	int err;

	text_add(log, "%s", load->end.text.buf ?: "");
	err = load_take(port, load, log);
	if (err) {
		load_forget(port);
		return err;
	}
	load->prog = NULL;
	load_forget(port);
	if (!again)
		err = store_handle(port, &prog->handle);
	if (!err)
		err = store_prog(port, prog);
	if (err) {
		log_msg(LOG_ERR, port->conf->name, "cannot keep a program in %s: %s", port->dir,
			strerror(-err));
		text_add(log, "the host cannot keep the program\n");
		if (!again) {
			store_drop_prog(port, prog);
			port_prog_free(prog);
		}
		return -EIO;
	}
	if (!again)
		port_add_prog(port, prog);
	*out = prog;
	return 0;
}

/**
 * load_fits() - is a program's translation right for the TAP as it is?
 * @port: the port
 * @prog: the program
 * @tap_ifindex: the TAP
 *
 * Return: whether it is
 */
bool load_fits(const struct port *port, const struct prog *prog, uint32_t tap_ifindex)
{
	return prog->tap_ifindex == tap_ifindex &&
	       (prog->form != RW_FORM_SFI || prog->window >= load_window(port->conf));
}

/**
 * load_cancel() - end what a worker is at, if there is anything
 * @port: the port
 */
void load_cancel(struct port *port)
{
	if (!port->load)
		return;
	if (port->load->worker)
		bucket_take(&port->loads, worker_cancel(port->load->worker));
	load_forget(port);
}

/**
 * load_free() - free a tenant's program
 * @port: the port
 * @handle: of the program
 * @why: a sentence if it cannot be freed
 *
 * Return: 0, or a negative errno with @why
 */
int load_free(struct port *port, uint32_t handle, struct text *why)
{
	struct prog *prog = port_prog(port, handle);

	if (!prog) {
		text_add(why, "no program has the handle %u\n", handle);
		return -EBADF;
	}
	if (prog == port->attached) {
		text_add(why, "program %u is attached; detach it first\n", handle);
		return -EBUSY;
	}
	store_drop_prog(port, prog);
	port_del_prog(port, prog);
	map_sweep(port);
	return 0;
}
