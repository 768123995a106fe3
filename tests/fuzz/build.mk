# SPDX-License-Identifier: GPL-2.0-or-later
#
# Fuzz targets: libFuzzer with ASan and UBSan, in a build folder of their own,
# since all that they test is compiled for it. `make fuzz` runs each for
# FUZZ_SECONDS; what it finds stays in that folder.

FUZZ_SECONDS ?= 60
FUZZ_TARGETS := conf request rewriter to_loader to_proxy
FUZZ_PROGS   := $(FUZZ_TARGETS:%=$(B)/tests/fuzz/fuzz_%)
FUZZ_B       := $(B)/fuzz

SOURCES += $(FUZZ_TARGETS:%=tests/fuzz/fuzz_%.c)
SCRIPTS += tests/fuzz/fuzz.sh

$(addprefix $(B)/tests/fuzz/fuzz_,request.o to_proxy.o): override CPPFLAGS += -Iqemu-proxy

$(B)/tests/fuzz/fuzz_conf: $(B)/host-loader/conf.o $(B)/host-loader/text.o $(WL_OBJS)
$(B)/tests/fuzz/fuzz_request: $(B)/qemu-proxy/request.o
$(B)/tests/fuzz/fuzz_rewriter: $(RW_OBJS) $(B)/host-loader/text.o
$(B)/tests/fuzz/fuzz_to_loader: $(B)/host-loader/wire.o $(B)/host-loader/text.o
$(B)/tests/fuzz/fuzz_to_proxy: $(addprefix $(B)/qemu-proxy/,loader.o maps.o porter.o request.o)

$(FUZZ_PROGS): $(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o
	$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(call pkg,--libs,inih libbpf libsystemd)

fuzz_programs: $(FUZZ_PROGS)

# Both are called with the build folder of `make`, and make the other
fuzz_build:
	@$(MAKE) --no-print-directory B=$(FUZZ_B) CC=$(CLANG) SAN=1 FUZZ=1 fuzz_programs

fuzz: setup
	@$(MAKE) --no-print-directory fuzz_build
	VBPF_BUILD=$(B) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/fuzz/fuzz.sh

.PHONY: fuzz fuzz_build fuzz_programs
