/* SPDX-License-Identifier: MIT */
/* The place in the rules that a message begins with: "/etc/vmaffinity.ini:4:9: ...". */
#ifndef VMAFFINITY_CLI_PLACE_H
#define VMAFFINITY_CLI_PLACE_H

#include <stddef.h>

struct place {
	size_t file;	       /* 1 for the first of the files; 0: the message names none */
	unsigned line, column; /* 0: none */
	const char *text;      /* the message after that place */
};

/* Finds the place in a message about one of these files, of which one name may begin another. */
struct place place_find(const char *message, char *const files[], size_t count);

#endif
