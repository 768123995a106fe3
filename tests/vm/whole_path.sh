#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DOC: The whole path in a real guest
#
# What the guest's own tools say and what becomes of the packets. The first
# part follows, as behaviour, the kernel's own test for devices that offload
# BPF; the packets and the host's side are ours. KVERS chooses the kernels.
set -u
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/vm/common.sh
. "$(dirname "$0")/common.sh"

KVERS=${KVERS:-6.1 6.12 7.2}
LIMITS=('max_insns = 200' 'max_maps = 4' 'max_progs = 3' 'helpers = packet time')

t_attach()
{
	local out

	attach verdicts || return
	out=$(guest ip -d link show dev eth0)
	grep -q 'xdpoffload' <<<"$out" || return
	out=$(guest bpftool prog show)
	grep -q 'offloaded_to eth0' <<<"$out" || return
	out=$(vbpf show "$BED_PORT")
	grep -q 'verdicts' <<<"$out" || return
	out=$(host_bpftool net show dev "$BED_TAP")
	grep -q 'verdicts' <<<"$out"
}

# ip, bpftool and the host must agree on what is attached
t_ids()
{
	local out id tag

	out=$(guest ip -d link show dev eth0)
	id=$(sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p' <<<"$out")
	tag=$(sed -n 's/.*prog\/xdp id [0-9]* .*tag \([0-9a-f]*\).*/\1/p' <<<"$out")
	[ "$id" ] && [ "$tag" ] || return
	out=$(guest bpftool prog show id "$id")
	grep -q "tag $tag" <<<"$out" || return
	vbpf --json show "$BED_PORT" | jq -e --arg tag "$tag" \
		'.ports[0].progs | length == 1 and .[0].tag == $tag' >/dev/null
}

# @1: UDP port, @2: counter: packets that must not reach the guest
gone()
{
	local before after count

	before=$(rx)
	count=$(counter "$2")
	send_udp "$1" 20
	after=$(rx)
	count=$(($(counter "$2") - count))
	[ "$before" = "$after" ] && [ "$count" -eq 20 ] && return
	diag "the guest's rx_packets: $before, then $after; $2 counted $count of 20"
	return 1
}

t_drop()
{
	gone 1000 drop
}

t_aborted()
{
	gone 1001 aborted
}

t_no_verdict()
{
	gone 1010 invalid
}

t_tx()
{
	local before after out sent want

	before=$(rx)
	out=$(exchange 1002 question)
	after=$(rx)
	# The MAC addresses change places and the payload's first byte becomes T.
	sent=$(sed -n 's/^sent //p' <<<"$out")
	want=${sent:12:12}${sent:0:12}${sent:24:60}54${sent:86}
	[ "$before" = "$after" ] && grep -qx "got $want" <<<"$out" && return
	diag "rx_packets: $before, then $after; want $want in: $out"
	return 1
}

t_pass_rewritten()
{
	guest 'socat -u UDP4-RECV:1003 OPEN:/tmp/w,creat,trunc >/dev/null 2>&1 & sleep 0.5'
	exchange 1003 question >/dev/null
	in_time 5 guest grep -qx Wuestion /tmp/w
}

t_pass_counts()
{
	local count

	count=$(counter pass)
	answers && [ "$(($(counter pass) - count))" -eq 2 ]
}

t_replace()
{
	refused 'XDP program already attached' \
		'ip link set dev eth0 xdpoffload obj /bpf/drop.o sec xdp' || return
	guest ip -force link set dev eth0 xdpoffload obj /bpf/drop.o sec xdp && silent
}

t_off()
{
	off && answers && host_holds 0 0 && nothing_at_tap
}

t_off_twice()
{
	off && off
}

t_wrong_mode()
{
	guest bpftool prog load /bpf/drop.o /sys/fs/bpf/plain type xdp &&
	refused 'not loaded for offload' \
		'ip link set dev eth0 xdpoffload pinned /sys/fs/bpf/plain' &&
	guest bpftool prog load /bpf/drop.o /sys/fs/bpf/off type xdp offload_dev eth0 &&
	refused 'program without HW_MODE flag is not supported' \
		'ip link set dev eth0 xdpdrv pinned /sys/fs/bpf/off' &&
	refused 'Invalid argument' 'ip link set dev eth0 xdpgeneric pinned /sys/fs/bpf/off' &&
	guest rm /sys/fs/bpf/plain
}

t_pinned()
{
	guest ip link set dev eth0 xdpoffload pinned /sys/fs/bpf/off && silent &&
	guest bpftool net detach xdpoffload dev eth0 && answers &&
	guest bpftool net attach xdpoffload pinned /sys/fs/bpf/off dev eth0 && silent
}

t_native_beside()
{
	local out

	guest ip link set dev eth0 xdpgeneric obj /bpf/pass.o sec xdp || return
	out=$(guest ip -d link show dev eth0)
	grep -q 'xdpmulti' <<<"$out" || return
	guest ip link set dev eth0 xdpgeneric off && silent &&
	off && answers && guest rm /sys/fs/bpf/off
}

t_tc_class()
{
	refused 'failed to load' \
		'bpftool prog load /bpf/tc.o /sys/fs/bpf/tc type classifier offload_dev eth0'
}

t_maps()
{
	local value

	attach maps &&
	guest bpftool map update name seen key 0 0 0 0 value 0 0 0 0 0 0 0 0 &&
	answers || return
	value=$(guest bpftool -j map lookup name seen key 0 0 0 0 | jq -r '.value[0]')
	[ "$value" = 0x02 ] || { diag "2 packets, but the map says $value"; return 1; }
	guest bpftool map update name verdict key 0 0 0 0 value 1 0 0 0 0 0 0 0 && silent &&
	guest bpftool map update name verdict key 0 0 0 0 value 2 0 0 0 0 0 0 0 && answers
}

t_map_rules()
{
	local zero='0 0 0 0 0 0 0 0'

	refused 'File exists' "bpftool map update name seen key 0 0 0 0 value $zero noexist" &&
	refused 'No such file' "bpftool map update name seen key 9 0 0 0 value $zero exist" &&
	guest bpftool map update name seen key 1 0 0 0 value "$zero" &&
	refused 'list too long' "bpftool map update name seen key 2 0 0 0 value $zero" &&
	[ "$(guest bpftool -j map dump name seen | jq length)" -eq 2 ] &&
	guest bpftool map getnext name verdict key 0 0 0 0 >/dev/null &&
	refused 'No such file' 'bpftool map getnext name verdict key 1 0 0 0' &&
	guest bpftool map delete name seen key 1 0 0 0 &&
	refused 'No such file' 'bpftool map delete name seen key 1 0 0 0' &&
	refused 'Invalid argument' 'bpftool map delete name verdict key 0 0 0 0' &&
	off && host_holds 0 0
}

# @1: what to create, after "type": a map that must be refused, and logged
map_refused()
{
	refused 'map create failed' \
		"bpftool map create /sys/fs/bpf/m type $1 name m offload_dev eth0" &&
	said "$2"
}

t_map_limits()
{
	map_refused 'hash key 4 value 1048576 entries 1' 'value.*1048576' &&
	map_refused 'hash key 600 value 4 entries 1' 'key.*600' &&
	map_refused 'hash key 4 value 4 entries 4294967295' 'entries.*4294967295' &&
	map_refused 'hash key 4 value 4 entries 4 flags 0x40' 'flags.*0x40' &&
	host_holds 0 0
}

t_too_many_maps()
{
	local i

	for i in 1 2 3 4; do
		guest bpftool map create "/sys/fs/bpf/m$i" type hash key 4 value 4 \
			entries 4 name "m$i" offload_dev eth0 || return
	done
	map_refused 'hash key 4 value 4 entries 4' '4 maps' &&
	guest 'rm /sys/fs/bpf/m?' && host_holds 0 0 &&
	guest 'bpftool map create /sys/fs/bpf/m1 type hash key 4 value 4 entries 4 name m1 \
		offload_dev eth0 && rm /sys/fs/bpf/m1'
}

t_too_many_progs()
{
	local i

	for i in 1 2 3; do
		guest bpftool prog load /bpf/drop.o "/sys/fs/bpf/p$i" type xdp \
			offload_dev eth0 || return
	done
	refused '3 programs' \
		'bpftool prog load /bpf/drop.o /sys/fs/bpf/p4 type xdp offload_dev eth0' &&
	guest 'rm /sys/fs/bpf/p?' && host_holds 0 0
}

# @1: object, @2: words: a program that must be refused, in words of the host
prog_refused()
{
	refused "$2" "ip link set dev eth0 xdpoffload obj /bpf/$1.o sec xdp" &&
	host_holds 0 0
}

t_helper()
{
	prog_refused forbidden 'virtio_bpf: instruction 17: helper fib_lookup (69)'
}

# The guest's own verifier has nothing against them, and the port has the profile.
t_profile()
{
	attach clock && gone 9 drop && off
}

t_redirect()
{
	prog_refused redirect 'helper redirect (23)'
}

t_too_long()
{
	prog_refused long '200'
}

t_variable_offset()
{
	attach ihl && answers && gone 9 drop && off && host_holds 0 0
}

# the port becomes relaxed by a restart of the loader, and strict again by another
t_relaxed()
{
	local out

	prog_refused deep 'bytes of stack' &&
	bed_loader_stop && bed_loader_start "${LIMITS[@]}" 'level = relaxed' &&
	in_time 10 attach_quietly deep && answers && gone 9 drop &&
	vbpf --json show "$BED_PORT" | jq -e '.ports[0].progs[0].level == "relaxed"' >/dev/null &&
	off && host_holds 0 0 || return
	out=$(guest bpftool -d prog load /bpf/deep.o /sys/fs/bpf/p type xdp offload_dev eth0 2>&1)
	guest rm /sys/fs/bpf/p && bed_loader_stop && bed_loader_start "${LIMITS[@]}" &&
	in_time 10 attach_quietly drop && off && host_holds 0 0 || return
	grep -q 'virtio_bpf: .*bytes of stack' <<<"$out" &&
	grep -q 'virtio_bpf: accepted: form lite, level relaxed' <<<"$out" && return
	diag "$out"
	return 1
}

t_log_on_success()
{
	local out

	out=$(guest bpftool -d prog load /bpf/drop.o /sys/fs/bpf/p type xdp offload_dev eth0 2>&1)
	guest rm /sys/fs/bpf/p
	grep -q 'virtio_bpf: .*strict' <<<"$out" && return
	diag "$out"
	return 1
}

t_operator_detaches()
{
	attach drop && silent &&
	vbpf detach "$BED_PORT" >/dev/null && answers && said 'operator detached' && off
}

t_down_up()
{
	attach drop &&
	guest 'ip link set dev eth0 down; ip link set dev eth0 up' && silent &&
	guest ip link set dev eth0 mtu 1400 && silent &&
	guest ip link set dev eth0 mtu 1500 && off && answers
}

t_netns()
{
	attach drop &&
	guest 'ip netns add n; ip link set dev eth0 netns n; ip -n n link set dev eth0 up' &&
	silent &&
	guest 'ip -n n -d link show dev eth0 | grep -q xdpoffload' &&
	guest "ip -n n link set dev eth0 netns 1; ip netns del n
		ip address add $BED_GUEST_IP/24 dev eth0; ip link set dev eth0 up" &&
	silent && off && answers
}

t_rmmod_in_use()
{
	attach drop && refused 'in use' 'rmmod virtio_bpf' && silent && off
}

t_rmmod_and_back()
{
	host_holds 0 0 && guest rmmod virtio_bpf &&
	refused 'failed to load' 'ip link set dev eth0 xdpoffload obj /bpf/drop.o sec xdp' &&
	answers && guest modprobe virtio_bpf && attach drop && silent && off
}

t_clean()
{
	bed_vm_stop
	host_holds 0 0 && nothing_at_tap || return
	bed_stop proxy
	bed_stop loader
	# Those of a build with SAN=1; leaks are told at the end.
	! grep -E 'Sanitizer|runtime error' "$BED_DIR"/{proxy,loader}.log &&
	bed_cleanup && bed_assert_clean
}

# case_on() - one case, named after the kernel as well
# @1: its name
# @2: the command
case_on()
{
	check "$KVER: $1" "$2"
}

# all_cases() - everything, on one kernel
all_cases()
{
	bed_init whole_path
	start_all "$KVER" "${LIMITS[@]}"

	case_on "without a program the guest answers ping" answers
	case_on "ip attaches, and ip, bpftool, vbpf and the host's bpftool show it" t_attach
	case_on "id and tag are the same for all of them" t_ids
	case_on "XDP_DROP: dropped on the host" t_drop
	case_on "XDP_ABORTED: dropped on the host" t_aborted
	case_on "a number that is no verdict: dropped on the host" t_no_verdict
	case_on "XDP_TX: sent back, exact to the byte, the guest not woken" t_tx
	case_on "XDP_PASS: the guest gets the packet as rewritten" t_pass_rewritten
	case_on "XDP_PASS: counted" t_pass_counts
	case_on "replaced with -force only" t_replace
	case_on "off: traffic is back and nothing is left on the host" t_off
	case_on "off again is harmless" t_off_twice
	case_on "a program of the wrong mode is refused, either way" t_wrong_mode
	case_on "a pinned program is attached, detached, attached again" t_pinned
	case_on "a program in the guest runs beside the offloaded one" t_native_beside
	case_on "a tc program is refused" t_tc_class
	case_on "maps: guest and program see each other's writes" t_maps
	case_on "maps: flags, bounds and errors are those of local maps" t_map_rules
	case_on "maps over a limit, or with odd flags, are refused in words" t_map_limits
	case_on "too many maps are refused, and freed ones make room" t_too_many_maps
	case_on "too many programs are refused, and freed ones make room" t_too_many_progs
	case_on "a helper off the whitelist is refused by name" t_helper
	case_on "helpers of a profile that the port has" t_profile
	case_on "XDP_REDIRECT is refused" t_redirect
	case_on "a program over the instruction limit is refused" t_too_long
	case_on "a variable packet offset: translated to work on a copy" t_variable_offset
	case_on "a program for level relaxed: there alone, and both sides are told" t_relaxed
	case_on "the log of an accepted program says how" t_log_on_success
	case_on "the operator detaches, and the guest is told" t_operator_detaches
	case_on "down, up and a new MTU leave the program attached" t_down_up
	case_on "so does a move to another network namespace" t_netns
	case_on "the module cannot go while a program is loaded" t_rmmod_in_use
	case_on "the module goes and comes back" t_rmmod_and_back
	case_on "the VM's end releases everything, and the bed leaves nothing" t_clean
}

read -ra kernels <<<"$KVERS"
plan $((34 * ${#kernels[@]}))
for KVER in "${kernels[@]}"; do
	all_cases
done
finish
