/* SPDX-License-Identifier: MIT */
#include "desired/item_scan.h"

#include <string.h>

static const char blanks[] = " \t\r\n\v\f";

void
item_scan_start(struct item_scan *scan, const char *text)
{
	*scan = (struct item_scan){.at = text + strspn(text, blanks)};
}

int
item_scan_next(struct item_scan *scan, const char *end, struct err *e)
{
	const char *comma = end + strspn(end, blanks);
	scan->at = comma;
	scan->after_comma = *comma == ',';
	if (!scan->after_comma)
		return 0;
	scan->at++;
	scan->at += strspn(scan->at, blanks);
	if (*scan->at != '\0')
		return 0;
	scan->at = comma;
	return err_set(e, "nothing follows the ','");
}

int
item_check(const char *item, size_t length, struct err *e)
{
	if (length == 0)
		return err_set(e, "an item is missing");
	if (*item == '#' || memchr(item, ';', length) != NULL)
		return err_set(e, "a comment after a value begins with a space and ';'");
	return 0;
}
