/* SPDX-License-Identifier: MIT */
/* One at a time for each guest: the hook, the admin tool and watch may all come at once. */
#ifndef VMAFFINITY_PIN_LOCK_H
#define VMAFFINITY_PIN_LOCK_H

#include "base/err.h"

/* How long to wait for it. Half of what the guard gives the worker. */
#define LOCK_WAIT_MS 5000

/*
 * Waits until nobody else works on the guest called name, and keeps others out until the fd that it
 * returns is closed or the process ends. Guests differ, so that they do not wait for one another.
 * -1 with the reason: there is no lock (a read-only /run, say, or somebody who was stopped while he
 * had it); what the lock keeps apart is safe without it as well, if less tidy.
 */
int lock_guest(int root, const char *name, struct err *e);

#endif
