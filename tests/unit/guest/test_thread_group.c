/* SPDX-License-Identifier: MIT */
#include "guest/thread_group.h"

#include "support/unit.h"

static void
names_and_orders_groups(void **state)
{
	(void)state;
	static const struct thread_group groups[] = {{GROUP_EMULATOR, 0}, {GROUP_VCPU, 0},
		{GROUP_VCPU, 10}, {GROUP_IOTHREAD, 1}, {GROUP_IOTHREAD, 4294967295u}};
	static const char *const shown[] = {
		"emulator", "vcpu0", "vcpu10", "iothread1", "iothread4294967295"};
	for (size_t i = 0; i < COUNT(groups); i++) {
		char name[THREAD_GROUP_NAME_MAX];
		assert_string_equal(thread_group_name(groups[i], name), shown[i]);
		for (size_t j = 0; j < COUNT(groups); j++) {
			int order = thread_group_compare(groups[i], groups[j]);
			assert_int_equal(order < 0, i < j);
			assert_int_equal(order > 0, i > j);
		}
	}
}

static void
names_a_run(void **state)
{
	(void)state;
	char run[THREAD_GROUP_RUN_MAX];
	const struct thread_group emulator = {GROUP_EMULATOR, 0}, vcpu = {GROUP_VCPU, 3},
				  last = {GROUP_IOTHREAD, 4294967294u};
	assert_string_equal(thread_group_run_name(emulator, 0, run), "emulator");
	assert_string_equal(thread_group_run_name(vcpu, 3, run), "vcpu3");
	assert_string_equal(thread_group_run_name(vcpu, 11, run), "vcpu3-11");
	assert_string_equal(
		thread_group_run_name(last, 4294967295u, run), "iothread4294967294-4294967295");
}

static void
knows_its_directory(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct thread_group group;
	} good[] = {{"emulator", {GROUP_EMULATOR, 0}}, {"vhost", {GROUP_VHOST, 0}},
		{"vcpu0", {GROUP_VCPU, 0}}, {"vcpu4095", {GROUP_VCPU, 4095}},
		{"iothread4294967295", {GROUP_IOTHREAD, 4294967295u}}};
	static const char *const bad[] = {"", "vcpu", "vcpus", "vcpu-1", "vcpu1 ", "vcpu1x",
		"Vcpu1", "iothread", "iothread4294967296", "emulator1", "cpuset.cpus"};
	struct thread_group group;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(thread_group_parse(good[i].name, &group));
		assert_int_equal(thread_group_compare(group, good[i].group), 0);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (thread_group_parse(bad[i], &group))
			fail_msg("taken: '%s'", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_orders_groups),
		cmocka_unit_test(names_a_run),
		cmocka_unit_test(knows_its_directory),
	};
	return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
