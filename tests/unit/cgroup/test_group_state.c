/* SPDX-License-Identifier: MIT */
#include "cgroup/group_state.h"

#include "base/cleanup.h"
#include "base/file.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GROUP "guest/vcpu0/"

/* proc_pid_stat(5), fields 3 to 38, and what comes behind the CPU. */
#define BEFORE                                                                                     \
	"S 1 1 1 0 -1 4194304 5 0 0 0 7 8 0 0 20 0 4 0 99 1000 50 18446744073709551615 1 1 0 0 0 " \
	"0 0 16781312 17920 1 0 0 -1 "
#define AFTER " 0 0 0 0 0 0 0 0 0 0 0 0 0"

static const char machine[] =
	GROUP "cpuset.cpus 0-3,4-7\n" GROUP "cpuset.cpus.effective 0-5\n" GROUP
	      "cpuset.mems.effective 0-1\n" GROUP "cgroup.threads 11\n" GROUP "cgroup.threads 12\n"
	      "proc/11/status Name:\tCPU 0/KVM\\nCpus_allowed:\t0f\\nCpus_allowed_list:\t0-3\\n"
	      "Mems_allowed_list:\t0-1\n"
	      "proc/11/stat 11 (CPU 0/KVM) " BEFORE "2" AFTER "\n"
	      "proc/12/status Name:\tx\\nCpus_allowed_list:\t5\n"
	      "proc/12/stat 12 (x) " BEFORE "5" AFTER "\n";

static const struct thread_group vcpu0 = {GROUP_VCPU, 0};
static struct cgroup cgroup;
static struct group_state actual;
static struct err e;

static int
setup(void **state)
{
	int r = tree_setup(state);
	const struct tree *t = *state;
	if (r != 0)
		return r;
	tree_make(t, machine);
	cgroup = (struct cgroup){.v2 = true,
		.mount = -1,
		.directory = file_open_directory(t->fd, "guest"),
		.path = strdup("/guest")};
	return 0;
}

static int
teardown(void **state)
{
	group_state_free(&actual);
	cgroup_free(&cgroup);
	return tree_teardown(state);
}

#define group_state_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int
look(const struct tree *t)
{
	group_state_free(&actual);
	e.text[0] = '\0';
	return group_state_read(t->fd, &cgroup, vcpu0, &actual, &e);
}

static void
reads_group_and_threads(void **state)
{
	assert_int_equal(look(*state), 0);
	assert_mask(&actual.cpus, "0-7");
	assert_mask(&actual.granted, "0-5");
	assert_mask(&actual.nodes, "0-1");
	assert_int_equal(actual.thread_count, 2);
	assert_int_equal(actual.threads[0].tid, 11);
	assert_mask(&actual.threads[0].cpus, "0-3");
	assert_int_equal(actual.threads[0].last, 2);
	assert_int_equal(actual.threads[1].tid, 12);
	assert_mask(&actual.threads[1].cpus, "5");
	assert_int_equal(actual.threads[1].last, 5);
}

static void
takes_a_thread_by_any_name(void **state)
{
	const struct tree *t = *state;
	static const char *const names[] = {"", ")", "a b", ") R 1 2 3", "((", "x) S 1 ("};
	for (size_t i = 0; i < COUNT(names); i++) {
		char text[512];
		snprintf(text, sizeof(text), "11 (%s) " BEFORE "6" AFTER "\n", names[i]);
		tree_put(t, "proc/11/stat", text);
		if (look(t) != 0)
			fail_msg("'%s': %s", names[i], e.text);
		assert_int_equal(actual.threads[0].last, 6);
	}
}

static void
refuses_what_is_no_status(void **state)
{
	static const struct {
		const char *file, *text, *error;
	} bad[] = {
		{"proc/11/stat", "", "/proc/11/stat: no CPU in field 39"},
		{"proc/11/stat", "11 (x) " BEFORE, "/proc/11/stat: no CPU in field 39"},
		{"proc/11/stat", "11 (x) " BEFORE "x 0", "/proc/11/stat: no CPU in field 39"},
		{"proc/11/stat", "11 (x) " BEFORE "1x 0", "/proc/11/stat: no CPU in field 39"},
		{"proc/11/stat", "11 x " BEFORE "1 0", "/proc/11/stat: no CPU in field 39"},
		{"proc/11/status", "Name:\tx\n", "/proc/11/status: no Cpus_allowed_list in it"},
		{"proc/11/status", "Cpus_allowed_list:\t0\n",
			"/proc/11/status: no Cpus_allowed_list in it"},
	};
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		char before[1024];
		snprintf(before, sizeof(before), "%s", tree_get(t, bad[i].file));
		tree_put(t, bad[i].file, bad[i].text);
		assert_int_equal(look(t), -1);
		assert_string_equal(e.text, bad[i].error);
		tree_put(t, bad[i].file, before);
	}
	assert_int_equal(look(t), 0);
	tree_put(t, "proc/11/status", "Name:\tx\nCpus_allowed_list:\t3-1\n");
	assert_int_equal(look(t), -1);
	assert_int_equal(strncmp(e.text, "/proc/11/status: ", 17), 0);
}

static void
passes_over_what_has_gone(void **state)
{
	const struct tree *t = *state;
	tree_remove(t, "proc/11/stat");
	assert_int_equal(look(t), 0);
	assert_int_equal(actual.thread_count, 1);
	assert_int_equal(actual.threads[0].tid, 12);
	tree_remove(t, "proc");
	assert_int_equal(look(t), 0);
	assert_int_equal(actual.thread_count, 0);
	tree_remove(t, "guest/vcpu0");
	assert_int_equal(look(t), GROUP_STATE_GONE);
}

static void
does_without_nodes_and_not_without_the_rest(void **state)
{
	const struct tree *t = *state;
	tree_remove(t, GROUP "cpuset.mems.effective");
	assert_int_equal(look(t), 0);
	assert_mask(&actual.nodes, "");
	tree_remove(t, GROUP "cpuset.cpus.effective");
	assert_int_equal(look(t), -1);
	assert_string_equal(e.text,
		"/guest: vcpu0/cpuset.cpus.effective: controller cpuset is not available here");
	tree_put(t, GROUP "cpuset.cpus.effective", "0\n");
	tree_remove(t, GROUP "cgroup.threads");
	assert_int_equal(look(t), -1);
	assert_string_equal(
		e.text, "/guest/vcpu0: cannot list its threads: No such file or directory");
}

static void
knows_the_files_of_v1(void **state)
{
	const struct tree *t = *state;
	cgroup.v2 = false;
	tree_put(t, GROUP "cpuset.effective_cpus", "4\n");
	tree_put(t, GROUP "cpuset.effective_mems", "1\n");
	tree_put(t, GROUP "tasks", "12\n");
	assert_int_equal(look(t), 0);
	assert_mask(&actual.granted, "4");
	assert_mask(&actual.nodes, "1");
	assert_int_equal(actual.thread_count, 1);
}

/* Reads the kernel's own account of a thread. */
static void
agrees_with_the_kernel(void **state)
{
	const struct tree *t = *state;
	char text[32];
	AUTO_CLOSE int root = file_open_directory(-1, "/");
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	tree_put(t, GROUP "cgroup.threads", text);
	struct cpumask own = {0};
	assert_int_equal(sched_getaffinity(0, sizeof(own), (cpu_set_t *)&own), 0);
	if (group_state_read(root, &cgroup, vcpu0, &actual, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(actual.thread_count, 1);
	assert_true(cpumask_equal(&actual.threads[0].cpus, &own));
	assert_true(cpumask_test(&own, actual.threads[0].last));
}

int
main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		group_state_test(reads_group_and_threads),
		group_state_test(takes_a_thread_by_any_name),
		group_state_test(refuses_what_is_no_status),
		group_state_test(passes_over_what_has_gone),
		group_state_test(does_without_nodes_and_not_without_the_rest),
		group_state_test(knows_the_files_of_v1),
		group_state_test(agrees_with_the_kernel),
	};
	return cmocka_run_group_tests_name("observe", tests, NULL, NULL);
}
