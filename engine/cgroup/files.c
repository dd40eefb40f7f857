/* SPDX-License-Identifier: MIT */
#include "cgroup/files.h"

#include <stddef.h>

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
