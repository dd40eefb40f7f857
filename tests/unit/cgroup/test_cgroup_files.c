/* SPDX-License-Identifier: MIT */
#include "cgroup/cgroup.h"

#include "support/cgroup_tree.h"
#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct thread_group vcpu0 = {GROUP_VCPU, 0}, vcpu9 = {GROUP_VCPU, 9};

static void
lists_threads(void **state)
{
	const struct tree *t = *state;
	static const struct {
		const char *text;
		size_t count;
		int error;
	} files[] = {
		{"", 0, 0},
		{"4711\n", 1, 0},
		{"4711\n4712\n2147483647\n", 3, 0},
		{"0\n", 0, EPROTO},
		{"4711\n0\n", 0, EPROTO},
		{"4711\n-1\n", 0, EPROTO},
		{"4711\n2147483648\n", 0, EPROTO},
		{"4711\n\n", 0, EPROTO},
		{"4711 4712\n", 0, EPROTO},
		{"x\n", 0, EPROTO},
	};
	for (int v2 = 0; v2 < 2; v2++) {
		make_guest(t, "m/web.libvirt-qemu", v2);
		struct cgroup cgroup = opened(t);
		for (size_t i = 0; i < COUNT(files); i++) {
			char path[128];
			pid_t *tids = NULL;
			size_t count = 99;
			snprintf(path, sizeof(path), "sys/fs/cgroup%s/m/web.libvirt-qemu/vcpu0/%s",
				v2 ? "" : "/cpuset", v2 ? "cgroup.threads" : "tasks");
			tree_put(t, path, files[i].text);
			errno = 0;
			int r = cgroup_threads(&cgroup, vcpu0, &tids, &count);
			if (r != (files[i].error == 0 ? 0 : -1) || errno != files[i].error)
				fail_msg("'%s': %d %s", files[i].text, r, strerror(errno));
			if (r != 0)
				continue;
			assert_int_equal(count, files[i].count);
			if (count > 0)
				assert_int_equal(tids[0], 4711);
			if (count > 2)
				assert_int_equal(tids[2], 2147483647);
			free(tids);
		}
		pid_t *tids;
		size_t count;
		assert_int_equal(cgroup_threads(&cgroup, vcpu9, &tids, &count), -1);
		assert_int_equal(errno, ENOENT);
		cgroup_free(&cgroup);
		tree_remove(t, "run");
		tree_remove(t, "proc");
		tree_remove(t, "sys");
	}
}

static void
knows_whether_a_group_is_still_there(void **state)
{
	const struct tree *t = *state;
	make_guest(t, "m/web.libvirt-qemu", true);
	struct cgroup cgroup = opened(t);
	assert_true(cgroup_has_group(&cgroup, vcpu0));
	assert_false(cgroup_has_group(&cgroup, vcpu9));
	tree_remove(t, "sys/fs/cgroup/m/web.libvirt-qemu/vcpu0");
	assert_false(cgroup_has_group(&cgroup, vcpu0));
	cgroup_free(&cgroup);
}

static void
reads_a_groups_masks(void **state)
{
	const struct tree *t = *state;
	struct cpumask mask;
	struct err e;
	make_guest(t, "m/web.libvirt-qemu", false);
	struct cgroup cgroup = opened(t);
	tree_make(t, "sys/fs/cgroup/cpuset/m/web.libvirt-qemu/vcpu0/cpuset.effective_cpus 2");
	assert_int_equal(
		cgroup_read_mask(&cgroup, vcpu0, cgroup_effective_file(&cgroup), &mask, &e), 0);
	assert_mask(&mask, "2");
	assert_int_equal(cgroup_read_mask(&cgroup, vcpu9, "cpuset.cpus", &mask, &e), -1);
	assert_string_equal(e.text,
		"/sys/fs/cgroup/cpuset/m/web.libvirt-qemu: vcpu9/cpuset.cpus: controller "
		"cpuset is not available here");
	cgroup_free(&cgroup);
}

static void
read_memory_nodes(const struct tree *t, bool v2)
{
	struct err e;
	char path[160];
	make_guest(t, "m/web.libvirt-qemu", v2);
	struct cgroup cgroup = opened(t);
	assert_int_equal(cgroup_read_memory(&cgroup, &e), -1);
	assert_non_null(strstr(e.text, v2 ? "m/web.libvirt-qemu: cpuset.mems.effective: "
					  : "m/web.libvirt-qemu: cpuset.effective_mems: "));
	for (size_t i = 0; i <= cgroup.group_count; i++) {
		char name[THREAD_GROUP_NAME_MAX];
		snprintf(path, sizeof(path), "%s/%s%s%s", cgroup.path + 1,
			i > 0 ? thread_group_name(cgroup.groups[i - 1].group, name) : "",
			i > 0 ? "/" : "",
			i > 0 ? "cpuset.mems" : cgroup_effective_nodes_file(&cgroup));
		tree_put(t, path, i == 0 ? "0-1\n" : i == 1 ? "1\n" : "\n");
	}
	if (cgroup_read_memory(&cgroup, &e) != 0)
		fail_msg("%s", e.text);
	assert_mask(&cgroup.nodes, "0-1");
	assert_mask(&cgroup.groups[0].nodes, "1");
	assert_mask(&cgroup.groups[1].nodes, "");
	tree_remove(t, path);
	assert_int_equal(cgroup_read_memory(&cgroup, &e), -1);
	cgroup_free(&cgroup);
}

static void
reads_memory_nodes(void **state)
{
	read_memory_nodes(*state, false);
}

static void
reads_memory_nodes_on_v2(void **state)
{
	read_memory_nodes(*state, true);
}

static void
writes_a_groups_masks(void **state)
{
	const struct tree *t = *state;
	struct cpumask mask = mask_of("1,3-4");
	make_guest(t, "m/web.libvirt-qemu", true);
	tree_make(t, "sys/fs/cgroup/m/web.libvirt-qemu/vcpu0/cpuset.mems");
	struct cgroup cgroup = opened(t);
	assert_int_equal(cgroup_write_mask(&cgroup, vcpu0, "cpuset.mems", &mask), 0);
	assert_string_equal(
		tree_get(t, "sys/fs/cgroup/m/web.libvirt-qemu/vcpu0/cpuset.mems"), "1,3-4");
	mask = mask_of("");
	assert_int_equal(cgroup_write_mask(&cgroup, vcpu0, "cpuset.mems", &mask), 0);
	assert_string_equal(
		tree_get(t, "sys/fs/cgroup/m/web.libvirt-qemu/vcpu0/cpuset.mems"), "\n,3-4");
	errno = 0;
	assert_int_equal(cgroup_write_mask(&cgroup, vcpu9, "cpuset.mems", &mask), -1);
	assert_int_equal(errno, ENOENT);
	cgroup_free(&cgroup);
}

static void
finds_the_cgroup_that_does_not_grant_a_cpu(void **state)
{
	const struct tree *t = *state;
	static const struct {
		const char *wanted;
		int r;
		const char *name, *granted;
	} cases[] = {
		{"0-3", CGROUP_NO_LIMIT, NULL, NULL},
		{"0-5", 0, "libvirt", "0-3"},
		{"6", 0, "machine-qemu\\x2d1\\x2dweb.scope", "0-5"},
		{"9", 0, "machine.slice", "0-7"},
		{"0,9", 0, "machine.slice", "0-7"},
		{"", CGROUP_NO_LIMIT, NULL, NULL},
	};
	char name[64];
	struct cpumask granted, wanted;
	struct err e;
	make_guest(t, "machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt", true);
	tree_make(t, "sys/fs/cgroup/machine.slice/cpuset.cpus.effective 0-7\n"
		     "sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/"
		     "cpuset.cpus.effective 0-5");
	tree_put(t,
		"sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/"
		"cpuset.cpus.effective",
		"0-3\n");
	struct cgroup cgroup = opened(t);
	for (size_t i = 0; i < COUNT(cases); i++) {
		wanted = mask_of(cases[i].wanted);
		assert_int_equal(cgroup_find_limit(&cgroup, cgroup_effective_file(&cgroup), &wanted,
					 name, sizeof(name), &granted, &e),
			cases[i].r);
		if (cases[i].r != 0)
			continue;
		assert_string_equal(name, cases[i].name);
		assert_mask(&granted, cases[i].granted);
	}
	tree_remove(t, "sys/fs/cgroup/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/"
		       "cpuset.cpus.effective");
	wanted = mask_of("6");
	assert_int_equal(cgroup_find_limit(&cgroup, cgroup_effective_file(&cgroup), &wanted, name,
				 sizeof(name), &granted, &e),
		-1);
	assert_string_equal(e.text,
		"machine.slice/machine-qemu\\x2d1\\x2dweb.scope/cpuset.cpus.effective: "
		"controller cpuset is not available here");
	cgroup_free(&cgroup);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(lists_threads),
		tree_test(knows_whether_a_group_is_still_there),
		tree_test(reads_a_groups_masks),
		tree_test(reads_memory_nodes),
		tree_test(reads_memory_nodes_on_v2),
		tree_test(writes_a_groups_masks),
		tree_test(finds_the_cgroup_that_does_not_grant_a_cpu),
	};
	return cmocka_run_group_tests_name("cgroup_files", tests, NULL, NULL);
}
