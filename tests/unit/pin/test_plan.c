/* SPDX-License-Identifier: MIT */
#include "pin/plan.h"

#include "support/mask.h"
#include "support/unit.h"

#include <string.h>

/* Not even two versions of clang-format agree on a macro that is an initializer. */
/* clang-format off */
#define E {GROUP_EMULATOR, 0}
#define V(id) {GROUP_VCPU, id}
#define T(id) {GROUP_IOTHREAD, id}
/* clang-format on */

/*
 * A guest of four vCPUs, two of them online, and two iothreads: vCPUs on 4-7, the rest on 0-1;
 * iothread2 is kept.
 */
static const struct setting vcpus, others, keep;
static struct desired_mask masks[] = {{.setting = &vcpus}, {.setting = &others}};
static struct desired_group groups[] = {
	{E, &others, &masks[1]},
	{V(0), &vcpus, &masks[0]},
	{V(1), &vcpus, &masks[0]},
	{V(2), NULL, NULL},
	{V(3), &vcpus, &masks[0]},
	{T(1), &others, &masks[1]},
	{T(2), &keep, NULL},
};
static const struct desired desired = {
	.masks = masks, .mask_count = COUNT(masks), .groups = groups, .group_count = COUNT(groups)};
static bool online[] = {true, false, true, true};
static const struct domain domain = {.vcpus = 4, .vcpu_online = online};

static int
setup(void **state)
{
	(void)state;
	masks[0].cpus = mask_of("4-7");
	masks[1].cpus = mask_of("0-1");
	return 0;
}

static void
assert_step(const struct plan_step *step, struct thread_group group, const struct setting *setting,
	const char *cpus, const char *now, bool write)
{
	assert_int_equal(thread_group_compare(step->group, group), 0);
	assert_ptr_equal(step->setting, setting);
	if (cpus == NULL)
		assert_null(step->cpus);
	else
		assert_mask(step->cpus, cpus);
	if (now == NULL)
		assert_null(step->now);
	else
		assert_mask(step->now, now);
	assert_int_equal(step->write, write);
}

static void
plans_for_a_running_guest(void **state)
{
	(void)state;
	/* a vCPU that the XML does not know was plugged in; vcpu1 and iothread2 are gone */
	const struct cpumask none = {0};
	struct cgroup_child there[] = {{E, mask_of("0-7"), none, {0}, false},
		{V(0), mask_of("4-7"), none, {0}, false}, {V(2), mask_of("0-7"), none, {0}, false},
		{V(3), mask_of(""), none, {0}, false}, {V(9), mask_of("0-7"), none, {0}, false},
		{T(1), mask_of("0-2"), none, {0}, false}, {T(2), mask_of("3"), none, {0}, false}};
	const struct cgroup cgroup = {.groups = there, .group_count = COUNT(there)};
	struct plan plan;
	assert_int_equal(plan_build(&desired, &domain, &cgroup, &plan), 0);
	assert_int_equal(plan.step_count, 7);
	assert_step(&plan.steps[0], (struct thread_group)E, &others, "0-1", "0-7", true);
	assert_step(&plan.steps[1], (struct thread_group)V(0), &vcpus, "4-7", "4-7", false);
	assert_step(&plan.steps[2], (struct thread_group)V(2), NULL, NULL, "0-7", false);
	assert_step(&plan.steps[3], (struct thread_group)V(3), &vcpus, "4-7", "", true);
	assert_step(&plan.steps[4], (struct thread_group)V(9), NULL, NULL, "0-7", false);
	assert_step(&plan.steps[5], (struct thread_group)T(1), &others, "0-1", "0-2", true);
	assert_step(&plan.steps[6], (struct thread_group)T(2), &keep, NULL, "3", false);
	assert_int_equal(plan.missing_count, 0); /* vcpu1 is not online */
	plan_free(&plan);
	/* no group but the emulator's; nothing is wished of vcpu2 and iothread2 */
	const struct cgroup alone = {.groups = there, .group_count = 1};
	assert_int_equal(plan_build(&desired, &domain, &alone, &plan), 0);
	assert_int_equal(plan.step_count, 1);
	assert_int_equal(plan.missing_count, 3);
	assert_ptr_equal(plan.missing[0], &groups[1]);
	assert_ptr_equal(plan.missing[1], &groups[4]);
	assert_ptr_equal(plan.missing[2], &groups[5]);
	plan_free(&plan);
	assert_null(plan.steps);
}

/* A vCPU that is to have CPUs to itself, and what it has: nothing, that, less, other CPUs. */
static void
plans_partitions(void **state)
{
	static struct desired_mask own;
	struct desired_group wanted = {{GROUP_VCPU, 0}, &vcpus, &own};
	const struct desired one = {.groups = &wanted, .group_count = 1};
	struct cgroup_child there = {V(0), mask_of("4"), {{0}}, {0}, false};
	const struct cgroup cgroup = {.v2 = true, .groups = &there, .group_count = 1};
	const struct cgroup_partition in_force = {
		.there = true, .in_force = true, .granted = mask_of("4-5")};
	const struct {
		struct cgroup_partition now;
		const char *exclusive;
		bool isolate, release;
	} cases[] = {
		{{0}, "4-5", true, false},
		{in_force, "4-5", false, false},
		{{.there = true, .cpus = mask_of("4-5")}, "4-5", true, true},
		{in_force, "4", true, true},
		{in_force, "", false, true},
		{{0}, "", false, false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct plan plan;
		char text[64];
		own = (struct desired_mask){.setting = &vcpus,
			.cpus = mask_of("4"),
			.whole = mask_of("4"),
			.exclusive = mask_of(cases[i].exclusive)};
		there.partition = cases[i].now;
		assert_int_equal(plan_build(&one, NULL, &cgroup, &plan), 0);
		const struct plan_step *step = &plan.steps[0];
		assert_int_equal(step->isolate, cases[i].isolate);
		assert_int_equal(step->release, cases[i].release);
		assert_int_equal(plan_step_changes(step), cases[i].isolate || cases[i].release);
		assert_string_equal(plan_summary(&plan, text, sizeof(text)),
			cases[i].exclusive[0] == '\0' ? "vcpu0 4"
			: i == 3		      ? "vcpu0 4, exclusive 4"
						      : "vcpu0 4, exclusive 4-5");
		/* without the guest's XML */
		plan_keep_partitions(&plan);
		assert_false(step->release);
		plan_free(&plan);
	}
}

/* cgroup v2 keeps CPUs that the parent lacks for now; v1 refuses them. */
static void
plans_the_whole_set_on_v2(void **state)
{
	(void)state;
	struct cgroup_child there[] = {
		{.group = E, .now = mask_of("0-2")}, {.group = V(0), .now = mask_of("4-7")}};
	struct cgroup cgroup = {.v2 = true, .groups = there, .group_count = COUNT(there)};
	struct plan plan;
	masks[1].whole = mask_of("0-2");
	masks[0].whole = mask_of("4-7");
	assert_int_equal(plan_build(&desired, &domain, &cgroup, &plan), 0);
	assert_step(&plan.steps[0], (struct thread_group)E, &others, "0-1", "0-2", false);
	assert_mask(plan_step_written(&plan.steps[0]), "0-2");
	assert_null(plan.steps[1].whole);
	plan_free(&plan);
	cgroup.v2 = false;
	assert_int_equal(plan_build(&desired, &domain, &cgroup, &plan), 0);
	assert_step(&plan.steps[0], (struct thread_group)E, &others, "0-1", "0-2", true);
	assert_mask(plan_step_written(&plan.steps[0]), "0-1");
	plan_free(&plan);
}

/* Nodes go to every group, also to those whose CPUs no rule is about, where they differ. */
static void
plans_memory(void **state)
{
	(void)state;
	static const struct value value;
	struct cgroup_child there[] = {{E, mask_of("0-1"), mask_of("0-1"), {0}, false},
		{V(0), mask_of("4-7"), mask_of("1"), {0}, false},
		{V(2), mask_of("0-7"), mask_of(""), {0}, false},
		{V(9), mask_of("0-7"), mask_of("0"), {0}, false}};
	static const bool write[] = {true, false, true, true};
	const struct cgroup cgroup = {.groups = there, .group_count = COUNT(there)};
	struct desired with_memory = desired;
	struct plan plan;
	char text[128];
	with_memory.memory =
		(struct memory){.value = &value, .wanted = true, .nodes = mask_of("1")};
	assert_int_equal(plan_build(&with_memory, &domain, &cgroup, &plan), 0);
	assert_mask(plan.nodes, "1");
	for (size_t i = 0; i < COUNT(there); i++) {
		assert_ptr_equal(plan.steps[i].nodes_now, &there[i].nodes);
		assert_int_equal(plan.steps[i].write_nodes, write[i]);
	}
	assert_string_equal(
		plan_summary(&plan, text, sizeof(text)), "emulator 0-1, vcpu0 4-7, memory 1");
	assert_string_equal(plan_summary(&plan, text, 30), "emulator 0-1, vcpu0 4-7, ...");
	plan_free(&plan);

	with_memory.memory.wanted = false; /* keep: shown, not written */
	assert_int_equal(plan_build(&with_memory, &domain, &cgroup, &plan), 0);
	assert_null(plan.nodes);
	assert_ptr_equal(plan.steps[0].nodes_now, &there[0].nodes);
	assert_false(plan.steps[0].write_nodes);
	plan_free(&plan);

	with_memory.memory.wanted = true; /* not running here */
	assert_int_equal(plan_build(&with_memory, &domain, NULL, &plan), 0);
	assert_mask(plan.nodes, "1");
	assert_null(plan.steps[0].nodes_now);
	assert_false(plan.steps[0].write_nodes);
	plan_free(&plan);
}

static void
plans_for_xml_alone(void **state)
{
	(void)state;
	struct plan plan;
	assert_int_equal(plan_build(&desired, &domain, NULL, &plan), 0);
	assert_int_equal(plan.step_count, 6);
	assert_step(&plan.steps[0], (struct thread_group)E, &others, "0-1", NULL, false);
	assert_step(&plan.steps[1], (struct thread_group)V(0), &vcpus, "4-7", NULL, false);
	assert_step(&plan.steps[2], (struct thread_group)V(2), NULL, NULL, NULL, false);
	assert_step(&plan.steps[3], (struct thread_group)V(3), &vcpus, "4-7", NULL, false);
	assert_step(&plan.steps[4], (struct thread_group)T(1), &others, "0-1", NULL, false);
	assert_step(&plan.steps[5], (struct thread_group)T(2), &keep, NULL, NULL, false);
	plan_free(&plan);
}

static void
plans_nothing_where_nothing_is(void **state)
{
	(void)state;
	const struct cgroup cgroup = {.groups = NULL};
	struct plan plan;
	char text[16] = "x";
	assert_int_equal(plan_build(&desired, &domain, &cgroup, &plan), 0);
	assert_int_equal(plan.step_count, 0);
	assert_string_equal(plan_summary(&plan, text, sizeof(text)), "");
	plan_free(&plan);
}

/* Steps of a guest with gaps, on CPUs by their number in lists[]; -1: none. */
static const char *const lists[] = {"0-1", "4-7", "2"};
static const struct {
	struct thread_group group;
	int cpus;
} summed[] = {{E, 0}, {V(0), 1}, {V(1), 1}, {V(2), 1}, {V(3), 2}, {V(5), 2}, {V(6), -1}, {V(7), 2},
	{V(8), 2}, {T(1), 2}, {T(2), 0}, {T(3), 0}};
static const char summary[] = "emulator 0-1, vcpu0-2 4-7, vcpu3 2, vcpu5 2, vcpu7-8 2, "
			      "iothread1 2, iothread2-3 0-1";

static void
sums_up_neighbours_with_the_same_cpus(void **state)
{
	(void)state;
	struct cpumask cpus[COUNT(lists)];
	struct plan_step steps[COUNT(summed)];
	const struct plan plan = {.steps = steps, .step_count = COUNT(steps)};
	char text[256];
	for (size_t i = 0; i < COUNT(lists); i++)
		cpus[i] = mask_of(lists[i]);
	for (size_t i = 0; i < COUNT(summed); i++)
		steps[i] = (struct plan_step){.group = summed[i].group,
			.cpus = summed[i].cpus < 0 ? NULL : &cpus[summed[i].cpus]};
	assert_ptr_equal(plan_summary(&plan, text, sizeof(text)), text);
	assert_string_equal(text, summary);

	/* cut: the beginning of it, up to the end of an item, and "..." */
	for (size_t size = 16; size < sizeof(summary); size++) {
		memset(text, '#', sizeof(text));
		plan_summary(&plan, text, size);
		size_t length = strlen(text);
		assert_true(length < size);
		assert_int_equal(text[size], '#');
		assert_true(length >= 3);
		assert_string_equal(text + length - 3, "...");
		length -= length > 5 ? 5 : 3; /* ", ..." */
		assert_memory_equal(text, summary, length);
		assert_true(length == 0 || summary[length] == ',');
	}
	plan_summary(&plan, text, sizeof(summary) + 8);
	assert_string_equal(text, summary);
}

static void
cuts_a_long_list_of_cpus(void **state)
{
	(void)state;
	struct cpumask mask = mask_of("0-8191:1/2");
	struct plan_step step = {.group = E, .cpus = &mask};
	const struct plan plan = {.steps = &step, .step_count = 1};
	char text[512];
	plan_summary(&plan, text, sizeof(text));
	assert_memory_equal(text, "emulator 0,2,4,6,", 17);
	assert_in_range(strlen(text), 100, 160);
	assert_string_equal(text + strlen(text) - 4, ",...");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(plans_for_a_running_guest, setup),
		cmocka_unit_test_setup(plans_memory, setup),
		cmocka_unit_test_setup(plans_the_whole_set_on_v2, setup),
		cmocka_unit_test_setup(plans_for_xml_alone, setup),
		cmocka_unit_test_setup(plans_nothing_where_nothing_is, setup),
		cmocka_unit_test(sums_up_neighbours_with_the_same_cpus),
		cmocka_unit_test(cuts_a_long_list_of_cpus),
		cmocka_unit_test(plans_partitions),
	};
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
