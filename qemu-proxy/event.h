/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef EVENT_H
#define EVENT_H
#include <stdbool.h>

#include "virtio_bpf.h"

#define EVENTS_MAX	16

/**
 * struct events - events that wait for a buffer of the guest
 * @slot: a ring
 * @first: index of the oldest
 * @cnt: number of events
 *
 * Starts out all zero.
 */
struct events {
	struct virtio_bpf_event slot[EVENTS_MAX];
	unsigned int first;
	unsigned int cnt;
};

bool events_add(struct events *e, const struct virtio_bpf_event *ev);
void events_add_lost(struct events *e);
const struct virtio_bpf_event *events_first(const struct events *e);
void events_drop_first(struct events *e);
void events_clear(struct events *e);

#endif /* EVENT_H */
