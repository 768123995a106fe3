// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../host-loader/sock.h"
#include "../ktap.h"
#include "bed.h"

#define FRAME_TYPE	0x88b5	/* for local experiments */

struct bed bed = { .run = "/tmp/vbpf-loader.XXXXXX", .tap = -1 };

/**
 * bed_path() - path of something in the run folder
 * @name: its name
 *
 * Return: the path, until the next call but three
 */
const char *bed_path(const char *name)
{
	static char paths[4][4200];
	static int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", bed.run, name);
	return path;
}

/**
 * bed_write() - write a file
 * @path: the file
 * @text: what shall be in it
 *
 * Return: whether it could be written
 */
bool bed_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	bool ok = file && fputs(text, file) >= 0;

	return file && !fclose(file) && ok;
}

/**
 * bed_start() - start virtio-bpfd and wait until it serves
 *
 * Return: whether it does
 */
bool bed_start(void)
{
	char program[4200];
	int log;

	snprintf(program, sizeof(program), "%s/virtio-bpfd", bed.bin);
	bed.daemon = fork();
	if (!bed.daemon) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		log = open(bed_path("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		if (log >= 0)
			dup2(log, STDERR_FILENO);
		execl(program, program, "--config", bed_path("conf"), NULL);
		_exit(127);
	}
	for (int i = 0; i < 250; i++) {
		int sock = sock_connect(bed_path("socket"));

		if (sock >= 0) {
			close(sock);
			return true;
		}
		if (waitpid(bed.daemon, NULL, WNOHANG) == bed.daemon)
			break;
		usleep(20000);
	}
	bed.daemon = 0;
	return false;
}

/**
 * bed_stop() - ask virtio-bpfd to end
 *
 * Return: its exit status, or -1
 */
int bed_stop(void)
{
	int status = -1;

	if (!bed.daemon)
		return -1;
	kill(bed.daemon, SIGTERM);
	waitpid(bed.daemon, &status, 0);
	bed.daemon = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/**
 * bed_logged() - how often is something in the daemon's log?
 * @words: the words
 *
 * Return: the number of lines
 */
int bed_logged(const char *words)
{
	char out[32];

	bed_run(out, sizeof(out), "grep -c '%s' %s", words, bed_path("log"));
	return atoi(out);
}

/**
 * bed_reload() - have virtio-bpfd read its configuration again
 * @words: that it logs then
 *
 * Return: whether it does within five seconds
 */
bool bed_reload(const char *words)
{
	int before = bed_logged(words);

	kill(bed.daemon, SIGHUP);
	for (int i = 0; i < 250; i++) {
		if (bed_logged(words) > before)
			return true;
		usleep(20000);
	}
	return false;
}

/**
 * bed_run() - run a command of the shell
 * @out: set to the beginning of what it prints
 * @size: bytes of @out
 * @fmt: the command, as for printf()
 *
 * Return: its exit status
 */
int __attribute__((format(printf, 3, 4)))
bed_run(char *out, size_t size, const char *fmt, ...)
{
	char command[8192];
	FILE *pipe;
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	pipe = popen(command, "re");
	if (!pipe)
		return -1;
	n = fread(out, 1, size - 1, pipe);
	out[n] = 0;
	while (fgetc(pipe) != EOF)
		;
	return WEXITSTATUS(pclose(pipe));
}

/**
 * tap_open() - make the TAP
 *
 * Return: whether it is there, and up
 */
bool tap_open(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = TAP };
	char out[256];

	bed.tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return bed.tap >= 0 && !ioctl(bed.tap, TUNSETIFF, &ifr) &&
	       !bed_run(out, sizeof(out), "ip link set %s up 2>&1", TAP);
}

/**
 * frame_send() - send a frame towards the VM
 * @cnt: how many
 *
 * Return: whether they were sent
 */
bool frame_send(int cnt)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(TAP),
		.sll_protocol = htons(FRAME_TYPE),
	};
	unsigned char frame[64] = { 0x52, 0x54, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2,
				    FRAME_TYPE >> 8, FRAME_TYPE & 0xff };
	int sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	bool ok = sock >= 0;

	/* A frame that is dropped at egress makes send() fail with ENOBUFS. */
	while (ok && cnt--)
		ok = sendto(sock, frame, sizeof(frame), 0, (struct sockaddr *)&to,
			    sizeof(to)) > 0 || errno == ENOBUFS;
	close(sock);
	return ok;
}

/**
 * frame_send_pieces() - send a long frame whose skb has more than one piece
 * @len: bytes of the frame, over a page and within the TAP's MTU
 *
 * A packet socket puts no more than the announced header into the first piece.
 *
 * Return: whether it was sent
 */
bool frame_send_pieces(size_t len)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(TAP),
		.sll_protocol = htons(FRAME_TYPE),
	};
	struct virtio_net_hdr hdr = { .hdr_len = 14 };
	char *buf = calloc(1, sizeof(hdr) + len);
	int on = 1, sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	bool ok = buf && sock >= 0 &&
		  !setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on));

	if (ok) {
		memcpy(buf, &hdr, sizeof(hdr));
		buf[sizeof(hdr) + 12] = (char)(FRAME_TYPE >> 8);
		buf[sizeof(hdr) + 13] = (char)(FRAME_TYPE & 0xff);
		ok = sendto(sock, buf, sizeof(hdr) + len, 0, (struct sockaddr *)&to,
			    sizeof(to)) > 0;
	}
	close(sock);
	free(buf);
	return ok;
}

/**
 * frame_read() - read what reaches the VM
 * @frame: room for a frame
 * @size: bytes of it
 *
 * Return: length of the next frame, or -1 if none is there within 100 ms
 */
ssize_t frame_read(unsigned char *frame, size_t size)
{
	struct pollfd pfd = { .fd = bed.tap, .events = POLLIN };

	return poll(&pfd, 1, 100) > 0 ? read(bed.tap, frame, size) : -1;
}

/**
 * frame_count() - how many frames reach the VM
 *
 * Return: the number of those that are there within 100 ms
 */
int frame_count(void)
{
	unsigned char frame[16384];
	int cnt = 0;
	ssize_t n;

	while ((n = frame_read(frame, sizeof(frame))) >= 0)
		cnt += n >= 14 && frame[12] == FRAME_TYPE >> 8 &&
		       frame[13] == (FRAME_TYPE & 0xff);
	return cnt;
}

/**
 * frames_pass() - do frames reach the VM?
 *
 * Return: how many of three do, or -1
 */
int frames_pass(void)
{
	frame_count();
	return frame_send(3) ? frame_count() : -1;
}

/**
 * bed_remove() - remove what the test made outside its namespaces
 */
void bed_remove(void)
{
	char out[256];

	if (bed.daemon)
		bed_stop();
	umount(bed_path("bpf"));
	bed_run(out, sizeof(out), "rm -rf %s", bed.run);
}

/**
 * bed_conf() - write the configuration
 * @defaults: lines of its [defaults]
 * @ports: lines behind the ports vm0 and vm1
 *
 * Return: whether it could be written
 */
bool bed_conf(const char *defaults, const char *ports)
{
	static const char conf[] =
		"[loader]\nsocket = %s/socket\ncontrol = %s/control\nbpffs = %s/bpf/ports\n"
		"linger = 1\n"
		"[defaults]\n%s"
		"[port vm0]\ntap = " TAP "\nuid = %d\nmac = 52:54:00:12:34:56\n"
		"[port vm1]\ntap = " TAP1 "\nuid = %d\nmac = 52:54:00:12:34:58\n%s";
	char text[2048];

	snprintf(text, sizeof(text), conf, bed.run, bed.run, bed.run, defaults, PROXY_UID,
		 PROXY1_UID, ports);
	return bed_write(bed_path("conf"), text);
}

/**
 * bed_make() - namespaces, bpffs and configuration
 *
 * Return: whether all is there
 */
bool bed_make(void)
{
	ssize_t n = readlink("/proc/self/exe", bed.bin, sizeof(bed.bin) - 1);

	if (n < 0 || !mkdtemp(bed.run) || chmod(bed.run, 0755) || mkdir(bed_path("bpf"), 0755))
		return false;
	bed.bin[n] = 0;
	/* BUILD/tests/host/test_loader beside BUILD/host-loader */
	for (int i = 0; i < 3; i++)
		*strrchr(bed.bin, '/') = 0;
	strcat(bed.bin, "/host-loader");
	return !unshare(CLONE_NEWNET | CLONE_NEWNS) &&
	       !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("bpf", bed_path("bpf"), "bpf", 0, NULL) &&
	       bed_write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1") &&
	       bed_conf("max_maps = 3\nmax_progs = 4\nmax_entries = 1000\nmax_map_bytes = 64K\n",
			"");
}

/**
 * bed_end() - end the test, its bed removed
 * @status: the exit status; if it is not 0 the daemon's log is shown
 */
void bed_end(int status)
{
	if (status)
		fprintf(stderr, "# the daemon's log:\n");
	if (status && bed_run((char[1]){ 0 }, 1, "cat %s >&2", bed_path("log")))
		fprintf(stderr, "# none\n");
	bed_remove();
	exit(status);
}

/**
 * bed_main() - run cases in a bed of their own
 * @cases: the cases
 * @cnt: number of @cases
 *
 * Return: the exit status
 */
int bed_main(const struct ktap_case *cases, int cnt)
{
	if (geteuid()) {
		printf("TAP version 13\n1..0 # SKIP needs root\n");
		return 0;
	}
	if (!bed_make()) {
		printf("Bail out! no namespaces or bpffs: %s\n", strerror(errno));
		return 1;
	}
	bed_end(ktap_main(cases, cnt));
}
