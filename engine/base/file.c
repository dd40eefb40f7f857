/* SPDX-License-Identifier: MIT */
/* Reads and writes small files below a directory descriptor. */
#include "base/file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
file_open_directory(int dir, const char *path)
{
	return openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int
file_compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int
file_read_value(int dir, const char *path, char *buffer, size_t size)
{
	AUTO_CLOSE int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = read(fd, buffer, size);
	if (n < 0)
		return -1;
	if ((size_t)n == size) {
		errno = EFBIG;
		return -1;
	}
	if (n > 0 && buffer[n - 1] == '\n')
		n--;
	buffer[n] = '\0';
	return 0;
}

int
file_read_all(int fd, size_t max, char **text, size_t *length)
{
	size_t size = 16384, used = 0;
	AUTO_FREE char *buffer = malloc(size);
	if (buffer == NULL)
		return -1;
	for (;;) {
		ssize_t n = read(fd, buffer + used, size - used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max) {
			errno = EFBIG;
			return -1;
		}
		if (used == size - 1) {
			size *= 2;
			char *larger = realloc(buffer, size);
			if (larger == NULL)
				return -1;
			buffer = larger;
		}
	}
	buffer[used] = '\0';
	*text = buffer;
	*length = used;
	buffer = NULL;
	return 0;
}

int
file_read_all_at(int dir, const char *path, size_t max, char **text, size_t *length)
{
	AUTO_CLOSE int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	return file_read_all(fd, max, text, length);
}

int
file_write_value(int dir, const char *path, const char *text, size_t length)
{
	AUTO_CLOSE int fd = openat(dir, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = pwrite(fd, text, length, 0);
	if (n >= 0 && (size_t)n != length) {
		errno = EIO;
		return -1;
	}
	return n < 0 ? -1 : 0;
}
