/* SPDX-License-Identifier: MIT */
/* State that doctor's checks share: the findings, and facts that one check leaves for the next. */
#ifndef VMAFFINITY_CLI_DOCTOR_DOCTOR_H
#define VMAFFINITY_CLI_DOCTOR_DOCTOR_H

#include "cli/command.h"
#include "cli/daemon.h"

#include "pin/pin.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

enum doctor_level {
	DOCTOR_PASS,
	DOCTOR_NOTE, /* worth knowing; nothing is wrong */
	DOCTOR_WARN,
	DOCTOR_FAIL, /* guests are not pinned as the rules say, or will not be */
};

struct finding {
	const char *check;
	enum doctor_level level;
	char *text;
	char *remedy; /* NULL if there is nothing to do */
};

struct doctor {
	const struct options *options;
	int root;	   /* directory fd */
	const char *check; /* the name of the running check, for doctor_say() */
	struct finding *findings;
	size_t count;
	bool lost; /* there was no memory for a finding */

	/* Set by one check for those after it. */
	char worker[PATH_MAX];	      /* the path that our hook runs; "" if there is no hook */
	bool hooked;		      /* libvirt has a hook to run, ours or another */
	struct timespec hooked_since; /* the change time of the oldest hook; see check_daemon() */
	struct pin_host host;	      /* rules; none if there was an error in them */
	struct daemon_process *processes; /* daemons and neighbours: what check_processes() found */
	size_t process_count;
};

/* Adds a finding of the running check. */
void doctor_say(struct doctor *doctor, enum doctor_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Says what to do about the last finding. */
void doctor_advise(struct doctor *doctor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void doctor_print_text(const struct doctor *doctor);
void doctor_print_json(const struct doctor *doctor);

/* Frees all. Returns the exit status: EXIT_FINDINGS with a WARN or a FAIL. */
enum exit_status doctor_end(struct doctor *doctor);

#endif
