/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BED_H
#define BED_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PROXY_UID	65534		/* user of port vm0 */
#define PROXY1_UID	1000		/* user of port vm1 */
#define TAP		"vbpf-tap"	/* TAP of port vm0 */
#define TAP1		"vbpf-tap1"	/* TAP of port vm1 */

/**
 * struct bed - where the loader is tested
 * @run: a new folder
 * @bin: folder of the programs under test
 * @daemon: process id of virtio-bpfd, or 0
 * @tap: the TAP's other end
 */
struct bed {
	char run[32];
	char bin[4096];
	pid_t daemon;
	int tap;
};

extern struct bed bed;

struct ktap_case;

void bed_end(int status) __attribute__((noreturn));
int bed_main(const struct ktap_case *cases, int cnt);
bool bed_conf(const char *defaults, const char *ports);
bool bed_make(void);
void bed_remove(void);
bool bed_start(void);
int bed_stop(void);
int bed_logged(const char *words);
bool bed_reload(const char *words);
const char *bed_path(const char *name);
bool bed_write(const char *path, const char *text);
int bed_run(char *out, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool tap_open(void);
bool frame_send(int cnt);
bool frame_send_pieces(size_t len);
ssize_t frame_read(unsigned char *frame, size_t size);
int frame_count(void);
int frames_pass(void);

#endif /* BED_H */
