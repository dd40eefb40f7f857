/* SPDX-License-Identifier: MIT */
/* Writes a host as text, a line for each file. */
#include "cli/capture/snapshot_write.h"

#include "cli/command.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "base/file.h"
#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for all threads of a host: at most 4 Mi (pid_max), each of 7 digits and a newline. */
#define FILE_MAX ((size_t)32 * 1024 * 1024)

/* The characters that have a meaning after a backslash. */
static const char in_path[] = "s{\\", in_value[] = "nc\\";

/* Prints text. A backslash before one of special, in_path or in_value, is doubled. */
static void
put_escaped(const char *text, size_t length, const char *special)
{
	for (const char *s = text; s < text + length; s++)
		if (*s == '\n')
			fputs("\\n", stdout);
		else if (special == in_path && (*s == ' ' || *s == '{'))
			fputs(*s == ' ' ? "\\s" : "\\{", stdout);
		else if (*s == '\\' && s[1] != '\0' && strchr(special, s[1]) != NULL)
			fputs("\\\\", stdout);
		else
			putchar(*s);
}

/* True if text has no control characters but tabs and line ends. */
static bool
is_plain(const char *text)
{
	size_t size = 4 * strlen(text) + 4;
	char *copy = strdup(text), *safe = malloc(size);
	for (char *s = copy; s != NULL && *s != '\0'; s++)
		if (*s == '\n' || *s == '\t')
			*s = ' ';
	bool plain = copy != NULL && safe != NULL &&
		     strcmp(escape_unprintable(safe, size, copy), copy) == 0;
	free(safe);
	free(copy);
	return plain;
}

/* Prints the line for the file BEFORE AFTER or, if ids is not NULL, for the files BEFORE N AFTER.
 */
static void
print_file_line(struct snapshot *snapshot, const char *before, const struct cpumask *ids,
	const char *after, const char *text)
{
	size_t length = strlen(text);
	bool ended = length > 0 && text[length - 1] == '\n';
	if (!is_plain(before) || strchr(before, '\n') != NULL || !is_plain(text)) {
		complain("/%s%s: cannot be written as a line: it contains control characters",
			before, after);
		snapshot->incomplete = true;
		return;
	}
	put_escaped(before, strlen(before), in_path);
	if (ids != NULL) {
		char list[CPULIST_MAX];
		cpumask_format(ids, list, sizeof(list));
		printf(cpumask_count(ids) > 1 ? "{%s}" : "%s", list);
	}
	put_escaped(after, strlen(after), in_path);
	if (length != 1 || !ended)
		putchar(' ');
	put_escaped(text, length - ended, in_value);
	puts(ended ? "" : "\\c");
}

bool
snapshot_path(struct snapshot *snapshot, char out[PATH_MAX], const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(out, PATH_MAX, format, args);
	va_end(args);
	if (n >= 0 && n < PATH_MAX)
		return true;
	complain("/%s...: %s", out, strerror(ENAMETOOLONG));
	snapshot->incomplete = true;
	return false;
}

char *
snapshot_read(struct snapshot *snapshot, const char *path)
{
	char *text;
	size_t length;
	if (file_read_all_at(snapshot->root, path, FILE_MAX, &text, &length) == 0)
		return text;
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
	case ESRCH:	 /* a thread that ended */
	case ENODEV:	 /* a cgroup that is gone */
	case EOPNOTSUPP: /* cgroup.threads of a cgroup without */
		break;
	default:
		complain("/%s: %s", path, strerror(errno));
		snapshot->incomplete = true;
	}
	return NULL;
}

void
snapshot_write(struct snapshot *snapshot, const char *path, const char *text)
{
	print_file_line(snapshot, path, NULL, "", text);
}

void
snapshot_write_directory(const char *path)
{
	put_escaped(path, strlen(path), in_path);
	puts("/");
}

void
snapshot_copy(struct snapshot *snapshot, const char *path)
{
	AUTO_FREE char *text = snapshot_read(snapshot, path);
	if (text != NULL)
		snapshot_write(snapshot, path, text);
}

void
snapshot_copy_lines(
	struct snapshot *snapshot, const char *path, const char *word, const char *other)
{
	AUTO_FREE char *text = snapshot_read(snapshot, path);
	for (char *rest = text, *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
		AUTO_FREE char *whole = NULL;
		if (strstr(line, word) == NULL && strstr(line, other) == NULL)
			continue;
		if (asprintf(&whole, "%s\n", line) < 0)
			whole = NULL;
		if (whole != NULL)
			snapshot_write(snapshot, path, whole);
	}
}

bool
snapshot_copy_each(
	struct snapshot *snapshot, const char *before, const struct cpumask *ids, const char *after)
{
	char *texts[CPUMASK_CPUS] = {NULL}, path[PATH_MAX];
	bool any = false;
	cpumask_for_each (i, ids)
		if (snapshot_path(snapshot, path, "%s%u%s", before, i, after))
			texts[i] = snapshot_read(snapshot, path);
	for (unsigned i = 0; i < CPUMASK_CPUS; i++) {
		struct cpumask same = {0};
		AUTO_FREE char *text = texts[i];
		for (unsigned j = i; j < CPUMASK_CPUS && text != NULL; j++)
			if (texts[j] != NULL && strcmp(texts[j], text) == 0) {
				cpumask_set_range(&same, j, j);
				if (j > i)
					free(texts[j]);
				texts[j] = NULL;
			}
		if (text != NULL)
			print_file_line(snapshot, before, &same, after, text);
		any |= text != NULL;
	}
	return any;
}

struct cpumask
snapshot_numbers(const struct snapshot *snapshot, const char *path, const char *stem)
{
	struct cpumask numbers = {0};
	int fd = file_open_directory(snapshot->root, path);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	size_t length = strlen(stem);
	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		const char *digits = entry->d_name + length;
		unsigned number;
		if (strncmp(entry->d_name, stem, length) == 0 &&
			(digits[0] != '0' || digits[1] == '\0') &&
			number_parse(&digits, CPUMASK_CPUS - 1, &number) == 0 && *digits == '\0')
			cpumask_set_range(&numbers, number, number);
	}
	if (directory != NULL)
		closedir(directory);
	return numbers;
}
