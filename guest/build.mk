# SPDX-License-Identifier: GPL-2.0-or-later
#
# virtio_bpf.ko, the guest's module. It is built in a folder that holds all that
# DKMS would have: the source, and the protocol's header beside it.

KDIR ?= /lib/modules/$(shell uname -r)/build

MODULE_SOURCES := $(addprefix guest/virtio_bpf/,Kbuild Makefile compat.h \
	virtio_bpf_drv.h main.c request.c event.c netdev.c prog.c map.c)

INSTALLS += install_module

# copy_module: copies the module's source to the folder $(1)
define copy_module
install -d $(1)/include
install -p -m 644 $(MODULE_SOURCES) $(1)
install -p -m 644 include/virtio_bpf.h $(1)/include
endef

module:
	$(call copy_module,$(B)/guest/virtio_bpf)
	$(MAKE) -C $(B)/guest/virtio_bpf KDIR=$(KDIR) modules

install_module:
	$(call copy_module,$(DESTDIR)$(dkmsdir))
	sed 's/#MODULE_VERSION#/$(VERSION)/' guest/virtio_bpf/dkms.conf \
		>$(DESTDIR)$(dkmsdir)/dkms.conf

# For the test bed: the module for each of its kernels, and the guests' root
# file systems. The script has the headers and the compilers; needs root.
GUEST_KERNELS := 6.1 6.12 7.2
GUEST_MODULES := $(GUEST_KERNELS:%=$(B)/guest/%/virtio_bpf.ko)
GUEST_ROOTS   := $(GUEST_KERNELS:%=$(B)/guest/%/initramfs.cpio)

$(GUEST_MODULES): $(B)/guest/%/virtio_bpf.ko: $(MODULE_SOURCES) include/virtio_bpf.h scripts/testbed
	@mkdir -p $(@D)
	scripts/testbed module $* $@

$(GUEST_ROOTS): $(B)/guest/%/initramfs.cpio: $(B)/guest/%/virtio_bpf.ko scripts/guest-init
	scripts/testbed initramfs $* $@ $<

.PHONY: module install_module
