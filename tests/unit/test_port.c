// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: A port's handles, limits and memory; and what a verifier's log tells
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../helpers-whitelist/whitelist.h"
#include "../../host-loader/translate.h"
#include "../../host-loader/port.h"
#include "../ktap.h"

static const struct conf_port conf = {
	.name = "a.b",
	.limits = {
		.max_insns = 10,
		.max_progs = 1,
		.max_maps = 2,
		.max_entries = 1 << 20,
		.max_key_size = 8,
		.max_value_size = 64,
		.max_map_bytes = 4096,
	},
};

/**
 * new_map() - a map without one in the kernel
 * @port: gets the map
 * @handle: of the map
 * @bytes: that it counts for
 *
 * Return: the map
 */
static struct map *new_map(struct port *port, uint32_t handle, uint64_t bytes)
{
	struct map *map = calloc(1, sizeof(*map));

	if (!map)
		abort();
	map->handle = handle;
	map->bytes = bytes;
	map->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	port_add_map(port, map);
	return map;
}

/**
 * test_bytes() - a map's memory, without overflow
 *
 * Return: whether all figures are right
 */
static bool test_bytes(void)
{
	struct wire_map def = { .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 1,
				.max_entries = 3 };
	uint64_t bytes;

	CHECK_EQ(port_map_bytes(&def, 2, &bytes), 0);
	CHECK_EQ(bytes, 32);
	def.type = BPF_MAP_TYPE_HASH;
	CHECK_EQ(port_map_bytes(&def, 2, &bytes), 0);
	CHECK_EQ(bytes, 3 * (48 + 8 + 8) + 4 * 16);
	def.flags = BPF_F_NO_PREALLOC;
	CHECK_EQ(port_map_bytes(&def, 2, &bytes), 0);
	CHECK_EQ(bytes, (3 + 2 * 96) * 128 + 4 * 16);
	def.value_size = 4096;
	CHECK_EQ(port_map_bytes(&def, 2, &bytes), 0);
	CHECK_EQ(bytes, (3 + 2 * 5) * 8192 + 4 * 16);
	def.value_size = 65536;
	CHECK_EQ(port_map_bytes(&def, 64, &bytes), 0);
	CHECK_EQ(bytes, (3 + 64 * 3) * 131072 + 4 * 16);
	def.key_size = def.value_size = def.max_entries = UINT32_MAX;
	CHECK_EQ(port_map_bytes(&def, 2, &bytes), -E2BIG);
	def.flags = 0;
	CHECK_EQ(port_map_bytes(&def, 2, &bytes), -E2BIG);
	def.type = BPF_MAP_TYPE_ARRAY;
	CHECK_EQ(port_map_bytes(&def, 2, &bytes), -E2BIG);
	def.max_entries = 1u << 31;
	CHECK_EQ(port_map_bytes(&def, 2, &bytes), 0);
	CHECK(bytes == 1ull << 63);
	return true;
}

/**
 * test_admit_map() - limits of maps
 *
 * Return: whether each is held, with its figure
 */
static bool test_admit_map(void)
{
	struct wire_map def = { .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 64,
				.max_entries = 64 };
	struct text why = { 0 };
	struct port port;
	uint64_t bytes;

	port_init(&port, &conf, "/x");
	CHECK_EQ(port_admit_map(&port, &def, &bytes, &why), 0);
	def.max_entries = 65;
	CHECK_EQ(port_admit_map(&port, &def, &bytes, &why), -ENOSPC);
	CHECK(strstr(why.buf, "4096 bytes"));
	def.value_size = 65;
	CHECK_EQ(port_admit_map(&port, &def, &bytes, &why), -E2BIG);
	CHECK(strstr(why.buf, "value size 65 is over this port's limit of 64"));
	def.value_size = 64;
	def.max_entries = (1 << 20) + 1;
	CHECK_EQ(port_admit_map(&port, &def, &bytes, &why), -E2BIG);
	def.max_entries = 1;
	new_map(&port, 1, 4090);
	CHECK_EQ(port_admit_map(&port, &def, &bytes, &why), -ENOSPC);
	CHECK(strstr(why.buf, "and 6 of them are left"));
	new_map(&port, 2, 10);
	CHECK_EQ(port_admit_map(&port, &def, &bytes, &why), -ENOSPC);
	CHECK(strstr(why.buf, "limit of 2 maps"));
	port_close(&port);
	CHECK_EQ(port.map_bytes, 0);
	CHECK_EQ(port.map_cnt, 0);
	text_free(&why);
	return true;
}

/**
 * test_admit_prog() - limits of programs
 *
 * Return: whether each is held
 */
static bool test_admit_prog(void)
{
	struct wire_prog src = { .insn_cnt = 10 };
	struct text why = { 0 };
	struct port port;

	port_init(&port, &conf, "/x");
	CHECK_EQ(port_admit_prog(&port, &src, &why), 0);
	src.insn_cnt = 11;
	CHECK_EQ(port_admit_prog(&port, &src, &why), -E2BIG);
	CHECK(strstr(why.buf, "limit of 10"));
	port_add_prog(&port, port_prog_new());
	CHECK_EQ(port_admit_prog(&port, &src, &why), -ENOSPC);
	port_close(&port);
	text_free(&why);
	return true;
}

/**
 * test_handles() - handles are in order, unique and never reserved ones
 *
 * Return: whether they are
 */
static bool test_handles(void)
{
	struct port port;

	port_init(&port, &conf, "/x");
	CHECK(!strcmp(port.dir, "/x/a~b"));
	CHECK_EQ(port_new_handle(&port), 1);
	CHECK_EQ(port_new_handle(&port), 2);
	new_map(&port, 1, 0)->gone = true;
	new_map(&port, 3, 0);
	CHECK_EQ(port_new_handle(&port), 4);
	CHECK(port_map(&port, 3) && !port_map(&port, 1) && !port_map(&port, 0));
	CHECK(!port_prog(&port, 3));
	port.next_handle = UINT32_MAX;
	CHECK_EQ(port_new_handle(&port), 2);
	port.next_handle = 0;
	CHECK_EQ(port_new_handle(&port), 2);
	port_close(&port);
	return true;
}

/**
 * test_use_maps() - a program holds the maps that it names, once each
 *
 * Return: whether it does
 */
static bool test_use_maps(void)
{
	const struct bpf_insn load = { .code = BPF_LD | BPF_IMM | BPF_DW, .src_reg = 1 };
	struct prog *prog = port_prog_new();
	struct map *one, *two;
	struct port port;

	port_init(&port, &conf, "/x");
	two = new_map(&port, 2, 0);
	one = new_map(&port, 1, 0);
	CHECK(TAILQ_FIRST(&port.maps) == one);
	prog->src.insn_cnt = 6;
	prog->src.insns = calloc(6, sizeof(load));
	for (int i = 0; i < 6; i += 2) {
		prog->src.insns[i] = load;
		prog->src.insns[i].imm = 2;
	}
	CHECK_EQ(port_use_maps(&port, prog), 0);
	CHECK_EQ(prog->map_cnt, 1);
	CHECK_EQ(two->users, 1);
	CHECK_EQ(one->users, 0);
	port_add_prog(&port, prog);
	port_del_prog(&port, prog);
	CHECK_EQ(two->users, 0);
	port_close(&port);
	return true;
}

/**
 * test_bucket() - so much per second, so much at once
 *
 * Return: whether a bucket fills, holds no more than it should, and knows debts
 */
static bool test_bucket(void)
{
	struct bucket bucket;

	bucket_init(&bucket, 10);
	CHECK_EQ(bucket_wait(&bucket, 5), 0);
	bucket_take(&bucket, 12 * BUCKET_TOKEN);
	CHECK_EQ(bucket_wait(&bucket, 5), 2 * BUCKET_TOKEN / 5 + 1);
	bucket.at -= 1000000;
	bucket_fill(&bucket, 5, 10);
	CHECK_EQ(bucket.level / BUCKET_TOKEN, 3);
	CHECK_EQ(bucket_wait(&bucket, 5), 0);
	bucket.at -= 1000000000000;
	bucket_fill(&bucket, 1000000, 10);
	CHECK_EQ(bucket.level, 10 * BUCKET_TOKEN);
	/* The greatest of all: a day at a million a second. */
	bucket_take(&bucket, 86400ull * 1000000 * BUCKET_TOKEN / 1000);
	CHECK(bucket.level < 0 && bucket_wait(&bucket, 1000000) > 0);
	return true;
}

/**
 * test_work() - CPU time for loading, and what the verifier looked at
 *
 * Return: whether what is over is refused with its figures
 */
static bool test_work(void)
{
	const struct bpf_insn call = { .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_jiffies64 };
	struct conf_port section = conf;
	struct prog *prog = port_prog_new();
	struct text why = { 0 };
	struct port port;

	section.limits.load_rate = 100;
	section.limits.load_burst = 50;
	section.limits.max_verified = 1000;
	port_init(&port, &section, "/x");
	CHECK_EQ(port_admit_work(&port, &why), 0);
	bucket_take(&port.loads, 240 * BUCKET_TOKEN);
	CHECK_EQ(port_admit_work(&port, &why), -EAGAIN);
	CHECK(strstr(why.buf, "100 ms a second; try again in 2 seconds"));
	prog->verified = 1000;
	CHECK_EQ(port_admit_verified(&port, prog, &why), 0);
	prog->verified = 1001;
	CHECK_EQ(port_admit_verified(&port, prog, &why), -E2BIG);
	CHECK(strstr(why.buf, "looked at, 1001 is over this port's limit of 1000"));
	prog->src.insn_cnt = 11;
	prog->src.insns = calloc(11, sizeof(call));
	CHECK(prog->src.insns);
	prog->src.insns[3] = call;
	text_free(&why);
	CHECK_EQ(port_admit_helpers(&port, prog, &why), -EPERM);
	CHECK(strstr(why.buf, "the program calls helper jiffies64, for which"));
	port_add_prog(&port, prog);
	text_free(&why);
	section.limits.max_progs = 0;
	port_over_limits(&port, &why);
	CHECK(strstr(why.buf, "number of programs, 1 is over this port's limit of 0"));
	CHECK(strstr(why.buf, "has 11 instructions, over this port's limit of 10"));
	CHECK(strstr(why.buf, "took the verifier 1001 instructions"));
	CHECK(strstr(why.buf, "calls helper jiffies64, for which this port would need the helpers"
		     " \"time\""));
	text_free(&why);
	section.helpers = WL_PROFILE_TIME;
	CHECK_EQ(port_admit_helpers(&port, prog, &why), 0);
	port_over_limits(&port, &why);
	CHECK(!strstr(why.buf, "jiffies64"));
	port_close(&port);
	text_free(&why);
	return true;
}

/**
 * test_last_insn() - where the verifier stopped
 *
 * Return: whether it is found in logs of all kinds
 */
static bool test_last_insn(void)
{
	CHECK_EQ(translate_last_insn(""), -1);
	CHECK_EQ(translate_last_insn("unknown opcode 8d\n"), -1);
	CHECK_EQ(translate_last_insn("0: R1=ctx(off=0)\n12: (79) r0 = *(u64 *)(r7 +0)\n"
				"R7 !read_ok\nprocessed 13 insns (limit 1000000)\n"), 12);
	CHECK_EQ(translate_last_insn("3: (95) exit\n\nfrom 1 to 7: R0=0\n7: (0f) r1 += r2\n"
				"2 bad things\n"), 7);
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
		{ "memory of maps", test_bytes },
		{ "limits of maps", test_admit_map },
		{ "limits of programs", test_admit_prog },
		{ "handles", test_handles },
		{ "maps of a program", test_use_maps },
		{ "token buckets", test_bucket },
		{ "work per second, and for one program", test_work },
		{ "where the verifier stopped", test_last_insn },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(*cases));
}
