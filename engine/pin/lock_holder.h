/* SPDX-License-Identifier: MIT */
/* The process that holds a byte of a file locked. */
#ifndef VMAFFINITY_PIN_LOCK_HOLDER_H
#define VMAFFINITY_PIN_LOCK_HOLDER_H

#include <sys/types.h>

#define LOCK_HOLDER_MAX 64

/*
 * Finds the process that holds the byte at offset of an open file locked; name is the last
 * component of the file's path. An open file description lock has no owner that F_OFD_GETLK could
 * return (its l_pid is -1), so this looks through /proc, below the directory fd root, for an open
 * file whose fdinfo lists that lock (proc_pid_fdinfo(5), "lock:"). Returns out with "process 1234
 * (vmaffinity)", or "another process" if none is found: it may be in another pid namespace.
 */
char *lock_holder(int root, int file, const char *name, off_t offset, char out[LOCK_HOLDER_MAX]);

#endif
