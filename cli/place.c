/* SPDX-License-Identifier: MIT */
#include "cli/place.h"

#include "base/number.h"

#include <limits.h>
#include <string.h>

/* Reads ":NUMBER" at *text and moves *text after it. Returns 0 if there is none. */
static unsigned
read_number(const char **text)
{
	unsigned number = 0;
	const char *s = *text + 1;
	if (**text != ':' || number_parse(&s, UINT_MAX, &number) != 0 || *s != ':')
		return 0;
	*text = s;
	return number;
}

struct place
place_find(const char *message, char *const files[], size_t count)
{
	struct place found = {.text = message};
	size_t longest = 0;
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(files[i]);
		const char *rest = message + length;
		if (length <= longest || strncmp(message, files[i], length) != 0 || *rest != ':')
			continue;
		unsigned line = read_number(&rest);
		if (line == 0)
			continue;
		longest = length;
		found.file = i + 1;
		found.line = line;
		found.column = read_number(&rest);
		found.text = rest + 1 + strspn(rest + 1, " ");
	}
	return found;
}
