/* SPDX-License-Identifier: MIT */
/* What the commands of vmaffinity(8) share. */
#ifndef VMAFFINITY_CLI_COMMAND_H
#define VMAFFINITY_CLI_COMMAND_H

#include "base/messages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum exit_status {
	EXIT_OK = 0,
	EXIT_FINDINGS = 1, /* the answer is not "all is well" */
	EXIT_CANNOT = 2,   /* misuse, or the question could not be answered */
};

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
};

/* For words_max: any number of arguments. */
#define ARGUMENTS_ANY ((size_t)-1)

/* A command describes itself: main.c checks its options and prints its help by this. */
struct command {
	const char *name;
	enum exit_status (*run)(const struct options *options);
	int options;	     /* OPTION_ bits */
	size_t words_max;    /* most arguments that are no options */
	const char *words;   /* those arguments in the general help: "[GUEST...]"; may be NULL */
	const char *summary; /* one line of the general help */
	const char *help;    /* the text of --help */
};

extern const struct command command_plan, command_apply, command_status, command_map, command_check,
	command_doctor, command_watch, command_capture;

/* One line to stderr, "vmaffinity: ...", made safe for a terminal. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints text to stdout or stderr, made safe for a terminal. */
void print_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_error_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints each note as "LEVEL: TEXT", and how many there are that were not kept. */
void print_messages(FILE *stream, const struct messages *messages);

/* Whether stdout takes colours: a terminal, and NO_COLOR (no-color.org) is not set. */
bool wants_color(void);

/* After a complaint about how the program was called: says where help is. Returns EXIT_CANNOT. */
enum exit_status misuse(void);

/* A guest's XML, and where it is from, for messages that come before its name is known. */
struct guest_xml {
	const char *source;
	char *text;
	size_t length;
};

/* Reads a file of XML, "-" for stdin. Returns 0 (caller frees xml->text), or -1 after complaining.
 */
int read_xml(const char *path, struct guest_xml *xml);

#endif
