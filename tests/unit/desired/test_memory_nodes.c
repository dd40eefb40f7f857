/* SPDX-License-Identifier: MIT */
#include "desired/memory_nodes.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

/* Nodes 0, 2 and 5: CPUs 0-3 and 4-7, and memory alone; hwloc counts them 0, 1, 2. */
static const char host[] = "sys/devices/system/cpu/online 0-7\n"
			   "sys/devices/system/cpu/possible 0-7\n"
			   "sys/devices/system/node/online 0,2,5\n"
			   "sys/devices/system/node/has_memory 0,2,5\n"
			   "sys/devices/system/node/node0/cpulist 0-3\n"
			   "sys/devices/system/node/node2/cpulist 4-7\n"
			   "sys/devices/system/node/node5/cpulist\n"
			   "sys/devices/system/node/node0/distance 10 20 30\n"
			   "sys/devices/system/node/node2/distance 20 10 17\n"
			   "sys/devices/system/node/node5/distance 30 17 10\n";

static struct topology topology;
static struct value value;
static struct memory memory;
static struct messages messages;
static struct err e;

static int
place(const struct tree *t, const char *text, const char *cpus, const char *usable)
{
	struct cpumask cpu_mask = mask_of(cpus), usable_mask = mask_of(usable);
	topology_free(&topology);
	topology = (struct topology){.root = t->fd};
	value = (struct value){.text = (char *)text, .file = "f", .line = 3, .column = 10};
	memory = (struct memory){.value = &value};
	e.text[0] = '\0';
	return memory_nodes_place(&memory, &topology, &cpu_mask, &usable_mask, &messages, &e);
}

static void
takes_lists_of_nodes(void **state)
{
	static const struct {
		const char *text, *nodes;
	} cases[] = {
		{"0", "0"},
		{"0-2", "0-2"},
		{"5, 2", "2,5"},
		{"0 2", "0,2"},
		{" 0 ,\n\t 7 ", "0,7"},
		{"1023", "1023"},
		{"node:0", "0"},
		{"node:1", "2"},
		{"node:2", "5"},
		{"node:1-2", "2,5"},
		{"node:2 0", "0,5"},
		{"node:0, node:2, 3-4", "0,3-5"},
	};
	tree_make(*state, host);
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (place(*state, cases[i].text, "", "0-1023") != 0)
			fail_msg("%s: %s", cases[i].text, e.text);
		assert_true(memory.wanted);
		assert_mask(&memory.requested, cases[i].nodes);
		assert_mask(&memory.nodes, cases[i].nodes);
	}
}

static const struct {
	const char *text, *reason;
} wrong[] = {
	{"x", "f:3:10: 'x' is not a node, a range of nodes, 'node:N', 'auto' or 'keep'"},
	{"0, nodes:1", "f:3:13: 'nodes:1' is not a node, a range of nodes, 'node:N', 'auto' or "
		       "'keep'"},
	{"^0", "f:3:10: '^0' is not a node, a range of nodes, 'node:N', 'auto' or 'keep'"},
	{"Auto", "f:3:10: 'Auto' is not a node, a range of nodes, 'node:N', 'auto' or 'keep'"},
	{"0 auto", "f:3:12: 'auto' is a value by itself"},
	{"keep,1", "f:3:10: 'keep' is a value by itself"},
	{"node:", "f:3:15: the number of a node is missing"},
	{"node:-1", "f:3:15: the number of a node is missing"},
	{"0-", "f:3:12: the number of a node is missing"},
	{"3-1", "f:3:10: range 3-1 runs backwards; write 1-3"},
	{"0 node:3-1", "f:3:17: range 3-1 runs backwards; write 1-3"},
	{"1024", "f:3:10: node 1024 is above the limit, 1023"},
	{"4294967296", "f:3:10: node 4294967296 is above the limit, 1023"},
	{"18446744073709551616", "f:3:10: node 184467440737... is above the limit, 1023"},
	{"0-3:1/2", "f:3:13: '0-3:1/2' is not a node or a range of nodes"},
	{"0x1", "f:3:11: '0x1' is not a node or a range of nodes"},
	{"0,", "f:3:11: nothing follows the ','"},
	{"0,\n 1 ,", "f:4:4: nothing follows the ','"},
	{",0", "f:3:10: an item is missing"},
	{"0,,1", "f:3:12: an item is missing"},
	{"0 # no", "f:3:12: a comment after a value begins with a space and ';'"},
	{"0; no", "f:3:10: a comment after a value begins with a space and ';'"},
};

static void
says_what_is_wrong(void **state)
{
	tree_make(*state, host);
	for (size_t i = 0; i < COUNT(wrong); i++) {
		if (place(*state, wrong[i].text, "", "0-1023") == 0)
			fail_msg("%s is taken", wrong[i].text);
		assert_string_equal(e.text, wrong[i].reason);
		assert_false(memory.wanted);
	}
}

/* The same words without a host, for every rule. */
static void
checks_all_rules(void **state)
{
	(void)state;
	struct rule rules_[COUNT(wrong) + 4] = {0};
	static const char *const right[] = {"auto", "keep", "node:99"};
	const struct rules rules = {.rules = rules_, .rule_count = COUNT(rules_)};
	for (size_t i = 0; i < COUNT(wrong) + COUNT(right); i++)
		rules_[i].memory =
			(struct value){.text = (char *)(i < COUNT(wrong) ? wrong[i].text
									 : right[i - COUNT(wrong)]),
				.file = "f",
				.line = 3,
				.column = 10};
	memory_nodes_check_rules(&rules, &messages);
	assert_int_equal(messages.count, COUNT(wrong));
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_string_equal(messages.items[i].text, wrong[i].reason);
		assert_int_equal(messages.items[i].level, MESSAGE_ERROR);
	}
}

static void
names_what_the_host_has(void **state)
{
	tree_make(*state, host);
	assert_int_equal(place(*state, "0, node:3", "", "0-5"), -1);
	assert_string_equal(e.text, "f:3:13: 'node:3': this host has node:0-2");
	assert_int_equal(place(*state, "node:1-4000", "", "0-5"), -1);
	assert_int_equal(place(*state, "node:2-1023", "", "0-5"), -1);
	assert_string_equal(e.text, "f:3:10: 'node:2-1023': this host has node:0-2");
	/* a kernel without NUMA */
	tree_remove(*state, "sys/devices/system/node");
	assert_int_equal(place(*state, "node:1", "", "0"), -1);
	assert_string_equal(e.text, "f:3:10: 'node:1': this host has node:0 only");
	assert_int_equal(place(*state, "node:0", "", "0"), 0);
	assert_mask(&memory.nodes, "0");
}

static void
takes_the_nodes_of_the_cpus(void **state)
{
	static const struct {
		const char *cpus, *nodes;
	} cases[] = {{"0", "0"}, {"3", "0"}, {"4-5", "2"}, {"3-4", "0,2"}, {"0-7", "0,2"}};
	tree_make(*state, host);
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (place(*state, "auto", cases[i].cpus, "0-5") != 0)
			fail_msg("%s: %s", cases[i].cpus, e.text);
		assert_true(memory.wanted);
		assert_mask(&memory.nodes, cases[i].nodes);
	}
	assert_int_equal(place(*state, "auto", "", "0-5"), 0);
	assert_false(memory.wanted);
	assert_int_equal(messages.count, 0);
}

static void
cuts_to_what_is_usable(void **state)
{
	tree_make(*state, host);
	assert_int_equal(place(*state, "0-3", "", "0,2"), 0);
	assert_mask(&memory.requested, "0-3");
	assert_mask(&memory.nodes, "0,2");
	assert_int_equal(place(*state, "3", "", "0,2"), 0);
	assert_true(memory.wanted);
	assert_mask(&memory.nodes, "");
	assert_int_equal(place(*state, "keep", "4", "0"), 0);
	assert_false(memory.wanted);
}

/* "auto" is no reason for an error, which would cost the guest its CPUs. */
static void
takes_the_nearest_node_with_memory(void **state)
{
	static const struct {
		const char *cpus, *usable, *nodes, *text;
		enum message_level level;
	} cases[] = {
		{"0", "2,5", "2", "node 0 has no memory; the nearest that can give memory: 2",
			MESSAGE_INFO},
		{"4", "0", "0",
			"node 2 cannot give this guest memory; the nearest that can give memory: 0",
			MESSAGE_WARNING},
		{"4", "0,5", "5",
			"node 2 cannot give this guest memory; the nearest that can give memory: 5",
			MESSAGE_WARNING},
		{"0-7", "5", "5",
			"nodes 0,2 cannot give this guest memory; the nearest that can give "
			"memory: 5",
			MESSAGE_WARNING},
		{"0-7", "2,5", "2", "node 0 has no memory; the nearest that can give memory: 2",
			MESSAGE_INFO},
		{"4", "", "",
			"no node has memory for the guest's CPUs; its memory is left as it is",
			MESSAGE_WARNING},
		{"9", "0-5", "",
			"no node has memory for the guest's CPUs; its memory is left as it is",
			MESSAGE_WARNING},
	};
	tree_make(*state, host);
	tree_put(*state, "sys/devices/system/node/has_memory", "2,5\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		char expected[160];
		assert_int_equal(place(*state, "auto", cases[i].cpus, cases[i].usable), 0);
		assert_int_equal(memory.wanted, cases[i].nodes[0] != '\0');
		assert_mask(&memory.nodes, cases[i].nodes);
		snprintf(expected, sizeof(expected), "f:3: memory = auto: %s", cases[i].text);
		assert_int_equal(messages.count, i + 1);
		assert_string_equal(messages.items[i].text, expected);
		assert_int_equal(messages.items[i].level, cases[i].level);
	}
	/* equally far: the kernel chooses between them */
	tree_put(*state, "sys/devices/system/node/node0/distance", "10 16 16\n");
	assert_int_equal(place(*state, "auto", "0", "2,5"), 0);
	assert_mask(&memory.nodes, "2,5");
	tree_put(*state, "sys/devices/system/node/node0/distance", "x\n");
	assert_int_equal(place(*state, "auto", "0", "2,5"), 0);
	assert_mask(&memory.nodes, "2,5");
}

/* Numbers need nothing of the host. */
static void
reads_the_host_only_where_it_must(void **state)
{
	assert_int_equal(place(*state, "0-1", "0", "0"), 0);
	assert_int_equal(place(*state, "keep", "0", "0"), 0);
}

static int
teardown(void **state)
{
	topology_free(&topology);
	messages_free(&messages);
	return tree_teardown(state);
}

#define memory_test(name) cmocka_unit_test_setup_teardown(name, tree_setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		memory_test(takes_lists_of_nodes),
		memory_test(says_what_is_wrong),
		memory_test(checks_all_rules),
		memory_test(names_what_the_host_has),
		memory_test(takes_the_nodes_of_the_cpus),
		memory_test(cuts_to_what_is_usable),
		memory_test(takes_the_nearest_node_with_memory),
		memory_test(reads_the_host_only_where_it_must),
	};
	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
