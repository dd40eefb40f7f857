/* SPDX-License-Identifier: MIT */
#include "host/topology.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#define CPU "sys/devices/system/cpu/"
#define NODE "sys/devices/system/node/"

static void
reads_each_set(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	const struct cpumask *mask;
	struct err e;
	tree_make(t, CPU "online 0-5,7\n" CPU "present 0-7\n" CPU "isolated");
	assert_int_equal(topology_get(&topology, TOPOLOGY_ONLINE, &mask, &e), 0);
	assert_mask(mask, "0-5,7");
	assert_int_equal(topology_get(&topology, TOPOLOGY_PRESENT, &mask, &e), 0);
	assert_mask(mask, "0-7");
	assert_int_equal(topology_get(&topology, TOPOLOGY_ISOLATED, &mask, &e), 0);
	assert_mask(mask, "");
}

static void
reads_a_set_once_and_only_that(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	const struct cpumask *mask, *again;
	struct err e;
	tree_make(t, CPU "online 0-3");
	assert_int_equal(topology_get(&topology, TOPOLOGY_ONLINE, &mask, &e), 0);
	tree_put(t, CPU "online", "0-1\n");
	assert_int_equal(topology_get(&topology, TOPOLOGY_ONLINE, &again, &e), 0);
	assert_ptr_equal(mask, again);
	assert_mask(again, "0-3");
	assert_int_equal(topology_get(&topology, TOPOLOGY_PRESENT, &mask, &e), -1);
}

static void
says_which_file_is_wrong(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	const struct cpumask *mask = NULL;
	struct err e;
	assert_int_equal(topology_get(&topology, TOPOLOGY_ISOLATED, &mask, &e), -1);
	assert_string_equal(e.text, "/sys/devices/system/cpu/isolated: No such file or directory");
	tree_make(t, CPU "online 0-x");
	assert_int_equal(topology_get(&topology, TOPOLOGY_ONLINE, &mask, &e), -1);
	assert_string_equal(e.text, "/sys/devices/system/cpu/online: '0-x' is not a CPU list: "
				    "a CPU number is missing");
	assert_null(mask);
	tree_put(t, CPU "online", "0-1\n");
	assert_int_equal(topology_get(&topology, TOPOLOGY_ONLINE, &mask, &e), 0);
	assert_mask(mask, "0-1");
}

/* One CPU's files. The lists are of those that it shares a core, an L2, an L3, a package with. */
static void
make_cpu(const struct tree *t, unsigned cpu, const char *core, const char *l2, const char *l3,
	const char *package)
{
	char lines[2048];
	int n = snprintf(lines, sizeof(lines),
		CPU "cpu%u/topology/core_cpus_list %s\n" CPU "cpu%u/topology/die_cpus_list %s\n" CPU
		    "cpu%u/topology/package_cpus_list %s\n" CPU "cpu%u/cache/index0/level 1\n" CPU
		    "cpu%u/cache/index0/shared_cpu_list %s\n" CPU "cpu%u/cache/index1/level 2\n" CPU
		    "cpu%u/cache/index1/shared_cpu_list %s\n",
		cpu, core, cpu, package, cpu, package, cpu, cpu, core, cpu, cpu, l2);
	if (l3 != NULL)
		snprintf(lines + n, sizeof(lines) - (size_t)n,
			CPU "cpu%u/cache/index2/level 3\n" CPU
			    "cpu%u/cache/index2/shared_cpu_list %s\n",
			cpu, cpu, l3);
	tree_make(t, lines);
}

/*
 * Two packages of two cores of two threads: the second threads numbered behind all first ones, the
 * packages in turn.
 */
static void
make_interleaved(const struct tree *t)
{
	static const char *const packages[] = {"0,2,4,6", "1,3,5,7"};
	static const char *const cores[] = {"0,4", "1,5", "2,6", "3,7"};
	tree_make(t, CPU "online 0-7\n" NODE "online 0-1\n" NODE "node0/cpulist 1,3,5,7\n" NODE
			 "node1/cpulist 0,2,4,6\n");
	for (unsigned i = 0; i < 8; i++)
		make_cpu(t, i, cores[i % 4], cores[i % 4], packages[i % 2], packages[i % 2]);
}

/* The objects of a kind: "0:0,2,4,6 1:1,3,5,7", the kernel's number first; or the error. */
static const char *
objects_of(struct topology *topology, enum topology_kind kind)
{
	static char shown[2048];
	const struct topology_objects *objects;
	struct err e;
	size_t used = 0;
	shown[0] = '\0';
	if (topology_objects(topology, kind, &objects, &e) != 0)
		return strcpy(shown, e.text);
	for (size_t i = 0; i < objects->count; i++) {
		const struct topology_object *object = &objects->items[i];
		struct cpumask cpus = {0};
		char list[256];
		for (size_t j = 0; j < object->cpu_count; j++) {
			cpumask_set_range(&cpus, object->cpus[j], object->cpus[j]);
			assert_true(j == 0 || object->cpus[j] > object->cpus[j - 1]);
		}
		assert_int_equal(cpumask_count(&cpus), object->cpu_count);
		used += (size_t)snprintf(shown + used, sizeof(shown) - used, "%s%u:%s%s",
			i > 0 ? " " : "", object->number, object->near ? "~" : "",
			cpumask_format(&cpus, list, sizeof(list)));
	}
	return shown;
}

#define assert_objects(t, kind, text)                                                              \
	do {                                                                                       \
		struct topology topology_ = {.root = (t)->fd};                                     \
		assert_string_equal(objects_of(&topology_, kind), text);                           \
		topology_free(&topology_);                                                         \
	} while (0)

static void
counts_depth_first(void **state)
{
	const struct tree *t = *state;
	make_interleaved(t);
	assert_objects(t, TOPOLOGY_PACKAGE, "0:0,2,4,6 1:1,3,5,7");
	assert_objects(t, TOPOLOGY_L3, "0:0,2,4,6 1:1,3,5,7");
	assert_objects(t, TOPOLOGY_CORE, "0:0,4 2:2,6 1:1,5 3:3,7");
	assert_objects(t, TOPOLOGY_PU, "0:0 4:4 2:2 6:6 1:1 5:5 3:3 7:7");
	/* not by their numbers */
	assert_objects(t, TOPOLOGY_NODE, "1:0,2,4,6 0:1,3,5,7");
}

/* Nodes in turn over two packages: node 2 has CPU 1, but package 0 comes first. */
static void
counts_nodes_within_packages(void **state)
{
	const struct tree *t = *state;
	make_interleaved(t);
	tree_put(t, NODE "online", "0-3\n");
	tree_put(t, NODE "node0/cpulist", "0,4\n");
	tree_put(t, NODE "node1/cpulist", "2,6\n");
	tree_make(t, NODE "node2/cpulist 1,5\n" NODE "node3/cpulist 3,7");
	assert_objects(t, TOPOLOGY_NODE, "0:0,4 1:2,6 2:1,5 3:3,7");
	tree_remove(t, CPU "cpu1");
	assert_objects(t, TOPOLOGY_NODE, "0:0,4 1:2,6 2:1,5 3:3,7");
}

/* Packages in turn over two nodes; and cores over two L2s. */
static void
counts_packages_within_nodes_and_cores_within_caches(void **state)
{
	const struct tree *t = *state;
	tree_make(t, CPU "online 0-3\n" NODE "online 0-1\n" NODE "node0/cpulist 0,2\n" NODE
			 "node1/cpulist 1,3");
	for (unsigned i = 0; i < 4; i++) {
		char own[8];
		snprintf(own, sizeof(own), "%u", i);
		make_cpu(t, i, own, own, own, own);
	}
	assert_objects(t, TOPOLOGY_PACKAGE, "0:0 2:2 1:1 3:3");
	tree_put(t, NODE "online", "0\n");
	tree_put(t, NODE "node0/cpulist", "0-3\n");
	assert_objects(t, TOPOLOGY_PACKAGE, "0:0 1:1 2:2 3:3");
	for (unsigned i = 0; i < 4; i++) {
		char path[64];
		snprintf(path, sizeof(path), CPU "cpu%u/cache/index1/shared_cpu_list", i);
		tree_put(t, path, i % 2 == 0 ? "0,2\n" : "1,3\n");
	}
	assert_objects(t, TOPOLOGY_CORE, "0:0 2:2 1:1 3:3");
}

static void
leaves_out_what_is_offline(void **state)
{
	const struct tree *t = *state;
	make_interleaved(t);
	tree_put(t, CPU "online", "1-3,5-7\n");
	tree_remove(t, CPU "cpu0/topology");
	tree_remove(t, CPU "cpu4/topology");
	assert_objects(t, TOPOLOGY_CORE, "1:1,5 3:3,7 2:2,6");
	assert_objects(t, TOPOLOGY_PACKAGE, "1:1,3,5,7 2:2,6");
	assert_objects(t, TOPOLOGY_NODE, "0:1,3,5,7 1:2,6");
}

/* A kernel before 5.3; an ARM host without L3; a node that is not there; a kernel without NUMA. */
static void
takes_what_there_is(void **state)
{
	const struct tree *t = *state;
	tree_make(t, CPU "online 0-1\n" CPU "cpu0/topology/thread_siblings_list 0-1\n" CPU
			 "cpu0/topology/core_siblings_list 0-1");
	assert_objects(t, TOPOLOGY_PACKAGE, "0:0-1");
	assert_objects(t, TOPOLOGY_CORE, "0:0-1");
	assert_objects(t, TOPOLOGY_L3, "");
	assert_objects(t, TOPOLOGY_NODE, "0:0-1");
	tree_remove(t, CPU "cpu0");
	assert_objects(t, TOPOLOGY_PACKAGE, "");
	assert_objects(t, TOPOLOGY_CORE, "");
	assert_objects(t, TOPOLOGY_PU, "0:0 1:1");
}

/* Memory alone: it counts behind the node that it is near, else behind all. */
static void
counts_nodes_without_cpus(void **state)
{
	const struct tree *t = *state;
	make_interleaved(t);
	tree_put(t, NODE "online", "0-1,4-5\n");
	tree_make(t,
		NODE "node4/cpulist\n" NODE "node5/cpulist\n" NODE
		     "node4/access0/initiators/node1/\n" NODE "node4/access0/initiators/power/");
	assert_objects(t, TOPOLOGY_NODE, "1:0,2,4,6 4:~0,2,4,6 0:1,3,5,7 5:~");
	tree_make(t, NODE "node4/access1/initiators/node0/\n" NODE "node5/distance 17 28 28 10");
	assert_objects(t, TOPOLOGY_NODE, "1:0,2,4,6 0:1,3,5,7 4:~1,3,5,7 5:~1,3,5,7");
	tree_put(t, NODE "node5/distance", "17 17 17 10\n");
	assert_objects(t, TOPOLOGY_NODE, "1:0,2,4,6 0:1,3,5,7 4:~1,3,5,7 5:~");
	tree_put(t, NODE "node5/distance", "17 17\n");
	assert_objects(t, TOPOLOGY_NODE, "1:0,2,4,6 0:1,3,5,7 4:~1,3,5,7 5:~");
}

/* No kernel has this; it must come to an end all the same. */
static void
survives_sets_that_cut_one_another(void **state)
{
	const struct tree *t = *state;
	tree_make(t, CPU "online 0-3\n" NODE "online 0-1\n" NODE "node0/cpulist 0-2\n" NODE
			 "node1/cpulist 2-3");
	make_cpu(t, 0, "0,3", "0-2", "1-2", "3");
	make_cpu(t, 1, "0-1", "1,3", "0,3", "0-8191");
	make_cpu(t, 2, "5", "", "2-3", "9");
	make_cpu(t, 3, "1,3", "0,2", "", "0-3");
	assert_objects(t, TOPOLOGY_NODE, "1:2-3 0:0-2");
	assert_objects(t, TOPOLOGY_PACKAGE, "0:0-2 3:3");
	assert_objects(t, TOPOLOGY_L3, "1:1-2");
	assert_objects(t, TOPOLOGY_CORE, "0:0,3 1:1");
	assert_objects(t, TOPOLOGY_PU, "0:0 3:3 1:1 2:2");
}

/* Besides the nodes' own: one CPU of each node, if there are several. */
static void
reads_what_it_needs(void **state)
{
	const struct tree *t = *state;
	make_interleaved(t);
	for (unsigned i = 2; i < 8; i++) {
		char path[64];
		snprintf(path, sizeof(path), CPU "cpu%u", i);
		tree_remove(t, path);
	}
	assert_objects(t, TOPOLOGY_NODE, "1:0,2,4,6 0:1,3,5,7");
	assert_objects(t, TOPOLOGY_PACKAGE, "0:0,2,4,6 1:1,3,5,7");
	assert_objects(t, TOPOLOGY_L3, "0:0,2,4,6 1:1,3,5,7");
	tree_put(t, CPU "cpu0/topology/core_cpus_list", "x\n");
	assert_objects(t, TOPOLOGY_NODE,
		"/sys/devices/system/cpu/cpu0/topology/core_cpus_list: 'x' is not a CPU list: a "
		"CPU number is missing");
	tree_put(t, NODE "online", "0\n");
	tree_put(t, NODE "node0/cpulist", "0-7\n");
	assert_objects(t, TOPOLOGY_NODE, "0:0-7");
}

static void
reads_objects_once(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	make_interleaved(t);
	assert_string_equal(objects_of(&topology, TOPOLOGY_CORE), "0:0,4 2:2,6 1:1,5 3:3,7");
	tree_remove(t, "sys");
	assert_string_equal(objects_of(&topology, TOPOLOGY_CORE), "0:0,4 2:2,6 1:1,5 3:3,7");
	topology_free(&topology);
	assert_string_equal(objects_of(&topology, TOPOLOGY_CORE),
		"/sys/devices/system/cpu: No such file or directory");
	topology_free(&topology);
}

static void
finds_the_object_of_a_cpu(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	const struct topology_objects *objects;
	struct err e;
	make_interleaved(t);
	tree_put(t, NODE "online", "0-1,4\n");
	tree_make(t, NODE "node4/cpulist\n" NODE "node4/access1/initiators/node0/");
	assert_int_equal(topology_objects(&topology, TOPOLOGY_CORE, &objects, &e), 0);
	assert_ptr_equal(topology_find(objects, 6), &objects->items[1]);
	assert_null(topology_find(objects, 8));
	assert_int_equal(topology_objects(&topology, TOPOLOGY_NODE, &objects, &e), 0);
	assert_int_equal(topology_find(objects, 7)->number, 0);
	topology_free(&topology);
}

/* Each set, with "P: E:" or the error. */
static void
assert_core_types(const struct tree *t, const char *text)
{
	struct topology topology = {.root = t->fd};
	const struct cpumask *p, *efficient;
	struct err e;
	char shown[2048], one[64], other[64];
	if (topology_get(&topology, TOPOLOGY_PCORES, &p, &e) != 0 ||
		topology_get(&topology, TOPOLOGY_ECORES, &efficient, &e) != 0)
		snprintf(shown, sizeof(shown), "%s", e.text);
	else
		snprintf(shown, sizeof(shown), "P:%s E:%s", cpumask_format(p, one, sizeof(one)),
			cpumask_format(efficient, other, sizeof(other)));
	assert_string_equal(shown, text);
}

static void
tells_performance_cores_from_efficient_ones(void **state)
{
	const struct tree *t = *state;
	tree_make(t, CPU "online 0-5");
	assert_core_types(t, "P: E:");
	tree_make(t, "sys/devices/cpu_core/cpus 0-3\nsys/devices/cpu_atom/cpus 4-5");
	assert_core_types(t, "P:0-3 E:4-5");
	tree_remove(t, "sys/devices/cpu_atom");
	assert_core_types(t, "P:0-3 E:");
	tree_remove(t, "sys/devices/cpu_core");
	tree_make(t, CPU "cpu0/cpu_capacity 446\n" CPU "cpu1/cpu_capacity 446\n" CPU
			 "cpu2/cpu_capacity 871\n" CPU "cpu3/cpu_capacity 1024\n" CPU
			 "cpu4/cpu_capacity 1024\n" CPU "cpu5/cpu_capacity 871");
	assert_core_types(t, "P:2-5 E:0-1"); /* cut at the widest gap */
	tree_put(t, CPU "cpu2/cpu_capacity", "997\n");
	tree_put(t, CPU "cpu5/cpu_capacity", "1017\n");
	assert_core_types(t, "P:2-5 E:0-1");
	tree_put(t, CPU "cpu0/cpu_capacity", "940\n");
	tree_put(t, CPU "cpu1/cpu_capacity", "930\n");
	assert_core_types(t, "P: E:"); /* one kind, some favoured by a few per cent */
	tree_put(t, CPU "cpu0/cpu_capacity", "512\n");
	tree_put(t, CPU "cpu1/cpu_capacity", "0\n");
	tree_put(t, CPU "cpu2/cpu_capacity", "512\n");
	tree_put(t, CPU "cpu5/cpu_capacity", "512\n");
	assert_core_types(t, "P:3-4 E:0-2,5"); /* equal gaps: the upper one */
	tree_put(t, CPU "cpu1/cpu_capacity", "512\n");
	tree_put(t, CPU "cpu5/cpu_capacity", "x\n");
	assert_core_types(t, "/sys/devices/system/cpu/cpu5/cpu_capacity: 'x' is not a number");
	tree_remove(t, CPU "cpu5");
	assert_core_types(
		t, "/sys/devices/system/cpu/cpu5/cpu_capacity: No such file or directory");
	tree_put(t, CPU "online", "0-1\n");
	assert_core_types(t, "P: E:");
	tree_put(t, "sys/devices/cpu_atom/cpus", "-\n");
	assert_core_types(t, "/sys/devices/cpu_atom/cpus: '-' is not a CPU list: a CPU number is "
			     "missing");
}

static void
describes_cores_of_one_kind_that_differ(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	char text[256];
	tree_make(t,
		CPU "online 0-3\n" CPU "cpu0/cpu_capacity 1024\n" CPU "cpu1/cpu_capacity 1024\n" CPU
		    "cpu2/cpu_capacity 1000\n" CPU "cpu3/cpu_capacity 990\n" CPU
		    "cpu0/acpi_cppc/highest_perf 7\n" CPU "cpu1/acpi_cppc/highest_perf 7\n" CPU
		    "cpu2/acpi_cppc/highest_perf 7\n" CPU "cpu3/acpi_cppc/highest_perf 7");
	topology_describe_cores(&topology, text, sizeof(text));
	assert_string_equal(text, "cpu_capacity is 1024 (CPUs 0-1) to 990 (CPU 3)");
	tree_put(t, CPU "cpu0/acpi_cppc/highest_perf", "8\n");
	topology_describe_cores(&topology, text, sizeof(text));
	assert_string_equal(text, "cpu_capacity is 1024 (CPUs 0-1) to 990 (CPU 3); "
				  "acpi_cppc/highest_perf is 8 (CPU 0) to 7 (CPUs 1-3)");
	topology_free(&topology);
}

static void
takes_all_for_node_0_without_numa(void **state)
{
	const struct tree *t = *state;
	struct topology topology = {.root = t->fd};
	const struct cpumask *mask;
	struct err e;
	assert_int_equal(topology_get(&topology, TOPOLOGY_NODES, &mask, &e), 0);
	assert_mask(mask, "0");
	assert_int_equal(topology_get(&topology, TOPOLOGY_MEMORY_NODES, &mask, &e), 0);
	assert_mask(mask, "0");
	topology_free(&topology);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(describes_cores_of_one_kind_that_differ),
		tree_test(takes_all_for_node_0_without_numa),
		tree_test(reads_each_set),
		tree_test(reads_a_set_once_and_only_that),
		tree_test(says_which_file_is_wrong),
		tree_test(counts_depth_first),
		tree_test(counts_nodes_within_packages),
		tree_test(counts_packages_within_nodes_and_cores_within_caches),
		tree_test(leaves_out_what_is_offline),
		tree_test(takes_what_there_is),
		tree_test(counts_nodes_without_cpus),
		tree_test(survives_sets_that_cut_one_another),
		tree_test(reads_what_it_needs),
		tree_test(reads_objects_once),
		tree_test(finds_the_object_of_a_cpu),
		tree_test(tells_performance_cores_from_efficient_ones),
	};
	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
