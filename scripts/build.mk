# SPDX-License-Identifier: GPL-2.0-or-later
#
# make check: all the analysers. One that is not installed is named and passed
# over; `apt install clang-tidy cppcheck shellcheck` gets them.

SCRIPTS += scripts/bed.sh scripts/common.sh scripts/demo scripts/guest-init \
	   scripts/libvhost-user scripts/setup scripts/testbed

# $(call have,tool): ends the recipe's line well if the tool is not there
have = command -v $(1) >/dev/null || { echo "skipped: $(1) is not installed"; exit 0; };

# What a source is compiled with. Generated headers count as the system's; the
# proxy's tests see its headers.
source_flags = -std=gnu11 $(subst -I$(B),-isystem $(B),$(CPPFLAGS)) $(CFLAGS_$(firstword $(subst /, ,$(1)))) \
	$(if $(filter tests/%,$(1)),-Iqemu-proxy -isystem $(VHOST_USER)/include)

CHECK_SOURCES = $(sort $(filter-out /%,$(SOURCES)))

check: check_gcc check_clang check_tidy check_cppcheck check_module check_shell

# The compilers, in build folders of their own
check_gcc check_clang: check_%:
	@$(call have,$*) $(MAKE) --no-print-directory B=$(B)/check-$* CC=$* all test_programs

# norm.c has bpftool's skeleton in it, in which clang's analyser sees a leak.
check_tidy: $(PROGRAMS)
	@$(call have,clang-tidy) status=0; $(foreach s,$(filter-out %/norm.c,$(CHECK_SOURCES)), \
		clang-tidy --quiet $(s) -- $(call source_flags,$(s)) || status=1;) \
		exit $$status

check_cppcheck: $(PROGRAMS)
	@$(call have,cppcheck) cppcheck --quiet --std=c11 --error-exitcode=1 \
		--enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem \
		--suppress=normalCheckLevelMaxBranches \
		--library=scripts/cppcheck.cfg -D__GNUC__ \
		-D'VBPF_VERSION="$(VERSION)"' \
		-D'VBPF_SYSCONFDIR="$(sysconfdir)"' $(CHECK_SOURCES)

# sparse reads the module; Debian's headers from 7.2 on lack what starts it
check_module:
	@if [ "$$(id -u)" = 0 ]; then \
		for k in $(GUEST_KERNELS); do \
			mkdir -p $(B)/check-module/$$k && \
			scripts/testbed module $$k $(B)/check-module/$$k/virtio_bpf.ko \
				$$([ $$k = 7.2 ] || echo C=2 CF=-Wsparse-error) \
				W=1 KCFLAGS=-Werror || exit; \
		done; \
	else \
		echo "skipped: sparse and the module's build, they need root"; \
	fi

check_shell:
	@$(call have,shellcheck) shellcheck -x $(SCRIPTS)

.PHONY: check check_gcc check_clang check_tidy check_cppcheck check_module check_shell
