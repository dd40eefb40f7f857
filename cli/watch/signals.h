/* SPDX-License-Identifier: MIT */
/* The signals that end watch. */
#ifndef VMAFFINITY_CLI_WATCH_SIGNALS_H
#define VMAFFINITY_CLI_WATCH_SIGNALS_H

/*
 * Returns an eventfd, to be closed by the caller, that SIGTERM and SIGINT make readable; -1 with
 * errno set. It is no signalfd because libvirt's calls and the wait for a guest's lock have no
 * limit: the handler ends a process that does not end within some seconds. Nothing is half done
 * while it waits.
 */
int watch_end_open(void);

#endif
