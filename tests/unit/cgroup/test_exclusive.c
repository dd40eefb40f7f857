/* SPDX-License-Identifier: MIT */
/* Reads and writes the files of partitions. tests/vm/exclusive.bats shows what the kernel makes of
 * them. */
#include "cgroup/exclusive.h"

#include "support/cgroup_tree.h"
#include "support/mask.h"

#include <stdlib.h>

#define DIR "sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/"

static const struct thread_group vcpu0 = {GROUP_VCPU, 0}, vcpu1 = {GROUP_VCPU, 1};

/* A guest whose vcpu0 has CPUs 4-5 to itself, as the kernel says; its own cgroup has these threads.
 */
static struct cgroup
partitioned(const struct tree *t, const char *kernel, const char *threads)
{
	char lines[1024];
	make_guest(t, "machine.slice/machine-qemu\\\\x2d1\\\\x2dweb.scope/libvirt", true);
	tree_put(t, DIR "cpuset.cpus.exclusive", "4-5\n");
	tree_put(t, DIR "vcpu0/cgroup.threads", threads);
	snprintf(lines, sizeof(lines), "%s\n", kernel);
	tree_put(t, DIR "vcpu0/vmaffinity/cpuset.cpus.partition", lines);
	tree_put(t, DIR "vcpu0/vmaffinity/cpuset.cpus.exclusive", "4-5\n");
	tree_put(t, DIR "vcpu0/vmaffinity/cpuset.cpus.effective", "4-5\n");
	tree_put(t, DIR "vcpu0/vmaffinity/cgroup.threads", "77\n78\n");
	return opened(t);
}

static void
reads_a_partition_in_force(void **state)
{
	struct cgroup cgroup = partitioned(*state, "isolated", "");
	const struct cgroup_child *child = &cgroup.groups[1];
	const struct cpumask own = mask_of("4-5");
	struct cpumask granted;
	struct err e;
	pid_t *tids;
	size_t count;
	assert_true(cgroup.partitioned);
	assert_true(child->partition.there && child->partition.in_force);
	assert_true(cpumask_equal(&child->partition.cpus, &own));
	assert_false(cgroup.groups[2].partition.there);
	assert_int_equal(cgroup_read_granted(&cgroup, vcpu0, &granted, &e), 0);
	assert_true(cpumask_equal(&granted, &own));
	assert_int_equal(cgroup_threads(&cgroup, vcpu0, &tids, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(tids[0], 77);
	free(tids);
	cgroup_free(&cgroup);
}

static void
knows_one_that_is_not_in_force(void **state)
{
	struct cgroup cgroup =
		partitioned(*state, "isolated invalid (No cpu available due to hotplug)", "");
	assert_true(cgroup.groups[1].partition.there);
	assert_false(cgroup.groups[1].partition.in_force);
	assert_string_equal(cgroup.groups[1].partition.kernel,
		"isolated invalid (No cpu available due to hotplug)");
	cgroup_free(&cgroup);
}

/* As a worker leaves it that was killed before it moved the thread. */
static void
knows_one_without_the_thread(void **state)
{
	struct cgroup cgroup = partitioned(*state, "isolated", "4711\n");
	pid_t *tids;
	size_t count;
	assert_true(cgroup.groups[1].partition.there);
	assert_false(cgroup.groups[1].partition.in_force);
	assert_string_equal(
		cgroup.groups[1].partition.kernel, "isolated, but the thread is outside");
	assert_int_equal(cgroup_threads(&cgroup, vcpu0, &tids, &count), 0);
	assert_int_equal(count, 3);
	free(tids);
	cgroup_free(&cgroup);
}

/* Linux before 6.7 has no exclusive CPUs, and a guest without any has an empty list of them. */
static void
reads_no_partition_where_none_was_made(void **state)
{
	const struct tree *t = *state;
	struct cgroup cgroup = partitioned(t, "isolated", "");
	struct cpumask granted;
	struct err e;
	cgroup_free(&cgroup);
	tree_put(t, DIR "cpuset.cpus.exclusive", "\n");
	tree_put(t, DIR "vcpu0/cpuset.cpus.effective", "0-3\n");
	cgroup = opened(t);
	assert_false(cgroup.partitioned);
	assert_false(cgroup.groups[1].partition.there);
	assert_int_equal(cgroup_read_granted(&cgroup, vcpu0, &granted, &e), 0);
	assert_int_equal(cpumask_count(&granted), 4);
	cgroup_free(&cgroup);
	tree_remove(t, DIR "cpuset.cpus.exclusive");
	cgroup = opened(t);
	assert_false(cgroup.partitioned);
	cgroup_free(&cgroup);
}

static void
says_why_the_host_cannot(void **state)
{
	const struct tree *t = *state;
	struct err e;
	assert_false(exclusive_is_possible(t->fd, &e));
	tree_make(t, V1);
	assert_false(exclusive_is_possible(t->fd, &e));
	assert_string_equal(e.text, "cgroup v1");
	tree_remove(t, "proc/self/mountinfo");
	tree_make(t, V2);
	assert_false(exclusive_is_possible(t->fd, &e));
	assert_string_equal(e.text, "an older kernel");
	tree_make(t, "proc/sys/kernel/osrelease 6.1.0-40\n");
	assert_false(exclusive_is_possible(t->fd, &e));
	assert_string_equal(e.text, "Linux 6.1.0-40");
	tree_make(t, "sys/fs/cgroup/cpuset.cpus.isolated\n");
	assert_true(exclusive_is_possible(t->fd, &e));
}

static void
reads_what_is_isolated(void **state)
{
	const struct tree *t = *state;
	const struct cpumask expected = mask_of("2-5");
	struct cpumask cpus;
	assert_false(exclusive_isolated(t->fd, &cpus));
	tree_make(t, V2);
	assert_false(exclusive_isolated(t->fd, &cpus));
	tree_put(t, "sys/fs/cgroup/cpuset.cpus.isolated", "\n");
	assert_false(exclusive_isolated(t->fd, &cpus));
	tree_put(t, "sys/fs/cgroup/cpuset.cpus.isolated", "2-5\n");
	assert_true(exclusive_isolated(t->fd, &cpus));
	assert_true(cpumask_equal(&cpus, &expected));
}

/* Those above the groups are widened by what they lack, and not written to otherwise. */
static void
widens_what_is_above(void **state)
{
	const struct tree *t = *state;
	const struct cpumask cpus = mask_of("4-5");
	struct cgroup cgroup = partitioned(t, "isolated", "");
	struct err e;
	tree_put(t, "sys/fs/cgroup/machine.slice/cpuset.cpus.exclusive", "1-2\n");
	tree_put(t,
		"sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/"
		"cpuset.cpus.exclusive",
		"\n");
	tree_put(t, DIR "cpuset.cpus.exclusive", "4,5,6\n"); /* in a form that is not written */
	assert_int_equal(exclusive_widen(&cgroup, &cpus, &e), 0);
	assert_memory_equal(tree_get(t, "sys/fs/cgroup/machine.slice/cpuset.cpus.exclusive"),
		"1-2,4-5", strlen("1-2,4-5"));
	assert_memory_equal(tree_get(t, "sys/fs/cgroup/machine.slice/"
					"machine-qemu\\x2d1\\x2dweb.scope/cpuset.cpus.exclusive"),
		"4-5", strlen("4-5"));
	assert_string_equal(tree_get(t, DIR "cpuset.cpus.exclusive"), "4,5,6\n");
	tree_remove(t, "sys/fs/cgroup/machine.slice/cpuset.cpus.exclusive");
	assert_int_equal(exclusive_widen(&cgroup, &cpus, &e), -1);
	cgroup_free(&cgroup);
}

/* A group that has gone took its partition with it. */
static void
removes_nothing_where_nothing_is(void **state)
{
	struct cgroup cgroup = partitioned(*state, "isolated", "");
	struct err e;
	assert_int_equal(exclusive_remove(&cgroup, vcpu1, &e), 0);
	assert_int_equal(exclusive_remove(&cgroup, (struct thread_group){GROUP_VCPU, 9}, &e), 0);
	cgroup_free(&cgroup);
}

/*
 * Plain files keep what is written: a partition that is made anew in the place of an old one, whose
 * thread is in already, is complete.
 */
static void
makes_a_partition_and_reads_it_back(void **state)
{
	const struct tree *t = *state;
	const struct cpumask cpus = mask_of("6-7");
	struct cgroup cgroup = partitioned(t, "member", "");
	struct err e;
	tree_put(t, DIR "vcpu0/cgroup.subtree_control", "");
	tree_put(t, DIR "vcpu0/cpuset.cpus.exclusive", "");
	tree_put(t, DIR "vcpu0/vmaffinity/cgroup.type", "");
	tree_put(t, DIR "vcpu0/vmaffinity/cpuset.cpus.partition", "");
	assert_int_equal(exclusive_make(&cgroup, vcpu0, &cpus, &e), 0);
	assert_string_equal(tree_get(t, DIR "vcpu0/cgroup.subtree_control"), "+cpuset");
	assert_string_equal(tree_get(t, DIR "vcpu0/vmaffinity/cgroup.type"), "threaded");
	assert_memory_equal(tree_get(t, DIR "vcpu0/cpuset.cpus.exclusive"), "6-7", 3);
	assert_memory_equal(tree_get(t, DIR "vcpu0/vmaffinity/cpuset.cpus.exclusive"), "6-7", 3);
	assert_string_equal(tree_get(t, DIR "vcpu0/vmaffinity/cpuset.cpus.partition"), "isolated");
	cgroup_free(&cgroup);
}

/* The kernel takes the write and says afterwards that the partition is not valid. */
static void
does_not_believe_a_write(void **state)
{
	const struct tree *t = *state;
	const struct cpumask cpus = mask_of("4-5");
	struct cgroup cgroup = partitioned(t, "isolated invalid (Invalid cpu list)", "");
	struct err e;
	tree_put(t, DIR "vcpu0/cgroup.subtree_control", "");
	tree_put(t, DIR "vcpu0/cpuset.cpus.exclusive", "");
	tree_put(t, DIR "vcpu0/vmaffinity/cgroup.type", "");
	assert_int_equal(exclusive_make(&cgroup, vcpu0, &cpus, &e), -1);
	assert_non_null(strstr(e.text, "the kernel does not give it CPUs 4-5 to itself: isolated"));
	/* a step that fails ends it */
	tree_remove(t, DIR "vcpu0/cgroup.subtree_control");
	assert_int_equal(exclusive_make(&cgroup, vcpu0, &cpus, &e), -1);
	assert_non_null(strstr(e.text, "cannot write +cpuset to "));
	cgroup_free(&cgroup);
}

/* Threads that cannot be moved keep the group from being removed; they are not lost in it. */
static void
says_that_a_partition_stays(void **state)
{
	const struct tree *t = *state;
	struct cgroup cgroup = partitioned(t, "isolated", "");
	struct err e;
	assert_int_equal(exclusive_remove(&cgroup, vcpu0, &e), -1);
	assert_non_null(strstr(e.text, "its threads cannot be moved"));
	assert_memory_equal(tree_get(t, DIR "vcpu0/vmaffinity/cpuset.cpus.partition"), "member", 6);
	tree_put(t, DIR "vcpu0/vmaffinity/cgroup.threads", "");
	assert_int_equal(exclusive_remove(&cgroup, vcpu0, &e), -1);
	assert_non_null(strstr(e.text, "cannot remove "));
	cgroup_free(&cgroup);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(reads_a_partition_in_force),
		tree_test(knows_one_that_is_not_in_force),
		tree_test(knows_one_without_the_thread),
		tree_test(reads_no_partition_where_none_was_made),
		tree_test(says_why_the_host_cannot),
		tree_test(reads_what_is_isolated),
		tree_test(widens_what_is_above),
		tree_test(removes_nothing_where_nothing_is),
		tree_test(makes_a_partition_and_reads_it_back),
		tree_test(does_not_believe_a_write),
		tree_test(says_that_a_partition_stays),
	};
	return cmocka_run_group_tests_name("exclusive partitions", tests, NULL, NULL);
}
