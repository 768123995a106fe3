/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_H
#define REWRITER_H
/**
 * DOC: The rewriter's public face
 *
 * A tenant's XDP program goes in; a program that does the same at the TAP, and
 * that the host's verifier accepts without CAP_PERFMON, comes out. Nothing here
 * makes a system call or needs a privilege: the kernel checks the result, so a
 * mistake in here can break the tenant, not the host. At level relaxed that is half
 * the truth: there the kernel still checks that a program stays in its memory and
 * ends, but what would leak is found in here alone (taint.c).
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "../text.h"

/* How packet access is done; values as VIRTIO_BPF_FORM_* */
enum rw_form {
	RW_FORM_LITE = 1,	/* direct packet access is kept */
	RW_FORM_SFI = 2,	/* offsets into a scratch copy of the packet */
};

/* What kind of program comes out, and where it is meant to run */
enum rw_target {
	RW_TARGET_SKB = 1,	/* BPF_PROG_TYPE_SCHED_CLS, at a TAP's tcx egress */
};

/* What the host's verifier is to watch over, and what the rewriter must */
enum rw_level {
	RW_LEVEL_STRICT = 0,	/* loaded without CAP_PERFMON: the verifier lets nothing leak */
	RW_LEVEL_RELAXED = 1,	/* with it: what would leak is refused here; form lite only */
};

/*
 * Map handles that no tenant has; they appear in the output alone. The caller
 * puts its own map's fd in their place, as it does for the tenant's handles.
 */
#define RW_HANDLE_COUNTERS	0xffffffffu	/* PERCPU_ARRAY of u64 by VIRTIO_BPF_CNT_* */
#define RW_HANDLE_SCRATCH	0xfffffffeu	/* PERCPU_ARRAY of one value, for form sfi */

/*
 * The scratch of form sfi: a header, the packet with headroom in front of it,
 * and as much again: the verifier wants to see the highest offset plus the
 * greatest length there, and what a program keeps in its stacks at offsets that
 * are not constant is there. One
 * scratch serves one program; on one CPU it is used by one packet at a time,
 * which the program itself makes sure of.
 */
#define RW_HEADROOM		256	/* bytes in front of a packet that came in */
#define RW_SCRATCH_PACKET	64	/* offset of the packet area, headroom included */
#define RW_SCRATCH_SIZE(window)	(RW_SCRATCH_PACKET + 2 * (RW_HEADROOM + (window)))
#define RW_WINDOW_MIN		64
#define RW_WINDOW_DEFAULT	2048	/* enough for an MTU of 1500 and some growth */
#define RW_WINDOW_MAX		15360	/* a per-CPU value has 32 KiB at most */
#define RW_REACH_ALL		UINT32_MAX

/*
 * What a program may do: bits of helpers-whitelist's enum wl_profile, for a
 * port that has more than every port has, or all that can be translated: for
 * measurements, no tenant's
 */
#define RW_PROFILE_TENANT	0u
#define RW_PROFILE_ALL		UINT32_MAX

/**
 * struct rw_map - what the rewriter must know of one of the tenant's maps
 * @handle: as the tenant's bytecode names it
 * @map_type: enum bpf_map_type
 * @key_size: bytes
 * @value_size: bytes
 * @max_entries: number of elements
 */
struct rw_map {
	uint32_t handle;
	uint32_t map_type;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
};

/**
 * struct rw_prog - a tenant's program, unchecked
 * @insns: host byte order; map loads have src_reg 1 and a handle as imm
 * @cnt: number of @insns
 * @maps: every map of that tenant
 * @map_cnt: number of @maps
 * @ifindex: what ctx->ingress_ifindex reads
 * @profile: what it may do, see RW_PROFILE_TENANT
 */
struct rw_prog {
	const struct bpf_insn *insns;
	uint32_t cnt;
	const struct rw_map *maps;
	uint32_t map_cnt;
	uint32_t ifindex;
	uint32_t profile;
};

/**
 * struct rw_opts - what to make of it
 * @form: of packet access
 * @target: of the output
 * @tap_ifindex: the netdev at whose ingress XDP_TX comes out
 * @window: form sfi: bytes of a packet that are copied at most, RW_WINDOW_MIN to
 *          RW_WINDOW_MAX; how long a packet can be that is changed in length or
 *          looked at behind it. Of a program with a reach only so much is copied
 * @level: at which the output is to be loaded
 * @walks_on: the host's verifier walks on behind a barrier in a branch that only a
 *            misprediction takes, as Linux before 6.17 does. Form sfi can do with that
 */
struct rw_opts {
	enum rw_form form;
	enum rw_target target;
	uint32_t tap_ifindex;
	uint32_t window;
	enum rw_level level;
	bool walks_on;
};

/**
 * struct rw_out - a rewritten program; free with rw_out_free()
 * @insns: map loads have src_reg 1 (BPF_PSEUDO_MAP_FD) and a handle as imm
 * @origin: for each of @insns the index of the tenant's insn that it stems
 *          from, or UINT32_MAX for one that the rewriter added on its own
 * @cnt: number of @insns and of @origin
 * @reach: the program does nothing with a packet but look at bytes in front of
 *         this offset, and ask whether it has them: all else about it (what is
 *         behind, how long it is) makes no difference. RW_REACH_ALL of a
 *         program that changes packets, uses their length, or may look anywhere
 */
struct rw_out {
	struct bpf_insn *insns;
	uint32_t *origin;
	uint32_t cnt;
	uint32_t reach;
};

/* Structural check, before anything else: see rewriter/check.c */
int rw_check(const struct rw_prog *prog, uint32_t max_insns, struct text *why);
/* Analysis and translation, of a program that passed rw_check() */
int rw_rewrite(const struct rw_prog *prog, const struct rw_opts *opts, struct rw_out *out,
	       struct text *why);
void rw_out_free(struct rw_out *out);
/* What a tenant may see of the log of a load at level relaxed */
void rw_taint_log(char *log);

#endif /* REWRITER_H */
