#include "watch.h"

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
watch_rules_open(int root, const char *config, struct err *e)
{
	int inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	const char *file = config != NULL ? config : RULES_MAIN_FILE;
	if (inotify < 0)
		return err_set(e, "inotify: %s", strerror(errno));
	if (add_directory_of(inotify, root, file) < 0) {
		err_set(e, "the directory of %s cannot be watched: %s", file, strerror(errno));
		close(inotify);
		return -1;
	}
	if (config == NULL)
		add_directory(inotify, root, RULES_DIRECTORY); /* may come later */
	return inotify;
}

/* Whether a change of what is called name, in one of the directories, can change the rules. */
static bool
is_about_rules(const char *name, const char *config)
{
	size_t length = strlen(name);
	if (config != NULL) {
		const char *slash = strrchr(config, '/');
		return strcmp(name, slash != NULL ? slash + 1 : config) == 0;
	}
	return strcmp(name, strrchr(RULES_MAIN_FILE, '/') + 1) == 0 ||
	       strcmp(name, strrchr(RULES_DIRECTORY, '/') + 1) == 0 ||
	       (length > 4 && strcmp(name + length - 4, ".ini") == 0);
}

bool
watch_rules_changed(int inotify, int root, const char *config)
{
	_Alignas(struct inotify_event) char buffer[16 * 1024];
	bool changed = false;
	ssize_t got;
	while ((got = read(inotify, buffer, sizeof(buffer))) > 0)
		for (const char *at = buffer; at < buffer + got;) {
			const struct inotify_event *event = (const void *)at;
			at += sizeof(*event) + event->len;
			if ((event->mask & IN_Q_OVERFLOW) != 0 ||
				(event->len > 0 && is_about_rules(event->name, config)))
				changed = true;
		}
	if (changed && config == NULL)
		add_directory(inotify, root, RULES_DIRECTORY);
	return changed;
}
