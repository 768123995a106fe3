# SPDX-License-Identifier: GPL-2.0-or-later
#
# The tests, in kselftest's form: each an executable that prints KTAP. The parts
# add their C tests to TEST_GEN_PROGS; the shell tests are in tests/vm.

# The guest's kernel in the demo and in tests that need only one, and those that
# the whole path is tested on
KVER  ?= 6.12
KVERS ?= $(GUEST_KERNELS)
export KVER KVERS

CFLAGS_tests := -Itests

include tests/fuzz/build.mk

TEST_PROGS    += tests/fuzz/fuzz.sh $(filter-out %/common.sh,$(wildcard tests/vm/*.sh))
TEST_BPF_OBJS := $(patsubst tests/progs/%.bpf.c,$(B)/tests/progs/%.o, \
		   $(wildcard tests/progs/*.bpf.c))
TEST_TOOLS    := $(B)/tests/tools/exchange $(B)/tests/tools/strange_device
SOURCES       += tests/tools/exchange.c tests/tools/strange_device.c
SCRIPTS       += tests/lib.sh tests/run $(wildcard tests/vm/*.sh)

# Programs for the guest, as a tenant would compile them
$(TEST_BPF_OBJS): $(B)/tests/progs/%.o: tests/progs/%.bpf.c
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(B)/tests/tools/exchange: $(B)/tests/tools/exchange.o
	$(CC) $(LDFLAGS) -o $@ $^

$(B)/tests/tools/strange_device.o: override CPPFLAGS += -isystem $(VHOST_USER)/include
$(B)/tests/tools/strange_device.o: | $(VHOST_USER)

$(B)/tests/tools/strange_device: $(B)/tests/tools/strange_device.o
	$(CC) $(LDFLAGS) -o $@ $^ $(VHOST_USER)/libvhost-user.a -pthread

# All that a bed (scripts/bed.sh) with the kernel KVER starts or puts into the
# guest
bed: $(PROGRAMS) $(TEST_BPF_OBJS) $(TEST_TOOLS) $(B)/guest/$(KVER)/initramfs.cpio

# The same with the sanitizers, for tests/vm/sanitizers.sh
san_bed: | bed
	@$(MAKE) --no-print-directory SAN=1 bed

test_programs: $(TEST_GEN_PROGS)

# What guests that are hosts themselves have for tests/vm/host_kernels.sh
HOST_FILES := $(addprefix $(B)/,host-loader/virtio-bpfd host-loader/vbpf tests/diff/test_generated \
	      $(addprefix tests/host/test_,twins corners loader packets)) $(TEST_BPF_OBJS)
HOST_ROOTS := $(KVERS:%=$(B)/guest/%/host-initramfs.cpio)

$(HOST_ROOTS): $(B)/guest/%/host-initramfs.cpio: $(HOST_FILES) scripts/guest-init scripts/testbed
	scripts/testbed host-initramfs $* $@ $(B) $(HOST_FILES)

run_tests: bed san_bed test_programs fuzz_build $(KVERS:%=$(B)/guest/%/initramfs.cpio) $(HOST_ROOTS)
	VBPF_BUILD=$(B) tests/run $(B)/tests/run.log $(TEST_GEN_PROGS) $(TEST_PROGS)

.PHONY: bed san_bed test_programs run_tests
