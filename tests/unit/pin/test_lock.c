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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigaction(SIGUSR1, &(struct sigaction){.sa_handler = do_nothing}, NULL);
		close(held);
		_exit(lock_guest(t->fd, name, &e) >= 0 ? *flag : 99);
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
	struct err e;
	tree_make(t, "run/");
	int fd = lock_guest(t->fd, "web", &e);
	assert_true(fd >= 0);
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
	struct err e;
	tree_make(t, "run/");
	AUTO_CLOSE int fd = lock_guest(t->fd, "web", &e);
	assert_true(fd >= 0);
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
	tree_make(t, "run/");
	assert_int_equal(end_of(locker(t, "web", -1, &none)), 0);
	struct err e;
	AUTO_CLOSE int fd = lock_guest(t->fd, "web", &e);
	assert_true(fd >= 0);
}

static void
is_not_inherited_and_not_open_to_others(void **state)
{
	const struct tree *t = *state;
	struct err e;
	struct stat st;
	tree_make(t, "run/");
	umask(0);
	AUTO_CLOSE int fd = lock_guest(t->fd, "web", &e);
	umask(022);
	assert_true(fd >= 0);
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
	struct err e;
	tree_make(t, "run/");
	int fd = lock_guest(t->fd, "web", &e);
	assert_true(fd >= 0);
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

static void
does_not_wait_for_ever(void **state)
{
	const struct tree *t = *state;
	struct err e;
	tree_make(t, "run/");
	AUTO_CLOSE int fd = lock_guest(t->fd, "web", &e);
	assert_true(fd >= 0);
	assert_int_equal(lock_guest(t->fd, "web", &e), -1);
	assert_string_equal(e.text,
		"/run/vmaffinity.lock: another vmaffinity has been at work on this guest for 5 s");
}

static void
says_why_there_is_no_lock(void **state)
{
	const struct tree *t = *state;
	struct err e;
	assert_int_equal(lock_guest(t->fd, "web", &e), -1);
	assert_string_equal(e.text, "/run/vmaffinity.lock: No such file or directory");
	tree_make(t, "run/");
	assert_int_equal(symlinkat("elsewhere", t->fd, "run/vmaffinity.lock"), 0);
	assert_int_equal(lock_guest(t->fd, "web", &e), -1);
	assert_string_equal(e.text, "/run/vmaffinity.lock: Too many levels of symbolic links");
	assert_false(tree_has(t, "run/elsewhere"));
	tree_remove(t, "run/vmaffinity.lock");
	assert_int_equal(fchmodat(t->fd, t->path, 0755, 0), 0);
	if (seteuid(65534) != 0)
		fail_msg("this test must be run by root");
	assert_int_equal(lock_guest(t->fd, "web", &e), -1);
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(e.text, "/run/vmaffinity.lock: Permission denied");
}

int
main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = {
		tree_test(keeps_others_out_of_the_same_guest),
		tree_test(lets_others_at_other_guests),
		tree_test(is_free_once_its_holder_has_ended),
		tree_test(is_not_inherited_and_not_open_to_others),
		tree_test(waits_on_after_a_signal),
		tree_test(does_not_wait_for_ever),
		tree_test(says_why_there_is_no_lock),
	};
	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
