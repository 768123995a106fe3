# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the tests in this folder share: questions to the guest, to the host and
# to the packets. Source tests/lib.sh first.

# attach() - attach a test program's XDP section from inside the guest
# @1: name of the object, without .o
attach()
{
	guest ip link set dev eth0 xdpoffload obj "/bpf/$1.o" sec xdp
}

# attach_quietly() - attach() for in_time(): the proxy may be about to find the loader
# @1: name of the object, without .o
attach_quietly()
{
	attach "$1" 2>/dev/null
}

# off() - take the offloaded program off
off()
{
	guest ip link set dev eth0 xdpoffload off
}

# refused() - a guest's command must fail, and say why
# @1: words that must be in its output
# @2: the command
refused()
{
	local out

	if out=$(guest "$2" 2>&1); then
		diag "not refused: $2"
		return 1
	fi
	grep -qF -- "$1" <<<"$out" && return
	diag "refused without the words '$1': $out"
	return 1
}

# answers() - does the guest answer ping?
answers()
{
	client ping -c 2 -i 0.2 -W 2 -q "$BED_GUEST_IP" >/dev/null
}

# silent() - is ping not answered?
silent()
{
	! client ping -c 2 -i 0.2 -W 1 -q "$BED_GUEST_IP" >/dev/null
}

# rx() - packets that the guest's card has received
rx()
{
	guest cat /sys/class/net/eth0/statistics/rx_packets
}

# counter() - packets of one verdict of the attached program
# @1: pass, drop, tx, aborted, invalid, fault
counter()
{
	vbpf --json stats "$BED_PORT" |
		jq ".ports[0].progs[] | select(.attached) | .$1"
}

# send_udp() - send datagrams to the guest
# @1: port
# @2: how many
send_udp()
{
	# shellcheck disable=SC2016 # the inner shell expands
	client bash -c 'for i in $(seq "$2"); do echo x >"/dev/udp/$3/$1"; done' \
		- "$1" "$2" "$BED_GUEST_IP"
	sleep 0.5
}

# exchange() - send one frame; print it and what comes back
# @1: UDP port
# @2: payload
exchange()
{
	client "$BED_BUILD/tests/tools/exchange" "$BED_CLIENT_IF" \
		"$BED_CLIENT_MAC" "$BED_GUEST_MAC" \
		"$BED_CLIENT_IP" "$BED_GUEST_IP" "$1" "$2" 300
}

# host_holds() - the host must come to hold so much for the port
# @1: programs
# @2: maps
host_holds()
{
	# The guest's kernel frees maps from a work item.
	in_time 5 host_holds_now "$@" && return
	diag "the host holds: $(vbpf --json list)"
	return 1
}

# host_holds_now() - does the host hold just that?
# @1: programs
# @2: maps
host_holds_now()
{
	vbpf --json list | jq -e \
		".ports[0] | .prog_cnt == $1 and .map_cnt == $2" >/dev/null
}

# said() - the guest's kernel must come to log something
# @1: an extended regular expression
said()
{
	in_time 5 said_now "$1" && return
	diag "the guest's kernel did not say '$1'"
	return 1
}

# said_now() - did the guest's kernel log it?
# @1: an extended regular expression
said_now()
{
	local log

	log=$(guest dmesg)
	grep -qE -- "$1" <<<"$log"
}

# nothing_at_tap() - is no tenant's program at the host's TAP?
nothing_at_tap()
{
	! host_bpftool -j net show dev "$BED_TAP" | jq -e '.. | .name? // empty' |
		grep -qv vbpf_
}

# start_all() - loader, proxy and guest, or none of the tests makes sense
# @1: series of the guest's kernel
# @2...: more lines for the port's configuration
start_all()
{
	bed_loader_start "${@:2}" && bed_proxy_start && bed_vm_start "$1" && return
	bail "the bed could not be started"
}
