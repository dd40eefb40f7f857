/* SPDX-License-Identifier: MIT */
#include "cgroup/qemu_process.h"

#include "support/tree.h"
#include "support/unit.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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
finds_the_holder_of_the_pid_file(void **state)
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

/* Forks a process that takes a lock of one kind on bytes of a file, and waits until it has it. */
static pid_t
hold_bytes(const struct tree *t, const char *path, short type, off_t start, off_t length)
{
	int pipe_fds[2];
	char byte;
	assert_int_equal(pipe(pipe_fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct flock lock = {
			.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int fd = openat(t->fd, path, (type == F_RDLCK ? O_RDONLY : O_RDWR) | O_CLOEXEC);
		if (fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0 && write(pipe_fds[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(pipe_fds[1]);
	assert_int_equal(read(pipe_fds[0], &byte, 1), 1);
	close(pipe_fds[0]);
	return pid;
}

/* libvirt locks byte 0 for writing. Any user may take read locks on the file. */
static void
is_not_deceived_by_the_locks_of_others(void **state)
{
	static const struct {
		short type;
		off_t start, length;
	} others[] = {{F_RDLCK, 0, 0}, {F_RDLCK, 0, 1}, {F_RDLCK, 1, 0}, {F_WRLCK, 1, 0},
		{F_WRLCK, 1, 1}};
	const struct tree *t = *state;
	pid_t pid = 0;
	struct err e;
	tree_make(t, RUN "web.pid 4711\\c");
	for (size_t i = 0; i < COUNT(others); i++) {
		pid_t other = hold_bytes(
			t, RUN "web.pid", others[i].type, others[i].start, others[i].length);
		if (qemu_process_find(t->fd, "web", &pid, &e) != QEMU_PROCESS_NOT_RUNNING)
			fail_msg("%zu: found %d for %d", i, (int)pid, (int)other);
		if (others[i].start > 0) {
			pid_t holder = hold_bytes(t, RUN "web.pid", F_WRLCK, 0, 1);
			assert_int_equal(qemu_process_find(t->fd, "web", &pid, &e), 0);
			assert_int_equal(pid, holder);
			tree_release(holder);
		}
		tree_release(other);
	}
}

static void
reads_no_more_of_a_status_file_than_its_root(void **state)
{
	static const struct {
		const char *text, *error; /* NULL: the pid is 4711 */
	} files[] = {
		{"<!--\nWARNING: <domstatus pid='1'>\n-->\n\n<domstatus state='running' "
		 "reason='booted' pid='4711'>\n<domain type='kvm' id='1'",
			NULL},
		{"<?xml version='1.0'?>\n<domstatus a = '' pid='4711'/>", "no pid in <domstatus>"},
		{"<?xml version='1.0'?>\n<domstatus\n\ta=\"pid='1'\"\tpid=\"4711\"  >", NULL},
		{"<domstatus xpid='1' pid='4711'>", NULL},
		{"<domstatus><x pid='1'/>", "no pid in <domstatus>"},
		{"<domstatus a='1' b><x pid='1'/>", "no pid in <domstatus>"},
		{"<domstatus a='1", "no pid in <domstatus>"},
		{"<domstatusx pid='1'>", "no pid in <domstatus>"},
		{"<!-- <domstatus pid='1'>", "does not begin with <domstatus>"},
		{"<domain pid='1'/>", "does not begin with <domstatus>"},
		{"<domstatus pid='0'/>", "<domstatus pid='0'>: not a pid"},
		{"<domstatus pid=''/>", "<domstatus pid=''>: not a pid"},
		{"<domstatus pid='-1'/>", "<domstatus pid='-1'>: not a pid"},
		{"<domstatus pid='1 '/>", "<domstatus pid='1 '>: not a pid"},
		{"<domstatus pid='2147483648'/>", "<domstatus pid='2147483648'>: not a pid"},
	};
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(files); i++) {
		char text[128] = "";
		pid_t pid = 0;
		struct err e = {""};
		tree_put(t, RUN "web.xml", files[i].text);
		enum qemu_process_result r = qemu_process_find(t->fd, "web", &pid, &e);
		if (files[i].error != NULL)
			snprintf(text, sizeof(text), "/" RUN "web.xml: %s", files[i].error);
		if (files[i].error == NULL ? r != QEMU_PROCESS_FOUND || pid != 4711
					   : r != QEMU_PROCESS_ERROR || strcmp(e.text, text) != 0)
			fail_msg("%s: %d %d %s", files[i].text, r, (int)pid, e.text);
	}
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
	assert_string_equal(e.text, "/run/libvirt/qemu/empty.xml: does not begin with <domstatus>");
	assert_int_equal(qemu_process_find(t->fd, "dir", &pid, &e), -1);
	assert_string_equal(e.text, "/run/libvirt/qemu/dir.xml: Is a directory");
	assert_int_equal(pid, 4711);
}

static void
knows_a_guest_that_does_not_run(void **state)
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
		tree_test(finds_the_holder_of_the_pid_file),
		tree_test(finds_a_name_of_the_greatest_length),
		tree_test(does_not_believe_a_pid_file_that_nobody_holds),
		tree_test(says_what_is_wrong_with_the_pid_file),
		tree_test(falls_back_on_the_status_file),
		tree_test(knows_a_guest_that_does_not_run),
		tree_test(knows_a_process_that_is_on_its_way_out),
		tree_test(lists_the_guests_that_run),
		tree_test(is_not_deceived_by_the_locks_of_others),
		tree_test(reads_no_more_of_a_status_file_than_its_root),
	};
	return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
