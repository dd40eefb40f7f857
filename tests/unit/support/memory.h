/* SPDX-License-Identifier: MIT */
/*
 * An allocator that fails when a test wants it to. Needs the linker's option -Wl,--wrap= for each
 * function of memory.c; what libraries allocate themselves is not counted.
 */
#ifndef VMAFFINITY_TESTS_UNIT_SUPPORT_MEMORY_H
#define VMAFFINITY_TESTS_UNIT_SUPPORT_MEMORY_H

#include <stdbool.h>

/* Makes the allocation of this number, counted from 1 and from now on, fail; 0: none does. */
void memory_fail_at(unsigned number);

/* True if that allocation was asked for, and so has failed. */
bool memory_has_failed(void);

/* True if a message, of err_set() or of err_errno(), gives the lack of memory as its reason. */
bool memory_is_reason(const char *message);

#endif
