/* SPDX-License-Identifier: MIT */
/* Prints a plan as JSON. */
#include "cli/plan/json.h"

#include <limits.h>
#include <stdio.h>

static json_object *
json_step(const struct pin *pin, const struct plan_step *step)
{
	char name[THREAD_GROUP_NAME_MAX], path[PATH_MAX];
	const struct setting *setting = step->setting;
	json_object *object = json_object_new_object();
	json_object_object_add(
		object, "group", json_object_new_string(thread_group_name(step->group, name)));
	json_object_object_add(object, "cpus", json_mask(step->cpus));
	json_object_object_add(object, "rule",
		setting != NULL ? json_place(setting->value.file, setting->value.line) : NULL);
	json_object_object_add(object, "now", json_mask(step->now));
	if (step->exclusive != NULL)
		json_object_object_add(object, "exclusive", json_mask(step->exclusive));
	json_object_object_add(object, "change", json_object_new_boolean(plan_step_changes(step)));
	snprintf(path, sizeof(path), "%s/%s/cpuset.cpus", pin->running ? pin->cgroup.path : "",
		name);
	json_object_object_add(object, "path", pin->running ? json_object_new_string(path) : NULL);
	return object;
}

/* Returns null if no rule sets memory. "nodes" is null for keep, "now" for a guest not running. */
static json_object *
json_memory(const struct pin *pin)
{
	const struct memory *memory = &pin->desired.memory;
	if (memory->value == NULL)
		return NULL;
	json_object *object = json_object_new_object();
	json_object *now = pin->running ? json_object_new_object() : NULL;
	for (size_t i = 0; i < pin->plan.step_count && now != NULL; i++) {
		char name[THREAD_GROUP_NAME_MAX];
		const struct plan_step *step = &pin->plan.steps[i];
		json_object_object_add(
			now, thread_group_name(step->group, name), json_mask(step->nodes_now));
	}
	json_object_object_add(object, "nodes", json_mask(pin->plan.nodes));
	json_object_object_add(
		object, "rule", json_place(memory->value->file, memory->value->line));
	json_object_object_add(object, "now", now);
	return object;
}

json_object *
plan_json(const struct pin *pin)
{
	json_object *object = json_guest(pin), *groups = json_object_new_array();
	for (size_t i = 0; i < pin->plan.step_count; i++)
		json_object_array_add(groups, json_step(pin, &pin->plan.steps[i]));
	json_object_object_add(object, "groups", groups);
	json_object_object_add(object, "memory", json_memory(pin));
	json_object_object_add(object, "notes", json_messages(&pin->messages, &pin->host->rules));
	return object;
}
