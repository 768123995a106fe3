# SPDX-License-Identifier: GPL-2.0-or-later
# The loader (virtio-bpfd) and the operator's command (vbpf).

include host-loader/rewriter/rewriter.mk
include host-loader/offline/build.mk

LOADER_PKGS := libbpf libsystemd inih json-c libcap-ng libmnl libseccomp

# Not ":=", here and below: a fresh machine has no pkg-config before `make setup`.
CFLAGS_host-loader = -DVBPF_SYSCONFDIR='"$(sysconfdir)"' $(call pkg,--cflags,$(LOADER_PKGS))

# The daemon without its main(), for the tests as well
LOADER_SRCS := $(addprefix host-loader/,attach.c bucket.c clock.c conf.c control.c dispatch.c \
		 forkserver.c kern.c link.c load.c log.c map.c norm.c pair.c port.c ports.c \
		 relaxed.c sandbox.c server.c sock.c store.c tap.c text.c translate.c turn.c \
		 watch.c wire.c worker.c)
LOADER_OBJS := $(LOADER_SRCS:%.c=$(B)/%.o)
LOADER_LIBS = $(call pkg,--libs,$(LOADER_PKGS))

PROGRAMS += $(B)/host-loader/virtio-bpfd $(B)/host-loader/vbpf
SOURCES  += $(LOADER_SRCS) host-loader/main.c host-loader/vbpf.c

$(B)/host-loader/virtio-bpfd: $(B)/host-loader/main.o $(LOADER_OBJS) $(RW_OBJS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LOADER_LIBS)

$(B)/host-loader/vbpf: $(addprefix $(B)/host-loader/,vbpf.o conf.o sock.o text.o) $(WL_OBJS)
	$(CC) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,inih json-c)

# The normaliser, embedded in the daemon
BPF_CFLAGS := -O2 -g -Wall -Werror -target bpf -idirafter /usr/include/$(shell uname -m)-linux-gnu

$(B)/host-loader/datapath.bpf.o: host-loader/datapath.bpf.c host-loader/datapath.h
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(B)/host-loader/datapath.skel.h: $(B)/host-loader/datapath.bpf.o
	$(BPFTOOL) gen skeleton $< name datapath > $@

$(B)/host-loader/norm.o: $(B)/host-loader/datapath.skel.h

# Tests
TEST_GEN_PROGS += $(addprefix $(B)/tests/unit/,test_conf test_port test_relaxed test_wire) \
		  $(addprefix $(B)/tests/host/,test_loader test_packets test_on_wire \
		  test_policy test_isolation test_relaxed)
SOURCES += $(addprefix tests/unit/,test_conf.c test_port.c test_relaxed.c test_wire.c) \
	   $(addprefix tests/host/,test_loader.c test_packets.c test_on_wire.c test_policy.c \
	   test_isolation.c test_relaxed.c bed.c proxy.c wire.c)

$(addprefix $(B)/tests/unit/,test_conf test_port test_relaxed test_wire): \
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(LOADER_OBJS) $(RW_OBJS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LOADER_LIBS)

$(addprefix $(B)/tests/host/test_,loader packets policy isolation relaxed): \
$(B)/tests/host/%: $(addprefix $(B)/,tests/host/%.o tests/host/bed.o tests/host/proxy.o \
		   host-loader/sock.o host-loader/text.o)
	$(CC) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libbpf)

# Stands between the daemon and libbpf
SOURCES += tests/host/fail_get.c

$(B)/tests/host/fail_get.so: tests/host/fail_get.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(filter-out -fPIE,$(CFLAGS)) -fPIC -shared -o $@ $<

$(B)/tests/host/test_policy: | $(B)/tests/host/fail_get.so

WIRE_PROGS := $(patsubst tests/progs/%.bpf.c,$(B)/tests/progs/%.o, \
		$(wildcard tests/progs/wire_*.bpf.c))

$(B)/tests/host/test_on_wire: $(addprefix $(B)/tests/host/,test_on_wire.o wire.o bed.o proxy.o) \
			      $(addprefix $(B)/host-loader/,sock.o text.o) | $(WIRE_PROGS)
	$(CC) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libbpf)

# Installation
INSTALLS += install-loader

install-loader: $(B)/host-loader/virtio-bpfd $(B)/host-loader/vbpf
	install -D -m 0755 -t $(DESTDIR)$(sbindir) $^
	install -D -m 0644 -t $(DESTDIR)$(mandir)/man8 host-loader/virtio-bpfd.8 host-loader/vbpf.8
	install -D -m 0644 -t $(DESTDIR)$(mandir)/man5 host-loader/virtio-bpf.conf.5
	install -D -m 0644 -t $(DESTDIR)$(datadir)/doc/virtio-bpf host-loader/virtio-bpf.conf
	install -D -m 0644 -t $(DESTDIR)$(unitdir) host-loader/virtio-bpfd.service \
		host-loader/run-vbpf.mount
	sed -i 's|/usr/sbin/|$(sbindir)/|' $(DESTDIR)$(unitdir)/virtio-bpfd.service
	install -D -m 0644 host-loader/virtio-bpf.sysusers \
		$(DESTDIR)$(prefix)/lib/sysusers.d/virtio-bpf.conf

.PHONY: install-loader
