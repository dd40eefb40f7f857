/* SPDX-License-Identifier: MIT */
#ifndef VMAFFINITY_CLI_WATCH_NOTIFY_H
#define VMAFFINITY_CLI_WATCH_NOTIFY_H

/*
 * Tells the service manager a state, as sd_notify(3) does: "READY=1". Does nothing if no service
 * manager listens. Loads libsystemd for it, so that no other command has to.
 */
void watch_notify(const char *state);

#endif
