/* SPDX-License-Identifier: MIT */
#include "pin/dropped.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>

/* CPUs 0-7, of which 6 and 7 are offline; node 1 has no memory. */
static const char machine[] = "sys/devices/system/cpu/online 0-5\n"
			      "sys/devices/system/cpu/present 0-7\n"
			      "sys/devices/system/node/online 0-1\n"
			      "sys/devices/system/node/possible 0-1\n"
			      "sys/devices/system/node/has_memory 0\n";

static char file[] = "f";
static const struct setting vcpus = {
	.kind = GROUP_VCPU, .every = true, .value = {.text = file, .file = file, .line = 2}};
static const struct value memory = {.text = file, .file = file, .line = 3};

static const struct claims claims;

/* Returns the only message about a mask, or one about nodes; "" if there is none. */
static const char *
dropped(const struct tree *t, const char *requested, const char *usable, bool nodes)
{
	static char text[1024];
	struct topology topology = {.root = t->fd};
	struct desired_mask mask = {.setting = &vcpus,
		.requested = mask_of(nodes ? "0" : requested),
		.cpus = mask_of(nodes ? "0" : usable)};
	struct desired desired = {.masks = &mask, .mask_count = 1};
	struct messages messages = {0};
	if (nodes)
		desired.memory = (struct memory){.value = &memory,
			.wanted = true,
			.requested = mask_of(requested),
			.nodes = mask_of(usable)};
	dropped_note(&desired, &topology, NULL, NULL, &claims, &messages);
	assert_in_range(messages.count, 0, 1);
	text[0] = '\0';
	if (messages.count > 0) {
		assert_int_equal(
			messages.items[0].level, *usable == '\0' ? MESSAGE_ERROR : MESSAGE_WARNING);
		snprintf(text, sizeof(text), "%s", messages.items[0].text);
	}
	messages_free(&messages);
	topology_free(&topology);
	return text;
}

static void
explains_dropped_cpus(void **state)
{
	tree_make(*state, machine);
	assert_string_equal(dropped(*state, "0-3", "0-3", false), "");
	assert_string_equal(dropped(*state, "4-9", "4-5", false),
		"f:2: vcpus wants 4-9, but this host has only CPUs 0-7; left out: 6-9");
	assert_string_equal(dropped(*state, "5-6", "5", false),
		"f:2: vcpus wants 5-6, but CPU 6 is offline; left out: 6");
	assert_string_equal(dropped(*state, "6-7", "", false),
		"f:2: vcpus wants 6-7, but CPUs 6-7 are offline; no CPU is left");
	assert_string_equal(dropped(*state, "0-3", "0-2", false),
		"f:2: vcpus wants 0-3, but the kernel does not grant them; left out: 3");
}

static void
explains_dropped_nodes(void **state)
{
	tree_make(*state, machine);
	assert_string_equal(dropped(*state, "0", "0", true), "");
	assert_string_equal(dropped(*state, "0-1", "0", true),
		"f:3: memory wants nodes 0-1, but node 1 has no memory; left out: 1");
	assert_string_equal(dropped(*state, "1", "", true),
		"f:3: memory wants node 1, but node 1 has no memory; no node is left");
	assert_string_equal(dropped(*state, "0,2", "0", true),
		"f:3: memory wants nodes 0,2, but this host has only nodes 0-1; left out: 2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(explains_dropped_cpus),
		tree_test(explains_dropped_nodes),
	};
	return cmocka_run_group_tests_name("dropped", tests, NULL, NULL);
}
