/* SPDX-License-Identifier: MIT */
#include "pin/apply_memory.h"

#include "support/guest.h"
#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void
assert_nodes(const char *emulator, const char *vcpu0, const char *vcpu1, const char *iothread1)
{
	const char *const nodes[GROUPS] = {emulator, vcpu0, vcpu1, iothread1};
	for (size_t i = 0; i < GROUPS; i++) {
		/* without cutting, as the kernel would: only the beginning counts */
		const char *text = tree_get(guest.tree, guest_file(i, "cpuset.mems"));
		assert_memory_equal(text, nodes[i], strlen(nodes[i]));
	}
}

static void
writes_to_every_group_that_differs(void **state)
{
	(void)state;
	guest_plan_memory("1");
	guest.steps[VCPU1].write_nodes = false;
	if (guest_apply() != 0)
		fail_msg("%s", guest.e.text);
	assert_nodes("1", "1", "0-1", "1");
	assert_int_equal(guest.result.nodes, 3);
	assert_int_equal(kernel.writes, guest.result.masks + guest.result.nodes);
}

/* Memory alone: no thread is looked at, no mask written. */
static void
leaves_cpus_alone(void **state)
{
	(void)state;
	guest_plan(NULL, NULL, NULL, NULL);
	guest_plan_memory("1");
	assert_int_equal(guest_apply(), 0);
	assert_int_equal(guest.result.masks + guest.result.threads, 0);
	assert_int_equal(guest.result.nodes, GROUPS);
	assert_int_equal(kernel.gets + kernel.sets, 0);
}

static void
writes_nothing_where_all_is_as_wished(void **state)
{
	(void)state;
	guest_plan(NULL, NULL, NULL, NULL);
	guest_plan_memory("0-1");
	assert_int_equal(guest_apply(), 0);
	assert_int_equal(guest.result.nodes, guest.cgroup.v2);
	assert_int_equal(kernel.writes, guest.result.nodes);
}

/* The k-th write fails, of masks or nodes: everything is as it was. */
static void
undoes_everything_at_any_failure(void **state)
{
	(void)state;
	unsigned k, writes = 3 + (unsigned)guest.cgroup.v2 + GROUPS;
	for (k = 1; k <= writes; k++) {
		guest_start_over(guest.cgroup.v2 ? "" : "ab");
		guest_plan_memory("1");
		const char *before = guest_snapshot();
		kernel.fail_write = k;
		assert_int_equal(guest_apply(), -1);
		assert_string_equal(guest_snapshot(), before);
		assert_non_null(strstr(guest.e.text, "cannot write "));
		assert_null(strstr(guest.e.text, "put back"));
		if (k > writes - GROUPS)
			assert_non_null(strstr(guest.e.text, "/cpuset.mems: Permission denied"));
	}
	guest_start_over("ab");
	guest_plan_memory("1");
	kernel.fail_write = k;
	assert_int_equal(guest_apply(), 0);
}

/* "auto" is no wish that is worth the CPUs: they stay, and the nodes alone are put back. */
static void
keeps_the_cpus_where_optional_nodes_fail(void **state)
{
	(void)state;
	unsigned masks = 3 + guest.cgroup.v2;
	for (unsigned k = masks + 1; k <= masks + GROUPS; k++) {
		guest_start_over(guest.cgroup.v2 ? "" : "ab");
		guest_plan_memory("1");
		guest.plan.nodes_optional = true;
		kernel.fail_write = k;
		assert_int_equal(guest_apply(), 0);
		assert_true(guest.result.memory_left);
		assert_non_null(
			strstr(guest.result.memory.text, "/cpuset.mems: Permission denied"));
		assert_int_equal(guest.result.masks, masks);
		assert_int_equal(guest.result.nodes, 0);
		assert_nodes("0-1", "0-1", "0-1", "0-1");
	}
	guest_start_over("ab");
	guest_plan_memory("1");
	guest.plan.nodes_optional = true;
	kernel.poor = true;
	assert_int_equal(guest_apply(), 0);
	assert_string_equal(guest.result.memory.text,
		"/cg/g/vcpu1: asked for memory nodes 1, the kernel grants 0");
}

/* The granted nodes count, not the written ones; masks are undone as well. */
static void
undoes_what_the_kernel_does_not_grant(void **state)
{
	(void)state;
	guest_plan_memory("1");
	const char *before = guest_snapshot();
	kernel.poor = true;
	assert_int_equal(guest_apply(), -1);
	assert_string_equal(guest_snapshot(), before);
	assert_string_equal(
		guest.e.text, "/cg/g/vcpu1: asked for memory nodes 1, the kernel grants 0");
}

static void
says_what_could_not_be_put_back(void **state)
{
	(void)state;
	guest_plan(NULL, NULL, NULL, NULL);
	guest_plan_memory("1");
	kernel.fail_write = 4;
	kernel.for_good = true;
	assert_int_equal(guest_apply(), -1);
	assert_string_equal(guest.e.text,
		"the memory nodes of 3 groups could not be put back after this failure: cannot "
		"write 1 to /cg/g/iothread1/cpuset.mems: Permission denied");
}

static void
remove_vcpu1(void)
{
	if (kernel.writes >= 2 && tree_has(guest.tree, "g/vcpu1"))
		tree_remove(guest.tree, "g/vcpu1");
}

/* Before its nodes are written; and, with the last write, before they are read back. */
static void
passes_over_a_group_that_goes_away(void **state)
{
	(void)state;
	guest_plan(NULL, NULL, NULL, NULL);
	guest_plan_memory("1");
	kernel.on_write = remove_vcpu1;
	if (guest_apply() != 0)
		fail_msg("%s", guest.e.text);
	assert_int_equal(guest.result.nodes, GROUPS - 1);
	guest_start_over("ab");
	guest_plan(NULL, NULL, NULL, NULL);
	guest_plan_memory("1");
	guest.steps[EMULATOR].write_nodes = guest.steps[IOTHREAD1].write_nodes = false;
	kernel.on_write = remove_vcpu1;
	if (guest_apply() != 0)
		fail_msg("%s", guest.e.text);
	assert_int_equal(guest.result.nodes, 2);
}

int
main(void)
{
	alarm(300);
	const struct CMUnitTest tests[] = {
		guest_test(writes_to_every_group_that_differs),
		guest_v2_test(writes_to_every_group_that_differs),
		guest_test(leaves_cpus_alone),
		guest_test(writes_nothing_where_all_is_as_wished),
		guest_v2_test(writes_nothing_where_all_is_as_wished),
		guest_test(undoes_everything_at_any_failure),
		guest_test(keeps_the_cpus_where_optional_nodes_fail),
		guest_v2_test(undoes_everything_at_any_failure),
		guest_v2_test(undoes_what_the_kernel_does_not_grant),
		guest_test(says_what_could_not_be_put_back),
		guest_test(passes_over_a_group_that_goes_away),
	};
	return cmocka_run_group_tests_name("apply_memory", tests, NULL, NULL);
}
