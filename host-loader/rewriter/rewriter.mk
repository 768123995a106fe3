# SPDX-License-Identifier: GPL-2.0-or-later
# The rewriter, for the loader and for tests: RW_OBJS is all that it needs but
# host-loader/text.o, which the loader has in any case.

RW_SOURCES := $(addprefix host-loader/rewriter/, \
	analysis.c branch.c check.c decode.c edit.c gen.c helpers.c lite.c live.c range.c \
	reach.c refuse.c rewrite.c sfi.c sfi_access.c sfi_group.c sfi_helper.c sfi_lock.c \
	sfi_loop.c sfi_own.c sfi_spill.c sfi_stack.c state.c taint.c taint_log.c \
	taint_stack.c target_skb.c transfer.c twice.c)
RW_OBJS := $(RW_SOURCES:%.c=$(B)/%.o) $(WL_OBJS)
SOURCES += $(RW_SOURCES)

RW_TESTS := $(addprefix $(B)/tests/,unit/test_check unit/test_range unit/test_reach \
	    unit/test_rewrite unit/test_sfi unit/test_taint host/test_corners host/test_leaks \
	    host/test_twins)
TEST_GEN_PROGS += $(RW_TESTS)
SOURCES        += $(RW_TESTS:$(B)/%=%.c) tests/host/agree.c tests/unit/becomes.c \
		  tests/host/harmless.c tests/host/leaks.c tests/host/twin.c

$(addprefix $(B)/tests/unit/,test_check test_range test_reach test_rewrite test_sfi test_taint): \
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(RW_OBJS) $(B)/host-loader/text.o
	$(CC) $(LDFLAGS) -o $@ $^

$(addprefix $(B)/tests/unit/,test_rewrite test_taint): $(B)/tests/unit/becomes.o

RW_TEST_PROGS := bytes calls demo head ihl length loop maps memory pass tail \
		 value verdicts vlan

# What tests need for twins (tests/host/twin.h)
TWIN_OBJS := $(B)/tests/host/twin.o $(B)/host-loader/kern.o $(B)/host-loader/text.o $(RW_OBJS)

$(B)/tests/host/test_twins: | $(RW_TEST_PROGS:%=$(B)/tests/progs/%.o)
$(B)/tests/host/test_leaks: $(B)/tests/host/harmless.o $(B)/tests/host/leaks.o
$(addprefix $(B)/tests/host/,test_corners test_leaks test_twins): \
$(B)/tests/host/%: $(B)/tests/host/%.o $(B)/tests/host/agree.o $(TWIN_OBJS)
	$(CC) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libbpf)

# How long rewriting takes
SOURCES += tests/bench/bench_rewriter.c

$(B)/tests/bench/bench_rewriter: $(B)/tests/bench/bench_rewriter.o $(RW_OBJS) \
				 $(B)/host-loader/text.o
	$(CC) $(LDFLAGS) -o $@ $^

bench-rewriter: $(B)/tests/bench/bench_rewriter
	$<

.PHONY: bench-rewriter

include tests/diff/build.mk
include tests/corpus/build.mk
