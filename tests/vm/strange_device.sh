#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DOC: A device with our id that is not ours, or not yet known
#
# The driver must leave it alone, say so, and offer no offload.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

KVER=${KVER:-6.12}

# start_strange() - a guest with a strange device
# @1: magic, @2: version
start_strange()
{
	bed_start proxy "$BED_BUILD/tests/tools/strange_device" \
		"$BED_DIR/proxy/vhost.sock" "$1" "$2"
	bed_wait proxy 10 test -S "$BED_DIR/proxy/vhost.sock" &&
	bed_vm_start "$KVER" || bail "the bed could not be started"
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

# cases() - what holds for both
# @1: words, @2: the case that tells what the driver said
cases()
{
	check "$1: the device is on the bus" t_on_the_bus
	check "$1: the driver says that it leaves it alone" "$2"
	check "$1: the driver is not bound" t_not_bound
	check "$1: no offload, and the network works" t_no_offload
	bed_cleanup
}

plan 8
bed_init strange_device
start_strange 0x31415926 1
cases "unknown magic" t_says_magic
bed_init strange_device
start_strange 0x66706276 2
cases "unknown version" t_says_version
finish
