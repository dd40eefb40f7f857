/* SPDX-License-Identifier: MIT */
#include "cgroup/cgroup.h"
#include "cgroup/lost_cpus.h"

#include "support/cgroup_tree.h"
#include "support/mask.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The directories, below the mount point, that versions of libvirt have used (FACTS 3). */
static const struct {
	const char *what, *base;
} layouts[] = {
	{"systemd", "machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt"},
	{"systemd, before 7.1.0", "machine.slice/machine-qemu\\x2d1\\x2dweb.scope"},
	{"systemd, before 1.3", "machine.slice/machine-qemu\\x2dweb.scope"},
	{"systemd, partition",
		"machine.slice/machine-production.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt"},
	{"no systemd", "machine/qemu-1-web.libvirt-qemu"},
	{"no systemd, before 1.3", "machine/web.libvirt-qemu"},
	{"no systemd, partition", "machine/production.partition/qemu-1-web.libvirt-qemu"},
	{"daemon in a cgroup of its own", "a/b/c/machine/qemu-1-web.libvirt-qemu"},
};

static const char *
shown_groups(const struct cgroup *cgroup)
{
	static char text[1024];
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < cgroup->group_count; i++) {
		char name[THREAD_GROUP_NAME_MAX], list[128];
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%s",
			i > 0 ? " " : "", thread_group_name(cgroup->groups[i].group, name),
			cpumask_format(&cgroup->groups[i].now, list, sizeof(list)));
	}
	return text;
}

static void
finds_a_guest_in_every_layout(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(layouts); i++)
		for (int v2 = 0; v2 < 2; v2++) {
			char path[256];
			make_guest(t, layouts[i].base, v2);
			struct cgroup cgroup = opened(t);
			snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", v2 ? "" : "/cpuset",
				layouts[i].base);
			assert_string_equal(cgroup.path, path);
			assert_int_equal(cgroup.v2, v2);
			assert_int_equal(cgroup.pid, 4711);
			assert_mask(&cgroup.allowed, "0-7");
			assert_string_equal(
				shown_groups(&cgroup), v2 ? "emulator=0-7 vcpu0=0-7 vcpu1="
							  : "emulator=0-7 vcpu0=0-7 vcpu1=0-7");
			cgroup_free(&cgroup);
			assert_int_equal(cgroup.mount, -1);
			assert_null(cgroup.groups);
			tree_remove(t, "run");
			tree_remove(t, "proc");
			tree_remove(t, "sys");
		}
}

static void
follows_the_holder_of_the_pid_file(void **state)
{
	const struct tree *t = *state;
	char line[256];
	make_guest(t, "machine/web.libvirt-qemu", false);
	tree_remove(t, "run/libvirt/qemu/web.xml");
	tree_make(t, "run/libvirt/qemu/web.pid 1\\c");
	pid_t holder = tree_hold(t, "run/libvirt/qemu/web.pid");
	snprintf(line, sizeof(line), "proc/%d/cgroup 7:cpuset:/machine/web.libvirt-qemu/emulator",
		(int)holder);
	tree_make(t, line);
	struct cgroup cgroup = opened(t);
	tree_release(holder);
	assert_int_equal(cgroup.pid, holder);
	cgroup_free(&cgroup);
}

static void
takes_groups_for_such_by_their_whole_name(void **state)
{
	const struct tree *t = *state;
	static const char *const odd[] = {"vcpu", "vcpu1x", "vcpu-1", "vcpu+2", "vcpu 3", "xvcpu0",
		"VCPU4", "vcpu4294967296", "iothread", "iothread1-2", "iothreads", "emulator0",
		"emulators", "vcpu0x1"};
	make_guest(t, "m/web.libvirt-qemu", true);
	for (size_t i = 0; i < COUNT(odd); i++) {
		char path[64];
		snprintf(path, sizeof(path), "sys/fs/cgroup/m/web.libvirt-qemu/%s/x", odd[i]);
		tree_put(t, path, "");
	}
	tree_make(t, "sys/fs/cgroup/m/web.libvirt-qemu/iothread10/cpuset.cpus 3\n"
		     "sys/fs/cgroup/m/web.libvirt-qemu/iothread2/cpuset.cpus 2\n"
		     "sys/fs/cgroup/m/web.libvirt-qemu/vcpu10/cpuset.cpus 1\n"
		     "sys/fs/cgroup/m/web.libvirt-qemu/iothread4294967295/cpuset.cpus 4");
	struct cgroup cgroup = opened(t);
	assert_string_equal(shown_groups(&cgroup),
		"emulator=0-7 vcpu0=0-7 vcpu1= vcpu10=1 iothread2=2 "
		"iothread10=3 iothread4294967295=4");
	cgroup_free(&cgroup);
}

static void
lists_many_groups(void **state)
{
	const struct tree *t = *state;
	make_guest(t, "m/web.libvirt-qemu", true);
	for (unsigned i = 2; i < 128; i++) {
		char line[128];
		snprintf(line, sizeof(line),
			"sys/fs/cgroup/m/web.libvirt-qemu/vcpu%u/cpuset.cpus %u", i, i);
		tree_make(t, line);
	}
	struct cgroup cgroup = opened(t);
	assert_int_equal(cgroup.group_count, 129);
	for (unsigned i = 0; i < 128; i++)
		assert_int_equal(cgroup.groups[1 + i].group.id, i);
	assert_mask(&cgroup.groups[128].now, "127");
	cgroup_free(&cgroup);
}

/* A guest as made, then one thing that is otherwise, and what is said. */
static const struct {
	const char *what, *remove, *make, *reason;
	int r;
} wrong[] = {
	{"not running", "run/libvirt/qemu/web.xml", "",
		"not running here: no pid file and no status file in /run/libvirt/qemu",
		CGROUP_NOT_RUNNING},
	{"the process has gone", "proc/4711", "", "/proc/4711/cgroup: No such file or directory",
		-1},
	{"no cgroups for its threads", "proc/4711", "proc/4711/cgroup 0::/user.slice/qemu.scope",
		"process 4711 is in cgroup '/user.slice/qemu.scope', which does not end in "
		"'/emulator': libvirt made no cgroups for this guest's threads",
		CGROUP_NO_GROUPS},
	{"the root", "proc/4711", "proc/4711/cgroup 0::/",
		"process 4711 is in cgroup '/', which does not end in '/emulator': libvirt made no "
		"cgroups for this guest's threads",
		CGROUP_NO_GROUPS},
	{"an emulator at the root", "proc/4711", "proc/4711/cgroup 0::/emulator",
		"process 4711 is in cgroup '/emulator', which does not end in '/emulator': libvirt "
		"made no cgroups for this guest's threads",
		CGROUP_NO_GROUPS},
	{"a user's own", "proc/4711",
		"proc/4711/cgroup 0::/user.slice/user-1000.slice/qemu-1-web.scope/emulator",
		"process 4711 is in cgroup '/user.slice/user-1000.slice/qemu-1-web.scope/emulator'"
		", which libvirt did not make for a guest",
		CGROUP_NO_GROUPS},
	{"a container", "proc/4711",
		"proc/4711/cgroup 0::/machine.slice/machine-lxc\\x2d1.scope/libvirt/emulator",
		"process 4711 is in cgroup "
		"'/machine.slice/machine-lxc\\x2d1.scope/libvirt/emulator'"
		", which libvirt did not make for a guest",
		CGROUP_NO_GROUPS},
	{"a name of nothing", "proc/4711", "proc/4711/cgroup 0::/.libvirt-qemu/emulator",
		"process 4711 is in cgroup '/.libvirt-qemu/emulator', which libvirt did not make "
		"for a guest",
		CGROUP_NO_GROUPS},
	{"a level too deep", "proc/4711", "proc/4711/cgroup 0::/m/web.libvirt-qemu/x/emulator",
		"process 4711 is in cgroup '/m/web.libvirt-qemu/x/emulator', which libvirt did not "
		"make for a guest",
		CGROUP_NO_GROUPS},
	{"only ends like it", "proc/4711", "proc/4711/cgroup 0::/m/web.libvirt-qemu/xemulator",
		"process 4711 is in cgroup '/m/web.libvirt-qemu/xemulator', which does not end in "
		"'/emulator': "
		"libvirt made no cgroups for this guest's threads",
		CGROUP_NO_GROUPS},
	{"deleted", "proc/4711", "proc/4711/cgroup 0::/m/web.libvirt-qemu/emulator (deleted)",
		"process 4711 is in cgroup '/m/web.libvirt-qemu/emulator (deleted)', which does "
		"not end in "
		"'/emulator': libvirt made no cgroups for this guest's threads",
		CGROUP_NO_GROUPS},
	{"not mounted", "proc/self", "proc/self/mountinfo x",
		"no cgroup v2 hierarchy is mounted that holds '/m/web.libvirt-qemu/emulator'", -1},
	{"mount point away", "sys/fs", "", "/sys/fs/cgroup: No such file or directory", -1},
	{"directory away", "sys/fs/cgroup/m/web.libvirt-qemu", "",
		"/sys/fs/cgroup/m/web.libvirt-qemu: No such file or directory", -1},
	{"a file in its place", "sys/fs/cgroup/m/web.libvirt-qemu",
		"sys/fs/cgroup/m/web.libvirt-qemu x",
		"/sys/fs/cgroup/m/web.libvirt-qemu: Not a directory", -1},
	{"no cpuset controller", "sys/fs/cgroup/m/web.libvirt-qemu/cpuset.cpus.effective", "",
		"/sys/fs/cgroup/m/web.libvirt-qemu: cpuset.cpus.effective: controller cpuset is "
		"not available "
		"here",
		-1},
	{"no cpuset controller below", "sys/fs/cgroup/m/web.libvirt-qemu/vcpu1/cpuset.cpus", "",
		"/sys/fs/cgroup/m/web.libvirt-qemu: vcpu1/cpuset.cpus: controller cpuset is not "
		"available here",
		-1},
	{"rubbish in a mask", "sys/fs/cgroup/m/web.libvirt-qemu/vcpu0/cpuset.cpus",
		"sys/fs/cgroup/m/web.libvirt-qemu/vcpu0/cpuset.cpus 0-x",
		"/sys/fs/cgroup/m/web.libvirt-qemu: vcpu0/cpuset.cpus: '0-x' is not a CPU list: a "
		"CPU number is "
		"missing",
		-1},
	{"a mask that cannot be read", "sys/fs/cgroup/m/web.libvirt-qemu/vcpu0/cpuset.cpus",
		"sys/fs/cgroup/m/web.libvirt-qemu/vcpu0/cpuset.cpus/",
		"/sys/fs/cgroup/m/web.libvirt-qemu: vcpu0/cpuset.cpus: Is a directory", -1},
};

static void
gives_the_reason_of_each_failure(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct cgroup cgroup = {.pid = 77};
		struct err e;
		make_guest(t, "m/web.libvirt-qemu", true);
		tree_remove(t, wrong[i].remove);
		tree_make(t, wrong[i].make);
		int r = cgroup_open(t->fd, "web", &cgroup, &e);
		if (r != wrong[i].r || strcmp(e.text, wrong[i].reason) != 0)
			fail_msg("%s: %d\n%s\n%s", wrong[i].what, r, e.text, wrong[i].reason);
		assert_int_equal(cgroup.pid, 77);
		if (tree_has(t, "run"))
			tree_remove(t, "run");
		tree_remove(t, "proc");
		tree_remove(t, "sys");
	}
}

/* Opens only what lies in the hierarchy itself. */
static void
follows_no_link(void **state)
{
	const struct tree *t = *state;
	struct cgroup cgroup;
	struct err e;
	make_guest(t, "m/web.libvirt-qemu", true);
	assert_int_equal(renameat(t->fd, "sys/fs/cgroup/m/web.libvirt-qemu", t->fd,
				 "sys/fs/cgroup/elsewhere"),
		0);
	assert_int_equal(symlinkat("../elsewhere", t->fd, "sys/fs/cgroup/m/web.libvirt-qemu"), 0);
	assert_int_equal(cgroup_open(t->fd, "web", &cgroup, &e), -1);
	assert_string_equal(e.text, "/sys/fs/cgroup/m/web.libvirt-qemu: Not a directory");
}

/* A link to nothing is listed, and cannot be read: as a group that is removed in between. */
static void
leaves_out_groups_that_are_removed_meanwhile(void **state)
{
	const struct tree *t = *state;
	make_guest(t, "m/web.libvirt-qemu", true);
	assert_int_equal(symlinkat("none", t->fd, "sys/fs/cgroup/m/web.libvirt-qemu/vcpu5"), 0);
	assert_int_equal(symlinkat("none", t->fd, "sys/fs/cgroup/m/web.libvirt-qemu/iothread1"), 0);
	struct cgroup cgroup = opened(t);
	assert_string_equal(shown_groups(&cgroup), "emulator=0-7 vcpu0=0-7 vcpu1=");
	/* and after that */
	struct err e;
	tree_make(t, "sys/fs/cgroup/m/web.libvirt-qemu/cpuset.mems.effective 0-1\n"
		     "sys/fs/cgroup/m/web.libvirt-qemu/emulator/cpuset.mems 0\n"
		     "sys/fs/cgroup/m/web.libvirt-qemu/vcpu1/cpuset.mems 1");
	tree_remove(t, "sys/fs/cgroup/m/web.libvirt-qemu/vcpu0");
	assert_int_equal(cgroup_read_memory(&cgroup, &e), 0);
	assert_string_equal(shown_groups(&cgroup), "emulator=0-7 vcpu1=");
	assert_mask(&cgroup.groups[1].nodes, "1");
	cgroup_free(&cgroup);
}

/* A CPU that was offline for a while stays away from the directories of a v1 guest, not its parent.
 */
static void
finds_and_gives_back_lost_cpus(void **state)
{
	const struct tree *t = *state;
	const char *top = "sys/fs/cgroup/cpuset/machine.slice/";
	const char *scope = "machine-qemu\\x2d1\\x2dweb.scope";
	char path[256];
	struct err e;
	make_guest(t, "machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt", false);
	snprintf(path, sizeof(path), "%scpuset.effective_cpus", top);
	tree_put(t, path, "0-7\n");
	struct cgroup cgroup = opened(t);
	assert_false(cgroup.narrowed);
	cgroup_free(&cgroup);
	tree_put(t, path, "0-9\n");
	cgroup = opened(t);
	assert_true(cgroup.narrowed);
	assert_mask(&cgroup.allowed, "0-9");
	assert_int_equal(lost_cpus_widen(&cgroup, &e), -1); /* the scope has no such file */
	snprintf(path, sizeof(path), "%s%s/cpuset.cpus", top, scope);
	tree_put(t, path, "0-7");
	assert_int_equal(lost_cpus_widen(&cgroup, &e), -1);
	assert_non_null(strstr(e.text, "/libvirt/cpuset.cpus: "));
	snprintf(path, sizeof(path), "%s%s/libvirt/cpuset.cpus", top, scope);
	tree_put(t, path, "0-7");
	assert_int_equal(lost_cpus_widen(&cgroup, &e), 0);
	assert_string_equal(tree_get(t, path), "0-9");
	snprintf(path, sizeof(path), "%s%s/cpuset.cpus", top, scope);
	assert_string_equal(tree_get(t, path), "0-9");
	cgroup_free(&cgroup);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(finds_and_gives_back_lost_cpus),
		tree_test(leaves_out_groups_that_are_removed_meanwhile),
		tree_test(finds_a_guest_in_every_layout),
		tree_test(follows_the_holder_of_the_pid_file),
		tree_test(takes_groups_for_such_by_their_whole_name),
		tree_test(lists_many_groups),
		tree_test(gives_the_reason_of_each_failure),
		tree_test(follows_no_link),
	};
	return cmocka_run_group_tests_name("cgroup", tests, NULL, NULL);
}
