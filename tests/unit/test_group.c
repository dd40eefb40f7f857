#include "../../engine/group.h"

#include "unit.h"

static void
names_and_orders_groups(void **state)
{
	(void)state;
	static const struct group groups[] = {{GROUP_EMULATOR, 0}, {GROUP_VCPU, 0},
		{GROUP_VCPU, 10}, {GROUP_IOTHREAD, 1}, {GROUP_IOTHREAD, 4294967295u}};
	static const char *const shown[] = {
		"emulator", "vcpu0", "vcpu10", "iothread1", "iothread4294967295"};
	for (size_t i = 0; i < COUNT(groups); i++) {
		char name[GROUP_NAME_MAX];
		assert_string_equal(group_name(groups[i], name), shown[i]);
		for (size_t j = 0; j < COUNT(groups); j++) {
			int order = group_compare(groups[i], groups[j]);
			assert_int_equal(order < 0, i < j);
			assert_int_equal(order > 0, i > j);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_orders_groups),
	};
	return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
