/* SPDX-License-Identifier: MIT */
/* Prints the lines of watch. */
#ifndef VMAFFINITY_CLI_WATCH_SAY_H
#define VMAFFINITY_CLI_WATCH_SAY_H

#include "base/messages.h"

/*
 * Prints a line: to stdout up to MESSAGE_INFO, to stderr above. Where stderr is systemd's journal,
 * a line on stderr begins with its priority: "<4>" for a warning, "<3>" for an error (sd-daemon(3);
 * systemd.exec(5), $JOURNAL_STREAM).
 */
void watch_say(enum message_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
