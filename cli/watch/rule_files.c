/* SPDX-License-Identifier: MIT */
#include "cli/watch/watch.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/*
 * The directories are watched, not the files: editors put a new file in an old one's place, and one
 * that is not there can come. Also its owner and mode count.
 */
#define CHANGES                                                                                    \
	(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB |        \
		IN_ONLYDIR)

/* Watches the directory path (absolute: below root). Returns as inotify_add_watch(2) does. */
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

/* The same for the directory in which the file path lies. */
static int
add_directory_of(int inotify, int root, const char *path)
{
	char *copy = strdup(path);
	int r = copy != NULL ? add_directory(inotify, root, dirname(copy)) : -1;
	free(copy);
	return r;
}

int
watch_rules_follow(struct watch_rules *rules)
{
	const char *file = rules->config != NULL ? rules->config : RULES_MAIN_FILE;
	rules->main = add_directory_of(rules->inotify, rules->root, file);
	rules->more = rules->config == NULL /* it may come later */
			      ? add_directory(rules->inotify, rules->root, RULES_DIRECTORY)
			      : -1;
	return rules->main < 0 ? -1 : 0;
}

int
watch_rules_open(struct watch_rules *rules, int root, const char *config, struct err *e)
{
	*rules = (struct watch_rules){
		.inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .root = root, .config = config};
	if (rules->inotify < 0)
		return err_set(e, "inotify: %s", strerror(errno));
	if (watch_rules_follow(rules) == 0)
		return 0;
	return err_set(e, "the directory of %s cannot be watched: %s",
		config != NULL ? config : RULES_MAIN_FILE, strerror(errno));
}

/* What is behind the last '/'. */
static const char *
last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? slash + 1 : path;
}

/* Whether the rules can be others after that. */
static bool
is_about_rules(const struct watch_rules *rules, const struct inotify_event *event)
{
	const char *name = event->len > 0 ? event->name : "";
	size_t length = strlen(name);
	if ((event->mask & IN_Q_OVERFLOW) != 0)
		return true;
	if (event->wd != rules->main && event->wd != rules->more)
		return false;
	if ((event->mask & IN_IGNORED) != 0) /* it has gone */
		return true;
	if (event->wd == rules->more)
		return length > 4 && strcmp(name + length - 4, ".ini") == 0;
	if (rules->config != NULL)
		return strcmp(name, last_part(rules->config)) == 0;
	return strcmp(name, last_part(RULES_MAIN_FILE)) == 0 ||
	       strcmp(name, last_part(RULES_DIRECTORY)) == 0;
}

bool
watch_rules_changed(struct watch_rules *rules)
{
	_Alignas(struct inotify_event) char buffer[16 * 1024];
	bool changed = false;
	ssize_t got;
	while ((got = read(rules->inotify, buffer, sizeof(buffer))) > 0)
		for (const char *at = buffer; at < buffer + got;) {
			const struct inotify_event *event = (const void *)at;
			at += sizeof(*event) + event->len;
			changed |= is_about_rules(rules, event);
		}
	return changed;
}
