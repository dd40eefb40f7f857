/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into libvirt's daemon: waits between the creation of a pid file and what is done with
 * it next, its locking, so that another process can be first.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define WAIT_US 20000

/* libvirt is built for files of any size. */
int
open64(const char *path, int flags, ...)
{
	int (*next)(const char *, int, ...) =
		(int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
	size_t length = strlen(path);
	va_list args;
	va_start(args, flags);
	int mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(args, int) : 0;
	va_end(args);
	int fd = next(path, flags, mode);
	if (fd >= 0 && (flags & O_CREAT) != 0 && length > 4 &&
		strcmp(path + length - 4, ".pid") == 0)
		usleep(WAIT_US);
	return fd;
}
