/* SPDX-License-Identifier: MIT */
/* What doctor's checks are made with. */
#ifndef VMAFFINITY_CLI_DOCTOR_DOCTOR_H
#define VMAFFINITY_CLI_DOCTOR_DOCTOR_H

#include "cli/command.h"

#include "pin/pin.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <time.h>

enum doctor_level {
	DOCTOR_PASS,
	DOCTOR_NOTE, /* good to know; nothing is wrong */
	DOCTOR_WARN,
	DOCTOR_FAIL, /* guests are not pinned as the rules say, or will not be */
};

struct finding {
	const char *check;
	enum doctor_level level;
	char *text;
	char *remedy; /* NULL if there is nothing to do */
};

/* A process whose name is one that a check asked for. */
struct host_process {
	pid_t pid;
	char name[16]; /* /proc/PID/comm: TASK_COMM_LEN with the NUL */
};

struct doctor {
	const struct options *options;
	int root;	   /* directory fd */
	const char *check; /* the one that runs, for doctor_say() */
	struct finding *findings;
	size_t count;
	bool lost; /* a finding for which there was no memory */

	/* What one check found out for those behind it. */
	char worker[PATH_MAX];		/* that the hook in place runs; "" if there is none */
	bool hooked;			/* libvirt has something to run */
	struct timespec hooked_since;	/* for all that is known; see check_daemon() */
	struct pin_host host;		/* its rules are without errors, or none */
	struct host_process *processes; /* those that check_processes() looks for */
	size_t process_count;
};

/* Adds a finding of the check that runs. */
void doctor_say(struct doctor *doctor, enum doctor_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* What to do about the finding that was added last. */
void doctor_advise(struct doctor *doctor, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Whether that is libvirt's daemon with the QEMU driver in it. */
bool doctor_is_daemon(const char *name);

/* The checks, in the order in which they stand on one another. */
void check_hook(struct doctor *doctor);
void check_worker(struct doctor *doctor);
void check_processes(struct doctor *doctor);
void check_daemon(struct doctor *doctor);
void check_apparmor(struct doctor *doctor);
void check_cpuset(struct doctor *doctor);
void check_the_rules(struct doctor *doctor);
void check_partition(struct doctor *doctor);
void check_kernel(struct doctor *doctor);
void check_neighbours(struct doctor *doctor);

#endif
