/* SPDX-License-Identifier: MIT */
#include "cli/watch/watch.h"

#include "base/array.h"

#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

void
watched_free(struct watched *guest)
{
	free(guest->name);
	free(guest->came);
	messages_free(&guest->told);
}

/* Libvirt has made this group. */
static void
add_group(struct watched *guest, struct thread_group group)
{
	struct thread_group *larger =
		array_grow(guest->came, guest->came_count, sizeof(*guest->came));
	if (larger == NULL) {
		complain("%s: out of memory", guest->name);
		return;
	}
	guest->came = larger;
	guest->came[guest->came_count++] = group;
	guest->reasons |= WATCH_GROUPS;
}

static void
take_event(const struct inotify_event *event, struct watched *guest)
{
	struct thread_group group;
	if ((event->mask & IN_Q_OVERFLOW) != 0)
		guest->reasons |= WATCH_MET;
	if (guest->watch != event->wd)
		return;
	if ((event->mask & IN_IGNORED) != 0)
		guest->watch = -1;
	else if (event->len > 0 && thread_group_parse(event->name, &group))
		add_group(guest, group);
}

void
watch_groups_read(int inotify, struct watched *guests, size_t count)
{
	_Alignas(struct inotify_event) char buffer[16 * 1024];
	ssize_t got;
	while ((got = read(inotify, buffer, sizeof(buffer))) > 0)
		for (const char *at = buffer; at < buffer + got;) {
			const struct inotify_event *event = (const void *)at;
			at += sizeof(*event) + event->len;
			for (size_t i = 0; i < count; i++)
				take_event(event, &guests[i]);
		}
}
