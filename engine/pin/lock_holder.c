/* SPDX-License-Identifier: MIT */
/* Looks through every process's open files for a lock. */
#include "pin/lock_holder.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* An fdinfo file has a line for each lock on the file: one for each guest that is worked on. */
#define FDINFO_MAX ((size_t)1024 * 1024)

struct lock_search {
	const char *name; /* the last component of the file's path */
	struct stat file;
	intmax_t offset;
};

static DIR *
open_proc_directory(int at, const char *path)
{
	int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (directory == NULL && fd >= 0)
		close(fd);
	return directory;
}

/* Returns the next entry that is a number, as those of processes and fds are; NULL at the end. */
static const char *
next_number(DIR *directory)
{
	const struct dirent *entry;
	while ((entry = readdir(directory)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]))
			return entry->d_name;
	return NULL;
}

/* True if a line as "lock:\t1: OFDLCK  ADVISORY  WRITE -1 00:1b:77 12 12" is of a lock on offset.
 */
static bool
line_locks(const char *line, intmax_t offset)
{
	intmax_t first, last;
	int end = 0;
	if (sscanf(line, "lock: %*s %*s %*s %*s %*s %*s %jd %n", &first, &end) != 1 || end == 0)
		return false;
	if (sscanf(line + end, "%jd", &last) != 1)
		last = INTMAX_MAX; /* "EOF" */
	return first <= offset && offset <= last;
}

static bool
fdinfo_locks(int proc, const char *pid, const char *fd, intmax_t offset)
{
	char path[64];
	AUTO_FREE char *text = NULL;
	size_t length;
	snprintf(path, sizeof(path), "%.15s/fdinfo/%.15s", pid, fd);
	if (file_read_all_at(proc, path, FDINFO_MAX, &text, &length) != 0)
		return false;
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (line_locks(line, offset))
			return true;
	}
	return false;
}

/* True if an open file is the one that is searched. By its name first: stat(2) can block. */
static bool
is_file(const struct lock_search *search, int fds, const char *fd)
{
	char link[PATH_MAX];
	struct stat st;
	ssize_t n = readlinkat(fds, fd, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = '\0';
	const char *slash = strrchr(link, '/');
	return slash != NULL && strcmp(slash + 1, search->name) == 0 &&
	       fstatat(fds, fd, &st, 0) == 0 && st.st_dev == search->file.st_dev &&
	       st.st_ino == search->file.st_ino;
}

static bool
process_holds(const struct lock_search *search, int proc, const char *pid)
{
	char path[64];
	const char *fd;
	bool holds = false;
	snprintf(path, sizeof(path), "%.15s/fd", pid);
	DIR *fds = open_proc_directory(proc, path);
	while (fds != NULL && !holds && (fd = next_number(fds)) != NULL)
		holds = is_file(search, dirfd(fds), fd) &&
			fdinfo_locks(proc, pid, fd, search->offset);
	if (fds != NULL)
		closedir(fds);
	return holds;
}

char *
lock_holder(int root, int file, const char *name, off_t offset, char out[LOCK_HOLDER_MAX])
{
	struct lock_search search = {.name = name, .offset = offset};
	DIR *proc = fstat(file, &search.file) == 0 ? open_proc_directory(root, "proc") : NULL;
	const char *pid;
	snprintf(out, LOCK_HOLDER_MAX, "another process");
	while (proc != NULL && (pid = next_number(proc)) != NULL) {
		char path[32], comm[32];
		if (!process_holds(&search, dirfd(proc), pid))
			continue;
		snprintf(path, sizeof(path), "%.15s/comm", pid);
		if (file_read_value(dirfd(proc), path, comm, sizeof(comm)) != 0)
			strcpy(comm, "?");
		snprintf(out, LOCK_HOLDER_MAX, "process %.15s (%s)", pid, comm);
		break;
	}
	if (proc != NULL)
		closedir(proc);
	return out;
}
