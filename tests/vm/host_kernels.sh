#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DOC: The host's side on stock kernels
#
# Whatever kernel this machine has, what hosts have is Debian's. So a guest is
# made a host: it runs the daemon and the tests of it and of the rewriter, on each
# of KVERS. Each is a case here, with the names of its own cases behind it.
#
# QEMU's CPU has Spectre's flaws as every other, and the kernel's defaults are
# in force, so the verifier is as strict as on hardware: the first case sees to
# that.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

KVERS=${KVERS:-6.12}
# shellcheck disable=SC2034 # the bed's
BED_ROOT=host-initramfs BED_MEMORY=512 BED_AUTOLOAD=0 BED_GUEST_TIMEOUT=60

# has_tcx() - is a kernel series new enough for the daemon?
# @1: the series
has_tcx()
{
	printf '%s\n' 6.6 "$1" | sort -V -C
}

# t_strict() - does the verifier see to mispredicted branches?
t_strict()
{
	guest '! grep -w mitigations=off /proc/cmdline &&
		grep Mitigation /sys/devices/system/cpu/vulnerabilities/spectre_v1'
}

# t_says_kernel() - the daemon ends, and says what it lacks
t_says_kernel()
{
	guest 'printf "[loader]\nbpffs = /sys/fs/bpf/vbpf\n" >/tmp/conf
		! /build/host-loader/virtio-bpfd --config /tmp/conf 2>/tmp/out &&
		cat /tmp/out && grep -q "Linux 6.6 or newer" /tmp/out'
}

# t_passes() - run a test in the guest, and show what it prints
# @*: the command, below /build/tests
t_passes()
{
	local out status=0

	out=$(guest "/build/tests/$*") || status=$?
	printf '%s\n' "$out" >"$BED_DIR/ktap"
	[ "$status" = 0 ] && ! grep -q '# SKIP' <<<"$out" && return
	printf '%s\n' "$out"
	return 1
}

# run() - one case, its test's own cases behind it
# @1: kernel's series
# @2...: as for t_passes()
run()
{
	rm -f "$BED_DIR/ktap"
	check "$1: ${*:2}" t_passes "${@:2}"
	[ ! -e "$BED_DIR/ktap" ] || sed -n 's/^ok /# ok /p' "$BED_DIR/ktap"
}

TESTS=(host/test_twins host/test_corners
	"diff/test_generated --count 25 --packets 8"
	host/test_loader host/test_packets)

cases=0
for kver in $KVERS; do
	if has_tcx "$kver"; then
		cases=$((cases + 1 + ${#TESTS[@]}))
	else
		cases=$((cases + 1))
	fi
done
plan "$cases"
for kver in $KVERS; do
	bed_init host_kernels
	bed_vm_start "$kver" || bail "no guest with kernel $kver"
	if has_tcx "$kver"; then
		check "$kver: the verifier is strict" t_strict
		guest modprobe -a tun veth bridge ||
			bail "kernel $kver: no modules tun, veth, bridge"
		for t in "${TESTS[@]}"; do
			# shellcheck disable=SC2086 # a command
			run "$kver" $t
		done
	else
		check "$kver: the daemon says that the kernel is too old" t_says_kernel
	fi
	bed_cleanup
done
finish
