/* SPDX-License-Identifier: MIT */
#include "pin/lock.h"

#include "base/clock.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

/*
 * One file for all guests, which only root can open, so nobody else can hold it locked. A guest is
 * one byte of it, far out at a place that depends on its name; two that share a place by chance
 * wait for each other, no more.
 */
#define LOCK_FILE "run/vmaffinity.lock"

/* Returns the byte to lock for name: its hash, without the sign of off_t. */
static off_t
place_of(const char *name)
{
	return (off_t)(hash_text(name) >> 2);
}

/*
 * Tries again and again, up to the limit: there is no fcntl(2) that waits for a time, and an alarm
 * would be the whole process'. 0, 1 if somebody else has it still, or -1 with errno set.
 */
static int
wait_for(int fd, struct flock *lock)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	const double start = clock_ms();
	while (fcntl(fd, F_OFD_SETLK, lock) != 0) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return -1;
		if (clock_ms() - start >= LOCK_WAIT_MS)
			return 1;
		nanosleep(&pause, NULL);
	}
	return 0;
}

int
lock_guest(int root, const char *name, struct err *e)
{
	int fd = openat(root, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_errno(e, "/%s", LOCK_FILE);
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = place_of(name), .l_len = 1};
	int r = wait_for(fd, &lock);
	if (r == 0)
		return fd;
	if (r < 0)
		err_errno(e, "/%s", LOCK_FILE);
	else
		err_set(e, "/%s: another vmaffinity has been at work on this guest for %d s",
			LOCK_FILE, LOCK_WAIT_MS / 1000);
	close(fd);
	return -1;
}
