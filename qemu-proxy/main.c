// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: virtio-bpf-proxy, the vhost-user back end of one VM
 *
 * One per VM, without privileges. It may read and write its VM's memory, as
 * every vhost-user back end, and the elements of the maps whose fds the host's
 * loader gave it for this VM. It asks the loader for everything else, and holds
 * two sockets for that: the VMM's and the loader's. It loads no program, touches
 * no interface and, once it runs, opens no file.
 *
 * Since it reads what a hostile guest writes it must be assumed lost one day:
 * so it needs no privilege and shuts itself in (sandbox.c). What has to be done
 * outside is done by a second process, which sees nothing of the guest's
 * (porter.c).
 *
 * It ends with status 0 when the VMM closes the connection, after the loader
 * released what the guest had; with 1 when it cannot serve; and on SIGTERM, at
 * once and without releasing anything, so that another proxy can take over.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "porter.h"
#include "proxy.h"
#include "sandbox.h"

/* Time for the loader to answer when we start, and when we end */
#define START_MS	5000
#define END_MS		1000

/**
 * struct options - the command line
 * @socket_path: to listen on, or NULL
 * @fd: inherited socket, or -1
 * @port: name of the port
 * @loader: path of the loader's socket
 * @mac: of the NIC served
 * @has_mac: @mac was given
 * @sandbox: shut ourselves in
 */
struct options {
	const char *socket_path;
	int fd;
	const char *port;
	const char *loader;
	uint8_t mac[VIRTIO_BPF_MAC_LEN];
	bool has_mac;
	bool sandbox;
};

static const char usage[] =
	"Usage: virtio-bpf-proxy --port=NAME {--socket-path=PATH | --fd=N} [OPTION...]\n"
	"The vhost-user back end of a VM's virtio BPF device.\n"
	"\n"
	"  --socket-path=PATH    listen there for the VMM\n"
	"  --fd=N                inherited socket, listening or connected to the VMM\n"
	"  --port=NAME           the VM's port, as the host's loader calls it\n"
	"  --loader=PATH         the loader's socket (" LOADER_SOCKET ")\n"
	"  --mac=ADDR            the NIC served; lets the proxy start before the loader\n"
	"  --sandbox=none        do without a sandbox, where none can be had\n"
	"  --print-capabilities  print the VMM's discovery data as JSON\n"
	"  --version             print the version\n"
	"  --help                print this\n";

/**
 * parse_mac() - read a MAC address
 * @text: six two-digit hexadecimal numbers with colons between them
 * @mac: gets the address
 *
 * Return: false if @text is no such thing
 */
static bool parse_mac(const char *text, uint8_t *mac)
{
	int end = 0;

	return sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2],
		      &mac[3], &mac[4], &mac[5], &end) == 6 &&
	       end == 17 && !text[end];
}

/**
 * parse_fd() - read an fd's number
 * @text: a decimal number
 *
 * Return: the fd, or -1 if @text is no such thing
 */
static int parse_fd(const char *text)
{
	char *end;
	long fd;

	errno = 0;
	fd = strtol(text, &end, 10);
	return errno || end == text || *end || fd < 0 || fd > INT32_MAX ? -1 : (int)fd;
}

/**
 * parse_options() - read the command line
 * @argc: of main()
 * @argv: of main()
 * @o: filled; points into @argv
 *
 * Return: -1 to go on, else the exit status
 */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "socket-path", required_argument, NULL, 's' },
		{ "fd", required_argument, NULL, 'f' },
		{ "port", required_argument, NULL, 'p' },
		{ "loader", required_argument, NULL, 'l' },
		{ "mac", required_argument, NULL, 'm' },
		{ "sandbox", required_argument, NULL, 'x' },
		{ "print-capabilities", no_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int opt;

	*o = (struct options){ .fd = -1, .loader = LOADER_SOCKET, .sandbox = true };
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			o->socket_path = optarg;
			break;
		case 'f':
			o->fd = parse_fd(optarg);
			if (o->fd < 0) {
				log_msg("--fd=%s: not a file descriptor", optarg);
				return 1;
			}
			break;
		case 'p':
			o->port = optarg;
			break;
		case 'l':
			o->loader = optarg;
			break;
		case 'm':
			o->has_mac = parse_mac(optarg, o->mac);
			if (!o->has_mac) {
				log_msg("--mac=%s: not a MAC address, like 52:54:00:12:34:56",
					optarg);
				return 1;
			}
			break;
		case 'x':
			o->sandbox = strcmp(optarg, "none") != 0;
			if (o->sandbox && strcmp(optarg, "full") != 0) {
				log_msg("--sandbox=%s: give full (which is the default) or none",
					optarg);
				return 1;
			}
			break;
		case 'c':
			/* No type of the vhost-user schema fits; none is claimed. */
			puts("{\n  \"type\": \"bpf\"\n}");
			return 0;
		case 'V':
			puts("virtio-bpf-proxy " VBPF_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 1;
		}
	}
	if (optind != argc || !o->port || !*o->port || !o->socket_path == (o->fd < 0)) {
		log_msg("give --port, and one of --socket-path and --fd; see --help");
		return 1;
	}
	return -1;
}

/**
 * close_inherited() - close what whoever started us left open by mistake
 * @keep: a socket that was meant for us, or -1
 */
static void close_inherited(int keep)
{
	unsigned int first = STDERR_FILENO + 1;
	int null;

	if (keep >= (int)first) {
		if ((unsigned int)keep > first)
			close_range(first, (unsigned int)keep - 1, 0);
		first = (unsigned int)keep + 1;
	}
	close_range(first, ~0u, 0);
	/* Nobody should be able to read a terminal through us. */
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (null >= 0 && keep != STDIN_FILENO)
		dup2(null, STDIN_FILENO);
	if (null > STDERR_FILENO)
		close(null);
}

/**
 * listen_on() - make the socket that the VMM connects to
 * @path: where; a socket that is there is replaced
 *
 * Return: the socket, or a negative errno after a sentence on stderr
 */
static int listen_on(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	int sock, err;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		log_msg("--socket-path=%s: longer than %zu bytes", path, sizeof(addr.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	memcpy(addr.sun_path, path, strlen(path));
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode))
		unlink(path);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof(addr)) || listen(sock, 1)) {
		err = -errno;
		log_msg("cannot listen on %s: %s", path, strerror(errno));
		if (sock >= 0)
			close(sock);
		return err;
	}
	return sock;
}

/**
 * open_vmm_socket() - get the VMM's socket ready
 * @o: the command line
 * @listens: set to whether it listens, or is connected to the VMM
 *
 * Return: the socket, or a negative errno after a sentence on stderr
 */
static int open_vmm_socket(const struct options *o, bool *listens)
{
	int on = 0;
	socklen_t len = sizeof(on);

	*listens = true;
	if (o->socket_path)
		return listen_on(o->socket_path);
	if (getsockopt(o->fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len)) {
		log_msg("--fd=%d: not a socket: %s", o->fd, strerror(errno));
		return -errno;
	}
	*listens = on;
	return o->fd;
}

/**
 * on_start_timeout() - the loader did not say what the device is
 * @s: unused
 * @usec: unused
 * @data: the proxy
 *
 * Return: 0
 */
static int on_start_timeout(sd_event_source *s, uint64_t usec, void *data)
{
	struct proxy *p = data;

	(void)s;
	(void)usec;
	if (p->configured)
		return 0;
	log_msg("the loader did not answer in %d s: start virtio-bpfd first, or give --mac",
		START_MS / 1000);
	sd_event_exit(p->event, 1);
	return 0;
}

/**
 * set_up() - put everything on the loop
 * @p: the proxy; its loop and its sockets are there
 * @o: the command line
 *
 * Return: 0, or a negative errno after a sentence on stderr
 */
static int set_up(struct proxy *p, const struct options *o)
{
	int err = sd_event_add_signal(p->event, NULL, SIGTERM, NULL, NULL);

	if (err >= 0)
		err = sd_event_add_time_relative(p->event, NULL, CLOCK_MONOTONIC,
						 START_MS * 1000ull, 0, on_start_timeout, p);
	/* One idle turn: the library tries to open a file when it first sets a timer. */
	if (err >= 0)
		err = sd_event_run(p->event, 0);
	if (err >= 0)
		err = loader_start(&p->loader, p->door);
	if (err < 0) {
		log_msg("cannot set up the event loop: %s", strerror(-err));
		return err;
	}
	device_init(p, o->has_mac ? o->mac : NULL);
	return p->configured ? vhost_listen(p) : 0;
}

/**
 * shut_in() - do what can be done before the loop is set up
 * @o: the command line
 *
 * Return: 0, or a negative errno after a sentence on stderr
 */
static int shut_in(const struct options *o)
{
	int err = 0;

	if (o->sandbox)
		err = sandbox_isolate();
	else
		log_msg("running without a sandbox, as --sandbox=none says");
	if (!err)
		err = sandbox_limit();
	/* New credentials make the kernel forget this. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	return err;
}

/**
 * serve() - be the device until the VMM, or whoever started us, has enough
 * @p: the proxy; its loop and its sockets are there
 * @o: the command line
 *
 * Return: the exit status
 */
static int serve(struct proxy *p, const struct options *o)
{
	int err = shut_in(o), status;

	if (err)
		return 1;
	probe("isolated");
	if (set_up(p, o))
		return 1;
	if (o->sandbox)
		err = filter_worker();
	if (err) {
		log_msg("cannot filter system calls (%s); permit that, or say --sandbox=none",
			strerror(-err));
		return 1;
	}
	probe("filtered");
	status = sd_event_loop(p->event) != 0;
	loader_drain(&p->loader, 0);
	if (p->vhost.ended) {
		device_reset(p);
		loader_wait_reset(&p->loader, END_MS);
	}
	return status;
}

/**
 * worker() - be the worker
 * @o: the command line
 * @door: socket to the porter
 * @sock: the VMM's socket
 * @listens: it listens
 *
 * Return: the exit status
 */
static int worker(const struct options *o, int door, int sock, bool listens)
{
	struct proxy *p = calloc(1, sizeof(*p));
	int status = 1;

	if (!p || sd_event_new(&p->event) < 0) {
		log_msg("out of memory");
		free(p);
		return 1;
	}
	p->door = door;
	vhost_init(p, sock, listens);
	if (loader_init(&p->loader, p->event, o->loader, o->port, &device_loader_ops, p))
		log_msg("--port or --loader is too long");
	else
		status = serve(p, o);
	loader_close(&p->loader);
	vhost_close(p);
	device_release(p);
	sd_event_unref(p->event);
	free(p);
	return status;
}

/**
 * porter() - be the porter
 * @o: the command line
 * @p: the two processes
 *
 * Return: the exit status
 */
static int porter(const struct options *o, struct porter *p)
{
	int err = sandbox_limit();

	if (!err && o->sandbox) {
		err = filter_porter(p->worker);
		if (err)
			log_msg("cannot filter system calls (%s); permit that, or say "
				"--sandbox=none", strerror(-err));
	}
	/* The worker ends with us. */
	return err ? 1 : porter_serve(p);
}

/**
 * main() - read the options, drop privileges, serve
 * @argc: number of arguments
 * @argv: the arguments
 *
 * Return: the exit status
 */
int main(int argc, char **argv)
{
	struct porter two = { .sock = -1 };
	struct options o;
	int status = parse_options(argc, argv, &o), sock;
	bool listens;
	pid_t pid;

	if (status >= 0)
		return status;
	close_inherited(o.fd);
	signal(SIGPIPE, SIG_IGN);
	if (sandbox_drop_privileges())
		return 1;
	sock = open_vmm_socket(&o, &listens);
	if (sock < 0)
		return 1;
	two.loader = o.loader;
	two.listens = o.socket_path;
	pid = porter_fork(&two);
	if (pid < 0) {
		log_msg("cannot start the worker: %s", strerror(-pid));
		return 1;
	}
	if (!pid)
		return worker(&o, two.sock, sock, listens);
	close(sock);
	return porter(&o, &two);
}
