/* SPDX-License-Identifier: MIT */
/* How long something takes, whatever is done to the date meanwhile. */
#ifndef VMAFFINITY_BASE_CLOCK_H
#define VMAFFINITY_BASE_CLOCK_H

/* Milliseconds since some moment of this boot: CLOCK_MONOTONIC. */
double clock_ms(void);

#endif
