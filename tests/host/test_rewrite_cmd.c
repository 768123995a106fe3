// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The command vbpf-rewrite
 *
 * Runs the command that was built, as a user does, and looks at what it prints
 * and at its exit status. Needs no privilege; as root it also runs it as nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../diff/rng.h"
#include "../unit/insns.h"
#include "ktap.h"

#define ARGS		8
#define NOBODY		65534
#define MUTANTS		150

/**
 * struct run - one run of the command
 * @status: exit status, or -1 if a signal ended it
 * @text: what it printed, on stdout and on stderr
 */
struct run {
	int status;
	char text[65536];
};

/**
 * built() - the path of something that was built
 * @path: room for it
 * @name: of it, below the build folder
 */
static void built(char path[PATH_MAX], const char *name)
{
	char self[PATH_MAX / 2];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[len < 0 ? 0 : len] = 0;
	for (int i = 0; i < 3 && strrchr(self, '/'); i++)
		*strrchr(self, '/') = 0;
	snprintf(path, PATH_MAX, "%s/%s", self, name);
}

/**
 * become() - turn this process into the command
 * @to: fd for what it prints
 * @uid: user that it runs as
 * @argv: its arguments
 *
 * The command is opened first: nobody may not be able to come by its folder.
 */
static void __attribute__((noreturn)) become(int to, uid_t uid, char **argv)
{
	char path[PATH_MAX];
	int fd;

	built(path, "host-loader/vbpf-rewrite");
	fd = open(path, O_RDONLY);
	setenv("ASAN_OPTIONS", "exitcode=99:detect_leaks=0", 1);
	setenv("UBSAN_OPTIONS", "exitcode=99", 1);
	dup2(to, 1);
	dup2(to, 2);
	if (uid == getuid() || !setuid(uid))
		fexecve(fd, argv, environ);
	_exit(127);
}

/**
 * run_as() - run the command
 * @r: result
 * @uid: user that it runs as
 * @args: its arguments, NULL behind the last
 *
 * Return: true if that worked
 */
static bool run_as(struct run *r, uid_t uid, const char *const *args)
{
	char *argv[ARGS + 2] = { (char *)"vbpf-rewrite" };
	FILE *out = tmpfile();
	int status;
	pid_t pid;

	for (int i = 0; i < ARGS && args[i]; i++)
		argv[i + 1] = (char *)args[i];
	CHECK(out);
	fflush(stdout);
	pid = fork();
	if (!pid)
		become(fileno(out), uid, argv);
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
	r->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	rewind(out);
	r->text[fread(r->text, 1, sizeof(r->text) - 1, out)] = 0;
	fclose(out);
	return true;
}

#define RUN(r, ...) CHECK(run_as(r, getuid(), (const char *const[ARGS + 1]){ __VA_ARGS__ }))

/* Fail the case unless the run printed @want somewhere. */
#define SAYS(r, want)                                                                 \
	do {                                                                          \
		if (!strstr((r)->text, want)) {                                       \
			printf("# %s:%d: it does not say \"%s\"\n", __FILE__, __LINE__, want); \
			return false;                                                 \
		}                                                                     \
	} while (0)

/**
 * file() - make a file
 * @path: result: its path; to be removed
 * @data: what is in it
 * @size: bytes of @data
 *
 * Return: true if that worked
 */
static bool file(char path[64], const void *data, size_t size)
{
	int fd;

	snprintf(path, 64, "/tmp/vbpf-rewrite-XXXXXX");
	fd = mkstemp(path);
	CHECK(fd >= 0);
	CHECK(write(fd, data, size) == (ssize_t)size);
	return !close(fd);
}

/**
 * summary() - what is printed of a program without options
 *
 * Return: true if all is well
 */
static bool summary(void)
{
	static struct run r;
	char path[PATH_MAX];

	built(path, "tests/progs/maps.o");
	RUN(&r, path);
	CHECK_EQ(r.status, 0);
	SAYS(&r, "maps: form lite, ");
	SAYS(&r, "whether the host's kernel accepts form lite is only known when it is loaded;\n");
	SAYS(&r, "  maps      ");
	SAYS(&r, "bpf_map_lookup_elem");
	CHECK(!strstr(r.text, "not lite"));
	return true;
}

/**
 * explains() - a parser that follows the IPv4 header's length, in words
 *
 * Return: true if all is well
 */
static bool explains(void)
{
	static struct run r;
	char path[PATH_MAX];

	built(path, "tests/progs/ihl.o");
	RUN(&r, "--explain", "--disasm", path);
	CHECK_EQ(r.status, 0);
	SAYS(&r, "ihl: form sfi, ");
	SAYS(&r, "moves a packet pointer by a number that is not constant, which the host's "
		 "verifier does not allow\n");
	SAYS(&r, "is a number from 0 to 60, r");
	SAYS(&r, "is packet +14\n");
	SAYS(&r, "ctx->data_end: where the packet ends in its copy (r1 is the context)\n");
	SAYS(&r, "reads the packet at an offset that is not constant: a check that it is inside, "
		 "then the copy");
	SAYS(&r, "|      added by the host:\n");
	SAYS(&r, "call bpf_skb_load_bytes#26\n");
	RUN(&r, "--form", "lite", path);
	CHECK_EQ(r.status, 1);
	SAYS(&r, "ihl: refused\n  why       instruction ");
	return true;
}

/**
 * levels() - level relaxed: what is accepted, and all that is against a program
 *
 * Return: true if all is well
 */
static bool levels(void)
{
	static const struct bpf_insn leaky[] = {
		MOV32_X(R2, R1), STX(BPF_DW, R10, -8, R1), LDX(BPF_B, R3, R10, -8),
		MOV64_X(R0, R10), EXIT,
	};
	static struct run r;
	char path[PATH_MAX], bare[64];

	built(path, "tests/progs/ihl.o");
	RUN(&r, "--level", "relaxed", path);
	CHECK_EQ(r.status, 0);
	SAYS(&r, "ihl: form lite, level relaxed, ");
	CHECK(!strstr(r.text, "form sfi is tried"));
	RUN(&r, "--level", "relaxed", "--json", path);
	SAYS(&r, "\"level\":\"relaxed\"");
	RUN(&r, "--level", "lax", path);
	CHECK_EQ(r.status, 2);
	SAYS(&r, "a level is strict or relaxed, not lax");
	RUN(&r, "--level", "relaxed", "--form", "sfi", path);
	CHECK_EQ(r.status, 2);
	CHECK(file(bare, leaky, sizeof(leaky)));
	RUN(&r, "--level", "relaxed", "--explain", bare);
	unlink(bare);
	CHECK_EQ(r.status, 1);
	SAYS(&r, "  why       instruction 0: moves a part of r1, the context, ");
	SAYS(&r, "  leaks     instruction 0: moves a part of r1, the context, ");
	SAYS(&r, "  leaks     instruction 2: reads bytes of a pointer from the stack ");
	SAYS(&r, "  leaks     instruction 4: returns r0, a pointer into the stack, ");
	return true;
}

/**
 * kernels() - hosts whose verifier is older than others'
 *
 * Return: true if a loop becomes form sfi for it, with a may_goto, and nothing else
 *         changes
 */
static bool kernels(void)
{
	static struct run r;
	char path[PATH_MAX];

	built(path, "tests/progs/loop.o");
	RUN(&r, "--explain", path);
	CHECK_EQ(r.status, 0);
	SAYS(&r, "loop: form lite, ");
	SAYS(&r, "head of a loop: a store");
	RUN(&r, "--host-kernel", "6.12.57+deb13-amd64", "--explain", "--disasm", path);
	CHECK_EQ(r.status, 0);
	SAYS(&r, "loop: form sfi, ");
	SAYS(&r, "which the host's verifier, older than Linux 6.17, would follow for ever");
	SAYS(&r, "head of a loop: its instructions are counted, ");
	SAYS(&r, "may_goto ");
	CHECK(!strstr(r.text, "a store, at which"));
	RUN(&r, "--host-kernel", "6.17", path);
	SAYS(&r, "loop: form lite, ");
	RUN(&r, "--host-kernel", "7.2", path);
	SAYS(&r, "loop: form lite, ");
	RUN(&r, "--host-kernel", "6.6", "--form", "lite", path);
	CHECK_EQ(r.status, 1);
	RUN(&r, "--host-kernel", "6.1", path);
	CHECK_EQ(r.status, 2);
	SAYS(&r, "virtio-bpfd needs Linux 6.6 or newer, not 6.1");
	RUN(&r, "--host-kernel", "bookworm", path);
	CHECK_EQ(r.status, 2);
	return true;
}

/**
 * several() - an object of several programs, of which one has global data
 *
 * Return: true if all is well
 */
static bool several(void)
{
	static struct run r;
	char path[PATH_MAX];

	built(path, "tests/progs/global.o");
	RUN(&r, path);
	CHECK_EQ(r.status, 1);
	SAYS(&r, "counts: refused\n");
	SAYS(&r, "uses global data (");
	SAYS(&r, "), which the guest's kernel cannot offload: use an array map");
	SAYS(&r, "drops: form lite, 2 instructions become ");
	RUN(&r, "--prog", "drops", path);
	CHECK_EQ(r.status, 0);
	CHECK(!strstr(r.text, "counts"));
	RUN(&r, "--prog", "other", path);
	CHECK_EQ(r.status, 2);
	SAYS(&r, "global.o: it has no such program\n");
	RUN(&r, "--section", "tc", path);
	CHECK_EQ(r.status, 2);
	RUN(&r, "-o", "/dev/null", path);
	CHECK_EQ(r.status, 2);
	SAYS(&r, "--output takes one program");
	return true;
}

/**
 * raw() - a file of bare instructions, with a map
 *
 * Return: true if all is well
 */
static bool raw(void)
{
	static const struct bpf_insn insns[] = {
		ST(BPF_W, R10, -4, 0), MOV64_X(R2, R10), ALU64_K(BPF_ADD, R2, -4),
		LD_MAP(R1, 5), CALL(BPF_FUNC_map_lookup_elem), MOV64_K(R0, 1), EXIT,
	};
	static struct run r;
	char path[64], out[64];
	struct stat st;

	CHECK(file(path, insns, sizeof(insns)) && file(out, "", 0));
	RUN(&r, path);
	CHECK_EQ(r.status, 1);
	SAYS(&r, "instruction 3: there is no map with handle 5\n");
	RUN(&r, "--map", "5=hash,4,8,16", "-o", out, "--disasm", path);
	CHECK_EQ(r.status, 0);
	SAYS(&r, "r1 = map[map 5]");
	CHECK(!stat(out, &st));
	CHECK(st.st_size > (off_t)sizeof(insns) && st.st_size % 8 == 0);
	RUN(&r, "--map", "5=hash,4,8", path);
	CHECK_EQ(r.status, 2);
	RUN(&r, "--map", "5=hash,4,8,16", "--json", path);
	CHECK_EQ(r.status, 0);
	SAYS(&r, "\"form\":\"lite\"");
	SAYS(&r, "\"handle\":5");
	unlink(path);
	unlink(out);
	return true;
}

/**
 * profiles() - helpers that some ports have
 *
 * Return: true if they are taken where the command line names their profile
 */
static bool profiles(void)
{
	static const struct bpf_insn insns[] = {
		CALL(BPF_FUNC_jiffies64), CALL(BPF_FUNC_get_smp_processor_id), MOV64_K(R0, 1),
		EXIT,
	};
	static struct run r;
	char path[64];

	CHECK(file(path, insns, sizeof(insns)));
	RUN(&r, path);
	CHECK_EQ(r.status, 1);
	SAYS(&r, "helper jiffies64 (118) is for ports with the helpers \"time\"");
	RUN(&r, "--helpers", "time", path);
	CHECK_EQ(r.status, 1);
	SAYS(&r, "for ports with the helpers \"cpu\"");
	RUN(&r, "--helpers", "time", "--helpers", "cpu", path);
	CHECK_EQ(r.status, 0);
	RUN(&r, "--helpers", "all", path);
	CHECK_EQ(r.status, 2);
	unlink(path);
	return true;
}

/**
 * wrong() - files and command lines that are wrong
 *
 * Return: true if all is well
 */
static bool wrong(void)
{
	static struct run r;
	char path[64];

	RUN(&r, NULL);
	CHECK_EQ(r.status, 2);
	RUN(&r, "/nonexistent");
	CHECK_EQ(r.status, 2);
	SAYS(&r, "/nonexistent: it cannot be opened: No such file or directory\n");
	RUN(&r, "/");
	CHECK_EQ(r.status, 2);
	RUN(&r, "/dev/null");
	CHECK_EQ(r.status, 2);
	SAYS(&r, "it is neither an ELF object nor a file of instructions");
	CHECK(file(path, "123456789", 9));
	RUN(&r, path);
	CHECK_EQ(r.status, 2);
	unlink(path);
	CHECK(file(path, "\177ELF", 4));
	RUN(&r, path);
	CHECK_EQ(r.status, 2);
	SAYS(&r, "libbpf cannot read it: ");
	RUN(&r, "--form", "none", path);
	CHECK_EQ(r.status, 2);
	RUN(&r, "--window", "63", path);
	CHECK_EQ(r.status, 2);
	RUN(&r, "--target", "xdp", path);
	CHECK_EQ(r.status, 2);
	unlink(path);
	return true;
}

/**
 * unprivileged() - the command as a user who may do nothing
 *
 * Return: true if all is well
 */
static bool unprivileged(void)
{
	static struct run r;
	char path[PATH_MAX], fd_path[64];
	int fd;

	built(path, "tests/progs/calls.o");
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0);
	snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", fd);
	CHECK(run_as(&r, getuid() ? getuid() : NOBODY, (const char *const[ARGS + 1]){ fd_path }));
	close(fd);
	CHECK_EQ(r.status, 0);
	SAYS(&r, "calls: form lite, ");
	return true;
}

/**
 * mutants() - objects with bytes changed, or cut off
 *
 * Return: true if the command survives them all
 */
static bool mutants(void)
{
	static const char *const names[] = { "tests/progs/vlan.o", "tests/progs/maps.o",
					     "tests/progs/calls.o" };
	static uint8_t data[1 << 16];
	static struct run r;

	for (uint64_t seed = 0; seed < MUTANTS; seed++) {
		char path[PATH_MAX], mutant[64];
		uint64_t rng = seed;
		size_t len;
		FILE *from;

		built(path, names[seed % ARRAY_SIZE(names)]);
		from = fopen(path, "r");
		CHECK(from);
		len = fread(data, 1, sizeof(data), from);
		fclose(from);
		for (uint32_t n = rng_below(&rng, 8); n; n--)
			data[rng_below(&rng, (uint32_t)len)] = (uint8_t)rng_next(&rng);
		if (rng_percent(&rng, 30))
			len = 4 + rng_below(&rng, (uint32_t)len - 4);
		CHECK(file(mutant, data, len));
		RUN(&r, "--disasm", "--explain", mutant);
		unlink(mutant);
		if (r.status < 0 || r.status > 2) {
			printf("# seed %llu: status %d: %s\n", (unsigned long long)seed, r.status,
			       r.text);
			return false;
		}
	}
	return true;
}

/**
 * main() - run the cases
 *
 * Return: exit status
 */
int main(void)
{
	static const struct ktap_case cases[] = {
		{ "a summary", summary },
		{ "why form lite is not chosen, and what becomes of instructions", explains },
		{ "level relaxed, and what it refuses", levels },
		{ "kernels with an older verifier", kernels },
		{ "several programs, and global data", several },
		{ "bare instructions", raw },
		{ "profiles of helpers", profiles },
		{ "wrong files and command lines", wrong },
		{ "without any privilege", unprivileged },
		{ "damaged objects", mutants },
	};

	return ktap_main(cases, ARRAY_SIZE(cases));
}
