# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# DOC: What the scripts share: messages, Debian's mirrors, the cache
#
# Source it. The scripts fetch Debian packages only, with apt's signature
# checks, from the mirror that this machine's apt already uses. What they make
# of them is kept in ~/.cache/virtio-bpf (or below XDG_CACHE_HOME), outside the
# clone, under a name that holds a hash of everything that went in: nothing
# there is ever out of date, and all of it may be deleted at any time.

# die() - end the script with a sentence on stderr
# @*: the sentence
die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# note() - tell on stderr what takes time
# @*: the sentence
note()
{
	printf '  %s\n' "$*" >&2
}

# need_root() - end the script unless it runs as root
# @1: what for
need_root()
{
	[ "$(id -u)" = 0 ] || die "must run as root, $1"
}

# cache_dir() - print the cache's folder
cache_dir()
{
	printf '%s\n' "${XDG_CACHE_HOME:-$HOME/.cache}/virtio-bpf"
}

# hash_of() - print a short hash of arguments, for names in the cache
# @*: texts that decide what is made
hash_of()
{
	printf '%s\0' "$@" | sha256sum | cut -c 1-12
}

# cache_entry() - print the path of a folder in the cache, made if missing
# @1: its name; holds hash_of() all that decides its content
# @2...: program that makes it; gets the path of an empty folder as its last
#        argument, and its output goes to stderr. (A program, not a function:
#        bash ignores `set -e` in a function whose status is asked for.)
#
# The folder gets its name when it is complete, so a run that is killed leaves
# nothing half made. A second run waits for the first.
cache_entry()
{
	local dir lock name=$1

	shift
	dir=$(cache_dir)
	mkdir -p "$dir"
	if [ ! -d "$dir/$name" ]; then
		exec {lock}>"$dir/$name.lock"
		flock "$lock"
		if [ ! -d "$dir/$name" ]; then
			rm -rf --one-file-system "$dir/$name.part"
			mkdir "$dir/$name.part"
			if ! "$@" "$dir/$name.part" {lock}>&- >&2; then
				rm -rf --one-file-system "$dir/$name.part"
				die "could not make $dir/$name (see above)"
			fi
			mv -T "$dir/$name.part" "$dir/$name"
		fi
		exec {lock}>&-
	fi
	printf '%s\n' "$dir/$name"
}

# debian_mirror() - print where this machine's apt gets Debian from
# @1: the archive: debian or debian-security
debian_mirror()
{
	local uri

	uri=$(apt-get indextargets --format '$(REPO_URI)' |
	      sed -nE "s,^(https?://.*/$1)/?\$,\\1,p" | head -n 1)
	printf '%s\n' "${uri:-http://deb.debian.org/$1}"
}

# debian_sources() - print a sources list
# @1: deb or deb-src
# @2...: suites
debian_sources()
{
	local type=$1 suite archive
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	shift
	for suite; do
		archive=debian
		[ "$suite" = "${suite%-security}" ] || archive=debian-security
		printf '%s [signed-by=%s] %s %s main\n' "$type" "$keyring" \
			"$(debian_mirror "$archive")" "$suite"
	done
}
