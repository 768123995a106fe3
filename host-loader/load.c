// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: From a tenant's bytecode to a program in the host's kernel
 *
 *   limits of the port          load_start()
 *
 *   check, translation, the
 *   kernel's verifier           translate.c, in a worker
 *   the same at level relaxed   relaxed.c, in another one, if need be
 *
 *   the verifier's work         port_admit_verified()      in load_finish()
 *   pins                        store_prog()
 *
 * What can take long is done by a worker (worker.c), one per port at a time:
 * the port's next request waits for it, other ports' do not. What a worker says
 * is believed as far as its own program goes; what the daemon decides by, it
 * asks the kernel.
 *
 * Every program is tried at level strict first. If no form does there, and only
 * where the operator's policy says relaxed, a second worker tries it at that
 * level: one of the fork server's, which has CAP_PERFMON. The tenant is told
 * what either of them had to say.
 *
 * A translated program names its TAP by ifindex, and copies as much of a packet
 * as the TAP's MTU allows. If the one has changed when the program is attached
 * (the TAP was made anew) or the other has grown, it is translated again from
 * the instructions that are kept for this: by a worker as well, since it costs
 * what the first time cost, and a tenant may have it done for each of its
 * programs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forkserver.h"
#include "kern.h"
#include "load.h"
#include "log.h"
#include "map.h"
#include "relaxed.h"
#include "store.h"
#include "tap.h"
#include "translate.h"

/* Of a packet beside the TAP's MTU: Ethernet header and two VLAN tags */
#define LOAD_FRAME	22

/**
 * struct load - what a worker is at for a port
 * @port: the port
 * @prog: the program; owned unless @again
 * @again: the port has it already
 * @relaxed: the worker tries it at level relaxed
 * @what: the program, for a worker that is being started
 * @tap_ifindex: the TAP
 * @window: how much of a packet form sfi copies
 * @worker: who is at it, or NULL once it has ended
 * @made: then: what it made
 * @fd: then: the program in the kernel, or -1
 * @text: what the workers had to say so far
 */
struct load {
	struct port *port;
	struct prog *prog;
	bool again;
	bool relaxed;
	struct translate what;
	uint32_t tap_ifindex;
	uint32_t window;
	struct worker *worker;
	struct worker_made made;
	int fd;
	struct text text;
};

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
 * load_describe() - say what there is for a worker to know
 * @load: what the worker will be at; its @what is set, translate_free() in any case
 *
 * Of the port's maps it gets those that have a handle, and those that the
 * program has anyway.
 *
 * Return: 0 or -ENOMEM
 */
static int load_describe(struct load *load)
{
	const struct prog *prog = load->prog;
	struct translate *what = &load->what;
	const struct map *map;
	int err;

	*what = (struct translate){
		.in = {
			.insns = prog->src.insns,
			.cnt = prog->src.insn_cnt,
			.ifindex = prog->src.ifindex,
			.profile = load->port->conf->helpers,
		},
		.counters = prog->counters,
		.name = prog->src.name,
		.max_insns = load->port->conf->limits.max_insns,
		.tap_ifindex = load->tap_ifindex,
		.window = load->window,
		.walks_on = load->port->walks_on,
	};
	err = translate_alloc(what, load->port->map_cnt);
	if (err)
		return err;
	TAILQ_FOREACH(map, &load->port->maps, node) {
		bool used = !map->gone;

		for (uint32_t i = 0; i < prog->map_cnt && !used; i++)
			used = prog->maps[i] == map;
		if (!used)
			continue;
		what->fds[what->in.map_cnt] = map->fd;
		what->maps[what->in.map_cnt++] = (struct rw_map){
			.handle = map->handle,
			.map_type = map->def.type,
			.key_size = map->def.key_size,
			.value_size = map->def.value_size,
			.max_entries = map->def.max_entries,
		};
	}
	return 0;
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
	const struct load *load = user;

	translate_strict(&load->what, made, fd, text);
}

/**
 * load_spawn() - have the fork server make a worker
 * @user: what it is to do (struct load)
 * @ours: the daemon's end of the worker's socket
 * @theirs: the worker's
 *
 * Return: the worker's process id, or a negative errno
 */
static pid_t load_spawn(void *user, int ours, int theirs)
{
	const struct load *load = user;
	int err = relaxed_send(ours, &load->what);

	if (err)
		return err;
	return forkserver_clone(load->port->forkserver, theirs,
				load->port->conf->limits.max_load_time);
}

static void load_done(void *user, struct worker_end *end);

/**
 * load_work() - have a worker do what is to be done
 * @load: what
 *
 * Return: 0, or a negative errno
 */
static int load_work(struct load *load)
{
	struct worker_job job = {
		.run = load_run,
		.spawn = load->relaxed ? load_spawn : NULL,
		.done = load_done,
		.user = load,
		.seconds = load->port->conf->limits.max_load_time,
	};
	int err = load_describe(load);

	if (!err) {
		job.fds = calloc(load->what.in.map_cnt + 2, sizeof(*job.fds));
		err = job.fds ? 0 : -ENOMEM;
	}
	if (!err) {
		job.fd_cnt = load->what.in.map_cnt;
		memcpy(job.fds, load->what.fds, job.fd_cnt * sizeof(*job.fds));
		job.fds[job.fd_cnt++] = load->what.counters;
		err = worker_start(load->port->event, &job, &load->worker);
	}
	free(job.fds);
	translate_free(&load->what);
	return err;
}

/**
 * load_relax() - try at level relaxed what was refused at level strict
 * @load: what was refused; its text gets a sentence
 * @err: the error with which it was
 *
 * Return: whether a worker is at it
 */
static bool load_relax(struct load *load, int err)
{
	if (load->relaxed || load->port->conf->level != VIRTIO_BPF_LEVEL_RELAXED ||
	    (err != -EOPNOTSUPP && err != -EACCES))
		return false;
	text_add(&load->text, "so it is not accepted at level strict; at level relaxed:\n");
	load->relaxed = true;
	err = load_work(load);
	if (!err)
		return true;
	if (err == -ENOTCONN)
		text_add(&load->text, "the host has lost its process for this level: its operator"
			 " has to restart virtio-bpfd\n");
	else
		text_add(&load->text, "the host cannot start a worker for the program: %s\n",
			 strerror(-err));
	return false;
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
	bucket_take(&load->port->loads, end->cpu_nsec);
	text_add(&load->text, "%s", end->text.buf ?: "");
	if (load_relax(load, end->made.err))
		return;
	load->made = end->made;
	load->fd = end->fd;
	end->fd = -1;
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
	port_close_fd(&load->fd);
	text_free(&load->text);
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
	struct load *load = calloc(1, sizeof(*load));
	int err;

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
		.fd = -1,
	};
	port->load = load;
	err = load_work(load);
	if (!err)
		return 0;
	text_add(log, "the host cannot start a worker for the program: %s\n", strerror(-err));
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
	int err = load->made.err;

	if (err == -ENOMEM)
		text_add(log, "to check the program took more memory than a worker gets\n");
	if (err)
		return err;
	made.level = load->relaxed ? VIRTIO_BPF_LEVEL_RELAXED : VIRTIO_BPF_LEVEL_STRICT;
	/* The policy may have changed meanwhile. */
	err = port_admit_level(port, &made, log);
	if (!err)
		err = port_admit_helpers(port, &made, log);
	if (err)
		return err;
	err = kern_prog_info(load->fd, &made.id, &made.verified);
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
	prog->fd = load->fd;
	load->fd = -1;
	prog->id = made.id;
	prog->verified = made.verified;
	prog->host_insn_cnt = load->made.insn_cnt;
	prog->reach = load->made.reach;
	prog->window = load->window;
	prog->form = load->made.form;
	prog->level = made.level;
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

	text_add(log, "%s", load->text.buf ?: "");
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
