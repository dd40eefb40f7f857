/* SPDX-License-Identifier: MIT */
/* A hash of text, for tables and lock positions; no protection against chosen text. */
#ifndef VMAFFINITY_BASE_HASH_H
#define VMAFFINITY_BASE_HASH_H

#include <stdint.h>

/* Returns the FNV-1a hash of the bytes of text, 64 bits (draft-eastlake-fnv). */
static inline uint64_t
hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;
	for (const char *s = text; *s != '\0'; s++)
		hash = (hash ^ (unsigned char)*s) * 0x100000001b3;
	return hash;
}

#endif
