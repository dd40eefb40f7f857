/* SPDX-License-Identifier: MIT */
/* Decimal numbers in text. */
#ifndef VMAFFINITY_BASE_NUMBER_H
#define VMAFFINITY_BASE_NUMBER_H

/*
 * Reads the decimal digits at *text as a number and moves *text to the first byte after them.
 * Takes no sign and no blank; leading zeros are fine. Returns 0 with *number, at most max; or -1
 * with *text and *number as they were, if there is no digit or the number is above max.
 */
int number_parse(const char **text, unsigned max, unsigned *number);

#endif
