// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Programs that get an address out, by the way that they take: see leaks.h. The
 * sentences are those of host-loader/rewriter/taint.c.
 */
#include "leaks.h"

#define MOVSX(dst, src, bits)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, bits, 0)
#define MOVSX32(dst, src, bits)	INSN(BPF_ALU | BPF_MOV | BPF_X, dst, src, bits, 0)
#define NEG64(dst)		INSN(BPF_ALU64 | BPF_NEG, dst, 0, 0, 0)
#define NEG32(dst)		INSN(BPF_ALU | BPF_NEG, dst, 0, 0, 0)
#define BSWAP(dst, bits)	INSN(BPF_ALU64 | BPF_END, dst, 0, 0, bits)
#define TO_BE(dst, bits)	INSN(BPF_ALU | BPF_END | BPF_TO_BE, dst, 0, 0, bits)
#define TO_LE(dst, bits)	INSN(BPF_ALU | BPF_END | BPF_TO_LE, dst, 0, 0, bits)
#define JMP32_X(op, dst, src, off)	INSN(BPF_JMP32 | (op) | BPF_X, dst, src, off, 0)
#define LEAK(name, raw, says, ...)                                            \
	{ name, raw, (const struct bpf_insn[]){ __VA_ARGS__ },                \
	  sizeof((const struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn), says }
#define SORT(name, list)	{ name, list, ARRAY_SIZE(list) }

/* r9 becomes a pointer of each kind; r6 holds the context. */
#define GET_CTX		MOV64_X(R9, R6)
#define GET_STACK	MOV64_X(R9, R10)
#define GET_MAP		LD_MAP(R9, LEAK_ARRAY)
#define GET_VALUE	ELEMENT(1), MOV64_X(R9, R0)
#define GET_PKT		LD_DATA(R9, R6)
#define GET_END		LD_END(R9, R6)
/* What @size of r9 is is stored to a map's value or to the packet. */
#define TO_MAP(size)	ELEMENT(0), STX(size, R0, 0, R9), PASS
#define TO_PACKET(size)                                                       \
	LD_DATA(R7, R6), LD_END(R8, R6), MOV64_X(R1, R7), ALU64_K(BPF_ADD, R1, 32), \
	JMP_X(BPF_JGT, R1, R8, 1), STX(size, R7, 16, R9), PASS
/* The verdict tells how a comparison went. */
#define VERDICT_BY(jump)	MOV64_K(R0, 1), jump, MOV64_K(R0, 2), EXIT
/* A pointer into the packet goes to the stack, @off from r10. */
#define SPILL(off)	LD_DATA(R9, R6), STX(BPF_DW, R10, off, R9)
/* A key or a value of the hash table at r10 - @off, of zeroes. */
#define ZEROES(off)	ST(BPF_DW, R10, -(off), 0), ST(BPF_DW, R10, -(off) + 8, 0)
#define UPDATE(key, value)                                                    \
	MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -(key)), MOV64_X(R3, R10),     \
	ALU64_K(BPF_ADD, R3, -(value)), LD_MAP(R1, LEAK_HASH), MOV64_K(R4, 0), \
	CALL(BPF_FUNC_map_update_elem), PASS
#define CSUM(off, len)                                                        \
	MOV64_K(R1, 0), MOV64_K(R2, 0), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -(off)), \
	MOV64_K(R4, len), MOV64_K(R5, 0), CALL(BPF_FUNC_csum_diff), MOV64_X(R7, R0), TELL(R7)
#define STORE(off, len)                                                       \
	MOV64_X(R1, R6), MOV64_K(R2, 16), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -(off)), \
	MOV64_K(R4, len), CALL(BPF_FUNC_xdp_store_bytes)
#define STORE_BYTES(off, len)	STORE(off, len), PASS

static const struct leak to_map[] = {
	LEAK("the context", LEAKS, "stores r9, the context, to a map's value",
	     BEGIN, GET_CTX, TO_MAP(BPF_DW)),
	LEAK("a stack pointer", LEAKS, "stores r9, a pointer into the stack, to a map's value",
	     BEGIN, GET_STACK, TO_MAP(BPF_DW)),
	LEAK("a map", LEAKS, "stores r9, a map, to a map's value", BEGIN, GET_MAP, TO_MAP(BPF_DW)),
	LEAK("a value's pointer", LEAKS, "stores r9, a pointer into a map's value, to a map's",
	     BEGIN, GET_VALUE, TO_MAP(BPF_DW)),
	LEAK("a packet pointer", LEAKS, "stores r9, a packet pointer, to a map's value",
	     BEGIN, GET_PKT, TO_MAP(BPF_DW)),
	LEAK("the packet's end", LEAKS, "stores r9, the packet's end, to a map's value",
	     BEGIN, GET_END, TO_MAP(BPF_DW)),
	LEAK("half the context", LEAKS, "stores r9, the context", BEGIN, GET_CTX, TO_MAP(BPF_W)),
	LEAK("half a stack pointer", LEAKS, "stores r9, a pointer into the stack",
	     BEGIN, GET_STACK, TO_MAP(BPF_W)),
	LEAK("half a map", LEAKS, "stores r9, a map,", BEGIN, GET_MAP, TO_MAP(BPF_W)),
	LEAK("half a value's pointer", LEAKS, "stores r9, a pointer into a map's value",
	     BEGIN, GET_VALUE, TO_MAP(BPF_W)),
	LEAK("half a packet pointer", LEAKS, "stores r9, a packet pointer",
	     BEGIN, GET_PKT, TO_MAP(BPF_W)),
	LEAK("half the packet's end", LEAKS, "stores r9, the packet's end",
	     BEGIN, GET_END, TO_MAP(BPF_W)),
	LEAK("two bytes of a stack pointer", LEAKS, "stores r9, a pointer into the stack",
	     BEGIN, GET_STACK, TO_MAP(BPF_H)),
	LEAK("a byte of a packet pointer", LEAKS, "stores r9, a packet pointer",
	     BEGIN, GET_PKT, TO_MAP(BPF_B)),
};

static const struct leak to_packet[] = {
	LEAK("the context", LEAKS, "stores r9, the context, to the packet",
	     BEGIN, GET_CTX, TO_PACKET(BPF_DW)),
	LEAK("a stack pointer", LEAKS, "stores r9, a pointer into the stack, to the packet",
	     BEGIN, GET_STACK, TO_PACKET(BPF_DW)),
	LEAK("a map", LEAKS, "stores r9, a map, to the packet", BEGIN, GET_MAP, TO_PACKET(BPF_DW)),
	LEAK("a value's pointer", LEAKS, "stores r9, a pointer into a map's value, to the packet",
	     BEGIN, GET_VALUE, TO_PACKET(BPF_DW)),
	LEAK("a packet pointer", LEAKS, "stores r9, a packet pointer, to the packet",
	     BEGIN, GET_PKT, TO_PACKET(BPF_DW)),
	LEAK("the packet's end", LEAKS, "stores r9, the packet's end, to the packet",
	     BEGIN, GET_END, TO_PACKET(BPF_DW)),
	LEAK("half the context", LEAKS, "stores r9, the context",
	     BEGIN, GET_CTX, TO_PACKET(BPF_W)),
	LEAK("half a packet pointer", LEAKS, "stores r9, a packet pointer",
	     BEGIN, GET_PKT, TO_PACKET(BPF_W)),
	LEAK("a byte of a map", LEAKS, "stores r9, a map", BEGIN, GET_MAP, TO_PACKET(BPF_B)),
};

#define RETURN		MOV64_X(R0, R9), EXIT

static const struct leak returned[] = {
	LEAK("the context", LEAKS, "returns r0, the context", BEGIN, GET_CTX, RETURN),
	LEAK("a stack pointer", LEAKS, "returns r0, a pointer into the stack",
	     BEGIN, GET_STACK, RETURN),
	LEAK("a map", LEAKS, "returns r0, a map", BEGIN, GET_MAP, RETURN),
	LEAK("a value's pointer", LEAKS, "returns r0, a pointer into a map's value",
	     BEGIN, GET_VALUE, RETURN),
	LEAK("a packet pointer", LEAKS, "returns r0, a packet pointer", BEGIN, GET_PKT, RETURN),
	LEAK("the packet's end", LEAKS, "returns r0, the packet's end", BEGIN, GET_END, RETURN),
	LEAK("a pointer on one path", LEAKS, "returns r0, a pointer on some path",
	     BEGIN, ANY_NUMBER(R7, 1), MOV64_K(R0, 2), JMP_K(BPF_JEQ, R7, 0, 1), LD_DATA(R0, R6),
	     EXIT),
	LEAK("what a function returned", LEAKS, "returns r0, a packet pointer",
	     SUBCALL(1), EXIT, LD_DATA(R0, R1), EXIT),
};

static const struct leak compared[] = {
	LEAK("a packet pointer with a number", LEAKS, "compares r9, a packet pointer, with a number",
	     BEGIN, GET_PKT, VERDICT_BY(JMP_K(BPF_JGT, R9, 0x1000, 1))),
	LEAK("the context with a number", LEAKS, "compares r9, the context, with a number",
	     BEGIN, GET_CTX, VERDICT_BY(JMP_K(BPF_JEQ, R9, 5, 1))),
	LEAK("a bit of the context", LEAKS, "compares r9, the context, with a number",
	     BEGIN, GET_CTX, VERDICT_BY(JMP_K(BPF_JSET, R9, 0x1000, 1))),
	LEAK("a map with a number", LEAKS, "compares r9, a map, with a number",
	     BEGIN, GET_MAP, VERDICT_BY(JMP_K(BPF_JSGT, R9, -5, 1))),
	LEAK("the packet's end with a number", LEAKS, "compares r9, the packet's end, with a",
	     BEGIN, GET_END, VERDICT_BY(JMP_K(BPF_JLT, R9, 77, 1))),
	LEAK("a stack pointer with an unknown number", LEAKS, "compares r9, a pointer into the st",
	     BEGIN, GET_STACK, ANY_NUMBER(R7, 255), VERDICT_BY(JMP_X(BPF_JLE, R9, R7, 1))),
	LEAK("a number with a value's pointer", LEAKS, "compares r9, a pointer into a map's value",
	     BEGIN, GET_VALUE, LD_IMM64(R7, 0, (int)0xffff8880),
	     VERDICT_BY(JMP_X(BPF_JGT, R7, R9, 1))),
	LEAK("values of two lookups", LEAKS, "compares r7, a pointer into a map's value, with r9",
	     BEGIN, ELEMENT(0), MOV64_X(R7, R0), GET_VALUE, VERDICT_BY(JMP_X(BPF_JGT, R7, R9, 1))),
	LEAK("a value's pointer with the stack", LEAKS, "compares r9, a pointer into a map's value, "
	     "with r10, a pointer into the stack",
	     BEGIN, GET_VALUE, VERDICT_BY(JMP_X(BPF_JGT, R9, R10, 1))),
	LEAK("a packet pointer with the context", LEAKS, "compares r9, a packet pointer, with r6, "
	     "the context", BEGIN, GET_PKT, VERDICT_BY(JMP_X(BPF_JSLT, R9, R6, 1))),
	LEAK("a packet pointer with a value's", LEAKS, "compares r7, a packet pointer, with r9",
	     BEGIN, LD_DATA(R7, R6), GET_VALUE, VERDICT_BY(JMP_X(BPF_JEQ, R7, R9, 1))),
	LEAK("32 bits of a packet pointer with 0", LEAKS, "compares r9, a packet pointer, with a",
	     BEGIN, GET_PKT, VERDICT_BY(JMP32_K(BPF_JEQ, R9, 0, 1))),
	LEAK("32 bits of the context with a number", LEAKS, "compares r9, the context, with a num",
	     BEGIN, GET_CTX, VERDICT_BY(JMP32_K(BPF_JGT, R9, 0x1000, 1))),
	LEAK("32 bits of packet pointers", LEAKS, "compares r9, a packet pointer, with r8, the pa",
	     BEGIN, GET_PKT, LD_END(R8, R6), VERDICT_BY(JMP32_X(BPF_JGT, R9, R8, 1))),
	LEAK("common bits of packet pointers", LEAKS, "compares r9, a packet pointer, with r8, th",
	     BEGIN, GET_PKT, LD_END(R8, R6), VERDICT_BY(JMP_X(BPF_JSET, R9, R8, 1))),
	LEAK("the packet's end with what may be a number", LEAKS, "compares r9, a pointer on some",
	     BEGIN, GET_PKT, LD_END(R8, R6), ANY_NUMBER(R7, 255), JMP_K(BPF_JEQ, R7, 0, 1),
	     MOV64_X(R9, R7), VERDICT_BY(JMP_X(BPF_JGT, R9, R8, 1))),
	LEAK("a pointer that wraps with the packet's end", LEAKS, "by a number that may be greater",
	     BEGIN, GET_PKT, LD_END(R8, R6), ANY_NUMBER(R1, 255),
	     ALU64_K(BPF_LSH, R1, 39), ALU64_X(BPF_ADD, R9, R1),
	     VERDICT_BY(JMP_X(BPF_JGT, R9, R8, 1))),
	LEAK("a value's pointer that wraps with NULL", LEAKS, "compares r9, a pointer into a map",
	     BEGIN, GET_VALUE, ANY_NUMBER(R1, 255), ALU64_K(BPF_LSH, R1, 39),
	     ALU64_X(BPF_ADD, R9, R1), VERDICT_BY(JMP_K(BPF_JEQ, R9, 0, 1))),
};

/* r9, a number made from a pointer, gets out. */
#define SUM(get, ...)		BEGIN, get, __VA_ARGS__, TELL(R9)

static const struct leak arithmetic[] = {
	LEAK("32 bits of the context", LEAKS, "moves a part of r9, the context",
	     SUM(GET_CTX, MOV32_X(R9, R9))),
	LEAK("32 bits of a stack pointer", LEAKS, "moves a part of r9, a pointer into the stack",
	     SUM(GET_STACK, MOV32_X(R9, R9))),
	LEAK("32 bits of a map", LEAKS, "moves a part of r9, a map",
	     SUM(GET_MAP, MOV32_X(R9, R9))),
	LEAK("32 bits of a value's pointer", LEAKS, "moves a part of r9, a pointer into a map's",
	     SUM(GET_VALUE, MOV32_X(R9, R9))),
	LEAK("32 bits of a packet pointer", LEAKS, "stores r9, a packet pointer",
	     SUM(GET_PKT, MOV32_X(R9, R9))),
	LEAK("32 bits of the packet's end", LEAKS, "stores r9, the packet's end",
	     SUM(GET_END, MOV32_X(R9, R9))),
	LEAK("32 bits of a pointer on one path", LEAKS, "moves a part of r9, a pointer on some",
	     BEGIN, GET_PKT, ANY_NUMBER(R7, 1), JMP_K(BPF_JEQ, R7, 0, 1), MOV64_X(R9, R7),
	     MOV32_X(R9, R9), TELL(R9)),
	LEAK("8 bits with a sign", LEAKS, "moves a part of r9, a packet pointer",
	     SUM(GET_PKT, MOVSX(R9, R9, 8))),
	LEAK("16 bits with a sign", LEAKS, "moves a part of r9, a pointer into the stack",
	     SUM(GET_STACK, MOVSX32(R9, R9, 16))),
	LEAK("32 bits with a sign", LEAKS, "moves a part of r9, the context",
	     SUM(GET_CTX, MOVSX(R9, R9, 32))),
	LEAK("the negative", LEAKS, "makes a number of r9, a packet pointer",
	     SUM(GET_PKT, NEG64(R9))),
	LEAK("the negative in 32 bits", LEAKS, "makes a number of r9, the context",
	     SUM(GET_CTX, NEG32(R9))),
	LEAK("bytes swapped", LEAKS, "makes a number of r9, a pointer into a map's value",
	     SUM(GET_VALUE, BSWAP(R9, 64))),
	LEAK("in network order", LEAKS, "makes a number of r9, a map", SUM(GET_MAP, TO_BE(R9, 64))),
	LEAK("16 bits in host order", LEAKS, "makes a number of r9, a pointer into the stack",
	     SUM(GET_STACK, TO_LE(R9, 16))),
	LEAK("minus a number in 32 bits", LEAKS, "makes a number of r9, a packet pointer",
	     SUM(GET_PKT, ALU32_K(BPF_SUB, R9, 1))),
	LEAK("plus a number in 32 bits", KERNEL_NO, "makes a number of r9, a packet pointer",
	     SUM(GET_PKT, ALU32_K(BPF_ADD, R9, 1))),
	LEAK("and a mask", KERNEL_NO, "makes a number of r9, a packet pointer",
	     SUM(GET_PKT, ALU64_K(BPF_AND, R9, 0xfff))),
	LEAK("or a number", KERNEL_NO, "makes a number of r9, the context",
	     SUM(GET_CTX, ALU64_K(BPF_OR, R9, 1))),
	LEAK("shifted", KERNEL_NO, "makes a number of r9, a map",
	     SUM(GET_MAP, ALU64_K(BPF_RSH, R9, 12))),
	LEAK("multiplied", KERNEL_NO, "makes a number of r9, a pointer into the stack",
	     SUM(GET_STACK, ALU64_K(BPF_MUL, R9, 2))),
	LEAK("a number minus a pointer", KERNEL_NO, "makes a number of r6, the context",
	     SUM(MOV64_K(R9, 0), ALU64_X(BPF_SUB, R9, R6))),
	LEAK("stack minus context", LEAKS, "subtracts r6, the context, from r9, a pointer into",
	     SUM(GET_STACK, ALU64_X(BPF_SUB, R9, R6))),
	LEAK("packet minus context", LEAKS, "subtracts r6, the context, from r9, a packet pointer",
	     SUM(GET_PKT, ALU64_X(BPF_SUB, R9, R6))),
	LEAK("end minus stack", LEAKS, "subtracts r10, a pointer into the stack, from r9, the pac",
	     SUM(GET_END, ALU64_X(BPF_SUB, R9, R10))),
	LEAK("value minus value", LEAKS, "subtracts r7, a pointer into a map's value, from r9",
	     BEGIN, ELEMENT(0), MOV64_X(R7, R0), GET_VALUE, ALU64_X(BPF_SUB, R9, R7), TELL(R9)),
	LEAK("map minus packet, in 32 bits", LEAKS, "subtracts r7, a packet pointer, from r9, a m",
	     BEGIN, LD_DATA(R7, R6), SUM(GET_MAP, ALU32_X(BPF_SUB, R9, R7))),
	LEAK("packet pointer minus what may be NULL", LEAKS, "subtracts r8, a packet pointer",
	     BEGIN, GET_PKT, ANY_NUMBER(R7, 1), MOV64_K(R8, 0), JMP_K(BPF_JEQ, R7, 0, 1),
	     MOV64_X(R8, R9), ALU64_X(BPF_SUB, R9, R8), TELL(R9)),
	LEAK("packet pointer minus its end, or NULL", LEAKS, "subtracts r8, a pointer on some path",
	     BEGIN, GET_PKT, ANY_NUMBER(R7, 3), LD_END(R8, R6), JMP_K(BPF_JEQ, R7, 3, 4),
	     MOV64_K(R8, 0), JMP_K(BPF_JEQ, R7, 0, 1), MOV64_X(R8, R9), MOV64_K(R1, 0),
	     ALU64_X(BPF_SUB, R9, R8), TELL(R9)),
	LEAK("two pointers added", KERNEL_NO, "adds r7, a packet pointer, to r9, a packet pointer",
	     BEGIN, LD_DATA(R7, R6), SUM(GET_PKT, ALU64_X(BPF_ADD, R9, R7))),
};

static const struct leak arguments[] = {
	LEAK("flags of an update", LEAKS, "argument 4 of helper map_update_elem is not a number",
	     BEGIN, GET_PKT, ZEROES(16), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -16),
	     MOV64_X(R3, R2), LD_MAP(R1, LEAK_HASH), MOV64_X(R4, R9),
	     CALL(BPF_FUNC_map_update_elem), MOV64_X(R7, R0), TELL(R7)),
	LEAK("the seed of a checksum", LEAKS, "argument 5 of helper csum_diff is not a number",
	     BEGIN, GET_PKT, MOV64_K(R1, 0), MOV64_K(R2, 0), MOV64_K(R3, 0), MOV64_K(R4, 0),
	     MOV64_X(R5, R9), CALL(BPF_FUNC_csum_diff), MOV64_X(R7, R0), TELL(R7)),
	LEAK("the seed of another one", LEAKS, "argument 5 of helper csum_diff is not a number",
	     BEGIN, GET_VALUE, ZEROES(16), MOV64_X(R1, R10), ALU64_K(BPF_ADD, R1, -16),
	     MOV64_K(R2, 16), MOV64_K(R3, 0), MOV64_K(R4, 0), MOV64_X(R5, R9),
	     CALL(BPF_FUNC_csum_diff), MOV64_X(R7, R0), TELL(R7)),
	LEAK("an offset into the packet", LEAKS, "argument 2 of helper xdp_load_bytes is not",
	     BEGIN, MOV64_X(R1, R6), MOV64_X(R2, R6), ZEROES(16), MOV64_X(R3, R10),
	     ALU64_K(BPF_ADD, R3, -16), MOV64_K(R4, 8), CALL(BPF_FUNC_xdp_load_bytes),
	     MOV64_X(R7, R0), TELL(R7)),
	LEAK("an offset for a store", LEAKS, "argument 2 of helper xdp_store_bytes is not",
	     BEGIN, MOV64_X(R1, R6), MOV64_X(R2, R10), ZEROES(16), MOV64_X(R3, R10),
	     ALU64_K(BPF_ADD, R3, -16), MOV64_K(R4, 8), CALL(BPF_FUNC_xdp_store_bytes),
	     MOV64_X(R7, R0), TELL(R7)),
	LEAK("what is a pointer on one path", LEAKS, "argument 5 of helper csum_diff is not a number",
	     BEGIN, MOV64_X(R1, R6), SUBCALL(19), MOV64_X(R9, R0),
	     MOV64_K(R1, 0), MOV64_K(R2, 0), MOV64_K(R3, 0), MOV64_K(R4, 0),
	     MOV64_X(R5, R9), CALL(BPF_FUNC_csum_diff), MOV64_X(R7, R0), TELL(R7),
	     MOV64_X(R6, R1), CALL(BPF_FUNC_get_prandom_u32), ALU64_K(BPF_AND, R0, 1),
	     JMP_K(BPF_JEQ, R0, 0, 1), LD_DATA(R0, R6), EXIT),
	LEAK("how far the head moves", LEAKS, "argument 2 of helper xdp_adjust_head is not",
	     BEGIN, MOV64_X(R1, R6), LD_MAP(R2, LEAK_ARRAY), CALL(BPF_FUNC_xdp_adjust_head),
	     MOV64_X(R7, R0), TELL(R7)),
	LEAK("a length", KERNEL_NO, "argument 2 of helper csum_diff is not a number",
	     BEGIN, ZEROES(16), MOV64_X(R1, R10), ALU64_K(BPF_ADD, R1, -16), MOV64_X(R2, R6),
	     MOV64_K(R3, 0), MOV64_K(R4, 0), MOV64_K(R5, 0), CALL(BPF_FUNC_csum_diff),
	     MOV64_X(R7, R0), TELL(R7)),
	LEAK("the index of a tail call", KERNEL_NO, "helper tail_call (12) is not allowed",
	     BEGIN, LD_MAP(R2, LEAK_ARRAY), MOV64_X(R3, R6), CALL(BPF_FUNC_tail_call), PASS),
	LEAK("what is printed", LEAKS, "helper trace_printk (6) is not allowed",
	     BEGIN, ST(BPF_W, R10, -8, 0x000a7825), MOV64_X(R1, R10), ALU64_K(BPF_ADD, R1, -8),
	     MOV64_K(R2, 4), MOV64_X(R3, R6), CALL(BPF_FUNC_trace_printk), PASS),
};

static const struct leak buffers[] = {
	LEAK("a pointer in a key", LEAKS, "hands helper map_update_elem a buffer in the stack that "
	     "has bytes of a pointer in it",
	     BEGIN, ZEROES(16), ZEROES(32), SPILL(-16), UPDATE(16, 32)),
	LEAK("a pointer in the middle of a key", LEAKS, "bytes of a pointer",
	     BEGIN, ZEROES(16), ZEROES(32), SPILL(-8), UPDATE(16, 32)),
	LEAK("a pointer in a value", LEAKS, "bytes of a pointer",
	     BEGIN, ZEROES(16), ZEROES(32), SPILL(-24), UPDATE(16, 32)),
	LEAK("a pointer in a key that is looked up", LEAKS, "hands helper map_lookup_elem a buffer",
	     BEGIN, ZEROES(16), SPILL(-16), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -16),
	     LD_MAP(R1, LEAK_HASH), CALL(BPF_FUNC_map_lookup_elem), MOV64_K(R7, 1),
	     JMP_K(BPF_JNE, R0, 0, 1), MOV64_K(R7, 2), MOV64_X(R0, R7), EXIT),
	LEAK("a pointer in a key that is deleted", LEAKS, "hands helper map_delete_elem a buffer",
	     BEGIN, ZEROES(16), SPILL(-16), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -16),
	     LD_MAP(R1, LEAK_HASH), CALL(BPF_FUNC_map_delete_elem), MOV64_X(R7, R0), TELL(R7)),
	LEAK("a pointer in a checksum", LEAKS, "hands helper csum_diff a buffer",
	     BEGIN, SPILL(-16), CSUM(16, 8)),
	LEAK("half a pointer in a checksum", LEAKS, "hands helper csum_diff a buffer",
	     BEGIN, SPILL(-16), ST(BPF_W, R10, -16, 0), CSUM(16, 8)),
	LEAK("a pointer in bytes for the packet", LEAKS, "hands helper xdp_store_bytes a buffer",
	     BEGIN, SPILL(-16), STORE_BYTES(16, 8)),
	LEAK("a pointer that a failed load left", LEAKS, "hands helper xdp_load_bytes a buffer",
	     BEGIN, SPILL(-16), MOV64_X(R1, R6), MOV64_K(R2, 0xfff0), MOV64_X(R3, R10),
	     ALU64_K(BPF_ADD, R3, -16), MOV64_K(R4, 8), CALL(BPF_FUNC_xdp_load_bytes),
	     LDX(BPF_DW, R7, R10, -16), TELL(R7)),
	LEAK("a pointer in a buffer of any length", LEAKS, "hands helper csum_diff a buffer",
	     BEGIN, ZEROES(32), ZEROES(16), SPILL(-16), ANY_NUMBER(R4, 28),
	     MOV64_K(R1, 0), MOV64_K(R2, 0), MOV64_X(R3, R10), ALU64_K(BPF_ADD, R3, -32),
	     MOV64_K(R5, 0), CALL(BPF_FUNC_csum_diff), MOV64_X(R7, R0), TELL(R7)),
	LEAK("a pointer in a buffer at any offset", LEAKS, "hands helper csum_diff a buffer",
	     BEGIN, ZEROES(32), ZEROES(16), SPILL(-16), ANY_NUMBER(R3, 16),
	     MOV64_K(R1, 0), MOV64_K(R2, 0), ALU64_X(BPF_ADD, R3, R10), ALU64_K(BPF_ADD, R3, -32),
	     MOV64_K(R4, 8), MOV64_K(R5, 0), CALL(BPF_FUNC_csum_diff), MOV64_X(R7, R0), TELL(R7)),
	LEAK("an unwritten key", LEAKS, "hands helper map_update_elem a buffer in the stack that is "
	     "not written", BEGIN, ZEROES(32), UPDATE(16, 32)),
	LEAK("an unwritten value", LEAKS, "not written on every path",
	     BEGIN, ZEROES(16), UPDATE(16, 32)),
	LEAK("a value with a hole", LEAKS, "not written on every path",
	     BEGIN, ZEROES(16), ST(BPF_DW, R10, -32, 0), ST(BPF_W, R10, -20, 0), UPDATE(16, 32)),
	LEAK("unwritten bytes in a checksum", LEAKS, "not written on every path",
	     BEGIN, CSUM(16, 8)),
	LEAK("unwritten bytes for the packet", LEAKS, "not written on every path",
	     BEGIN, STORE_BYTES(16, 8)),
};

static const struct leak stack[] = {
	LEAK("bytes that were never written", LEAKS, "reads stack that is not written",
	     BEGIN, LDX(BPF_DW, R7, R10, -64), TELL(R7)),
	LEAK("a byte that was never written", LEAKS, "reads stack that is not written",
	     BEGIN, ST(BPF_W, R10, -64, 0), ST(BPF_H, R10, -60, 0), ST(BPF_B, R10, -57, 0),
	     LDX(BPF_DW, R7, R10, -64), TELL(R7)),
	LEAK("bytes written on one path", LEAKS, "reads stack that is not written",
	     BEGIN, ANY_NUMBER(R7, 1), JMP_K(BPF_JEQ, R7, 0, 1), ST(BPF_DW, R10, -64, 0),
	     LDX(BPF_DW, R7, R10, -64), TELL(R7)),
	LEAK("unwritten bytes at any offset", LEAKS, "reads stack that is not written",
	     BEGIN, ZEROES(64), ANY_NUMBER(R7, 24), ALU64_X(BPF_ADD, R7, R10),
	     LDX(BPF_B, R7, R7, -64), TELL(R7)),
	LEAK("bytes of a frame that is gone", LEAKS, "reads stack that is not written",
	     BEGIN, SUBCALL(13), SUBCALL(15), MOV64_X(R7, R0), TELL(R7),
	     ST(BPF_DW, R10, -32, 7), MOV64_K(R0, 0), EXIT, LDX(BPF_DW, R0, R10, -32), EXIT),
	LEAK("four bytes of a pointer", KERNEL_NO, "reads bytes of a pointer from the stack",
	     BEGIN, SPILL(-64), LDX(BPF_W, R7, R10, -64), TELL(R7)),
	LEAK("the upper four bytes", KERNEL_NO, "reads bytes of a pointer from the stack",
	     BEGIN, SPILL(-64), LDX(BPF_W, R7, R10, -60), TELL(R7)),
	LEAK("two bytes of a pointer", KERNEL_NO, "reads bytes of a pointer from the stack",
	     BEGIN, SPILL(-64), LDX(BPF_H, R7, R10, -62), TELL(R7)),
	LEAK("a byte of a pointer", KERNEL_NO, "reads bytes of a pointer from the stack",
	     BEGIN, STX(BPF_DW, R10, -64, R10), LDX(BPF_B, R7, R10, -63), TELL(R7)),
	LEAK("what a byte stored over a pointer left", LEAKS, "reads bytes of a pointer from the",
	     BEGIN, SPILL(-64), ST(BPF_B, R10, -57, 0), LDX(BPF_DW, R7, R10, -64), TELL(R7)),
	LEAK("what four bytes stored over a pointer left", LEAKS, "reads bytes of a pointer from",
	     BEGIN, SPILL(-64), ST(BPF_W, R10, -60, 0), LDX(BPF_W, R7, R10, -64), TELL(R7)),
	LEAK("a byte of a pointer at any offset", LEAKS, "reads bytes of a pointer from the stack",
	     BEGIN, SPILL(-64), ANY_NUMBER(R7, 7), ALU64_X(BPF_ADD, R7, R10),
	     LDX(BPF_B, R7, R7, -64), TELL(R7)),
	LEAK("what a store at any offset left", LEAKS, "reads bytes of a pointer from the stack",
	     BEGIN, SPILL(-64), ANY_NUMBER(R7, 7), ALU64_X(BPF_ADD, R7, R10),
	     ST(BPF_B, R7, -64, 0), LDX(BPF_DW, R7, R10, -64), TELL(R7)),
	LEAK("a caller's pointer", KERNEL_NO, "stores r7, a pointer on some path, to a map's",
	     BEGIN, SPILL(-64), MOV64_X(R1, R10), SUBCALL(12), MOV64_X(R7, R0), TELL(R7),
	     LDX(BPF_W, R0, R1, -64), EXIT),
	LEAK("a pointer on one path, a number on the other", LEAKS, "stores r7, a pointer on some",
	     BEGIN, ANY_NUMBER(R7, 1), STX(BPF_DW, R10, -64, R7), JMP_K(BPF_JEQ, R7, 0, 2),
	     SPILL(-64), LDX(BPF_DW, R7, R10, -64), TELL(R7)),
	LEAK("half a pointer stored to the stack", KERNEL_NO, "but not as a whole to a slot",
	     BEGIN, GET_PKT, STX(BPF_W, R10, -64, R9), LDX(BPF_W, R7, R10, -64), TELL(R7)),
	LEAK("a pointer stored at any offset", LEAKS, "but not as a whole to a slot",
	     BEGIN, ZEROES(64), GET_PKT, ANY_NUMBER(R7, 8), ALU64_X(BPF_ADD, R7, R10),
	     STX(BPF_DW, R7, -64, R9), LDX(BPF_B, R7, R10, -64), TELL(R7)),
};

static const struct leak atomics[] = {
	LEAK("a pointer added to a value", LEAKS, "works on memory with r9, a packet pointer",
	     BEGIN, GET_PKT, ELEMENT(0), ATOMIC(BPF_DW, R0, 0, R9, BPF_ADD), PASS),
	LEAK("half a pointer added to a value", LEAKS, "works on memory with r9, a map",
	     BEGIN, GET_MAP, ELEMENT(0), ATOMIC(BPF_W, R0, 0, R9, BPF_ADD), PASS),
	LEAK("a pointer ored into a value", LEAKS, "works on memory with r9, the context",
	     BEGIN, GET_CTX, ELEMENT(0), ATOMIC(BPF_DW, R0, 0, R9, BPF_OR | BPF_FETCH), PASS),
	LEAK("a pointer exchanged with a value", LEAKS, "works on memory with r9, a pointer into",
	     BEGIN, GET_STACK, ELEMENT(0), ATOMIC(BPF_DW, R0, 0, R9, BPF_XCHG), PASS),
	LEAK("a pointer stored if a number is there", LEAKS, "works on memory with r9, a packet",
	     BEGIN, GET_PKT, ELEMENT(0), MOV64_X(R7, R0), MOV64_K(R0, 0),
	     ATOMIC(BPF_DW, R7, 0, R9, BPF_CMPXCHG), PASS),
	LEAK("a number stored if a pointer is there", LEAKS, "compares memory with r0, a packet",
	     BEGIN, GET_PKT, ELEMENT(0), MOV64_X(R7, R0), MOV64_X(R0, R9), MOV64_K(R8, 5),
	     ATOMIC(BPF_DW, R7, 0, R8, BPF_CMPXCHG), PASS),
	LEAK("a number added to a pointer", LEAKS, "reads bytes of a pointer from the stack",
	     BEGIN, SPILL(-64), MOV64_K(R8, 1), ATOMIC(BPF_DW, R10, -64, R8, BPF_ADD),
	     LDX(BPF_DW, R7, R10, -64), TELL(R7)),
	LEAK("a pointer exchanged for a number", LEAKS, "reads bytes of a pointer from the stack",
	     BEGIN, SPILL(-64), MOV64_K(R8, 1), ATOMIC(BPF_DW, R10, -64, R8, BPF_XCHG), TELL(R8)),
	LEAK("half a pointer fetched", KERNEL_NO, "reads bytes of a pointer from the stack",
	     BEGIN, SPILL(-64), MOV64_K(R8, 0), ATOMIC(BPF_W, R10, -64, R8, BPF_ADD | BPF_FETCH),
	     TELL(R8)),
	LEAK("a pointer that a failed exchange tells", LEAKS, "reads bytes of a pointer from the",
	     BEGIN, SPILL(-64), MOV64_K(R0, 0), MOV64_K(R8, 0),
	     ATOMIC(BPF_DW, R10, -64, R8, BPF_CMPXCHG), MOV64_X(R7, R0), TELL(R7)),
	LEAK("unwritten bytes fetched", LEAKS, "reads stack that is not written",
	     BEGIN, MOV64_K(R8, 0), ATOMIC(BPF_DW, R10, -64, R8, BPF_XOR | BPF_FETCH), TELL(R8)),
};

static const struct leak elsewhere[] = {
	LEAK("a pointer in struct bpf_map", LEAKS, "looks through r9, a map, into the host's kern",
	     BEGIN, GET_MAP, LDX(BPF_DW, R7, R9, 0), TELL(R7)),
	LEAK("a number in struct bpf_map", LEAKS, "looks through r9, a map, into the host's kern",
	     BEGIN, GET_MAP, LDX(BPF_W, R7, R9, 24), TELL(R7)),
	LEAK("half of ctx->data", KERNEL_NO, "a context field is loaded by 4 bytes",
	     BEGIN, LDX(BPF_H, R7, R6, 0), TELL(R7)),
	LEAK("all of ctx->data", KERNEL_NO, "a context field is loaded by 4 bytes",
	     BEGIN, LDX(BPF_DW, R7, R6, 0), TELL(R7)),
	LEAK("a function that gets a pointer or a number", LEAKS, "stores r6, a pointer on some pa",
	     BEGIN, MOV64_K(R1, 5), SUBCALL(4), MOV64_X(R1, R6), SUBCALL(2), PASS,
	     MOV64_X(R6, R1), ELEMENT(0), STX(BPF_DW, R0, 0, R6), MOV64_K(R0, 0), EXIT),
	LEAK("a function that returns a pointer or a number", LEAKS, "stores r7, a packet pointer",
	     BEGIN, MOV64_X(R1, R6), SUBCALL(12), MOV64_X(R7, R0), TELL(R7),
	     MOV64_X(R6, R1), CALL(BPF_FUNC_get_prandom_u32), ALU64_K(BPF_AND, R0, 1),
	     JMP_K(BPF_JEQ, R0, 0, 1), LD_DATA(R0, R6), EXIT),
	LEAK("a packet pointer from before a store", LEAKS, "uses r7, which holds nothing on some p",
	     BEGIN, LD_DATA(R7, R6), ZEROES(16), STORE(16, 8), TELL(R7)),
	LEAK("how far a store moved the packet", LEAKS, "uses r7, which holds nothing on some pa",
	     BEGIN, LD_DATA(R7, R6), STX(BPF_DW, R10, -24, R7), ZEROES(16), STORE(16, 8),
	     LD_DATA(R8, R6), LDX(BPF_DW, R7, R10, -24), ALU64_X(BPF_SUB, R8, R7), TELL(R8)),
	LEAK("a copy of a pointer that another one's NULL stands for", LEAKS,
	     "stores r7, a pointer into a map's value",
	     BEGIN, ELEMENT(1), MOV64_X(R7, R0), MOV64_X(R8, R0), ANY_NUMBER(R9, 1),
	     JMP_K(BPF_JNE, R9, 0, 1), MOV64_K(R8, 0), JMP_K(BPF_JNE, R8, 0, 11), TELL(R7), PASS),
};

const struct leaks leaks[] = {
	SORT("pointers stored to a map", to_map),
	SORT("pointers stored to the packet", to_packet),
	SORT("pointers as the verdict", returned),
	SORT("pointers compared", compared),
	SORT("numbers made of pointers", arithmetic),
	SORT("pointers as numbers for helpers", arguments),
	SORT("buffers for helpers", buffers),
	SORT("bytes of the stack", stack),
	SORT("atomic operations", atomics),
	SORT("structures, fields and functions", elsewhere),
};

const uint32_t leaks_cnt = ARRAY_SIZE(leaks);
