/* SPDX-License-Identifier: MIT */
/*
 * Notices what libvirt reports no event for: groups of plugged vCPUs and iothreads, and direct
 * writes to a group's cpuset.
 */
#ifndef VMAFFINITY_CLI_WATCH_HOTPLUG_H
#define VMAFFINITY_CLI_WATCH_HOTPLUG_H

#include "cgroup/cgroup.h"
#include "cli/watch/watched.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Has the inotify fd report the groups that are made in the guest's cgroup, and writes to the files
 * of its groups. Returns 0 with *is_new, true if the cgroup was not watched before: groups may have
 * come unnoticed until now; or -1 with errno set.
 */
int watch_cgroup(struct watched *guest, int inotify, const struct cgroup *cgroup, bool *is_new);

/*
 * Reads the events of the inotify fd, and adds each new group to the guest that it belongs to. A
 * guest one of whose masks was written is WATCH_CHANGED, except writer, which may be NULL: its
 * events are those of our own writes. After an overflow of the queue every guest is WATCH_NEW.
 */
void hotplug_read(int inotify, const struct watched_list *guests, const struct watched *writer);

#endif
