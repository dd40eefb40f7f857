/* SPDX-License-Identifier: MIT */
/* A lock for each guest: the hook, the admin tool and watch may all work on it at the same time. */
#ifndef VMAFFINITY_PIN_LOCK_H
#define VMAFFINITY_PIN_LOCK_H

#include "base/err.h"

/* The programs' limit for lock_guest(): half of what the guard gives the worker. */
#define LOCK_WAIT_MS 5000

enum lock_result {
	LOCK_ERROR = -1, /* it could not be found out whether another process holds it */
	LOCK_TAKEN,
	LOCK_HELD,	 /* a live process held it all the time */
	LOCK_IMPOSSIBLE, /* there can be no lock here, for no process: /run is read-only, say */
};

/*
 * Takes the lock of the guest called name, below the directory fd root; waits at most wait_ms
 * milliseconds for it. The lock is exclusive, an open file description lock (fcntl_locking(2)) on
 * one byte of /run/vmaffinity.lock; guests do not wait for one another. Returns LOCK_TAKEN with the
 * lock in *fd, held until that is closed or the process ends, or another result with the reason.
 * With LOCK_HELD the reason names the process that holds it. With LOCK_IMPOSSIBLE the caller may go
 * on: no other process can hold a lock either.
 */
enum lock_result lock_guest(int root, const char *name, unsigned wait_ms, int *fd, struct err *e);

/*
 * Takes the lock on choosing CPUs that are to be a guest's own, of which there is one for the whole
 * host: from reading what others hold until the kernel has given the chosen CPUs to the guest. To
 * be taken after the guest's own lock. Returns as lock_guest() does.
 */
enum lock_result lock_choice(int root, unsigned wait_ms, int *fd, struct err *e);

#endif
