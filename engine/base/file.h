/* SPDX-License-Identifier: MIT */
/* Small files below a directory fd, as the kernel's are: read in one read, written in one write. */
#ifndef VMAFFINITY_BASE_FILE_H
#define VMAFFINITY_BASE_FILE_H

#include "base/err.h"

#include <stddef.h>

/* Closes *fd if it is one (>= 0): for __attribute__((cleanup)). */
void file_close(int *fd);
#define AUTO_CLOSE __attribute__((cleanup(file_close)))

/* For __attribute__((cleanup)) on a pointer from malloc. */
void file_free(char **text);
#define AUTO_FREE __attribute__((cleanup(file_free)))

/* Opens a directory; the last component may not be a link. Returns an fd, or -1 with errno set. */
int file_open_directory(int dir, const char *path);

/*
 * Reads a file whose whole content the kernel gives in one read (a cpuset or sysfs attribute) into
 * buffer, NUL-terminated, without the newline at the end. Returns 0, or -1 with errno set: EFBIG if
 * it does not fit, else what open or read said.
 */
int file_read_value(int dir, const char *path, char *buffer, size_t size);

/*
 * Reads fd to its end. Returns 0 with *text (NUL-terminated, caller frees) and *length, or -1 with
 * errno set: EFBIG if there are more than max bytes, ENOMEM, or what read said. A pipe is fine.
 */
int file_read_all(int fd, size_t max, char **text, size_t *length);

/* The same for a file by name, not through a link. */
int file_read_all_at(int dir, const char *path, size_t max, char **text, size_t *length);

/* Opens an existing file and writes text in one write. Returns 0, or -1 with errno set. */
int file_write_value(int dir, const char *path, const char *text, size_t length);

#endif
