/* SPDX-License-Identifier: MIT */
#include "guest/thread_group.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>

char *
thread_group_name(struct thread_group group, char out[THREAD_GROUP_NAME_MAX])
{
	if (group.kind == GROUP_EMULATOR)
		snprintf(out, THREAD_GROUP_NAME_MAX, "emulator");
	else if (group.kind == GROUP_VHOST)
		snprintf(out, THREAD_GROUP_NAME_MAX, "vhost");
	else
		snprintf(out, THREAD_GROUP_NAME_MAX, "%s%u",
			group.kind == GROUP_VCPU ? "vcpu" : "iothread", group.id);
	return out;
}

char *
thread_group_run_name(struct thread_group first, unsigned last, char out[THREAD_GROUP_RUN_MAX])
{
	char name[THREAD_GROUP_NAME_MAX];
	thread_group_name(first, name);
	if (last == first.id)
		snprintf(out, THREAD_GROUP_RUN_MAX, "%s", name);
	else
		snprintf(out, THREAD_GROUP_RUN_MAX, "%s-%u", name, last);
	return out;
}

bool
thread_group_parse(const char *name, struct thread_group *group)
{
	*group = (struct thread_group){.kind = GROUP_EMULATOR};
	if (strcmp(name, "emulator") == 0)
		return true;
	const char *digits = NULL;
	group->kind = GROUP_VHOST;
	if (strcmp(name, "vhost") == 0)
		return true;
	if (strncmp(name, "vcpu", 4) == 0) {
		group->kind = GROUP_VCPU;
		digits = name + 4;
	} else if (strncmp(name, "iothread", 8) == 0) {
		group->kind = GROUP_IOTHREAD;
		digits = name + 8;
	}
	return digits != NULL && number_parse(&digits, 0xffffffff, &group->id) == 0 &&
	       *digits == '\0';
}

int
thread_group_compare(struct thread_group a, struct thread_group b)
{
	if (a.kind != b.kind)
		return a.kind < b.kind ? -1 : 1;
	return (a.id > b.id) - (a.id < b.id);
}
