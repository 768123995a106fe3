# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DOC: A bed: one guest, its host's network and a client, for demo and tests
#
# Source it, call bed_init, then start what is wanted:
#
#   namespace vbpf-c-PID		namespace vbpf-h-PID
#   client, 10.77.0.1  eth0 ------ uplink -- br0 -- vm0 ------ eth0, 10.77.0.2
#					     loader, proxy	 guest (QEMU)
#
# The loader, the proxy and QEMU run as they would on a host, the proxy without
# privileges. All that a bed makes (namespaces, processes, a bpffs, a folder for
# sockets and logs) is its own and goes when the script ends, so several beds
# may run at once.
#
# Nothing moves the packet counters but what the caller sends: IPv6 is off, the
# bridge snoops nothing, and the client and the guest know each other's MAC
# address without asking.
#
# The functions return 0 or not, and say on stderr what went wrong. They keep
# the processes' ids in variables: do not start or stop things in a subshell.
# guest, client and host may be called anywhere.

BED_TOP=$(readlink -f "${BASH_SOURCE[0]%/*}/..")
# shellcheck source=scripts/common.sh
. "$BED_TOP/scripts/common.sh"

# For the callers; VBPF_BUILD is make's build folder
BED_BUILD=$(readlink -f "$BED_TOP/${VBPF_BUILD:-build}" || true)
BED_PORT=vm0
BED_TAP=vm0
BED_GUEST_IP=10.77.0.2
BED_GUEST_MAC=52:54:00:00:00:02
# shellcheck disable=SC2034 # for the callers
BED_CLIENT_IF=eth0
BED_CLIENT_IP=10.77.0.1
BED_CLIENT_MAC=52:54:00:00:00:01
BED_PROXY_ID=65534	# user and group of the proxy
BED_GUEST_TIMEOUT=${BED_GUEST_TIMEOUT:-30}	# seconds, for one guest command
BED_AUTOLOAD=1		# 0: bed_vm_start leaves our module unloaded
BED_ROOT=initramfs	# host-initramfs: the guest is to be a host itself
BED_MEMORY=256		# MB that the guest has

# QEMU's words for the guest's two devices, for -device and device_add
BED_NIC="virtio-net-pci,id=nic0,bus=port0,netdev=tap,mac=$BED_GUEST_MAC,romfile="
BED_DEVICE="vhost-user-test-device-pci,id=bpf0,bus=port1,virtio-id=21,num_vqs=2,\
vq_size=64,config_size=64,chardev=vhost"

# bed_init() - make the bed: folder, namespaces, bridge, TAP, bpffs
# @1: a name for the folder
#
# Sets traps on EXIT, INT, TERM and PIPE; a script that sets its own calls
# bed_cleanup in them. Ends the script if the bed cannot be made.
bed_init()
{
	need_root "for network namespaces and BPF programs"
	[ -c /dev/net/tun ] || die "no /dev/net/tun: load the module tun"
	BED_HOST=vbpf-h-$$
	BED_CLIENT=vbpf-c-$$
	BED_PIDS=()
	# shellcheck disable=SC2034 # bed_stop() goes by their names
	BED_LOADER_PID='' BED_PROXY_PID='' BED_VM_PID=''
	BED_DIR=$(mktemp -d "/tmp/virtio-bpf-$1.XXXXXX")
	trap bed_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	trap 'exit 141' PIPE
	bed_make || die "could not make the test bed"
}

# bed_make() - the work of bed_init()
bed_make()
{
	# The proxy, which is nobody, makes its socket in a folder of its own.
	chmod 755 "$BED_DIR" &&
	mkdir "$BED_DIR/bpffs" "$BED_DIR/files" &&
	install -d -m 700 -o "$BED_PROXY_ID" -g "$BED_PROXY_ID" "$BED_DIR/proxy" &&
	mount -t bpf -o mode=700 bpffs "$BED_DIR/bpffs" &&
	bed_namespace "$BED_HOST" &&
	bed_namespace "$BED_CLIENT" &&
	ip -n "$BED_HOST" link add br0 type bridge mcast_snooping 0 &&
	ip -n "$BED_HOST" tuntap add dev "$BED_TAP" mode tap vnet_hdr &&
	ip -n "$BED_HOST" link add uplink type veth \
		peer name "$BED_CLIENT_IF" netns "$BED_CLIENT" &&
	ip -n "$BED_HOST" link set dev "$BED_TAP" master br0 up &&
	ip -n "$BED_HOST" link set dev uplink master br0 up &&
	ip -n "$BED_HOST" link set dev br0 up &&
	ip -n "$BED_CLIENT" link set dev "$BED_CLIENT_IF" \
		address "$BED_CLIENT_MAC" up &&
	ip -n "$BED_CLIENT" address add "$BED_CLIENT_IP/24" dev "$BED_CLIENT_IF" &&
	ip -n "$BED_CLIENT" neighbour add "$BED_GUEST_IP" \
		lladdr "$BED_GUEST_MAC" dev "$BED_CLIENT_IF" nud permanent
}

# bed_namespace() - add a quiet network namespace
# @1: its name
bed_namespace()
{
	ip netns add "$1" &&
	bed_in "$1" sh -c 'cd /proc/sys/net/ipv6/conf 2>/dev/null || exit 0
		echo 1 >default/disable_ipv6
		echo 1 >all/disable_ipv6' &&
	ip -n "$1" link set dev lo up
}

# bed_in() - become or run a command in a network namespace
# @1: the namespace
# @2...: the command
#
# Not `ip netns exec`: that gives the command a mount namespace of its own.
bed_in()
{
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

# client() - run a command in the client's namespace
# @*: the command
client()
{
	bed_in "$BED_CLIENT" "$@"
}

# host() - run a command in the host's namespace
# @*: the command
host()
{
	bed_in "$BED_HOST" "$@"
}

# vbpf() - run the operator's command against this bed's loader
# @*: its arguments
vbpf()
{
	"$BED_BUILD/host-loader/vbpf" --control "$BED_DIR/control.sock" "$@"
}

# in_time() - a command must come to succeed
# @1: within how many seconds
# @2...: the command
in_time()
{
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || return
		sleep 0.1
	done
}

# host_bpftool() - run bpftool in the host's namespace
# @*: its arguments
#
# The tree's: Debian 12's own does not know tcx.
host_bpftool()
{
	host "$BED_TOP/scripts/testbed" bpftool "$@"
}

# bed_start() - start a process in the host's namespace
# @1: its name: of the variable BED_<NAME>_PID, and of its log
# @2...: the command
bed_start()
{
	local name=$1 pid

	shift
	# No shell may stay in between: the pid must be the command's.
	nsenter --net="/run/netns/$BED_HOST" -- "$@" \
		</dev/null >>"$BED_DIR/$name.log" 2>&1 &
	pid=$!
	BED_PIDS+=("$pid")
	printf -v "BED_${name^^}_PID" %s "$pid"
}

# bed_wait() - wait until something holds, while a process lives
# @1: the process's name, as for bed_start()
# @2: seconds
# @3...: the command that tells
bed_wait()
{
	local name=$1 pid=BED_${1^^}_PID tries=$(($2 * 20))

	shift 2
	while ! "$@" 2>/dev/null; do
		if ! kill -0 "${!pid}" 2>/dev/null; then
			note "the $name ended:"
		elif [ $((tries -= 1)) -le 0 ]; then
			note "the $name is not ready:"
		else
			sleep 0.05
			continue
		fi
		bed_logs 20 >&2
		bed_stop "$name"
		return 1
	done
}

# bed_stop() - end a process: TERM, and after 10 seconds KILL
# @1: its name, as for bed_start()
bed_stop()
{
	local name=BED_${1^^}_PID pid tries=200

	pid=${!name}
	[ "$pid" ] || return 0
	kill "$pid" 2>/dev/null || true
	while kill -0 "$pid" 2>/dev/null && [ $((tries -= 1)) -gt 0 ]; do
		sleep 0.05
	done
	if [ "$tries" -le 0 ]; then
		note "the $1 did not end when asked to, it was killed"
		kill -KILL "$pid" 2>/dev/null || true
	fi
	wait "$pid" 2>/dev/null || true
	printf -v "$name" ''
}

# bed_loader_start() - start the loader, with the one port
# @*: more lines for the port's section of its configuration
bed_loader_start()
{
	{
		printf '%s\n' "[loader]" "socket = $BED_DIR/loader.sock" \
			"control = $BED_DIR/control.sock" \
			"bpffs = $BED_DIR/bpffs/virtio-bpf" \
			"[port $BED_PORT]" "tap = $BED_TAP" \
			"mac = $BED_GUEST_MAC" "uid = $BED_PROXY_ID"
		[ $# = 0 ] || printf '%s\n' "$@"
	} >"$BED_DIR/virtio-bpf.conf"
	bed_start loader "$BED_BUILD/host-loader/virtio-bpfd" \
		--config "$BED_DIR/virtio-bpf.conf"
	bed_wait loader 10 test -S "$BED_DIR/loader.sock"
}

# bed_loader_stop() - end the loader; what it attached stays
bed_loader_stop()
{
	bed_stop loader
}

# bed_proxy_start() - start the guest's proxy, as nobody
#
# A copy of it: nobody may not be able to come by the clone's folder.
bed_proxy_start()
{
	cp "$BED_BUILD/qemu-proxy/virtio-bpf-proxy" "$BED_DIR/" || return
	bed_start proxy setpriv --reuid="$BED_PROXY_ID" \
		--regid="$BED_PROXY_ID" --clear-groups \
		"$BED_DIR/virtio-bpf-proxy" \
		--socket-path="$BED_DIR/proxy/vhost.sock" --port="$BED_PORT" \
		--loader="$BED_DIR/loader.sock"
	bed_wait proxy 10 test -S "$BED_DIR/proxy/vhost.sock"
}

# bed_proxy_stop() - end the proxy
bed_proxy_stop()
{
	bed_stop proxy
}

# bed_vm_start() - boot the guest and wait for its agent
# @1: series of its kernel: 6.1, 6.12 or 7.2
# @2...: more arguments for QEMU
#
# The guest has the BPF device if the proxy runs. It finds the compiled test
# programs in /bpf, and in /root what lies in BED_DIR/files. The devices may be
# unplugged and plugged: bed_monitor device_del bpf0 (or nic0), device_add
# "$BED_DEVICE" (or "$BED_NIC").
bed_vm_start()
{
	local series=$1 initramfs accel kernel
	local device=()

	shift
	initramfs=$BED_BUILD/guest/$series/$BED_ROOT.cpio
	if [ ! -e "$initramfs" ]; then
		note "no $initramfs: make ${VBPF_BUILD:-build}/guest/$series/$BED_ROOT.cpio"
		return 1
	fi
	kernel=$("$BED_TOP/scripts/testbed" kernel "$series") &&
	accel=$("$BED_TOP/scripts/testbed" accel) &&
	bed_initramfs "$initramfs" || return
	# shellcheck disable=SC2034 # for the callers
	BED_GUEST_MODULE=/lib/modules/virtio_bpf.ko
	rm -f "$BED_DIR"/agent.{in,out}
	mkfifo "$BED_DIR"/agent.{in,out}
	if [ "$BED_PROXY_PID" ]; then
		device=(-chardev "socket,id=vhost,path=$BED_DIR/proxy/vhost.sock"
			-device "$BED_DEVICE")
	fi
	[ "$accel" = tcg ] || device+=(-cpu host)
	BED_AGENT_SAID=''
	bed_start vm "$BED_TOP/scripts/testbed" qemu \
		-M q35 -accel "$accel" -m "$BED_MEMORY" -nodefaults -display none -no-reboot \
		-object memory-backend-memfd,id=mem,size=${BED_MEMORY}M,share=on \
		-numa node,memdev=mem \
		-monitor "unix:$BED_DIR/monitor.sock,server=on,wait=off" \
		-serial "file:$BED_DIR/console.log" \
		-chardev "pipe,id=agent,path=$BED_DIR/agent" -serial chardev:agent \
		-device pcie-root-port,id=port0,chassis=1 \
		-device pcie-root-port,id=port1,chassis=2 \
		-netdev "tap,id=tap,ifname=$BED_TAP,script=no,downscript=no" \
		-device "$BED_NIC" \
		-kernel "$kernel" -initrd "$BED_DIR/initramfs.cpio" \
		-append "console=ttyS0 loglevel=4 panic=-1 net.ifnames=0 rdinit=/init \
vbpf.addr=$BED_GUEST_IP/24 vbpf.peer=$BED_CLIENT_IP,$BED_CLIENT_MAC \
vbpf.autoload=$BED_AUTOLOAD" \
		"${device[@]}" "$@"
	bed_wait vm 60 bed_agent_ready
}

# bed_initramfs() - put the guest's files together, as BED_DIR/initramfs.cpio
# @1: the archive without this bed's files
bed_initramfs()
{
	mkdir -p "$BED_DIR/overlay/bpf" "$BED_DIR/overlay/root" &&
	find "$BED_BUILD/tests/progs" -name '*.o' \
		-exec cp {} "$BED_DIR/overlay/bpf" \; 2>/dev/null
	cp -r "$BED_DIR/files/." "$BED_DIR/overlay/root" &&
	{ cat "$1" && "$BED_TOP/scripts/testbed" cpio "$BED_DIR/overlay"; } \
		>"$BED_DIR/initramfs.cpio"
}

# bed_agent_ready() - tell if the guest's agent has said that it is there
bed_agent_ready()
{
	local part fd

	exec {fd}<>"$BED_DIR/agent.out"
	read -r -t 0.05 -u "$fd" part || true
	exec {fd}>&-
	BED_AGENT_SAID+=$part	# a byte or more at a time
	[ "$BED_AGENT_SAID" = ready ]
}

# bed_vm_stop() - end the guest at once
bed_vm_stop()
{
	bed_stop vm
}

# bed_monitor() - give QEMU's monitor a command and print what it says
# @*: the command
bed_monitor()
{
	printf '%s\n' "$*" |
		socat -t 2 - "UNIX-CONNECT:$BED_DIR/monitor.sock" |
		tr -d '\r' | sed -e 1d -e '/^(qemu) /d'
}

# guest() - run a shell command in the guest and print its output
# @*: the command; words are joined by spaces, as ssh does
#
# One at a time, whoever calls. A command may leave processes behind, whose
# output must go elsewhere.
#
# Return: its exit status; 137 if it had to be killed after BED_GUEST_TIMEOUT
# seconds; 255 if the guest does not answer.
guest()
{
	local tag=vbpf-$RANDOM$RANDOM$RANDOM line='' part='' text='' begun=''
	local in out lock status='' LC_ALL=C
	local end=$((SECONDS + BED_GUEST_TIMEOUT + 5))

	bed_guest_runs || return 255
	exec {lock}>"$BED_DIR/agent.lock" {in}<>"$BED_DIR/agent.in" \
		{out}<>"$BED_DIR/agent.out"
	flock "$lock"
	printf '%s %d %s\n' "$tag" "$BED_GUEST_TIMEOUT" \
		"$(base64 -w 0 <<<"$*")" >&"$in"
	while [ "$SECONDS" -lt "$end" ]; do
		if ! read -r -t 1 -u "$out" line; then
			part+=$line	# what a slow guest wrote so far
			bed_guest_runs || break
			continue
		fi
		line=$part$line part=''
		case $line in
		"$tag begin")	begun=1 ;;
		"$tag end "*)	status=${line##* }; break ;;
		*)		[ -z "$begun" ] || text+=$line$'\n' ;;
		esac
	done
	exec {lock}>&- {in}>&- {out}>&-
	# The agent's own line feed comes last.
	text=${text%$'\n'}
	[ -z "$text" ] || printf '%s\n' "${text%$'\n'}"
	[ "$status" ] || note "the guest does not answer: $*"
	return "${status:-255}"
}

# bed_guest_runs() - tell if QEMU runs, and complain if not
bed_guest_runs()
{
	[ "$BED_VM_PID" ] && kill -0 "$BED_VM_PID" 2>/dev/null && return
	note "the guest does not run"
	return 1
}

# bed_logs() - print the ends of all logs
# @1: lines of each, 40 if not given
bed_logs()
{
	local log

	for log in "$BED_DIR"/*.log; do
		[ -s "$log" ] || continue
		printf -- '-- %s:\n' "$(basename "$log" .log)"
		tail -n "${1:-40}" "$log" | tr -d '\r'
	done
}

# bed_cleanup() - end and remove all that the bed made
#
# Runs at the script's end by itself. May be called again.
bed_cleanup()
{
	local name pid

	[ "${BED_DIR-}" ] && [ -d "$BED_DIR" ] || return 0
	for name in vm proxy loader; do
		bed_stop "$name"
	done
	for name in "$BED_CLIENT" "$BED_HOST"; do
		[ -e "/run/netns/$name" ] || continue
		# What the caller left running in there
		for pid in $(ip netns pids "$name"); do
			kill -KILL "$pid" 2>/dev/null || true
		done
		ip netns delete "$name" || true
	done
	if mountpoint -q "$BED_DIR/bpffs"; then
		umount "$BED_DIR/bpffs" || true
	fi
	rm -rf --one-file-system "$BED_DIR"
}

# bed_assert_clean() - after bed_cleanup: tell what is left, and fail if any is
bed_assert_clean()
{
	local name pid left=0

	for name in "$BED_CLIENT" "$BED_HOST"; do
		[ ! -e "/run/netns/$name" ] || { echo "left: namespace $name"; left=1; }
	done
	for pid in "${BED_PIDS[@]}"; do
		! kill -0 "$pid" 2>/dev/null ||
			{ echo "left: $(ps -o pid=,args= -p "$pid")"; left=1; }
	done
	! grep -F "$BED_DIR" /proc/self/mounts || { echo "left: a mount"; left=1; }
	[ ! -e "$BED_DIR" ] || { echo "left: $BED_DIR"; left=1; }
	return "$left"
}
