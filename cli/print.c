/* SPDX-License-Identifier: MIT */
/* Prints for people: one line at a time, and nothing that a terminal would obey. */
#include "cli/command.h"

#include "base/escape.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void
print_safely(FILE *stream, const char *prefix, const char *format, va_list args)
{
	char *text, *safe = NULL;
	if (vasprintf(&text, format, args) < 0)
		return;
	size_t size = 4 * strlen(text) + 4;
	if ((safe = malloc(size)) != NULL)
		fprintf(stream, "%s%s\n", prefix, escape_unprintable(safe, size, text));
	free(safe);
	free(text);
}

void
print_line(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print_safely(stdout, "", format, args);
	va_end(args);
}

void
print_error_line(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print_safely(stderr, "", format, args);
	va_end(args);
}

void
print_messages(FILE *stream, const struct messages *messages)
{
	void (*print)(const char *, ...) = stream == stderr ? print_error_line : print_line;
	for (size_t i = 0; i < messages->count; i++)
		print("%s: %s", message_level_name(messages->items[i].level),
			messages->items[i].text);
	if (messages->dropped > 0)
		print("and %zu more", messages->dropped);
}

void
complain(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print_safely(stderr, "vmaffinity: ", format, args);
	va_end(args);
}

enum exit_status
misuse(const struct command *command)
{
	fprintf(stderr, "Try 'vmaffinity%s%s --help'\n", command != NULL ? " " : "",
		command != NULL ? command->name : "");
	return EXIT_WRONG;
}

void
print_broken(FILE *out, const char *text, char after, size_t used, size_t most, const char *next)
{
	while (text[0] != '\0') {
		const char *end = strchr(text, after);
		size_t piece = end != NULL ? (size_t)(end + 1 - text) : strlen(text);
		if (used > 0 && used + piece > most) {
			size_t blank = text[0] == ' ';
			fputs(next, out);
			text += blank;
			piece -= blank;
			used = 0;
		}
		fprintf(out, "%.*s", (int)piece, text);
		text += piece;
		used += piece;
	}
}

unsigned
terminal_width(void)
{
	struct winsize size;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool
wants_color(void)
{
	const char *no = getenv("NO_COLOR");
	return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0');
}
