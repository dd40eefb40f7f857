/* SPDX-License-Identifier: MIT */
#include "support/memory.h"

#include <errno.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned calls, failing;

void
memory_fail_at(unsigned number)
{
	calls = 0;
	failing = number;
}

bool
memory_has_failed(void)
{
	return failing != 0 && calls >= failing;
}

bool
memory_is_reason(const char *message)
{
	return strstr(message, "out of memory") != NULL ||
	       strstr(message, strerror(ENOMEM)) != NULL;
}

static bool
fails(void)
{
	if (failing == 0 || ++calls != failing)
		return false;
	errno = ENOMEM;
	return true;
}

/* WRAPPED(TYPE, FUNCTION, PARAMETERS, ARGUMENTS): the function, or NULL if it is its turn to fail.
 */
#define WRAPPED(type, function, parameters, arguments)                                             \
	type __real_##function parameters;                                                         \
	type __wrap_##function parameters;                                                         \
	type __wrap_##function parameters                                                          \
	{                                                                                          \
		return fails() ? NULL : __real_##function arguments;                               \
	}

WRAPPED(void *, malloc, (size_t size), (size))
WRAPPED(void *, calloc, (size_t count, size_t size), (count, size))
WRAPPED(void *, realloc, (void *old, size_t size), (old, size))
WRAPPED(void *, reallocarray, (void *old, size_t count, size_t size), (old, count, size))
WRAPPED(char *, strdup, (const char *s), (s))
WRAPPED(char *, strndup, (const char *s, size_t length), (s, length))
WRAPPED(FILE *, open_memstream, (char **text, size_t *size), (text, size))
WRAPPED(void *, tsearch, (const void *key, void **root, comparison_fn_t compare),
	(key, root, compare))

int __wrap_vasprintf(char **text, const char *format, va_list args);
int __real_vasprintf(char **text, const char *format, va_list args);

int
__wrap_vasprintf(char **text, const char *format, va_list args)
{
	return fails() ? -1 : __real_vasprintf(text, format, args);
}

int __wrap_asprintf(char **text, const char *format, ...);

int
__wrap_asprintf(char **text, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = __wrap_vasprintf(text, format, args);
	va_end(args);
	return n;
}
