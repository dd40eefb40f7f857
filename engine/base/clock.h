/* SPDX-License-Identifier: MIT */
/* A clock for durations, which no change of the date affects. */
#ifndef VMAFFINITY_BASE_CLOCK_H
#define VMAFFINITY_BASE_CLOCK_H

/* Returns milliseconds since a fixed but unspecified moment: CLOCK_MONOTONIC, clock_gettime(2). */
double clock_ms(void);

#endif
