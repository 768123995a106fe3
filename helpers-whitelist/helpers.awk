# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes the initialisers of whitelist.c's table from helpers.tsv. Anything that
# is not as the file's header says is an error, with its line number.

function fail(what)
{
	printf "%s:%d: %s\n", FILENAME, FNR, what > "/dev/stderr"
	failed = 1
	exit 1
}

# One word of the args column, as enum wl_arg
function arg(word)
{
	if (!(word in args))
		fail("no argument kind is called " word)
	return args[word]
}

# "ctx,scalar" as the initialiser of an array
function arglist(words,    n, i, w, out)
{
	if (words == "-")
		return "{ 0 }"
	n = split(words, w, ",")
	if (n > 5)
		fail("more than 5 arguments")
	for (i = 1; i <= n; i++)
		out = out (i > 1 ? ", " : "{ ") arg(w[i])
	return out " }"
}

# The skb column as initialisers; a counterpart must be listed further up
function skb(word, id,    part)
{
	if (word == "len")
		return ".skb = WL_SKB_LEN"
	if (word == "sfi")
		return ".skb = WL_SKB_SFI"
	if (word == "zero")
		return ".skb = WL_SKB_ZERO"
	if (word == "same")
		return ".skb = WL_SKB_CALL, .skb_id = " id
	split(word, part, ",")
	if (!(part[1] in ids))
		fail("the counterpart " part[1] " is not listed above")
	word = ".skb = WL_SKB_CALL, .skb_id = " ids[part[1]]
	if (part[2] == "")
		return word
	if (part[2] !~ /^r[1-5]=0$/)
		fail("a counterpart is followed by ,rN=0 or nothing")
	return word ", .skb_zero = " substr(part[2], 2, 1)
}

BEGIN {
	FS = "\t"
	args["ctx"] = "WL_CTX"
	args["map"] = "WL_MAP"
	args["key"] = "WL_KEY"
	args["value"] = "WL_VALUE"
	args["mem"] = "WL_MEM"
	args["mem?"] = "WL_MEM_NULL"
	args["out"] = "WL_OUT"
	args["size"] = "WL_SIZE"
	args["scalar"] = "WL_SCALAR"
	args["out4"] = "WL_OUT4"
	args["any"] = "WL_ANY"
	rets["scalar"] = "WL_RET_SCALAR"
	rets["value?"] = "WL_RET_VALUE"
	rets["other?"] = "WL_RET_OTHER"
	profiles["packet"] = "WL_PROFILE_PACKET"
	profiles["time"] = "WL_PROFILE_TIME"
	profiles["cpu"] = "WL_PROFILE_CPU"
	print "/* Made from helpers.tsv by helpers.awk */"
}

/^#/ || /^$/ { next }

$1 == "reason" {
	if (NF != 3)
		fail("a reason has 3 columns")
	if ($2 in reasons)
		fail("reason " $2 " is there twice")
	if ($3 ~ /["\\]/)
		fail("a reason with a quote or a backslash")
	reasons[$2] = $3
	next
}

$1 != "allow" && $1 != "refuse" { fail("a row is allow, refuse or reason") }

{
	if ($2 !~ /^[a-z0-9_]+$/ || $3 !~ /^[1-9][0-9]*$/)
		fail("a name and an id are wanted")
	if ($2 in ids)
		fail("helper " $2 " is there twice")
	if ($3 in names)
		fail("id " $3 " is there twice")
	ids[$2] = $3
	names[$3] = $2
}

# How a helper is done, as initialisers
function way(word, id, words, ret)
{
	if (!(ret in rets))
		fail("no return kind is called " ret)
	return ".args = " arglist(words) ", .ret = " rets[ret] ", " skb(word, id)
}

$1 == "refuse" {
	if (NF != 4 && NF != 7)
		fail("a refused helper has 4 or 7 columns")
	if (!($4 in reasons))
		fail("no reason above is called " $4)
	printf "[%d] = { .name = \"%s\", .reason = \"%s\"%s },\n", $3, $2, reasons[$4],
	       NF == 7 ? ", " way($5, $3, $6, $7) : ""
}

$1 == "allow" {
	if (NF != 8)
		fail("an allowed helper has 8 columns")
	if (!($4 in profiles))
		fail("no profile is called " $4)
	printf "[%d] = { .name = \"%s\", .profile = %s, %s },\n", $3, $2, profiles[$4],
	       way($5, $3, $6, $7)
}

END { if (failed) exit 1 }
