# SPDX-License-Identifier: GPL-2.0-or-later
# The list of helpers becomes a C table, which whitelist.c includes.

WL_OBJS := $(B)/helpers-whitelist/whitelist.o
SOURCES += helpers-whitelist/whitelist.c

$(B)/helpers-whitelist/helpers.h: helpers-whitelist/helpers.tsv helpers-whitelist/helpers.awk
	@mkdir -p $(@D)
	awk -f helpers-whitelist/helpers.awk $< > $@

$(WL_OBJS): $(B)/helpers-whitelist/helpers.h

TEST_GEN_PROGS += $(B)/tests/unit/test_whitelist
SOURCES        += tests/unit/test_whitelist.c

$(B)/tests/unit/test_whitelist: $(B)/tests/unit/test_whitelist.o $(WL_OBJS)
	$(CC) $(LDFLAGS) -o $@ $^
