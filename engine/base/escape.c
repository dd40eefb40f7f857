/* SPDX-License-Identifier: MIT */
/* Escapes text that others chose, for logs and terminals. */
#include "base/escape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * Returns the length of the well-formed UTF-8 sequence at s (RFC 3629), or 0 if there is none or it
 * is a control character: C0, DEL, C1, the line and paragraph separators, and the marks that
 * reorder text (U+061C, U+200E-F, U+202A-E, U+2066-9), with which a name could disguise the line
 * around it.
 */
static size_t
visible_length(const unsigned char *s)
{
	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f;
	size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	uint32_t c = s[0] & (0xffu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	if (c < smallest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) || c < 0xa0)
		return 0;
	if (c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
		(c >= 0x2066 && c <= 0x2069))
		return 0;
	return length;
}

/* As escape_unprintable(); the character quote is escaped, too, if it is not 0. */
static char *
escape(char *out, size_t size, const char *text, char quote)
{
	size_t used = 0, keep = 0; /* keep: where "..." would still fit */
	for (const unsigned char *s = (const unsigned char *)text; *s != '\0';) {
		size_t length = *s == (unsigned char)quote ? 0 : visible_length(s);
		size_t wants = length > 0 ? length : 4;
		if (used + 4 <= size)
			keep = used;
		if (used + wants >= size) {
			memcpy(out + keep, "...", 4);
			return out;
		}
		if (length > 0)
			memcpy(out + used, s, length);
		else
			snprintf(out + used, size - used, "\\x%02x", *s);
		used += wants;
		s += length > 0 ? length : 1;
	}
	out[used] = '\0';
	return out;
}

char *
escape_unprintable(char *out, size_t size, const char *text)
{
	return escape(out, size, text, '\0');
}

char *
escape_name(char *out, size_t size, const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_.+@";
	if (name[0] != '\0' && name[strspn(name, plain)] == '\0')
		return escape(out, size, name, '\0');
	out[0] = '\'';
	escape(out + 1, size - 2, name, '\'');
	memcpy(out + strlen(out), "'", 2);
	return out;
}
