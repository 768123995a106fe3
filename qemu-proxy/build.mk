# SPDX-License-Identifier: GPL-2.0-or-later
#
# virtio-bpf-proxy, the vhost-user back end of one VM

PROXY         := $(B)/qemu-proxy/virtio-bpf-proxy
PROXY_SOURCES := $(addprefix qemu-proxy/,main.c porter.c sandbox.c filter.c \
		   vhost.c device.c request.c maps.c loader.c rate.c event.c log.c)
PROXY_OBJECTS := $(PROXY_SOURCES:%.c=$(B)/%.o)
PROXY_PACKAGES := libbpf libcap-ng libseccomp libsystemd

# QEMU's library is no Debian package: the script builds it from QEMU's source
# package and leaves a link to it here.
VHOST_USER := $(B)/libvhost-user

CFLAGS_qemu-proxy = -isystem $(VHOST_USER)/include $(call pkg,--cflags,$(PROXY_PACKAGES)) \
		      $(if $(SAN),-DVBPF_SANITIZED)

PROGRAMS += $(PROXY)
SOURCES  += $(PROXY_SOURCES)
INSTALLS += install_proxy

$(VHOST_USER):
	@mkdir -p $(@D)
	scripts/libvhost-user $@

$(PROXY_OBJECTS): | $(VHOST_USER)

$(PROXY): $(PROXY_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(VHOST_USER)/libvhost-user.a \
		$(call pkg,--libs,$(PROXY_PACKAGES)) -pthread

PROXY_TESTS := $(addprefix $(B)/tests/unit/,test_request test_proxy_loader)

TEST_GEN_PROGS += $(PROXY_TESTS)
SOURCES        += tests/unit/test_request.c tests/unit/test_proxy_loader.c

$(PROXY_TESTS:%=%.o): override CPPFLAGS += -Itests -Iqemu-proxy

$(B)/tests/unit/test_request: $(addprefix $(B)/,tests/unit/test_request.o \
		qemu-proxy/request.o qemu-proxy/event.o qemu-proxy/rate.o)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/tests/unit/test_proxy_loader: $(addprefix $(B)/,tests/unit/test_proxy_loader.o \
		qemu-proxy/request.o qemu-proxy/maps.o qemu-proxy/loader.o qemu-proxy/porter.o)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libbpf libsystemd)

# The sandbox is tried from inside, in a build that has a hook for that.
HOOKED_PROXY := $(B)/tests/host/hooked-proxy
PROXY_BEDS   := $(addprefix $(B)/tests/host/,test_sandbox test_front_end)
BED_OBJECTS  := $(addprefix $(B)/,tests/host/bed.o tests/host/proxy.o tests/host/launch.o \
		  host-loader/sock.o host-loader/text.o)

TEST_GEN_PROGS += $(PROXY_BEDS)
SOURCES        += $(addprefix tests/host/,test_sandbox.c test_front_end.c front_end.c \
		  launch.c probe.c)

$(B)/tests/host/test_sandbox.o: override CPPFLAGS += $(if $(SAN),-DVBPF_SANITIZED)

HOOKED_OBJECTS := $(addprefix $(B)/tests/host/hooked-,main.o filter.o)

$(HOOKED_OBJECTS): $(B)/tests/host/hooked-%.o: qemu-proxy/%.c | $(VHOST_USER)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -DVBPF_TEST_HOOK $(CFLAGS) $(CFLAGS_qemu-proxy) -MMD -MP -c -o $@ $<

$(HOOKED_PROXY): $(HOOKED_OBJECTS) $(B)/tests/host/probe.o \
		$(filter-out %/main.o %/filter.o,$(PROXY_OBJECTS))
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(VHOST_USER)/libvhost-user.a \
		$(call pkg,--libs,$(PROXY_PACKAGES)) -pthread

$(B)/tests/host/test_sandbox: $(B)/tests/host/test_sandbox.o $(BED_OBJECTS) \
		$(B)/qemu-proxy/filter.o | $(HOOKED_PROXY) $(PROXY)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libbpf libseccomp)

$(B)/tests/host/test_front_end: $(B)/tests/host/test_front_end.o $(B)/tests/host/front_end.o \
		$(BED_OBJECTS) | $(PROXY)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libbpf libseccomp) -pthread

# The description for the VMM does not go to $(datadir)/qemu/vhost-user: libvirt
# gives up on all back ends, virtiofsd too, where that folder describes one of a
# type that it does not know, and QEMU's schema has no type for this device.
install_proxy: $(PROXY)
	install -D -m 755 $(PROXY) $(DESTDIR)$(bindir)/virtio-bpf-proxy
	install -D -m 644 qemu-proxy/virtio-bpf-proxy.1 $(DESTDIR)$(mandir)/man1/virtio-bpf-proxy.1
	install -D -m 644 -t $(DESTDIR)$(unitdir) qemu-proxy/virtio-bpf-proxy@.service
	sed -i 's|/usr/bin/|$(bindir)/|' $(DESTDIR)$(unitdir)/virtio-bpf-proxy@.service
	install -d $(DESTDIR)$(datadir)/virtio-bpf
	sed 's,@bindir@,$(bindir),' qemu-proxy/50-virtio-bpf-proxy.json.in \
		>$(DESTDIR)$(datadir)/virtio-bpf/50-virtio-bpf-proxy.json

.PHONY: install_proxy
