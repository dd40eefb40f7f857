/* SPDX-License-Identifier: MIT */
/* Runs a program with a time limit and keeps a part of its output. */
#include "cli/subprocess.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Between two looks whether a program that has closed its output has ended, too. */
#define END_POLL_MS 10

static int
milliseconds_left(const struct timespec *deadline)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	long left = (deadline->tv_sec - now.tv_sec) * 1000 +
		    (deadline->tv_nsec - now.tv_nsec) / 1000000;
	return left > 0 ? (int)left : 0;
}

/* Reads until nobody holds the other end any more; what does not fit is dropped. */
static int
read_output(int fd, const struct timespec *deadline, char *out, size_t size)
{
	size_t used = 0;
	char rest[512];
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, milliseconds_left(deadline)) <= 0)
			return -1;
		size_t room = size - 1 - used;
		ssize_t n = room > 0 ? read(fd, out + used, room) : read(fd, rest, sizeof(rest));
		if (n <= 0)
			break;
		used += room > 0 ? (size_t)n : 0;
	}
	out[used] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return 0;
}

static int
wait_end(pid_t pid, const struct timespec *deadline, int *status)
{
	for (;;) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return 0;
		int left = milliseconds_left(deadline);
		if (left == 0)
			return -1;
		poll(NULL, 0, left < END_POLL_MS ? left : END_POLL_MS);
	}
}

/* In a process group of its own, so that its children can be killed with it. */
static int
start(const char *const arguments[], int input, int output, int errors, pid_t *pid)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	char *environment[] = {path, locale, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_init(&files);
	if (input < 0)
		posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	int error = posix_spawn(
		pid, arguments[0], &files, &attributes, (char *const *)arguments, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

int
program_filter(const char *const arguments[], int stdin_fd, int stdout_fd, int limit_ms,
	struct program_result *result, struct err *e)
{
	int ends[2];
	pid_t pid;
	struct timespec deadline;
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += limit_ms / 1000;
	deadline.tv_nsec += limit_ms % 1000 * 1000000L;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(e, "%s", arguments[0]);
	AUTO_CLOSE int input = ends[0];
	int error = start(arguments, stdin_fd, stdout_fd >= 0 ? stdout_fd : ends[1], ends[1], &pid);
	close(ends[1]);
	if (error != 0) {
		errno = error;
		return err_errno(e, "%s", arguments[0]);
	}
	if (read_output(input, &deadline, result->output, sizeof(result->output)) == 0 &&
		wait_end(pid, &deadline, &result->status) == 0)
		return 0;
	kill(-pid, SIGKILL);
	waitpid(pid, &result->status, 0);
	return err_set(e, "%s did not end within %g s", arguments[0], limit_ms / 1e3);
}

int
program_run(
	const char *const arguments[], int limit_ms, struct program_result *result, struct err *e)
{
	return program_filter(arguments, -1, -1, limit_ms, result, e);
}
