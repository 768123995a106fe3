#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DOC: tests/fuzz/fuzz.sh [TARGET...] - run the fuzz targets, all or some
#
# Each target first replays its seeds, then looks for new ones for FUZZ_SECONDS
# (6 if that is not set, which is what `make test` has time for). What is found
# is kept in build/fuzz/found, as is an input that ends a target; that one ends
# the run of its target and makes it fail.
set -eu
# shellcheck source=tests/lib.sh
. tests/lib.sh

seconds=${FUZZ_SECONDS:-6}
programs=$VBPF_BUILD/fuzz/tests/fuzz
found=$VBPF_BUILD/fuzz/found
executions=0
targets=("$@")
[ $# != 0 ] || targets=(conf request rewriter to_loader to_proxy)

# fuzz() - run one target; executions is set to how much it did
# @1: the target
# @2...: what libFuzzer is to do
fuzz()
{
	local log=$found/$1.log status=0

	"$programs/fuzz_$1" -artifact_prefix="$found/$1-" -print_final_stats=1 -verbosity=1 \
		-timeout=25 -rss_limit_mb=2048 "${@:2}" >"$log" 2>&1 || status=$?
	executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	[ "$status" = 0 ] || tail -n 40 "$log" | sed 's/^/# /'
	return "$status"
}

# replay() - run a target on its seeds
# @1: the target
replay()
{
	fuzz "$1" -runs=0 "tests/fuzz/seeds/$1"
}

# search() - let a target look for inputs
# @1: the target
search()
{
	mkdir -p "$found/$1"
	fuzz "$1" -max_total_time="$seconds" -max_len=8192 "$found/$1" "tests/fuzz/seeds/$1"
}

mkdir -p "$found"
plan $((2 * ${#targets[@]}))
for target in "${targets[@]}"; do
	check "$target: the seeds" replay "$target"
	check "$target: $seconds seconds" search "$target"
	diag "$target: $executions executions"
done
finish
