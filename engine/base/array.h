/* SPDX-License-Identifier: MIT */
/* Arrays that grow by one item at a time. */
#ifndef VMAFFINITY_BASE_ARRAY_H
#define VMAFFINITY_BASE_ARRAY_H

#include <stddef.h>
#include <stdlib.h>

/*
 * Makes room for one more item in an array of count items of size bytes each; NULL is an empty
 * array. The room doubles whenever count is a power of two, so an array may be grown by nothing
 * else; its count may fall meanwhile. Returns the array, which may have moved and which the caller
 * frees, or NULL if there is no memory; the array is then as it was, and still the caller's.
 */
static inline void *
array_grow(void *items, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return items;
	return reallocarray(items, count == 0 ? 1 : count * 2, size);
}

#endif
