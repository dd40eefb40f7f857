/* SPDX-License-Identifier: MIT */
/*
 * Joins the engine's parts for one guest: which rules are about it, what they want, where it is in
 * the kernel, and what is to be written.
 */
#include "pin/pin.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "cgroup/qemu_process.h"
#include "desired/memory_nodes.h"
#include "pin/give_back.h"
#include "pin/lock.h"
#include "pin/pin_memory.h"
#include "pin/pin_place.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
pin_host_load(struct pin_host *host, int root, const char *const files[], size_t count,
	struct messages *messages)
{
	size_t errors = messages->errors;
	*host = (struct pin_host){.root = root};
	pin_host_change(host, root);
	if (count == 0)
		rules_load(&host->rules, root, messages);
	for (size_t i = 0; i < count; i++)
		rules_load_file(&host->rules, AT_FDCWD, files[i], messages);
	cpuset_expr_check_rules(&host->rules, messages);
	memory_nodes_check_rules(&host->rules, messages);
	return messages->errors == errors ? 0 : -1;
}

void
pin_host_free(struct pin_host *host)
{
	cpuset_expr_free(&host->expr);
	topology_free(&host->topology);
	claims_free(&host->claims);
	rules_free(&host->rules);
}

void
pin_host_change(struct pin_host *host, int root)
{
	cpuset_expr_free(&host->expr);
	topology_free(&host->topology);
	claims_free(&host->claims);
	host->root = root;
	host->topology = (struct topology){.root = root};
	host->expr = (struct cpuset_expr){.rules = &host->rules, .topology = &host->topology};
}

bool
pin_has_ended(const struct pin *pin)
{
	return pin->matched.count > 0 && qemu_process_has_ended(pin->host->root, pin->name);
}

static enum pin_result
open_cgroup(struct pin *pin, enum pin_intent intent, struct err *e)
{
	if (pin_is_to_apply(intent) &&
		pin_accept_lock(pin,
			lock_guest(pin->host->root, pin->name, LOCK_WAIT_MS, &pin->lock, e),
			e) != 0)
		return PIN_FAILED;
	int r = cgroup_open(pin->host->root, pin->name, &pin->cgroup, e);
	pin->running = r == 0;
	if (r == CGROUP_NO_GROUPS && pin_has_ended(pin)) {
		r = CGROUP_NOT_RUNNING;
		err_set(e, "the guest has just ended");
	}
	if (r == CGROUP_NO_GROUPS) {
		const struct err reason = *e;
		err_set(e, "%s; %s", reason.text, CGROUP_NO_GROUPS_REMEDY);
	}
	if (!pin_is_to_apply(intent) && (r == CGROUP_NOT_RUNNING || r == CGROUP_NO_GROUPS)) {
		messages_add(&pin->messages, r == CGROUP_NOT_RUNNING ? MESSAGE_INFO : MESSAGE_ERROR,
			r == CGROUP_NOT_RUNNING ? "not-running" : "no-cgroup", "%s", e->text);
		return PIN_OK;
	}
	return r == 0 ? PIN_OK : r == CGROUP_NOT_RUNNING ? PIN_NOT_RUNNING : PIN_FAILED;
}

static void
report_group_missing(struct pin *pin, const struct setting *setting, struct thread_group group)
{
	char key[SETTING_KEY_MAX], name[THREAD_GROUP_NAME_MAX];
	messages_add(&pin->messages, MESSAGE_WARNING, "no-cgroup",
		"%s:%u: %s: %s has no cgroup of its own in %s, and so is where the emulator is",
		setting->value.file, setting->value.line, setting_key(setting, key),
		thread_group_name(group, name), pin->cgroup.path);
}

/*
 * Warns once for each setting whose groups have no cgroup, as when QEMU runs all vCPUs in a single
 * thread. Without the XML only vcpu0 is known to be there: every guest has it.
 */
static void
report_groups_missing(struct pin *pin)
{
	const struct thread_group vcpu0 = {.kind = GROUP_VCPU};
	if (pin->running && pin_known_domain(pin) == NULL) {
		const struct setting *setting = rules_setting(&pin->matched, vcpu0);
		bool there = desired_find(&pin->desired, vcpu0) != NULL;
		if (!there && setting != NULL && !setting_is_keep(setting))
			report_group_missing(pin, setting, vcpu0);
	}
	const struct setting *last = NULL;
	for (size_t i = 0; i < pin->plan.missing_count; i++) {
		const struct desired_group *group = pin->plan.missing[i];
		if (group->setting != last)
			report_group_missing(pin, group->setting, group->group);
		last = group->setting;
	}
}

static int
make_plan(struct pin *pin, enum pin_intent intent, struct err *e)
{
	if (pin_place(pin, intent, e) != 0)
		return -1;
	if (plan_build(&pin->desired, pin_known_domain(pin), pin->running ? &pin->cgroup : NULL,
		    &pin->plan) != 0)
		return err_set(e, "out of memory");
	if (pin_exclusive(pin) != NULL && pin_known_domain(pin) == NULL)
		plan_keep_partitions(&pin->plan);
	report_groups_missing(pin);
	return 0;
}

bool
pin_needs_xml(const struct pin_host *host, const char *name)
{
	struct matched matched;
	if (rules_need_uuid(&host->rules, name) ||
		rules_match(&host->rules, name, NULL, &matched) != 0)
		return true;
	bool needed = matched_needs_xml(&matched);
	free(matched.rules);
	return needed;
}

/* Adds a warning that a rule could not be followed, the first of which is pin->incomplete. */
__attribute__((format(printf, 2, 3))) static void
add_incomplete(struct pin *pin, const char *format, ...)
{
	char text[ERR_TEXT_MAX + 256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	messages_add(&pin->messages, MESSAGE_WARNING, "xml-needed", "%s", text);
	if (pin->incomplete != NULL)
		return;
	pin->incomplete = pin->messages.count > 0
				  ? pin->messages.items[pin->messages.count - 1].text
				  : "out of memory";
}

/* Says which rules a guest whose XML could not be read is kept from, and why. */
static void
report_unread_xml(struct pin *pin, const char *why)
{
	const struct value *placement = rules_placement(&pin->matched);
	if (rules_need_uuid(&pin->host->rules, pin->name))
		add_incomplete(
			pin, "rules with 'uuid:' are left out, its UUID is not known: %s", why);
	if (placement != NULL)
		add_incomplete(pin, "%s:%u: %s is left out, its vCPUs share their CPUs: %s",
			placement->file, placement->line, placement->text, why);
}

/* Finds the guest's name and its rules, reading the XML as far as that or the intent asks for. */
static enum pin_result
identify(struct pin *pin, const char *xml, size_t length, const char *name, enum pin_intent intent,
	struct err *e)
{
	bool wanted = name == NULL || !pin_is_to_apply(intent) || pin_needs_xml(pin->host, name);
	bool unread = wanted && (xml == NULL || domain_parse(xml, length, &pin->domain, e) != 0);
	if (unread && name == NULL)
		return PIN_FAILED;
	pin->name = strdup(name != NULL ? name : pin->domain.name);
	if (pin->name == NULL || rules_match(&pin->host->rules, pin->name,
					 pin_known_domain(pin) != NULL ? pin->domain.uuid : NULL,
					 &pin->matched) != 0)
		return err_set(e, "out of memory");
	if (unread)
		report_unread_xml(pin, e->text);
	return PIN_OK;
}

/* Turns PIN_FAILED into PIN_NOT_RUNNING if the guest has ended: then it is no wonder. */
static enum pin_result
failed(const struct pin *pin, struct err *e)
{
	if (!pin_has_ended(pin))
		return PIN_FAILED;
	err_context(e, "the guest ended meanwhile");
	return PIN_NOT_RUNNING;
}

enum pin_result
pin_prepare(struct pin *pin, struct pin_host *host, const char *xml, size_t length,
	const char *name, enum pin_intent intent, struct err *e)
{
	*pin = (struct pin){.host = host,
		.domain = {.id = -1},
		.lock = -1,
		.choice_lock = -1,
		.since = clock_ms()};
	enum pin_result r = identify(pin, xml, length, name, intent, e);
	if (r != PIN_OK)
		return r;
	pin->ruled = matched_wants_change(&pin->matched);
	if ((pin->matched.count == 0 && intent <= PIN_APPLY) ||
		(intent == PIN_APPLY && !pin->ruled))
		return PIN_NO_RULE;
	r = open_cgroup(pin, intent, e);
	if (r == PIN_OK && pin->running && intent >= PIN_SHOW_ALL &&
		rules_memory(&pin->matched) == NULL)
		pin_memory_read_left(pin);
	if (r == PIN_OK && make_plan(pin, intent, e) != 0)
		r = PIN_FAILED;
	return r == PIN_FAILED && pin_is_to_apply(intent) ? failed(pin, e) : r;
}

bool
pin_is_confined(const struct pin *pin)
{
	return pin->running && give_back_is_asked(&pin->plan, &pin->cgroup);
}

int
pin_give_back(struct pin *pin, const struct domain_pins *record, size_t *count, struct err *e)
{
	*count = 0;
	if (pin->running && give_back(&pin->plan, &pin->cgroup, record, &pin->given, count) != 0)
		return err_set(e, "out of memory");
	return 0;
}

const char *
pin_obstacle(const struct pin *pin)
{
	for (size_t i = 0; i < pin->messages.count; i++)
		if (pin->messages.items[i].level == MESSAGE_ERROR)
			return pin->messages.items[i].text;
	return pin->messages.errors > 0 ? "out of memory" : NULL;
}

static const char *
plural(size_t count)
{
	return count == 1 ? "" : "s";
}

enum pin_result
pin_apply(struct pin *pin, char done[PIN_DONE_MAX], struct err *e)
{
	struct apply_result result;
	char summary[512], memory[48] = "", partitions[48] = "", workers[48] = "";
	const char *obstacle = pin_obstacle(pin);
	if (obstacle != NULL)
		err_set(e, "%s", obstacle);
	if (obstacle != NULL || apply(&pin->plan, &pin->cgroup, &result, e) != 0)
		return failed(pin, e);
	if (result.memory_left && pin->desired.memory.value == NULL)
		messages_add(&pin->messages, MESSAGE_WARNING, "memory-left",
			"the memory nodes that no rule is about are left as they are: %s",
			result.memory.text);
	else if (result.memory_left)
		memory_nodes_report_left(
			pin->desired.memory.value, result.memory.text, &pin->messages);
	if (result.masks == 0 && result.threads == 0 && result.nodes == 0 &&
		result.partitions == 0 && result.workers == 0)
		return PIN_OK;
	if (result.workers > 0)
		snprintf(workers, sizeof(workers), ", %zu vhost worker%s", result.workers,
			plural(result.workers));
	if (result.partitions > 0)
		snprintf(partitions, sizeof(partitions), ", %zu partition%s", result.partitions,
			plural(result.partitions));
	if (result.nodes > 0)
		snprintf(memory, sizeof(memory), ", memory of %zu group%s", result.nodes,
			plural(result.nodes));
	snprintf(done, PIN_DONE_MAX, "%s (%zu mask%s and %zu thread%s%s%s%s set in %.1f ms)",
		plan_summary(&pin->plan, summary, sizeof(summary)), result.masks,
		plural(result.masks), result.threads, plural(result.threads), partitions, workers,
		memory, clock_ms() - pin->since);
	return PIN_CHANGED;
}

enum pin_result
pin_guest(struct pin *pin, struct pin_host *host, const char *xml, size_t length, const char *name,
	char done[PIN_DONE_MAX], struct err *e)
{
	enum pin_result r = pin_prepare(pin, host, xml, length, name, PIN_APPLY, e);
	return r == PIN_OK ? pin_apply(pin, done, e) : r;
}

void
pin_free(struct pin *pin)
{
	plan_free(&pin->plan);
	desired_free(&pin->desired);
	if (pin->running)
		cgroup_free(&pin->cgroup);
	free(pin->matched.rules);
	free(pin->given);
	free(pin->name);
	domain_free(&pin->domain);
	messages_free(&pin->messages);
	claims_free(&pin->claims);
	cleanup_close(&pin->choice_lock);
	cleanup_close(&pin->lock);
	*pin = (struct pin)PIN_NONE;
}
