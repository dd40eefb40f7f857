/* SPDX-License-Identifier: MIT */
#include "cgroup/qemu_process.h"

#include "support/tree.h"
#include "support/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN "run/libvirt/qemu/"

static const struct {
	const char *what, *name, *file; /* as in /run/libvirt/qemu, below it */
} names[] = {
	{"plain", "web_01", "web_01.pid"},
	{"ampersand", "a&b", "a&amp;b.pid"},
	{"all that XML escapes", "<>&\"'", "&lt;&gt;&amp;&quot;&apos;.pid"},
	{"escaped already", "a&amp;b", "a&amp;amp;b.pid"},
	{"space", "a b", "a b.pid"},
	{"UTF-8", "caf\xc3\xa9", "caf\xc3\xa9.pid"},
	{"newline, tab and return stay", "a\n\t\rb", "a\n\t\rb.pid"},
	{"other control characters are dropped", "a\x01\x1f\033[b", "a[b.pid"},
	{"DEL stays", "a\x7f", "a\x7f.pid"},
	{"a dot first", ".hidden", ".hidden.pid"},
	{"percent", "%s%n", "%s%n.pid"},
};

static void
finds_the_one_who_holds_the_pid_file(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char path[128];
		pid_t pid = 0;
		struct err e;
		snprintf(path, sizeof(path), RUN "%s", names[i].file);
		tree_put(t, path, "1"); /* what it says does not count */
		pid_t holder = tree_hold(t, path);
		int r = qemu_process_find(t->fd, names[i].name, &pid, &e);
		tree_release(holder);
		if (r != 0 || pid != holder)
			fail_msg("%s: %d %s", names[i].what, r, r != 0 ? e.text : "");
	}
}

static void
finds_a_name_of_the_greatest_length(void **state)
{
	const struct tree *t = *state;
	char name[NAME_MAX + 2], path[2 * NAME_MAX];
	pid_t pid = 0;
	struct err e;
	memset(name, 'n', sizeof(name));
	name[250] = '\0';
	snprintf(path, sizeof(path), RUN "%s.pid", name);
	tree_put(t, path, "1");
	pid_t holder = tree_hold(t, path);
	assert_int_equal(qemu_process_find(t->fd, name, &pid, &e), 0);
	assert_int_equal(pid, holder);
	tree_release(holder);
	/* no file system has such a name: so there is no such guest */
	memset(name, '"', NAME_MAX);
	name[NAME_MAX] = '\0';
	assert_int_equal(qemu_process_find(t->fd, name, &pid, &e), QEMU_PROCESS_NOT_RUNNING);
	memset(name, 'n', NAME_MAX + 1);
	name[NAME_MAX + 1] = '\0';
	assert_int_equal(qemu_process_find(t->fd, name, &pid, &e), -1);
	assert_string_equal(e.text, "the guest's name is longer than 255 bytes");
}

static void
does_not_believe_a_pid_file_that_nobody_holds(void **state)
{
	const struct tree *t = *state;
	pid_t pid = 77;
	struct err e;
	tree_make(t, RUN "web.pid 1\\c");
	assert_int_equal(qemu_process_find(t->fd, "web", &pid, &e), QEMU_PROCESS_NOT_RUNNING);
	assert_string_equal(
		e.text, "/run/libvirt/qemu/web.pid is left over: no process holds it locked");
	/* nor the status file beside it */
	tree_make(t, RUN "web.xml <domstatus pid='1'/>");
	assert_int_equal(qemu_process_find(t->fd, "web", &pid, &e), QEMU_PROCESS_NOT_RUNNING);
	assert_int_equal(pid, 77);
}

static void
says_what_is_wrong_with_the_pid_file(void **state)
{
	const struct tree *t = *state;
	pid_t pid;
	struct err e;
	tree_make(t, RUN "web.xml <domstatus pid='1'/>\n" RUN "dir.xml x");
	assert_int_equal(symlinkat("web.xml", t->fd, RUN "web.pid"), 0);
	assert_int_equal(qemu_process_find(t->fd, "web", &pid, &e), -1);
	assert_string_equal(e.text, "/run/libvirt/qemu/web.pid: Too many levels of symbolic links");
	/* to open a FIFO must not wait for somebody who writes to it */
	assert_int_equal(mkfifoat(t->fd, RUN "fifo.pid", 0644), 0);
	assert_int_equal(qemu_process_find(t->fd, "fifo", &pid, &e), QEMU_PROCESS_NOT_RUNNING);
}

static void
falls_back_on_the_status_file(void **state)
{
	const struct tree *t = *state;
	pid_t pid = 0;
	struct err e;
	/* of which the name is not escaped */
	tree_make(t, RUN "a&b.xml <domstatus state='running' pid='4711'>\\n<domain/></domstatus>");
	assert_int_equal(qemu_process_find(t->fd, "a&b", &pid, &e), 0);
	assert_int_equal(pid, 4711);
	tree_make(t, RUN "odd.xml <domstatus pid='x'/>\n" RUN "cut.xml <domstatus pid='1'\n" RUN
			 "empty.xml \\c\n" RUN "dir.xml/");
	assert_int_equal(qemu_process_find(t->fd, "odd", &pid, &e), -1);
	assert_string_equal(e.text, "/run/libvirt/qemu/odd.xml: <domstatus pid='x'>: not a pid");
	assert_int_equal(qemu_process_find(t->fd, "cut", &pid, &e), -1);
	assert_int_equal(qemu_process_find(t->fd, "empty", &pid, &e), -1);
	assert_string_equal(e.text, "/run/libvirt/qemu/empty.xml: the XML is empty");
	assert_int_equal(qemu_process_find(t->fd, "dir", &pid, &e), -1);
	assert_string_equal(e.text, "/run/libvirt/qemu/dir.xml: Is a directory");
	assert_int_equal(pid, 4711);
}

static void
knows_who_does_not_run(void **state)
{
	const struct tree *t = *state;
	pid_t pid;
	struct err e;
	assert_int_equal(qemu_process_find(t->fd, "web", &pid, &e), QEMU_PROCESS_NOT_RUNNING);
	assert_string_equal(
		e.text, "not running here: no pid file and no status file in /run/libvirt/qemu");
	tree_make(t, "run/web.xml <domstatus pid='1'/>");
	assert_int_equal(qemu_process_find(t->fd, "../../web", &pid, &e), -1);
	assert_string_equal(e.text, "a guest's name has no '/'");
}

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

static void
knows_a_process_that_is_on_its_way_out(void **state)
{
	const struct tree *t = *state;
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	siginfo_t info;
	assert_true(root >= 0);
	assert_false(qemu_process_is_exiting(root, getpid()));
	pid_t child = fork();
	if (child == 0)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	assert_true(qemu_process_is_exiting(root, child));
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(qemu_process_is_exiting(root, child));
	close(root);
	tree_make(t, "proc/1/stat 1 (a) R 4 4 4 (b) S 1 1 1 0 -1 4194304 0\n"
		     "proc/2/stat 2 (a) S 0 0 0 0 -1 0 (b) S 1 1 1 0 -1 4194308 0\n"
		     "proc/3/stat 3 (cut) S 1\n");
	assert_false(qemu_process_is_exiting(t->fd, 1));
	assert_true(qemu_process_is_exiting(t->fd, 2));
	assert_false(qemu_process_is_exiting(t->fd, 3));
}

static void
lists_the_guests_that_run(void **state)
{
	const struct tree *t = *state;
	struct running_guests guests;
	struct err e;
	assert_int_equal(running_guests(t->fd, &guests, &e), 0);
	assert_int_equal(guests.count, 0);
	/* the pid file of left-over is held by nobody; an error of odd's is the caller's to see */
	tree_make(t,
		RUN "web-10.xml <domstatus pid='2'/>\n" RUN "web-2.xml <domstatus pid='1'/>\n" RUN
		    "a&b.xml <domstatus pid='3'/>\n" RUN ".hidden.xml <domstatus pid='4'/>\n" RUN
		    "x.xml.xml <domstatus pid='5'/>\n" RUN "odd.xml <domstatus pid='x'/>\n" RUN
		    "left-over.xml <domstatus pid='1'/>\n" RUN "left-over.pid 1\n" RUN
		    "new.xml.new x\n" RUN ".xml x\n" RUN "xml x\n" RUN "autostarted x");
	assert_int_equal(running_guests(t->fd, &guests, &e), 0);
	static const char *const running[] = {".hidden", "a&b", "odd", "web-2", "web-10", "x.xml"};
	for (size_t i = 0; i < guests.count && i < COUNT(running); i++)
		assert_string_equal(guests.names[i], running[i]);
	assert_int_equal(guests.count, COUNT(running));
	running_guests_free(&guests);
	running_guests_free(&guests);
	tree_remove(t, "run/libvirt/qemu");
	tree_make(t, "run/libvirt/qemu x");
	assert_int_equal(running_guests(t->fd, &guests, &e), -1);
	assert_string_equal(e.text, "/run/libvirt/qemu: Not a directory");
}

int
main(void)
{
	alarm(120); /* to open a FIFO must not wait */
	const struct CMUnitTest tests[] = {
		tree_test(finds_the_one_who_holds_the_pid_file),
		tree_test(finds_a_name_of_the_greatest_length),
		tree_test(does_not_believe_a_pid_file_that_nobody_holds),
		tree_test(says_what_is_wrong_with_the_pid_file),
		tree_test(falls_back_on_the_status_file),
		tree_test(knows_who_does_not_run),
		tree_test(maps_a_process_to_its_cgroup),
		tree_test(passes_over_paths_that_are_too_long),
		tree_test(says_which_file_of_proc_is_not_there),
		tree_test(knows_a_process_that_is_on_its_way_out),
		tree_test(lists_the_guests_that_run),
	};
	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
