# SPDX-License-Identifier: GPL-2.0-or-later
#
# virtio-bpf. Each part's build.mk adds to the lists below; what is made goes
# to build/ (build-san/ with SAN=1), and nothing else is written in the tree.

.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

VERSION := 0.1.0
B       := build$(if $(SAN),-san)

CC         = cc
AR         = ar
CLANG      ?= clang
BPFTOOL    ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKG_CONFIG ?= pkg-config

prefix      ?= /usr
bindir      ?= $(prefix)/bin
sbindir     ?= $(prefix)/sbin
libexecdir  ?= $(prefix)/libexec
mandir      ?= $(prefix)/share/man
datadir     ?= $(prefix)/share
sysconfdir  ?= /etc
unitdir     ?= /usr/lib/systemd/system
dkmsdir     ?= /usr/src/virtio-bpf-$(VERSION)

WARN     := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
comma    := ,
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined) \
	    $(if $(FUZZ),-fsanitize=fuzzer-no-link)
CFLAGS   ?= -O2 -g
HARDEN   := -fstack-protector-strong -fPIE $(if $(SAN),,-D_FORTIFY_SOURCE=2)
override CPPFLAGS += -D_GNU_SOURCE -DVBPF_VERSION='"$(VERSION)"' -Iinclude -I$(B)
override CFLAGS   += -std=gnu11 $(WARN) $(HARDEN) $(SANFLAGS)
override LDFLAGS  += -pie -Wl,-z,relro,-z,now $(SANFLAGS)

# What the parts add to
PROGRAMS  :=	# programs that `make all` builds, below $(B)
SOURCES   :=	# C sources, for the analysers
SCRIPTS   :=	# shell scripts, for the analysers
INSTALLS  :=	# targets that `make install` runs

# pkg-config's word for one part's libraries: $(call pkg,--cflags,libbpf json-c)
pkg = $(shell $(PKG_CONFIG) $(1) $(2))

include helpers-whitelist/build.mk
include host-loader/build.mk
include qemu-proxy/build.mk
include guest/build.mk
include tests/build.mk
include scripts/build.mk

all: $(PROGRAMS)

# An object's compiler flags come from its folder: CFLAGS_<folder> is set by
# the folder's build.mk.
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(CFLAGS_$(firstword $(subst /, ,$<))) -MMD -MP -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# A fresh machine: the packages first, then the build, with a new look at them.
setup:
	scripts/setup

demo: setup
	@$(MAKE) --no-print-directory bed
	VBPF_BUILD=$(B) scripts/demo

test: setup
	@$(MAKE) --no-print-directory run_tests

install: all $(INSTALLS)

clean:
	rm -rf build build-san

help:
	@sed -n 's/^#: \{0,1\}//p' $(MAKEFILE_LIST)

#: make            build the host's programs (into build/)
#: make setup      install the Debian packages that all the rest needs, as root
#: make module     build the guest's module for KDIR (default: this kernel's)
#: make demo       show the whole path with a real guest, as root
#: make test       run every test, as root
#: make test-long  200,000 random programs against their translations, as root
#: make bench-rewriter  how long the rewriter takes for parsers of 4,000 instructions
#: make fuzz       run the fuzz targets, each for FUZZ_SECONDS (60)
#: make corpus     other people's XDP programs against their translations, as root
#: make check      run the static analysers
#: make install    install below DESTDIR
#: make clean      remove what was built
#:
#: CC=clang        another compiler
#: SAN=1           with the address and undefined behaviour sanitizers
#: KVER=6.12       the guest's kernel in the demo: 6.1, 6.12 or 7.2
#: KVERS="6.1 7.2" the guests' kernels in the test of the whole path
#: CI=true         a skipped test is a failure

.PHONY: all setup demo test install clean help
