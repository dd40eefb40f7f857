#include "cli.h"
#include "json.h"
#include "virt.h"

#include "../engine/pin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	const struct options *options;
	struct pin_host host;
	struct notes findings;
	bool *matched; /* a guest, for each of host.rules.rules */
	size_t guests; /* how many were looked at */
};

/*
 * An exclusion is taken away at the end; who knows libvirt's lists expects it to count from where
 * it stands.
 */
static void
check_order(struct check *check, const struct value *value)
{
	size_t offset, length;
	char place[VALUE_PLACE_MAX];
	if (cpuexpr_exclusion_first(value->text, &offset, &length))
		notes_add(&check->findings, NOTE_WARNING,
			"%s: '%.*s' stands before CPUs that it does not seem to touch, yet it is "
			"taken away from "
			"all of them; write it last",
			value_place(value, offset, place), (int)length, value->text + offset);
}

static bool
is_for_every_guest(const struct rule *rule)
{
	return strcmp(rule->match.text != NULL ? rule->match.text : rule->section, "*") == 0;
}

/* For each kind of group, the last line that sets it for every guest: no earlier one ever counts.
 */
struct overrides {
	const struct setting *setting[GROUP_IOTHREAD + 1];
	size_t rule[GROUP_IOTHREAD + 1];
};

static void
find_overrides(const struct rules *rules, struct overrides *overrides)
{
	*overrides = (struct overrides){0};
	for (size_t i = 0; i < rules->rule_count; i++)
		for (size_t j = 0; j < rules->rules[i].setting_count; j++) {
			const struct setting *s = &rules->rules[i].settings[j];
			if (!s->every || !is_for_every_guest(&rules->rules[i]))
				continue;
			overrides->setting[s->kind] = s;
			overrides->rule[s->kind] = i;
		}
}

static void
check_rule(struct check *check, size_t index, const struct overrides *overrides)
{
	const struct rule *rule = &check->host.rules.rules[index];
	for (size_t i = 0; i < rule->setting_count; i++) {
		const struct setting *s = &rule->settings[i];
		const struct setting *override = overrides->setting[s->kind];
		char key[SETTING_KEY_MAX], other[SETTING_KEY_MAX];
		if (!setting_is_keep(s))
			check_order(check, &s->value);
		if (override != NULL && overrides->rule[s->kind] > index)
			notes_add(&check->findings, NOTE_WARNING,
				"%s:%u: %s never counts: %s:%u sets %s for every guest, and comes "
				"later; write "
				"what is for every guest first",
				s->value.file, s->value.line, setting_key(s, key),
				override->value.file, override->value.line,
				setting_key(override, other));
	}
}

static void
check_rules(struct check *check)
{
	for (size_t i = 0; i < check->host.rules.set_count; i++)
		check_order(check, &check->host.rules.sets[i].value);
	struct overrides overrides;
	find_overrides(&check->host.rules, &overrides);
	for (size_t i = 0; i < check->host.rules.rule_count; i++)
		check_rule(check, i, &overrides);
}

/* Pins in the guest's own XML which disagree with a rule: one finding for each line of the rules.
 */
static void
check_pins(struct check *check, const struct pin *pin, const struct domain_pins *pins)
{
	const struct setting *last = NULL;
	for (size_t i = 0; i < pin->plan.step_count; i++) {
		const struct plan_step *step = &pin->plan.steps[i];
		const struct cpumask *own = domain_pins_find(pins, step->group);
		if (step->cpus == NULL || own == NULL || step->setting == last ||
			cpumask_equal(own, step->cpus))
			continue;
		last = step->setting;
		char name[GROUP_NAME_MAX], xml[128], rule[128];
		notes_add(&check->findings, NOTE_WARNING,
			"%s:%u: guest '%s': its XML pins %s to CPUs %s, this rule to %s; the rule "
			"wins, but virsh goes on to show the XML's: take the pins out of the XML",
			step->setting->value.file, step->setting->value.line, pin->domain.name,
			group_name(step->group, name), cpumask_format(own, xml, sizeof(xml)),
			cpumask_format(step->cpus, rule, sizeof(rule)));
	}
}

static void
take_notes(struct check *check, const struct pin *pin)
{
	for (size_t i = 0; i < pin->notes.count; i++)
		if (pin->notes.items[i].level > NOTE_INFO)
			notes_add(&check->findings, pin->notes.items[i].level, "%s (guest '%s')",
				pin->notes.items[i].text, pin->domain.name);
}

static void
check_guest(struct check *check, const struct guest_xml *xml)
{
	struct pin pin;
	struct domain_pins pins = {0};
	struct err e;
	int r = pin_prepare(&pin, &check->host, xml->text, xml->length, NULL, PIN_SHOW, &e);
	for (size_t i = 0; i < pin.matched.count; i++)
		check->matched[pin.matched.rules[i] - check->host.rules.rules] = true;
	if (r >= 0)
		r = domain_parse_pins(xml->text, xml->length, &pins, &e);
	if (pin.domain.name == NULL)
		notes_add(&check->findings, NOTE_ERROR, "%s: %s", xml->source, e.text);
	else if (r < 0)
		notes_add(&check->findings, NOTE_ERROR, "guest '%s': %s", pin.domain.name, e.text);
	check->guests += pin.domain.name != NULL;
	if (r >= 0) {
		take_notes(check, &pin);
		check_pins(check, &pin, &pins);
	}
	domain_pins_free(&pins);
	pin_free(&pin);
}

static void
check_matches(struct check *check)
{
	for (size_t i = 0; i < check->host.rules.rule_count && check->guests > 0; i++)
		if (!check->matched[i])
			notes_add(&check->findings, NOTE_WARNING,
				"%s:%u: [%s] matches no guest of the %zu that were looked at",
				check->host.rules.rules[i].file, check->host.rules.rules[i].line,
				check->host.rules.rules[i].section, check->guests);
}

/* The guests that libvirt knows. Returns -1, after complaining if it was named, if it cannot be
 * asked. */
static int
check_known(struct check *check)
{
	const char *uri = check->options->connect;
	struct virt virt;
	struct err e;
	int r = virt_open(&virt, uri, &e);
	if (r == 0)
		r = virt_list(&virt, false, &e);
	for (size_t i = 0; i < virt.count && r >= 0; i++) {
		struct guest_xml xml = {.source = virt.guests[i].name};
		r = virt_xml(&virt.guests[i], &xml.text, &e);
		if (r != 0)
			continue;
		xml.length = strlen(xml.text);
		check_guest(check, &xml);
		free(xml.text);
	}
	if (r < 0 && uri != NULL)
		complain("%s", e.text);
	virt_close(&virt);
	return r < 0 ? -1 : 0;
}

/* Returns -1 if a guest that was asked for could not be read. */
static int
check_guests(struct check *check)
{
	const struct options *options = check->options;
	int r = 0;
	check->matched = calloc(check->host.rules.rule_count + 1, sizeof(*check->matched));
	if (check->matched == NULL)
		return -1;
	for (size_t i = 0; i < options->xml_count; i++) {
		struct guest_xml xml;
		if (read_xml(options->xml[i], &xml) == 0)
			check_guest(check, &xml);
		else
			r = -1;
		free(xml.text);
	}
	bool this_host = options->xml_count == 0 && options->word_count == 0 &&
			 options->config == NULL && options->sysroot == NULL;
	if ((this_host || options->connect != NULL) && check_known(check) != 0 &&
		options->connect != NULL)
		r = -1;
	check_matches(check);
	free(check->matched);
	return r;
}

static void
print_findings(const struct check *check)
{
	const struct notes *findings = &check->findings;
	if (check->options->json) {
		json_object *object = json_object_new_object(), *files = json_object_new_array();
		for (size_t i = 0; i < check->host.rules.file_count; i++)
			json_object_array_add(files, json_text(check->host.rules.files[i]));
		json_object_object_add(object, "files", files);
		json_object_object_add(object, "rules",
			json_object_new_int64((int64_t)check->host.rules.rule_count));
		json_object_object_add(
			object, "guests", json_object_new_int64((int64_t)check->guests));
		json_object_object_add(object, "findings", json_notes(findings));
		json_print(object);
		return;
	}
	say_notes(false, findings);
}

enum exit_status
command_check(const struct options *options)
{
	struct check check = {.options = options};
	int r = 0;
	if (options->config != NULL && options->word_count > 0) {
		complain("check: FILE and --config exclude each other");
		return misuse();
	}
	const char *const *files =
		options->config != NULL ? &options->config : (const char *const *)options->words;
	size_t count = options->config != NULL ? 1 : options->word_count;
	if (pin_host_load(&check.host, options->root, files, count, &check.findings) == 0) {
		check_rules(&check);
		r = check_guests(&check);
	}
	print_findings(&check);
	bool found = check.findings.count + check.findings.dropped > 0;
	notes_free(&check.findings);
	pin_host_free(&check.host);
	return r != 0 ? EXIT_CANNOT : found ? EXIT_FINDINGS : EXIT_OK;
}
