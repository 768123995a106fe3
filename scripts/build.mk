# SPDX-License-Identifier: GPL-2.0-or-later
#
# make check: all the analysers. One that is not installed is named and passed
# over; `apt install clang-tidy cppcheck shellcheck` gets them.

SCRIPTS += scripts/bed.sh scripts/common.sh scripts/demo scripts/guest-init \
	   scripts/libvhost-user scripts/setup scripts/testbed

# $(call have,tool): ends the recipe's line well if the tool is not there
have = command -v $(1) >/dev/null || { echo "skipped: $(1) is not installed"; exit 0; };

# What a source is compiled with; the proxy's tests see its headers
source_flags = -std=gnu11 $(CPPFLAGS) $(CFLAGS_$(firstword $(subst /, ,$(1)))) \
	$(if $(filter tests/%,$(1)),-Iqemu-proxy)

CHECK_SOURCES = $(sort $(filter-out /%,$(SOURCES)))

check: check_gcc check_clang check_tidy check_cppcheck check_module check_shell

# The compilers, in build folders of their own
check_gcc check_clang: check_%:
	@$(call have,$*) $(MAKE) --no-print-directory B=$(B)/check-$* CC=$* all test_programs

check_tidy: $(PROGRAMS)
	@$(call have,clang-tidy) $(foreach s,$(CHECK_SOURCES), \
		clang-tidy --quiet $(s) -- $(call source_flags,$(s)) &&) true

check_cppcheck: $(PROGRAMS)
	@$(call have,cppcheck) cppcheck --quiet --std=c11 --error-exitcode=1 \
		--enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem -D__GNUC__ $(CHECK_SOURCES)

# sparse reads the module, with the headers of the newest and the oldest kernel
check_module:
	@if [ "$$(id -u)" = 0 ]; then \
		for k in 6.1 7.2; do \
			mkdir -p $(B)/check-module/$$k && \
			scripts/testbed module $$k $(B)/check-module/$$k/virtio_bpf.ko \
				C=2 CF=-D__CHECK_ENDIAN__ KCFLAGS=-Werror || exit; \
		done; \
	else \
		echo "skipped: sparse on the module, it needs root"; \
	fi

check_shell:
	@$(call have,shellcheck) shellcheck -x $(SCRIPTS)

.PHONY: check check_gcc check_clang check_tidy check_cppcheck check_module check_shell
