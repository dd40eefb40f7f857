/* SPDX-License-Identifier: MIT */
/* Reads inotify events of the directories of guests and of their groups. */
#include "cli/watch/hotplug.h"

#include "cli/watch/say.h"

#include "base/array.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Watches the directory of each group for writes. Returns 0, or -1 with errno set. */
static int
watch_groups(struct watched *guest, int inotify, const struct cgroup *cgroup)
{
	int *watches = calloc(cgroup->group_count + 1, sizeof(*watches));
	size_t count = 0;
	if (watches == NULL)
		return -1;
	free(guest->group_watches);
	guest->group_watches = watches;
	guest->group_watch_count = 0;
	for (size_t i = 0; i < cgroup->group_count; i++) {
		char name[THREAD_GROUP_NAME_MAX], path[32 + THREAD_GROUP_NAME_MAX];
		snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", cgroup->directory,
			thread_group_name(cgroup->groups[i].group, name));
		int watch = inotify_add_watch(inotify, path, IN_MODIFY | IN_ONLYDIR);
		if (watch >= 0)
			watches[count++] = watch;
		else if (errno != ENOENT) /* not unplugged meanwhile */
			return -1;
		guest->group_watch_count = count;
	}
	return 0;
}

int
watch_cgroup(struct watched *guest, int inotify, const struct cgroup *cgroup, bool *is_new)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", cgroup->directory);
	int watch = inotify_add_watch(inotify, path, IN_CREATE | IN_ONLYDIR);
	*is_new = watch >= 0 && watch != guest->watch;
	guest->watch = watch;
	return watch >= 0 ? watch_groups(guest, inotify, cgroup) : -1;
}

/* Adds a group that libvirt has made. */
static void
add_plugged(struct watched *guest, struct thread_group group)
{
	struct thread_group *larger =
		array_grow(guest->plugged, guest->plugged_count, sizeof(*guest->plugged));
	if (larger == NULL) {
		watch_say(MESSAGE_ERROR, "%s: out of memory", guest->name);
		return;
	}
	guest->plugged = larger;
	guest->plugged[guest->plugged_count++] = group;
	guest->reasons |= WATCH_GROUPS;
}

static bool
is_group_watch(const struct watched *guest, int watch)
{
	for (size_t i = 0; i < guest->group_watch_count; i++)
		if (guest->group_watches[i] == watch)
			return true;
	return false;
}

/* True if the event is a write to a file that holds CPUs or memory nodes. */
static bool
is_mask_written(const struct inotify_event *event)
{
	return (event->mask & IN_MODIFY) != 0 && event->len > 0 &&
	       (strcmp(event->name, "cpuset.cpus") == 0 || strcmp(event->name, "cpuset.mems") == 0);
}

static void
handle_event(const struct inotify_event *event, struct watched *guest, bool own_writes)
{
	struct thread_group group;
	if ((event->mask & IN_Q_OVERFLOW) != 0)
		guest->reasons |= WATCH_NEW;
	if (!own_writes && is_mask_written(event) && is_group_watch(guest, event->wd))
		guest->reasons |= WATCH_CHANGED;
	if (guest->watch != event->wd)
		return;
	if ((event->mask & IN_IGNORED) != 0)
		guest->watch = -1;
	else if (event->len > 0 && thread_group_parse(event->name, &group))
		add_plugged(guest, group);
}

void
hotplug_read(int inotify, const struct watched_list *guests, const struct watched *writer)
{
	_Alignas(struct inotify_event) char buffer[16 * 1024];
	ssize_t got;
	while ((got = read(inotify, buffer, sizeof(buffer))) > 0)
		for (const char *at = buffer; at < buffer + got;) {
			const struct inotify_event *event = (const void *)at;
			at += sizeof(*event) + event->len;
			for (size_t i = 0; i < guests->count; i++)
				handle_event(event, &guests->items[i], &guests->items[i] == writer);
		}
}
