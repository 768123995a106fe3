// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: Translated programs in the kernel, against the programs themselves
 *
 * Each case is a program that is loaded twice (see twin.h) and run on packets
 * of many kinds and lengths. Some cases are programs that form lite cannot do,
 * and what the tenant is told then.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>

#include "../ktap.h"
#include "../unit/insns.h"
#include "twin.h"
#include "virtio_bpf.h"

#define LENGTHS	12

/**
 * make_packet() - a packet of one of several kinds
 * @kind: 0 UDP, 1 TCP, 2 with a VLAN tag, 3 with IPv4 options, 4 IPv6, 5 random
 * @packet: room for it
 * @len: its length; what does not fit is cut off
 */
static void make_packet(int kind, uint8_t *packet, uint32_t len)
{
	static const uint8_t eth[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	uint8_t buf[2048];
	uint32_t at = 12;

	for (uint32_t i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)(kind == 5 ? rand() : (int)i);
	memcpy(buf, eth, sizeof(eth));
	if (kind == 2) {
		memcpy(buf + at, "\x81\x00\x00\x05", 4);
		at += 4;
	}
	if (kind < 4) {
		memcpy(buf + at, "\x08\x00", 2);
		buf[at + 2] = kind == 3 ? 0x47 : 0x45;
		buf[at + 11] = kind == 1 ? 6 : 17;
		memcpy(buf + at + 24, "\x00\x09", 2);
	} else if (kind == 4) {
		memcpy(buf + at, "\x86\xdd\x60", 3);
	}
	memcpy(packet, buf, len);
}

/**
 * runs() - does the kernel run an skb program on such a packet?
 * @kind: as for make_packet()
 * @len: its length
 *
 * Return: false for a piece of an IP header, which BPF_PROG_TEST_RUN refuses
 */
static bool runs(int kind, uint32_t len)
{
	switch (kind) {
	case 0:
	case 1:
	case 3:
		return len >= 14 + 20;
	case 4:
		return len >= 14 + 40;
	default:
		return true;
	}
}

/**
 * agree() - run twins on all kinds and lengths of packets
 * @t: the twins
 *
 * Return: true if they always agreed
 */
static bool agree(struct twin *t)
{
	static const uint32_t lengths[LENGTHS] = {
		14, 15, 18, 33, 34, 42, 60, 64, 99, 100, 128, 1514,
	};
	uint8_t packet[TWIN_PACKET];

	if (t->err)
		printf("# %s\n# %s\n", strerror(-t->err), t->text);
	CHECK_EQ(t->err, 0);
	srand(1);
	for (int kind = 0; kind < 6; kind++) {
		for (int i = 0; i < LENGTHS; i++) {
			if (!runs(kind, lengths[i]))
				continue;
			make_packet(kind, packet, lengths[i]);
			if (!twin_run(t, packet, lengths[i])) {
				printf("# %s\n", t->text);
				return false;
			}
		}
	}
	if (!twin_maps_equal(t))
		printf("# %s\n", t->text);
	return !t->text[0];
}

/**
 * form_insns_agree() - the same for a program written by hand, in one form
 * @insns: the program; a map of its own, an array of 16 u64, has handle 1
 * @cnt: number of @insns
 * @form: the form
 *
 * Return: true if so
 */
static bool form_insns_agree(const struct bpf_insn *insns, uint32_t cnt, enum rw_form form)
{
	static const struct rw_map maps[] = { { 1, BPF_MAP_TYPE_ARRAY, 4, 8, 16 } };
	struct rw_prog prog = { insns, cnt, maps, ARRAY_SIZE(maps), 1, RW_PROFILE_TENANT };
	struct twin t;
	bool made = twin_make(&t, &prog, form), ok;

	if (!made)
		printf("# %s\n", t.text);
	ok = made && agree(&t);
	twin_free(&t);
	return ok;
}

/**
 * insns_agree() - the same in both forms
 * @insns: the program
 * @cnt: number of @insns
 *
 * Return: true if so
 */
static bool insns_agree(const struct bpf_insn *insns, uint32_t cnt)
{
	return form_insns_agree(insns, cnt, RW_FORM_LITE) &&
	       form_insns_agree(insns, cnt, RW_FORM_SFI);
}

/**
 * form_agrees() - the same for a program that clang compiled, in one form
 * @name: of the object
 * @form: the form
 *
 * Return: true if so
 */
static bool form_agrees(const char *name, enum rw_form form)
{
	struct twin t;
	bool made = twin_from_object(&t, name, form), ok = made && agree(&t);

	if (!made)
		printf("# %s\n", t.text);
	twin_free(&t);
	return ok;
}

/**
 * object_agrees() - the same in both forms
 * @name: of the object
 *
 * Return: true if so
 */
static bool object_agrees(const char *name)
{
	return form_agrees(name, RW_FORM_LITE) && form_agrees(name, RW_FORM_SFI);
}

/* Store r0 in the map's element @key, @at a place where r1 to r5 are free. */
#define KEEP(key)                                                             \
	STX(BPF_DW, R10, -16, R0), ST(BPF_W, R10, -4, key), MOV64_X(R2, R10), \
	ALU64_K(BPF_ADD, R2, -4), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -16), \
	LD_MAP(R1, 1), MOV64_K(R4, 0), CALL(BPF_FUNC_map_update_elem)

/**
 * verdicts() - every verdict, known and unknown, from the packet's last byte
 *
 * Return: true if the twins agree
 */
static bool verdicts(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, 0), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 8),
		LDX(BPF_B, R5, R2, 13), JMP_K(BPF_JEQ, R5, 0, 4), JMP_K(BPF_JEQ, R5, 13, 4),
		MOV64_K(R0, 1), JMP_K(BPF_JGT, R5, 128, 4), MOV64_K(R0, 2), EXIT,
		MOV64_K(R0, 3), EXIT, ALU64_K(BPF_SUB, R0, 1), EXIT,
	};

	for (int byte = 0; byte < 256; byte++) {
		const struct bpf_insn direct[] = {
			LD_IMM64(R0, byte == XDP_REDIRECT ? 77 : byte, byte & 1), EXIT,
		};

		if (byte < 16 || byte > 250)
			CHECK(insns_agree(direct, ARRAY_SIZE(direct)));
	}
	return insns_agree(insns, ARRAY_SIZE(insns));
}

/**
 * lengths() - differences of packet pointers, in 64 and 32 bits
 *
 * Return: true if the twins agree
 */
static bool lengths(void)
{
	static const struct bpf_insn insns[] = {
		MOV64_X(R6, R1),
		/* end - data */
		LD_DATA(R2, R6), LD_END(R0, R6), ALU64_X(BPF_SUB, R0, R2), KEEP(0),
		/* end - (data + 20), the context not at hand */
		LD_DATA(R2, R6), LD_END(R0, R6), ALU64_K(BPF_ADD, R2, 20),
		ALU64_X(BPF_SUB, R0, R2), KEEP(1),
		/* data - end */
		LD_DATA(R0, R6), LD_END(R2, R6), ALU64_X(BPF_SUB, R0, R2), KEEP(2),
		/* the same in 32 bits, through a 32-bit copy */
		LD_DATA(R0, R6), LD_END(R2, R6), ALU32_X(BPF_SUB, R0, R2), KEEP(3),
		LD_DATA(R2, R6), LD_END(R3, R6), MOV32_X(R0, R3), ALU32_X(BPF_SUB, R0, R2),
		KEEP(4),
		/* data + 9 - (data + 2), and both ends */
		LD_DATA(R0, R6), MOV64_X(R2, R0), ALU64_K(BPF_ADD, R0, 9),
		ALU64_K(BPF_ADD, R2, 2), ALU64_X(BPF_SUB, R0, R2), KEEP(5),
		LD_END(R0, R6), LD_END(R2, R6), ALU64_X(BPF_SUB, R0, R2), KEEP(6),
		MOV64_K(R0, 2), EXIT,
	};

	return insns_agree(insns, ARRAY_SIZE(insns));
}

/**
 * lost_context() - the length where no register holds the context any more
 *
 * Return: true if the twins agree
 */
static bool lost_context(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R6, R1), LD_END(R7, R1), MOV64_K(R1, 0),
		MOV64_X(R0, R7), ALU64_X(BPF_SUB, R0, R6), KEEP(0),
		MOV64_X(R1, R7), MOV64_X(R2, R6), MOV64_K(R6, 5), SUBCALL(3), MOV64_K(R0, 2),
		JMP_K(BPF_JEQ, R6, 5, 0), EXIT,
		/* A function that gets start and end needs no length to compare. */
		MOV64_K(R0, 0), JMP_X(BPF_JGT, R2, R1, 1), MOV64_K(R0, 1), EXIT,
	};

	return insns_agree(insns, ARRAY_SIZE(insns));
}

/**
 * fields() - the context's other fields, also from a spilled context
 *
 * Return: true if the twins agree
 */
static bool fields(void)
{
	static const struct bpf_insn insns[] = {
		STX(BPF_DW, R10, -24, R1), LDX(BPF_W, R0, R1, 12), KEEP(0),
		LDX(BPF_DW, R1, R10, -24), LDX(BPF_W, R0, R1, 16), KEEP(1),
		LDX(BPF_DW, R1, R10, -24), LD_END(R0, R1), LD_DATA(R2, R1), MOV64_K(R1, 0),
		ALU64_X(BPF_SUB, R0, R2), KEEP(2),
		MOV64_K(R0, 2), EXIT,
	};

	return insns_agree(insns, ARRAY_SIZE(insns));
}

/**
 * constants() - packet pointers moved by registers that hold constants
 *
 * Return: true if the twins agree
 */
static bool constants(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R4, 6), MOV64_K(R0, 2),
		ALU64_X(BPF_ADD, R4, R2), MOV64_X(R5, R4), ALU64_K(BPF_ADD, R5, 8),
		JMP_X(BPF_JGT, R5, R3, 4), LDX(BPF_H, R0, R4, 0), STX(BPF_H, R4, 2, R0),
		ST(BPF_B, R4, 6, 0x5a), MOV64_K(R0, 3), EXIT,
	};

	return insns_agree(insns, ARRAY_SIZE(insns));
}

/**
 * loops() - a loop of constant length
 *
 * Return: true if the twins agree
 */
static bool loops(void)
{
	static const struct bpf_insn insns[] = {
		MOV64_K(R0, 0), MOV64_K(R6, 0), ALU64_K(BPF_ADD, R6, 3),
		ALU64_K(BPF_ADD, R0, 1), JMP_K(BPF_JLT, R0, 100, -3), MOV64_X(R0, R6), KEEP(0),
		MOV64_K(R0, 2), EXIT,
	};

	return insns_agree(insns, ARRAY_SIZE(insns));
}

/**
 * may_goto() - a loop that the kernel ends if it takes too long
 *
 * Return: true if the twins agree; or if this kernel does not know such loops
 */
static bool may_goto(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, 0), MOV64_K(R6, 0),
		MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 1),
		LDX(BPF_B, R6, R2, 13),
		/* as many turns as that byte says */
		INSN(BPF_JMP | 0xe0, 0, 0, 4, 0), JMP_K(BPF_JEQ, R6, 0, 3),
		ALU64_X(BPF_ADD, R0, R6), ALU64_K(BPF_SUB, R6, 1), JA(-5),
		KEEP(0), MOV64_K(R0, 2), EXIT,
	};
	/* numbers that differ from turn to turn, of which one is a place in the packet */
	static const struct bpf_insn places[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, 0), MOV64_K(R6, 0),
		INSN(BPF_JMP | 0xe0, 0, 0, 10, 0), JMP_K(BPF_JGT, R6, 40, 9),
		MOV64_X(R4, R2), ALU64_X(BPF_ADD, R4, R6), MOV64_X(R5, R4),
		ALU64_K(BPF_ADD, R5, 1), JMP_X(BPF_JGT, R5, R3, 4), LDX(BPF_B, R5, R4, 0),
		ALU64_X(BPF_ADD, R0, R5), ALU64_K(BPF_ADD, R6, 1), JA(-11),
		KEEP(0), MOV64_K(R0, 2), EXIT,
	};
	static const struct bpf_insn least[] = {
		INSN(BPF_JMP | 0xe0, 0, 0, 0, 0), MOV64_K(R0, 2), EXIT,
	};
	static const struct rw_prog probe = { .insns = least, .cnt = ARRAY_SIZE(least) };
	struct twin t;
	bool known = twin_make(&t, &probe, RW_FORM_LITE);

	twin_free(&t);
	return !known || (form_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI) &&
			  form_insns_agree(places, ARRAY_SIZE(places), RW_FORM_SFI));
}

/**
 * twice() - an element that is looked up twice, and the pointers compared
 *
 * Return: true if the twins agree
 */
static bool twice(void)
{
	static const struct bpf_insn insns[] = {
		ST(BPF_W, R10, -4, 0), MOV64_X(R9, R10), ALU64_K(BPF_ADD, R9, -4), LD_MAP(R8, 1),
		MOV64_X(R1, R8), MOV64_X(R2, R9), CALL(BPF_FUNC_map_lookup_elem), MOV64_X(R6, R0),
		MOV64_X(R1, R8), MOV64_X(R2, R9), CALL(BPF_FUNC_map_lookup_elem), MOV64_X(R7, R0),
		MOV64_K(R0, 0), JMP_K(BPF_JEQ, R6, 0, 4), JMP_X(BPF_JNE, R6, R7, 3),
		LDX(BPF_DW, R0, R7, 0), ALU64_K(BPF_ADD, R0, 1), STX(BPF_DW, R6, 0, R0),
		KEEP(0), MOV64_K(R0, 2), EXIT,
	};

	return insns_agree(insns, ARRAY_SIZE(insns));
}

/**
 * atomics() - atomic operations on a map's value
 *
 * Return: true if the twins agree
 */
static bool atomics(void)
{
	static const struct bpf_insn insns[] = {
		ST(BPF_W, R10, -4, 3), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -4), LD_MAP(R1, 1),
		CALL(BPF_FUNC_map_lookup_elem), MOV64_X(R6, R0), JMP_K(BPF_JEQ, R6, 0, 16),
		MOV64_K(R1, 5), ATOMIC(BPF_DW, R6, 0, R1, BPF_ADD | BPF_FETCH),
		ATOMIC(BPF_W, R6, 0, R1, BPF_XOR), MOV64_K(R0, 5),
		ATOMIC(BPF_DW, R6, 0, R1, BPF_CMPXCHG), ATOMIC(BPF_DW, R6, 0, R0, BPF_XCHG),
		KEEP(4), MOV64_K(R0, 2), EXIT,
	};

	return insns_agree(insns, ARRAY_SIZE(insns));
}

/**
 * far() - a program whose jumps are too far for 16 bits once it is translated
 *
 * Return: true if the twins agree
 */
static bool far(void)
{
	enum { TURNS = 8000 };
	static const struct bpf_insn head[] = {
		LD_DATA(R8, R1), LD_END(R9, R1), MOV64_X(R7, R9), ALU64_X(BPF_SUB, R7, R8),
		MOV64_K(R1, 0), ALU64_K(BPF_ADD, R8, 1), JMP_K(BPF_JGT, R7, 60, 2 * TURNS),
	};
	static const struct bpf_insn turn[] = { MOV64_X(R0, R8), ALU64_X(BPF_SUB, R0, R9) };
	static const struct bpf_insn tail[] = { MOV64_K(R0, 2), EXIT };
	uint32_t cnt = ARRAY_SIZE(head) + 2 * TURNS + ARRAY_SIZE(tail);
	struct bpf_insn *insns = calloc(cnt, sizeof(*insns));
	bool ok;

	CHECK(insns);
	memcpy(insns, head, sizeof(head));
	for (uint32_t i = 0; i < TURNS; i++)
		memcpy(insns + ARRAY_SIZE(head) + 2 * i, turn, sizeof(turn));
	memcpy(insns + cnt - ARRAY_SIZE(tail), tail, sizeof(tail));
	ok = insns_agree(insns, cnt);
	free(insns);
	return ok;
}

/**
 * unwritten() - stack that is read before it is written, and a buffer that a helper
 *		 leaves alone because it fails
 *
 * Return: true if the twins agree
 */
static bool unwritten(void)
{
	static const struct bpf_insn stack[] = {
		LDX(BPF_DW, R0, R10, -8), ALU64_K(BPF_AND, R0, 0), LD_DATA(R2, R1), LD_END(R3, R1),
		MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 1),
		LDX(BPF_B, R0, R2, 0), ALU64_K(BPF_AND, R0, 0), ALU64_K(BPF_ADD, R0, 2), EXIT,
	};
	static const struct bpf_insn buffer[] = {
		MOV64_K(R2, 60000), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -8), MOV64_K(R4, 8),
		CALL(BPF_FUNC_xdp_load_bytes), LDX(BPF_DW, R6, R10, -8), ALU64_K(BPF_AND, R6, 0),
		KEEP(0), MOV64_X(R0, R6), ALU64_K(BPF_ADD, R0, 2), EXIT,
	};

	return form_insns_agree(stack, ARRAY_SIZE(stack), RW_FORM_SFI) &&
	       form_insns_agree(buffer, ARRAY_SIZE(buffer), RW_FORM_SFI);
}

/**
 * metadata() - as much room in front of a packet as XDP gives, and more
 *
 * Return: true if the twins agree
 */
static bool metadata(void)
{
	for (int32_t size = 244; size <= 260; size += 4) {
		const struct bpf_insn insns[] = {
			/* more room in front, if the packet is long enough */
			MOV64_X(R6, R1), MOV64_K(R2, 60), CALL(BPF_FUNC_xdp_adjust_head),
			MOV64_X(R1, R6), MOV64_K(R2, -size), CALL(BPF_FUNC_xdp_adjust_meta),
			KEEP(0), MOV64_X(R1, R6), MOV64_K(R2, 2), CALL(BPF_FUNC_xdp_adjust_meta),
			KEEP(1), MOV64_X(R1, R6), MOV64_K(R2, -20), CALL(BPF_FUNC_xdp_adjust_head),
			KEEP(2), MOV64_K(R0, 2), EXIT,
		};

		CHECK(form_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI));
	}
	return true;
}

/**
 * window() - packets that are longer than what is copied of them
 *
 * A program that writes to the front of a packet of any length, up to the end of
 * the smallest window.
 *
 * Return: true if the twins agree, with the smallest window and with others
 */
static bool window(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, XDP_PASS), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 7),
		LDX(BPF_B, R5, R2, 13), STX(BPF_B, R2, 4, R5), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 64), JMP_X(BPF_JGT, R4, R3, 2),
		ALU64_X(BPF_SUB, R3, R2), STX(BPF_B, R2, 63, R3), EXIT,
	};
	static const uint32_t windows[] = { 64, 65, 99, 100, 101, 1450, 1513, 1514, 1515 };
	struct rw_prog prog = { .insns = insns, .cnt = ARRAY_SIZE(insns) };

	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		struct twin t;
		bool ok = twin_make_window(&t, &prog, RW_FORM_SFI, windows[i]) && agree(&t);

		twin_free(&t);
		CHECK(ok);
	}
	return true;
}

/**
 * loose_join() - stack at a place that varies on one path and is constant on another
 *
 * Behind the place where they meet nothing may be known of it but that it is a
 * number.
 *
 * Return: true if the twins agree
 */
static bool loose_join(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, XDP_PASS), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 13),
		LDX(BPF_B, R6, R2, 13), JMP_K(BPF_JEQ, R6, 0, 6), MOV64_X(R7, R6),
		ALU64_K(BPF_AND, R7, 1), ALU64_K(BPF_LSH, R7, 3), ALU64_X(BPF_ADD, R7, R10),
		ST(BPF_DW, R7, -16, 7), JA(1), ST(BPF_DW, R10, -8, 5),
		JMP_K(BPF_JSET, R6, 1, 1), EXIT,
		LDX(BPF_DW, R1, R10, -8), JMP_K(BPF_JNE, R1, 5, 1), MOV64_K(R0, XDP_DROP), EXIT,
	};

	return form_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI);
}

/**
 * moved_null() - a packet pointer that can be NULL is moved, there and back
 *
 * Return: true if the twins agree
 */
static bool moved_null(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, XDP_PASS), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 9),
		LDX(BPF_B, R6, R2, 13), MOV64_X(R7, R2), JMP_K(BPF_JNE, R6, 0, 1),
		MOV64_K(R7, 0), ALU64_K(BPF_ADD, R7, 4), JMP_K(BPF_JEQ, R7, 0, 3),
		ALU64_K(BPF_ADD, R7, -4), JMP_K(BPF_JNE, R7, 0, 1), MOV64_K(R0, XDP_DROP), EXIT,
	};

	return form_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI);
}

/**
 * full_cmpxchg() - compare and exchange in a frame, with all registers in use
 *
 * Return: true if the twins agree
 */
static bool full_cmpxchg(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), ALU64_X(BPF_SUB, R3, R2),
		ALU64_K(BPF_AND, R3, 8), ALU64_X(BPF_ADD, R3, R10), ST(BPF_DW, R10, -24, 3),
		ST(BPF_DW, R10, -32, 3), ST(BPF_DW, R3, -32, 4),
		MOV64_K(R0, 3), MOV64_K(R1, 1), MOV64_K(R2, 20), MOV64_K(R3, 300),
		MOV64_K(R4, 4000), MOV64_K(R5, 5), MOV64_K(R6, 6), MOV64_K(R7, 7),
		MOV64_K(R8, 8), MOV64_K(R9, 9),
		ATOMIC(BPF_DW, R10, -24, R1, BPF_CMPXCHG),
		ALU64_X(BPF_ADD, R0, R1), ALU64_X(BPF_ADD, R0, R2), ALU64_X(BPF_ADD, R0, R3),
		ALU64_X(BPF_ADD, R0, R4), ALU64_X(BPF_ADD, R0, R5), ALU64_X(BPF_ADD, R0, R6),
		ALU64_X(BPF_ADD, R0, R7), ALU64_X(BPF_ADD, R0, R8), ALU64_X(BPF_ADD, R0, R9),
		KEEP(0), LDX(BPF_DW, R0, R10, -24), KEEP(1), MOV64_K(R0, XDP_PASS), EXIT,
	};

	return form_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI);
}

/**
 * across_window() - bytes are stored across the end of what is copied of a packet
 *
 * Behind it is the frame of a program whose stack is used at places that vary.
 *
 * Return: true if the twins agree
 */
static bool across_window(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), ALU64_X(BPF_SUB, R3, R2),
		ALU64_K(BPF_AND, R3, 8), ALU64_X(BPF_ADD, R3, R10), ST(BPF_DW, R10, -24, 3),
		ST(BPF_DW, R10, -32, 3), ST(BPF_DW, R3, -32, 4), ST(BPF_DW, R10, -40, 0x55aa),
		MOV64_K(R2, 60), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -40), MOV64_K(R4, 8),
		CALL(BPF_FUNC_xdp_store_bytes), KEEP(0), LDX(BPF_DW, R0, R10, -24), KEEP(1),
		LDX(BPF_DW, R0, R10, -32), KEEP(2), MOV64_K(R0, XDP_PASS), EXIT,
	};
	static const struct rw_map maps[] = { { 1, BPF_MAP_TYPE_ARRAY, 4, 8, 16 } };
	struct rw_prog prog = { insns, ARRAY_SIZE(insns), maps, 1, 1, RW_PROFILE_TENANT };
	struct twin t;
	bool ok = twin_make_window(&t, &prog, RW_FORM_SFI, 64) && agree(&t);

	twin_free(&t);
	return ok;
}

/**
 * long_argument() - packet memory for a helper that ends behind what is copied
 *
 * Return: true if that is a fault, and nothing else is
 */
static bool long_argument(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R3, R1), LD_END(R2, R1), MOV64_K(R0, XDP_PASS), MOV64_X(R4, R3),
		ALU64_K(BPF_ADD, R4, 99), JMP_X(BPF_JGT, R4, R2, 16),
		LDX(BPF_B, R4, R3, 14), ALU64_K(BPF_AND, R4, 0x44), MOV64_K(R1, 0),
		MOV64_K(R2, 0), MOV64_K(R5, 0), CALL(BPF_FUNC_csum_diff), KEEP(0),
		MOV64_K(R0, XDP_PASS), EXIT,
	};
	static const struct rw_map maps[] = { { 1, BPF_MAP_TYPE_ARRAY, 4, 8, 16 } };
	struct rw_prog prog = { insns, ARRAY_SIZE(insns), maps, 1, 1, RW_PROFILE_TENANT };
	uint8_t packet[100] = { 0 };
	struct twin t;
	bool made = twin_make_window(&t, &prog, RW_FORM_SFI, 64);

	for (uint8_t size = 0; made && size <= 0x44; size += 4) {
		packet[14] = size;
		if (twin_run(&t, packet, sizeof(packet)) != (size < 0x44))
			printf("# %u: %s\n", size, t.text);
	}
	made = made && twin_count(&t, VIRTIO_BPF_CNT_FAULT) == 1;
	twin_free(&t);
	return made;
}

/**
 * old_pointers() - the difference of pointers from before the packet was moved
 *
 * They are numbers now, but good ones.
 *
 * Return: true if the twins agree
 */
static bool old_pointers(void)
{
	static const struct bpf_insn insns[] = {
		MOV64_X(R8, R1), LD_DATA(R6, R1), LD_END(R7, R1), MOV64_K(R2, 4),
		STX(BPF_DW, R10, -24, R6), STX(BPF_DW, R10, -32, R7),
		CALL(BPF_FUNC_xdp_adjust_head), MOV64_X(R1, R8), MOV64_K(R2, -1),
		CALL(BPF_FUNC_xdp_adjust_tail), MOV64_X(R0, R7), ALU64_X(BPF_SUB, R0, R6), KEEP(0),
		MOV32_X(R0, R7), ALU32_X(BPF_SUB, R0, R6), KEEP(1),
		LDX(BPF_DW, R0, R10, -32), LDX(BPF_DW, R1, R10, -24),
		ALU64_X(BPF_SUB, R0, R1), KEEP(2), MOV64_K(R0, XDP_PASS), EXIT,
	};

	return form_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI);
}

/**
 * near_end() - a packet pointer near the end of what is copied, used before it is
 *		known how far the packet reaches behind it
 *
 * Return: true if the twins agree
 */
static bool near_end(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, XDP_PASS), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 15), JMP_X(BPF_JGT, R4, R3, 12),
		LDX(BPF_B, R6, R2, 14), ALU64_K(BPF_AND, R6, 63), ALU64_X(BPF_ADD, R2, R6),
		MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 1), JMP_X(BPF_JGT, R4, R3, 6),
		LDX(BPF_B, R0, R2, 0), MOV64_X(R4, R2), ALU64_K(BPF_ADD, R4, 60),
		JMP_X(BPF_JGT, R4, R3, 1), LDX(BPF_B, R0, R2, 59), ALU64_K(BPF_AND, R0, 3), EXIT,
	};
	struct rw_prog prog = { .insns = insns, .cnt = ARRAY_SIZE(insns) };
	uint8_t packet[64] = { 0 };
	struct twin t;
	bool ok = twin_make_window(&t, &prog, RW_FORM_SFI, sizeof(packet)) && !t.err;

	for (uint8_t at = 0; ok && at < sizeof(packet); at++) {
		memset(packet + 12, at, sizeof(packet) - 12);
		ok = twin_run(&t, packet, sizeof(packet));
	}
	if (!ok)
		printf("# %s\n", t.text);
	twin_free(&t);
	return ok;
}

/**
 * set_scratch() - write to the start of a translation's scratch
 * @t: the twins
 * @scratch: room for the scratch of all CPUs
 * @stride: bytes of one CPU's
 * @word: its first eight bytes
 *
 * Return: true if that worked
 */
static bool set_scratch(const struct twin *t, uint8_t *scratch, size_t stride, uint64_t word)
{
	uint32_t key = 0;

	memset(scratch, 0xa5, stride * (size_t)libbpf_num_possible_cpus());
	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
		memcpy(scratch + stride * (size_t)cpu, &word, sizeof(word));
	return !bpf_map_update_elem(t->scratch, &key, scratch, BPF_ANY);
}

/**
 * busy() - a packet that comes while the same program is at work on its CPU
 *
 * The mark is set from here, as if a run had been interrupted.
 *
 * Return: true if it is dropped and counted, and if the other run's copy of its
 *         packet is left alone
 */
static bool busy(void)
{
	static const struct bpf_insn insns[] = {
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, XDP_DROP), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 3), ST(BPF_B, R2, 3, 7),
		SUBCALL(2), MOV64_K(R0, XDP_PASS), EXIT,
		LD_DATA(R2, R1), LD_END(R3, R1), MOV64_K(R0, 0), MOV64_X(R4, R2),
		ALU64_K(BPF_ADD, R4, 14), JMP_X(BPF_JGT, R4, R3, 1), LDX(BPF_B, R0, R2, 13), EXIT,
	};
	static const struct rw_prog prog = { .insns = insns, .cnt = ARRAY_SIZE(insns) };
	size_t stride = (RW_SCRATCH_SIZE(TWIN_WINDOW) + 7) & ~7u;
	size_t size = stride * (size_t)libbpf_num_possible_cpus();
	uint8_t *before = malloc(size), *after = malloc(size), packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = 1);
	uint64_t faults;
	uint32_t key = 0;
	struct twin t;
	bool ok;

	ok = twin_make(&t, &prog, RW_FORM_SFI) && before && after;
	for (uint64_t mark = 1; ok && mark <= 2; mark++) {
		faults = twin_count(&t, VIRTIO_BPF_CNT_FAULT);
		ok = set_scratch(&t, before, stride, mark) &&
		     !bpf_prog_test_run_opts(t.strict, &opts) &&
		     !bpf_map_lookup_elem(t.scratch, &key, after);
		ok = ok && opts.retval == TC_ACT_SHOT && !memcmp(before, after, size) &&
		     twin_count(&t, VIRTIO_BPF_CNT_FAULT) == faults + 1;
	}
	/* Not marked, what an earlier run left behind makes no difference. */
	ok = ok && set_scratch(&t, before, stride, 0) && twin_run(&t, packet, sizeof(packet)) &&
	     !bpf_map_lookup_elem(t.scratch, &key, after);
	for (int cpu = 0; ok && cpu < libbpf_num_possible_cpus(); cpu++)
		ok = !after[stride * (size_t)cpu];
	twin_free(&t);
	free(before);
	free(after);
	return ok;
}

/**
 * obj_pass() - a compiled program that does nothing
 *
 * Return: true if the twins agree
 */
static bool obj_pass(void)
{
	return object_agrees("pass");
}

/**
 * obj_verdicts() - a compiled program with a verdict for each UDP port
 *
 * Return: true if the twins agree
 */
static bool obj_verdicts(void)
{
	return object_agrees("verdicts");
}

/**
 * obj_maps() - a compiled program with an array and a hash
 *
 * Return: true if the twins agree
 */
static bool obj_maps(void)
{
	return object_agrees("maps");
}

/**
 * obj_length() - a compiled program that asks for the packet's length
 *
 * Return: true if the twins agree
 */
static bool obj_length(void)
{
	return object_agrees("length");
}

/**
 * obj_loop() - a compiled program with a loop
 *
 * Return: true if the twins agree
 */
static bool obj_loop(void)
{
	return object_agrees("loop");
}

/**
 * obj_calls() - a compiled program of several functions
 *
 * Return: true if the twins agree
 */
static bool obj_calls(void)
{
	return object_agrees("calls");
}

/**
 * obj_bytes() - a compiled program that uses helpers for the packet
 *
 * Return: true if the twins agree
 */
static bool obj_bytes(void)
{
	return object_agrees("bytes");
}

/**
 * obj_demo() - the program of the demonstration
 *
 * Return: true if the twins agree
 */
static bool obj_demo(void)
{
	return object_agrees("demo");
}

/**
 * obj_vlan() - a compiled parser of VLAN tags and IPv6 extension headers
 *
 * Return: true if the twins agree
 */
static bool obj_vlan(void)
{
	return form_agrees("vlan", RW_FORM_SFI);
}

/**
 * obj_head() - a compiled program that moves the packet's start
 *
 * Return: true if the twins agree
 */
static bool obj_head(void)
{
	return form_agrees("head", RW_FORM_SFI);
}

/**
 * obj_tail() - a compiled program that moves the packet's end, and metadata
 *
 * Return: true if the twins agree
 */
static bool obj_tail(void)
{
	return form_agrees("tail", RW_FORM_SFI);
}

/**
 * obj_memory() - a compiled program that hands packet memory to helpers
 *
 * Return: true if the twins agree
 */
static bool obj_memory(void)
{
	return form_agrees("memory", RW_FORM_SFI);
}

/**
 * obj_value() - a compiled program that indexes arrays in a map's value
 *
 * Return: true if the twins agree
 */
static bool obj_value(void)
{
	return form_agrees("value", RW_FORM_SFI);
}

/**
 * obj_ihl() - a parser that follows the IPv4 header's length needs form sfi
 *
 * Return: true if it is refused in words that say where and why
 */
static bool obj_ihl(void)
{
	struct twin t;
	bool made = twin_from_object(&t, "ihl", RW_FORM_LITE);
	bool told = strstr(t.text, "moves a packet pointer by a number that is not constant, "
				   "which the host's verifier does not allow\n") &&
		    !strncmp(t.text, "instruction ", 12);

	twin_free(&t);
	CHECK(made);
	CHECK_EQ(t.err, -EOPNOTSUPP);
	CHECK(told);
	return form_agrees("ihl", RW_FORM_SFI);
}

/**
 * main() - run the cases
 *
 * Return: exit status
 */
int main(void)
{
	static const struct ktap_case cases[] = {
		{ "verdicts and their counters", verdicts },
		{ "differences of packet pointers", lengths },
		{ "the length without a context at hand", lost_context },
		{ "context fields", fields },
		{ "constants in registers", constants },
		{ "a loop", loops },
		{ "an element that is looked up twice", twice },
		{ "atomics", atomics },
		{ "may_goto", may_goto },
		{ "far jumps", far },
		{ "a program that comes to run inside itself", busy },
		{ "stack that was not written", unwritten },
		{ "metadata of the greatest length", metadata },
		{ "packets longer than what is copied", window },
		{ "stack at places that vary on one path only", loose_join },
		{ "a packet pointer that was NULL and moved", moved_null },
		{ "compare and exchange with all registers in use", full_cmpxchg },
		{ "bytes stored across the end of what is copied", across_window },
		{ "packet memory for helpers behind what is copied", long_argument },
		{ "pointers from before the packet was moved", old_pointers },
		{ "a pointer near the end of what is copied", near_end },
		{ "compiled: pass", obj_pass },
		{ "compiled: a verdict per port", obj_verdicts },
		{ "compiled: maps", obj_maps },
		{ "compiled: length", obj_length },
		{ "compiled: loop", obj_loop },
		{ "compiled: functions", obj_calls },
		{ "compiled: load_bytes and store_bytes", obj_bytes },
		{ "compiled: the demonstration", obj_demo },
		{ "compiled: variable header length, which lite refuses in words", obj_ihl },
		{ "compiled: VLAN tags and extension headers", obj_vlan },
		{ "compiled: adjust_head", obj_head },
		{ "compiled: adjust_tail and adjust_meta", obj_tail },
		{ "compiled: packet memory for helpers", obj_memory },
		{ "compiled: arrays in a map's value", obj_value },
	};

	if (!twin_usable()) {
		printf("TAP version 13\n1..0 # SKIP loading programs needs root\n");
		return 0;
	}
	return ktap_main(cases, ARRAY_SIZE(cases));
}
