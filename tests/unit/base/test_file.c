/* SPDX-License-Identifier: MIT */
#include "base/file.h"

#include "base/cleanup.h"
#include "support/tree.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define assert_fails(expression, error)                                                            \
	do {                                                                                       \
		errno = 0;                                                                         \
		assert_int_equal((expression), -1);                                                \
		assert_int_equal(errno, (error));                                                  \
	} while (0)

static void
reads_a_value_without_its_newline(void **state)
{
	const struct tree *t = *state;
	char text[8];
	tree_put(t, "line", "0-3\n");
	tree_put(t, "bare", "0-3");
	tree_put(t, "lines", "0\n\n");
	tree_put(t, "nothing", "");
	assert_int_equal(file_read_value(t->fd, "line", text, sizeof(text)), 0);
	assert_string_equal(text, "0-3");
	assert_int_equal(file_read_value(t->fd, "bare", text, sizeof(text)), 0);
	assert_string_equal(text, "0-3");
	assert_int_equal(file_read_value(t->fd, "lines", text, sizeof(text)), 0);
	assert_string_equal(text, "0\n");
	assert_int_equal(file_read_value(t->fd, "nothing", text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void
refuses_a_value_that_may_be_cut(void **state)
{
	const struct tree *t = *state;
	char text[5];
	tree_put(t, "most", "0-3\n");
	tree_put(t, "more", "0-31\n");
	assert_int_equal(file_read_value(t->fd, "most", text, sizeof(text)), 0);
	assert_string_equal(text, "0-3");
	assert_fails(file_read_value(t->fd, "more", text, sizeof(text)), EFBIG);
}

static void
says_why_a_value_cannot_be_read(void **state)
{
	const struct tree *t = *state;
	char text[8];
	tree_make(t, "file 1\ndirectory/");
	assert_int_equal(symlinkat("file", t->fd, "link"), 0);
	assert_fails(file_read_value(t->fd, "absent", text, sizeof(text)), ENOENT);
	assert_fails(file_read_value(t->fd, "link", text, sizeof(text)), ELOOP);
	assert_fails(file_read_value(t->fd, "directory", text, sizeof(text)), EISDIR);
}

static void
opens_directories_only(void **state)
{
	const struct tree *t = *state;
	tree_make(t, "file 1\ndirectory/");
	assert_int_equal(symlinkat("directory", t->fd, "link"), 0);
	AUTO_CLOSE int fd = file_open_directory(t->fd, "directory");
	assert_true(fd >= 0);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	assert_fails(file_open_directory(t->fd, "file"), ENOTDIR);
	assert_fails(file_open_directory(t->fd, "link"), ENOTDIR);
	assert_fails(file_open_directory(t->fd, "absent"), ENOENT);
}

static void
reads_all_of_a_file_up_to_the_limit(void **state)
{
	const struct tree *t = *state;
	/* about 16 KiB and its multiples by two, where the buffer grows */
	static const size_t sizes[] = {0, 1, 16382, 16383, 16384, 32766, 32767, 32768, 200000};
	char *bytes = malloc(200000), *text = NULL;
	assert_non_null(bytes);
	for (size_t i = 0; i < 200000; i++)
		bytes[i] = (char)('a' + i % 26);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		size_t length = 99;
		tree_write(t, "file", bytes, sizes[i]);
		assert_int_equal(file_read_all_at(t->fd, "file", sizes[i], &text, &length), 0);
		assert_int_equal(length, sizes[i]);
		assert_memory_equal(text, bytes, length);
		assert_int_equal(text[length], '\0');
		free(text);
		text = NULL;
		if (sizes[i] == 0)
			continue;
		assert_fails(file_read_all_at(t->fd, "file", sizes[i] - 1, &text, &length), EFBIG);
		assert_null(text);
	}
	free(bytes);
	assert_fails(file_read_all_at(t->fd, "absent", 9, &text, &(size_t){0}), ENOENT);
	assert_fails(file_read_all(-1, 9, &text, &(size_t){0}), EBADF);
}

/* Forks a writer of length bytes. It first waits for one byte from the fd go, unless that is -1. */
static int
pipe_of(size_t length, int go)
{
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char byte;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (go >= 0 && read(go, &byte, 1) != 1)
			_exit(1);
		for (size_t i = 0; i < length; i++)
			if (write(fds[1], "x", 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(fds[1]);
	return fds[0];
}

static void
reads_all_of_a_pipe(void **state)
{
	(void)state;
	char *text;
	size_t length;
	AUTO_CLOSE int fd = pipe_of(100000, -1);
	assert_int_equal(file_read_all(fd, 100000, &text, &length), 0);
	assert_int_equal(length, 100000);
	assert_int_equal(strspn(text, "x"), 100000);
	free(text);
	wait(NULL);
}

static int tick_fd;
static volatile sig_atomic_t ticks;

static void
tick(int signal)
{
	(void)signal;
	if (++ticks == 5)
		(void)!write(tick_fd, "", 1);
}

/* The pipe stays empty until the read was interrupted several times. */
static void
reads_on_after_a_signal(void **state)
{
	(void)state;
	int go[2];
	char *text;
	size_t length;
	assert_int_equal(pipe(go), 0);
	AUTO_CLOSE int fd = pipe_of(3, go[0]);
	struct sigaction act = {.sa_handler = tick}, before;
	struct itimerval often = {{0, 20000}, {0, 20000}}, never = {{0, 0}, {0, 0}};
	tick_fd = go[1];
	ticks = 0;
	sigaction(SIGALRM, &act, &before);
	setitimer(ITIMER_REAL, &often, NULL);
	int r = file_read_all(fd, 10, &text, &length);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	assert_int_equal(r, 0);
	assert_string_equal(text, "xxx");
	free(text);
	close(go[0]);
	close(go[1]);
	wait(NULL);
}

static void
writes_a_value(void **state)
{
	const struct tree *t = *state;
	tree_put(t, "file", "0-3");
	assert_int_equal(file_write_value(t->fd, "file", "4-7", 3), 0);
	assert_string_equal(tree_get(t, "file"), "4-7");
}

static void
never_makes_a_file_nor_follows_a_link(void **state)
{
	const struct tree *t = *state;
	tree_put(t, "file", "0-3");
	assert_int_equal(symlinkat("file", t->fd, "link"), 0);
	assert_fails(file_write_value(t->fd, "absent", "1", 1), ENOENT);
	assert_false(tree_has(t, "absent"));
	assert_fails(file_write_value(t->fd, "link", "1", 1), ELOOP);
	assert_string_equal(tree_get(t, "file"), "0-3");
}

static void
takes_a_short_write_for_an_error(void **state)
{
	const struct tree *t = *state;
	tree_put(t, "file", "");
	struct rlimit before, four;
	getrlimit(RLIMIT_FSIZE, &before);
	four = before;
	four.rlim_cur = 4;
	void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &four);
	errno = 0;
	int fits = file_write_value(t->fd, "file", "1234", 4);
	int cut = file_write_value(t->fd, "file", "12345678", 8);
	int error = errno;
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, handler);
	assert_int_equal(fits, 0);
	assert_int_equal(cut, -1);
	assert_int_equal(error, EIO);
}

static void
orders_names_by_bytes(void **state)
{
	(void)state;
	struct dirent upper = {.d_name = "B"}, lower = {.d_name = "a"}, longer = {.d_name = "a1"};
	const struct dirent *one = &upper, *two = &lower, *three = &longer;
	assert_true(file_compare_names(&one, &two) < 0);
	assert_true(file_compare_names(&three, &two) > 0);
	assert_int_equal(file_compare_names(&two, &two), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(reads_a_value_without_its_newline),
		tree_test(refuses_a_value_that_may_be_cut),
		tree_test(says_why_a_value_cannot_be_read),
		tree_test(opens_directories_only),
		tree_test(reads_all_of_a_file_up_to_the_limit),
		cmocka_unit_test(reads_all_of_a_pipe),
		cmocka_unit_test(reads_on_after_a_signal),
		tree_test(writes_a_value),
		tree_test(never_makes_a_file_nor_follows_a_link),
		tree_test(takes_a_short_write_for_an_error),
		cmocka_unit_test(orders_names_by_bytes),
	};
	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
