# SPDX-License-Identifier: GPL-2.0-or-later
# Other people's XDP programs, against the rewriter: `make corpus`.

CORPUS_SOURCES := tests/corpus/corpus.c tests/corpus/subject.c
SOURCES        += $(CORPUS_SOURCES)
SCRIPTS        += scripts/corpus

$(B)/tests/corpus/corpus: $(CORPUS_SOURCES:%.c=$(B)/%.o) $(TWIN_OBJS) \
			  $(B)/tests/diff/packet.o
	$(CC) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libbpf)

corpus: setup
	@$(MAKE) --no-print-directory $(B)/tests/corpus/corpus
	CLANG=$(CLANG) BPFTOOL=$(BPFTOOL) scripts/corpus $(B)/tests/corpus/objects
	$(B)/tests/corpus/corpus $(B)/tests/corpus/objects

.PHONY: corpus
