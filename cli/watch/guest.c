/* SPDX-License-Identifier: MIT */
#include "cli/watch/watch.h"

#include "guest/domain_pins.h"
#include "pin/drift.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

/* How often in a row it is tried again to set what could not be set. */
#define FAILURES_MAX 3

/* One look at one guest. */
struct look {
	const struct watch_view *view;
	struct watched *guest;
	char *xml;
	struct pin pin;
	struct pin before;	    /* what the rules before these said, as far as that is asked */
	bool compared;		    /* before is there */
	struct domain_pins defined; /* where its definition pins it, as far as that is asked */
	struct drift drift;
	struct messages wrong; /* what is not as ruled, and stays so */
};

static bool
has_come(const struct watched *guest, struct thread_group group)
{
	for (size_t i = 0; i < guest->came_count; i++)
		if (thread_group_compare(guest->came[i], group) == 0)
			return true;
	return false;
}

static bool
is_same_desire(const struct cpumask *a, const struct cpumask *b)
{
	return a == b || (a != NULL && b != NULL && cpumask_equal(a, b));
}

/* Whether the rules before said something else about what drifts in a group. */
static bool
is_new_desire(const struct look *look, const struct drift_group *group)
{
	const struct plan *before = &look->before.plan;
	const struct plan_step *step = group->step;
	if (look->compared && group->kind == DRIFT_MEMORY)
		return !is_same_desire(before->nodes, group->nodes);
	for (size_t i = 0; i < before->step_count && look->compared; i++)
		if (thread_group_compare(before->steps[i].group, step->group) == 0)
			return !is_same_desire(before->steps[i].cpus, step->cpus);
	return true;
}

/* Whether nothing about the guest is as ruled: nobody has pinned it by these rules. */
static bool
is_untouched(const struct drift *drift)
{
	for (size_t i = 0; i < drift->count; i++)
		if (drift->groups[i].step->cpus != NULL && drift->groups[i].kind == DRIFT_NONE)
			return false;
	return true;
}

/* Whether a group's mask is what libvirt gave it when it started the guest. */
static bool
is_as_defined(const struct look *look, const struct drift_group *group)
{
	const struct cpumask *pin = domain_pins_find(&look->defined, group->step->group);
	return pin != NULL && cpumask_equal(pin, &group->actual.cpus);
}

/*
 * Whether a group that is not as ruled is ours to set. If not, the administrator has chosen so, and
 * it is not for us to fight that.
 */
static bool
is_to_set(const struct look *look, const struct drift_group *group, bool untouched)
{
	unsigned reasons = look->guest->reasons;
	bool unpinned = group->kind == DRIFT_UNPINNED;
	if (look->view->host->rules.enforce == ENFORCE_YES || (reasons & WATCH_STARTED) != 0)
		return true;
	if ((reasons & WATCH_GROUPS) != 0 && has_come(look->guest, group->step->group))
		return true;
	if ((reasons & WATCH_RULES) != 0 && (unpinned || is_new_desire(look, group)))
		return true;
	return (reasons & WATCH_MET) != 0 && (unpinned || untouched || is_as_defined(look, group));
}

/* Takes out of the plan what is not ours to set, and messages that it stays as it is. */
static void
leave_the_rest(struct look *look)
{
	struct drift *drift = &look->drift;
	bool untouched = is_untouched(drift);
	for (size_t i = 0; i < drift->count; i++)
		if (drift->groups[i].kind != DRIFT_NONE &&
			is_to_set(look, &drift->groups[i], untouched))
			drift->groups[i].kind = DRIFT_NONE;
	const struct drift_group *end;
	for (const struct drift_group *first = drift->groups; first < drift->groups + drift->count;
		first = end) {
		char text[DRIFT_TEXT_MAX];
		end = drift_end_of_run(drift, first);
		if (first->kind != DRIFT_NONE)
			messages_add(&look->wrong, MESSAGE_WARNING, "%s; left as it is",
				drift_text(first, end, text));
	}
	for (size_t i = 0; i < drift->count; i++)
		if (drift->groups[i].kind != DRIFT_NONE) {
			struct plan_step *step =
				&look->pin.plan.steps[drift->groups[i].step - look->pin.plan.steps];
			step->cpus = NULL;
			step->write = step->write_nodes = false;
		}
}

/*
 * From now on we hear of groups that libvirt makes for the guest. Returns whether that is new: then
 * some may have come since the plan was made.
 */
static bool
hear_of_groups(struct look *look)
{
	char path[32];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", look->pin.cgroup.directory);
	int watch = inotify_add_watch(look->view->inotify, path, IN_CREATE | IN_ONLYDIR);
	bool new = watch >= 0 && watch != look->guest->watch;
	if (watch < 0)
		messages_add(&look->wrong, MESSAGE_WARNING,
			"%s cannot be watched, so what is plugged in stays unpinned: %s",
			look->pin.cgroup.path, strerror(errno));
	look->guest->watch = watch;
	return new;
}

/*
 * A pin that stands in the guest's definition, too, is libvirt's, from its start: that a rule is to
 * override. One that does not is an administrator's, made while it ran.
 */
static void
read_definition(struct look *look)
{
	struct virt *virt = look->view->virt;
	char *xml = NULL;
	struct err e;
	if (virt_find(virt, look->guest->name, &e) == 0 &&
		virt_definition(&virt->guests[virt->count - 1], &xml, &e) == 0 &&
		domain_parse_pins(xml, strlen(xml), &look->defined, &e) != 0)
		messages_add(&look->wrong, MESSAGE_WARNING, "its definition: %s", e.text);
	virt_forget(virt);
	free(xml);
}

/* Returns as pin_apply() does. */
static int
set(struct look *look, char done[PIN_DONE_MAX], struct err *e)
{
	const struct watch_view *view = look->view;
	struct pin *pin = &look->pin;
	if ((look->guest->reasons & WATCH_RULES) != 0 && view->before != NULL)
		look->compared = pin_prepare(&look->before, view->before, look->xml,
					 strlen(look->xml), look->guest->name, PIN_SHOW, e) == 0;
	if (drift_find(view->host->root, &pin->plan, &pin->cgroup, &look->drift, e) != 0)
		return -1;
	if (look->drift.drifted == 0)
		return pin_obstacle(pin) != NULL ? pin_apply(pin, done, e) : 0;
	if ((look->guest->reasons & WATCH_MET) != 0)
		read_definition(look);
	leave_the_rest(look);
	return pin_apply(pin, done, e);
}

/*
 * Takes libvirt's word on the guest, and makes the plan. Returns as pin_prepare() does. One that is
 * still being started does not run yet: who asks for no event can meet it.
 */
static int
prepare(struct look *look, struct err *e)
{
	struct virt *virt = look->view->virt;
	pin_free(&look->pin);
	free(look->xml);
	look->xml = NULL;
	int r = virt_find(virt, look->guest->name, e);
	const struct virt_guest *guest = r == 0 ? &virt->guests[virt->count - 1] : NULL;
	if (r == 0 && (look->guest->reasons & (WATCH_MET | WATCH_RULES)) != 0 &&
		virt_is_starting(guest))
		r = VIRT_GONE;
	if (r == 0)
		r = virt_xml(guest, &look->xml, e);
	virt_forget(virt);
	if (r != 0)
		return r == VIRT_GONE ? PIN_NOT_RUNNING : -1;
	return pin_prepare(&look->pin, look->view->host, look->xml, strlen(look->xml),
		look->guest->name, PIN_APPLY, e);
}

/*
 * Whether groups came that the plan may know, but libvirt's XML was asked for before: it answers
 * when the group is set up. What comes later will be another reason for a look.
 */
static bool
has_more_come(struct look *look)
{
	const struct watched *guest = look->guest;
	unsigned reasons = guest->reasons;
	size_t count = guest->came_count;
	bool new = hear_of_groups(look);
	watch_groups_read(look->view->inotify, look->view->guests, look->view->count);
	return new || guest->came_count != count || guest->reasons != reasons;
}

/* Returns as pin_guest() does. */
static int
prepare_and_set(struct look *look, char done[PIN_DONE_MAX], struct err *e)
{
	int r;
	do
		r = prepare(look, e);
	while (r == 0 && has_more_come(look));
	return r == 0 ? set(look, done, e) : r;
}

static bool
are_alike(const struct messages *a, const struct messages *b)
{
	bool alike = a->count == b->count;
	for (size_t i = 0; i < a->count && alike; i++)
		alike = strcmp(a->items[i].text, b->items[i].text) == 0;
	return alike;
}

/* Tells what is wrong, unless that is what was told last. */
static void
tell(struct look *look)
{
	struct watched *guest = look->guest;
	if (!are_alike(&look->wrong, &guest->told)) {
		for (size_t i = 0; i < look->wrong.count; i++)
			print_error_line("%s: %s: %s", guest->name,
				message_level_name(look->wrong.items[i].level),
				look->wrong.items[i].text);
		if (look->wrong.count == 0)
			print_line("%s: as ruled again", guest->name);
	}
	messages_free(&guest->told);
	guest->told = look->wrong;
	look->wrong = (struct messages){0};
}

void
watch_guest(const struct watch_view *view, struct watched *guest)
{
	struct look look = {
		.view = view, .guest = guest, .pin = {.lock = -1}, .before = {.lock = -1}};
	char done[PIN_DONE_MAX];
	struct err e;
	int r = prepare_and_set(&look, done, &e);
	const char *obstacle = pin_obstacle(&look.pin);
	for (size_t i = 0; i < look.pin.messages.count; i++)
		if (look.pin.messages.items[i].level == MESSAGE_WARNING)
			messages_add(&look.wrong, MESSAGE_WARNING, "%s",
				look.pin.messages.items[i].text);
	if (r == PIN_CHANGED)
		print_line("%s: pinned: %s", guest->name, done);
	if (r < 0)
		messages_add(&look.wrong, MESSAGE_ERROR, "not pinned: %s", e.text);
	guest->failures = r < 0 && obstacle == NULL ? guest->failures + 1 : 0;
	if (guest->failures == 0 || guest->failures > FAILURES_MAX) {
		guest->reasons = 0;
		guest->came_count = 0;
	}
	if (r != PIN_NOT_RUNNING)
		tell(&look);
	drift_free(&look.drift);
	domain_pins_free(&look.defined);
	pin_free(&look.before);
	pin_free(&look.pin);
	messages_free(&look.wrong);
	free(look.xml);
}
