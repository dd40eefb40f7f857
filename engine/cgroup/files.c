/* SPDX-License-Identifier: MIT */
#include "cgroup/files.h"

#include "base/file.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct cgroup_files v1_files = {
	.version = "v1",
	.threads = "tasks",
	.effective_cpus = "cpuset.effective_cpus",
	.effective_mems = "cpuset.effective_mems",
	.controllers = NULL,
	.empty_inherits = false,
};

static const struct cgroup_files v2_files = {
	.version = "v2",
	.threads = "cgroup.threads",
	.effective_cpus = "cpuset.cpus.effective",
	.effective_mems = "cpuset.mems.effective",
	.controllers = "cgroup.controllers",
	.empty_inherits = true,
};

const struct cgroup_files *
cgroup_files(bool v2)
{
	return v2 ? &v2_files : &v1_files;
}

int
cgroup_read_list(int directory, const char *path, struct cpumask *mask, struct err *e)
{
	char list[CPULIST_MAX];
	if (file_read_value(directory, path, list, sizeof(list)) != 0)
		return errno == ENOENT
			       ? err_set(e, "%s: controller cpuset is not available here", path)
			       : err_errno(e, "%s", path);
	return cpumask_parse(list, mask, e) != 0 ? err_context(e, "%s", path) : 0;
}

int
cgroup_write_text(
	int directory, const char *name, const char *path, const char *text, struct err *e)
{
	if (file_write_value(directory, path, text, strlen(text)) == 0)
		return 0;
	return err_errno(
		e, "cannot write %.*s to %s/%s", (int)strcspn(text, "\n"), text, name, path);
}
