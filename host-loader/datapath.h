/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DATAPATH_H
#define DATAPATH_H

/* Counters of the normaliser, shared by datapath.bpf.c and the daemon */
enum norm_counter {
	NORM_CNT_PACKETS,	/* packets that came by */
	NORM_CNT_FAILED,	/* dropped: could not be made linear */
	NORM_CNT_MAX,
};

#endif /* DATAPATH_H */
