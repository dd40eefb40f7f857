/* SPDX-License-Identifier: MIT */
/* doctor's checks, in the order in which they build on one another. Each adds its findings. */
#ifndef VMAFFINITY_CLI_DOCTOR_CHECKS_H
#define VMAFFINITY_CLI_DOCTOR_CHECKS_H

#include "cli/doctor/doctor.h"

void check_user(struct doctor *doctor);
void check_hook(struct doctor *doctor);	     /* sets doctor->worker and the hook's age */
void check_worker(struct doctor *doctor);    /* after check_hook() */
void check_processes(struct doctor *doctor); /* sets doctor->processes */
void check_daemon(struct doctor *doctor);
void check_apparmor(struct doctor *doctor);
void check_cpuset(struct doctor *doctor);
void check_the_rules(struct doctor *doctor); /* sets doctor->host */
void check_partition(struct doctor *doctor);
void check_exclusive(struct doctor *doctor);
void check_guests(struct doctor *doctor); /* after check_the_rules() */
void check_kernel(struct doctor *doctor);
void check_neighbours(struct doctor *doctor);

#endif
