#include "cgroup/cgroup.h"

#include "base/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* All threads of a host: pid_max is at most 4 Mi, each with up to 7 digits and a newline. */
#define THREADS_FILE_MAX ((size_t)32 * 1024 * 1024)

static const char *
effective_file(bool v2)
{
	return v2 ? "cpuset.cpus.effective" : "cpuset.effective_cpus";
}

const char *
scope_effective_file(const struct scope *scope)
{
	return effective_file(scope->v2);
}

const char *
scope_effective_nodes_file(const struct scope *scope)
{
	return scope->v2 ? "cpuset.mems.effective" : "cpuset.effective_mems";
}

static int
read_mask(int directory, const char *path, struct cpumask *mask, struct err *e)
{
	char list[CPULIST_MAX];
	if (file_read_value(directory, path, list, sizeof(list)) != 0)
		return errno == ENOENT
			       ? err_set(e, "%s: controller cpuset is not available here", path)
			       : err_errno(e, "%s", path);
	return cpumask_parse(list, mask, e) != 0 ? err_context(e, "%s", path) : 0;
}

static void
group_file(struct group group, const char *file, char *out, size_t size)
{
	char name[GROUP_NAME_MAX];
	snprintf(out, size, "%s/%s", group_name(group, name), file);
}

int
scope_read_mask(const struct scope *scope, struct group group, const char *file,
	struct cpumask *mask, struct err *e)
{
	char path[64];
	group_file(group, file, path, sizeof(path));
	return read_mask(scope->directory, path, mask, e) != 0 ? err_context(e, "%s", scope->path)
							       : 0;
}

int
scope_write_mask(
	const struct scope *scope, struct group group, const char *file, const struct cpumask *mask)
{
	char path[64], list[CPULIST_MAX];
	group_file(group, file, path, sizeof(path));
	cpumask_format(mask, list, sizeof(list) - 1);
	/* Only v2 has empty ones. To write nothing would not reach the kernel; a newline does. */
	if (list[0] == '\0')
		strcpy(list, "\n");
	return file_write_value(scope->directory, path, list, strlen(list));
}

static int
compare_groups(const void *a, const void *b)
{
	return group_compare(*(const struct group *)a, *(const struct group *)b);
}

/* The names of the groups, in order. *groups, count of them, is the caller's, also on failure. */
static int
list_names(const struct scope *scope, struct group **groups, size_t *count, struct err *e)
{
	int fd = openat(scope->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	if (directory == NULL)
		return err_errno(e, "%s", scope->path);
	size_t room = 0;
	int r = 0;
	for (;;) {
		struct group group;
		errno = 0;
		const struct dirent *entry = readdir(directory);
		if (entry == NULL && errno != 0)
			r = err_errno(e, "%s", scope->path);
		if (entry == NULL)
			break;
		if (!group_parse(entry->d_name, &group))
			continue;
		if (*count == room) {
			room = room == 0 ? 64 : 2 * room;
			struct group *larger = reallocarray(*groups, room, sizeof(*larger));
			if (larger == NULL) {
				r = err_set(e, "out of memory");
				break;
			}
			*groups = larger;
		}
		(*groups)[(*count)++] = group;
	}
	closedir(directory);
	if (r == 0 && *count > 0)
		qsort(*groups, *count, sizeof(**groups), compare_groups);
	return r;
}

/* Their masks are large: there is room for them once it is known how many there are. */
static int
list_groups(struct scope *scope, struct err *e)
{
	struct group *names = NULL;
	size_t count = 0;
	int r = list_names(scope, &names, &count, e);
	if (r == 0 && (scope->groups = calloc(count + 1, sizeof(*scope->groups))) == NULL)
		r = err_set(e, "out of memory");
	for (size_t i = 0; names != NULL && scope->groups != NULL && i < count; i++)
		scope->groups[scope->group_count++].group = names[i];
	free(names);
	return r;
}

static int
read_masks(struct scope *scope, struct err *e)
{
	if (read_mask(scope->directory, scope_effective_file(scope), &scope->allowed, e) != 0)
		return err_context(e, "%s", scope->path);
	for (size_t i = 0; i < scope->group_count; i++)
		if (scope_read_mask(scope, scope->groups[i].group, "cpuset.cpus",
			    &scope->groups[i].now, e) != 0)
			return -1;
	return 0;
}

int
scope_read_memory(struct scope *scope, struct err *e)
{
	if (read_mask(scope->directory, scope_effective_nodes_file(scope), &scope->nodes, e) != 0)
		return err_context(e, "%s", scope->path);
	for (size_t i = 0; i < scope->group_count; i++)
		if (scope_read_mask(scope, scope->groups[i].group, "cpuset.mems",
			    &scope->groups[i].nodes, e) != 0)
			return -1;
	return 0;
}

/* QEMU's main thread is in ".../emulator"; the other groups are next to that. */
static int
open_directory(int root, struct process_cgroup *cgroup, struct scope *scope, struct err *e)
{
	static const char last[] = "/emulator";
	size_t length = strlen(cgroup->path), end = sizeof(last) - 1;
	if (length <= end || strcmp(cgroup->path + length - end, last) != 0) {
		err_set(e,
			"process %d is in cgroup '/%s', which does not end in '%s': libvirt made "
			"no cgroups for this guest's threads",
			(int)scope->pid, cgroup->path, last);
		return SCOPE_NO_GROUPS;
	}
	cgroup->path[length - end] = '\0';
	scope->v2 = cgroup->v2;
	scope->mount_length = strlen(cgroup->mount);
	if (asprintf(&scope->path, "%s/%s", cgroup->mount, cgroup->path) < 0) {
		scope->path = NULL;
		return err_set(e, "out of memory");
	}
	scope->mount = file_open_directory(root, cgroup->mount + 1);
	if (scope->mount < 0)
		return err_errno(e, "%s", cgroup->mount);
	scope->directory = file_open_directory(scope->mount, cgroup->path);
	if (scope->directory < 0)
		return err_errno(e, "%s", scope->path);
	return 0;
}

int
scope_open(int root, const char *name, struct scope *scope, struct err *e)
{
	struct scope result = {.mount = -1, .directory = -1};
	struct process_cgroup cgroup;
	int r = process_find(root, name, &result.pid, e);
	if (r != 0)
		return r;
	r = process_find_cgroup(root, result.pid, &cgroup, e);
	if (r == 0)
		r = open_directory(root, &cgroup, &result, e);
	if (r == 0 && (list_groups(&result, e) != 0 || read_masks(&result, e) != 0))
		r = -1;
	if (r != 0)
		scope_free(&result);
	else
		*scope = result;
	return r;
}

void
scope_free(struct scope *scope)
{
	file_close(&scope->mount);
	file_close(&scope->directory);
	free(scope->path);
	free(scope->groups);
	*scope = (struct scope){.mount = -1, .directory = -1};
}

bool
scope_has_group(const struct scope *scope, struct group group)
{
	char name[GROUP_NAME_MAX];
	return faccessat(scope->directory, group_name(group, name), F_OK, 0) == 0;
}

int
scope_threads(const struct scope *scope, struct group group, pid_t **tids, size_t *count)
{
	char path[64];
	AUTO_FREE char *text = NULL;
	size_t length;
	group_file(group, scope->v2 ? "cgroup.threads" : "tasks", path, sizeof(path));
	if (file_read_all_at(scope->directory, path, THREADS_FILE_MAX, &text, &length) != 0)
		return -1;
	size_t lines = 0;
	for (const char *s = text; (s = strchr(s, '\n')) != NULL; s++)
		lines++;
	pid_t *list = calloc(lines + 1, sizeof(*list));
	if (list == NULL)
		return -1;
	*count = 0;
	for (const char *s = text; *s != '\0' && *count < lines; s += *s == '\n') {
		unsigned tid;
		/*
		 * 0 is a thread of another pid namespace; to sched_setaffinity(2) it would mean
		 * ourselves.
		 */
		if (cpumask_parse_number(&s, 0x7fffffff, &tid) != 0 || *s != '\n' || tid == 0) {
			free(list);
			errno = EPROTO;
			return -1;
		}
		list[(*count)++] = (pid_t)tid;
	}
	*tids = list;
	return 0;
}

int
scope_find_limit(const struct scope *scope, const char *file, const struct cpumask *wanted,
	char *name, size_t size, struct cpumask *granted, struct err *e)
{
	const char *below_mount = scope->path + scope->mount_length + 1;
	for (const char *end = below_mount; *end != '\0';) {
		end += strspn(end, "/");
		const char *start = end;
		end += strcspn(end, "/");
		char path[PATH_MAX];
		int n = snprintf(
			path, sizeof(path), "%.*s/%s", (int)(end - below_mount), below_mount, file);
		if (n < 0 || (size_t)n >= sizeof(path))
			return err_set(e, "%s: too long", scope->path);
		if (read_mask(scope->mount, path, granted, e) != 0)
			return -1;
		if (!cpumask_subset(wanted, granted)) {
			snprintf(name, size, "%.*s", (int)(end - start), start);
			return 0;
		}
	}
	return 1;
}

int
scope_partition(int root, const char **name, struct cpumask *granted, struct err *e)
{
	static const char *const names[] = {"machine.slice", "machine"};
	struct process_cgroup cgroup;
	if (process_find_mount(root, &cgroup, e) != 0)
		return -1;
	AUTO_CLOSE int mount = file_open_directory(root, cgroup.mount + 1);
	if (mount < 0)
		return err_errno(e, "%s", cgroup.mount);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64];
		snprintf(path, sizeof(path), "%s/%s", names[i], effective_file(cgroup.v2));
		if (faccessat(mount, path, F_OK, 0) != 0)
			continue;
		*name = names[i];
		return read_mask(mount, path, granted, e);
	}
	return 1;
}
