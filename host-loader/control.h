/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONTROL_H
#define CONTROL_H
/**
 * DOC: What virtio-bpfd and vbpf say to each other
 *
 * A SOCK_SEQPACKET unix socket. vbpf sends one packet, a JSON object with
 * "command" and, where it applies, "port"; virtio-bpfd answers with one packet,
 * a JSON object as vbpf(8) describes, or one with "error" alone, and closes.
 */
#define CONTROL_PATH		"/run/virtio-bpf/control.sock"
#define CONTROL_REQUEST_MAX	4096		/* bytes in a request */
#define CONTROL_ANSWER_MAX	(512 << 10)	/* bytes in an answer */

struct loader;
struct text;

int control_start(struct loader *loader, struct text *why);
void control_stop(struct loader *loader);

#endif /* CONTROL_H */
