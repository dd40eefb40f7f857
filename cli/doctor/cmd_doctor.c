/* SPDX-License-Identifier: MIT */
/* vmaffinity doctor: the checks in their order. */
#include "cli/command.h"
#include "cli/doctor/checks.h"
#include "cli/doctor/doctor.h"

static const struct {
	const char *name;
	void (*run)(struct doctor *);
} checks[] = {
	{"user", check_user},
	{"hook", check_hook},
	{"worker", check_worker},
	{"processes", check_processes},
	{"daemon", check_daemon},
	{"apparmor", check_apparmor},
	{"cpuset", check_cpuset},
	{"rules", check_the_rules},
	{"cpus", check_partition},
	{"exclusive", check_exclusive},
	{"guests", check_guests},
	{"kernel", check_kernel},
	{"neighbour", check_neighbours},
};
#define CHECKS (sizeof(checks) / sizeof(checks[0]))

static enum exit_status
run_doctor(const struct options *options)
{
	struct doctor doctor = {.options = options, .root = options->root};
	for (size_t i = 0; i < CHECKS; i++) {
		doctor.check = checks[i].name;
		checks[i].run(&doctor);
	}
	if (options->json)
		doctor_print_json(&doctor);
	else
		doctor_print_text(&doctor);
	return doctor_end(&doctor);
}

const struct command command_doctor = {
	.name = "doctor",
	.run = run_doctor,
	.options = OPTION_SYSROOT | OPTION_JSON | OPTION_QUIET,
	.summary = "check that the hook works and the host fits the rules",
	.help = "Usage: vmaffinity doctor [OPTION...]\n"
		"\n"
		"Checks that this host is set up so that guests are pinned, and says what to do\n"
		"where it is not. Changes nothing.\n"
		"\n"
		"      --sysroot DIR  read /etc, /proc, /run, /sys, /usr below DIR; run nothing\n"
		"      --json         one JSON object\n"
		"  -q, --quiet        print nothing to standard output\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0 if all is well, 1 for a WARN or a FAIL, 3 if it could not check.\n",
};
