/* SPDX-License-Identifier: MIT */
/* vCPUs and iothreads that are plugged in, seen by inotify as new directories of the guest. */
#include "cli/watch/hotplug.h"

#include "cli/command.h"

#include "base/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

int
watch_cgroup_dir(struct watched *guest, int inotify, int directory, bool *is_new)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", directory);
	int watch = inotify_add_watch(inotify, path, IN_CREATE | IN_ONLYDIR);
	*is_new = watch >= 0 && watch != guest->watch;
	guest->watch = watch;
	return watch >= 0 ? 0 : -1;
}

/* Adds a group that libvirt has made. */
static void
add_plugged(struct watched *guest, struct thread_group group)
{
	struct thread_group *larger =
		array_grow(guest->plugged, guest->plugged_count, sizeof(*guest->plugged));
	if (larger == NULL) {
		complain("%s: out of memory", guest->name);
		return;
	}
	guest->plugged = larger;
	guest->plugged[guest->plugged_count++] = group;
	guest->reasons |= WATCH_GROUPS;
}

static void
handle_event(const struct inotify_event *event, struct watched *guest)
{
	struct thread_group group;
	if ((event->mask & IN_Q_OVERFLOW) != 0)
		guest->reasons |= WATCH_NEW;
	if (guest->watch != event->wd)
		return;
	if ((event->mask & IN_IGNORED) != 0)
		guest->watch = -1;
	else if (event->len > 0 && thread_group_parse(event->name, &group))
		add_plugged(guest, group);
}

void
hotplug_read(int inotify, struct watched *guests, size_t count)
{
	_Alignas(struct inotify_event) char buffer[16 * 1024];
	ssize_t got;
	while ((got = read(inotify, buffer, sizeof(buffer))) > 0)
		for (const char *at = buffer; at < buffer + got;) {
			const struct inotify_event *event = (const void *)at;
			at += sizeof(*event) + event->len;
			for (size_t i = 0; i < count; i++)
				handle_event(event, &guests[i]);
		}
}
