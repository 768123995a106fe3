#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DOC: The whole path, both daemons built with the sanitizers
#
# One kernel is enough: it is the host's side that is watched. `make SAN=1 bed`
# builds what this needs. The last case fails if a sanitizer had anything to say.
set -eu
VBPF_BUILD=build-san KVERS=${KVER:-6.12} exec "$(dirname "$0")/whole_path.sh"
