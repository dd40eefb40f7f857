/* SPDX-License-Identifier: MIT */
/* The cgroup of a partition, as libvirt and systemd name it, and what it grants. */
#include "cgroup/partition.h"

#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <limits.h>
#include <string.h>

static void
finds_what_the_default_grants(void **state)
{
	const struct tree *t = *state;
	struct partition partition;
	struct err e;
	assert_int_equal(partition_find(t->fd, NULL, &partition, &e), CGROUP_ERROR);
	assert_string_equal(e.text, "/proc/self/mountinfo: No such file or directory");
	tree_put(t, "proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 c rw\n");
	assert_int_equal(partition_find(t->fd, NULL, &partition, &e), CGROUP_ERROR);
	assert_string_equal(e.text, "/cg: No such file or directory");
	tree_make(t, "cg/machine.slice/\ncg/cgroup.controllers cpuset");
	assert_int_equal(partition_find(t->fd, NULL, &partition, &e), CGROUP_NO_PARTITION);
	tree_put(t, "cg/machine.slice/cpuset.cpus.effective", "0-3\n");
	tree_put(t, "cg/machine/cpuset.cpus.effective", "9\n");
	assert_int_equal(partition_find(t->fd, NULL, &partition, &e), CGROUP_OK);
	assert_string_equal(partition.name, "machine.slice");
	assert_mask(&partition.granted, "0-3");
	tree_put(t, "cg/machine.slice/cpuset.cpus.effective", "x\n");
	assert_int_equal(partition_find(t->fd, NULL, &partition, &e), CGROUP_ERROR);

	/* v1 comes before v2, which has no cpuset then */
	tree_put(t, "proc/self/mountinfo",
		"30 23 0:26 / /cg rw - cgroup2 c rw\n31 23 0:27 / /v1 rw - cgroup c rw,cpuset\n");
	tree_put(t, "v1/machine/cpuset.effective_cpus", "2\n");
	assert_int_equal(partition_find(t->fd, NULL, &partition, &e), CGROUP_OK);
	assert_string_equal(partition.name, "machine");
	assert_mask(&partition.granted, "2");
	tree_put(t, "proc/self/mountinfo", "31 23 0:27 / /sys rw - sysfs s rw\n");
	assert_int_equal(partition_find(t->fd, NULL, &partition, &e), CGROUP_ERROR);
	assert_string_equal(e.text, "no cgroup hierarchy with the cpuset controller is mounted");
}

struct named {
	const char *partition, *name, *granted;
};

static void
finds(const struct tree *t, const struct named *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct partition partition;
		struct err e;
		assert_int_equal(
			partition_find(t->fd, cases[i].partition, &partition, &e), CGROUP_OK);
		assert_string_equal(partition.name, cases[i].name);
		assert_mask(&partition.granted, cases[i].granted);
	}
}

static void
finds_a_slice(void **state)
{
	const struct tree *t = *state;
	static const struct named cases[] = {
		{"/machine/rt", "machine-rt.slice", "4-7"},
		{"/machine/rt/a", "machine-rt-a.slice", "5"},
		{"/machine/rt/none/below", "machine-rt.slice", "4-7"},
		{"/machine/none", "machine.slice", "0-7"},
		{"/machine/r-t", "machine-r\\x2dt.slice", "6"},
		{"/system", "system.slice", "1"},
		{"/machine", "machine.slice", "0-7"},
		/* what is no partition */
		{"machine/rt", "machine.slice", "0-7"},
		{"/machine/../system", "machine.slice", "0-7"},
		{"/", "machine.slice", "0-7"},
		{"/machine//rt", "machine.slice", "0-7"},
		{"", "machine.slice", "0-7"},
	};
	tree_put(t, "proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 c rw\n");
	tree_make(t,
		"cg/machine.slice/cpuset.cpus.effective 0-7\n"
		"cg/machine.slice/machine-rt.slice/cpuset.cpus.effective 4-7\n"
		"cg/machine.slice/machine-rt.slice/machine-rt-a.slice/cpuset.cpus.effective 5\n"
		"cg/machine.slice/machine-r\\\\x2dt.slice/cpuset.cpus.effective 6\n"
		"cg/system.slice/cpuset.cpus.effective 1");
	finds(t, cases, sizeof(cases) / sizeof(cases[0]));
}

static void
finds_a_partition_without_systemd(void **state)
{
	const struct tree *t = *state;
	static const struct named cases[] = {
		{"/machine/rt", "rt.partition", "4-7"},
		{"/machine/rt/a.b", "a.b", "5"},
		{"/machine/none", "machine", "0-7"},
		{"/machine/../system", "machine", "0-7"},
		{"/machine/rt/..", "machine", "0-7"},
	};
	tree_put(t, "proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup c rw,cpuset\n");
	tree_make(t, "cg/machine/cpuset.effective_cpus 0-7\n"
		     "cg/machine/rt.partition/cpuset.effective_cpus 4-7\n"
		     "cg/machine/rt.partition/a.b/cpuset.effective_cpus 5\n"
		     "cg/system/cpuset.effective_cpus 1");
	finds(t, cases, sizeof(cases) / sizeof(cases[0]));
}

static void
bounds_a_name(void **state)
{
	const struct tree *t = *state;
	static char name[2 * PATH_MAX];
	const struct named long_name = {name, "machine.slice", "0-7"};
	tree_put(t, "proc/self/mountinfo", "30 23 0:26 / /cg rw - cgroup2 c rw\n");
	tree_make(t, "cg/machine.slice/cpuset.cpus.effective 0-7");
	memset(name, '-', sizeof(name) - 1);
	memcpy(name, "/machine/", strlen("/machine/"));
	finds(t, &long_name, 1);
	struct partition partition;
	struct err e;
	name[PATH_MAX - 1] = '\0'; /* a path, but not once it is escaped */
	assert_int_equal(partition_find(t->fd, name, &partition, &e), CGROUP_NO_PARTITION);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(finds_what_the_default_grants),
		tree_test(finds_a_slice),
		tree_test(finds_a_partition_without_systemd),
		tree_test(bounds_a_name),
	};
	return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
