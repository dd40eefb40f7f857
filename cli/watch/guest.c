/* SPDX-License-Identifier: MIT */
/* Makes a pass over one guest: finds drift, sets what watch is to set, and reports the rest. */
#include "cli/watch/guest.h"

#include "cli/command.h"
#include "cli/watch/hotplug.h"
#include "cli/watch/say.h"
#include "guest/domain_pins.h"
#include "pin/drift.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A failed pass is tried again so many times in a row. */
#define FAILURES_MAX 3u

/* One pass over one guest. */
struct pass {
	const struct watch_view *view;
	struct watched *guest;
	char *xml;
	struct pin pin;
	struct pin before; /* by the rules before these; valid if compared */
	bool compared;
	struct domain_pins defined; /* the pins in its definition, read for WATCH_NEW */
	struct drift drift;
	struct messages wrong; /* what is not as ruled and stays so */
};

static bool
was_plugged(const struct watched *guest, struct thread_group group)
{
	for (size_t i = 0; i < guest->plugged_count; i++)
		if (thread_group_compare(guest->plugged[i], group) == 0)
			return true;
	return false;
}

static bool
is_same_desire(const struct cpumask *a, const struct cpumask *b)
{
	return a == b || (a != NULL && b != NULL && cpumask_equal(a, b));
}

/* True if the rules before said something else about what drifts in a group. */
static bool
is_new_desire(const struct pass *pass, const struct drift_group *group)
{
	const struct plan *before = &pass->before.plan;
	const struct plan_step *step = group->step;
	if (pass->compared && group->kind == DRIFT_MEMORY)
		return !is_same_desire(before->nodes, group->nodes);
	for (size_t i = 0; i < before->step_count && pass->compared; i++)
		if (thread_group_compare(before->steps[i].group, step->group) == 0)
			return !is_same_desire(before->steps[i].cpus, step->cpus);
	return true;
}

/* True if nothing about the guest is as ruled: nobody has pinned it by these rules. */
static bool
is_untouched(const struct drift *drift)
{
	for (size_t i = 0; i < drift->count; i++)
		if (drift->groups[i].step->cpus != NULL && drift->groups[i].kind == DRIFT_NONE)
			return false;
	return true;
}

/* True if a group's mask is what libvirt gave it when it started the guest. */
static bool
is_as_defined(const struct pass *pass, const struct drift_group *group)
{
	const struct cpumask *pin = domain_pins_find(&pass->defined, group->step->group);
	return pin != NULL && cpumask_equal(pin, &group->actual.cpus);
}

/*
 * True if watch is to set a group that is not as ruled. If it is not, an administrator has changed
 * the group, and without enforce = yes that choice is left alone. A partition that is not valid is
 * nobody's choice: its CPU was offline. Nor is a vhost worker outside its group: it is new.
 */
static bool
is_ours(const struct pass *pass, const struct drift_group *group, bool untouched)
{
	unsigned reasons = pass->guest->reasons;
	bool unpinned = group->kind == DRIFT_UNPINNED;
	if (pass->view->host->rules.enforce == ENFORCE_YES || (reasons & WATCH_STARTED) != 0 ||
		group->kind == DRIFT_EXCLUSIVE || group->kind == DRIFT_STRAY)
		return true;
	if ((reasons & WATCH_GROUPS) != 0 && was_plugged(pass->guest, group->step->group))
		return true;
	if ((reasons & WATCH_RULES) != 0 && (unpinned || is_new_desire(pass, group)))
		return true;
	return (reasons & WATCH_NEW) != 0 && (unpinned || untouched || is_as_defined(pass, group));
}

/* Removes from the plan what is not to be set in a group. */
static void
drop_step(struct pass *pass, const struct drift_group *group)
{
	struct plan_step *step = &pass->pin.plan.steps[group->step - pass->pin.plan.steps];
	step->cpus = step->exclusive = NULL;
	step->write = step->write_nodes = step->isolate = step->release = false;
	step->gather = false;
}

/*
 * Removes from the plan what is as ruled, so that the report names changes only, and what watch is
 * not to set, with a warning that it stays as it is.
 */
static void
keep_only_ours(struct pass *pass)
{
	struct drift *drift = &pass->drift;
	bool untouched = is_untouched(drift);
	for (size_t i = 0; i < drift->count; i++)
		if (drift->groups[i].kind == DRIFT_NONE)
			drop_step(pass, &drift->groups[i]);
		else if (is_ours(pass, &drift->groups[i], untouched))
			drift->groups[i].kind = DRIFT_NONE;
	const struct drift_group *end;
	for (const struct drift_group *first = drift->groups; first < drift->groups + drift->count;
		first = end) {
		char text[DRIFT_TEXT_MAX];
		end = drift_end_of_run(drift, first);
		if (first->kind != DRIFT_NONE)
			messages_add(&pass->wrong, MESSAGE_WARNING, "drift", "%s; left as it is",
				drift_text(first, end, text));
	}
	for (size_t i = 0; i < drift->count; i++)
		if (drift->groups[i].kind != DRIFT_NONE)
			drop_step(pass, &drift->groups[i]);
}

/*
 * Reads the pins in the guest's definition. A pin that is also there was made by libvirt when the
 * guest started, and a rule overrides it. Any other was made by an administrator while it ran.
 */
static void
read_definition(struct pass *pass)
{
	struct virt *virt = pass->view->virt;
	char *xml = NULL;
	struct err e;
	if (virt_find(virt, pass->guest->name, &e) == 0 &&
		virt_definition(&virt->guests[virt->count - 1], &xml, &e) == 0 &&
		domain_parse_pins(xml, strlen(xml), &pass->defined, &e) != 0)
		messages_add(
			&pass->wrong, MESSAGE_WARNING, "xml-needed", "its definition: %s", e.text);
	virt_forget(virt);
	free(xml);
}

static size_t
xml_length(const struct pass *pass)
{
	return pass->xml != NULL ? strlen(pass->xml) : 0;
}

/* Finds the drift from the plan. Returns 0, or -1 with the reason. */
static int
find_drift(struct pass *pass, struct err *e)
{
	const struct watch_view *view = pass->view;
	struct pin *pin = &pass->pin;
	pin_free(&pass->before);
	drift_free(&pass->drift);
	pass->drift = (struct drift){0};
	if ((pass->guest->reasons & WATCH_RULES) != 0 && view->before != NULL)
		pass->compared = pin_prepare(&pass->before, view->before, pass->xml,
					 xml_length(pass), pass->guest->name, PIN_SHOW, e) == 0;
	return drift_find(view->host->root, &pin->plan, &pin->cgroup, &pass->drift, e);
}

/* Sets what watch is to set. Returns as pin_apply() does. */
static int
set_ours(struct pass *pass, char done[PIN_DONE_MAX], struct err *e)
{
	struct pin *pin = &pass->pin;
	if (pass->drift.drifted == 0)
		return pin_obstacle(pin) != NULL ? pin_apply(pin, done, e) : 0;
	keep_only_ours(pass);
	return pin_apply(pin, done, e);
}

/* True if the guest's rules, or those before them, ask for what only its XML says. */
static bool
needs_xml(const struct pass *pass)
{
	const struct watch_view *view = pass->view;
	const char *name = pass->guest->name;
	return pin_needs_xml(view->host, name) ||
	       (view->before != NULL && pin_needs_xml(view->before, name));
}

/*
 * Asks libvirt for the guest, and for its XML if that is needed, and makes the plan. Returns as
 * pin_prepare() does. A guest that libvirt is still starting counts as not running, unless an event
 * has announced it.
 */
static int
prepare(struct pass *pass, struct err *e)
{
	struct virt *virt = pass->view->virt;
	pin_free(&pass->pin);
	free(pass->xml);
	pass->xml = NULL;
	int r = virt_find(virt, pass->guest->name, e);
	const struct virt_guest *guest = r == 0 ? &virt->guests[virt->count - 1] : NULL;
	if (r == 0 && (pass->guest->reasons & (WATCH_NEW | WATCH_RULES)) != 0 &&
		virt_is_starting(guest))
		r = VIRT_GONE;
	if (r == 0 && needs_xml(pass))
		r = virt_xml(guest, &pass->xml, e);
	virt_forget(virt);
	if (r != 0)
		return r == VIRT_GONE ? PIN_NOT_RUNNING : -1;
	return pin_prepare(&pass->pin, pass->view->host, pass->xml, xml_length(pass),
		pass->guest->name, PIN_APPLY, e);
}

/*
 * True if the guest has changed since libvirt was asked for it, so that the plan may know groups
 * that libvirt has not set up. It answers, even a question for the guest's name, once that is done.
 */
static bool
changed_meanwhile(struct pass *pass)
{
	const struct watched *guest = pass->guest;
	unsigned reasons = guest->reasons;
	size_t count = guest->plugged_count;
	bool is_new = false;
	if (watch_cgroup(pass->guest, pass->view->inotify, &pass->pin.cgroup, &is_new) != 0)
		messages_add(&pass->wrong, MESSAGE_WARNING, "unwatched",
			"%s cannot be watched, so changes in it may go unnoticed: %s",
			pass->pin.cgroup.path, strerror(errno));
	hotplug_read(pass->view->inotify, pass->view->guests, NULL);
	return is_new || guest->plugged_count != count || guest->reasons != reasons;
}

/* Makes the plan until it is of one state of the guest, and finds the drift. Returns as prepare().
 */
static int
look(struct pass *pass, struct err *e)
{
	int r;
	do
		r = prepare(pass, e);
	while (r == 0 && changed_meanwhile(pass));
	return r == 0 ? find_drift(pass, e) : r;
}

/*
 * Finds what is not as ruled, and sets what watch is to set. Returns as pin_guest() does. libvirt
 * is asked for the definition without the guest's lock: it may not answer before the end of a hook
 * that waits for the lock.
 */
static int
look_and_set(struct pass *pass, char done[PIN_DONE_MAX], struct err *e)
{
	int r = look(pass, e);
	if (r == 0 && pass->drift.drifted > 0 && (pass->guest->reasons & WATCH_NEW) != 0) {
		pin_free(&pass->pin);
		read_definition(pass);
		r = look(pass, e);
	}
	return r == 0 ? set_ours(pass, done, e) : r;
}

static bool
same_texts(const struct messages *a, const struct messages *b)
{
	bool alike = a->count == b->count;
	for (size_t i = 0; i < a->count && alike; i++)
		alike = strcmp(a->items[i].text, b->items[i].text) == 0;
	return alike;
}

/* Reports what is wrong, unless the last report said the same. */
static void
report_wrong(struct pass *pass)
{
	struct watched *guest = pass->guest;
	if (!same_texts(&pass->wrong, &guest->reported)) {
		for (size_t i = 0; i < pass->wrong.count; i++)
			watch_say(pass->wrong.items[i].level, "%s: %s: %s", guest->name,
				message_level_name(pass->wrong.items[i].level),
				pass->wrong.items[i].text);
		if (pass->wrong.count == 0)
			watch_say(MESSAGE_INFO, "%s: as ruled again", guest->name);
	}
	messages_free(&guest->reported);
	guest->reported = pass->wrong;
	pass->wrong = (struct messages){0};
}

void
watch_guest(const struct watch_view *view, struct watched *guest)
{
	struct pass pass = {.view = view, .guest = guest, .pin = PIN_NONE, .before = PIN_NONE};
	char done[PIN_DONE_MAX];
	struct err e;
	if (guest->given_up)
		guest->reasons |= WATCH_STARTED;
	guest->given_up = false;
	int r = look_and_set(&pass, done, &e);
	const char *obstacle = pin_obstacle(&pass.pin);
	for (size_t i = 0; i < pass.pin.messages.count; i++)
		if (pass.pin.messages.items[i].level == MESSAGE_WARNING)
			messages_add(&pass.wrong, MESSAGE_WARNING, pass.pin.messages.items[i].code,
				"%s", pass.pin.messages.items[i].text);
	if (r == PIN_CHANGED)
		watch_say(MESSAGE_INFO, "%s: pinned: %s", guest->name, done);
	guest->failures = r < 0 && obstacle == NULL ? guest->failures + 1 : 0;
	guest->given_up = guest->failures > FAILURES_MAX;
	if (guest->given_up) {
		guest->failures = 0;
		messages_add(&pass.wrong, MESSAGE_ERROR, "not-pinned",
			"not pinned: %s; given up after %u failures until the guest or the rules "
			"change",
			e.text, FAILURES_MAX + 1);
	} else if (r < 0) {
		messages_add(&pass.wrong, MESSAGE_ERROR, "not-pinned", "not pinned: %s", e.text);
	}
	if (r < 0) /* our own writes, and their undoing, are no reason for another pass */
		hotplug_read(view->inotify, view->guests, guest);
	if (guest->failures == 0) {
		guest->reasons = 0;
		guest->plugged_count = 0;
	}
	if (r != PIN_NOT_RUNNING)
		report_wrong(&pass);
	drift_free(&pass.drift);
	domain_pins_free(&pass.defined);
	pin_free(&pass.before);
	pin_free(&pass.pin);
	messages_free(&pass.wrong);
	free(pass.xml);
}
