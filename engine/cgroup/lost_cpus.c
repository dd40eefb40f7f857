/* SPDX-License-Identifier: MIT */
#include "cgroup/lost_cpus.h"

#include "base/file.h"
#include "cgroup/files.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Reads an effective file of the directory whose path is the first length bytes of cgroup->path. */
static int
read_above(const struct cgroup *cgroup, size_t length, struct cpumask *mask, struct err *e)
{
	char path[PATH_MAX];
	size_t start = cgroup->mount_length + 1;
	int n = snprintf(path, sizeof(path), "%.*s/%s", (int)(length - start), cgroup->path + start,
		cgroup_files(cgroup->v2)->effective_cpus);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, "%s: too long", cgroup->path);
	return cgroup_read_list(cgroup->mount, path, mask, e);
}

void
lost_cpus_find(struct cgroup *cgroup)
{
	struct cpumask above;
	struct err ignored;
	const char *slash = memrchr(cgroup->path, '/', cgroup->own_length);
	if (slash == NULL || (size_t)(slash - cgroup->path) <= cgroup->mount_length ||
		read_above(cgroup, (size_t)(slash - cgroup->path), &above, &ignored) != 0)
		return;
	cgroup->narrowed = !cpumask_subset(&above, &cgroup->allowed);
	cpumask_or(&cgroup->allowed, &above);
}

int
lost_cpus_widen(const struct cgroup *cgroup, struct err *e)
{
	char list[CPULIST_MAX];
	cpumask_format(&cgroup->allowed, list, sizeof(list));
	for (size_t length = cgroup->own_length;;) {
		char path[PATH_MAX];
		size_t start = cgroup->mount_length + 1;
		int n = snprintf(path, sizeof(path), "%.*s/cpuset.cpus", (int)(length - start),
			cgroup->path + start);
		if (n < 0 || (size_t)n >= sizeof(path))
			return err_set(e, "%s: too long", cgroup->path);
		if (file_write_value(cgroup->mount, path, list, strlen(list)) != 0)
			return err_errno(e, "%s: writing %s", path, list);
		if (cgroup->path[length] == '\0')
			return 0;
		length += 1 + strcspn(cgroup->path + length + 1, "/");
	}
}
