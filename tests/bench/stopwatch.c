/* SPDX-License-Identifier: MIT */
/*
 * Runs programs and tells what each took. A small one of its own, because the time to start a
 * program and the peak of its memory both count the one that starts it.
 *
 * Each line of stdin is words with tabs between: a file for the program's stdin, the program, its
 * arguments. The answer is a line each: nanoseconds from before the start until it has ended; exit
 * status, or 256 + signal; the largest peak of resident memory, KiB, and the page faults, of the
 * program and those that it waited for. What the program prints goes nowhere, its errors to stderr.
 */
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS_MAX = 4096 };

extern char **environ;

static long
now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
run(char *const words[])
{
	posix_spawn_file_actions_t files;
	struct rusage used;
	pid_t pid;
	int status;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, words[0], O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	long start = now_ns();
	if (posix_spawn(&pid, words[1], &files, NULL, words + 1, environ) != 0)
		err(1, "%s", words[1]);
	if (wait4(pid, &status, 0, &used) != pid)
		err(1, "wait4");
	long end = now_ns();
	posix_spawn_file_actions_destroy(&files);
	printf("%ld %d %ld %ld\n", end - start,
		WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status), used.ru_maxrss,
		used.ru_minflt);
	fflush(stdout);
}

int
main(void)
{
	static char *words[WORDS_MAX + 1];
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	while ((length = getline(&line, &size, stdin)) > 0) {
		size_t count = 0;
		line[length - 1] = '\0';
		for (char *rest = line, *word; (word = strsep(&rest, "\t")) != NULL;)
			if (count < WORDS_MAX)
				words[count++] = word;
		words[count] = NULL;
		if (count < 2)
			errx(2, "no program to run");
		run(words);
	}
	free(line);
	return 0;
}
