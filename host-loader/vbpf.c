// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: vbpf, the operator's command
 *
 * Sends one request to virtio-bpfd (control.h) and prints the answer: as it
 * came with --json, else as tables. "check" needs no daemon: it reads a
 * configuration with the daemon's own code.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "control.h"
#include "sock.h"

/* Exit statuses, as in vbpf(8) */
#define VBPF_EXIT_FAILED	1	/* the daemon refused or is not there; a bad file */
#define VBPF_EXIT_USAGE		2	/* the command line is wrong */

#define VBPF_SECONDS		30	/* that virtio-bpfd has to answer */

/**
 * vbpf_get() - a member of an object
 * @obj: the object
 * @key: of the member
 *
 * Return: the member, or NULL
 */
static struct json_object *vbpf_get(struct json_object *obj, const char *key)
{
	return json_object_object_get(obj, key);
}

/**
 * vbpf_str() - a string member of an object
 * @obj: the object
 * @key: of the member
 *
 * Return: the string, which @obj owns, or "-" if there is none
 */
static const char *vbpf_str(struct json_object *obj, const char *key)
{
	const char *text = json_object_get_string(vbpf_get(obj, key));

	return text && *text ? text : "-";
}

/**
 * vbpf_num() - a number member of an object
 * @obj: the object
 * @key: of the member
 *
 * Return: the number, or 0 if there is none
 */
static uint64_t vbpf_num(struct json_object *obj, const char *key)
{
	return json_object_get_uint64(vbpf_get(obj, key));
}

/**
 * vbpf_bool() - a truth value of an object
 * @obj: the object
 * @key: of the member
 *
 * Return: the truth value, or false if there is none
 */
static bool vbpf_bool(struct json_object *obj, const char *key)
{
	return json_object_get_boolean(vbpf_get(obj, key));
}

/**
 * vbpf_attached() - describe what is attached
 * @port: the port's object
 * @buf: set to the description
 * @size: bytes of @buf
 */
static void vbpf_attached(struct json_object *port, char *buf, size_t size)
{
	uint64_t handle = vbpf_num(port, "attached");

	if (!handle)
		snprintf(buf, size, "-");
	else
		snprintf(buf, size, "%s (%" PRIu64 ")%s", vbpf_str(port, "attached_name"),
			 handle, vbpf_bool(port, "running") ? "" : " TAP gone");
}

/**
 * vbpf_print_list() - print ports, one line each
 * @ports: array of ports
 */
static void vbpf_print_list(struct json_object *ports)
{
	printf("%-16s %-15s %-10s %-30s %5s %5s\n", "PORT", "TAP", "PROXY", "ATTACHED", "PROGS",
	       "MAPS");
	for (size_t i = 0; i < json_object_array_length(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);
		char proxy[16] = "-", attached[64];

		if (vbpf_num(port, "proxy_pid"))
			snprintf(proxy, sizeof(proxy), "%" PRIu64, vbpf_num(port, "proxy_pid"));
		vbpf_attached(port, attached, sizeof(attached));
		printf("%-16s %-15s %-10s %-30s %5" PRIu64 " %5" PRIu64 "\n",
		       vbpf_str(port, "port"), vbpf_str(port, "tap"), proxy, attached,
		       vbpf_num(port, "prog_cnt"), vbpf_num(port, "map_cnt"));
	}
}

/**
 * vbpf_print_progs() - print programs, one line each
 * @progs: array of programs
 */
static void vbpf_print_progs(struct json_object *progs)
{
	if (json_object_array_length(progs))
		printf("  %-8s %-16s %8s %-16s %-5s %-8s %5s %11s %10s %s\n", "PROG", "NAME", "ID",
		       "TAG", "FORM", "LEVEL", "REACH", "GUEST-INSNS", "HOST-INSNS", "ATTACHED");
	for (size_t i = 0; i < json_object_array_length(progs); i++) {
		struct json_object *prog = json_object_array_get_idx(progs, i);
		char reach[16] = "all";

		if (vbpf_get(prog, "reach"))
			snprintf(reach, sizeof(reach), "%" PRIu64, vbpf_num(prog, "reach"));
		printf("  %-8" PRIu64 " %-16s %8" PRIu64 " %-16s %-5s %-8s %5s %11" PRIu64
		       " %10" PRIu64 " %s\n", vbpf_num(prog, "handle"), vbpf_str(prog, "name"),
		       vbpf_num(prog, "id"), vbpf_str(prog, "tag"), vbpf_str(prog, "form"),
		       vbpf_str(prog, "level"), reach, vbpf_num(prog, "guest_insns"),
		       vbpf_num(prog, "host_insns"), vbpf_bool(prog, "attached") ? "yes" : "no");
	}
}

/**
 * vbpf_print_maps() - print maps, one line each
 * @maps: array of maps
 */
static void vbpf_print_maps(struct json_object *maps)
{
	if (json_object_array_length(maps))
		printf("  %-8s %-16s %8s %-6s %5s %7s %9s %12s %s\n", "MAP", "NAME", "ID", "TYPE",
		       "KEY", "VALUE", "ENTRIES", "BYTES", "FREED");
	for (size_t i = 0; i < json_object_array_length(maps); i++) {
		struct json_object *map = json_object_array_get_idx(maps, i);

		printf("  %-8" PRIu64 " %-16s %8" PRIu64 " %-6s %5" PRIu64 " %7" PRIu64
		       " %9" PRIu64 " %12" PRIu64 " %s\n", vbpf_num(map, "handle"),
		       vbpf_str(map, "name"), vbpf_num(map, "id"), vbpf_str(map, "type"),
		       vbpf_num(map, "key_size"), vbpf_num(map, "value_size"),
		       vbpf_num(map, "max_entries"), vbpf_num(map, "bytes"),
		       vbpf_bool(map, "freed") ? "yes" : "no");
	}
}

/**
 * vbpf_print_mode() - print what is done about GSO frames
 * @port: the port
 */
static void vbpf_print_mode(struct json_object *port)
{
	const char *mode = vbpf_str(port, "mode");

	if (!strcmp(mode, "header"))
		printf("  GSO frames stay whole: the program looks at headers only\n");
	else if (!strcmp(mode, "full") && vbpf_num(port, "pair_out"))
		printf("  GSO frames are cut, by way of netdevs %" PRIu64 " and %" PRIu64 "\n",
		       vbpf_num(port, "pair_out"), vbpf_num(port, "pair_in"));
	else if (!strcmp(mode, "full"))
		printf("  GSO frames are dropped: the veth pair that cuts them is gone\n");
}

/**
 * vbpf_print_show() - print ports with their objects
 * @ports: array of ports
 */
static void vbpf_print_show(struct json_object *ports)
{
	for (size_t i = 0; i < json_object_array_length(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);
		struct json_object *limits = vbpf_get(port, "limits");
		struct json_object *over = vbpf_get(port, "over_limits");
		uint64_t ifindex = vbpf_num(port, "tap_ifindex"), pid = vbpf_num(port, "proxy_pid");
		char attached[64];

		vbpf_attached(port, attached, sizeof(attached));
		printf("port %s: mac %s, user %" PRIu64 ", level %s\n", vbpf_str(port, "port"),
		       vbpf_str(port, "mac"), vbpf_num(port, "uid"), vbpf_str(port, "level"));
		if (ifindex)
			printf("  tap %s (%" PRIu64 ")", vbpf_str(port, "tap"), ifindex);
		else
			printf("  tap %s (missing)", vbpf_str(port, "tap"));
		if (pid)
			printf(", proxy process %" PRIu64, pid);
		else
			printf(", no proxy");
		printf(", attached: %s\n", attached);
		vbpf_print_mode(port);
		printf("  %" PRIu64 " of %" PRIu64 " programs, %" PRIu64 " of %" PRIu64
		       " maps, %" PRIu64 " of %" PRIu64 " bytes of maps\n",
		       vbpf_num(port, "prog_cnt"), vbpf_num(limits, "max_progs"),
		       vbpf_num(port, "map_cnt"), vbpf_num(limits, "max_maps"),
		       vbpf_num(port, "map_bytes"), vbpf_num(limits, "max_map_bytes"));
		for (size_t j = 0; j < json_object_array_length(over); j++)
			printf("  over the limits: %s\n",
			       json_object_get_string(json_object_array_get_idx(over, j)));
		vbpf_print_progs(vbpf_get(port, "progs"));
		vbpf_print_maps(vbpf_get(port, "maps"));
	}
}

/**
 * vbpf_print_stats() - print ports' counters
 * @ports: array of ports
 */
static void vbpf_print_stats(struct json_object *ports)
{
	static const char *const keys[] = { "pass", "drop", "tx", "aborted", "invalid", "fault" };

	for (size_t i = 0; i < json_object_array_length(ports); i++) {
		struct json_object *port = json_object_array_get_idx(ports, i);
		struct json_object *norm = vbpf_get(port, "normaliser");
		struct json_object *progs = vbpf_get(port, "progs");

		printf("port %s: normaliser: %" PRIu64 " packets: %" PRIu64 " failed, %" PRIu64
		       " turned, %" PRIu64 " returned, %" PRIu64 " whole\n",
		       vbpf_str(port, "port"), vbpf_num(norm, "packets"),
		       vbpf_num(norm, "failed"), vbpf_num(norm, "turned"),
		       vbpf_num(norm, "returned"), vbpf_num(norm, "whole"));
		if (json_object_array_length(progs))
			printf("  %-8s %-16s %12s %12s %12s %8s %8s %8s\n", "PROG", "NAME", "PASS",
			       "DROP", "TX", "ABORTED", "INVALID", "FAULT");
		for (size_t j = 0; j < json_object_array_length(progs); j++) {
			struct json_object *prog = json_object_array_get_idx(progs, j);

			printf("  %-8" PRIu64 " %-16s", vbpf_num(prog, "handle"),
			       vbpf_str(prog, "name"));
			for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
				printf(" %*" PRIu64, k < 3 ? 12 : 8, vbpf_num(prog, keys[k]));
			printf("%s\n", vbpf_bool(prog, "attached") ? "  attached" : "");
		}
	}
}

/**
 * vbpf_ask() - send a request and read its answer
 * @path: of the daemon's socket
 * @command: what to do
 * @port: for which port, or NULL
 *
 * Return: the answer, for json_object_put(), or NULL with words on stderr
 */
static struct json_object *vbpf_ask(const char *path, const char *command, const char *port)
{
	struct json_object *request = json_object_new_object(), *answer = NULL;
	const struct timeval wait = { .tv_sec = VBPF_SECONDS };
	const char *text;
	size_t len;
	char *buf = NULL;
	bool timeout;
	ssize_t n;
	int sock;

	json_object_object_add(request, "command", json_object_new_string(command));
	if (port)
		json_object_object_add(request, "port", json_object_new_string(port));
	text = json_object_to_json_string_length(request, JSON_C_TO_STRING_PLAIN, &len);
	sock = sock_connect(path);
	if (sock < 0) {
		fprintf(stderr, "vbpf: cannot reach virtio-bpfd at %s: %s\n", path,
			strerror(-sock));
		json_object_put(request);
		return NULL;
	}
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	buf = malloc(CONTROL_ANSWER_MAX + 1);
	n = -1;
	if (buf && send(sock, text, len, MSG_NOSIGNAL) >= 0)
		n = recv(sock, buf, CONTROL_ANSWER_MAX, 0);
	timeout = n < 0 && errno == EAGAIN;
	if (n > 0) {
		buf[n] = 0;
		answer = json_tokener_parse(buf);
	}
	if (!answer)
		fprintf(stderr, "vbpf: virtio-bpfd at %s gave no answer%s; its log may say why\n",
			path, timeout ? " in time" : "");
	free(buf);
	close(sock);
	json_object_put(request);
	return answer;
}

/**
 * vbpf_print() - print an answer
 * @command: that it answers
 * @answer: the answer
 * @json: as it came
 *
 * Return: the exit status
 */
static int vbpf_print(const char *command, struct json_object *answer, bool json)
{
	struct json_object *error = vbpf_get(answer, "error");
	struct json_object *ports = vbpf_get(answer, "ports");

	if (error) {
		fprintf(stderr, "vbpf: %s\n", json_object_get_string(error));
		return VBPF_EXIT_FAILED;
	}
	if (!json_object_is_type(answer, json_type_object) ||
	    (!ports && strcmp(command, "detach"))) {
		fprintf(stderr, "vbpf: the answer is none of virtio-bpfd's\n");
		return VBPF_EXIT_FAILED;
	}
	if (json)
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PRETTY));
	else if (!strcmp(command, "list"))
		vbpf_print_list(ports);
	else if (!strcmp(command, "show"))
		vbpf_print_show(ports);
	else if (!strcmp(command, "stats"))
		vbpf_print_stats(ports);
	else if (vbpf_num(answer, "detached"))
		printf("port %s: program %" PRIu64 " detached\n", vbpf_str(answer, "port"),
		       vbpf_num(answer, "detached"));
	else
		printf("port %s: nothing was attached\n", vbpf_str(answer, "port"));
	return 0;
}

/**
 * vbpf_check() - check a configuration file as virtio-bpfd would
 * @path: the file
 * @json: print JSON
 *
 * Return: the exit status
 */
static int vbpf_check(const char *path, bool json)
{
	struct json_object *obj, *problems;
	struct text why = { 0 };
	struct conf conf;
	char *rest, *line;
	int err = conf_read(path, &conf, &why);

	if (!json) {
		if (err)
			fputs(why.buf ?: "vbpf: out of memory\n", stderr);
		else
			printf("%s: ok, ports: %zu\n", path, conf.port_cnt);
	} else {
		obj = json_object_new_object();
		problems = json_object_new_array();
		json_object_object_add(obj, "file", json_object_new_string(path));
		json_object_object_add(obj, "ok", json_object_new_boolean(!err));
		for (rest = why.buf; (line = strsep(&rest, "\n"));)
			if (*line)
				json_object_array_add(problems, json_object_new_string(line));
		json_object_object_add(obj, "problems", problems);
		puts(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PRETTY));
		json_object_put(obj);
	}
	conf_free(&conf);
	text_free(&why);
	return err ? VBPF_EXIT_FAILED : 0;
}

/**
 * vbpf_known() - is this a command that vbpf has?
 * @command: the command, or NULL
 * @args: number of words behind it
 *
 * Return: whether it is, with that many words
 */
static bool vbpf_known(const char *command, int args)
{
	if (!command)
		return false;
	if (!strcmp(command, "list"))
		return args == 0;
	if (!strcmp(command, "show") || !strcmp(command, "stats") || !strcmp(command, "check"))
		return args <= 1;
	return !strcmp(command, "detach") && args == 1;
}

/**
 * main() - options and commands of vbpf
 * @argc: number of @argv
 * @argv: arguments
 *
 * Return: the exit status
 */
int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "control", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	static const char usage[] =
		"vbpf [--control PATH] [--json] COMMAND: see and control guests' BPF programs\n"
		"  list            ports, and what is attached to each\n"
		"  show [PORT]     programs, maps and limits\n"
		"  stats [PORT]    packets by verdict\n"
		"  detach PORT     detach the port's program at once\n"
		"  check [FILE]    check a configuration (default " CONF_DEFAULT ")\n"
		"Options: -c, --control PATH (default " CONTROL_PATH "); -j, --json;\n"
		"-V, --version; -h, --help. See vbpf(8).";
	const char *control = CONTROL_PATH;
	struct json_object *answer;
	bool json = false;
	int c, status;

	while ((c = getopt_long(argc, argv, "c:jVh", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			control = optarg;
			break;
		case 'j':
			json = true;
			break;
		case 'V':
			puts("vbpf " VBPF_VERSION);
			return 0;
		case 'h':
			puts(usage);
			return 0;
		default:
			return VBPF_EXIT_USAGE;
		}
	}
	argv += optind;
	if (!vbpf_known(argv[0], argc - optind - 1)) {
		fprintf(stderr, "%s\n", usage);
		return VBPF_EXIT_USAGE;
	}
	if (!strcmp(argv[0], "check"))
		return vbpf_check(argv[1] ?: CONF_DEFAULT, json);
	answer = vbpf_ask(control, argv[0], argv[1]);
	if (!answer)
		return VBPF_EXIT_FAILED;
	status = vbpf_print(argv[0], answer, json);
	json_object_put(answer);
	return status;
}
