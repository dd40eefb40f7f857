/* SPDX-License-Identifier: MIT */
/* Tells vhost workers from other threads. tests/vm/exclusive.bats shows that the kernel moves them.
 */
#include "cgroup/vhost.h"

#include "support/cgroup_tree.h"

/* Fields 3 to 8 of proc_pid_stat(5); the flags follow. */
#define STAT(tid, name, flags)                                                                     \
	"proc/" #tid "/comm " name "\nproc/" #tid "/stat " #tid " (" name ") S 1 1 1 0 -1 " flags  \
	" 7\n"
#define WORKER "16448" /* PF_USER_WORKER and PF_FORKNOEXEC */
#define USER "64"

#define BASE "machine.slice/machine-qemu\\\\x2d1\\\\x2dweb.scope/libvirt"
#define DIR "sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/"

/* make_guest() has threads 4710 and 4799 in the emulator's group. */
static size_t
strays(const struct tree *t, const char *threads, struct cgroup *cgroup)
{
	struct err e;
	tree_make(t, threads);
	*cgroup = opened(t);
	if (vhost_find(cgroup, &e) != 0)
		fail_msg("%s", e.text);
	return cgroup->stray_vhosts;
}

static void
finds_workers_by_the_kernels_flag(void **state)
{
	const struct tree *t = *state;
	struct cgroup cgroup;
	make_guest(t, BASE, true);
	assert_int_equal(
		strays(t, STAT(4710, "vhost-4711", WORKER) STAT(4799, "qemu", USER), &cgroup), 1);
	assert_int_equal(cgroup.group_count, 4);
	assert_int_equal(cgroup.groups[3].group.kind, GROUP_VHOST);
	assert_true(cgroup.groups[3].to_be_made);
	cgroup_free(&cgroup);
}

/* QEMU can give its threads any name; io_uring's workers are the kernel's, too. */
static void
takes_no_other_thread_for_one(void **state)
{
	const struct tree *t = *state;
	struct cgroup cgroup;
	make_guest(t, BASE, true);
	assert_int_equal(
		strays(t, STAT(4710, "vhost-4711", USER) STAT(4799, "iou-wrk-4", WORKER), &cgroup),
		0);
	assert_int_equal(cgroup.group_count, 3);
	cgroup_free(&cgroup);
}

static void
knows_the_group_that_is_there(void **state)
{
	const struct tree *t = *state;
	struct cgroup cgroup;
	make_guest(t, BASE, true);
	tree_put(t, DIR "vhost/cpuset.cpus", "2-3\n");
	assert_int_equal(strays(t, STAT(4710, "vhost-4711", WORKER), &cgroup), 1);
	assert_int_equal(cgroup.group_count, 4);
	assert_false(cgroup.groups[3].to_be_made);
	cgroup_free(&cgroup);
}

static void
says_why_the_host_cannot(void **state)
{
	static const struct {
		const char *release;
		bool possible;
	} cases[] = {{"6.4.0", true}, {"6.12.1-amd64", true}, {"7.0", true}, {"6.3.13", false},
		{"5.19", false}, {"6", false}, {"x", false}};
	const struct tree *t = *state;
	struct err e;
	tree_make(t, V1);
	assert_false(vhost_is_possible(t->fd, &e));
	assert_string_equal(e.text, "cgroup v1");
	tree_remove(t, "proc/self/mountinfo");
	tree_make(t, V2);
	for (size_t i = 0; i < COUNT(cases); i++) {
		char wanted[64];
		tree_put(t, "proc/sys/kernel/osrelease", cases[i].release);
		assert_int_equal(vhost_is_possible(t->fd, &e), cases[i].possible);
		snprintf(wanted, sizeof(wanted), "Linux %s", cases[i].release);
		if (!cases[i].possible)
			assert_string_equal(e.text, wanted);
	}
}

/* Plain files keep the last thread that was written, and lose none: the passes come to their end.
 */
static void
gathers_and_scatters(void **state)
{
	const struct tree *t = *state;
	struct cgroup cgroup;
	struct err e;
	bool made = false;
	make_guest(t, BASE, true);
	assert_int_equal(strays(t, STAT(4710, "vhost-4711", WORKER), &cgroup), 1);
	assert_int_equal(vhost_gather(&cgroup, &made, &e), -1); /* a plain directory has no files */
	assert_true(made);
	assert_non_null(strstr(e.text, "cannot write threaded to "));
	tree_put(t, DIR "vhost/cgroup.type", "");
	tree_put(t, DIR "vhost/cgroup.threads", "");
	assert_int_equal(vhost_gather(&cgroup, &made, &e), -1);
	assert_false(made);
	assert_non_null(strstr(e.text, "the vhost workers cannot be moved"));
	assert_string_equal(tree_get(t, DIR "vhost/cgroup.threads"), "4710");
	tree_put(t, DIR "emulator/cgroup.threads", "4799\n");
	assert_int_equal(vhost_gather(&cgroup, &made, &e), 0);
	tree_put(t, DIR "vhost/cgroup.threads", "4710\n");
	assert_int_equal(vhost_scatter(&cgroup, &e), -1); /* files in the directory */
	assert_memory_equal(tree_get(t, DIR "emulator/cgroup.threads"), "4710", 4);
	tree_remove(t, DIR "vhost");
	assert_int_equal(vhost_scatter(&cgroup, &e), 0);
	cgroup_free(&cgroup);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(finds_workers_by_the_kernels_flag),
		tree_test(takes_no_other_thread_for_one),
		tree_test(knows_the_group_that_is_there),
		tree_test(says_why_the_host_cannot),
		tree_test(gathers_and_scatters),
	};
	return cmocka_run_group_tests_name("vhost", tests, NULL, NULL);
}
