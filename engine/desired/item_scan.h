/* SPDX-License-Identifier: MIT */
/*
 * Scans the items of a list in a rule's value, which blanks, line ends or single commas separate.
 * The language of the items decides how long an item is; faults that all lists share are reported
 * here.
 */
#ifndef VMAFFINITY_DESIRED_ITEM_SCAN_H
#define VMAFFINITY_DESIRED_ITEM_SCAN_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#define ITEM_SEPARATORS ", \t\r\n\v\f"

struct item_scan {
	const char *at;	  /* the next item; its NUL after the last one; on an error the fault */
	bool after_comma; /* a comma separates the next item from the one before it */
};

/* Starts a scan at the first item of text, which must outlive the scan. */
void item_scan_start(struct item_scan *scan, const char *text);

/*
 * Moves the scan from end, the first byte after the current item, to the next item. Returns 0, or
 * -1 if a comma is the last thing in the text.
 */
int item_scan_next(struct item_scan *scan, const char *end, struct err *e);

/* Returns 0 if the item is neither empty nor the beginning of a comment, else -1. */
int item_check(const char *item, size_t length, struct err *e);

#endif
