#include "guest/thread_group.h"

#include "base/cpumask.h"

#include <stdio.h>
#include <string.h>

char *
group_name(struct group group, char out[GROUP_NAME_MAX])
{
	if (group.kind == GROUP_EMULATOR)
		snprintf(out, GROUP_NAME_MAX, "emulator");
	else
		snprintf(out, GROUP_NAME_MAX, "%s%u",
			group.kind == GROUP_VCPU ? "vcpu" : "iothread", group.id);
	return out;
}

bool
group_parse(const char *name, struct group *group)
{
	*group = (struct group){.kind = GROUP_EMULATOR};
	if (strcmp(name, "emulator") == 0)
		return true;
	const char *digits = NULL;
	if (strncmp(name, "vcpu", 4) == 0) {
		group->kind = GROUP_VCPU;
		digits = name + 4;
	} else if (strncmp(name, "iothread", 8) == 0) {
		group->kind = GROUP_IOTHREAD;
		digits = name + 8;
	}
	return digits != NULL && cpumask_parse_number(&digits, 0xffffffff, &group->id) == 0 &&
	       *digits == '\0';
}

int
group_compare(struct group a, struct group b)
{
	if (a.kind != b.kind)
		return a.kind < b.kind ? -1 : 1;
	return (a.id > b.id) - (a.id < b.id);
}
