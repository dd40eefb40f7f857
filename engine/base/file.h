/* SPDX-License-Identifier: MIT */
/* Small files below a directory fd, such as the kernel's: one read reads them, one write writes
 * them. */
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
 * it does not fit, or the errno of open(2) or read(2).
 */
int file_read_value(int dir, const char *path, char *buffer, size_t size);

/*
 * Reads fd to its end. Returns 0 with *text (NUL-terminated, caller frees) and *length, or -1 with
 * errno set: EFBIG if there are more than max bytes, ENOMEM, or the errno of read(2). fd may be a
 * pipe.
 */
int file_read_all(int fd, size_t max, char **text, size_t *length);

/* Reads a file as file_read_all() does, by its name; the last component may not be a link. */
int file_read_all_at(int dir, const char *path, size_t max, char **text, size_t *length);

/*
 * Writes text to an existing file in one write. Returns 0, or -1 with errno set: EIO if less than
 * length was written, or the errno of open(2) or write(2). Never creates a file.
 */
int file_write_value(int dir, const char *path, const char *text, size_t length);

#endif
