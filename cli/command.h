/* SPDX-License-Identifier: MIT */
/* The commands of vmaffinity(8): their options, their description, and how they print. */
#ifndef VMAFFINITY_CLI_COMMAND_H
#define VMAFFINITY_CLI_COMMAND_H

#include "base/messages.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One scale for all commands. Where several are true, it is the highest. */
enum exit_status {
	EXIT_OK = 0,
	EXIT_FINDINGS =
		1, /* something to report: a warning, drift, a guest that could not be pinned */
	EXIT_WRONG = 2,	 /* an error in the rules, or in the command line */
	EXIT_CANNOT = 3, /* what was asked about could not be looked at */
};

/* The command line. Its strings are those of argv. */
struct options {
	const char *config;  /* --config, or NULL */
	const char *sysroot; /* --sysroot, or NULL */
	const char *connect; /* --connect, or NULL */
	const char *svg;     /* --svg, or NULL */
	char **xml;	     /* --xml, each a path */
	size_t xml_count;
	char **against; /* --against, each a path */
	size_t against_count;
	bool json;    /* --json */
	bool all;     /* --all */
	bool verbose; /* --verbose */
	bool wide;    /* --wide */
	bool metrics; /* --metrics */
	bool nagios;  /* --nagios */
	bool dry_run; /* --dry-run */
	char **words; /* the arguments after the command that are no options */
	size_t word_count;
	int root; /* fd of --sysroot, or of / */
};

/* Options that a command may take, each a bit; 1 << 0 is NO_OPTION. All take --help. */
enum {
	OPTION_SYSROOT = 1 << 1,
	OPTION_CONNECT = 1 << 2,
	OPTION_XML = 1 << 3,
	OPTION_JSON = 1 << 4,
	OPTION_HELP = 1 << 5,
	OPTION_VERSION = 1 << 6,
	OPTION_ALL = 1 << 7,
	OPTION_CONFIG = 1 << 8,
	OPTION_AGAINST = 1 << 9,
	OPTION_SVG = 1 << 10,
	OPTION_VERBOSE = 1 << 11,
	OPTION_WIDE = 1 << 12,
	OPTION_METRICS = 1 << 13,
	OPTION_NAGIOS = 1 << 14,
	OPTION_DRY_RUN = 1 << 15,
	OPTION_QUIET = 1 << 16,
};

/* For words_max: any number of arguments. */
#define ARGUMENTS_ANY ((size_t)-1)

/* A command describes itself: main.c checks its options and prints its help by this. */
struct command {
	const char *name;
	enum exit_status (*run)(const struct options *options);
	int options;	     /* OPTION_ bits */
	bool many_hosts;     /* --against takes several host files */
	bool needs_root;     /* it changes guests */
	size_t words_max;    /* most arguments that are no options */
	const char *words;   /* those arguments in the general help: "[GUEST...]"; may be NULL */
	const char *summary; /* one line of the general help */
	const char *help;    /* the text of --help */
};

extern const struct command command_plan, command_apply, command_release, command_status,
	command_map, command_check, command_doctor, command_watch, command_capture, command_import,
	command_enable, command_disable, command_record;

/*
 * Prints one line: to stderr after "vmaffinity: ", to stdout, to stderr. Whatever a terminal would
 * obey is escaped; the format needs no newline.
 */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_error_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints one line, after a prefix that is not escaped, as those functions do. */
void print_safely(FILE *stream, const char *prefix, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));

/* Prints each message as "LEVEL: TEXT" to stdout or stderr, and last how many were dropped. */
void print_messages(FILE *stream, const struct messages *messages);

/*
 * Prints text in lines of at most so many bytes, which begin with next but for the first, of which
 * used bytes are taken. A line ends after the character given, or is longer if that comes too late;
 * a blank after it is dropped there.
 */
void print_broken(
	FILE *out, const char *text, char after, size_t used, size_t most, const char *next);

/* Returns the columns of the terminal that stdout is, or 0 if it is none. */
unsigned terminal_width(void);

/* True if stdout takes colours: it is a terminal, and NO_COLOR (no-color.org) is not set. */
bool wants_color(void);

/*
 * Says where a command's help is, or with NULL the general help, after a complaint about the
 * command line. Returns EXIT_WRONG.
 */
enum exit_status misuse(const struct command *command);

#endif
