/* SPDX-License-Identifier: MIT */
#include "cgroup/hierarchy.h"

#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#define SCOPE "machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator"
#define TMPFS "30 23 0:27 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"
#define V1 "31 30 0:28 / /sys/fs/cgroup/cpuset rw,relatime shared:9 - cgroup cgroup rw,cpuset\n"
#define V2 "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define UNIFIED "33 30 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"

/* A host: what the process says, what is mounted, and where that leads. */
static const struct {
	const char *what, *cgroup, *mounts;
	bool v2;
	const char *mount, *path; /* NULL: path is the error */
} hosts[] = {
	{"v2", "0::/" SCOPE "\n", V2, true, "/sys/fs/cgroup", SCOPE},
	{"v1", "5:cpuset:/" SCOPE "\n1:name=systemd:/x\n0::/y\n", TMPFS V1, false,
		"/sys/fs/cgroup/cpuset", SCOPE},
	{"v1, no systemd", "2:cpuset:/machine/qemu-1-web.libvirt-qemu/emulator\n", TMPFS V1, false,
		"/sys/fs/cgroup/cpuset", "machine/qemu-1-web.libvirt-qemu/emulator"},
	{"hybrid", "0::/x/emulator\n3:cpu,cpuacct:/y\n2:cpuset:/z/emulator\n", TMPFS UNIFIED V1,
		false, "/sys/fs/cgroup/cpuset", "z/emulator"},
	{"hybrid, cpuset on v2", "3:memory:/y\n0::/x/emulator\n", TMPFS UNIFIED, true,
		"/sys/fs/cgroup/unified", "x/emulator"},
	{"v1, with another controller", "4:memory,cpuset,cpu:/x/emulator\n",
		"31 30 0:28 / /mnt rw - cgroup none rw,cpuset,cpu,memory\n", false, "/mnt",
		"x/emulator"},
	{"names that only look like it",
		"9:cpusets,xcpuset,cpuse:/y\n8:name=cpuset:/z\n0::/x/emulator\n",
		"31 30 0:28 / /a rw - cgroup none rw,cpusets,xcpuset\n" V2, true, "/sys/fs/cgroup",
		"x/emulator"},
	{"colons in the path", "2:cpuset:/a:b:c/emulator\n", TMPFS V1, false,
		"/sys/fs/cgroup/cpuset", "a:b:c/emulator"},
	{"no newline at the end", "0::/x/emulator", "30 23 0:26 / /cg rw - cgroup2 c rw", true,
		"/cg", "x/emulator"},
	{"process at the root", "0::/\n", V2, true, "/sys/fs/cgroup", ""},
	{"escapes in the mount point", "0::/x\n",
		"30 23 0:26 / /a\\040b\\134c\\011\\012 rw - cgroup2 c rw\n", true, "/a b\\c\t\n",
		"x"},
	{"what is not an escape", "0::/x\n", "30 23 0:26 / /a\\08\\400\\x\\ rw - cgroup2 c rw\n",
		true, "/a\\08\\400\\x\\", "x"},
	{"a root of its own", "0::/lxc/one/x/emulator\n",
		"30 23 0:26 /lxc/one /cg rw - cgroup2 c rw\n", true, "/cg", "x/emulator"},
	{"a root with an escape", "0::/my lxc/x\n",
		"30 23 0:26 /my\\040lxc /cg rw - cgroup2 c rw\n", true, "/cg", "x"},
	{"the root itself", "0::/lxc/one\n", "30 23 0:26 /lxc/one /cg rw - cgroup2 c rw\n", true,
		"/cg", ""},
	{"a root that is another's", "0::/lxc/one/x\n",
		"30 23 0:26 /lxc/on /wrong rw - cgroup2 c rw\n"
		"31 23 0:26 /lxc/two /wrong rw - cgroup2 c rw\n"
		"32 23 0:26 /lxc/one /right rw - cgroup2 c rw\n",
		true, "/right", "x"},
	{"lines that are no mounts", "0::/x\n",
		"\nx\n - \n30 23 - cgroup2 c rw\n30 23 0:26 / /cg rw - cgroup2\n"
		"30 23 0:26 / /cg rw - cgroup2 c\n" V2,
		true, "/sys/fs/cgroup", "x"},
	{"another type of that name", "0::/x\n", "1 2 0:3 / /a rw - cgroup c rw,cpuset\n" V2, true,
		"/sys/fs/cgroup", "x"},
	{"v1 without the cpuset mounted before", "2:cpuset:/x\n",
		"1 2 0:3 / /a rw - cgroup c rw,cpu\n1 2 0:3 / /b rw - cgroup2 c rw\n" V1, false,
		"/sys/fs/cgroup/cpuset", "x"},
	{"no cpuset anywhere", "3:memory:/x\n", TMPFS, false, NULL,
		"/proc/4711/cgroup: no cgroup with the cpuset controller"},
	{"nothing at all", "", V2, false, NULL,
		"/proc/4711/cgroup: no cgroup with the cpuset controller"},
	{"rubbish", "\n:\nx\n0\n0:\n1::/x\n", V2, false, NULL,
		"/proc/4711/cgroup: no cgroup with the cpuset controller"},
	{"outside this namespace", "0::/../other/emulator\n", V2, false, NULL,
		"/proc/4711/cgroup: '/../other/emulator' lies outside this cgroup namespace"},
	{"v2 not mounted", "0::/x/emulator\n", TMPFS V1, false, NULL,
		"no cgroup v2 hierarchy is mounted that holds '/x/emulator'"},
	{"v1 not mounted", "2:cpuset:/x/emulator\n", V2, false, NULL,
		"no cpuset hierarchy is mounted that holds '/x/emulator'"},
	{"not the part that is mounted", "0::/x/emulator\n",
		"30 23 0:26 /y /cg rw - cgroup2 c rw\n", false, NULL,
		"no cgroup v2 hierarchy is mounted that holds '/x/emulator'"},
};

static void
maps_a_process_to_its_cgroup(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(hosts); i++) {
		struct cgroup_location location;
		struct err e = {""};
		tree_put(t, "proc/4711/cgroup", hosts[i].cgroup);
		tree_put(t, "proc/self/mountinfo", hosts[i].mounts);
		int r = hierarchy_find_cgroup(t->fd, 4711, &location, &e);
		if (hosts[i].mount == NULL) {
			if (r != -1 || strcmp(e.text, hosts[i].path) != 0)
				fail_msg("%s: %d %s", hosts[i].what, r, e.text);
			continue;
		}
		if (r != 0)
			fail_msg("%s: %s", hosts[i].what, e.text);
		if (location.v2 != hosts[i].v2 || strcmp(location.mount, hosts[i].mount) != 0 ||
			strcmp(location.path, hosts[i].path) != 0)
			fail_msg("%s: %d '%s' '%s'", hosts[i].what, location.v2, location.mount,
				location.path);
	}
}

static void
passes_over_paths_that_are_too_long(void **state)
{
	const struct tree *t = *state;
	char line[PATH_MAX + 64], path[PATH_MAX + 16];
	struct cgroup_location location;
	struct err e;
	memset(path, 'p', sizeof(path));
	path[0] = '/';
	path[PATH_MAX] = '\0';
	snprintf(line, sizeof(line), "1 2 0:3 / %s rw - cgroup2 c rw\n", path);
	tree_put(t, "proc/4711/cgroup", "0::/x\n");
	tree_put(t, "proc/self/mountinfo", line);
	assert_int_equal(hierarchy_find_cgroup(t->fd, 4711, &location, &e), -1);
	path[PATH_MAX - 1] = '\0';
	snprintf(line, sizeof(line), "1 2 0:3 / %s rw - cgroup2 c rw\n", path);
	tree_put(t, "proc/self/mountinfo", line);
	assert_int_equal(hierarchy_find_cgroup(t->fd, 4711, &location, &e), 0);
	assert_string_equal(location.mount, path);
	path[PATH_MAX - 1] = path[PATH_MAX] = 'p';
	path[PATH_MAX + 1] = '\0';
	snprintf(line, sizeof(line), "0::%s\n", path);
	tree_put(t, "proc/4711/cgroup", line);
	tree_put(t, "proc/self/mountinfo", V2);
	assert_int_equal(hierarchy_find_cgroup(t->fd, 4711, &location, &e), -1);
}

static void
says_which_file_of_proc_is_not_there(void **state)
{
	const struct tree *t = *state;
	struct cgroup_location location;
	struct err e;
	assert_int_equal(hierarchy_find_cgroup(t->fd, 4711, &location, &e), -1);
	assert_string_equal(e.text, "/proc/4711/cgroup: No such file or directory");
	tree_put(t, "proc/4711/cgroup", "0::/x\n");
	assert_int_equal(hierarchy_find_cgroup(t->fd, 4711, &location, &e), -1);
	assert_string_equal(e.text, "/proc/self/mountinfo: No such file or directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(maps_a_process_to_its_cgroup),
		tree_test(passes_over_paths_that_are_too_long),
		tree_test(says_which_file_of_proc_is_not_there),
	};
	return cmocka_run_group_tests_name("hierarchy", tests, NULL, NULL);
}
