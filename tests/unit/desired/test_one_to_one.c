/* SPDX-License-Identifier: MIT */
#include "desired/one_to_one.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdlib.h>
#include <string.h>

#define VCPUS 4

/* The settings of "vcpus" and of vcpu1's own key; the emulator and vCPU 3 have no mask. */
static char file[] = "f";
static const struct setting vcpus = {
	.kind = GROUP_VCPU, .every = true, .value = {.text = file, .file = file, .line = 2}};
static const struct setting own = {.kind = GROUP_VCPU,
	.first = 1,
	.last = 1,
	.value = {.text = file, .file = file, .line = 4}};
static const struct setting keep = {.kind = GROUP_VCPU,
	.first = 3,
	.last = 3,
	.value = {.text = (char[]){"keep"}, .file = file, .line = 5}};
static const struct value placement = {.text = file, .file = file, .line = 3};

static struct desired_mask masks[2];
static struct desired_group groups[VCPUS + 1];
static struct desired desired;
static struct messages messages;
static struct err e;
static bool unset;
static unsigned threads; /* of a guest core; a CPU of the host is a core */

static int
apply(const struct tree *t, const char *all, const char *alone)
{
	struct topology topology = {.root = t->fd};
	const struct domain domain = {.threads = threads, .vcpus = VCPUS};
	masks[0] = (struct desired_mask){.setting = &vcpus, .cpus = mask_of(all)};
	masks[1] = (struct desired_mask){.setting = &own, .cpus = mask_of(alone)};
	groups[0] = (struct desired_group){.group = {GROUP_EMULATOR, 0}};
	for (unsigned i = 0; i < VCPUS; i++)
		groups[i + 1] = (struct desired_group){
			.group = {GROUP_VCPU, i}, .setting = &vcpus, .mask = &masks[0]};
	groups[2].setting = &own;
	groups[2].mask = &masks[1];
	groups[4].setting = unset ? NULL : &keep;
	groups[4].mask = NULL;
	desired = (struct desired){
		.masks = masks, .mask_count = 2, .groups = groups, .group_count = VCPUS + 1};
	int r = desired_one_to_one(&desired, &placement, &domain, &topology, NULL, &messages, &e);
	topology_free(&topology);
	return r;
}

static int
setup(void **state)
{
	int r = tree_setup(state);
	threads = 1;
	for (char cpu[] = "0"; r == 0 && *cpu < '4'; ++*cpu) {
		char path[] = "sys/devices/system/cpu/cpuN/topology/core_cpus_list";
		*strchr(path, 'N') = *cpu;
		tree_put(*state, path, cpu);
		char package[] = "sys/devices/system/cpu/cpuN/topology/package_cpus_list";
		*strchr(package, 'N') = *cpu;
		tree_put(*state, package, "0-3");
	}
	if (r == 0)
		tree_put(*state, "sys/devices/system/cpu/online", "0-3\n");
	return r;
}

static int
teardown(void **state)
{
	free(desired.per_vcpu);
	desired.per_vcpu = NULL;
	messages_free(&messages);
	unset = false;
	return tree_teardown(state);
}

static void
gives_each_vcpu_a_mask_of_its_own(void **state)
{
	if (apply(*state, "1-3", "1") != 0)
		fail_msg("%s", e.text);
	assert_null(groups[0].mask);
	assert_mask(&groups[1].mask->cpus, "2");
	assert_mask(&groups[1].mask->requested, "2");
	assert_true(groups[1].mask->single);
	assert_ptr_equal(groups[1].mask->setting, &vcpus);
	assert_ptr_equal(groups[2].mask, &masks[1]);
	assert_mask(&groups[3].mask->cpus, "3");
	assert_null(groups[4].mask);
	assert_int_equal(messages.count, 1);
	assert_int_equal(messages.items[0].level, MESSAGE_DETAIL);
	assert_string_equal(messages.items[0].text,
		"f:3: one-to-one: no two vCPUs share a core; left out: 1, for a vCPU with a key of "
		"its own");
}

/* A vCPU whose own key has several CPUs gets one of them to itself, too. */
static void
places_each_set_on_its_own_cpus(void **state)
{
	assert_int_equal(apply(*state, "0-2", "1-2"), 0);
	assert_mask(&groups[1].mask->cpus, "0");
	assert_mask(&groups[2].mask->cpus, "1");
	assert_true(groups[2].mask->single);
	assert_ptr_equal(groups[2].mask->setting, &own);
	assert_mask(&groups[3].mask->cpus, "2");
	assert_int_equal(messages.count, 2);
	assert_string_equal(
		messages.items[0].text, "f:3: one-to-one: vcpu1: no two vCPUs share a core");
	assert_string_equal(messages.items[1].text, "f:3: one-to-one: no two vCPUs share a core");
}

static void
places_a_range_without_vcpus(void **state)
{
	assert_int_equal(apply(*state, "", "2-3"), 0);
	assert_mask(&groups[2].mask->cpus, "2");
	assert_true(groups[2].mask->single);
}

static void
names_the_sets_that_are_short(void **state)
{
	assert_int_equal(apply(*state, "0-1", "0-1"), 0);
	assert_int_equal(messages.errors, 1);
	assert_string_equal(messages.items[0].text,
		"f:3: one-to-one: a CPU for each of 3 vCPUs is needed, but vcpus at f:2, vcpu1 at "
		"f:4 have between them only 2: 0-1");
	assert_true(cpumask_empty(&groups[1].mask->cpus));
	assert_true(cpumask_empty(&groups[2].mask->cpus));
}

static void
warns_of_vcpus_without_a_set(void **state)
{
	unset = true;
	assert_int_equal(apply(*state, "0-2", "1"), 0);
	assert_int_equal(messages.items[0].level, MESSAGE_WARNING);
	assert_string_equal(messages.items[0].text,
		"f:3: one-to-one: vCPU 3 may use the others' CPUs: no rule gives it a set; write "
		"'vcpus = ...'");
}

static void
needs_a_cpu_for_each(void **state)
{
	assert_int_equal(apply(*state, "1-2", "1"), 0);
	assert_true(cpumask_empty(&groups[1].mask->cpus));
	assert_true(cpumask_empty(&groups[3].mask->cpus));
	assert_mask(&groups[2].mask->cpus, "1");
	assert_int_equal(messages.errors, 1);
	assert_string_equal(messages.items[0].text,
		"f:3: one-to-one: a CPU for each of 2 vCPUs is needed, but vcpus at f:2 has only "
		"1: 2; left out: 1, for a vCPU with a key of its own");
}

static void
leaves_a_set_without_cpus_alone(void **state)
{
	assert_int_equal(apply(*state, "", "1"), 0);
	assert_ptr_equal(groups[1].mask, &masks[0]);
	assert_null(desired.per_vcpu);
	assert_int_equal(messages.count, 0);
}

static void
warns_of_guest_cores_on_several_host_cores(void **state)
{
	threads = 2;
	assert_int_equal(apply(*state, "0-2", "1"), 0);
	assert_int_equal(messages.items[messages.count - 1].level, MESSAGE_WARNING);
	assert_string_equal(messages.items[messages.count - 1].text,
		"f:3: one-to-one: the vCPUs of 1 guest core have keys of their own, and so are on "
		"different host cores");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(gives_each_vcpu_a_mask_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(places_each_set_on_its_own_cpus, setup, teardown),
		cmocka_unit_test_setup_teardown(places_a_range_without_vcpus, setup, teardown),
		cmocka_unit_test_setup_teardown(names_the_sets_that_are_short, setup, teardown),
		cmocka_unit_test_setup_teardown(warns_of_vcpus_without_a_set, setup, teardown),
		cmocka_unit_test_setup_teardown(needs_a_cpu_for_each, setup, teardown),
		cmocka_unit_test_setup_teardown(leaves_a_set_without_cpus_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(
			warns_of_guest_cores_on_several_host_cores, setup, teardown),
	};
	return cmocka_run_group_tests_name("one_to_one", tests, NULL, NULL);
}
