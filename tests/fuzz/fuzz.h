/* SPDX-License-Identifier: MIT */
/* The interface of every fuzz target. */
#ifndef VMAFFINITY_TESTS_FUZZ_FUZZ_H
#define VMAFFINITY_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs the target over one input and ends the process, with a core, if it breaks a promise. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the code under test. Also there in builds without assert(3). */
#define PROMISE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
