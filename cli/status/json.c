/* SPDX-License-Identifier: MIT */
/* Prints the status of a guest as JSON. */
#include "cli/status/json.h"

#include <stdio.h>

static const char *const state_names[STATES] = {
	[STATE_AS_RULED] = "as-ruled",
	[STATE_DRIFT] = "drift",
	[STATE_NO_RULE] = "no-rule",
	[STATE_NOT_RUNNING] = "not-running",
	[STATE_ELSEWHERE] = "elsewhere",
};

const char *
status_state_name(enum state state)
{
	return state_names[state];
}

static const char *const drift_names[] = {
	[DRIFT_UNPINNED] = "unpinned",
	[DRIFT_MASK] = "mask",
	[DRIFT_GRANTED] = "granted",
	[DRIFT_THREADS] = "threads",
	[DRIFT_EXCLUSIVE] = "exclusive",
	[DRIFT_STRAY] = "stray",
	[DRIFT_LEFT] = "left",
	[DRIFT_MEMORY] = "memory",
};

static json_object *
json_threads(const struct group_state *actual)
{
	json_object *array = json_object_new_array();
	for (size_t i = 0; i < actual->thread_count; i++) {
		const struct thread_state *thread = &actual->threads[i];
		json_object *object = json_object_new_object();
		json_object_object_add(object, "tid", json_object_new_int(thread->tid));
		json_object_object_add(object, "cpus", json_mask(&thread->cpus));
		json_object_object_add(object, "last", json_object_new_int((int)thread->last));
		json_object_array_add(array, object);
	}
	return array;
}

static json_object *
json_group(const struct status *status, const struct drift_group *group)
{
	char name[THREAD_GROUP_NAME_MAX], text[DRIFT_TEXT_MAX], path[PATH_MAX];
	const struct plan_step *step = group->step;
	const struct setting *s = step->setting;
	json_object *object = json_object_new_object();
	drift_text(group, group + 1, text);
	json_object_object_add(
		object, "group", json_object_new_string(thread_group_name(step->group, name)));
	json_object_object_add(object, "cpus", json_mask(step->cpus));
	json_object_object_add(
		object, "rule", s != NULL ? json_place(s->value.file, s->value.line) : NULL);
	json_object_object_add(object, "now", json_mask(&group->actual.cpus));
	snprintf(path, sizeof(path), "%s/%s/cpuset.cpus", status->pin.cgroup.path, name);
	json_object_object_add(object, "path", json_text(path));
	json_object_object_add(object, "effective", json_mask(&group->actual.granted));
	if (step->exclusive != NULL || group->actual.partition.there)
		json_object_object_add(object, "exclusive",
			json_mask(group->actual.partition.in_force
					  ? &group->actual.partition.granted
					  : NULL));
	json_object_object_add(object, "nodes", json_mask(&group->actual.nodes));
	json_object_object_add(object, "record", json_mask(status_record(status, group)));
	json_object_object_add(object, "threads", json_threads(&group->actual));
	json_object_object_add(object, "drift",
		group->kind != DRIFT_NONE ? json_object_new_string(drift_names[group->kind])
					  : NULL);
	json_object_object_add(object, "text", text[0] != '\0' ? json_text(text) : NULL);
	return object;
}

json_object *
status_json(const struct status *status)
{
	json_object *object = json_guest(&status->pin), *groups = json_object_new_array();
	for (size_t i = 0; i < status->drift.count; i++)
		json_object_array_add(groups, json_group(status, &status->drift.groups[i]));
	json_object_object_add(
		object, "state", json_object_new_string(status_state_name(status->state)));
	json_object_object_add(object, "groups", groups);
	json_object_object_add(
		object, "notes", json_messages(&status->pin.messages, &status->pin.host->rules));
	return object;
}
