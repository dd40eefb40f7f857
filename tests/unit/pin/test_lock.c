/* SPDX-License-Identifier: MIT */
#include "pin/lock.h"

#include "base/cleanup.h"
#include "base/file.h"

#include "support/tree.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Longer than any test; main() sets an alarm. */
#define LONG_MS 600000

/* Takes the lock of the guest called name. Returns its fd. */
static int
lock_now(const struct tree *t, const char *name)
{
	struct err e = {0};
	int fd = -1;
	if (lock_guest(t->fd, name, 0, &fd, &e) != LOCK_TAKEN)
		fail_msg("%s", e.text);
	return fd;
}

static void
do_nothing(int signal)
{
	(void)signal;
}

/*
 * Forks a process that takes the lock of the guest called name, and ends with what *flag is then;
 * with 99 if it fails. held is our own lock, which belongs to whoever has the fd.
 */
static pid_t
locker(const struct tree *t, const char *name, int held, const volatile int *flag)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e;
		int fd;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigaction(SIGUSR1, &(struct sigaction){.sa_handler = do_nothing}, NULL);
		close(held);
		_exit(lock_guest(t->fd, name, LONG_MS, &fd, &e) == LOCK_TAKEN ? *flag : 99);
	}
	return pid;
}

/* The letter of a process' state in /proc. */
static char
state_of(pid_t pid)
{
	char path[64], text[128] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read_value(AT_FDCWD, path, text, sizeof(text)) != 0 && errno != EFBIG)
		fail_msg("%s: %s", path, strerror(errno));
	const char *s = memchr(text, ')', sizeof(text) - 2);
	assert_non_null(s);
	return s[2];
}

/* Waits until the process sleeps, or has ended. */
static void
wait_until_it_sleeps(pid_t pid)
{
	for (char c = 0; (c = state_of(pid)) != 'S' && c != 'Z';)
		usleep(1000);
}

static int
end_of(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static volatile int *
shared_flag(void)
{
	volatile int *flag = mmap(
		NULL, sizeof(*flag), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(flag != MAP_FAILED);
	*flag = 0;
	return flag;
}

static void
keeps_others_out_of_the_same_guest(void **state)
{
	const struct tree *t = *state;
	volatile int *flag = shared_flag();
	int fd = lock_now(t, "web");
	pid_t pid = locker(t, "web", fd, flag);
	wait_until_it_sleeps(pid);
	*flag = 1;
	close(fd);
	assert_int_equal(end_of(pid), 1);
	munmap((void *)flag, sizeof(*flag));
}

static void
lets_others_at_other_guests(void **state)
{
	const struct tree *t = *state;
	int none = 0;
	AUTO_CLOSE int fd = lock_now(t, "web");
	/* would it wait, it would wait for ever: main() sets an alarm */
	assert_int_equal(end_of(locker(t, "db", fd, &none)), 0);
	assert_int_equal(end_of(locker(t, "", fd, &none)), 0);
	assert_int_equal(end_of(locker(t, "web1", fd, &none)), 0);
}

static void
is_free_once_its_holder_has_ended(void **state)
{
	const struct tree *t = *state;
	int none = 0;
	assert_int_equal(end_of(locker(t, "web", -1, &none)), 0);
	AUTO_CLOSE int fd = lock_now(t, "web");
	assert_true(fd >= 0);
}

static void
is_not_inherited_and_not_open_to_others(void **state)
{
	const struct tree *t = *state;
	struct stat st;
	umask(0);
	AUTO_CLOSE int fd = lock_now(t, "web");
	umask(022);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_int_equal(fstatat(t->fd, "run/vmaffinity.lock", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_size, 0);
}

static void
waits_on_after_a_signal(void **state)
{
	const struct tree *t = *state;
	volatile int *flag = shared_flag();
	int fd = lock_now(t, "web");
	pid_t pid = locker(t, "web", fd, flag);
	wait_until_it_sleeps(pid);
	for (int i = 0; i < 3; i++) {
		kill(pid, SIGUSR1);
		wait_until_it_sleeps(pid);
	}
	*flag = 1;
	close(fd);
	assert_int_equal(end_of(pid), 1);
	munmap((void *)flag, sizeof(*flag));
}

/* The holder of an open file description lock is found by its open file. */
static void
names_the_process_that_holds_it(void **state)
{
	const struct tree *t = *state;
	struct err e;
	int fd = -1, other = lock_now(t, "db");
	int ready[2];
	char expected[256], byte;
	assert_int_equal(symlinkat("/proc", t->fd, "proc"), 0);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "a (holder)");
		lock_now(t, "db1");
		lock_now(t, "web");
		(void)!write(ready[1], "", 1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(lock_guest(t->fd, "web", 50, &fd, &e), LOCK_HELD);
	assert_int_equal(fd, -1);
	snprintf(expected, sizeof(expected),
		"/run/vmaffinity.lock: after 0.05 s process %d (a (holder)) still holds the lock "
		"on this guest",
		(int)pid);
	assert_string_equal(e.text, expected);
	close(other);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(lock_now(t, "web"));
	close(ready[0]);
	close(ready[1]);
}

/* A lock on the whole file is one on this guest's byte as well. */
static void
names_the_holder_of_the_whole_file(void **state)
{
	const struct tree *t = *state;
	struct err e;
	char expected[64];
	int fd = -1, whole;
	assert_int_equal(symlinkat("/proc", t->fd, "proc"), 0);
	close(lock_now(t, "web"));
	whole = openat(t->fd, "run/vmaffinity.lock", O_RDWR | O_CLOEXEC);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	assert_int_equal(fcntl(whole, F_OFD_SETLK, &lock), 0);
	assert_int_equal(lock_guest(t->fd, "web", 0, &fd, &e), LOCK_HELD);
	snprintf(expected, sizeof(expected), "after 0 s process %d (test_lock) still", getpid());
	if (strstr(e.text, expected) == NULL)
		fail_msg("%s", e.text);
	close(whole);
}

static void
fails_where_the_holder_cannot_be_found(void **state)
{
	const struct tree *t = *state;
	struct err e;
	int fd = -1;
	AUTO_CLOSE int held = lock_now(t, "web");
	assert_true(held >= 0);
	assert_int_equal(lock_guest(t->fd, "web", 0, &fd, &e), LOCK_HELD);
	assert_string_equal(e.text,
		"/run/vmaffinity.lock: after 0 s another process still holds the lock on this "
		"guest");
}

static void
root_says_why_there_can_be_no_lock(void **state)
{
	const struct tree *t = *state;
	struct err e;
	int fd = -1;
	tree_remove(t, "run");
	assert_int_equal(lock_guest(t->fd, "web", 0, &fd, &e), LOCK_IMPOSSIBLE);
	assert_string_equal(e.text, "/run/vmaffinity.lock: No such file or directory");
	tree_make(t, "run/");
	assert_int_equal(symlinkat("elsewhere", t->fd, "run/vmaffinity.lock"), 0);
	assert_int_equal(lock_guest(t->fd, "web", 0, &fd, &e), LOCK_IMPOSSIBLE);
	assert_string_equal(e.text, "/run/vmaffinity.lock: Too many levels of symbolic links");
	assert_false(tree_has(t, "run/elsewhere"));
	tree_remove(t, "run/vmaffinity.lock");
	assert_int_equal(fchmodat(t->fd, t->path, 0755, 0), 0);
	if (seteuid(65534) != 0)
		fail_msg("this test must be run by root");
	assert_int_equal(lock_guest(t->fd, "web", 0, &fd, &e), LOCK_IMPOSSIBLE);
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(e.text, "/run/vmaffinity.lock: Permission denied");
	assert_int_equal(fd, -1);
}

/* Another process may have a file open, and the lock, although this one can open no more. */
static void
is_an_error_where_this_process_can_open_no_file(void **state)
{
	const struct tree *t = *state;
	struct err e;
	struct rlimit limit, none;
	int fd = -1;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	enum lock_result r = lock_guest(t->fd, "web", 0, &fd, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(r, LOCK_ERROR);
	assert_string_equal(e.text, "/run/vmaffinity.lock: Too many open files");
}

/* The lock on choosing is one for all, and no guest's. */
static void
keeps_others_from_choosing(void **state)
{
	const struct tree *t = *state;
	struct err e = {0};
	int guest = lock_now(t, "web"), first = -1, second = -1;
	assert_int_equal(lock_choice(t->fd, 0, &first, &e), LOCK_TAKEN);
	assert_int_equal(lock_choice(t->fd, 0, &second, &e), LOCK_HELD);
	assert_non_null(strstr(e.text, "still holds the lock on choosing CPUs"));
	close(lock_now(t, "db"));
	close(first);
	assert_int_equal(lock_choice(t->fd, 0, &second, &e), LOCK_TAKEN);
	close(second);
	close(guest);
}

static int
setup(void **state)
{
	int r = tree_setup(state);
	if (r == 0)
		tree_make(*state, "run/");
	return r;
}

#define lock_test(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)

int
main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		lock_test(keeps_others_out_of_the_same_guest),
		lock_test(keeps_others_from_choosing),
		lock_test(lets_others_at_other_guests),
		lock_test(is_free_once_its_holder_has_ended),
		lock_test(is_not_inherited_and_not_open_to_others),
		lock_test(waits_on_after_a_signal),
		lock_test(names_the_process_that_holds_it),
		lock_test(names_the_holder_of_the_whole_file),
		lock_test(fails_where_the_holder_cannot_be_found),
		lock_test(root_says_why_there_can_be_no_lock),
		lock_test(is_an_error_where_this_process_can_open_no_file),
	};
	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
