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
#include <sys/utsname.h>

#include "../ktap.h"
#include "../unit/insns.h"
#include "agree.h"
#include "virtio_bpf.h"

/**
 * insns_agree() - do twins of a program written by hand agree in both forms?
 * @insns: the program
 * @cnt: number of @insns
 *
 * Return: true if so
 */
static bool insns_agree(const struct bpf_insn *insns, uint32_t cnt)
{
	return twin_insns_agree(insns, cnt, RW_FORM_LITE) &&
	       twin_insns_agree(insns, cnt, RW_FORM_SFI);
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
	bool made = twin_from_object(&t, name, form), ok = made && twin_agree(&t);

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
 * has_kernel() - is this kernel of a version, or newer?
 * @major: first number of the version
 * @minor: second number of the version
 *
 * Return: true if so
 */
static bool has_kernel(unsigned int major, unsigned int minor)
{
	unsigned int has[2] = { 0 };
	struct utsname name;

	CHECK(!uname(&name) && sscanf(name.release, "%u.%u", &has[0], &has[1]) == 2);
	return has[0] > major || (has[0] == major && has[1] >= minor);
}

/**
 * barriers() - what other cases may take as a reason for what this kernel refuses
 *
 * Return: true if it is none on a kernel that has got over it
 */
static bool barriers(void)
{
	printf("# mispredicted branches are walked to their end: %s\n",
	       twin_walks_on() ? "yes" : "no");
	return !twin_walks_on() || !has_kernel(6, 17);
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
	static const struct rw_prog probe = {
		.insns = least, .cnt = ARRAY_SIZE(least), .profile = RW_PROFILE_ALL,
	};
	struct twin t;
	bool known = twin_make(&t, &probe, RW_FORM_LITE);

	twin_free(&t);
	if (!known && !has_kernel(6, 9)) {
		printf("# this kernel does not know it\n");
		return true;
	}
	return twin_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI) &&
	       twin_insns_agree(places, ARRAY_SIZE(places), RW_FORM_SFI);
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

	return twin_insns_agree(stack, ARRAY_SIZE(stack), RW_FORM_SFI) &&
	       twin_insns_agree(buffer, ARRAY_SIZE(buffer), RW_FORM_SFI);
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

		CHECK(twin_insns_agree(insns, ARRAY_SIZE(insns), RW_FORM_SFI));
	}
	return true;
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
 * profiles() - the helpers of all profiles
 *
 * A clock does not go back, and a program stays on its CPU.
 *
 * Return: true if the twins agree
 */
static bool profiles(void)
{
	static const int32_t clocks[] = {
		BPF_FUNC_ktime_get_ns, BPF_FUNC_jiffies64, BPF_FUNC_ktime_get_boot_ns,
		BPF_FUNC_ktime_get_coarse_ns, BPF_FUNC_ktime_get_tai_ns,
		BPF_FUNC_get_smp_processor_id, BPF_FUNC_get_numa_node_id,
	};

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		const struct bpf_insn insns[] = {
			CALL(clocks[i]), MOV64_X(R6, R0), CALL(clocks[i]), MOV64_K(R7, 7),
			JMP_X(BPF_JGE, R0, R6, 1), MOV64_K(R7, 8), MOV64_X(R0, R7), KEEP(0),
			MOV64_K(R0, 2), EXIT,
		};

		CHECK(insns_agree(insns, ARRAY_SIZE(insns)));
	}
	return true;
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
		{ "barriers end the verifier's walks from Linux 6.17 on", barriers },
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
		{ "clocks and CPUs", profiles },
		{ "a program that comes to run inside itself", busy },
		{ "stack that was not written", unwritten },
		{ "metadata of the greatest length", metadata },
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
