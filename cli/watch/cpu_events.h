/* SPDX-License-Identifier: MIT */
/* The kernel's events about CPUs that go offline or come back. */
#ifndef VMAFFINITY_CLI_WATCH_CPU_EVENTS_H
#define VMAFFINITY_CLI_WATCH_CPU_EVENTS_H

#include <stdbool.h>

/*
 * Opens a socket that receives the kernel's events (netlink(7), NETLINK_KOBJECT_UEVENT). Returns
 * it, or -1 with errno set.
 */
int cpu_events_open(void);

/* Reads all events that are there. Returns true if a CPU went or came, or if events were lost. */
bool cpu_events_read(int fd);

#endif
