/* SPDX-License-Identifier: MIT */
/* Takes a guest's lock, with a limit for the wait, and finds the process that holds it. */
#include "pin/lock.h"

#include "base/clock.h"
#include "base/hash.h"
#include "pin/lock_holder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

/*
 * One file for all guests, which only root can open, so no other user can hold it locked. A guest
 * is one byte of it, at an offset that depends on its name. Two guests that share an offset by
 * chance wait for each other.
 */
#define LOCK_NAME "vmaffinity.lock"
#define LOCK_FILE "run/" LOCK_NAME

/* The byte of the lock on choosing: no name has it. */
#define CHOICE_OFFSET ((off_t)1 << 62)

/* Returns the byte to lock for name: its hash, without the sign of off_t. */
static off_t
offset_of(const char *name)
{
	return (off_t)(hash_text(name) >> 2);
}

/*
 * True if error, from open(2) or fcntl(2), says that no process can have the lock. Otherwise this
 * process lacks something that another one may have.
 */
static bool
is_impossible(int error)
{
	return error != EMFILE && error != ENFILE && error != ENOMEM && error != EINTR;
}

/*
 * Tries to take the lock until it succeeds or wait_ms have passed: fcntl(2) has no time limit, and
 * an alarm would be for the whole process. Returns LOCK_TAKEN, LOCK_HELD, or LOCK_ERROR with errno
 * set.
 */
static enum lock_result
wait_for_lock(int fd, struct flock *lock, unsigned wait_ms)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	const double start = clock_ms();
	while (fcntl(fd, F_OFD_SETLK, lock) != 0) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return LOCK_ERROR;
		if (clock_ms() - start >= wait_ms)
			return LOCK_HELD;
		nanosleep(&pause, NULL);
	}
	return LOCK_TAKEN;
}

/* what: of what the lock is, as in "lock on this guest". */
static enum lock_result
take_lock(int root, off_t offset, const char *what, unsigned wait_ms, int *fd, struct err *e)
{
	int file = openat(root, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0) {
		bool impossible = is_impossible(errno);
		err_errno(e, "/%s", LOCK_FILE);
		return impossible ? LOCK_IMPOSSIBLE : LOCK_ERROR;
	}
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
	enum lock_result r = wait_for_lock(file, &lock, wait_ms);
	if (r == LOCK_TAKEN) {
		*fd = file;
		return r;
	}
	char holder[LOCK_HOLDER_MAX];
	if (r == LOCK_HELD)
		err_set(e, "/%s: after %g s %s still holds the lock on %s", LOCK_FILE,
			wait_ms / 1e3, lock_holder(root, file, LOCK_NAME, offset, holder), what);
	else if (is_impossible(errno))
		r = LOCK_IMPOSSIBLE;
	if (r != LOCK_HELD)
		err_errno(e, "/%s", LOCK_FILE);
	close(file);
	return r;
}

enum lock_result
lock_guest(int root, const char *name, unsigned wait_ms, int *fd, struct err *e)
{
	return take_lock(root, offset_of(name), "this guest", wait_ms, fd, e);
}

enum lock_result
lock_choice(int root, unsigned wait_ms, int *fd, struct err *e)
{
	return take_lock(root, CHOICE_OFFSET, "choosing CPUs", wait_ms, fd, e);
}
