/* SPDX-License-Identifier: MIT */
/* Opens the cgroups of a running guest: finds their directory, lists the groups, reads their masks.
 */
#include "cgroup/cgroup.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "cgroup/exclusive.h"
#include "cgroup/files.h"
#include "cgroup/hierarchy.h"
#include "cgroup/lost_cpus.h"
#include "cgroup/qemu_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
compare_groups(const void *a, const void *b)
{
	return thread_group_compare(
		*(const struct thread_group *)a, *(const struct thread_group *)b);
}

/* Lists the groups, sorted. *groups, of *count items, is to be freed by the caller in any case. */
static int
list_names(const struct cgroup *cgroup, struct thread_group **groups, size_t *count, struct err *e)
{
	int fd = openat(cgroup->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (directory == NULL)
		return err_errno(e, "%s", cgroup->path);
	int r = 0;
	for (;;) {
		struct thread_group group;
		errno = 0;
		const struct dirent *entry = readdir(directory);
		if (entry == NULL && errno != 0)
			r = err_errno(e, "%s", cgroup->path);
		if (entry == NULL)
			break;
		if (!thread_group_parse(entry->d_name, &group))
			continue;
		struct thread_group *larger = array_grow(*groups, *count, sizeof(*larger));
		if (larger == NULL) {
			r = err_set(e, "out of memory");
			break;
		}
		*groups = larger;
		(*groups)[(*count)++] = group;
	}
	closedir(directory);
	if (r == 0 && *count > 0)
		qsort(*groups, *count, sizeof(**groups), compare_groups);
	return r;
}

/* Makes cgroup->groups. Masks are large, so that room for them is made once all are counted. */
static int
list_groups(struct cgroup *cgroup, struct err *e)
{
	struct thread_group *names = NULL;
	size_t count = 0;
	int r = list_names(cgroup, &names, &count, e);
	if (r == 0 && (cgroup->groups = calloc(count + 1, sizeof(*cgroup->groups))) == NULL)
		r = err_set(e, "out of memory");
	for (size_t i = 0; names != NULL && cgroup->groups != NULL && i < count; i++)
		cgroup->groups[cgroup->group_count++].group = names[i];
	free(names);
	return r;
}

/*
 * Reads the mask of a group. A group that is removed, and made again at once, fails the first time
 * only. Returns 0 with *gone, or -1 with the reason.
 */
static int
read_group(const struct cgroup *cgroup, struct thread_group group, const char *file,
	struct cpumask *mask, bool *gone, struct err *e)
{
	*gone = false;
	if (cgroup_read_mask(cgroup, group, file, mask, e) == 0)
		return 0;
	*gone = !cgroup_has_group(cgroup, group);
	if (*gone || cgroup_read_mask(cgroup, group, file, mask, e) == 0)
		return 0;
	*gone = !cgroup_has_group(cgroup, group);
	return *gone ? 0 : -1;
}

/* Reads a mask of all groups, each into cpus or nodes, and drops those that are gone. */
static int
read_groups(struct cgroup *cgroup, bool nodes, struct err *e)
{
	const char *file = nodes ? "cpuset.mems" : "cpuset.cpus";
	size_t kept = 0;
	for (size_t i = 0; i < cgroup->group_count; i++) {
		struct cgroup_child *child = &cgroup->groups[i];
		bool gone = false;
		if (!child->to_be_made &&
			read_group(cgroup, child->group, file, nodes ? &child->nodes : &child->now,
				&gone, e) != 0)
			return -1;
		if (gone)
			continue;
		if (kept != i)
			cgroup->groups[kept] = *child;
		kept++;
	}
	cgroup->group_count = kept;
	return 0;
}

/*
 * Reads the partitions of vCPUs. The directory of the groups has exclusive CPUs once a partition
 * was made in it; Linux before 6.7 has no such file.
 */
static int
read_partitions(struct cgroup *cgroup, struct err *e)
{
	char list[CPULIST_MAX];
	cgroup->partitioned = cgroup->v2 &&
			      file_read_value(cgroup->directory, "cpuset.cpus.exclusive", list,
				      sizeof(list)) == 0 &&
			      list[0] != '\0';
	for (size_t i = 0; cgroup->partitioned && i < cgroup->group_count; i++)
		if (cgroup->groups[i].group.kind == GROUP_VCPU &&
			exclusive_read(cgroup, cgroup->groups[i].group,
				&cgroup->groups[i].partition, e) != 0)
			return -1;
	return 0;
}

static int
read_masks(struct cgroup *cgroup, struct err *e)
{
	if (cgroup_read_list(
		    cgroup->directory, cgroup_effective_file(cgroup), &cgroup->allowed, e) != 0)
		return err_context(e, "%s", cgroup->path);
	if (!cgroup->v2)
		lost_cpus_find(cgroup);
	return read_groups(cgroup, false, e) == 0 ? read_partitions(cgroup, e) : -1;
}

int
cgroup_read_granted_nodes(struct cgroup *cgroup, struct err *e)
{
	if (cgroup_read_list(
		    cgroup->directory, cgroup_effective_nodes_file(cgroup), &cgroup->nodes, e) != 0)
		return err_context(e, "%s", cgroup->path);
	return 0;
}

int
cgroup_read_memory(struct cgroup *cgroup, struct err *e)
{
	if (cpumask_empty(&cgroup->nodes) && cgroup_read_granted_nodes(cgroup, e) != 0)
		return -1;
	return read_groups(cgroup, true, e);
}

/*
 * Returns the length of the part of path, of length bytes, that is the outermost directory that
 * libvirt makes for a QEMU guest; 0 if it makes no such path. That ends in
 * "machine-qemu\x2dID\x2dNAME.scope/libvirt", without the last component before libvirt 7.1, or in
 * "qemu-ID-NAME.libvirt-qemu" without systemd (virCgroupNewMachine(), src/util/vircgroup.c;
 * virSystemdMakeScopeName(), src/util/virsystemd.c). Names are cut and filtered, so they cannot be
 * compared with the guest's.
 */
static size_t
guest_directory(const char *path, size_t length)
{
	static const char scope[] = "machine-qemu\\x2d", level[] = "/libvirt";
	static const char *const ends[] = {".scope", ".libvirt-qemu"};
	if (length > sizeof(level) - 1 &&
		memcmp(path + length - (sizeof(level) - 1), level, sizeof(level) - 1) == 0)
		length -= sizeof(level) - 1;
	const char *slash = memrchr(path, '/', length);
	const char *name = slash != NULL ? slash + 1 : path;
	size_t name_length = length - (size_t)(name - path);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		size_t end = strlen(ends[i]);
		if (name_length > end && memcmp(path + length - end, ends[i], end) == 0)
			return i > 0 || strncmp(name, scope, sizeof(scope) - 1) == 0 ? length : 0;
	}
	return 0;
}

/* Opens the directory of the groups. QEMU's main thread is in its child "emulator". */
static enum cgroup_result
open_directory(int root, struct cgroup_location *location, struct cgroup *cgroup, struct err *e)
{
	static const char last[] = "/emulator";
	size_t length = strlen(location->path), end = sizeof(last) - 1;
	if (length <= end || strcmp(location->path + length - end, last) != 0) {
		err_set(e,
			"process %d is in cgroup '/%s', which does not end in '%s': libvirt made "
			"no cgroups for this guest's threads",
			(int)cgroup->pid, location->path, last);
		return CGROUP_NO_GROUPS;
	}
	size_t own = guest_directory(location->path, length - end);
	if (own == 0) {
		err_set(e, "process %d is in cgroup '/%s', which libvirt did not make for a guest",
			(int)cgroup->pid, location->path);
		return CGROUP_NO_GROUPS;
	}
	location->path[length - end] = '\0';
	cgroup->v2 = location->v2;
	cgroup->mount_length = strlen(location->mount);
	cgroup->own_length = cgroup->mount_length + 1 + own;
	if (asprintf(&cgroup->path, "%s/%s", location->mount, location->path) < 0) {
		cgroup->path = NULL;
		return err_set(e, "out of memory");
	}
	cgroup->mount = file_open_directory(root, location->mount + 1);
	if (cgroup->mount < 0)
		return err_errno(e, "%s", location->mount);
	cgroup->directory = file_open_directory(cgroup->mount, location->path);
	if (cgroup->directory < 0)
		return err_errno(e, "%s", cgroup->path);
	return CGROUP_OK;
}

enum cgroup_result
cgroup_open(int root, const char *name, struct cgroup *cgroup, struct err *e)
{
	struct cgroup result = {.root = root, .mount = -1, .directory = -1};
	struct cgroup_location location;
	switch (qemu_process_find(root, name, &result.pid, e)) {
	case QEMU_PROCESS_FOUND:
		break;
	case QEMU_PROCESS_NOT_RUNNING:
		return CGROUP_NOT_RUNNING;
	case QEMU_PROCESS_ERROR:
		return CGROUP_ERROR;
	}
	if (hierarchy_find_cgroup(root, result.pid, &location, e) != 0)
		return CGROUP_ERROR;
	enum cgroup_result r = open_directory(root, &location, &result, e);
	if (r == CGROUP_OK && (list_groups(&result, e) != 0 || read_masks(&result, e) != 0))
		r = CGROUP_ERROR;
	if (r != CGROUP_OK)
		cgroup_free(&result);
	else
		*cgroup = result;
	return r;
}

void
cgroup_free(struct cgroup *cgroup)
{
	cleanup_close(&cgroup->mount);
	cleanup_close(&cgroup->directory);
	free(cgroup->path);
	free(cgroup->groups);
	*cgroup = (struct cgroup){.mount = -1, .directory = -1};
}

enum cgroup_result
cgroup_find_limit(const struct cgroup *cgroup, const char *file, const struct cpumask *wanted,
	char *name, size_t size, struct cpumask *granted, struct err *e)
{
	const char *below_mount = cgroup->path + cgroup->mount_length + 1;
	for (const char *end = below_mount; *end != '\0';) {
		end += strspn(end, "/");
		const char *start = end;
		end += strcspn(end, "/");
		char path[PATH_MAX];
		int n = snprintf(
			path, sizeof(path), "%.*s/%s", (int)(end - below_mount), below_mount, file);
		if (n < 0 || (size_t)n >= sizeof(path))
			return err_set(e, "%s: too long", cgroup->path);
		if (cgroup_read_list(cgroup->mount, path, granted, e) != 0)
			return -1;
		if (!cpumask_subset(wanted, granted)) {
			snprintf(name, size, "%.*s", (int)(end - start), start);
			return CGROUP_OK;
		}
	}
	return CGROUP_NO_LIMIT;
}
