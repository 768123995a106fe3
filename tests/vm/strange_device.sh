#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DOC: A device with our id that is not ours, or not yet known, or that lies
#
# The driver must leave the first two alone, say so, and offer no offload. From
# one that lies nothing may come but refusals.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

KVER=${KVER:-6.12}

# start_strange() - a guest with a strange device
# @1: magic, @2: version, @3...: MAC address that it serves, if any
start_strange()
{
	bed_start proxy "$BED_BUILD/tests/tools/strange_device" \
		"$BED_DIR/proxy/vhost.sock" "$@"
	{ bed_wait proxy 10 test -S "$BED_DIR/proxy/vhost.sock" &&
		bed_vm_start "$KVER"; } || bail "the bed could not be started"
}

t_on_the_bus()
{
	guest 'grep -l 0x0015 /sys/bus/virtio/devices/*/device'
}

t_not_bound()
{
	guest '! ls -d /sys/bus/virtio/drivers/virtio_bpf/virtio*'
}

t_no_offload()
{
	refused 'failed to load' 'ip link set dev eth0 xdpoffload obj /bpf/pass.o sec xdp' &&
	answers
}

t_says_magic()
{
	said 'not a virtio BPF device \(magic 0x31415926\), left alone'
}

t_says_version()
{
	said 'has version 2, this driver knows version 1 only'
}

# Each try is at least one request, and there are six kinds of lies.
t_lies_refused()
{
	local i

	for i in 1 2 3 4 5 6; do
		refused 'virtio_bpf: ' \
			'ip link set dev eth0 xdpoffload obj /bpf/pass.o sec xdp' || {
			diag "try $i"
			return 1
		}
	done
	! guest ip link show dev eth0 | grep -q xdp && answers
}

t_lies_unbind()
{
	guest 'echo "$(basename "$(readlink -f /sys/bus/virtio/drivers/virtio_bpf/virtio*)")" \
		>/sys/bus/virtio/drivers/virtio_bpf/unbind' && answers
}

t_kernel_is_well()
{
	! guest dmesg | grep -E 'BUG|WARNING|Oops|Call Trace' &&
	! guest dmesg | LC_ALL=C grep -qP '\x9b'
}

# cases() - what holds for the first two
# @1: words, @2: the case that tells what the driver said
cases()
{
	check "$1: the device is on the bus" t_on_the_bus
	check "$1: the driver says that it leaves it alone" "$2"
	check "$1: the driver is not bound" t_not_bound
	check "$1: no offload, and the network works" t_no_offload
	bed_cleanup
}

plan 11
bed_init strange_device
start_strange 0x31415926 1
cases "unknown magic" t_says_magic
bed_init strange_device
start_strange 0x66706276 2
cases "unknown version" t_says_version
bed_init strange_device
start_strange 0x66706276 1 "$BED_GUEST_MAC"
check "lies: every load is refused, and the network works" t_lies_refused
check "lies: the driver is unbound" t_lies_unbind
check "lies: the guest's kernel is well, its log is clean" t_kernel_is_well
bed_cleanup
finish
