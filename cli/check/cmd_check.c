/* SPDX-License-Identifier: MIT */
/* vmaffinity check: finds errors in the rules, and what is not as it seems. */
#include "cli/check/check.h"
#include "cli/json.h"

static json_object *
json_where(const struct report_entry *finding)
{
	json_object *array = json_object_new_array();
	for (size_t i = 0; i < finding->place_count; i++) {
		const struct report_place *place = &finding->places[i];
		json_object *one = json_object_new_object();
		json_object_object_add(one, "guest",
			place->guest != NULL ? json_object_new_string(place->guest) : NULL);
		json_object_object_add(
			one, "host", place->host != NULL ? json_text(place->host) : NULL);
		json_object_array_add(array, one);
	}
	return array;
}

static void
print_check_json(const struct check *check)
{
	const struct rules *rules = &check->host.rules;
	json_object *object = json_document(), *files = json_object_new_array(),
		    *findings = json_object_new_array();
	for (size_t i = 0; i < rules->file_count; i++)
		json_object_array_add(files, json_text(rules->files[i]));
	for (size_t i = 0; i < check->findings.count; i++) {
		const struct report_entry *finding = &check->findings.items[i];
		json_object *one =
			json_message(finding->level, finding->code, &finding->place, rules->files);
		json_object_object_add(one, "where", json_where(finding));
		json_object_array_add(findings, one);
	}
	json_object_object_add(object, "files", files);
	json_object_object_add(object, "rules", json_object_new_int64((int64_t)rules->rule_count));
	json_object_object_add(object, "hosts", json_object_new_int64((int64_t)check->host_count));
	json_object_object_add(object, "guests", json_object_new_int64((int64_t)check->understood));
	json_object_object_add(object, "findings", findings);
	json_print(object);
}

/* Formats "no file", "1 file", "2 files". */
static void
count_text(size_t count, const char *what, char *out, size_t size)
{
	if (count == 0)
		snprintf(out, size, "no %s", what);
	else
		snprintf(out, size, "%zu %s%s", count, what, count == 1 ? "" : "s");
}

/* Prints what was looked at, and how much was found. If nothing was, stderr says why. */
static void
print_extent(const struct check *check, size_t error_count)
{
	char files[32], hosts[32], guests[64], errors[32], warnings[32];
	size_t others = check->findings.count + check->findings.dropped - error_count;
	count_text(check->host.rules.file_count, "file", files, sizeof(files));
	count_text(error_count, "error", errors, sizeof(errors));
	count_text(others, "warning", warnings, sizeof(warnings));
	if (check->rules_wrong) {
		print_line("looked at %s: %s; hosts and guests are looked at once there is none",
			files, errors);
		return;
	}
	if (check->host_count == 0)
		return;
	count_text(check->host_count, "host", hosts, sizeof(hosts));
	if (check->understood > 0)
		count_text(check->understood, "guest", guests, sizeof(guests));
	else
		snprintf(guests, sizeof(guests), "no guest (%s)", check->no_guest);
	print_line("looked at %s, %s, %s: %s%s%s", files, hosts, guests,
		error_count > 0 ? errors : "", error_count > 0 && others > 0 ? ", " : "",
		others > 0	  ? warnings
		: error_count > 0 ? ""
				  : "nothing found");
}

/* Prints the findings, and returns the exit status for them. */
static enum exit_status
print_findings(struct check *check)
{
	const struct rules *rules = &check->host.rules;
	report_sort(&check->findings, rules->files, rules->file_count);
	size_t errors = report_errors(&check->findings);
	if (check->options->json) {
		print_check_json(check);
	} else {
		report_print(&check->findings);
		print_extent(check, errors);
	}
	return errors > 0					     ? EXIT_WRONG
	       : check->findings.count + check->findings.dropped > 0 ? EXIT_FINDINGS
								     : EXIT_OK;
}

static enum exit_status
run_check(const struct options *options)
{
	struct check check;
	if (options->config != NULL && options->word_count > 0) {
		complain("check: FILE and --config exclude each other");
		return misuse(&command_check);
	}
	int r = check_run(&check, options);
	enum exit_status status = print_findings(&check);
	check_free(&check);
	return r != 0 ? EXIT_CANNOT : status;
}

const struct command command_check = {
	.name = "check",
	.run = run_check,
	.options = OPTION_CONFIG | OPTION_SYSROOT | OPTION_CONNECT | OPTION_XML | OPTION_AGAINST |
		   OPTION_JSON | OPTION_QUIET,
	.many_hosts = true,
	.words_max = ARGUMENTS_ANY,
	.words = "[FILE...]",
	.summary = "list errors in the rules, and what is not as it seems",
	.help = "Usage: vmaffinity check [OPTION...] [FILE...]\n"
		"       vmaffinity check [OPTION...] [FILE...] --against HOSTFILE...\n"
		"\n"
		"Lists every error in the rules, and every rule that is valid but does not do\n"
		"what it seems to.\n"
		"FILE: the rules; without it, /etc/vmaffinity.ini and /etc/vmaffinity.d.\n"
		"\n"
		"      --xml FILE     check the rules for this guest, too; may be repeated.\n"
		"                     Without --xml and FILE, every guest that libvirt knows is\n"
		"                     checked, if its daemon answers\n"
		"      --against HOSTFILE  check for the host that 'vmaffinity capture' wrote to\n"
		"                     HOSTFILE, not for this one; more host files may follow\n"
		"  -c, --config FILE  the same as FILE\n"
		"      --sysroot DIR  read /etc, /proc, /run and /sys below DIR\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --json         one JSON object\n"
		"  -q, --quiet        print nothing to standard output\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0 nothing found, 1 warnings, 2 errors, 3 not all was looked at.\n",
};
