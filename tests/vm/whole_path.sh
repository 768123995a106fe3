#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The whole path in a real guest: what the guest's own tools say and what the
# packets do. The list follows the kernel's own test of offloading devices
# (tools/testing/selftests, "bpf offload"), as behaviour, and adds what happens
# to packets. KVER chooses the guest's kernel.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

KVER=${KVER:-6.12}

# rx - packets that the guest's card has received
rx() {
	guest 'cat /sys/class/net/eth0/statistics/rx_packets'
}

# counter NAME - a counter of the attached program, as the host keeps it
counter() {
	vbpf --json stats "$BED_PORT" | jq ".ports[0].progs[] | select(.attached) | .$1"
}

# send_udp PORT COUNT - datagrams from the client to the guest
send_udp() {
	client bash -c "for i in \$(seq $2); do echo x >/dev/udp/$BED_GUEST_IP/$1; done"
	sleep 0.5
}

# exchange PORT TEXT - send one frame, print what was sent and what came back
exchange() {
	client "$BED_BUILD/tests/tools/exchange" "$BED_CLIENT_IF" "$BED_CLIENT_MAC" "$BED_GUEST_MAC" \
		"$BED_CLIENT_IP" "$BED_GUEST_IP" "$1" "$2" 300
}

# attach OBJECT - attach an object's XDP program
attach() {
	guest "ip link set dev eth0 xdpoffload obj /bpf/$1.o sec xdp"
}

# off - take the offloaded program off
off() {
	guest 'ip link set dev eth0 xdpoffload off'
}

# refused WORDS COMMAND - the guest's command must fail and say WORDS
refused() {
	local out

	if out=$(guest "$2" 2>&1); then
		diag "not refused: $2"
		return 1
	fi
	if ! grep -qF -- "$1" <<<"$out"; then
		diag "refused without saying '$1': $out"
		return 1
	fi
}

# host_holds PROGS MAPS - the host must come to hold so many for this port
host_holds() {
	local tries=20

	# the guest's kernel frees maps from a work item
	until vbpf --json list | jq -e ".ports[0] | .prog_cnt == $1 and .map_cnt == $2" >/dev/null; do
		[ $((tries -= 1)) -gt 0 ] || { diag "the host holds: $(vbpf --json list)"; return 1; }
		sleep 0.1
	done
}

# answers - does the guest answer ping?
answers() {
	answers
}

t_ping_without() {
	answers
}

t_attach_shows() {
	attach verdicts || return 1
	guest 'ip -d link show dev eth0' | grep -q 'xdpoffload' || return 1
	guest 'bpftool prog show' | grep -q 'offloaded_to eth0' || return 1
	vbpf show "$BED_PORT" | grep -q verdicts || return 1
}

t_ids_agree() {
	local ip_out id tag

	ip_out=$(guest 'ip -d link show dev eth0')
	id=$(sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p' <<<"$ip_out")
	tag=$(sed -n 's/.*prog\/xdp id [0-9]* .*tag \([0-9a-f]*\).*/\1/p' <<<"$ip_out")
	[ -n "$id" ] && [ -n "$tag" ] || return 1
	guest "bpftool prog show id $id" | grep -q "tag $tag" || return 1
	vbpf --json show "$BED_PORT" |
		jq -e --arg tag "$tag" '.ports[0].progs | length == 1 and .[0].tag == $tag' >/dev/null
}

t_drop() {
	local before after n

	before=$(rx)
	n=$(counter drop)
	send_udp 1000 20
	after=$(rx)
	[ "$before" = "$after" ] || { diag "rx moved from $before to $after"; return 1; }
	[ "$(($(counter drop) - n))" -eq 20 ]
}

t_aborted() {
	local before after n

	before=$(rx)
	n=$(counter aborted)
	send_udp 1001 5
	after=$(rx)
	[ "$before" = "$after" ] && [ "$(($(counter aborted) - n))" -eq 5 ]
}

t_unknown_verdict() {
	local before after n

	before=$(rx)
	n=$(counter invalid)
	send_udp 1010 5
	after=$(rx)
	[ "$before" = "$after" ] && [ "$(($(counter invalid) - n))" -eq 5 ]
}

t_tx() {
	local before after out sent want

	before=$(rx)
	out=$(exchange 1002 question)
	after=$(rx)
	[ "$before" = "$after" ] || { diag "rx moved from $before to $after"; return 1; }
	# the MAC addresses change places and the first letter becomes T (54)
	sent=$(sed -n 's/^sent //p' <<<"$out")
	want=${sent:12:12}${sent:0:12}${sent:24:60}54${sent:86}
	grep -qx "got $want" <<<"$out" || { diag "want $want, saw $out"; return 1; }
}

t_pass_rewritten() {
	guest 'rm -f /tmp/w; socat -u UDP4-RECV:1003 OPEN:/tmp/w,creat >/dev/null 2>&1 & echo $! >/tmp/w.pid; sleep 0.3'
	exchange 1003 question >/dev/null
	sleep 0.3
	guest 'kill $(cat /tmp/w.pid)'
	[ "$(guest 'cat /tmp/w')" = Wuestion ]
}

t_pass_counts() {
	local n

	n=$(counter pass)
	answers || return 1
	[ "$(($(counter pass) - n))" -ge 3 ]
}

t_replace_needs_force() {
	refused 'XDP' 'ip link set dev eth0 xdpoffload obj /bpf/drop.o sec xdp' || return 1
	guest 'ip -force link set dev eth0 xdpoffload obj /bpf/drop.o sec xdp' || return 1
	! answers
}

t_off_restores() {
	off || return 1
	answers || return 1
	host_holds 0 0
}

t_off_again() {
	off && off
}

t_wrong_mode() {
	guest 'bpftool prog load /bpf/pass.o /sys/fs/bpf/native type xdp 2>&1' >/dev/null || true
	guest 'bpftool prog load /bpf/drop.o /sys/fs/bpf/plain type xdp' || return 1
	refused '' 'ip link set dev eth0 xdpoffload pinned /sys/fs/bpf/plain' || return 1
	guest 'bpftool prog load /bpf/drop.o /sys/fs/bpf/off type xdp offload_dev eth0' || return 1
	refused '' 'ip link set dev eth0 xdpdrv pinned /sys/fs/bpf/off' || return 1
	refused '' 'ip link set dev eth0 xdpgeneric pinned /sys/fs/bpf/off' || return 1
}

t_pinned() {
	guest 'ip link set dev eth0 xdpoffload pinned /sys/fs/bpf/off' || return 1
	! answers || return 1
	guest 'bpftool net detach xdpoffload dev eth0' || return 1
	answers || return 1
	guest 'bpftool net attach xdpoffload pinned /sys/fs/bpf/off dev eth0' || return 1
	! answers || return 1
}

t_coexist() {
	guest 'ip link set dev eth0 xdpdrv obj /bpf/pass.o sec xdp' || return 1
	guest 'ip -d link show dev eth0' | grep -q 'xdpmulti\|xdpoffload' || return 1
	guest 'ip link set dev eth0 xdpdrv off' || return 1
	off && guest 'rm /sys/fs/bpf/off /sys/fs/bpf/plain; rm -f /sys/fs/bpf/native'
}

t_tc_class() {
	refused '' 'bpftool prog load /bpf/pass.o /sys/fs/bpf/tc type classifier offload_dev eth0'
}

t_maps() {
	attach maps || return 1
	guest 'bpftool map update name seen key 0 0 0 0 value 0 0 0 0 0 0 0 0' || return 1
	answers || return 1
	[ "$(guest 'bpftool -j map lookup name seen key 0 0 0 0' | jq -r '.formatted.value // (.value[0] | ltrimstr("0x") | tonumber)')" -ge 3 ] || return 1
	guest 'bpftool map update name verdict key 0 0 0 0 value 1 0 0 0 0 0 0 0' || return 1
	! answers || return 1
	guest 'bpftool map update name verdict key 0 0 0 0 value 2 0 0 0 0 0 0 0' || return 1
	answers
}

t_map_rules() {
	refused 'File exists' 'bpftool map update name seen key 0 0 0 0 value 0 0 0 0 0 0 0 0 noexist' || return 1
	refused 'No such file' 'bpftool map update name seen key 9 0 0 0 value 0 0 0 0 0 0 0 0 exist' || return 1
	guest 'bpftool map update name seen key 1 0 0 0 value 0 0 0 0 0 0 0 0' || return 1
	refused 'too long' 'bpftool map update name seen key 2 0 0 0 value 0 0 0 0 0 0 0 0' || return 1
	[ "$(guest 'bpftool -j map dump name seen' | jq length)" -eq 2 ] || return 1
	guest 'bpftool map getnext name verdict key 0 0 0 0' >/dev/null || return 1
	refused 'No such file' 'bpftool map getnext name verdict key 1 0 0 0' || return 1
	guest 'bpftool map delete name seen key 1 0 0 0' || return 1
	refused 'No such file' 'bpftool map delete name seen key 1 0 0 0' || return 1
	refused 'Invalid argument' 'bpftool map delete name verdict key 0 0 0 0' || return 1
	off
}

t_map_limits() {
	# the port's limits: see bed_loader_start below
	refused '' 'bpftool map create /sys/fs/bpf/m type hash key 4 value 1048576 entries 1 name m offload_dev eth0' || return 1
	refused '' 'bpftool map create /sys/fs/bpf/m type hash key 4 value 4 entries 4294967295 name m offload_dev eth0' || return 1
	refused '' 'bpftool map create /sys/fs/bpf/m type hash key 4 value 4 entries 4 name m flags 0x80 offload_dev eth0' || return 1
	guest 'dmesg | grep -c "virtio_bpf.*map"' >/dev/null
}

t_too_many_maps() {
	local i

	for i in 1 2 3 4; do
		guest "bpftool map create /sys/fs/bpf/m$i type hash key 4 value 4 entries 4 name m$i offload_dev eth0" || return 1
	done
	refused '' 'bpftool map create /sys/fs/bpf/m5 type hash key 4 value 4 entries 4 name m5 offload_dev eth0' || return 1
	guest 'rm /sys/fs/bpf/m?; sleep 0.5' || return 1
	guest "bpftool map create /sys/fs/bpf/m1 type hash key 4 value 4 entries 4 name m1 offload_dev eth0 && rm /sys/fs/bpf/m1"
}

t_too_many_progs() {
	local i

	for i in 1 2 3; do
		guest "bpftool prog load /bpf/drop.o /sys/fs/bpf/p$i type xdp offload_dev eth0" || return 1
	done
	refused 'virtio-bpf' 'bpftool -d prog load /bpf/drop.o /sys/fs/bpf/p4 type xdp offload_dev eth0' || return 1
	guest 'rm /sys/fs/bpf/p?'
}

t_refused_helper() {
	refused 'fib_lookup' 'ip link set dev eth0 xdpoffload obj /bpf/forbidden.o sec xdp' || return 1
	t_ping_without
}

t_refused_redirect() {
	refused 'redirect' 'ip link set dev eth0 xdpoffload obj /bpf/redirect.o sec xdp'
}

t_refused_long() {
	refused 'instructions' 'ip link set dev eth0 xdpoffload obj /bpf/long.o sec xdp'
}

t_operator_sees() {
	attach demo || return 1
	vbpf list | grep -q vm0 || return 1
	host_bpftool net | grep -q "$BED_TAP" || return 1
}

t_operator_detaches() {
	vbpf detach vm0 || return 1
	sleep 0.5
	guest 'dmesg' | grep -q 'virtio_bpf.*detached' || return 1
	off
}

t_down_up() {
	attach drop || return 1
	guest 'ip link set dev eth0 down; ip link set dev eth0 up' || return 1
	guest 'ip -d link show dev eth0' | grep -q 'xdpoffload' || return 1
	! answers || return 1
	off
}

t_rmmod_in_use() {
	attach drop || return 1
	refused '' 'rmmod virtio_bpf' || return 1
	off
}

t_rmmod_and_again() {
	guest 'sleep 0.5; rmmod virtio_bpf' || return 1
	refused '' 'ip link set dev eth0 xdpoffload obj /bpf/drop.o sec xdp' || return 1
	guest "insmod $BED_GUEST_MODULE" || return 1
	attach drop && off
}

bed_init whole_path
bed_loader_start 'max_insns = 1024' 'max_maps = 4' 'max_progs = 3' || bail "the loader did not start"
bed_proxy_start || bail "the proxy did not start"
bed_vm_start "$KVER" || bail "the guest did not start"
