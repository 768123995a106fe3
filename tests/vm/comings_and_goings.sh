#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DOC: What happens when a part stops, goes or comes back
#
# The guest's network card must work on whatever happens; an attached program
# must go on or be gone, and who should know must be told. KVER chooses the
# guest's kernel.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

KVER=${KVER:-6.12}

t_no_loader()
{
	refused "the host's loader is not running" \
		'ip link set dev eth0 xdpoffload obj /bpf/drop.o sec xdp' && answers
}

t_loader_comes()
{
	bed_loader_start && in_time 5 attach_quietly drop && silent
}

t_loader_stops()
{
	off && attach maps && bed_loader_stop &&
	guest bpftool map update name verdict key 0 0 0 0 value 1 0 0 0 0 0 0 0 &&
	silent &&
	guest bpftool map update name verdict key 0 0 0 0 value 2 0 0 0 0 0 0 0 &&
	answers
}

t_loader_is_back()
{
	guest bpftool map update name seen key 0 0 0 0 value 7 0 0 0 0 0 0 0 &&
	bed_loader_start && in_time 5 off && host_holds 0 0 && answers
}

t_paused()
{
	attach drop && bed_monitor stop && sleep 1 && bed_monitor cont &&
	silent && host_holds 1 0
}

t_unbind()
{
	guest 'basename $(readlink -f /sys/bus/virtio/drivers/virtio_bpf/virtio*) >/tmp/dev
		cat /tmp/dev >/sys/bus/virtio/drivers/virtio_bpf/unbind' &&
	host_holds 0 0 && answers && off
}

t_bind()
{
	guest 'cat /tmp/dev >/sys/bus/virtio/drivers/virtio_bpf/bind' &&
	in_time 5 attach_quietly drop && silent && off && answers
}

# A driver that leaves while nobody can release what it had is told so; who
# comes back does it.
t_unbind_no_loader()
{
	attach drop && bed_loader_stop &&
	guest 'cat /tmp/dev >/sys/bus/virtio/drivers/virtio_bpf/unbind' &&
	said 'the host may still hold programs and maps' &&
	bed_loader_start && host_holds 0 0 && answers && off &&
	guest 'cat /tmp/dev >/sys/bus/virtio/drivers/virtio_bpf/bind' &&
	in_time 5 attach_quietly drop && silent && off && answers
}

t_unplug()
{
	attach maps && bed_monitor device_del bpf0 && host_holds 0 0 &&
	answers && off &&
	refused 'failed to load' 'ip link set dev eth0 xdpoffload obj /bpf/drop.o sec xdp'
}

t_plug()
{
	bed_monitor device_add "$BED_DEVICE" &&
	in_time 5 attach_quietly drop && silent && off && answers
}

t_nic_unplug()
{
	attach drop && bed_monitor device_del nic0 && host_holds 0 0 &&
	! guest ip link show dev eth0 >/dev/null 2>&1
}

t_nic_plug()
{
	bed_monitor device_add "$BED_NIC" &&
	in_time 5 guest "ip address add $BED_GUEST_IP/24 dev eth0 2>/dev/null" &&
	guest ip link set dev eth0 up && in_time 5 answers &&
	attach drop && silent && off && answers
}

t_proxy_dies()
{
	attach drop && kill -KILL "$BED_PROXY_PID" && bed_proxy_stop &&
	in_time 15 silent_is_over && answers && nothing_at_tap && host_holds 0 0
}

# the loader lingers, then takes the program off
silent_is_over()
{
	! silent
}

# A device that is known not to answer is not waited for when the driver leaves.
t_no_proxy()
{
	local start

	refused 'the host did not answer in time' 'ip link set dev eth0 xdpoffload off' &&
	refused 'failed to load' 'ip link set dev eth0 xdpoffload obj /bpf/pass.o sec xdp' &&
	answers && start=$SECONDS &&
	guest 'echo 60000 >/sys/module/virtio_bpf/parameters/timeout_ms
		cat /tmp/dev >/sys/bus/virtio/drivers/virtio_bpf/unbind' &&
	[ $((SECONDS - start)) -lt 20 ] && off && answers
}

t_clean()
{
	bed_vm_stop
	host_holds 0 0 && nothing_at_tap && bed_cleanup && bed_assert_clean
}

plan 15
bed_init comings_and_goings
start_all "$KVER"
bed_loader_stop

check "no loader: a load is refused in words, the network works" t_no_loader
check "the loader comes: the guest is served" t_loader_comes
check "the loader stops: program and maps go on" t_loader_stops
check "the loader is back: it knows all it had" t_loader_is_back
check "the VM is paused and goes on: the program stays" t_paused
check "the driver is unbound: the host holds nothing" t_unbind
check "the driver is bound: the guest is served" t_bind
check "the driver is unbound without a loader: the loader releases later" t_unbind_no_loader
check "the device is unplugged: the host holds nothing, the network works" t_unplug
check "the device is plugged in: the guest is served" t_plug
check "the network card is unplugged: the host holds nothing" t_nic_unplug
check "the network card is plugged in: it is served" t_nic_plug
check "the proxy dies: the program is taken off, the network works" t_proxy_dies
check "no proxy: a load is refused, the network works" t_no_proxy
check "the VM's end leaves nothing" t_clean
finish
