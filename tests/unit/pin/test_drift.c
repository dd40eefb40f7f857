/* SPDX-License-Identifier: MIT */
#include "pin/drift.h"

#include "base/file.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct thread_state threads[8];

/* A group with this mask, of which that is granted, and a thread for each word of affinities. */
static struct group_state
seen(const char *cpus, const char *granted, const char *affinities)
{
	struct group_state o = {
		.cpus = mask_of(cpus), .granted = mask_of(granted), .threads = threads};
	for (const char *s = affinities; *s != '\0'; s += *s == ' ') {
		char word[32];
		size_t length = strcspn(s, " ");
		snprintf(word, sizeof(word), "%.*s", (int)length, s);
		threads[o.thread_count] = (struct thread_state){
			.tid = 100 + (pid_t)o.thread_count, .cpus = mask_of(word)};
		o.thread_count++;
		s += length;
	}
	return o;
}

/* The guest may use 0-7. */
static const struct {
	const char *desired, *cpus, *granted, *threads;
	enum drift_kind kind;
	const char *text;
} cases[] = {
	{NULL, "0-7", "0-7", "0-7", DRIFT_NONE, ""},
	{NULL, "3", "3", "1", DRIFT_NONE, ""},
	{"2-3", "2-3", "2-3", "2-3 2-3", DRIFT_NONE, ""},
	{"2-3", "2-3", "2-3", "", DRIFT_NONE, ""},
	{"0-7", "0-7", "0-7", "0-7", DRIFT_NONE, ""},
	{"2-3", "0-7", "0-7", "0-7", DRIFT_UNPINNED,
		"vcpu0: not pinned: it may use all CPUs that the guest may, 0-7; the rule says "
		"2-3"},
	{"2-3", "", "0-7", "0-7", DRIFT_UNPINNED,
		"vcpu0: not pinned: it may use all CPUs that the guest may, 0-7; the rule says "
		"2-3"},
	{"0-7", "", "0-7", "0-7", DRIFT_UNPINNED,
		"vcpu0: not pinned: it may use all CPUs that the guest may, 0-7; the rule says "
		"0-7"},
	{"2-3", "4", "4", "4", DRIFT_MASK, "vcpu0: the cgroup has CPUs 4; the rule says 2-3"},
	{"2-3", "2-3,9", "2-3", "2-3", DRIFT_MASK,
		"vcpu0: the cgroup has CPUs 2-3,9; the rule says 2-3"},
	{"2-3", "2-3", "2", "2", DRIFT_GRANTED,
		"vcpu0: the cgroup has CPUs 2-3, of which the kernel grants only 2"},
	{"2-3", "2-3", "2-3", "2-3 3 2-3", DRIFT_THREADS,
		"vcpu0: 1 of 3 threads keep to other CPUs than 2-3: thread 101 on 3"},
	{"2-3", "2-3", "2-3", "2 3 4 5 2-3", DRIFT_THREADS,
		"vcpu0: 4 of 5 threads keep to other CPUs than 2-3: thread 100 on 2, thread 101 on "
		"3, thread 102 on 4, ..."},
	/* A rule of which nothing is left is an error of its own. */
	{"", "0-7", "0-7", "0-7", DRIFT_NONE, ""},
};

static void
tells_kinds_apart(void **state)
{
	(void)state;
	const struct cpumask allowed = mask_of("0-7");
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cpumask desired = mask_of(cases[i].desired != NULL ? cases[i].desired : "");
		const struct plan_step step = {.group = {GROUP_VCPU, 0},
			.cpus = cases[i].desired != NULL ? &desired : NULL};
		struct drift_group group = {.step = &step,
			.actual = seen(cases[i].cpus, cases[i].granted, cases[i].threads)};
		char text[DRIFT_TEXT_MAX];
		group.kind = drift_kind(&step, NULL, &group.actual, &allowed);
		if (group.kind != cases[i].kind)
			fail_msg("case %zu: %d", i, (int)group.kind);
		assert_string_equal(drift_text(&group, &group + 1, text), cases[i].text);
	}
}

/* Nodes are looked at where CPUs are as wished, or nothing is wished of those. */
static void
tells_memory(void **state)
{
	(void)state;
	static const struct {
		const char *cpus, *desired, *nodes, *wanted;
		enum drift_kind kind;
	} memory[] = {
		{"2", "2", "0", "0", DRIFT_NONE},
		{"2", "2", "0-1", "0", DRIFT_MEMORY},
		{"2", NULL, "1", "0", DRIFT_MEMORY},
		{"2", "3", "1", "0", DRIFT_MASK},
		{"2", "2", "1", NULL, DRIFT_NONE},
		{"2", "2", "1", "", DRIFT_NONE},
	};
	const struct cpumask allowed = mask_of("0-7");
	for (size_t i = 0; i < COUNT(memory); i++) {
		struct cpumask desired =
			mask_of(memory[i].desired != NULL ? memory[i].desired : "");
		struct cpumask nodes = mask_of(memory[i].wanted != NULL ? memory[i].wanted : "");
		const struct plan_step step = {.group = {GROUP_VCPU, 0},
			.cpus = memory[i].desired != NULL ? &desired : NULL};
		struct group_state actual = seen(memory[i].cpus, memory[i].cpus, memory[i].cpus);
		actual.nodes = mask_of(memory[i].nodes);
		assert_int_equal(drift_kind(&step, memory[i].wanted != NULL ? &nodes : NULL,
					 &actual, &allowed),
			memory[i].kind);
	}
}

/* Without a wish for CPUs, too. */
static void
tells_runs_of_memory_once(void **state)
{
	(void)state;
	const struct cpumask nodes = mask_of("0");
	const struct plan_step steps[] = {
		{.group = {GROUP_VCPU, 0}}, {.group = {GROUP_VCPU, 1}}, {.group = {GROUP_VCPU, 2}}};
	struct drift_group groups[3];
	char text[DRIFT_TEXT_MAX];
	for (size_t i = 0; i < 3; i++) {
		groups[i] = (struct drift_group){
			.step = &steps[i], .nodes = &nodes, .kind = DRIFT_MEMORY};
		groups[i].actual.nodes = mask_of(i < 2 ? "0-1" : "1");
	}
	const struct drift drift = {.groups = groups, .count = 3};
	const struct drift_group *end = drift_end_of_run(&drift, groups);
	assert_ptr_equal(end, groups + 2);
	assert_string_equal(drift_text(groups, end, text),
		"vcpu0-1: its memory may come from nodes 0-1; the rule says 0");
}

/* vcpu0-2 and vcpu4 drift alike; vcpu5 has another desired, iothread5 is of another kind. */
static void
puts_neighbours_together(void **state)
{
	(void)state;
	static const struct thread_group names[] = {{GROUP_VCPU, 0}, {GROUP_VCPU, 1},
		{GROUP_VCPU, 2}, {GROUP_VCPU, 4}, {GROUP_VCPU, 5}, {GROUP_IOTHREAD, 6}};
	struct cpumask desired = mask_of("2"), other = mask_of("3");
	struct plan_step steps[COUNT(names)];
	struct drift_group groups[COUNT(names)];
	const struct drift drift = {.groups = groups, .count = COUNT(names)};
	char text[DRIFT_TEXT_MAX];
	for (size_t i = 0; i < COUNT(names); i++) {
		steps[i] =
			(struct plan_step){.group = names[i], .cpus = i == 4 ? &other : &desired};
		groups[i] = (struct drift_group){
			.step = &steps[i], .actual = seen("1", "1", ""), .kind = DRIFT_MASK};
	}
	assert_ptr_equal(drift_end_of_run(&drift, &groups[0]), &groups[3]);
	assert_string_equal(drift_text(&groups[0], &groups[3], text),
		"vcpu0-2: the cgroup has CPUs 1; the rule says 2");
	for (size_t i = 3; i < COUNT(names); i++)
		assert_ptr_equal(drift_end_of_run(&drift, &groups[i]), &groups[i + 1]);
	groups[1].actual.cpus = other;
	assert_ptr_equal(drift_end_of_run(&drift, &groups[0]), &groups[1]);
	for (size_t i = 0; i < COUNT(names); i++)
		groups[i].kind = DRIFT_NONE;
	assert_ptr_equal(drift_end_of_run(&drift, &groups[0]), &groups[1]);
}

static void
compares_a_guest(void **state)
{
	const struct tree *t = *state;
	static const char machine[] =
		"g/emulator/cpuset.cpus 0\ng/emulator/cpuset.cpus.effective 0\n"
		"g/emulator/cgroup.threads \\c\n"
		"g/vcpu0/cpuset.cpus 1\ng/vcpu0/cpuset.cpus.effective 1\n"
		"g/vcpu0/cgroup.threads \\c\n";
	static const struct thread_group names[] = {
		{GROUP_EMULATOR, 0}, {GROUP_VCPU, 0}, {GROUP_VCPU, 1}};
	struct cpumask desired = mask_of("0");
	struct plan_step steps[COUNT(names)];
	const struct plan plan = {.steps = steps, .step_count = COUNT(names)};
	struct drift drift;
	struct err e;
	tree_make(t, machine);
	struct cgroup cgroup = {.v2 = true,
		.mount = -1,
		.directory = file_open_directory(t->fd, "g"),
		.path = strdup("/g"),
		.allowed = mask_of("0-7")};
	for (size_t i = 0; i < COUNT(names); i++)
		steps[i] = (struct plan_step){.group = names[i], .cpus = &desired};
	/* vcpu1 has gone meanwhile */
	if (drift_find(t->fd, &plan, &cgroup, &drift, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(drift.count, 2);
	assert_int_equal(drift.drifted, 1);
	assert_int_equal(drift.groups[0].kind, DRIFT_NONE);
	assert_int_equal(drift.groups[1].kind, DRIFT_MASK);
	assert_ptr_equal(drift.groups[1].step, &steps[1]);
	drift_free(&drift);
	tree_remove(t, "g/vcpu0/cpuset.cpus.effective");
	assert_int_equal(drift_find(t->fd, &plan, &cgroup, &drift, &e), -1);
	assert_string_equal(
		e.text, "/g: vcpu0/cpuset.cpus.effective: controller cpuset is not available here");
	cgroup_free(&cgroup);
}

static void
tells_of_vhost_workers_outside_their_group(void **state)
{
	const struct cpumask cpus = mask_of("2-3"), all = mask_of("0-7");
	const struct plan_step step = {.group = {GROUP_VHOST, 0}, .cpus = &cpus, .gather = true};
	struct drift_group group = {.step = &step, .actual = seen("2-3", "2-3", "2-3")};
	char text[DRIFT_TEXT_MAX];
	(void)state;
	group.kind = drift_kind(&step, NULL, &group.actual, &all);
	assert_int_equal(group.kind, DRIFT_STRAY);
	assert_string_equal(drift_text(&group, &group + 1, text),
		"vhost: vhost workers run with the emulator; the rule says 2-3");
}

/* A vCPU that is to have CPUs 4-5 to itself, on 4, and what the kernel says of its partition. */
static void
tells_if_cpus_are_a_vcpus_own(void **state)
{
	const struct cpumask four = mask_of("4"), own = mask_of("4-5"), all = mask_of("0-7");
	struct plan_step step = {
		.group = {GROUP_VCPU, 0}, .cpus = &four, .exclusive = &own, .now = &four};
	struct drift_group group = {.step = &step};
	char text[DRIFT_TEXT_MAX];
	(void)state;
	group.actual = seen("4", "4-5", "4");
	group.actual.partition =
		(struct cgroup_partition){.there = true, .in_force = true, .granted = own};
	assert_int_equal(drift_kind(&step, NULL, &group.actual, &all), DRIFT_NONE);
	group.actual.partition.granted = mask_of("5");
	group.kind = drift_kind(&step, NULL, &group.actual, &all);
	assert_int_equal(group.kind, DRIFT_EXCLUSIVE);
	assert_string_equal(drift_text(&group, &group + 1, text),
		"vcpu0: it has CPUs 5 to itself; the rule says 4-5");
	group.actual.partition = (struct cgroup_partition){
		.there = true, .cpus = own, .kernel = "isolated invalid (...)"};
	group.actual.granted = four;
	group.kind = drift_kind(&step, NULL, &group.actual, &all);
	assert_int_equal(group.kind, DRIFT_EXCLUSIVE);
	assert_string_equal(drift_text(&group, &group + 1, text),
		"vcpu0: others may use CPUs 4-5; the rule says exclusive; its partition is "
		"'isolated invalid (...)'");
	group.actual.partition = (struct cgroup_partition){0};
	group.kind = drift_kind(&step, NULL, &group.actual, &all);
	assert_int_equal(group.kind, DRIFT_EXCLUSIVE);
	assert_string_equal(drift_text(&group, &group + 1, text),
		"vcpu0: others may use CPUs 4-5; the rule says exclusive");
	/* the rule has gone */
	step.exclusive = NULL;
	assert_int_equal(drift_kind(&step, NULL, &group.actual, &all), DRIFT_NONE);
	step.release = true;
	group.actual.partition =
		(struct cgroup_partition){.there = true, .in_force = true, .granted = own};
	group.kind = drift_kind(&step, NULL, &group.actual, &all);
	assert_int_equal(group.kind, DRIFT_EXCLUSIVE);
	assert_string_equal(drift_text(&group, &group + 1, text),
		"vcpu0: no rule says so, but no other may use CPUs 4-5");
}

int
main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_kinds_apart),
		cmocka_unit_test(tells_memory),
		cmocka_unit_test(tells_runs_of_memory_once),
		cmocka_unit_test(puts_neighbours_together),
		tree_test(compares_a_guest),
		cmocka_unit_test(tells_of_vhost_workers_outside_their_group),
		cmocka_unit_test(tells_if_cpus_are_a_vcpus_own),
	};
	return cmocka_run_group_tests_name("drift", tests, NULL, NULL);
}
