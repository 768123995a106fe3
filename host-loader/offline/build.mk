# SPDX-License-Identifier: GPL-2.0-or-later
# vbpf-rewrite, the rewriter on the command line.

OFFLINE_SRCS := $(addprefix host-loader/offline/,disasm.c elf.c explain.c job.c json.c main.c \
		  object.c show.c)

PROGRAMS += $(B)/host-loader/vbpf-rewrite
SOURCES  += $(OFFLINE_SRCS)

$(B)/host-loader/vbpf-rewrite: $(OFFLINE_SRCS:%.c=$(B)/%.o) $(RW_OBJS) $(B)/host-loader/text.o
	$(CC) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libbpf json-c)

INSTALLS += install-offline

install-offline: $(B)/host-loader/vbpf-rewrite
	install -D -m 0755 -t $(DESTDIR)$(bindir) $^
	install -D -m 0644 -t $(DESTDIR)$(mandir)/man1 host-loader/offline/vbpf-rewrite.1

.PHONY: install-offline

# Tests
OFFLINE_TESTS  := $(B)/tests/unit/test_disasm $(B)/tests/host/test_rewrite_cmd
TEST_GEN_PROGS += $(OFFLINE_TESTS)
SOURCES        += $(OFFLINE_TESTS:$(B)/%=%.c)

$(B)/tests/unit/test_disasm: $(B)/tests/unit/test_disasm.o $(B)/host-loader/offline/disasm.o
	$(CC) $(LDFLAGS) -o $@ $^

$(B)/tests/host/test_rewrite_cmd: $(B)/tests/host/test_rewrite_cmd.o | \
		$(B)/host-loader/vbpf-rewrite \
		$(patsubst %,$(B)/tests/progs/%.o,calls global ihl loop maps vlan)
	$(CC) $(LDFLAGS) -o $@ $^
