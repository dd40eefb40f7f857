/* SPDX-License-Identifier: MIT */
/* vmaffinity check: finds errors in the rules, and what is not as it seems. */
#include "cli/check/check.h"
#include "cli/json.h"

static void
print_check_json(const struct check *check, const struct messages *messages)
{
	const struct rules *rules = &check->host.rules;
	json_object *object = json_object_new_object(), *files = json_object_new_array();
	for (size_t i = 0; i < rules->file_count; i++)
		json_object_array_add(files, json_text(rules->files[i]));
	json_object_object_add(object, "files", files);
	json_object_object_add(object, "rules", json_object_new_int64((int64_t)rules->rule_count));
	json_object_object_add(object, "guests", json_object_new_int64((int64_t)check->understood));
	json_object_object_add(object, "findings", json_messages(messages));
	json_print(object);
}

/* Prints the findings. Returns true if there was one. */
static bool
print_findings(struct check *check)
{
	const struct rules *rules = &check->host.rules;
	struct messages messages = {0};
	report_flush(&check->findings, rules->files, rules->file_count, &messages);
	if (check->options->json)
		print_check_json(check, &messages);
	else
		print_messages(stdout, &messages);
	bool found = messages.count + messages.dropped > 0;
	messages_free(&messages);
	return found;
}

static enum exit_status
run_check(const struct options *options)
{
	struct check check;
	if (options->config != NULL && options->word_count > 0) {
		complain("check: FILE and --config exclude each other");
		return misuse();
	}
	int r = check_run(&check, options);
	bool found = print_findings(&check);
	check_free(&check);
	return r != 0 ? EXIT_CANNOT : found ? EXIT_FINDINGS : EXIT_OK;
}

const struct command command_check = {
	.name = "check",
	.run = run_check,
	.options = OPTION_CONFIG | OPTION_SYSROOT | OPTION_CONNECT | OPTION_XML | OPTION_AGAINST |
		   OPTION_JSON,
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
		"      --config FILE  the same as FILE\n"
		"      --sysroot DIR  read /etc, /proc, /run and /sys below DIR\n"
		"      --connect URI  the libvirt daemon (qemu:///system)\n"
		"      --json         one JSON object\n"
		"      --help         this text\n"
		"\n"
		"Exit status: 0 if nothing was found, 1 for a finding, 2 if it could not check.\n",
};
