/* SPDX-License-Identifier: MIT */
#include "desired/desired.h"

#include <stdlib.h>

bool
desired_vcpu_has_cpus(const struct desired_group *group)
{
	return group->group.kind == GROUP_VCPU && group->mask != NULL;
}

int
desired_group_compare(const void *a, const void *b)
{
	return thread_group_compare(
		((const struct desired_group *)a)->group, ((const struct desired_group *)b)->group);
}

void
desired_free(struct desired *desired)
{
	free(desired->masks);
	free(desired->per_vcpu);
	free(desired->groups);
	*desired = (struct desired){0};
}

const struct desired_group *
desired_find(const struct desired *desired, struct thread_group group)
{
	struct desired_group key = {.group = group};
	return bsearch(
		&key, desired->groups, desired->group_count, sizeof(key), desired_group_compare);
}
