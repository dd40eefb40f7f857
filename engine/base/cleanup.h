/* SPDX-License-Identifier: MIT */
/* Variables that free or close what they hold when they go out of scope. */
#ifndef VMAFFINITY_BASE_CLEANUP_H
#define VMAFFINITY_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

/*
 * Frees the memory that a pointer holds; NULL is fine. To hand the memory on, set the pointer to
 * NULL before it goes out of scope. The variable must be initialised.
 */
#define AUTO_FREE __attribute__((cleanup(cleanup_free)))

/* Closes a file descriptor unless it is negative. The variable must be initialised. */
#define AUTO_CLOSE __attribute__((cleanup(cleanup_close)))

/* Frees *text, which malloc gave or which is NULL. */
static inline void
cleanup_free(char **text)
{
	free(*text);
}

/* Closes *fd unless it is negative. */
static inline void
cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#endif
