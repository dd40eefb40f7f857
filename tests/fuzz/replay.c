/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over stored inputs: replay_TARGET FILE-OR-DIRECTORY... TAP on stdout: one
 * test, which fails if any of the inputs does, and then names them. Each runs in a process of its
 * own, so that one that crashes is one that failed.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *program;
static unsigned count, failed;

static bool
run_file(const char *path)
{
	FILE *stream = fopen(path, "re");
	struct stat st;
	if (stream == NULL || fstat(fileno(stream), &st) != 0)
		return false;
	size_t size = (size_t)st.st_size;
	uint8_t *data = malloc(size > 0 ? size : 1);
	bool good = data != NULL && fread(data, 1, size, stream) == size;
	fclose(stream);
	if (good)
		LLVMFuzzerTestOneInput(data, size);
	free(data);
	return good;
}

static void
replay_file(const char *path)
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		exit(run_file(path) ? 0 : 1);
	int status = -1;
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	bool good = child > 0 && status == 0;
	failed += !good;
	count++;
	if (!good)
		printf("# %s failed%s; alone: %s %s\n", path,
			child > 0 && WIFSIGNALED(status) ? " by a signal" : "", program, path);
}

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void
replay_directory(const char *directory)
{
	struct dirent **entries;
	int entry_count = scandir(directory, &entries, is_visible, alphasort);
	if (entry_count < 0) {
		printf("# %s: %s\n", directory, strerror(errno));
		failed++;
		return;
	}
	for (int i = 0; i < entry_count; i++) {
		char path[PATH_MAX];
		size_t length = strlen(directory);
		while (length > 1 && directory[length - 1] == '/')
			length--;
		snprintf(path, sizeof(path), "%.*s/%s", (int)length, directory, entries[i]->d_name);
		replay_file(path);
		free(entries[i]);
	}
	free(entries);
}

int
main(int argc, char *argv[])
{
	program = argv[0];
	for (int i = 1; i < argc; i++) {
		struct stat st;
		if (stat(argv[i], &st) == 0 && !S_ISDIR(st.st_mode))
			replay_file(argv[i]);
		else
			replay_directory(argv[i]);
	}
	bool good = failed == 0 && count > 0;
	const char *slash = strrchr(program, '/');
	printf("%s 1 - %s keeps its promises on %u stored inputs\n1..1\n", good ? "ok" : "not ok",
		slash != NULL ? slash + 1 : program, count);
	return good ? 0 : 1;
}
