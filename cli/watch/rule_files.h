/* SPDX-License-Identifier: MIT */
/* Notices changes of the rules' files. */
#ifndef VMAFFINITY_CLI_WATCH_RULE_FILES_H
#define VMAFFINITY_CLI_WATCH_RULE_FILES_H

#include "base/err.h"

#include <stdbool.h>

struct rule_files {
	int inotify;	    /* readable after a change; the caller closes it */
	int root;	    /* directory fd of the standard places */
	const char *config; /* the only file; NULL: the files in the standard places */
	int main, more;	    /* watches of the main file's directory and of the other files' */
};

/* Begins to watch. Returns 0, or -1 with the reason. */
int rule_files_open(struct rule_files *files, int root, const char *config, struct err *e);

/*
 * Watches the directories that are in their places now: one may have been replaced. Returns 0, or
 * -1 if there is no directory for the main file.
 */
int rule_files_follow(struct rule_files *files);

/* Reads the events. Returns true if the rules may have changed. */
bool rule_files_changed(struct rule_files *files);

#endif
