/* SPDX-License-Identifier: MIT */
#include "cli/no_guests.h"

#include "cli/json.h"

static void
print_document(const char *why, const struct messages *messages, const struct rules *rules)
{
	json_object *object = json_document();
	json_object_object_add(object, "error", json_text(why));
	json_object_object_add(object, "guests", json_object_new_array());
	json_object_object_add(object, "notes",
		messages != NULL ? json_messages(messages, rules) : json_object_new_array());
	json_print(object);
}

void
no_guests_print_metric(bool success)
{
	printf("# HELP vmaffinity_status_success Whether the guests could be asked for.\n"
	       "# TYPE vmaffinity_status_success gauge\n"
	       "vmaffinity_status_success %d\n",
		success);
}

void
no_guests_print(const struct options *options, enum exit_status status, const char *why,
	const struct messages *messages, const struct rules *rules)
{
	if (options->json)
		print_document(why, messages, rules);
	else if (options->metrics)
		no_guests_print_metric(false);
	else if (options->nagios)
		print_line(
			"VMAFFINITY %s - %s", status == EXIT_WRONG ? "CRITICAL" : "UNKNOWN", why);
}
