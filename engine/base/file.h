/* SPDX-License-Identifier: MIT */
/* Small files below a directory fd, as the kernel's are: read in one read, written in one write. */
#ifndef VMAFFINITY_BASE_FILE_H
#define VMAFFINITY_BASE_FILE_H

#include <dirent.h>
#include <stddef.h>

/* Opens a directory; the last component may not be a link. Returns an fd, or -1 with errno set. */
int file_open_directory(int dir, const char *path);

/* Orders directory entries by the bytes of their names, in every locale: for scandirat(3). */
int file_compare_names(const struct dirent **a, const struct dirent **b);

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
