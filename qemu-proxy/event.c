// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Events on their way to the guest
 *
 * An event waits here until the guest puts a buffer into the eventq. A guest
 * that never does must not cost memory: when EVENTS_MAX wait, further ones are
 * dropped. What was told first is kept, because LOST, which makes all before it
 * pointless, clears the others out and therefore always finds room.
 */
#include <endian.h>
#include <string.h>

#include "event.h"

/**
 * events_add() - add an event
 * @e: the events
 * @ev: the event, copied
 *
 * Return: false if it was dropped
 */
bool events_add(struct events *e, const struct virtio_bpf_event *ev)
{
	if (e->cnt == EVENTS_MAX)
		return false;
	e->slot[(e->first + e->cnt++) % EVENTS_MAX] = *ev;
	return true;
}

/**
 * events_add_lost() - tell the guest that the host forgot all its objects
 * @e: the events; those that wait are dropped
 */
void events_add_lost(struct events *e)
{
	static const char text[] = "the host forgot all programs and maps of this device";
	struct virtio_bpf_event ev = {
		.type = htole32(VIRTIO_BPF_EVENT_LOST),
		.text_len = htole32(sizeof(text) - 1),
	};

	_Static_assert(sizeof(text) - 1 <= VIRTIO_BPF_EVENT_TEXT, "text too long");
	memcpy(ev.text, text, sizeof(text) - 1);
	events_clear(e);
	events_add(e, &ev);
}

/**
 * events_first() - look at the oldest event
 * @e: the events
 *
 * Return: the event, valid until @e changes; or NULL if none waits
 */
const struct virtio_bpf_event *events_first(const struct events *e)
{
	return e->cnt ? &e->slot[e->first] : NULL;
}

/**
 * events_drop_first() - forget the oldest event
 * @e: the events; at least one waits
 */
void events_drop_first(struct events *e)
{
	e->first = (e->first + 1) % EVENTS_MAX;
	e->cnt--;
}

/**
 * events_clear() - forget all events
 * @e: the events
 */
void events_clear(struct events *e)
{
	e->first = 0;
	e->cnt = 0;
}
