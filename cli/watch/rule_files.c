/* SPDX-License-Identifier: MIT */
/* Changes of the rules' files, seen by inotify in their directories. */
#include "cli/watch/rule_files.h"

#include "rules/rules.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/*
 * The directories are watched and not the files, because editors replace a file, and a missing one
 * can be made. A change of owner or mode can make a file valid or invalid.
 */
#define CHANGES                                                                                    \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |        \
		IN_ONLYDIR)

/* Watches a directory; an absolute path is below root. Returns as inotify_add_watch(2) does. */
static int
add_directory(int inotify, int root, const char *path)
{
	char full[PATH_MAX];
	int length = path[0] == '/' ? snprintf(full, sizeof(full), "/proc/self/fd/%d%s", root, path)
				    : snprintf(full, sizeof(full), "%s", path);
	if ((size_t)length >= sizeof(full)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return inotify_add_watch(inotify, full, CHANGES);
}

/* Watches the directory that contains the file path. Returns as inotify_add_watch(2) does. */
static int
add_directory_of(int inotify, int root, const char *path)
{
	char *copy = strdup(path);
	int r = copy != NULL ? add_directory(inotify, root, dirname(copy)) : -1;
	free(copy);
	return r;
}

int
rule_files_follow(struct rule_files *files)
{
	const char *file = files->config != NULL ? files->config : RULES_MAIN_FILE;
	files->main = add_directory_of(files->inotify, files->root, file);
	files->more = files->config == NULL /* it may come later */
			      ? add_directory(files->inotify, files->root, RULES_DIRECTORY)
			      : -1;
	return files->main < 0 ? -1 : 0;
}

int
rule_files_open(struct rule_files *files, int root, const char *config, struct err *e)
{
	*files = (struct rule_files){
		.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .root = root, .config = config};
	if (files->inotify < 0)
		return err_set(e, "inotify: %s", strerror(errno));
	if (rule_files_follow(files) == 0)
		return 0;
	return err_set(e, "the directory of %s cannot be watched: %s",
		config != NULL ? config : RULES_MAIN_FILE, strerror(errno));
}

/* Returns the part of path after its last '/'. */
static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* True if the rules can have changed with the event. */
static bool
is_about_rules(const struct rule_files *files, const struct inotify_event *event)
{
	const char *name = event->len > 0 ? event->name : "";
	size_t length = strlen(name);
	if ((event->mask & IN_Q_OVERFLOW) != 0)
		return true;
	if (event->wd != files->main && event->wd != files->more)
		return false;
	if ((event->mask & IN_IGNORED) != 0) /* the directory is gone */
		return true;
	if (event->wd == files->more)
		return length > 4 && strcmp(name + length - 4, ".ini") == 0;
	if (files->config != NULL)
		return strcmp(name, last_part(files->config)) == 0;
	return strcmp(name, last_part(RULES_MAIN_FILE)) == 0 ||
	       strcmp(name, last_part(RULES_DIRECTORY)) == 0;
}

bool
rule_files_changed(struct rule_files *files)
{
	_Alignas(struct inotify_event) char buffer[16 * 1024];
	bool changed = false;
	ssize_t got;
	while ((got = read(files->inotify, buffer, sizeof(buffer))) > 0)
		for (const char *at = buffer; at < buffer + got;) {
			const struct inotify_event *event = (const void *)at;
			at += sizeof(*event) + event->len;
			changed |= is_about_rules(files, event);
		}
	return changed;
}
