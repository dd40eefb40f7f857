/* SPDX-License-Identifier: MIT */
#include "base/array.h"
#include "cli/doctor/doctor.h"
#include "cli/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
	const char *name;
	void (*run)(struct doctor *);
} checks[] = {
	{"hook", check_hook},
	{"worker", check_worker},
	{"processes", check_processes},
	{"daemon", check_daemon},
	{"apparmor", check_apparmor},
	{"cpuset", check_cpuset},
	{"rules", check_the_rules},
	{"cpus", check_partition},
	{"kernel", check_kernel},
	{"neighbour", check_neighbours},
};
#define CHECKS (sizeof(checks) / sizeof(checks[0]))

static const char *
level_name(enum doctor_level level)
{
	switch (level) {
	case DOCTOR_PASS:
		return "PASS";
	case DOCTOR_NOTE:
		return "NOTE";
	case DOCTOR_WARN:
		return "WARN";
	case DOCTOR_FAIL:
		return "FAIL";
	}
	return "?";
}

void
doctor_say(struct doctor *doctor, enum doctor_level level, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	struct finding *larger =
		text != NULL ? array_grow(doctor->findings, doctor->count, sizeof(*larger)) : NULL;
	if (larger == NULL) {
		free(text);
		doctor->lost = true;
		return;
	}
	doctor->findings = larger;
	larger[doctor->count++] =
		(struct finding){.check = doctor->check, .level = level, .text = text};
}

void
doctor_advise(struct doctor *doctor, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	if (doctor->lost)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	doctor->lost |= text == NULL;
	doctor->findings[doctor->count - 1].remedy = text;
}

static void
print_text(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++) {
		const struct finding *f = &doctor->findings[i];
		print_line("%s  %-9s  %s", level_name(f->level), f->check, f->text);
		if (f->remedy != NULL)
			print_line("%17s%s", "-> ", f->remedy);
	}
}

static void
print_json(const struct doctor *doctor)
{
	json_object *object = json_object_new_object(), *findings = json_object_new_array();
	for (size_t i = 0; i < doctor->count; i++) {
		const struct finding *f = &doctor->findings[i];
		json_object *one = json_object_new_object();
		json_object_object_add(one, "level", json_object_new_string(level_name(f->level)));
		json_object_object_add(one, "check", json_object_new_string(f->check));
		json_object_object_add(one, "text", json_text(f->text));
		json_object_object_add(
			one, "remedy", f->remedy != NULL ? json_text(f->remedy) : NULL);
		json_object_array_add(findings, one);
	}
	json_object_object_add(object, "findings", findings);
	json_print(object);
}

static enum exit_status
run_doctor(const struct options *options)
{
	struct doctor doctor = {.options = options, .root = options->root};
	enum exit_status status = EXIT_OK;
	for (size_t i = 0; i < CHECKS; i++) {
		doctor.check = checks[i].name;
		checks[i].run(&doctor);
	}
	if (options->json)
		print_json(&doctor);
	else
		print_text(&doctor);
	for (size_t i = 0; i < doctor.count; i++) {
		if (doctor.findings[i].level >= DOCTOR_WARN)
			status = EXIT_FINDINGS;
		free(doctor.findings[i].text);
		free(doctor.findings[i].remedy);
	}
	free(doctor.findings);
	free(doctor.processes);
	pin_host_free(&doctor.host);
	if (doctor.lost) {
		complain("out of memory");
		return EXIT_CANNOT;
	}
	return status;
}

const struct command command_doctor = {
	.name = "doctor",
	.run = run_doctor,
	.options = OPTION_SYSROOT | OPTION_JSON,
	.summary = "check that the hook works and the host fits the rules",
	.help = "Usage: vmaffinity doctor [OPTION...]\n"
		"\n"
		"Checks that this host is set up so that guests are pinned, and says what to do\n"
		"where it is not. Changes nothing.\n"
		"\n"
		"      --sysroot DIR  read /etc, /proc, /run, /sys, /usr below DIR; run nothing\n"
		"      --json         one JSON object\n"
		"      --help         this text\n"
		"\n"
		"Exit status: 0 if all is well, 1 for a WARN or a FAIL, 2 if it could not check.\n",
};
