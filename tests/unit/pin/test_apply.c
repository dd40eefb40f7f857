/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include "support/guest.h"
#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
assert_done(void)
{
	for (size_t i = 0; i < THREADS; i++) {
		struct cpumask mask = guest_affinity(i);
		assert_true(cpumask_equal(&mask, &guest.desired[group_of[i]]));
	}
	for (size_t i = 0; i < GROUPS; i++) {
		char list[CPULIST_MAX];
		struct err e;
		struct cpumask mask;
		assert_int_equal(file_read_value(guest.base, guest_file(i, "cpuset.cpus"), list,
					 sizeof(list)),
			0);
		assert_int_equal(cpumask_parse(list, &mask, &e), 0);
		assert_true(cpumask_equal(&mask, &guest.desired[i]));
	}
}

static void
sets_masks_and_affinities(void **state)
{
	(void)state;
	if (guest_apply() != 0)
		fail_msg("%s", guest.e.text);
	assert_done();
	/* on v2 iothread1 has no mask yet; one thread of the emulator's has its affinity */
	assert_int_equal(guest.result.masks, guest.cgroup.v2 ? 4 : 3);
	assert_int_equal(guest.result.threads, 4);
	assert_int_equal(kernel.writes, guest.result.masks);
}

static void
writes_nothing_where_all_is_as_wished(void **state)
{
	(void)state;
	struct stat before, after;
	assert_int_equal(guest_apply(), 0);
	guest_plan("a", "a", "b", "ab");
	kernel = (struct kernel){0};
	assert_int_equal(fstatat(guest.base, guest_file(VCPU0, "cpuset.cpus"), &before, 0), 0);
	assert_int_equal(guest_apply(), 0);
	assert_int_equal(fstatat(guest.base, guest_file(VCPU0, "cpuset.cpus"), &after, 0), 0);
	assert_int_equal(guest.result.masks + guest.result.threads, 0);
	assert_int_equal(kernel.writes + kernel.sets, 0);
	assert_int_equal(kernel.gets, THREADS); /* one look at each */
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
}

static void
touches_no_group_without_a_wish(void **state)
{
	(void)state;
	guest_plan(NULL, "a", NULL, NULL);
	tree_put(guest.tree, guest_file(EMULATOR, "tasks"), "not even read\n");
	assert_int_equal(guest_apply(), 0);
	assert_int_equal(kernel.writes, 1);
	assert_int_equal(kernel.sets, 1);
	assert_string_equal(
		tree_get(guest.tree, guest_file(EMULATOR, "cpuset.cpus")), list_of("ab"));
}

/* The mask stands, but a thread keeps to less (FACTS 4). */
static void
brings_threads_along_where_the_mask_stands(void **state)
{
	(void)state;
	guest_plan(NULL, "ab", NULL, NULL);
	assert_false(guest.steps[VCPU0].write);
	assert_int_equal(guest_apply(), 0);
	assert_int_equal(guest.result.masks, 0);
	assert_int_equal(guest.result.threads, 1);
	assert_int_equal(kernel.writes, 0);
	struct cpumask now = guest_affinity(2);
	assert_true(cpumask_equal(&now, &guest.desired[VCPU0]));
}

static void
passes_over_threads_that_have_ended(void **state)
{
	(void)state;
	char tid[16];
	threads_end_one(&guest.threads, SPARE);
	snprintf(tid, sizeof(tid), "%d\n", (int)guest.threads.tids[SPARE]);
	for (size_t i = 0; i < GROUPS; i++)
		guest_put_tasks(i, tid);
	if (guest_apply() != 0)
		fail_msg("%s", guest.e.text);
	assert_done();
}

/* A thread ends between the look at its affinity and its setting. */
static void
passes_over_a_thread_that_ends_meanwhile(void **state)
{
	(void)state;
	kernel.fail_set = 2;
	kernel.error = ESRCH;
	if (guest_apply() != 0)
		fail_msg("%s", guest.e.text);
	assert_done(); /* it did not end, so it is seen once more */
	kernel = (struct kernel){.error = ESRCH};
	for (kernel.fail_get = 1; kernel.fail_get < 20; kernel.fail_get++) {
		unsigned which = kernel.fail_get;
		guest_start_over("ab");
		kernel.error = ESRCH;
		kernel.fail_get = which;
		if (guest_apply() != 0)
			fail_msg("%u: %s", which, guest.e.text);
	}
}

static void
add_a_thread(void)
{
	char tid[16];
	if (kernel.sets != 2)
		return;
	snprintf(tid, sizeof(tid), "%d\n", (int)guest.threads.tids[SPARE]);
	guest_put_tasks(VCPU0, tid);
	guest_put_tasks(IOTHREAD1, tid); /* a look at which is still to come */
}

static void
sees_a_thread_that_turns_up(void **state)
{
	(void)state;
	struct cpumask mask = lettered("b");
	guest_set_affinity(SPARE, &mask);
	guest_plan("a", "a", "a", NULL);
	kernel.on_set = add_a_thread;
	assert_int_equal(guest_apply(), 0);
	struct cpumask now = guest_affinity(SPARE);
	assert_true(cpumask_equal(&now, &guest.desired[VCPU0]));
	assert_int_equal(guest.result.threads, 4);
}

/* vcpu0's thread, the third of the guest's, makes another, which has its affinity: the new one. */
static void
make_a_thread(void)
{
	char tids[48];
	struct cpumask mask = lettered("a");
	if (guest_affinity(SPARE).words[0] == mask.words[0])
		return;
	struct cpumask now = guest_affinity(2);
	if (!cpumask_equal(&now, &mask))
		return;
	guest_set_affinity(SPARE, &mask);
	snprintf(tids, sizeof(tids), "%d\n%d\n", (int)guest.threads.tids[2],
		(int)guest.threads.tids[SPARE]);
	guest_put_tasks(VCPU0, tids);
}

/* Undoing a change also undoes what a thread inherited from it. */
static void
puts_back_a_thread_that_was_made_meanwhile(void **state)
{
	(void)state;
	struct cpumask before = guest_affinity(2), mask = lettered("b");
	guest_set_affinity(SPARE, &mask);
	guest_plan("a", "a", "a", NULL);
	kernel.on_set = make_a_thread;
	kernel.fail_set = 3;
	kernel.error = EPERM;
	assert_int_equal(guest_apply(), -1);
	struct cpumask now = guest_affinity(SPARE);
	assert_true(cpumask_equal(&now, &before));
}

static void
fight(void)
{
	struct cpumask mask = lettered("b");
	guest_set_affinity(0, &mask);
}

static void
gives_up_where_something_else_sets_the_threads(void **state)
{
	(void)state;
	char reason[256];
	kernel.on_set = fight;
	assert_int_equal(guest_apply(), -1);
	snprintf(reason, sizeof(reason),
		"emulator: its threads do not keep to CPUs %s: something else sets their affinity",
		list_of("a"));
	assert_string_equal(guest.e.text, reason);
}

static void
refuses_a_thread_of_another_pid_namespace(void **state)
{
	(void)state;
	const char *before = guest_snapshot();
	guest_put_tasks(VCPU1, "0\n");
	assert_int_equal(guest_apply(), -1);
	assert_string_equal(guest.e.text, "/cg/g/vcpu1: cannot list its threads: Protocol error");
	assert_int_equal(kernel.writes + kernel.sets, 0);
	assert_string_equal(guest_snapshot(), before);
}

static void
remove_vcpu1(void)
{
	if (tree_has(guest.tree, "g/vcpu1"))
		tree_remove(guest.tree, "g/vcpu1");
}

/* A vCPU is unplugged: before, and once the first mask, or the last one, was written. */
static void
passes_over_a_group_that_goes_away(void **state)
{
	(void)state;
	for (unsigned when = 0; when < 2; when++) {
		guest_start_over("ab");
		if (when == 0)
			remove_vcpu1();
		kernel.on_write = when == 1 ? remove_vcpu1 : NULL;
		if (guest_apply() != 0)
			fail_msg("%u: %s", when, guest.e.text);
		assert_int_equal(guest.result.masks, 2);
		assert_string_equal(
			tree_get(guest.tree, guest_file(VCPU0, "cpuset.cpus")), list_of("a"));
	}
	guest_start_over("ab");
	guest_plan(NULL, NULL, "a", NULL); /* gone before it is verified */
	kernel.on_set = remove_vcpu1;
	if (guest_apply() != 0)
		fail_msg("%s", guest.e.text);
}

/*
 * cgroup v2: the parent lacks CPU a for now. All that the rule names is written, also to threads
 * that seem right, so that the group has it when the parent gets it back.
 */
static void
writes_more_than_is_granted_now(void **state)
{
	(void)state;
	const struct cpumask whole = lettered("ab"), granted = lettered("b");
	guest_plan(NULL, "b", NULL, NULL);
	guest.steps[VCPU0].whole = &whole;
	kernel.stingy = true;
	for (size_t i = 0; i < THREADS; i++)
		if (group_of[i] == VCPU0)
			guest_set_affinity(i, &granted);
	if (guest_apply() != 0)
		fail_msg("%s", guest.e.text);
	assert_string_equal(tree_get(guest.tree, guest_file(VCPU0, "cpuset.cpus")), list_of("ab"));
	for (size_t i = 0; i < THREADS; i++)
		if (group_of[i] == VCPU0) {
			const struct cpumask now = guest_affinity(i);
			assert_true(cpumask_equal(&now, &whole));
		}
	assert_int_equal(guest.result.threads, 0); /* none was wrong */
}

/* cgroup v2: a group with threads keeps a mask; it is given all CPUs that there are. */
static void
frees_a_group_that_cannot_lose_its_mask(void **state)
{
	(void)state;
	guest_start_over("a");
	guest_plan(NULL, "ab", NULL, NULL);
	guest.steps[VCPU0].inherit = true;
	kernel.clings = true;
	tree_put(guest.tree, "g/cpuset.cpus.effective", list_of("ab"));
	if (guest_apply() != 0)
		fail_msg("%s", guest.e.text);
	assert_string_equal(tree_get(guest.tree, guest_file(VCPU0, "cpuset.cpus")), list_of("ab"));
}

int
main(void)
{
	alarm(300);
	const struct CMUnitTest tests[] = {
		guest_test(sets_masks_and_affinities),
		guest_v2_test(sets_masks_and_affinities),
		guest_test(writes_nothing_where_all_is_as_wished),
		guest_test(touches_no_group_without_a_wish),
		guest_test(brings_threads_along_where_the_mask_stands),
		guest_test(passes_over_threads_that_have_ended),
		guest_test(passes_over_a_thread_that_ends_meanwhile),
		guest_test(sees_a_thread_that_turns_up),
		guest_test(puts_back_a_thread_that_was_made_meanwhile),
		guest_test(gives_up_where_something_else_sets_the_threads),
		guest_test(refuses_a_thread_of_another_pid_namespace),
		guest_test(passes_over_a_group_that_goes_away),
		guest_v2_test(writes_more_than_is_granted_now),
		guest_v2_test(frees_a_group_that_cannot_lose_its_mask),
	};
	return cmocka_run_group_tests_name("apply", tests, NULL, NULL);
}
