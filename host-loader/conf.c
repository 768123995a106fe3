// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The configuration file
 *
 * inih cuts the file into sections, keys and values; two tables say which keys
 * there are and what each takes. Everything that is wrong is collected, each
 * with its line, so that an operator mends the file once. [defaults] may stand
 * anywhere: a port takes what it does not say itself from there at the end.
 *
 * What inih keeps to itself is looked for where it reads its lines: it reports
 * the first line that it cannot make sense of, and is silent of a section
 * without keys.
 *
 * virtio-bpf.conf(5) is the prose to it.
 */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <ini.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "../helpers-whitelist/whitelist.h"
#include "conf.h"
#include "control.h"

/* The kernel's own limit (BPF_COMPLEXITY_LIMIT_INSNS) */
#define CONF_MAX_VERIFIED	1000000

/* What a value looks like */
enum conf_kind {
	CONF_FILE,	/* an absolute path that fits a socket's address */
	CONF_TAP,	/* a network interface's name */
	CONF_MAC,	/* an Ethernet address */
	CONF_UID,	/* a user, by number or name */
	CONF_GID,	/* a group, by number or name */
	CONF_CHOICE,	/* one of a few words */
	CONF_HELPERS,	/* profiles of the whitelist */
	CONF_U32,	/* a number */
	CONF_BYTES,	/* a number that may end in K, M or G */
};

/**
 * struct conf_choice - a word that a key takes
 * @word: the word, or NULL behind the last
 * @value: what it stands for
 */
struct conf_choice {
	const char *word;
	uint32_t value;
};

static const struct conf_choice conf_levels[] = {
	{ "strict", VIRTIO_BPF_LEVEL_STRICT },
	{ "relaxed", VIRTIO_BPF_LEVEL_RELAXED },
	{ 0 },
};

/**
 * struct conf_key - a key that a section may have
 * @name: of the key
 * @kind: of its value
 * @offset: of its field in the section's structure
 * @min: the lowest number
 * @max: the highest number
 * @choices: the words
 */
struct conf_key {
	const char *name;
	enum conf_kind kind;
	size_t offset;
	uint64_t min;
	uint64_t max;
	const struct conf_choice *choices;
};

#define KEY(section, field, key, what, ...) \
	{ .name = (key), .kind = (what), .offset = offsetof(struct section, field), __VA_ARGS__ }
#define RANGE(low, high) .min = (low), .max = (high)
#define LIMIT(key, what, low, high) \
	KEY(conf_port, limits.key, #key, what, RANGE(low, high))

static const struct conf_key conf_loader_keys[] = {
	KEY(conf, socket, "socket", CONF_FILE),
	KEY(conf, control, "control", CONF_FILE),
	KEY(conf, bpffs, "bpffs", CONF_FILE),
	KEY(conf, linger, "linger", CONF_U32, RANGE(0, 3600)),
	{ 0 },
};

static const struct conf_key conf_port_keys[] = {
	KEY(conf_port, tap, "tap", CONF_TAP),
	KEY(conf_port, mac, "mac", CONF_MAC),
	KEY(conf_port, uid, "uid", CONF_UID),
	KEY(conf_port, gid, "gid", CONF_GID),
	KEY(conf_port, level, "level", CONF_CHOICE, .choices = conf_levels),
	KEY(conf_port, helpers, "helpers", CONF_HELPERS),
	KEY(conf_port, header_bytes, "header_bytes", CONF_U32, RANGE(0, 1024)),
	LIMIT(max_insns, CONF_U32, 1, VIRTIO_BPF_MAX_INSNS),
	LIMIT(max_verified, CONF_U32, 1, CONF_MAX_VERIFIED),
	LIMIT(max_progs, CONF_U32, 1, CONF_MAX_PROGS),
	LIMIT(max_maps, CONF_U32, 0, CONF_MAX_MAPS),
	LIMIT(max_entries, CONF_U32, 1, 1u << 24),
	LIMIT(max_key_size, CONF_U32, 1, VIRTIO_BPF_MAX_KEY_SIZE),
	LIMIT(max_value_size, CONF_U32, 1, VIRTIO_BPF_MAX_VALUE_SIZE),
	LIMIT(max_map_bytes, CONF_BYTES, 0, 1ull << 40),
	LIMIT(request_rate, CONF_U32, 1, 1000000),
	LIMIT(request_burst, CONF_U32, 1, 1000000),
	LIMIT(load_rate, CONF_U32, 1, 1000),
	LIMIT(load_burst, CONF_U32, 1, 60000),
	LIMIT(max_load_time, CONF_U32, 1, 60),
	{ 0 },
};

/* Bits in conf_port.given, by the order of conf_port_keys */
#define CONF_GIVEN_TAP	(1u << 0)
#define CONF_GIVEN_MAC	(1u << 1)
#define CONF_GIVEN_UID	(1u << 2)

/**
 * struct conf_parse - a file that is being read
 * @conf: what it becomes
 * @defaults: the [defaults] section
 * @port: the [port] section that was met last, as an index in @conf->ports
 * @loader_given: bit n set: key n of [loader] was given
 * @file: the file
 * @path: its name, for messages
 * @line: number of the line that was read last
 * @section: line of the last section's name, or 0
 * @keys: whether that section has had a key
 * @name: the section's name
 * @why: collects what is wrong
 * @bad: something is
 */
struct conf_parse {
	struct conf *conf;
	struct conf_port defaults;
	size_t port;
	uint32_t loader_given;
	FILE *file;
	const char *path;
	unsigned int line;
	unsigned int section;
	bool keys;
	char name[64];
	struct text *why;
	bool bad;
};

/**
 * conf_bad() - note something that is wrong with the file
 * @p: the file
 * @line: where
 * @fmt: what was expected, as for printf(), without a newline
 */
static void __attribute__((format(printf, 3, 4)))
conf_bad(struct conf_parse *p, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	p->bad = true;
	text_add(p->why, "%s:%u: ", p->path, line);
	va_start(ap, fmt);
	text_vadd(p->why, fmt, ap);
	va_end(ap);
	text_add(p->why, "\n");
}

/**
 * conf_number() - a decimal number within bounds
 * @value: the word
 * @key: whose bounds count; for CONF_BYTES one of K, M, G may follow
 * @out: set to the number
 *
 * Return: whether it is one
 */
static bool conf_number(const char *value, const struct conf_key *key, uint64_t *out)
{
	unsigned long long n;
	unsigned int shift = 0;
	char *end;

	if (!isdigit((unsigned char)*value))
		return false;
	errno = 0;
	n = strtoull(value, &end, 10);
	if (errno)
		return false;
	if (key->kind == CONF_BYTES && *end) {
		shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;
		if (!shift)
			return false;
		end++;
	}
	if (*end || n > UINT64_MAX >> shift)
		return false;
	*out = n << shift;
	return *out >= key->min && *out <= key->max;
}

/**
 * conf_mac() - an Ethernet address of one station
 * @value: six pairs of hexadecimal digits with colons between
 * @mac: set to the address
 *
 * Return: whether it is one
 */
static bool conf_mac(const char *value, uint8_t *mac)
{
	uint8_t any = 0;

	if (strlen(value) != 3 * VIRTIO_BPF_MAC_LEN - 1)
		return false;
	for (int i = 0; i < VIRTIO_BPF_MAC_LEN; i++) {
		const char *p = value + 3 * i;
		char pair[3] = { p[0], p[1], 0 };

		if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]) ||
		    (i < VIRTIO_BPF_MAC_LEN - 1 && p[2] != ':'))
			return false;
		mac[i] = (uint8_t)strtoul(pair, NULL, 16);
		any |= mac[i];
	}
	return any && !(mac[0] & 1);
}

/**
 * conf_id() - a user or a group, by number or name
 * @value: the word
 * @kind: CONF_UID or CONF_GID
 * @id: set to its number
 *
 * Return: whether it is one; a number need not have a name
 */
static bool conf_id(const char *value, enum conf_kind kind, uint32_t *id)
{
	const struct conf_key any = { .max = UINT32_MAX - 1 };
	const struct passwd *pw = NULL;
	const struct group *gr = NULL;
	uint64_t n;

	if (isdigit((unsigned char)*value)) {
		if (!conf_number(value, &any, &n))
			return false;
		*id = (uint32_t)n;
		return true;
	}
	if (kind == CONF_UID)
		pw = getpwnam(value);
	else
		gr = getgrnam(value);
	if (pw)
		*id = pw->pw_uid;
	else if (gr)
		*id = gr->gr_gid;
	return pw || gr;
}

/**
 * conf_choose() - one of a key's words
 * @p: the file
 * @key: the key
 * @value: the word in the file
 * @out: set to what the word stands for
 */
static void conf_choose(struct conf_parse *p, const struct conf_key *key, const char *value,
			uint32_t *out)
{
	const struct conf_choice *choice;
	struct text words = { 0 };

	for (choice = key->choices; choice->word; choice++) {
		text_add(&words, "%s%s", words.len ? " or " : "", choice->word);
		if (!strcmp(choice->word, value))
			break;
	}
	if (!choice->word)
		conf_bad(p, p->line, "%s takes %s, not \"%s\"", key->name, words.buf ?: "",
			 value);
	else
		*out = choice->value;
	text_free(&words);
}

/**
 * conf_helpers() - profiles of the whitelist, with blanks between
 * @p: the file
 * @key: the key
 * @value: the words in the file; "packet" is meant in any case
 * @out: set to enum wl_profile
 */
static void conf_helpers(struct conf_parse *p, const struct conf_key *key, const char *value,
			 uint32_t *out)
{
	const struct wl_profile_name *name;
	struct text words = { 0 };
	uint32_t profiles = 0;
	size_t len;

	do {
		len = strcspn(value, " \t");
		for (name = wl_profiles; name->name; name++)
			if (strlen(name->name) == len && !memcmp(name->name, value, len))
				break;
		if (!name->name)
			break;
		profiles |= name->profile;
		value += len;
		value += strspn(value, " \t");
	} while (*value);
	if (name->name) {
		*out = profiles;
		return;
	}
	for (name = wl_profiles; name->name; name++)
		text_add(&words, "%s%s", words.len ? ", " : "", name->name);
	conf_bad(p, p->line, "%s takes some of %s, not \"%.*s\"", key->name, words.buf ?: "",
		 (int)len, value);
	text_free(&words);
}

/**
 * conf_word() - copy a word into an array of fixed size
 * @out: the array
 * @size: bytes of it
 * @value: the word
 *
 * Return: whether it is not empty and fits with its NUL
 */
static bool conf_word(char *out, size_t size, const char *value)
{
	size_t len = strlen(value);

	if (!len || len >= size)
		return false;
	memcpy(out, value, len + 1);
	return true;
}

/**
 * conf_set() - set a key's field
 * @p: the file
 * @key: the key
 * @base: structure of the section
 * @value: the word in the file
 */
static void conf_set(struct conf_parse *p, const struct conf_key *key, void *base,
		     const char *value)
{
	void *field = (char *)base + key->offset;
	uint64_t n;

	switch (key->kind) {
	case CONF_FILE:
		if (*value != '/' || !conf_word(field, CONF_PATH_LEN, value))
			conf_bad(p, p->line, "%s takes an absolute path of at most %zu bytes",
				 key->name, CONF_PATH_LEN - 1);
		break;
	case CONF_TAP:
		if (strchr(value, '/') || !conf_word(field, IF_NAMESIZE, value))
			conf_bad(p, p->line, "%s takes an interface's name of 1 to %d characters",
				 key->name, IF_NAMESIZE - 1);
		break;
	case CONF_MAC:
		if (!conf_mac(value, field))
			conf_bad(p, p->line,
				 "%s takes a unicast address like 52:54:00:12:34:56, not \"%s\"",
				 key->name, value);
		break;
	case CONF_UID:
	case CONF_GID:
		if (!conf_id(value, key->kind, field))
			conf_bad(p, p->line, "%s takes a %s's number or name; \"%s\" is neither",
				 key->name, key->kind == CONF_UID ? "user" : "group", value);
		break;
	case CONF_CHOICE:
		conf_choose(p, key, value, field);
		break;
	case CONF_HELPERS:
		conf_helpers(p, key, value, field);
		break;
	case CONF_U32:
		if (conf_number(value, key, &n))
			*(uint32_t *)field = (uint32_t)n;
		else
			conf_bad(p, p->line, "%s takes a number from %llu to %llu, not \"%s\"",
				 key->name, (unsigned long long)key->min,
				 (unsigned long long)key->max, value);
		break;
	case CONF_BYTES:
		if (conf_number(value, key, field))
			break;
		conf_bad(p, p->line,
			 "%s takes bytes up to %llu, with K, M or G at will, not \"%s\"",
			 key->name, (unsigned long long)key->max, value);
		break;
	}
}

/**
 * conf_key() - take one key of a section
 * @p: the file
 * @keys: the keys that the section may have
 * @given: bits of those that were given
 * @base: structure of the section
 * @section: its name, for messages
 * @name: the key
 * @value: its value
 */
static void conf_key(struct conf_parse *p, const struct conf_key *keys, uint32_t *given,
		     void *base, const char *section, const char *name, const char *value)
{
	for (unsigned int i = 0; keys[i].name; i++) {
		if (strcmp(keys[i].name, name))
			continue;
		if (*given & 1u << i)
			conf_bad(p, p->line, "%s is given twice in [%s]", name, section);
		*given |= 1u << i;
		conf_set(p, &keys[i], base, value);
		return;
	}
	conf_bad(p, p->line, "[%s] has no key \"%s\"; expected one of virtio-bpf.conf(5)",
		 section, name);
}

/**
 * conf_port_name_ok() - is this a port's name?
 * @name: the word
 *
 * Return: whether it is
 */
static bool conf_port_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= VBPF_PORT_NAME_LEN || *name == '.')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_.-", *name))
			return false;
	return true;
}

/**
 * conf_port() - the port that a [port NAME] section describes
 * @p: the file
 * @name: of the port
 *
 * Return: the port, made now if the section is new, or NULL if @p->bad was set
 */
static struct conf_port *conf_port(struct conf_parse *p, const char *name)
{
	struct conf *conf = p->conf;
	struct conf_port *ports;

	if (conf->port_cnt && !strcmp(conf->ports[p->port].name, name))
		return &conf->ports[p->port];
	if (!conf_port_name_ok(name)) {
		conf_bad(p, p->line,
			 "a port's name has 1 to %d of the characters A-Z a-z 0-9 _ . -"
			 " and no dot in front; \"%s\" has not",
			 VBPF_PORT_NAME_LEN - 1, name);
		return NULL;
	}
	for (size_t i = 0; i < conf->port_cnt; i++) {
		if (strcmp(conf->ports[i].name, name))
			continue;
		conf_bad(p, p->line, "port %s was described in line %u already", name,
			 conf->ports[i].line);
		p->port = i;
		return &conf->ports[i];
	}
	ports = reallocarray(conf->ports, conf->port_cnt + 1, sizeof(*ports));
	if (!ports) {
		conf_bad(p, p->line, "out of memory");
		return NULL;
	}
	conf->ports = ports;
	p->port = conf->port_cnt++;
	ports += p->port;
	memset(ports, 0, sizeof(*ports));
	memcpy(ports->name, name, strlen(name));
	ports->line = p->line;
	return ports;
}

/**
 * conf_take() - inih's handler: take one key with its value
 * @user: the file (struct conf_parse)
 * @section: its section
 * @name: the key
 * @value: its value
 *
 * Return: 1, always: what is wrong is noted with its own words
 */
static int conf_take(void *user, const char *section, const char *name, const char *value)
{
	struct conf_parse *p = user;
	struct conf_port *port;

	p->keys = true;
	if (!strcmp(section, "loader")) {
		conf_key(p, conf_loader_keys, &p->loader_given, p->conf, section, name, value);
	} else if (!strcmp(section, "defaults")) {
		conf_key(p, conf_port_keys, &p->defaults.given, &p->defaults, section, name,
			 value);
	} else if (!strncmp(section, "port ", 5)) {
		port = conf_port(p, section + 5 + strspn(section + 5, " \t"));
		if (port)
			conf_key(p, conf_port_keys, &port->given, port, section, name, value);
	} else {
		conf_bad(p, p->line, "expected a section [loader], [defaults] or [port NAME],"
			 " not [%s]", section);
	}
	return 1;
}

/**
 * conf_end_section() - a section ends: had it what it must have?
 * @p: the file
 */
static void conf_end_section(struct conf_parse *p)
{
	if (!p->section || p->keys || !strcmp(p->name, "loader") || !strcmp(p->name, "defaults"))
		return;
	if (!strncmp(p->name, "port ", 5))
		conf_bad(p, p->section, "[%s] has no keys; a port needs its tap, mac and uid",
			 p->name);
	else
		conf_bad(p, p->section, "expected a section [loader], [defaults] or [port NAME],"
			 " not [%s]", p->name);
}

/**
 * conf_find() - look for characters in front of a comment
 * @line: where to look
 * @chars: the characters
 *
 * Return: the first of them, or NULL
 */
static const char *conf_find(const char *line, const char *chars)
{
	for (bool blank = false; *line; line++) {
		if (strchr(chars, *line))
			return line;
		if (blank && *line == ';')
			return NULL;
		blank = isspace((unsigned char)*line);
	}
	return NULL;
}

/**
 * conf_look() - look at a line before inih does
 * @p: the file
 * @line: the line; one that is indented behind a key goes on with its value
 */
static void conf_look(struct conf_parse *p, const char *line)
{
	const char *end;

	if (p->line == 1 && !strncmp(line, "\xef\xbb\xbf", 3))
		line += 3;
	if (p->keys && isspace((unsigned char)*line))
		return;
	line += strspn(line, " \t\r\n\v\f");
	if (!*line || *line == ';' || *line == '#')
		return;
	if (*line != '[') {
		if (!conf_find(line, "=:"))
			conf_bad(p, p->line, "expected [section], key = value, or a comment after"
				 " ; or #");
		return;
	}
	end = conf_find(line + 1, "]");
	if (!end) {
		conf_bad(p, p->line, "expected [section], with its second bracket");
		return;
	}
	conf_end_section(p);
	p->section = p->line;
	p->keys = false;
	snprintf(p->name, sizeof(p->name), "%.*s", (int)(end - line - 1), line + 1);
}

/**
 * conf_gets() - inih's reader: fgets() that counts lines and looks at them
 * @buf: set to the line
 * @size: bytes of @buf
 * @stream: the file (struct conf_parse)
 *
 * inih takes the rest of a line that is too long for another line: such a line
 * is refused here.
 *
 * Return: @buf, or NULL at the end
 */
static char *conf_gets(char *buf, int size, void *stream)
{
	struct conf_parse *p = stream;
	int c;

	if (!fgets(buf, size, p->file))
		return NULL;
	p->line++;
	conf_look(p, buf);
	if (strchr(buf, '\n') || feof(p->file))
		return buf;
	c = fgetc(p->file);
	if (c == EOF)
		return buf;
	conf_bad(p, p->line, "a line has at most %d bytes", size - 2);
	while (c != EOF && c != '\n')
		c = fgetc(p->file);
	return buf;
}

/**
 * conf_finish_port() - fill what a port did not say, and check what it must
 * @p: the file
 * @port: the port
 */
static void conf_finish_port(struct conf_parse *p, struct conf_port *port)
{
	const uint32_t need = CONF_GIVEN_TAP | CONF_GIVEN_MAC | CONF_GIVEN_UID;

	for (unsigned int i = 0; conf_port_keys[i].name; i++) {
		const struct conf_key *key = &conf_port_keys[i];
		size_t size = key->kind == CONF_BYTES ? sizeof(uint64_t) : sizeof(uint32_t);

		if (port->given & 1u << i || (1u << i & (CONF_GIVEN_TAP | CONF_GIVEN_MAC)))
			continue;
		memcpy((char *)port + key->offset, (char *)&p->defaults + key->offset, size);
		port->given |= p->defaults.given & 1u << i;
	}
	if ((port->given & need) != need)
		conf_bad(p, port->line, "port %s lacks its tap, mac or uid", port->name);
}

/**
 * conf_finish() - what only the whole file shows
 * @p: the file
 */
static void conf_finish(struct conf_parse *p)
{
	struct conf *conf = p->conf;

	if (p->defaults.given & (CONF_GIVEN_TAP | CONF_GIVEN_MAC))
		conf_bad(p, p->line, "tap and mac belong to one [port NAME], not in [defaults]");
	if (!strcmp(conf->socket, conf->control))
		conf_bad(p, p->line, "socket and control must not be the same path");
	for (size_t i = 0; i < conf->port_cnt; i++) {
		struct conf_port *a = &conf->ports[i];

		conf_finish_port(p, a);
		for (size_t j = 0; j < i; j++) {
			const struct conf_port *b = &conf->ports[j];

			if (a->given & b->given & CONF_GIVEN_TAP && !strcmp(a->tap, b->tap))
				conf_bad(p, a->line, "port %s has the TAP of port %s", a->name,
					 b->name);
			if (a->given & b->given & CONF_GIVEN_MAC &&
			    !memcmp(a->mac, b->mac, sizeof(a->mac)))
				conf_bad(p, a->line, "port %s has the MAC of port %s", a->name,
					 b->name);
		}
	}
}

/**
 * conf_read_file() - read a configuration from an open file
 * @file: the file; stays the caller's
 * @path: its name, for messages
 * @conf: filled; to be freed with conf_free() in any case
 * @why: what is wrong, one line each
 *
 * Return: 0, or -EINVAL with @why
 */
int conf_read_file(FILE *file, const char *path, struct conf *conf, struct text *why)
{
	struct conf_parse p = {
		.conf = conf,
		.file = file,
		.path = path,
		.why = why,
		.defaults = {
			.gid = CONF_GID_ANY,
			.level = VIRTIO_BPF_LEVEL_STRICT,
			.helpers = WL_PROFILE_PACKET,
			.header_bytes = 128,
			.limits = {
				.max_insns = 4096,
				.max_verified = CONF_MAX_VERIFIED,
				.max_progs = 16,
				.max_maps = 32,
				.max_entries = 65536,
				.max_key_size = 64,
				.max_value_size = 4096,
				.max_map_bytes = 16 << 20,
				.request_rate = 50,
				.request_burst = 500,
				.load_rate = 25,
				.load_burst = 2000,
				.max_load_time = 2,
			},
		},
	};
	int line;

	*conf = (struct conf){
		.socket = "/run/virtio-bpf/loader.sock",
		.control = CONTROL_PATH,
		.bpffs = "/run/vbpf/ports",
		.linger = 5,
	};
	line = ini_parse_stream(conf_gets, &p, conf_take, &p);
	conf_end_section(&p);
	/* Whatever conf_look() did not say more of */
	if (line && !p.bad)
		conf_bad(&p, line > 0 ? (unsigned int)line : p.line,
			 "expected [section], key = value, or a comment after ; or #");
	conf_finish(&p);
	return p.bad ? -EINVAL : 0;
}

/**
 * conf_read() - read the configuration file
 * @path: the file
 * @conf: filled; to be freed with conf_free() in any case
 * @why: what is wrong, one line each
 *
 * Return: 0, or a negative errno with @why
 */
int conf_read(const char *path, struct conf *conf, struct text *why)
{
	FILE *file = fopen(path, "re");
	int err;

	if (!file) {
		err = -errno;
		memset(conf, 0, sizeof(*conf));
		text_add(why, "%s: %s\n", path, strerror(-err));
		return err;
	}
	err = conf_read_file(file, path, conf, why);
	fclose(file);
	return err;
}

/**
 * conf_relaxed() - is any port relaxed?
 * @conf: the configuration
 *
 * Return: the first such port, or NULL
 */
const struct conf_port *conf_relaxed(const struct conf *conf)
{
	for (size_t i = 0; i < conf->port_cnt; i++)
		if (conf->ports[i].level == VIRTIO_BPF_LEVEL_RELAXED)
			return &conf->ports[i];
	return NULL;
}

/**
 * conf_free() - give a configuration's memory back
 * @conf: the configuration
 */
void conf_free(struct conf *conf)
{
	free(conf->ports);
	memset(conf, 0, sizeof(*conf));
}
