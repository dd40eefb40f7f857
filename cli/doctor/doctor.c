/* SPDX-License-Identifier: MIT */
/* The findings of doctor's checks: how they are added and printed. */
#include "cli/doctor/doctor.h"

#include "cli/json.h"

#include "base/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

void
doctor_print_text(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++) {
		const struct finding *f = &doctor->findings[i];
		print_line("%s  %-9s  %s", level_name(f->level), f->check, f->text);
		if (f->remedy != NULL)
			print_line("%17s%s", "-> ", f->remedy);
	}
}

void
doctor_print_json(const struct doctor *doctor)
{
	json_object *object = json_document(), *findings = json_object_new_array();
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

enum exit_status
doctor_end(struct doctor *doctor)
{
	enum exit_status status = EXIT_OK;
	for (size_t i = 0; i < doctor->count; i++) {
		if (doctor->findings[i].level >= DOCTOR_WARN)
			status = EXIT_FINDINGS;
		free(doctor->findings[i].text);
		free(doctor->findings[i].remedy);
	}
	free(doctor->findings);
	free(doctor->processes);
	pin_host_free(&doctor->host);
	if (!doctor->lost)
		return status;
	complain("out of memory");
	return EXIT_CANNOT;
}
