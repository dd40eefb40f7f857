#include "../../engine/topology.h"

#include "mask.h"
#include "tree.h"
#include "unit.h"

#define CPU "sys/devices/system/cpu/"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(reads_each_set),
		tree_test(reads_a_set_once_and_only_that),
		tree_test(says_which_file_is_wrong),
	};
	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
