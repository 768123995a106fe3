// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The configuration file: what is taken, and what is said of the rest
 */
#include <string.h>

#include "../../helpers-whitelist/whitelist.h"
#include "../../host-loader/conf.h"
#include "../ktap.h"

#define VM0 "[port vm0]\ntap = tap0\nmac = 52:54:00:00:00:01\nuid = 1000\n"
#define VM1 "[port vm1]\ntap = tap1\nmac = 52:54:00:00:00:02\nuid = 1001\n"

/**
 * read_string() - read a configuration from a string
 * @string: the configuration
 * @conf: filled; the caller frees it
 * @why: what is wrong; the caller frees it
 *
 * Return: what conf_read_file() returned
 */
static int read_string(const char *string, struct conf *conf, struct text *why)
{
	FILE *file = fmemopen((void *)string, strlen(string), "r");
	int err;

	*why = (struct text){ 0 };
	err = conf_read_file(file, "x.conf", conf, why);
	fclose(file);
	return err;
}

/**
 * refused() - is a configuration refused with these words?
 * @string: the configuration
 * @words: that the refusal must contain
 *
 * Return: whether it is
 */
static bool refused(const char *string, const char *words)
{
	struct conf conf;
	struct text why;
	bool ok = read_string(string, &conf, &why) && why.buf && strstr(why.buf, words);

	if (!ok)
		printf("# expected \"%s\", got \"%s\"\n", words, why.buf ? why.buf : "");
	text_free(&why);
	conf_free(&conf);
	return ok;
}

/**
 * test_good() - a complete file
 *
 * Return: whether it is taken as it stands
 */
static bool test_good(void)
{
	static const char file[] =
		"; a comment\n"
		"[loader]\nsocket = /run/a\ncontrol = /run/b\nbpffs = /run/c\nlinger = 7\n"
		VM0 "max_insns = 100\nmax_map_bytes = 2M\nheader_bytes = 0\n"
		"[defaults]\nmax_progs = 3\nmax_insns = 200\n" VM1;
	struct conf conf;
	struct text why;

	CHECK_EQ(read_string(file, &conf, &why), 0);
	CHECK(!strcmp(conf.socket, "/run/a") && !strcmp(conf.control, "/run/b"));
	CHECK(!strcmp(conf.bpffs, "/run/c"));
	CHECK_EQ(conf.linger, 7);
	CHECK_EQ(conf.port_cnt, 2);
	CHECK(!strcmp(conf.ports[0].name, "vm0") && !strcmp(conf.ports[0].tap, "tap0"));
	CHECK_EQ(conf.ports[0].mac[5], 1);
	CHECK_EQ(conf.ports[0].uid, 1000);
	CHECK_EQ(conf.ports[0].header_bytes, 0);
	CHECK_EQ(conf.ports[1].header_bytes, 128);
	CHECK_EQ(conf.ports[0].limits.max_insns, 100);
	CHECK_EQ(conf.ports[0].limits.max_map_bytes, 2 << 20);
	CHECK_EQ(conf.ports[0].limits.max_progs, 3);
	CHECK_EQ(conf.ports[1].limits.max_insns, 200);
	CHECK_EQ(conf.ports[1].limits.max_maps, 32);
	conf_free(&conf);
	text_free(&why);
	return true;
}

/**
 * test_default_uid() - a user and a group for all ports, by name
 *
 * Return: whether a port takes it
 */
static bool test_default_uid(void)
{
	struct conf conf;
	struct text why;

	CHECK_EQ(read_string("[port a.b-c_1]\ntap=t\nmac=02:00:00:00:00:01\n"
			     "[defaults]\nuid = root\n", &conf, &why), 0);
	CHECK_EQ(conf.ports[0].uid, 0);
	CHECK(conf.ports[0].gid == CONF_GID_ANY);
	conf_free(&conf);
	CHECK_EQ(read_string("[port a]\ntap=t\nmac=02:00:00:00:00:01\nuid=1\nlevel=strict\n"
			     "[defaults]\ngid = root\nhelpers = packet\nload_rate=7\n",
			     &conf, &why), 0);
	CHECK_EQ(conf.ports[0].gid, 0);
	CHECK_EQ(conf.ports[0].level, VIRTIO_BPF_LEVEL_STRICT);
	CHECK(!conf_relaxed(&conf));
	CHECK_EQ(conf.ports[0].helpers, WL_PROFILE_PACKET);
	CHECK_EQ(conf.ports[0].limits.load_rate, 7);
	conf_free(&conf);
	CHECK_EQ(read_string(VM0 "level = strict\n" VM1 "[defaults]\nlevel = relaxed\n", &conf,
			     &why), 0);
	CHECK_EQ(conf.ports[0].level, VIRTIO_BPF_LEVEL_STRICT);
	CHECK_EQ(conf.ports[1].level, VIRTIO_BPF_LEVEL_RELAXED);
	CHECK(conf_relaxed(&conf) == &conf.ports[1]);
	conf_free(&conf);
	text_free(&why);
	return true;
}

/**
 * test_helpers() - profiles of helpers, several at a time
 *
 * Return: whether a port has what it or [defaults] names
 */
static bool test_helpers(void)
{
	struct conf conf;
	struct text why;

	CHECK_EQ(read_string(VM0 "helpers = packet time\n" VM1 "helpers = cpu \t time cpu\n"
			     "[port c]\ntap = t\nmac = 02:00:00:00:00:03\nuid = 1\n"
			     "[defaults]\nhelpers = cpu\n", &conf, &why), 0);
	CHECK_EQ(conf.ports[0].helpers, WL_PROFILE_TIME);
	CHECK_EQ(conf.ports[1].helpers, WL_PROFILE_TIME | WL_PROFILE_CPU);
	CHECK_EQ(conf.ports[2].helpers, WL_PROFILE_CPU);
	conf_free(&conf);
	CHECK(refused("[port a]\nhelpers = time all\n",
		      "x.conf:2: helpers takes some of packet, time, cpu, not \"all\""));
	CHECK(refused("[port a]\nhelpers = tim\n", "not \"tim\""));
	CHECK(refused("[port a]\nhelpers = time,cpu\n", "not \"time,cpu\""));
	CHECK(refused("[port a]\nhelpers =\n", "not \"\""));
	CHECK(refused("[port a]\nhelpers = time\nhelpers = cpu\n", "helpers is given twice"));
	return true;
}

/**
 * test_structure() - sections, keys and lines that do not belong there
 *
 * Return: whether each is refused with its line
 */
static bool test_structure(void)
{
	char line[512] = "[loader]\nsocket = /";

	CHECK(refused("[loader]\ncolour = red\n", "x.conf:2: [loader] has no key \"colour\""));
	CHECK(refused("[prot vm0]\ntap = t\n", "x.conf:2: expected a section"));
	CHECK(refused("tap = t\n", "x.conf:1: expected a section"));
	CHECK(refused("[loader]\nnonsense\n", "x.conf:2: expected [section], key = value"));
	CHECK(refused("[loader\n", "x.conf:1: expected [section]"));
	CHECK(refused("[loader]\nlinger = 1\nlinger = 2\n", "x.conf:3: linger is given twice"));
	CHECK(refused("[defaults]\ntap = t\n", "belong to one [port NAME]"));
	CHECK(refused("[loader]\nsocket = /a\ncontrol = /a\n", "must not be the same"));
	CHECK(refused("[port vm0]\n" VM1, "x.conf:1: [port vm0] has no keys"));
	CHECK(refused(VM1 "[port vm0]\n; tap = t\n", "x.conf:5: [port vm0] has no keys"));
	CHECK(refused("[prot vm0]\n", "x.conf:1: expected a section [loader]"));
	memset(line + strlen(line), 'x', 400);
	CHECK(refused(line, "x.conf:2: "));
	return true;
}

/**
 * test_values() - values that are none
 *
 * Return: whether each is refused with its line
 */
static bool test_values(void)
{
	CHECK(refused("[loader]\nsocket = run/a\n", "x.conf:2: socket takes an absolute path"));
	CHECK(refused("[loader]\nlinger = -1\n", "x.conf:2: linger takes a number from 0"));
	CHECK(refused("[loader]\nlinger = 5s\n", "linger takes a number"));
	CHECK(refused("[loader]\nlinger = 99999999999999999999\n", "linger takes a number"));
	CHECK(refused("[defaults]\nmax_insns = 0\n", "max_insns takes a number from 1 to 16384"));
	CHECK(refused("[defaults]\nheader_bytes = 1025\n", "header_bytes takes"));
	CHECK(refused("[defaults]\nmax_insns = 16385\n", "max_insns takes"));
	CHECK(refused("[defaults]\nmax_map_bytes = 1T\n", "max_map_bytes takes bytes"));
	CHECK(refused("[defaults]\nmax_map_bytes = 1KK\n", "max_map_bytes takes bytes"));
	CHECK(refused("[defaults]\nmax_map_bytes = 18446744073709551615G\n",
		      "max_map_bytes takes bytes"));
	CHECK(refused("[port a]\ntap = sixteencharacter\n", "tap takes an interface's name"));
	CHECK(refused("[port a]\ntap = a/b\n", "tap takes an interface's name"));
	CHECK(refused("[port a]\nuid = no-such-user-here\n", "uid takes a user's number"));
	CHECK(refused("[port a]\nuid = 4294967295\n", "uid takes a user's number"));
	CHECK(refused("[port a]\ngid = no-such-group\n", "x.conf:2: gid takes a group's number"));
	CHECK(refused("[port a]\nlevel = lax\n",
		      "x.conf:2: level takes strict or relaxed, not \"lax\""));
	CHECK(refused("[port a]\nmax_verified = 1000001\n", "max_verified takes a number from 1"));
	CHECK(refused("[port a]\nrequest_rate = 0\n", "request_rate takes a number from 1"));
	CHECK(refused("[port a]\nload_rate = 1001\n", "load_rate takes a number from 1 to 1000"));
	CHECK(refused("[port a]\nmac = 52:54:00:00:00\n", "mac takes a unicast address"));
	CHECK(refused("[port a]\nmac = 52:54:00:00:00:0g\n", "mac takes a unicast address"));
	CHECK(refused("[port a]\nmac = 01:00:00:00:00:01\n", "mac takes a unicast address"));
	CHECK(refused("[port a]\nmac = 00:00:00:00:00:00\n", "mac takes a unicast address"));
	return true;
}

/**
 * test_all() - every problem of a file is told at once
 *
 * Return: whether each is there with its line
 */
static bool test_all(void)
{
	static const char file[] = "[loader]\nnonsense\nlinger = x\nmore nonsense\n"
				   "[ports vm0]\n[port vm1]\n[port vm2]\ntap = a/b\n[defaults\n";

	CHECK(refused(file, "x.conf:2: expected [section], key = value"));
	CHECK(refused(file, "x.conf:3: linger takes"));
	CHECK(refused(file, "x.conf:4: expected [section], key = value"));
	CHECK(refused(file, "x.conf:5: expected a section [loader]"));
	CHECK(refused(file, "x.conf:6: [port vm1] has no keys"));
	CHECK(refused(file, "x.conf:8: tap takes an interface's name"));
	CHECK(refused(file, "x.conf:9: expected [section], with its second bracket"));
	CHECK(refused(file, "x.conf:8: port vm2 lacks its tap, mac or uid"));
	return true;
}

/**
 * test_ports() - port sections that do not fit
 *
 * Return: whether each is refused with its line
 */
static bool test_ports(void)
{
	CHECK(refused("[port ..]\ntap = t\n", "x.conf:2: a port's name has"));
	CHECK(refused("[port a/b]\ntap = t\n", "a port's name has"));
	CHECK(refused("[port ]\ntap = t\n", "a port's name has"));
	CHECK(refused("[port abcdefghijklmnopqrstuvwxyz012345]\ntap = t\n", "a port's name has"));
	CHECK(refused("[port a]\ntap = t\n", "x.conf:2: port a lacks its tap, mac or uid"));
	CHECK(refused(VM0 VM1 VM0, "x.conf:10: port vm0 was described in line 2 already"));
	CHECK(refused(VM0 "[port b]\ntap = tap0\nmac = 52:54:00:00:00:03\nuid = 1\n",
		      "x.conf:6: port b has the TAP of port vm0"));
	CHECK(refused(VM0 "[port b]\ntap = tap1\nmac = 52:54:00:00:00:01\nuid = 1\n",
		      "x.conf:6: port b has the MAC of port vm0"));
	return true;
}

/**
 * main() - run the cases
 *
 * Return: the exit status
 */
int main(void)
{
	static const struct ktap_case cases[] = {
		{ "a complete file", test_good },
		{ "a default uid by name", test_default_uid },
		{ "profiles of helpers", test_helpers },
		{ "sections, keys and lines that do not belong", test_structure },
		{ "values that are none", test_values },
		{ "every problem at once", test_all },
		{ "ports that do not fit", test_ports },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(*cases));
}
