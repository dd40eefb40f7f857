#include "pin.h"

#include "file.h"
#include "lock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int
pin_host_load(struct pin_host *host, int root, const char *const files[], size_t count,
	struct notes *notes)
{
	size_t errors = notes->errors;
	*host = (struct pin_host){.root = root};
	pin_host_forget(host);
	if (count == 0)
		rules_load(&host->rules, root, notes);
	for (size_t i = 0; i < count; i++)
		rules_load_file(&host->rules, AT_FDCWD, files[i], notes);
	cpuexpr_check_rules(&host->rules, notes);
	return notes->errors == errors ? 0 : -1;
}

void
pin_host_free(struct pin_host *host)
{
	cpuexpr_free(&host->expr);
	topology_free(&host->topology);
	rules_free(&host->rules);
}

void
pin_host_forget(struct pin_host *host)
{
	cpuexpr_free(&host->expr);
	topology_free(&host->topology);
	host->topology = (struct topology){.root = host->root};
	host->expr = (struct cpuexpr){.rules = &host->rules, .topology = &host->topology};
}

/* What keeps a guest from the CPUs in missing, for a person: "this host has only CPUs 0-7". */
static void
explain_missing(struct pin *pin, const struct cpumask *missing, char *out, size_t size)
{
	char list[128], name[NAME_MAX + 1];
	const struct cpumask *host;
	struct cpumask rest = *missing, granted;
	struct err e;
	if (topology_get(&pin->host->topology, TOPOLOGY_PRESENT, &host, &e) == 0) {
		cpumask_andnot(&rest, host);
		if (!cpumask_empty(&rest)) {
			snprintf(out, size, "this host has only CPUs %s",
				cpumask_format(host, list, sizeof(list)));
			return;
		}
	}
	rest = *missing;
	if (topology_get(&pin->host->topology, TOPOLOGY_ONLINE, &host, &e) == 0) {
		cpumask_andnot(&rest, host);
		if (!cpumask_empty(&rest)) {
			snprintf(out, size,
				cpumask_count(&rest) == 1 ? "CPU %s is offline"
							  : "CPUs %s are offline",
				cpumask_format(&rest, list, sizeof(list)));
			return;
		}
	}
	if (pin->running &&
		scope_find_limit(&pin->scope, missing, name, sizeof(name), &granted, &e) == 0)
		snprintf(out, size, "%s allows only %s", name,
			cpumask_format(&granted, list, sizeof(list)));
	else
		snprintf(out, size, "the kernel does not grant them");
}

/* A warning for each setting that asks for more than there is, an error if nothing is left of it.
 */
static void
note_missing(struct pin *pin)
{
	for (size_t i = 0; i < pin->wish.mask_count; i++) {
		const struct wish_mask *mask = &pin->wish.masks[i];
		const struct setting *s = mask->setting;
		struct cpumask missing = mask->asked;
		cpumask_andnot(&missing, &mask->cpus);
		if (cpumask_empty(&missing))
			continue;
		bool none = cpumask_empty(&mask->cpus);
		char key[SETTING_KEY_MAX], want[128], lost[128], why[512];
		explain_missing(pin, &missing, why, sizeof(why));
		notes_add(&pin->notes, none ? NOTE_ERROR : NOTE_WARNING,
			"%s:%u: %s wants %s, but %s; %s%s", s->value.file, s->value.line,
			setting_key(s, key), cpumask_format(&mask->asked, want, sizeof(want)), why,
			none ? "no CPU is left" : "left out: ",
			none ? "" : cpumask_format(&missing, lost, sizeof(lost)));
	}
}

bool
pin_has_ended(const struct pin *pin)
{
	pid_t pid;
	struct err e;
	if (pin->matched.count == 0)
		return false;
	int r = process_find(pin->host->root, pin->domain.name, &pid, &e);
	return r == PROCESS_NOT_RUNNING || (r == 0 && process_is_exiting(pin->host->root, pid));
}

static int
open_scope(struct pin *pin, enum pin_intent intent, struct err *e)
{
	if (intent == PIN_APPLY) {
		pin->lock = lock_guest(pin->host->root, pin->domain.name, e);
		if (pin->lock < 0)
			notes_add(&pin->notes, NOTE_INFO, "going on without a lock: %s", e->text);
	}
	int r = scope_open(pin->host->root, pin->domain.name, &pin->scope, e);
	pin->running = r == 0;
	if (r == SCOPE_NO_GROUPS && pin_has_ended(pin)) {
		r = SCOPE_NOT_RUNNING;
		err_set(e, "the guest has just ended");
	}
	if (intent == PIN_SHOW && (r == SCOPE_NOT_RUNNING || r == SCOPE_NO_GROUPS)) {
		notes_add(&pin->notes, r == SCOPE_NOT_RUNNING ? NOTE_INFO : NOTE_ERROR, "%s",
			e->text);
		return 0;
	}
	return r == 0 ? 0 : r == SCOPE_NOT_RUNNING ? PIN_NOT_RUNNING : -1;
}

static int
place(struct pin *pin, const struct cpumask *usable, struct err *e)
{
	size_t count = pin->running ? pin->scope.group_count : 0;
	struct group *running = calloc(count + 1, sizeof(*running));
	if (running == NULL)
		return err_set(e, "out of memory");
	for (size_t i = 0; i < count; i++)
		running[i] = pin->scope.groups[i].group;
	int r = placement(&pin->matched, &pin->domain, running, count, &pin->host->expr, usable,
		&pin->wish, &pin->notes, e);
	free(running);
	return r;
}

/* A guest that QEMU runs in a single thread has them, say. One warning for each setting. */
static void
note_groups_missing(struct pin *pin)
{
	const struct setting *last = NULL;
	for (size_t i = 0; i < pin->plan.missing_count; i++) {
		const struct wish_group *group = pin->plan.missing[i];
		char key[SETTING_KEY_MAX], name[GROUP_NAME_MAX];
		if (group->setting == last)
			continue;
		last = group->setting;
		notes_add(&pin->notes, NOTE_WARNING,
			"%s:%u: %s: %s has no cgroup of its own in %s, and so is where the "
			"emulator is",
			last->value.file, last->value.line, setting_key(last, key),
			group_name(group->group, name), pin->scope.path);
	}
}

static int
make_plan(struct pin *pin, struct err *e)
{
	const struct cpumask *usable = &pin->scope.allowed;
	if (!pin->running && topology_get(&pin->host->topology, TOPOLOGY_ONLINE, &usable, e) != 0)
		return -1;
	if (place(pin, usable, e) != 0)
		return -1;
	note_missing(pin);
	if (plan_build(&pin->wish, &pin->domain, pin->running ? &pin->scope : NULL, &pin->plan) !=
		0)
		return err_set(e, "out of memory");
	note_groups_missing(pin);
	return 0;
}

static double
now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int
pin_prepare(struct pin *pin, struct pin_host *host, const char *xml, size_t length,
	const char *name, enum pin_intent intent, struct err *e)
{
	*pin = (struct pin){.host = host, .lock = -1, .since = now_ms()};
	if (domain_parse(xml, length, &pin->domain, e) != 0)
		return -1;
	if (name != NULL && strcmp(name, pin->domain.name) != 0)
		return err_set(e, "the XML is of a guest called '%.256s'", pin->domain.name);
	if (rules_match(&host->rules, &pin->domain, &pin->matched) != 0)
		return err_set(e, "out of memory");
	if (pin->matched.count == 0 || (intent == PIN_APPLY && !matched_wants_cpus(&pin->matched)))
		return PIN_NO_RULE;
	int r = open_scope(pin, intent, e);
	return r == 0 ? make_plan(pin, e) : r;
}

const char *
pin_obstacle(const struct pin *pin)
{
	for (size_t i = 0; i < pin->notes.count; i++)
		if (pin->notes.items[i].level == NOTE_ERROR)
			return pin->notes.items[i].text;
	return pin->notes.errors > 0 ? "out of memory" : NULL;
}

static int
failed(const struct pin *pin, struct err *e)
{
	if (!pin_has_ended(pin))
		return -1;
	err_context(e, "the guest ended meanwhile");
	return PIN_NOT_RUNNING;
}

int
pin_apply(struct pin *pin, char done[PIN_DONE_MAX], struct err *e)
{
	struct apply_result result;
	char summary[512];
	const char *obstacle = pin_obstacle(pin);
	if (obstacle != NULL)
		err_set(e, "%s", obstacle);
	if (obstacle != NULL || apply(&pin->plan, &pin->scope, &result, e) != 0)
		return failed(pin, e);
	if (result.masks == 0 && result.threads == 0)
		return 0;
	snprintf(done, PIN_DONE_MAX, "%s (%zu masks and %zu threads set in %.1f ms)",
		plan_summary(&pin->plan, summary, sizeof(summary)), result.masks, result.threads,
		now_ms() - pin->since);
	return PIN_CHANGED;
}

int
pin_guest(struct pin *pin, struct pin_host *host, const char *xml, size_t length, const char *name,
	char done[PIN_DONE_MAX], struct err *e)
{
	int r = pin_prepare(pin, host, xml, length, name, PIN_APPLY, e);
	if (r == 0)
		return pin_apply(pin, done, e);
	return r < 0 ? failed(pin, e) : r;
}

void
pin_free(struct pin *pin)
{
	plan_free(&pin->plan);
	wish_free(&pin->wish);
	if (pin->running)
		scope_free(&pin->scope);
	free(pin->matched.rules);
	domain_free(&pin->domain);
	notes_free(&pin->notes);
	file_close(&pin->lock);
	*pin = (struct pin){.lock = -1};
}
