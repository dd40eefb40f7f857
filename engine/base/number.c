/* SPDX-License-Identifier: MIT */
#include "base/number.h"

int
number_parse(const char **text, unsigned max, unsigned *number)
{
	unsigned long long value = 0;
	const char *s = *text;
	for (; *s >= '0' && *s <= '9'; s++) {
		value = value * 10 + (unsigned)(*s - '0');
		if (value > max)
			return -1;
	}
	if (s == *text)
		return -1;
	*text = s;
	*number = (unsigned)value;
	return 0;
}
