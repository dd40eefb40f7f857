/* SPDX-License-Identifier: MIT */
#include "desired/cpuset_words.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPU "sys/devices/system/cpu/"
#define NODE "sys/devices/system/node/"

#define ONE_CPU(cpu, core, package)                                                                \
	CPU "cpu" #cpu "/topology/core_cpus_list " core "\n" CPU "cpu" #cpu                        \
	    "/topology/package_cpus_list " package "\n"

/*
 * Two packages of even and odd CPUs, each a node; in the even one two cores of two threads and two
 * L3s, in the odd one three cores of one thread. Node 2 has memory only.
 */
static int
setup(void **state)
{
	int r = tree_setup(state);
	if (r == 0)
		tree_make(*state, CPU
			"online 0-2,4-7\n" NODE "online 0-2\n" NODE "node0/cpulist 0,2,4,6\n" NODE
			"node1/cpulist 1,5,7\n" NODE "node2/cpulist\n" ONE_CPU(0, "0,4", "0,2,4,6")
				ONE_CPU(2, "2,6", "0,2,4,6") ONE_CPU(1, "1", "1,5,7")
					ONE_CPU(5, "5", "1,5,7") ONE_CPU(7, "7", "1,5,7"));
	if (r == 0)
		for (int i = 0; i < 8; i++) {
			char lines[512];
			snprintf(lines, sizeof(lines),
				CPU "cpu%d/cache/index0/level 3\n" CPU
				    "cpu%d/cache/index0/shared_cpu_list %s",
				i, i,
				i % 2 == 1   ? "1,5,7"
				: i % 4 == 0 ? "0,4"
					     : "2,6");
			tree_make(*state, lines);
		}
	return r;
}

#define host_test(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)

/* The CPUs, or the error with its place in front. */
static const char *
evaluated(struct topology *topology, const char *text)
{
	static char shown[2048];
	struct cpumask mask = {0};
	const char *at = NULL;
	struct err e;
	if (cpuset_words_eval(topology, text, strlen(text), &mask, &at, &e) == 0) {
		cpumask_format(&mask, shown, sizeof(shown));
	} else {
		assert_true(at >= text && at <= text + strlen(text));
		snprintf(shown, sizeof(shown), "%zu: %s", (size_t)(at - text), e.text);
	}
	return shown;
}

static const struct {
	const char *text, *cpus;
} good[] = {
	{"node:0", "0,2,4,6"},
	{"node:1", "1,5,7"},
	{"node:0,1", "0-2,4-7"},
	{"node:all", "0-2,4-7"},
	{"node:1-", "1,5,7"},
	{"node:0,2", "0,2,4,6"},
	{"package:1", "1,5,7"},
	{"socket:0", "0,2,4,6"},
	{"l3:0-1", "0,2,4,6"},
	{"ccx:2", "1,5,7"},
	{"core:0", "0,4"},
	{"core:1-2", "1-2,6"},
	{"core:0,3-", "0,4-5,7"},
	{"core:0,0,0-1", "0,2,4,6"},
	{"pu:0", "0"},
	{"pu:1", "4"},
	{"pu:3-4", "1,6"},
	{"node:0.core:1", "2,6"},
	{"node:1.core:1", "5"},
	{"node:0-1.core:1", "2,5-6"},
	{"node:0-1.core:1.pu:0", "2,5"},
	{"node:0,1.core:0,1.pu:0", "0-2,5"},
	{"package:1.core:1-2.pu:0", "5,7"},
	{"core:all.pu:0", "0-2,5,7"},
	{"core:all.pu:1-", "4,6"},
	{"package:0.l3:1", "2,6"},
	{"package:0.pu:1", "4"},
	{"l3:1.core:0", "2,6"},
	{"package:0.node:0", "0,2,4,6"},
	{"node:1.package:0", "1,5,7"},
	{"core:3.core:0", "5"},
	{"package:all.l3:1-.pu:all", "2,6"},
};

static void
evaluates(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	for (size_t i = 0; i < COUNT(good); i++) {
		if (strcmp(evaluated(&topology, good[i].text), good[i].cpus) != 0)
			fail_msg("%s gives %s", good[i].text, evaluated(&topology, good[i].text));
		/* without a host it is sound, and says nothing */
		assert_string_equal(evaluated(NULL, good[i].text), "");
	}
	topology_free(&topology);
}

#define INDEX "; write N, N-M, N- or all"

/* Without a host, too. */
static const struct {
	const char *text, *reason;
} malformed[] = {
	{"node:", "5: an index is missing" INDEX},
	{"node:x", "5: an index is missing" INDEX},
	{"node:-1", "5: an index is missing" INDEX},
	{"node:^1", "5: an index is missing" INDEX},
	{"node:0x", "5: '0x' is not an index" INDEX},
	{"node:0-3:1/2", "5: '0-3:1/2' is not an index" INDEX},
	{"node:0-1-2", "5: '0-1-2' is not an index" INDEX},
	{"node:0,1x.core:0", "7: '1x' is not an index" INDEX},
	{"node:allx", "5: 'allx' is not an index" INDEX},
	{"node:2-x", "5: '2-x' is not an index" INDEX},
	{"node:8192", "5: the index is above the limit, 8191"},
	{"node:0-4294967296", "7: the index is above the limit, 8191"},
	{"node:3-0", "5: range 3-0 runs backwards; write 0-3"},
	{"node:0,3-1", "7: range 3-1 runs backwards; write 1-3"},
	{"node:0.", "7: a word is missing after the '.'"},
	{"node:0..core:0", "7: a word is missing after the '.'"},
	{"node:0.core", "11: an index is missing, as in core:0"},
	{"node:0.core.pu:0", "11: an index is missing, as in core:0"},
	{"node:0.3", "7: unknown word '3'; those with an index are node, package, socket, l3, ccx, "
		     "core and pu"},
	{"node:0.crore:1", "7: unknown word 'crore'; did you mean 'core'?"},
	{"Node:0", "0: unknown word 'Node'; did you mean 'node'?"},
	{"numa:0", "0: unknown word 'numa'; did you mean 'node'?"},
	{"cpu:1", "0: 'cpu:1': a CPU is written as its number alone: '1'"},
	{"CPU:0-3", "0: 'CPU:0-3': a CPU is written as its number alone: '0-3'"},
	{"node:0.cpus:2", "7: 'cpus:2': a CPU is written as its number alone: '2'"},
	{"isolated:0", "0: unknown word 'isolated'; those with an index are node, package, socket, "
		       "l3, ccx, core and pu"},
	{"pu:0.pu:0.pu:0.pu:0.pu:0.pu:0.pu:0.pu:0.pu:0",
		"40: more than 8 words within one another"},
};

static void
refuses_what_is_malformed(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	for (size_t i = 0; i < COUNT(malformed); i++) {
		if (strcmp(evaluated(NULL, malformed[i].text), malformed[i].reason) != 0)
			fail_msg("%s gives %s", malformed[i].text,
				evaluated(NULL, malformed[i].text));
		assert_string_equal(evaluated(&topology, malformed[i].text), malformed[i].reason);
	}
	topology_free(&topology);
}

static const struct {
	const char *text, *reason;
} lacking[] = {
	{"node:3", "0: node:3: this host has nodes 0-2"},
	{"node:0,3", "0: node:3: this host has nodes 0-2"},
	{"node:0-5", "0: node:0-5: this host has nodes 0-2"},
	{"node:3-", "0: node:3-: this host has nodes 0-2"},
	{"socket:2", "0: socket:2: this host has packages 0-1"},
	{"ccx:3", "0: ccx:3: this host has l3 0-2"},
	{"core:5.pu:0", "0: core:5: this host has cores 0-4"},
	{"package:0.l3:4", "10: l3:4: package:0 has l3 0-1"},
	{"package:0,1.l3:1", "12: l3:1: package:1 has only l3 0"},
	{"node:0-1.core:2", "9: core:2: node:0 has cores 0-1"},
	{"package:all.core:1.pu:1", "19: pu:1: package:1.core:1 has only pu 0"},
	{"core:2-.pu:1-", "8: pu:1-: core:2 has only pu 0"},
	{"core:0.package:0", "7: package:0: core:0 has no packages"},
	{"node:2", "0: node:2: there are no CPUs, only memory"},
	{"node:2-", "0: node:2-: there are no CPUs, only memory"},
	{"node:2.core:0", "7: core:0: node:2 has no cores"},
};

static void
says_what_there_is(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	for (size_t i = 0; i < COUNT(lacking); i++) {
		if (strcmp(evaluated(&topology, lacking[i].text), lacking[i].reason) != 0)
			fail_msg("%s gives %s", lacking[i].text,
				evaluated(&topology, lacking[i].text));
		assert_string_equal(evaluated(NULL, lacking[i].text), "");
	}
	topology_free(&topology);
}

static void
says_which_file_is_wrong(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	tree_remove(t, NODE "node1");
	assert_string_equal(evaluated(&topology, "package:0.node:0"),
		"0: /sys/devices/system/node/node1/cpulist: No such file or directory");
	topology_free(&topology);
}

static void
counts_kinds_of_cores(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	static const struct {
		const char *text, *result;
	} cases[] = {
		{"pcores:0", "0,4"},
		{"pcores:0-1", "0,2,4,6"},
		{"pcores.core:1", "2,6"},
		{"pcores:all.pu:0", "0,2"},
		{"pcores.pu:1", "4"},
		{"ecores:0,2", "1,7"},
		{"node:1.ecores:1", "5"},
		{"node:0.pcores", "0,2,4,6"},
		{"node:1.pcores", "7: pcores: node:1 has no P-cores"},
		{"pcores:0-5", "0: pcores:0-5: this host has P-cores 0-1"},
		{"ecores.core:3", "0: ecores.core:3: this host has E-cores 0-2"},
		{"pcores.core", "11: an index is missing, as in core:0"},
		{"pcores.", "7: a word is missing after the '.'"},
		{"pcores:largest", "7: 'largest' is for l3 only"},
	};
	tree_make(t, "sys/devices/cpu_core/cpus 0,2,4,6\nsys/devices/cpu_atom/cpus 1,5,7\n");
	for (size_t i = 0; i < COUNT(cases); i++)
		if (strcmp(evaluated(&topology, cases[i].text), cases[i].result) != 0)
			fail_msg("%s gives %s", cases[i].text, evaluated(&topology, cases[i].text));
	topology_free(&topology);
}

static void
finds_the_largest_l3(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	assert_string_equal(evaluated(&topology, "l3:largest"),
		"0: the kernel does not report how large the L3s are");
	assert_string_equal(evaluated(&topology, "node:1.l3:largest"), "1,5,7");
	for (int i = 0; i < 8; i++) {
		char line[96];
		snprintf(line, sizeof(line), CPU "cpu%d/cache/index0/size %s", i,
			i % 4 == 2 ? "98304K" : "32768K");
		tree_make(t, line);
	}
	assert_string_equal(evaluated(&topology, "l3:largest"), "2,6");
	assert_string_equal(evaluated(&topology, "ccx:largest.pu:1"), "6");
	assert_string_equal(evaluated(&topology, "node:1.l3:largest"), "1,5,7");
	assert_string_equal(evaluated(NULL, "l3:largest"), "");
	topology_free(&topology);
}

/* Node 2 is node 1 for hwloc if it is near node 0. */
static void
counts_no_node_within_another(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	tree_make(t, NODE "node2/access0/initiators/node0/");
	assert_string_equal(evaluated(&topology, "node:1"), "0,2,4,6");
	assert_string_equal(evaluated(&topology, "node:2"), "1,5,7");
	assert_string_equal(evaluated(&topology, "node:0.node:0"), "0,2,4,6");
	assert_string_equal(
		evaluated(&topology, "node:0.node:1"), "7: node:1: node:0 has only node 0");
	assert_string_equal(evaluated(&topology, "package:0.node:1"), "0,2,4,6");
	topology_free(&topology);
}

static const struct {
	const char *text;
	bool here;
	size_t length;
} items[] = {
	{"", false, 0},
	{"0-3", false, 3},
	{"0-31:2/4,5", false, 8},
	{"all,3", false, 3},
	{"@a,3", false, 2},
	{"node:0", true, 6},
	{"node:0 3", true, 6},
	{"node:0,3", true, 8},
	{"node:0,3-5,7 9", true, 12},
	{"node:0,1.core:2,3.pu:0,@x", true, 22},
	{"node:0, 3", true, 6},
	{"node:0,^3", true, 6},
	{"node:0,node:1", true, 6},
	{"node:0,\n3", true, 6},
	{"x:1,2", true, 5},
	{":1,2", false, 2},
};

static void
knows_where_an_item_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(items); i++) {
		if (cpuset_words_here(items[i].text) != items[i].here ||
			cpuset_words_item(items[i].text) != items[i].length)
			fail_msg("%s: %d, %zu", items[i].text, cpuset_words_here(items[i].text),
				cpuset_words_item(items[i].text));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(evaluates),
		host_test(refuses_what_is_malformed),
		host_test(says_what_there_is),
		host_test(says_which_file_is_wrong),
		host_test(counts_no_node_within_another),
		host_test(counts_kinds_of_cores),
		host_test(finds_the_largest_l3),
		cmocka_unit_test(knows_where_an_item_ends),
	};
	return cmocka_run_group_tests_name("cpuwords", tests, NULL, NULL);
}
