/* SPDX-License-Identifier: MIT */
#include "support/guest.h"
#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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
remove_vcpu1(void)
{
	if (tree_has(guest.tree, "g/vcpu1"))
		tree_remove(guest.tree, "g/vcpu1");
}

/* One that turned up and was set is put back as well when a later step fails. */
static void
puts_back_a_thread_that_turned_up(void **state)
{
	(void)state;
	struct cpumask mask = lettered("b");
	guest_set_affinity(SPARE, &mask);
	guest_plan("a", "a", "b", NULL);
	kernel.on_set = add_a_thread;
	kernel.fail_write = 3;
	assert_int_equal(guest_apply(), -1);
	struct cpumask now = guest_affinity(SPARE);
	assert_true(cpumask_equal(&now, &mask));
}

static void
remove_vcpu1_once_written(void)
{
	if (kernel.writes == 3)
		remove_vcpu1();
}

/* It went away with its mask written; what is left to put back is. */
static void
undoes_what_is_left_of_it(void **state)
{
	(void)state;
	guest_plan("a", "a", "a", "a");
	kernel.on_write = remove_vcpu1_once_written;
	kernel.fail_write = 4;
	assert_int_equal(guest_apply(), -1);
	assert_false(tree_has(guest.tree, "g/vcpu1"));
	assert_null(strstr(guest.e.text, "could not be put back"));
	assert_string_equal(tree_get(guest.tree, guest_file(VCPU0, "cpuset.cpus")), list_of("ab"));
}

/*
 * Fails the k-th of what *which counts, for every k, until there is none left; returns how many
 * there were.
 */
static unsigned
fail_each(unsigned *which, const unsigned *count, bool old, const char *letters)
{
	for (unsigned k = 1;; k++) {
		guest_start_over(letters);
		char before[2048];
		strcpy(before, guest_snapshot());
		kernel.old = old;
		*which = k;
		int r = guest_apply();
		if (*count < k) {
			assert_int_equal(r, 0);
			return k - 1;
		}
		if (r != -1 || strstr(guest.e.text, "Permission denied") == NULL ||
			strstr(guest.e.text, "put back") != NULL)
			fail_msg("%u: %d %s", k, r, guest.e.text);
		if (strcmp(guest_snapshot(), before) != 0)
			fail_msg("%u: %s\n--- was\n%s--- is\n%s", k, guest.e.text, before,
				guest_snapshot());
		assert_true(k < 100);
	}
}

static void
undoes_all_when_a_mask_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fail_each(&kernel.fail_write, &kernel.writes, false, "ab"), 3);
	guest_start_over("ab");
	kernel.fail_write = 2;
	kernel.error = ENOSPC;
	assert_int_equal(guest_apply(), -1);
	char reason[128];
	snprintf(reason, sizeof(reason),
		"cannot write %s to /cg/g/vcpu0/cpuset.cpus: No space left on device",
		list_of("a"));
	assert_string_equal(guest.e.text, reason);
}

static void
undoes_all_when_an_affinity_is_refused(void **state)
{
	(void)state;
	assert_int_equal(fail_each(&kernel.fail_set, &kernel.sets, false, "ab"), 4);
}

/* Two looks at least at every thread: before, and behind. */
static void
undoes_all_when_an_affinity_cannot_be_read(void **state)
{
	(void)state;
	assert_true(fail_each(&kernel.fail_get, &kernel.gets, false, "ab") >= 2 * THREADS);
}

/* A kernel on which a mask replaces affinities: put affinities back after the masks. */
static void
undoes_all_on_a_kernel_before_6_2(void **state)
{
	(void)state;
	assert_int_equal(fail_each(&kernel.fail_write, &kernel.writes, true, "ab"), 3);
	assert_true(fail_each(&kernel.fail_set, &kernel.sets, true, "ab") >= 1);
	assert_true(fail_each(&kernel.fail_get, &kernel.gets, true, "ab") >= 2 * THREADS);
}

/* v2: where nothing was written, nothing stands again; all four groups are to be written. */
static void
undoes_all_on_v2(void **state)
{
	(void)state;
	assert_int_equal(fail_each(&kernel.fail_write, &kernel.writes, false, ""), 4);
	guest_start_over("");
	kernel.fail_write = 4;
	assert_int_equal(guest_apply(), -1);
	assert_string_equal(tree_get(guest.tree, guest_file(EMULATOR, "cpuset.cpus")), "\n");
	assert_string_equal(tree_get(guest.tree, guest_file(VCPU1, "cpuset.cpus")), "\n");
	assert_string_equal(tree_get(guest.tree, guest_file(IOTHREAD1, "cpuset.cpus")), "");
}

static void
tells_what_could_not_be_put_back(void **state)
{
	(void)state;
	kernel.fail_write = 3; /* and those that would put two masks back */
	kernel.for_good = true;
	assert_int_equal(guest_apply(), -1);
	static const char start[] =
		"2 masks or affinities could not be put back after this failure: cannot write ";
	assert_memory_equal(guest.e.text, start, sizeof(start) - 1);
	guest_start_over("ab");
	kernel.fail_set = 3; /* two affinities are set by then */
	kernel.for_good = true;
	assert_int_equal(guest_apply(), -1);
	assert_memory_equal(
		guest.e.text, start, strlen("2 masks or affinities could not be put back"));
}

/* v2 takes any mask; what it grants shows in another file. */
static void
undoes_all_when_the_kernel_grants_less(void **state)
{
	(void)state;
	char reason[128];
	guest_start_over("");
	guest_plan("a", "ab", "b", "ab");
	char before[2048];
	strcpy(before, guest_snapshot());
	kernel.stingy = true;
	assert_int_equal(guest_apply(), -1);
	int n = snprintf(reason, sizeof(reason), "/cg/g/vcpu0: asked for CPUs %s, ", list_of("ab"));
	snprintf(reason + n, sizeof(reason) - (size_t)n, "the kernel grants %s", list_of("b"));
	assert_string_equal(guest.e.text, reason);
	assert_string_equal(guest_snapshot(), before);
}

/* The mask was written before, by libvirt say, and the kernel does not grant all of it. */
static void
reports_what_is_granted_of_a_mask_that_it_does_not_write(void **state)
{
	(void)state;
	char reason[128];
	guest_start_over("");
	tree_put(guest.tree, guest_file(VCPU0, "cpuset.cpus"), list_of("ab"));
	tree_put(guest.tree, guest_file(VCPU0, "cpuset.cpus.effective"), list_of("b"));
	guest_plan(NULL, "ab", NULL, NULL);
	assert_false(guest.steps[VCPU0].write);
	kernel.stingy = true;
	assert_int_equal(guest_apply(), -1);
	int n = snprintf(reason, sizeof(reason), "/cg/g/vcpu0: asked for CPUs %s, ", list_of("ab"));
	snprintf(reason + n, sizeof(reason) - (size_t)n, "the kernel grants %s", list_of("b"));
	assert_string_equal(guest.e.text, reason);
	assert_int_equal(kernel.writes + kernel.sets, 0);
}

static void
remove_effective(void)
{
	if (tree_has(guest.tree, "g/vcpu0/cpuset.cpus.effective"))
		tree_remove(guest.tree, "g/vcpu0/cpuset.cpus.effective");
}

static void
undoes_all_when_what_is_granted_cannot_be_read(void **state)
{
	(void)state;
	char before[2048];
	strcpy(before, guest_snapshot());
	kernel.on_write = remove_effective;
	assert_int_equal(guest_apply(), -1);
	assert_string_equal(guest.e.text,
		"/cg/g: vcpu0/cpuset.cpus.effective: controller cpuset is not "
		"available here");
	assert_string_equal(guest_snapshot(), before);
}

/* More threads than the first room for them. */
static void
brings_many_threads_along(void **state)
{
	(void)state;
	char text[8192];
	size_t used = 0;
	struct threads more[20];
	struct cpumask mask = lettered("b");
	for (size_t i = 0; i < COUNT(more); i++) {
		threads_start(&more[i], THREADS_MAX);
		for (size_t j = 0; j < THREADS_MAX; j++) {
			pid_t tid = more[i].tids[j];
			sched_setaffinity(tid, sizeof(mask), (const cpu_set_t *)&mask);
			used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%d\n", (int)tid);
		}
	}
	tree_put(guest.tree, guest_file(EMULATOR, "tasks"), text);
	kernel.sets = 0;
	kernel.fail_write = 3;
	assert_int_equal(guest_apply(), -1);
	unsigned sets = kernel.sets;
	bool back = true;
	for (size_t i = 0; i < COUNT(more); i++) {
		for (size_t j = 0; j < THREADS_MAX; j++) {
			struct cpumask now = {0};
			sched_getaffinity(more[i].tids[j], sizeof(now), (cpu_set_t *)&now);
			back = back && cpumask_equal(&now, &mask);
		}
		threads_stop(&more[i]);
	}
	assert_true(back);
	assert_true(sets >= 2 * COUNT(more) * THREADS_MAX);
}

int
main(void)
{
	alarm(300);
	const struct CMUnitTest tests[] = {
		guest_test(puts_back_a_thread_that_turned_up),
		guest_test(undoes_what_is_left_of_it),
		guest_test(undoes_all_when_a_mask_is_refused),
		guest_test(undoes_all_when_an_affinity_is_refused),
		guest_test(undoes_all_when_an_affinity_cannot_be_read),
		guest_test(undoes_all_on_a_kernel_before_6_2),
		guest_v2_test(undoes_all_on_v2),
		guest_test(tells_what_could_not_be_put_back),
		guest_v2_test(undoes_all_when_the_kernel_grants_less),
		guest_v2_test(reports_what_is_granted_of_a_mask_that_it_does_not_write),
		guest_v2_test(undoes_all_when_what_is_granted_cannot_be_read),
		guest_test(brings_many_threads_along),
	};
	return cmocka_run_group_tests_name("apply_undo", tests, NULL, NULL);
}
