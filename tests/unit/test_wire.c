// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Requests from the proxy: form, to the byte
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../host-loader/wire.h"
#include "../ktap.h"

/* A PROG_LOAD of two instructions */
struct load {
	struct virtio_bpf_prog_load head;
	struct virtio_bpf_insn insns[2];
};

/**
 * good_load() - a PROG_LOAD that is in order
 *
 * Return: the request
 */
static struct load good_load(void)
{
	return (struct load){
		.head = {
			.prog_class = htole16(VIRTIO_BPF_CLASS_XDP),
			.insn_cnt = htole32(2),
			.ifindex = htole32(7),
			.name = "xdp_a.1",
		},
		.insns = {
			{ .code = 0xb7, .regs = 0x21, .off = htole16(0xfffe),
			  .imm = htole32(0xfffffffd) },
			{ .code = 0x95 },
		},
	};
}

/**
 * load_err() - how a PROG_LOAD is taken
 * @load: the request
 * @len: bytes of it
 *
 * Return: what wire_prog_load() returned
 */
static int load_err(const struct load *load, size_t len)
{
	struct wire_prog out;
	struct text why = { 0 };
	int err = wire_prog_load(load, len, &out, &why);

	if (err && !why.len)
		printf("# no sentence\n");
	free(out.insns);
	text_free(&why);
	return err;
}

/**
 * test_prog_load() - PROG_LOAD
 *
 * Return: whether it is taken or refused as it should
 */
static bool test_prog_load(void)
{
	struct load load = good_load();
	struct wire_prog out;
	struct text why = { 0 };

	CHECK_EQ(wire_prog_load(&load, sizeof(load), &out, &why), 0);
	CHECK(!strcmp(out.name, "xdp_a.1"));
	CHECK_EQ(out.ifindex, 7);
	CHECK_EQ(out.insn_cnt, 2);
	CHECK_EQ(out.insns[0].dst_reg, 1);
	CHECK_EQ(out.insns[0].src_reg, 2);
	CHECK_EQ(out.insns[0].off, -2);
	CHECK_EQ(out.insns[0].imm, -3);
	free(out.insns);
	for (size_t len = 0; len < sizeof(load); len++)
		CHECK_EQ(load_err(&load, len), -EINVAL);
	load.head.insn_cnt = htole32(1);
	CHECK_EQ(load_err(&load, sizeof(load)), -EINVAL);
	load.head.insn_cnt = 0;
	CHECK_EQ(load_err(&load, sizeof(load.head)), -EINVAL);
	load.head.insn_cnt = htole32(VIRTIO_BPF_MAX_INSNS + 1);
	CHECK_EQ(load_err(&load, sizeof(load)), -E2BIG);
	load.head.insn_cnt = htole32(UINT32_MAX);
	CHECK_EQ(load_err(&load, sizeof(load)), -E2BIG);
	return true;
}

/**
 * test_prog_fields() - fields of PROG_LOAD that nobody may set so
 *
 * Return: whether each is refused
 */
static bool test_prog_fields(void)
{
	struct load load = good_load();

	load.head.flags = htole32(1);
	CHECK_EQ(load_err(&load, sizeof(load)), -EINVAL);
	load = good_load();
	load.head.prog_class = htole16(2);
	CHECK_EQ(load_err(&load, sizeof(load)), -EOPNOTSUPP);
	load.head.prog_class = 0;
	CHECK_EQ(load_err(&load, sizeof(load)), -EOPNOTSUPP);
	load = good_load();
	load.head.direction = htole16(1);
	CHECK_EQ(load_err(&load, sizeof(load)), -EOPNOTSUPP);
	load = good_load();
	load.head.name[0] = '/';
	CHECK_EQ(load_err(&load, sizeof(load)), -EINVAL);
	load = good_load();
	load.head.name[15] = 'x';
	CHECK_EQ(load_err(&load, sizeof(load)), -EINVAL);
	load = good_load();
	memset(load.head.name, 'x', 15);
	CHECK_EQ(load_err(&load, sizeof(load)), 0);
	load.head.name[15] = 'x';
	CHECK_EQ(load_err(&load, sizeof(load)), -EINVAL);
	memset(load.head.name, 0, 16);
	CHECK_EQ(load_err(&load, sizeof(load)), 0);
	return true;
}

/**
 * map_err() - how a MAP_CREATE is taken
 * @req: the request
 *
 * Return: what wire_map_create() returned
 */
static int map_err(const struct virtio_bpf_map_create *req)
{
	struct wire_map out;
	struct text why = { 0 };
	int err = wire_map_create(req, sizeof(*req), &out, &why);

	if (err && !why.len)
		printf("# no sentence\n");
	text_free(&why);
	return err;
}

/**
 * test_map_create() - MAP_CREATE
 *
 * Return: whether it is taken or refused as it should
 */
static bool test_map_create(void)
{
	const struct virtio_bpf_map_create good = {
		.map_type = htole32(BPF_MAP_TYPE_HASH), .key_size = htole32(8),
		.value_size = htole32(4), .max_entries = htole32(10),
		.map_flags = htole32(BPF_F_NO_PREALLOC), .name = "m",
	};
	struct virtio_bpf_map_create req = good;
	struct wire_map out;
	struct text why = { 0 };

	CHECK_EQ(wire_map_create(&req, sizeof(req), &out, &why), 0);
	CHECK_EQ(out.max_entries, 10);
	CHECK_EQ(out.flags, BPF_F_NO_PREALLOC);
	CHECK_EQ(wire_map_create(&req, sizeof(req) - 1, &out, &why), -EINVAL);
	CHECK_EQ(wire_map_create(&req, sizeof(req) + 1, &out, &why), -EINVAL);
	text_free(&why);
	req.map_type = htole32(BPF_MAP_TYPE_ARRAY);
	CHECK_EQ(map_err(&req), -EINVAL);
	req.map_flags = 0;
	CHECK_EQ(map_err(&req), -EINVAL);
	req.key_size = htole32(4);
	CHECK_EQ(map_err(&req), 0);
	req.map_type = htole32(BPF_MAP_TYPE_PROG_ARRAY);
	CHECK_EQ(map_err(&req), -EOPNOTSUPP);
	req = good;
	req.map_flags = htole32(BPF_F_MMAPABLE);
	CHECK_EQ(map_err(&req), -EINVAL);
	req = good;
	req.reserved = 1;
	CHECK_EQ(map_err(&req), -EINVAL);
	req = good;
	req.name[1] = ' ';
	CHECK_EQ(map_err(&req), -EINVAL);
	req = good;
	req.key_size = 0;
	CHECK_EQ(map_err(&req), -EINVAL);
	req = good;
	req.value_size = 0;
	CHECK_EQ(map_err(&req), -EINVAL);
	req = good;
	req.max_entries = 0;
	CHECK_EQ(map_err(&req), -EINVAL);
	return true;
}

/**
 * test_small() - HELLO, handles and requests without a body
 *
 * Return: whether they are taken or refused as they should
 */
static bool test_small(void)
{
	struct virtio_bpf_handle handle = { .handle = htole32(9) };
	struct vbpf_hello hello = { .port = "vm0" };
	char name[VBPF_PORT_NAME_LEN];
	struct text why = { 0 };
	uint32_t n = 0;

	CHECK_EQ(wire_handle(&handle, sizeof(handle), &n, &why), 0);
	CHECK_EQ(n, 9);
	CHECK_EQ(wire_handle(&handle, 4, &n, &why), -EINVAL);
	handle.flags = 1;
	CHECK_EQ(wire_handle(&handle, sizeof(handle), &n, &why), -EINVAL);
	CHECK_EQ(wire_empty(0, &why), 0);
	CHECK_EQ(wire_empty(1, &why), -EINVAL);
	CHECK_EQ(wire_hello(&hello, sizeof(hello), name, &why), 0);
	CHECK(!strcmp(name, "vm0"));
	CHECK_EQ(wire_hello(&hello, 31, name, &why), -EINVAL);
	memset(hello.port, 'a', sizeof(hello.port));
	CHECK_EQ(wire_hello(&hello, sizeof(hello), name, &why), -EINVAL);
	memset(hello.port, 0, sizeof(hello.port));
	CHECK_EQ(wire_hello(&hello, sizeof(hello), name, &why), -EINVAL);
	CHECK_EQ(wire_status(0), VIRTIO_BPF_S_OK);
	CHECK_EQ(wire_status(-EACCES), VIRTIO_BPF_S_ACCES);
	CHECK_EQ(wire_status(-ENOTTY), VIRTIO_BPF_S_IO);
	text_free(&why);
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
		{ "PROG_LOAD", test_prog_load },
		{ "fields of PROG_LOAD", test_prog_fields },
		{ "MAP_CREATE", test_map_create },
		{ "HELLO, handles, empty bodies", test_small },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(*cases));
}
