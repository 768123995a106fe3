// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: virtio-bpfd, the loader
 *
 * The one privileged part of virtio-bpf. Proxies, one per VM, ask it to load
 * and attach what their guests send; the operator asks it what is there.
 *
 * What it may do: it has CAP_BPF and CAP_NET_ADMIN, nothing else, and cannot
 * get anything else. So it can load programs that the kernel verifies as
 * strictly as it can (no CAP_PERFMON), attach them to netdevs, make the veth
 * pairs that it needs, and keep programs in bpffs. It never looks at a guest's
 * memory or at a packet.
 *
 * At its start it has CAP_PERFMON as well, for the host's own programs (norm.c),
 * which look into the kernel's packets. They are loaded once, for all ports.
 * Then it drops CAP_PERFMON for good. Nothing has been opened until then but the
 * configuration, and no byte of a tenant's has been read. Only if that says of a
 * port that it is relaxed does a process of its own keep CAP_PERFMON, for programs
 * of such ports (forkserver.c).
 *
 * What it holds outlives it (store.c): a clean end detaches nothing.
 *
 *   main       start checks, privileges, event loop
 *   conf       the configuration file
 *   server     the proxies' socket: who may speak for which port
 *   wire       from bytes to requests
 *   dispatch   one request, one answer
 *   ports      the ports, as the configuration has them, read again on SIGHUP
 *   port       what a port has, and its limits (bucket: per second)
 *   load       from bytecode to a program in the kernel
 *   worker     the process that does the long part of it
 *   translate  what it does
 *   forkserver the process that makes workers for level relaxed
 *   relaxed    what such a worker is told
 *   sandbox    capabilities and system calls that are left to each
 *   map        maps
 *   attach     the program at the TAP, behind the normaliser
 *   norm       the host's own programs: the normaliser and its helpers
 *   turn, pair the veth pair through which packets go that need it
 *   watch      TAPs that go
 *   clock      how long the daemon was at something
 *   store      what is pinned in bpffs
 *   kern, link, tap
 *              system calls
 *   control    the operator's socket; vbpf is its other end
 *
 * One thread, one event loop. Requests are done one after the other, in the
 * order in which they come; what takes long is done by a process of its own,
 * and the requests of that port wait for it.
 */
#include <cap-ng.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "control.h"
#include "forkserver.h"
#include "kern.h"
#include "loader.h"
#include "log.h"
#include "norm.h"
#include "ports.h"
#include "sandbox.h"
#include "server.h"
#include "store.h"
#include "watch.h"

/**
 * main_libbpf_print() - what libbpf has to say
 * @level: how much it matters
 * @fmt: as for printf()
 * @ap: its arguments
 *
 * Return: as for printf()
 */
static int __attribute__((format(printf, 2, 0)))
main_libbpf_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512];
	int n;

	if (level != LIBBPF_WARN)
		return 0;
	n = vsnprintf(line, sizeof(line), fmt, ap);
	line[strcspn(line, "\n")] = 0;
	log_msg(LOG_WARNING, NULL, "%s", line);
	return n;
}

/**
 * main_log_text() - log collected sentences, one by one
 * @text: the sentences; empty afterwards
 */
static void main_log_text(struct text *text)
{
	char *rest = text->buf, *line;

	while ((line = strsep(&rest, "\n")))
		if (*line)
			log_msg(LOG_ERR, NULL, "%s", line);
	text_free(text);
}

/**
 * main_check_privileges() - is everything there that the start needs?
 * @why: a sentence if not
 *
 * Return: 0, or -EPERM with @why
 */
static int main_check_privileges(struct text *why)
{
	if (capng_get_caps_process()) {
		text_add(why, "cannot read this process's capabilities\n");
		return -EPERM;
	}
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF) &&
	    capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN) &&
	    capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON))
		return 0;
	text_add(why, "CAP_BPF and CAP_NET_ADMIN are needed, and CAP_PERFMON until the"
		 " normaliser is loaded: start this as root or as the service that comes with"
		 " it\n");
	return -EPERM;
}

/**
 * main_forkserver() - keep CAP_PERFMON in a process of its own, if a port is relaxed
 * @loader: the daemon, which knows its configuration and has all its privileges
 * @why: a sentence if that fails
 *
 * Return: 0, or a negative errno with @why
 */
static int main_forkserver(struct loader *loader, struct text *why)
{
	const struct conf_port *port = conf_relaxed(&loader->conf);
	int err = port ? forkserver_start(&loader->forkserver, why) : 0;

	if (port && !err)
		log_msg(LOG_NOTICE, port->name, "the port is relaxed: process %d keeps"
			" CAP_PERFMON", (int)loader->forkserver.pid);
	return err;
}

/**
 * main_check_kernel() - can this kernel do what is needed?
 * @norm: the host's own programs
 * @why: a sentence if not
 *
 * Attaches the normaliser to a netdev that cannot exist: a kernel with tcx
 * looks for the netdev (ENODEV), one without does not get that far.
 *
 * Return: 0, or a negative errno with @why
 */
static int main_check_kernel(const struct norm *norm, struct text *why)
{
	int link = kern_link_create(norm->normalise, INT32_MAX, KERN_TCX_EGRESS);

	if (link == -ENODEV)
		return 0;
	if (link >= 0)
		close(link);
	text_add(why, "this kernel has no tcx hooks: Linux 6.6 or newer is needed\n");
	return -EOPNOTSUPP;
}

/**
 * main_raise_files() - allow as many fds as may be allowed
 *
 * Each program takes two and each map one.
 */
static void main_raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/**
 * main_reload() - SIGHUP: read the configuration again
 * @source: the event source
 * @info: of the signal
 * @user: the daemon
 *
 * Return: 0
 */
static int main_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *user)
{
	struct loader *loader = user;
	struct text why = { 0 };

	(void)source;
	(void)info;
	sd_notify(0, "RELOADING=1");
	if (ports_reload(loader, &why)) {
		main_log_text(&why);
		log_msg(LOG_ERR, NULL, "the configuration stays as it was");
	} else {
		log_msg(LOG_NOTICE, NULL, "the configuration was read again, ports: %zu",
			loader->conf.port_cnt);
	}
	text_free(&why);
	sd_notify(0, "READY=1");
	return 0;
}

/**
 * main_loop_new() - make the event loop, which ends on SIGTERM and SIGINT and
 * reads the configuration again on SIGHUP
 * @loader: the daemon
 * @why: a sentence if that fails
 *
 * Return: 0, or a negative errno with @why
 */
static int main_loop_new(struct loader *loader, struct text *why)
{
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* Whoever reads the log may go; the daemon stays. */
	signal(SIGPIPE, SIG_IGN);
	err = sd_event_new(&loader->event);
	if (err >= 0)
		err = sd_event_add_signal(loader->event, NULL, SIGTERM, NULL, NULL);
	if (err >= 0)
		err = sd_event_add_signal(loader->event, NULL, SIGINT, NULL, NULL);
	if (err >= 0)
		err = sd_event_add_signal(loader->event, NULL, SIGHUP, main_reload, loader);
	if (err >= 0)
		err = sd_event_set_watchdog(loader->event, true);
	if (err >= 0)
		return 0;
	text_add(why, "cannot make the event loop: %s\n", strerror(-err));
	return err;
}

/**
 * main_run() - be the daemon
 * @config: path of the configuration file
 *
 * Return: the exit status
 */
static int main_run(const char *config)
{
	struct loader loader = { .path = config, .forkserver = FORKSERVER_NONE };
	struct text why = { 0 };
	int err;

	libbpf_set_print(main_libbpf_print);
	main_raise_files();
	err = conf_read(config, &loader.conf, &why);
	if (!err)
		err = main_check_privileges(&why);
	if (!err)
		err = main_forkserver(&loader, &why);
	if (!err)
		err = norm_load(&loader.norm, loader.conf.port_cnt, &why);
	if (!err)
		err = sandbox_privileges(false, &why);
	if (!err)
		err = store_open(loader.conf.bpffs, &why);
	if (!err)
		err = main_check_kernel(&loader.norm, &why);
	if (!err)
		err = main_loop_new(&loader, &why);
	if (!err)
		err = forkserver_watch(&loader.forkserver, loader.event, &why);
	if (!err)
		err = control_start(&loader, &why);
	if (!err)
		err = ports_make(&loader, &why);
	if (!err)
		err = server_start(&loader, &why);
	if (!err)
		err = watch_start(&loader, &why);
	if (!err)
		err = sandbox_daemon(&why);
	if (!err) {
		sd_notify(0, "READY=1");
		log_msg(LOG_INFO, NULL, "virtio-bpfd " VBPF_VERSION " serves at %s, ports: %zu",
			loader.conf.socket, loader.conf.port_cnt);
		err = sd_event_loop(loader.event);
		sd_notify(0, "STOPPING=1");
		if (err < 0)
			text_add(&why, "the event loop ended: %s\n", strerror(-err));
	}
	main_log_text(&why);
	watch_stop(&loader);
	server_stop(&loader);
	control_stop(&loader);
	ports_free(&loader);
	forkserver_stop(&loader.forkserver);
	norm_free(&loader.norm);
	sd_event_unref(loader.event);
	conf_free(&loader.conf);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

/**
 * main() - options of virtio-bpfd
 * @argc: number of @argv
 * @argv: arguments
 *
 * Return: the exit status
 */
int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *config = CONF_DEFAULT;
	int c;

	while ((c = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			config = optarg;
			break;
		case 'V':
			puts("virtio-bpfd " VBPF_VERSION);
			return 0;
		case 'h':
			puts("virtio-bpfd [--config FILE]: load guests' BPF programs on the host\n"
			     "  -c, --config FILE   configuration (default " CONF_DEFAULT ")\n"
			     "  -V, --version       print the version\n"
			     "  -h, --help          print this\n"
			     "See virtio-bpfd(8).");
			return 0;
		default:
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "virtio-bpfd: unexpected argument \"%s\"; try --help\n",
			argv[optind]);
		return 2;
	}
	return main_run(config);
}
