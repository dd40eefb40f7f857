/* SPDX-License-Identifier: MIT */
#include "cgroup/proc_stat.h"

#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* About 50 numbers of up to 20 digits, and a name of up to 64 bytes. */
#define STAT_MAX 4096

/* Returns 0, or -1 if text does not begin with a number that ends at a space or with the text. */
static int
parse_field(const char *text, uint64_t *value)
{
	uint64_t number = 0;
	const char *s = text;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(number, 10, &number) ||
			__builtin_add_overflow(number, (uint64_t)(*s - '0'), &number))
			return -1;
	if (s == text || (*s != ' ' && *s != '\0'))
		return -1;
	*value = number;
	return 0;
}

int
proc_stat_read(int root, pid_t pid, enum proc_stat_field field, uint64_t *value)
{
	char path[64], text[STAT_MAX];
	snprintf(path, sizeof(path), "proc/%d/stat", (int)pid);
	if (file_read_value(root, path, text, sizeof(text)) != 0)
		return -1;
	/* Field 2, the name in brackets, may hold anything, brackets and spaces among it. */
	const char *at = strrchr(text, ')');
	for (int i = 2; i < (int)field && at != NULL; i++) {
		at = strchr(at, ' ');
		at = at != NULL ? at + 1 : NULL;
	}
	if (at != NULL && parse_field(at, value) == 0)
		return 0;
	errno = EPROTO;
	return -1;
}
