/* SPDX-License-Identifier: MIT */
/* Notices vCPUs and iothreads that are plugged in: libvirt makes a cgroup for each, and no event.
 */
#ifndef VMAFFINITY_CLI_WATCH_HOTPLUG_H
#define VMAFFINITY_CLI_WATCH_HOTPLUG_H

#include "cli/watch/watched.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Has the inotify fd report the groups that are made in the guest's cgroup directory, an fd.
 * Returns 0 with *is_new, true if the directory was not watched before: groups may have come
 * unnoticed until now; or -1 with errno set.
 */
int watch_cgroup_dir(struct watched *guest, int inotify, int directory, bool *is_new);

/*
 * Reads the events of the inotify fd, and adds each new group to the guest that it belongs to.
 * After an overflow of the queue every guest is WATCH_NEW.
 */
void hotplug_read(int inotify, struct watched *guests, size_t count);

#endif
