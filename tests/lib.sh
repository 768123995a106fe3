# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DOC: KTAP from a shell test
#
# Source it; it brings scripts/bed.sh along. A test says how many cases it has,
# names each with the command that decides it, and ends:
#
#   plan 2
#   check "ping is answered" client ping -c 1 "$BED_GUEST_IP"
#   check "the program loads" t_load
#   finish

# shellcheck source=scripts/bed.sh
. "${BASH_SOURCE[0]%/*}/../scripts/bed.sh"

KTAP_PLAN=0
KTAP_CNT=0
KTAP_FAILED=0

# plan() - print KTAP's header
# @1: number of cases
plan()
{
	KTAP_PLAN=$1
	printf 'TAP version 13\n1..%d\n' "$1"
}

# diag() - print a diagnostic line
# @*: text
diag()
{
	printf '# %s\n' "${*//$'\n'/$'\n'# }"
}

# check() - run one case, in this shell
# @1: its name
# @2...: command that returns 0 if it holds
#
# What the command prints is shown, with the ends of all logs, if it fails.
check()
{
	local out name=$1

	shift
	out=$(mktemp)
	KTAP_CNT=$((KTAP_CNT + 1))
	if "$@" >"$out" 2>&1 </dev/null; then
		printf 'ok %d %s\n' "$KTAP_CNT" "$name"
	else
		KTAP_FAILED=$((KTAP_FAILED + 1))
		printf 'not ok %d %s\n' "$KTAP_CNT" "$name"
		sed 's/^# //; s/^/# /' "$out"
		bed_logs 15 2>/dev/null | sed 's/^/# /'
	fi
	rm -f "$out"
}

# skip() - pass over one case
# @1: its name
# @2: the reason
skip()
{
	KTAP_CNT=$((KTAP_CNT + 1))
	printf 'ok %d %s # SKIP %s\n' "$KTAP_CNT" "$1" "$2"
}

# bail() - end the test: what all cases need is not there
# @*: a sentence
bail()
{
	[ ! -d "${BED_DIR-}" ] || bed_logs | sed 's/^/# /'
	printf 'Bail out! %s\n' "$*"
	exit 1
}

# finish() - end the test
finish()
{
	if [ "$KTAP_CNT" != "$KTAP_PLAN" ]; then
		diag "$KTAP_CNT cases ran, $KTAP_PLAN were planned"
		exit 1
	fi
	[ "$KTAP_FAILED" = 0 ]
	exit
}
