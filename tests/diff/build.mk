# SPDX-License-Identifier: GPL-2.0-or-later
# Differential tests of the rewriter: random programs, against their translations.

DIFF_SOURCES := $(addprefix tests/diff/, \
	build.c dump.c gen.c gen_call.c gen_num.c gen_pkt.c packet.c test_generated.c)
TEST_GEN_PROGS += $(B)/tests/diff/test_generated $(B)/tests/diff/test_pointers
SOURCES        += $(DIFF_SOURCES) tests/diff/gen_ptr.c tests/diff/test_pointers.c
SCRIPTS        += tests/diff/long

# How many programs `make test-long` generates, and from which seed on
LONG_COUNT ?= 200000
LONG_SEED  ?= 1000000

$(B)/tests/diff/test_generated: $(DIFF_SOURCES:%.c=$(B)/%.o) $(TWIN_OBJS) \
				$(B)/host-loader/offline/disasm.o
	$(CC) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libbpf)

$(B)/tests/diff/test_pointers: $(addprefix $(B)/tests/diff/,dump.o gen_ptr.o packet.o \
				 test_pointers.o) $(TWIN_OBJS) \
			       $(B)/host-loader/offline/disasm.o
	$(CC) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libbpf)

test-long: $(B)/tests/diff/test_generated
	VBPF_BUILD=$(B) tests/diff/long $< $(LONG_SEED) $(LONG_COUNT)

.PHONY: test-long
