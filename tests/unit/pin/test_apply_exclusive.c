/* SPDX-License-Identifier: MIT */
/*
 * The order of what is done about a vCPU's own CPUs, and its undoing, on plain files. That the
 * kernel takes and gives back the CPUs is for tests/vm/exclusive.bats.
 */
#include "pin/apply_exclusive.h"

#include "support/cgroup_tree.h"
#include "support/mask.h"

#include <stdlib.h>

#define DIR "sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/"
#define CHILD DIR "vcpu0/vmaffinity/"

static struct cpumask four, own, other;
static struct cgroup cgroup;
static struct plan_step step;
static struct plan plan = {.steps = &step, .step_count = 1};
static struct saved_affinities saved;
static size_t set;
static struct err e;

/* A guest whose vcpu0 has no thread, and a child that holds these CPUs. */
static void
make(const struct tree *t, const char *partition, const char *exclusive)
{
	make_guest(t, "machine.slice/machine-qemu\\\\x2d1\\\\x2dweb.scope/libvirt", true);
	tree_put(t, "sys/fs/cgroup/machine.slice/cpuset.cpus.exclusive", "\n");
	tree_put(t,
		"sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/"
		"cpuset.cpus.exclusive",
		"\n");
	tree_put(t, DIR "cpuset.cpus.exclusive", "4-5\n");
	tree_put(t, DIR "vcpu0/cgroup.threads", "");
	tree_put(t, DIR "vcpu0/cgroup.subtree_control", "");
	tree_put(t, DIR "vcpu0/cpuset.cpus.exclusive", "\n");
	tree_put(t, CHILD "cgroup.type", "");
	tree_put(t, CHILD "cgroup.threads", "");
	tree_put(t, CHILD "cpuset.cpus.partition", partition);
	tree_put(t, CHILD "cpuset.cpus.exclusive", exclusive);
	tree_put(t, CHILD "cpuset.cpus.effective", exclusive);
	four = mask_of("4");
	own = mask_of("4-5");
	other = mask_of("6-7");
	cgroup = opened(t);
	step = (struct plan_step){
		.group = {GROUP_VCPU, 0}, .cpus = &four, .partition = &cgroup.groups[1].partition};
	set = 0;
}

static void
end(struct exclusive_work *work)
{
	free(work->done);
	saved_affinities_free(&saved);
	cgroup_free(&cgroup);
}

static void
makes_what_is_planned(void **state)
{
	const struct tree *t = *state;
	make(t, "", "4-5");
	struct exclusive_work work = {.plan = &plan, .cgroup = &cgroup};
	step.exclusive = &own;
	step.isolate = true;
	assert_int_equal(apply_exclusive_release(&work, &e), 0);
	assert_int_equal(apply_exclusive_make(&work, &saved, &set, &e), 0);
	assert_int_equal(work.changed, 1);
	assert_string_equal(tree_get(t, CHILD "cpuset.cpus.partition"), "isolated");
	assert_memory_equal(
		tree_get(t, "sys/fs/cgroup/machine.slice/cpuset.cpus.exclusive"), "4-5", 3);
	/* plain files cannot be removed with their directory: the undoing counts that */
	assert_int_equal(apply_exclusive_undo(&work), 1);
	assert_memory_equal(tree_get(t, CHILD "cpuset.cpus.partition"), "member", 6);
	end(&work);
}

/* All of the guest's partitions are read back: making one can invalidate another. */
static void
verifies_those_that_stay(void **state)
{
	make(*state, "isolated", "6-7");
	struct exclusive_work work = {.plan = &plan, .cgroup = &cgroup};
	step.exclusive = &own;
	step.isolate = true;
	assert_int_equal(apply_exclusive_release(&work, &e), 0);
	assert_int_equal(apply_exclusive_make(&work, &saved, &set, &e), -1);
	assert_non_null(strstr(e.text, "vcpu0: it does not have CPUs 4-5 to itself"));
	end(&work);
}

/* Makes again what was in force, if something fails after it was taken away. */
static void
restores_what_was_in_force(void **state)
{
	const struct tree *t = *state;
	make(t, "isolated", "6-7");
	struct exclusive_work work = {.plan = &plan, .cgroup = &cgroup};
	step.release = true;
	assert_true(step.partition->in_force);
	assert_int_equal(apply_exclusive_release(&work, &e), -1); /* files in the directory */
	assert_memory_equal(tree_get(t, CHILD "cpuset.cpus.partition"), "member", 6);
	tree_put(t, CHILD "cpuset.cpus.partition", "");
	assert_int_equal(apply_exclusive_restore(&work), 0);
	assert_string_equal(tree_get(t, CHILD "cpuset.cpus.partition"), "isolated");
	assert_memory_equal(tree_get(t, CHILD "cpuset.cpus.exclusive"), "6-7", 3);
	end(&work);
}

static void
does_nothing_where_nothing_is_planned(void **state)
{
	const struct tree *t = *state;
	make(t, "isolated", "4-5");
	struct exclusive_work work = {.plan = &plan, .cgroup = &cgroup};
	assert_int_equal(apply_exclusive_release(&work, &e), 0);
	assert_int_equal(apply_exclusive_make(&work, &saved, &set, &e), 0);
	assert_int_equal(apply_exclusive_undo(&work), 0);
	assert_int_equal(apply_exclusive_restore(&work), 0);
	assert_int_equal(work.changed, 0);
	assert_string_equal(tree_get(t, CHILD "cgroup.type"), "");
	end(&work);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(makes_what_is_planned),
		tree_test(verifies_those_that_stay),
		tree_test(restores_what_was_in_force),
		tree_test(does_nothing_where_nothing_is_planned),
	};
	return cmocka_run_group_tests_name("apply, exclusive", tests, NULL, NULL);
}
