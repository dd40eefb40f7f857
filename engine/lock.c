#include "lock.h"

#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

/*
 * One file for all guests, which only root can open, so nobody else can hold it locked. A guest is
 * one byte of it, far out at a place that depends on its name; two that share a place by chance
 * wait for each other, no more.
 */
#define LOCK_FILE "run/vmaffinity.lock"

/* FNV-1a, 64 bits, without the sign of off_t. */
static off_t
place_of(const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (const char *s = name; *s != '\0'; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3;
	return (off_t)(hash >> 2);
}

int
lock_guest(int root, const char *name, struct err *e)
{
	int fd = openat(root, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, "/%s", LOCK_FILE);
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = place_of(name), .l_len = 1};
	int r;
	do
		r = fcntl(fd, F_OFD_SETLKW, &lock);
	while (r != 0 && errno == EINTR);
	if (r == 0)
		return fd;
	err_errno(e, "/%s", LOCK_FILE);
	close(fd);
	return -1;
}
