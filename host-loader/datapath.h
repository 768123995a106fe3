/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DATAPATH_H
#define DATAPATH_H

/*
 * What the normaliser knows of a port, shared by datapath.bpf.c and the daemon:
 * one u64 per CPU each. Counters first; the rest is written by the daemon, the
 * same for all CPUs, but for NORM_GUARD.
 */
enum norm_slot {
	NORM_PACKETS,	/* counts packets that were not yet as on a wire */
	NORM_FAILED,	/* counts those dropped since they could not be normalised */
	NORM_TURNED,	/* counts those sent through the pair */
	NORM_RETURNED,	/* counts what came of them */
	NORM_WHOLE,	/* counts GSO frames that were left whole */
	NORM_CNT_MAX,
	NORM_REACH = NORM_CNT_MAX,	/* bytes that the program looks at, or NORM_REACH_ALL */
	NORM_OUT,	/* ifindex of the pair's end that packets go into, or 0 */
	NORM_IN,	/* ifindex of the end at which they come back */
	NORM_TAP,	/* ifindex of the TAP */
	NORM_GUARD,	/* 1 while this CPU sends a packet into the pair */
	NORM_SLOTS,
};

#define NORM_REACH_ALL	0xffffffffu	/* as RW_REACH_ALL */

#endif /* DATAPATH_H */
