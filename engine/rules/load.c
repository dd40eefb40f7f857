/* SPDX-License-Identifier: MIT */
/* Finds, opens and checks the rules files. */
#include "rules/rules.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "rules/parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Checks that only root, or the user that runs this program, can have written an open file. Rules
 * decide what a root process does. The fd is checked and not the path, which could change before
 * the file is opened.
 */
static int
check_rules_owner(int fd, const char *shown, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_errno(e, "%s", shown);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(e, "%s: belongs to user %u, not to root; run chown root on it",
			shown, st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e,
			"%s: group or others may write it (mode %04o); run chmod go-w on it", shown,
			st.st_mode & 07777u);
	return 0;
}

static int
check_rules_file(int fd, const char *shown, struct err *e)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return err_errno(e, "%s", shown);
	if (S_ISDIR(st.st_mode))
		return err_set(e, "%s: is a directory, must be a file", shown);
	if (!S_ISREG(st.st_mode))
		return err_set(e, "%s: is not a regular file", shown);
	if ((size_t)st.st_size > RULES_FILE_MAX)
		return err_set(e, "%s: larger than %zu MiB", shown, RULES_FILE_MAX / 1024 / 1024);
	return check_rules_owner(fd, shown, e);
}

static int
explain_open(const char *shown, struct err *e)
{
	if (errno == ELOOP)
		return err_set(e, "%s: is a symbolic link, must be the file itself", shown);
	return err_errno(e, "%s", shown);
}

/* Adds a copy of shown to rules->files. Returns the copy, or NULL with the reason. */
static const char *
add_file(struct rules *rules, const char *shown, struct err *e)
{
	if (rules->file_count == RULES_FILES_MAX) {
		err_set(e, "%s: more than %u rules files", shown, RULES_FILES_MAX);
		return NULL;
	}
	char **files = array_grow(rules->files, rules->file_count, sizeof(*files));
	char *copy = strdup(shown);
	if (files != NULL)
		rules->files = files;
	if (files == NULL || copy == NULL) {
		free(copy);
		err_set(e, "%s: out of memory", shown);
		return NULL;
	}
	files[rules->file_count++] = copy;
	return copy;
}

/*
 * Reads the file at path below directory; shown is its name in messages. A missing file is an error
 * only if it must be there.
 */
static int
load_file(struct rules *rules, int directory, const char *path, const char *shown, bool must,
	struct messages *messages, struct err *e)
{
	/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
	AUTO_CLOSE int fd =
		openat(directory, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && !must)
		return 0;
	if (fd < 0)
		return explain_open(shown, e);
	if (check_rules_file(fd, shown, e) != 0)
		return -1;
	AUTO_FREE char *text = NULL;
	size_t length;
	if (file_read_all(fd, RULES_FILE_MAX, &text, &length) != 0)
		return err_errno(e, "%s", shown);
	const char *file = add_file(rules, shown, e);
	if (file == NULL)
		return -1;
	rules_parse(rules, file, text, length, messages);
	return 0;
}

static void
load_or_report(struct rules *rules, int directory, const char *path, const char *shown, bool must,
	struct messages *messages)
{
	struct err e;
	if (load_file(rules, directory, path, shown, must, messages, &e) != 0)
		messages_add(messages, MESSAGE_ERROR, "rules-unreadable", "%s", e.text);
}

/* True for *.ini. Hidden files belong to editors and package managers. */
static int
is_rules_file(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return entry->d_name[0] != '.' && length > 4 &&
	       strcmp(entry->d_name + length - 4, ".ini") == 0;
}

static int
load_directory(struct rules *rules, int root, struct messages *messages, struct err *e)
{
	AUTO_CLOSE int directory = file_open_directory(root, &RULES_DIRECTORY[1]);
	if (directory < 0 && errno == ENOENT)
		return 0;
	if (directory < 0 && errno == ENOTDIR)
		return err_set(
			e, "%s: must be a directory, and not a symbolic link", RULES_DIRECTORY);
	if (directory < 0)
		return err_errno(e, "%s", RULES_DIRECTORY);
	if (check_rules_owner(directory, RULES_DIRECTORY, e) != 0)
		return -1;
	struct dirent **entries;
	int count = scandirat(directory, ".", &entries, is_rules_file, file_compare_names);
	if (count < 0)
		return err_errno(e, "%s", RULES_DIRECTORY);
	for (int i = 0; i < count; i++) {
		char shown[sizeof(RULES_DIRECTORY) + 1 + sizeof(entries[i]->d_name)];
		snprintf(shown, sizeof(shown), "%s/%s", RULES_DIRECTORY, entries[i]->d_name);
		load_or_report(rules, directory, entries[i]->d_name, shown, true, messages);
		free(entries[i]);
	}
	free(entries);
	return 0;
}

void
rules_load(struct rules *rules, int root, struct messages *messages)
{
	struct err e;
	load_or_report(rules, root, &RULES_MAIN_FILE[1], RULES_MAIN_FILE, false, messages);
	if (load_directory(rules, root, messages, &e) != 0)
		messages_add(messages, MESSAGE_ERROR, "rules-unreadable", "%s", e.text);
}

void
rules_load_file(struct rules *rules, int directory, const char *path, struct messages *messages)
{
	load_or_report(rules, directory, path, path, true, messages);
}
