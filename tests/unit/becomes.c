// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "becomes.h"

/**
 * becomes() - compare the translation of a program with what it should be
 * @err: what rw_rewrite() returned
 * @out: the translation; freed
 * @why: the sentence if there is none; freed
 * @want: what should come out in front of the epilogue
 * @want_cnt: number of @want
 *
 * Return: true if so
 */
bool becomes(int err, struct rw_out *out, struct text *why, const struct bpf_insn *want,
	     uint32_t want_cnt)
{
	bool same;

	if (err) {
		printf("# refused: %s", why->buf ? why->buf : "\n");
		text_free(why);
		return false;
	}
	same = out->cnt >= want_cnt && !memcmp(out->insns, want, want_cnt * sizeof(*want));
	for (uint32_t i = 0; !same && i < out->cnt; i++)
		printf("# %u: code %02x dst r%u src r%u off %d imm %d, of %d\n", i,
		       out->insns[i].code, out->insns[i].dst_reg, out->insns[i].src_reg,
		       out->insns[i].off, out->insns[i].imm, (int)out->origin[i]);
	rw_out_free(out);
	text_free(why);
	return same;
}
