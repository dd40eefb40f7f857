/* SPDX-License-Identifier: MIT */
#include "cli/watch/say.h"

#include "cli/command.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

/* True if stderr is the stream to the journal that $JOURNAL_STREAM names: "DEVICE:INODE". */
static bool
is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;
	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}

void
watch_say(enum message_level level, const char *format, ...)
{
	char prefix[8] = "";
	va_list args;
	if (level > MESSAGE_INFO && is_journal())
		snprintf(prefix, sizeof(prefix), "<%d>",
			level == MESSAGE_ERROR ? LOG_ERR : LOG_WARNING);
	va_start(args, format);
	print_safely(level > MESSAGE_INFO ? stderr : stdout, prefix, format, args);
	va_end(args);
}
