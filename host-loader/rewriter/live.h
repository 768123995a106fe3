/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REWRITER_LIVE_H
#define REWRITER_LIVE_H
#include "decode.h"

void rw_liveness(const struct rw_code *code, uint16_t *live);

#endif /* REWRITER_LIVE_H */
