/* SPDX-License-Identifier: MIT */
#include "desired/vcpu_layout.h"

#include "support/mask.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Objects from "0,4 1,5": one for each word, in that order. */
struct objects {
	struct topology_object items[64];
	uint16_t cpus[256];
	struct topology_objects all;
};

static void
make_objects(struct objects *objects, const char *text)
{
	*objects = (struct objects){.all.items = objects->items};
	uint16_t *next = objects->cpus;
	char copy[512], *rest = copy;
	snprintf(copy, sizeof(copy), "%s", text);
	for (const char *word; (word = strsep(&rest, " ")) != NULL;) {
		const struct cpumask mask = mask_of(word);
		struct topology_object *object = &objects->items[objects->all.count];
		object->number = (unsigned)objects->all.count++;
		object->cpus = next;
		cpumask_for_each (cpu, &mask)
			*next++ = (uint16_t)cpu;
		object->cpu_count = (size_t)(next - object->cpus);
	}
}

struct shape {
	const char *cores, *nodes; /* of the host */
	const char *cpus, *taken;
	const char *vcpus; /* of the guest */
	unsigned threads;
	const char *cells; /* a digit for each vCPU's, '-': none; NULL: the guest has no cells */
};

static struct vcpu_layout_report report;
static unsigned placed[256];
static size_t count;

static int
place(const struct shape *shape)
{
	static struct objects cores, nodes;
	unsigned ids[256];
	int cells[64];
	const struct cpumask cpus = mask_of(shape->cpus), vcpus = mask_of(shape->vcpus);
	const struct cpumask taken = mask_of(shape->taken != NULL ? shape->taken : "");
	struct vcpu_layout_guest guest = {.vcpus = ids, .threads = shape->threads};
	struct vcpu_layout_host host = {.cpus = &cpus, .taken = &taken, .cores = &cores.all};
	struct err e;
	make_objects(&cores, shape->cores);
	make_objects(&nodes, shape->nodes != NULL ? shape->nodes : "0");
	cpumask_for_each (id, &vcpus)
		ids[guest.count++] = id;
	if (shape->cells != NULL) {
		for (; shape->cells[guest.cell_vcpus] != '\0'; guest.cell_vcpus++)
			cells[guest.cell_vcpus] = shape->cells[guest.cell_vcpus] == '-'
							  ? -1
							  : shape->cells[guest.cell_vcpus] - '0';
		guest.cells = cells;
		host.nodes = &nodes.all;
	}
	count = guest.count;
	memset(placed, 0xff, sizeof(placed));
	report.text[0] = '\0';
	return vcpu_layout_place(&guest, &host, placed, &report, &e);
}

static const char *
shown(void)
{
	static char text[512];
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s%u", i > 0 ? " " : "", placed[i]);
	return text;
}

#define ADJACENT "0-1 2-3 4-5 6-7"
#define APART "0,4 1,5 2,6 3,7"
#define SINGLE "0 1 2 3 4 5 6 7"
#define FOURFOLD "0-3 4-7"
#define HALVES "0-3 4-7"

static const struct {
	struct shape shape;
	const char *placed, *text;
	bool split;
} cases[] = {
	/* one thread: whole cores first, then those in part, second threads last */
	{{ADJACENT, NULL, "0-7", NULL, "0-3", 1, NULL}, "0 2 4 6", "no two vCPUs share a core", 0},
	{{APART, NULL, "0-7", NULL, "0-3", 1, NULL}, "0 1 2 3", "no two vCPUs share a core", 0},
	{{ADJACENT, NULL, "0-7", NULL, "0-5", 1, NULL}, "0 2 4 6 1 3",
		"2 vCPUs are second on their core", 0},
	{{APART, NULL, "0-7", NULL, "0-7", 1, NULL}, "0 1 2 3 4 5 6 7",
		"4 vCPUs are second on their core", 0},
	{{ADJACENT, NULL, "1-7", NULL, "0-2", 1, NULL}, "2 4 6", "no two vCPUs share a core", 0},
	{{ADJACENT, NULL, "1-7", NULL, "0-3", 1, NULL}, "2 4 6 1", "no two vCPUs share a core", 0},
	{{ADJACENT, NULL, "1-7", NULL, "0-6", 1, NULL}, "2 4 6 1 3 5 7",
		"3 vCPUs are second on their core", 0},
	{{ADJACENT, NULL, "1,3-5", NULL, "0", 1, NULL}, "4", "no two vCPUs share a core", 0},
	{{SINGLE, NULL, "2,5,7", NULL, "0-2", 1, NULL}, "2 5 7", "no two vCPUs share a core", 0},
	{{FOURFOLD, NULL, "0-7", NULL, "0-4", 1, NULL}, "0 4 1 5 2",
		"3 vCPUs are second on their core", 0},
	/* another vCPU of the guest is on 0 by its own key: its sibling comes last */
	{{ADJACENT, NULL, "1-7", "0", "1-3", 1, NULL}, "2 4 6", "no two vCPUs share a core", 0},
	{{ADJACENT, NULL, "1-7", "0", "1-4", 1, NULL}, "2 4 6 3", "1 vCPU is second on its core",
		0},

	/* two threads: siblings on siblings, however they are numbered */
	{{ADJACENT, NULL, "0-7", NULL, "0-3", 2, NULL}, "0 1 2 3",
		"guest siblings are on host siblings", 0},
	{{APART, NULL, "0-7", NULL, "0-3", 2, NULL}, "0 4 1 5",
		"guest siblings are on host siblings", 0},
	{{APART, NULL, "1-7", NULL, "0-5", 2, NULL}, "1 5 2 6 3 7",
		"guest siblings are on host siblings", 0},
	{{ADJACENT, NULL, "0-7", NULL, "0-2", 2, NULL}, "0 1 2",
		"guest siblings are on host siblings", 0},
	{{FOURFOLD, NULL, "0-7", NULL, "0-5", 2, NULL}, "0 1 4 5 2 3",
		"guest siblings are on host siblings", 0},
	{{FOURFOLD, NULL, "0-7", NULL, "0-7", 4, NULL}, "0 1 2 3 4 5 6 7",
		"guest siblings are on host siblings", 0},
	/* a vCPU that has a key of its own leaves its sibling alone */
	{{ADJACENT, NULL, "0-6", "7", "0-2", 2, NULL}, "0 1 2",
		"guest siblings are on host siblings", 0},
	{{ADJACENT, NULL, "2-7", "0", "1-5", 2, NULL}, "6 2 3 4 5",
		"guest siblings are on host siblings", 0},
	/* where the set has not the siblings, as far as it goes, and told */
	{{APART, NULL, "0-3", NULL, "0-3", 2, NULL}, "0 1 2 3",
		"the threads of 2 of 2 guest cores are on different host cores", 1},
	{{APART, NULL, "0-4,6", NULL, "0-5", 2, NULL}, "0 4 2 6 1 3",
		"the threads of 1 of 3 guest cores are on different host cores", 1},
	{{ADJACENT, NULL, "0-7", NULL, "0-5", 3, NULL}, "0 2 4 6 1 3",
		"the threads of 2 of 2 guest cores are on different host cores", 1},
	{{SINGLE, NULL, "0-7", NULL, "0-3", 4096, NULL}, "0 1 2 3",
		"the threads of 1 of 1 guest cores are on different host cores", 1},

	/* cells, each on one node */
	{{ADJACENT, HALVES, "0-7", NULL, "0-3", 1, "0011"}, "0 2 4 6",
		"no two vCPUs share a core; cell 0 on node 0; cell 1 on node 1", 0},
	{{ADJACENT, HALVES, "0-7", NULL, "0-3", 1, "0101"}, "0 4 2 6",
		"no two vCPUs share a core; cell 0 on node 0; cell 1 on node 1", 0},
	{{ADJACENT, HALVES, "0-7", NULL, "0-2", 1, "000"}, "0 2 1",
		"1 vCPU is second on its core; cell 0 on node 0", 0},
	{{ADJACENT, HALVES, "0-7", NULL, "0-7", 2, "00001111"}, "0 1 2 3 4 5 6 7",
		"guest siblings are on host siblings; cell 0 on node 0; cell 1 on node 1", 0},
	{{ADJACENT, HALVES, "0-7", NULL, "0-7", 2, "11110000"}, "4 5 6 7 0 1 2 3",
		"guest siblings are on host siblings; cell 0 on node 0; cell 1 on node 1", 0},
	/* the first cell must make room for the second */
	{{ADJACENT, HALVES, "0-5", NULL, "0-5", 1, "001111"}, "4 5 0 2 1 3",
		"3 vCPUs are second on their core; cell 0 on node 1; cell 1 on node 0", 0},
	/* and the second must not tear what the first could leave whole */
	{{ADJACENT, HALVES, "0-2,4-7", NULL, "0-5", 2, "001111"}, "0 1 4 5 6 7",
		"guest siblings are on host siblings; cell 0 on node 0; cell 1 on node 1", 0},
	{{ADJACENT, HALVES, "1-7", NULL, "0-5", 2, "000011"}, "4 5 6 7 2 3",
		"guest siblings are on host siblings; cell 0 on node 1; cell 1 on node 0", 0},
	/* a node for the cell counts for more than a core for its siblings */
	{{ADJACENT, HALVES, "0,2,4-5", NULL, "0-1", 2, "00"}, "4 5",
		"guest siblings are on host siblings; cell 0 on node 1", 0},
	{{ADJACENT, HALVES, "0,2,4,6", NULL, "0-3", 2, "0011"}, "0 2 4 6",
		"the threads of 2 of 2 guest cores are on different host cores; cell 0 on node 0; "
		"cell 1 on node 1",
		1},
	/* three cells on two nodes; what is in none comes last */
	{{ADJACENT, HALVES, "0-7", NULL, "0-5", 1, "001122"}, "0 2 4 6 1 3",
		"2 vCPUs are second on their core; cell 0 on node 0; cell 1 on node 1; cell 2 on "
		"node 0",
		0},
	{{ADJACENT, HALVES, "0-7", NULL, "0-4", 1, "-0-01"}, "6 0 1 2 4", NULL, 0},
	/* a cell that no node has room for */
	{{ADJACENT, HALVES, "0-7", NULL, "0-4", 1, "00000"}, "0 2 4 6 1",
		"1 vCPU is second on its core; cell 0 on nodes 0-1", 1},
	{{ADJACENT, HALVES, "0-7", NULL, "0-6", 1, "0000011"}, NULL,
		"3 vCPUs are second on their core; cell 0 on nodes 0-1; cell 1 on node 0", 1},
	/* hotplug beyond what the cells tell of */
	{{ADJACENT, HALVES, "0-7", NULL, "0-2", 1, "01"}, "0 4 2", NULL, 0},
};

static void
places(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(place(&cases[i].shape), 0);
		if ((cases[i].placed != NULL && strcmp(shown(), cases[i].placed) != 0) ||
			(cases[i].text != NULL && strcmp(report.text, cases[i].text) != 0) ||
			report.split != cases[i].split)
			fail_msg("%zu: %s on %s of %s, %u threads, cells %s:\n%s\n%s\n%d", i,
				cases[i].shape.vcpus, cases[i].shape.cpus, cases[i].shape.cores,
				cases[i].shape.threads, cases[i].shape.cells, shown(), report.text,
				report.split);
	}
}

static void
needs_as_many_cpus_as_vcpus(void **state)
{
	(void)state;
	static const struct shape shapes[] = {
		{ADJACENT, NULL, "0-2", NULL, "0-3", 1, NULL},
		{ADJACENT, NULL, "0-6", NULL, "0-7", 2, NULL},
		{ADJACENT, HALVES, "0-2", NULL, "0-3", 2, "0011"},
		/* 8 and 9 are on no core that this host tells of: each is one */
		{ADJACENT, NULL, "6-9", NULL, "0-4", 1, NULL},
	};
	for (size_t i = 0; i < COUNT(shapes); i++)
		assert_int_equal(place(&shapes[i]), 1);
	static const struct shape single = {ADJACENT, NULL, "6-9", NULL, "0-2", 1, NULL};
	assert_int_equal(place(&single), 0);
	assert_string_equal(shown(), "6 8 9");
	static const struct shape none = {ADJACENT, NULL, "0-3", NULL, "", 1, NULL};
	assert_int_equal(place(&none), 0);
}

/* Many cells for which there is no room: it comes to an end, and soon. */
static void
gives_up_packing(void **state)
{
	(void)state;
	char cells[61];
	for (size_t i = 0; i < 60; i++)
		cells[i] = (char)('0' + i / 3);
	cells[60] = '\0';
	/* 20 cells of three on nodes of four CPUs each, of which there are 15 */
	const struct shape shape = {
		"0-1 2-3 4-5 6-7 8-9 10-11 12-13 14-15 16-17 18-19 20-21 22-23 24-25 26-27 28-29 "
		"30-31 32-33 34-35 36-37 38-39 40-41 42-43 44-45 46-47 48-49 50-51 52-53 54-55 "
		"56-57 58-59",
		"0-3 4-7 8-11 12-15 16-19 20-23 24-27 28-31 32-35 36-39 40-43 44-47 48-51 52-55 "
		"56-59",
		"0-59", NULL, "0-59", 1, cells};
	assert_int_equal(place(&shape), 0);
	assert_true(report.split);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(placed[i], placed[j]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places),
		cmocka_unit_test(needs_as_many_cpus_as_vcpus),
		cmocka_unit_test(gives_up_packing),
	};
	return cmocka_run_group_tests_name("onetoone", tests, NULL, NULL);
}
