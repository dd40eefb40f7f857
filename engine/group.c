#include "group.h"

#include <stdio.h>

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

int
group_compare(struct group a, struct group b)
{
	if (a.kind != b.kind)
		return a.kind < b.kind ? -1 : 1;
	return (a.id > b.id) - (a.id < b.id);
}
