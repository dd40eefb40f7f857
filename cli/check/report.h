/* What check finds, on several hosts and for several guests: said once for all that it is true of.
 */
#ifndef VMAFFINITY_CLI_FINDINGS_H
#define VMAFFINITY_CLI_FINDINGS_H

#include "base/messages.h"

#include <stddef.h>

struct finding_note {
	enum note_level level;
	char *text;
	char *where; /* "guest 'web-1' on rack1.txt", or NULL */
	size_t more; /* in how many places besides */
	size_t file; /* among the files of the rules, counted from 1; 0 if it is in none */
	unsigned line;
	size_t number; /* in the order in which they were found */
};

/* Zero-initialised is empty. */
struct findings {
	struct finding_note *items;
	size_t count;
	size_t dropped; /* no memory for them */
};

/* Takes the warnings and errors among notes. guest and host may be NULL. */
void findings_take(
	struct findings *findings, const struct notes *notes, const char *guest, const char *host);

/* Adds all to notes, sorted by the FILE:LINE in front of each text, FILE in the order of files. */
void findings_tell(
	struct findings *findings, char *const files[], size_t count, struct notes *notes);

void findings_free(struct findings *findings);

#endif
