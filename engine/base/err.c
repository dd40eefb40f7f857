/* SPDX-License-Identifier: MIT */
/* Builds the text of an error, from the innermost reason outwards. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void
mark_cut(struct err *e)
{
	memcpy(e->text + sizeof(e->text) - 4, "...", 4);
}

__attribute__((format(printf, 2, 0))) static void
set_text(struct err *e, const char *format, va_list args)
{
	int n = vsnprintf(e->text, sizeof(e->text), format, args);
	if (n < 0)
		e->text[0] = '\0';
	else if ((size_t)n >= sizeof(e->text))
		mark_cut(e);
}

static void
append(struct err *e, const char *separator, const char *text)
{
	size_t used = strlen(e->text);
	int n = snprintf(e->text + used, sizeof(e->text) - used, "%s%s", separator, text);
	if (n < 0 || (size_t)n >= sizeof(e->text) - used)
		mark_cut(e);
}

int
err_set(struct err *e, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	set_text(e, format, args);
	va_end(args);
	return -1;
}

int
err_errno(struct err *e, const char *format, ...)
{
	const char *reason = strerror(errno);
	va_list args;
	va_start(args, format);
	set_text(e, format, args);
	va_end(args);
	append(e, ": ", reason);
	return -1;
}

int
err_context(struct err *e, const char *format, ...)
{
	struct err inner = *e;
	va_list args;
	va_start(args, format);
	set_text(e, format, args);
	va_end(args);
	append(e, ": ", inner.text);
	return -1;
}
