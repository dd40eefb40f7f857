/* SPDX-License-Identifier: MIT */
#include "cgroup/threads.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "cgroup/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All threads of a host: pid_max is at most 4 Mi, each with up to 7 digits and a newline. */
#define THREADS_FILE_MAX ((size_t)32 * 1024 * 1024)

int
threads_list(int directory, const char *path, pid_t **tids, size_t *count)
{
	AUTO_FREE char *text = NULL;
	size_t length;
	if (file_read_all_at(directory, path, THREADS_FILE_MAX, &text, &length) != 0)
		return -1;
	size_t lines = 0;
	for (const char *s = text; (s = strchr(s, '\n')) != NULL; s++)
		lines++;
	pid_t *list = calloc(lines + 1, sizeof(*list));
	if (list == NULL)
		return -1;
	*count = 0;
	for (const char *s = text; *s != '\0' && *count < lines; s += *s == '\n') {
		unsigned tid;
		/*
		 * 0 is a thread of another pid namespace; to sched_setaffinity(2) it would mean
		 * ourselves.
		 */
		if (number_parse(&s, 0x7fffffff, &tid) != 0 || *s != '\n' || tid == 0) {
			free(list);
			errno = EPROTO;
			return -1;
		}
		list[(*count)++] = (pid_t)tid;
	}
	*tids = list;
	return 0;
}

int
threads_move(int directory, const char *name, const pid_t *tids, size_t count, const char *to,
	struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		char tid[16];
		snprintf(tid, sizeof(tid), "%d", (int)tids[i]);
		if (cgroup_write_text(directory, name, to, tid, e) != 0 && errno != ESRCH)
			return -1;
	}
	return 0;
}
