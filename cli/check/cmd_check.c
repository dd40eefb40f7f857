/* SPDX-License-Identifier: MIT */
#include "cli/capture/snapshot_read.h"
#include "cli/check/report.h"
#include "cli/command.h"
#include "cli/guests.h"
#include "cli/json.h"

#include "guest/domain_pins.h"
#include "lint/lint.h"
#include "pin/pin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	const struct options *options;
	struct pin_host host;
	struct report findings;
	struct guest_xml *guests;
	size_t guest_count;
	size_t understood; /* guests whose XML has a name, at least */
};

/* Pins in the guest's own XML which disagree with a rule: one finding for each line of the rules.
 */
static void
find_pins(const struct pin *pin, const struct domain_pins *pins, struct messages *messages)
{
	const struct setting *last = NULL;
	for (size_t i = 0; i < pin->plan.step_count; i++) {
		const struct plan_step *step = &pin->plan.steps[i];
		const struct cpumask *own = domain_pins_find(pins, step->group);
		if (step->cpus == NULL || own == NULL || step->setting == last ||
			cpumask_equal(own, step->cpus))
			continue;
		last = step->setting;
		char name[THREAD_GROUP_NAME_MAX], xml[128], rule[128];
		messages_add(messages, MESSAGE_WARNING,
			"%s:%u: guest '%s': its XML pins %s to CPUs %s, this rule to %s; the rule "
			"wins, but virsh goes on to show the XML's: take the pins out of the XML",
			step->setting->value.file, step->setting->value.line, pin->domain.name,
			thread_group_name(step->group, name), cpumask_format(own, xml, sizeof(xml)),
			cpumask_format(step->cpus, rule, sizeof(rule)));
	}
}

/* What the hook would say of a guest, and what it would not. */
static void
check_guest(struct check *check, const struct guest_xml *xml, struct lint *lint, const char *host)
{
	struct pin pin;
	struct domain_pins pins = {0};
	struct messages messages = {0};
	struct err e;
	int r = pin_prepare(&pin, &check->host, xml->text, xml->length, NULL, PIN_SHOW, &e);
	if (r == 0 && (r = domain_parse_pins(xml->text, xml->length, &pins, &e)) == 0)
		find_pins(&pin, &pins, &messages);
	if (r < 0)
		messages_add(&messages, MESSAGE_ERROR, "%s%s%s",
			pin.domain.name == NULL ? xml->source : "",
			pin.domain.name == NULL ? ": " : "", e.text);
	if (pin.domain.name != NULL &&
		lint_guest(lint, &pin.domain, &pin.matched, &pin.desired, pin.running, &e) != 0)
		messages_add(&messages, MESSAGE_ERROR, "%s", e.text);
	report_add(&check->findings, &pin.messages, pin.domain.name, host);
	report_add(&check->findings, &messages, r < 0 ? pin.domain.name : NULL, host);
	messages_free(&messages);
	domain_pins_free(&pins);
	pin_free(&pin);
}

/* All that depends on a host, below root. name: of the file that it came from, or NULL. */
static void
check_host(struct check *check, int root, const char *name)
{
	struct lint lint;
	struct lint_limit limit;
	struct messages messages = {0};
	struct err e;
	pin_host_change(&check->host, root);
	if (lint_start(&lint, &check->host.expr, &messages) != 0) {
		messages_add(&messages, MESSAGE_ERROR, "out of memory");
	} else {
		for (size_t i = 0; i < check->guest_count; i++)
			check_guest(check, &check->guests[i], &lint, name);
		check->understood = lint.guest_count;
		/* Where no cgroups are, nothing limits the guests. */
		bool limited = cgroup_partition(root, &limit.name, &limit.granted, &e) == 0;
		if (lint_finish(&lint, limited ? &limit : NULL, &e) != 0)
			messages_add(&messages, MESSAGE_ERROR, "%s", e.text);
	}
	report_add(&check->findings, &messages, NULL, name);
	messages_free(&messages);
	lint_free(&lint);
}

/* Returns -1 if a host could not be read. */
static int
check_hosts(struct check *check)
{
	const struct options *options = check->options;
	int r = 0;
	if (options->against_count == 0)
		check_host(check, options->root, NULL);
	for (size_t i = 0; i < options->against_count; i++) {
		struct snapshot_tree host;
		struct err e;
		if (snapshot_open(options->against[i], &host, &e) == 0) {
			check_host(check, host.root, options->against[i]);
			snapshot_close(&host);
		} else {
			complain("%s", e.text);
			r = -1;
		}
	}
	return r;
}

/* Makes room for count guests more. */
static int
reserve(struct check *check, size_t count, struct err *e)
{
	struct guest_xml *larger =
		reallocarray(check->guests, check->guest_count + count + 1, sizeof(*larger));
	if (larger == NULL)
		return err_set(e, "out of memory");
	check->guests = larger;
	return 0;
}

/* The guests that libvirt knows. Returns -1, after complaining if it was named, if it cannot be
 * asked. */
static int
read_known(struct check *check)
{
	const char *uri = check->options->connect;
	struct virt virt;
	struct err e;
	int r = virt_open(&virt, uri, &e);
	if (r == 0)
		r = virt_list(&virt, false, &e);
	if (r == 0)
		r = reserve(check, virt.count, &e);
	for (size_t i = 0; i < virt.count && r >= 0; i++) {
		struct guest_xml xml = {.source = "libvirt"};
		r = virt_xml(&virt.guests[i], &xml.text, &e);
		if (r != 0)
			continue;
		xml.length = strlen(xml.text);
		check->guests[check->guest_count++] = xml;
	}
	if (r < 0 && uri != NULL)
		complain("%s", e.text);
	virt_close(&virt);
	return r < 0 ? -1 : 0;
}

/* Returns -1, after a complaint, if a guest that was asked for could not be read. */
static int
read_guests(struct check *check)
{
	const struct options *options = check->options;
	bool this_host = options->xml_count == 0 && options->word_count == 0 &&
			 options->config == NULL && options->sysroot == NULL &&
			 options->against_count == 0;
	struct err e;
	int r = 0;
	if (reserve(check, options->xml_count, &e) != 0) {
		complain("%s", e.text);
		return -1;
	}
	for (size_t i = 0; i < options->xml_count; i++)
		if (read_xml(options->xml[i], &check->guests[check->guest_count]) == 0)
			check->guest_count++;
		else
			r = -1;
	if ((this_host || options->connect != NULL) && read_known(check) != 0 &&
		options->connect != NULL)
		r = -1;
	return r;
}

static void
free_guests(struct check *check)
{
	for (size_t i = 0; i < check->guest_count; i++)
		free(check->guests[i].text);
	free(check->guests);
}

static void
print_json(const struct check *check, const struct messages *messages)
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

/* Returns whether there was anything. */
static bool
print_findings(struct check *check)
{
	const struct rules *rules = &check->host.rules;
	struct messages messages = {0};
	report_flush(&check->findings, rules->files, rules->file_count, &messages);
	if (check->options->json)
		print_json(check, &messages);
	else
		print_messages(stdout, &messages);
	bool found = messages.count + messages.dropped > 0;
	messages_free(&messages);
	return found;
}

static enum exit_status
run_check(const struct options *options)
{
	struct check check = {.options = options};
	struct messages messages = {0};
	int r = 0;
	if (options->config != NULL && options->word_count > 0) {
		complain("check: FILE and --config exclude each other");
		return misuse();
	}
	const char *const *files =
		options->config != NULL ? &options->config : (const char *const *)options->words;
	size_t count = options->config != NULL ? 1 : options->word_count;
	bool good = pin_host_load(&check.host, options->root, files, count, &messages) == 0;
	if (good)
		lint_rules(&check.host.rules, &messages);
	report_add(&check.findings, &messages, NULL, NULL);
	messages_free(&messages);
	if (good && ((r = read_guests(&check)) == 0 || check.guest_count > 0) &&
		check_hosts(&check) != 0)
		r = -1;
	bool found = print_findings(&check);
	free_guests(&check);
	report_free(&check.findings);
	pin_host_free(&check.host);
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
