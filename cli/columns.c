/* SPDX-License-Identifier: MIT */
#include "cli/columns.h"

#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

/*
 * Makes wcwidth(3) and mbrtowc(3) work on UTF-8, which is what all output is in, whatever the
 * user's locale. Returns false where the C library has no such locale.
 */
static bool
knows_utf8(void)
{
	static int known = -1;
	if (known < 0)
		known = setlocale(LC_CTYPE, "C.UTF-8") != NULL;
	return known != 0;
}

unsigned
columns_next(const char **text)
{
	unsigned char first = (unsigned char)**text;
	wchar_t wide;
	mbstate_t state = {0};
	size_t length =
		first < 0x80 || !knows_utf8() ? 0 : mbrtowc(&wide, *text, strlen(*text), &state);
	if (length > 0 && length <= MB_CUR_MAX) {
		int width = wcwidth(wide);
		*text += length;
		return width > 0 ? (unsigned)width : 0;
	}
	++*text;
	return (first & 0xc0) != 0x80; /* begins a character */
}

unsigned
columns_of(const char *text, size_t length)
{
	unsigned columns = 0;
	for (const char *s = text; (size_t)(s - text) < length && *s != '\0';)
		columns += columns_next(&s);
	return columns;
}
