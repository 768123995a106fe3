// SPDX-License-Identifier: GPL-2.0-or-later
/**
 * DOC: The list of helpers against the kernel's own numbers
 *
 * <linux/bpf.h> lists every helper of the kernel it came from by name, in the
 * order of their numbers. The list may hold newer helpers than that; each one
 * that the header knows must have the same name there.
 */
#include <linux/bpf.h>
#include <string.h>

#include "../../helpers-whitelist/whitelist.h"
#include "../ktap.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NAME(x) [BPF_FUNC_##x] = #x

static const char *const kernel_names[] = { __BPF_FUNC_MAPPER(NAME) };

/**
 * names_agree() - each listed id has the name that the kernel gives it
 *
 * Return: true if so
 */
static bool names_agree(void)
{
	int listed = 0;

	for (uint32_t id = 0; id < ARRAY_SIZE(kernel_names); id++) {
		const struct wl_helper *h = wl_find(id);

		if (!h)
			continue;
		listed++;
		if (strcmp(h->name, kernel_names[id])) {
			printf("# helper %u is %s here, %s in <linux/bpf.h>\n",
			       id, h->name, kernel_names[id]);
			return false;
		}
	}
	CHECK(listed > 80);
	return true;
}

/**
 * all_or_nothing() - a helper is either refused with a reason, or complete
 *
 * Return: true if so
 */
static bool all_or_nothing(void)
{
	for (uint32_t id = 0; id < 1024; id++) {
		const struct wl_helper *h = wl_find(id);

		if (!h)
			continue;
		CHECK(h->name[0]);
		CHECK(h->reason || h->skb != WL_SKB_NONE);
		CHECK(h->skb != WL_SKB_CALL || h->skb_id);
	}
	return true;
}

/**
 * arguments_fit() - sizes follow memory, keys and values follow a map
 *
 * Return: true if so
 */
static bool arguments_fit(void)
{
	for (uint32_t id = 0; id < 1024; id++) {
		const struct wl_helper *h = wl_find(id);
		bool map = false;

		for (int i = 0; h && i < WL_ARGS; i++) {
			enum wl_arg arg = h->args[i];
			enum wl_arg next = i + 1 < WL_ARGS ? h->args[i + 1] : WL_NONE;

			map |= arg == WL_MAP;
			if (arg == WL_KEY || arg == WL_VALUE)
				CHECK(map);
			if (arg == WL_MEM || arg == WL_MEM_NULL || arg == WL_OUT)
				CHECK_EQ(next, WL_SIZE);
		}
	}
	return true;
}

/**
 * unlisted() - what is not in the list is not found
 *
 * Return: true if so
 */
static bool unlisted(void)
{
	CHECK(!wl_find(0));
	CHECK(!wl_find(BPF_FUNC_sys_bpf));
	CHECK(!wl_find(UINT32_MAX));
	CHECK(wl_find(BPF_FUNC_fib_lookup)->reason);
	CHECK(!wl_find(BPF_FUNC_map_lookup_elem)->reason);
	CHECK_EQ(wl_find(BPF_FUNC_xdp_store_bytes)->skb_id, BPF_FUNC_skb_store_bytes);
	return true;
}

/**
 * profiles() - each helper that is allowed belongs to a profile with a name
 *
 * Return: true if so
 */
static bool profiles(void)
{
	for (uint32_t id = 0; id < 1024; id++) {
		const struct wl_helper *h = wl_find(id);

		if (h && !h->reason)
			CHECK(wl_profile(h->profile));
		if (h && h->reason)
			CHECK_EQ(h->profile, WL_PROFILE_PACKET);
	}
	CHECK(!strcmp(wl_profile(wl_find(BPF_FUNC_ktime_get_ns)->profile), "packet"));
	CHECK(!strcmp(wl_profile(wl_find(BPF_FUNC_ktime_get_boot_ns)->profile), "time"));
	CHECK(!strcmp(wl_profile(wl_find(BPF_FUNC_get_smp_processor_id)->profile), "cpu"));
	CHECK(!wl_profile(WL_PROFILE_TIME | WL_PROFILE_CPU));
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
		{ "names and ids are the kernel's", names_agree },
		{ "a helper is refused with a reason or complete", all_or_nothing },
		{ "argument kinds fit together", arguments_fit },
		{ "profiles have names", profiles },
		{ "what is not listed is not found", unlisted },
	};

	return ktap_main(cases, ARRAY_SIZE(cases));
}
