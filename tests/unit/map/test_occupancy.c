/* SPDX-License-Identifier: MIT */
#include "cli/map/occupancy.h"

#include "support/unit.h"

#include <stdio.h>

static struct cpumask
mask(const char *list)
{
	struct cpumask result;
	struct err e;
	assert_int_equal(cpumask_parse(list, &result, &e), 0);
	return result;
}

/* Adds groups "GUEST KIND+ID CPUS" and forms the sets for these CPUs online. */
struct line {
	const char *guest;
	struct thread_group group;
	const char *cpus;
};

static struct occupancy
form(const char *online, const struct line *lines, size_t count)
{
	struct occupancy occupancy = {0};
	struct cpumask cpus = mask(online);
	struct err e;
	for (size_t i = 0; i < count; i++) {
		struct cpumask own = mask(lines[i].cpus);
		assert_int_equal(
			occupancy_add(&occupancy, lines[i].guest, lines[i].group, &own, &e), 0);
	}
	assert_int_equal(occupancy_form(&occupancy, &cpus, &e), 0);
	return occupancy;
}

/* "CPUS vcpus[!][*]: GUEST.GROUP ...": '!' for overcommitted, '*' for not confined. */
static void
assert_sets(const struct occupancy *occupancy, const char *const expected[], size_t count)
{
	assert_int_equal(occupancy->set_count, count);
	for (size_t i = 0; i < count; i++) {
		const struct occupancy_set *set = &occupancy->sets[i];
		char text[512], list[64], name[THREAD_GROUP_NAME_MAX];
		int n = snprintf(text, sizeof(text),
			"%s %zu%s%s:", cpumask_format(set->cpus, list, sizeof(list)), set->vcpus,
			set->overcommitted ? "!" : "", set->confined ? "" : "*");
		for (size_t j = 0; j < set->member_count; j++)
			n += snprintf(text + n, sizeof(text) - (size_t)n, " %s.%s",
				set->members[j].guest,
				thread_group_name(set->members[j].group, name));
		assert_string_equal(text, expected[i]);
	}
}

static void
groups_of_one_mask_are_a_set(void **state)
{
	(void)state;
	static const struct line lines[] = {
		{"b", {GROUP_VCPU, 1}, "2-3"},
		{"b", {GROUP_EMULATOR, 0}, "0-1"},
		{"a", {GROUP_VCPU, 10}, "2-3"},
		{"a", {GROUP_VCPU, 9}, "2-3"},
		{"a", {GROUP_IOTHREAD, 1}, "0-1"},
		{"a", {GROUP_EMULATOR, 0}, "0-7"},
		{"c", {GROUP_VCPU, 0}, "7"},
		{"a-10", {GROUP_EMULATOR, 0}, "0-1"},
		{"a-9", {GROUP_EMULATOR, 0}, "0-1"},
	};
	static const char *const sets[] = {
		"7 1: c.vcpu0",
		"0-1 0: a.iothread1 a-9.emulator a-10.emulator b.emulator",
		"2-3 3!: a.vcpu9 a.vcpu10 b.vcpu1",
		"0-7 4*: a.emulator",
	};
	struct occupancy occupancy = form("0-7", lines, COUNT(lines));
	assert_sets(&occupancy, sets, COUNT(sets));
	for (unsigned cpu = 0; cpu < 9; cpu++)
		assert_int_equal(occupancy_overcommitted(&occupancy, cpu), cpu == 2 || cpu == 3);
	occupancy_free(&occupancy);
}

/* A set holds, too, who is confined to a part of it; who may go elsewhere does not count. */
static void
vcpus_of_parts_count_for_the_whole(void **state)
{
	(void)state;
	static const struct line lines[] = {
		{"a", {GROUP_VCPU, 0}, "4"},
		{"a", {GROUP_VCPU, 1}, "4"},
		{"a", {GROUP_VCPU, 2}, "5-6"},
		{"b", {GROUP_VCPU, 0}, "4-6"},
		{"b", {GROUP_VCPU, 1}, "3-4"},
		{"b", {GROUP_IOTHREAD, 1}, "5-6"},
	};
	static const char *const sets[] = {
		"4 2!: a.vcpu0 a.vcpu1",
		"3-4 3!: b.vcpu1",
		"5-6 1: a.vcpu2 b.iothread1",
		"4-6 4!: b.vcpu0",
	};
	struct occupancy occupancy = form("0-7", lines, COUNT(lines));
	assert_sets(&occupancy, sets, COUNT(sets));
	assert_true(occupancy_overcommitted(&occupancy, 3));
	assert_true(occupancy_overcommitted(&occupancy, 5)); /* in 4-6 */
	assert_false(occupancy_overcommitted(&occupancy, 7));
	occupancy_free(&occupancy);
}

/* As many as there are CPUs is not too many; and all of the host is nobody's confinement. */
static void
full_is_not_overcommitted(void **state)
{
	(void)state;
	static const struct line lines[] = {
		{"a", {GROUP_VCPU, 0}, "0-1"},
		{"a", {GROUP_VCPU, 1}, "0-1"},
		{"a", {GROUP_VCPU, 2}, "0-3"},
		{"a", {GROUP_VCPU, 3}, "0-3"},
		{"a", {GROUP_VCPU, 4}, "0-3"},
	};
	static const char *const sets[] = {
		"0-1 2: a.vcpu0 a.vcpu1",
		"0-3 5*: a.vcpu2 a.vcpu3 a.vcpu4",
	};
	struct occupancy occupancy = form("0-3", lines, COUNT(lines));
	assert_sets(&occupancy, sets, COUNT(sets));
	occupancy_free(&occupancy);
}

/* A vCPU's only CPU is its own until threads of another guest may use it; its guest's own may. */
static void
an_own_cpu_may_be_open_to_others(void **state)
{
	(void)state;
	static const struct line lines[] = {
		{"a", {GROUP_VCPU, 0}, "1"},
		{"a", {GROUP_VCPU, 1}, "2"},
		{"a", {GROUP_EMULATOR, 0}, "0-2"},
		{"b", {GROUP_EMULATOR, 0}, "0"},
		{"b", {GROUP_VCPU, 0}, "2-3"},
		{"c", {GROUP_VCPU, 0}, "4"},
	};
	struct occupancy occupancy = form("0-7", lines, COUNT(lines));
	for (unsigned cpu = 0; cpu < 8; cpu++)
		assert_int_equal(occupancy_intruded(&occupancy, cpu), cpu == 2);
	assert_string_equal(occupancy_owner(&occupancy.sets[2]), "a");
	assert_null(occupancy_owner(&occupancy.sets[0]));
	occupancy_free(&occupancy);
}

/* cgroup v1 lists CPUs that are not there. */
static void
offline_cpus_count_for_nothing(void **state)
{
	(void)state;
	static const struct line lines[] = {
		{"a", {GROUP_VCPU, 0}, "0-127"},
		{"a", {GROUP_VCPU, 1}, "2-3"},
		{"a", {GROUP_VCPU, 2}, "2"},
		{"a", {GROUP_VCPU, 3}, "3"},
	};
	static const char *const sets[] = {
		"2 2!: a.vcpu1 a.vcpu2",
		"0-2,4-7 3*: a.vcpu0",
	};
	struct occupancy occupancy = form("0-2,4-7", lines, COUNT(lines));
	assert_sets(&occupancy, sets, COUNT(sets));
	occupancy_free(&occupancy);
}

static void
nobody_is_nowhere(void **state)
{
	(void)state;
	struct occupancy occupancy = form("0-3", NULL, 0);
	assert_sets(&occupancy, NULL, 0);
	assert_false(occupancy_overcommitted(&occupancy, 0));
	occupancy_free(&occupancy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_of_one_mask_are_a_set),
		cmocka_unit_test(vcpus_of_parts_count_for_the_whole),
		cmocka_unit_test(full_is_not_overcommitted),
		cmocka_unit_test(an_own_cpu_may_be_open_to_others),
		cmocka_unit_test(offline_cpus_count_for_nothing),
		cmocka_unit_test(nobody_is_nowhere),
	};
	return cmocka_run_group_tests_name("occupancy", tests, NULL, NULL);
}
