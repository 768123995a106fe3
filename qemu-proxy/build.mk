# SPDX-License-Identifier: GPL-2.0-or-later
#
# virtio-bpf-proxy, the vhost-user back end of one VM

PROXY         := $(B)/qemu-proxy/virtio-bpf-proxy
PROXY_SOURCES := $(addprefix qemu-proxy/,main.c vhost.c device.c request.c maps.c loader.c event.c log.c)
PROXY_OBJECTS := $(PROXY_SOURCES:%.c=$(B)/%.o)
PROXY_PACKAGES := libbpf libcap-ng libsystemd

# QEMU's library is no Debian package: the script builds it from QEMU's source
# package and leaves a link to it here.
VHOST_USER := $(B)/libvhost-user

CFLAGS_qemu-proxy = -isystem $(VHOST_USER)/include $(call pkg,--cflags,$(PROXY_PACKAGES))

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

TEST_REQUEST         := $(B)/tests/unit/test_request
TEST_REQUEST_OBJECTS := $(addprefix $(B)/,tests/unit/test_request.o qemu-proxy/request.o \
	qemu-proxy/maps.o qemu-proxy/loader.o qemu-proxy/event.o)

TEST_GEN_PROGS += $(TEST_REQUEST)
SOURCES        += tests/unit/test_request.c

$(B)/tests/unit/test_request.o: override CPPFLAGS += -Itests -Iqemu-proxy

$(TEST_REQUEST): $(TEST_REQUEST_OBJECTS)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(call pkg,--libs,libbpf libsystemd)

install_proxy: $(PROXY)
	install -D -m 755 $(PROXY) $(DESTDIR)$(bindir)/virtio-bpf-proxy
	install -D -m 644 qemu-proxy/virtio-bpf-proxy.1 $(DESTDIR)$(mandir)/man1/virtio-bpf-proxy.1
	install -d $(DESTDIR)$(datadir)/qemu/vhost-user
	sed 's,@bindir@,$(bindir),' qemu-proxy/50-virtio-bpf-proxy.json.in \
		>$(DESTDIR)$(datadir)/qemu/vhost-user/50-virtio-bpf-proxy.json

.PHONY: install_proxy
