/* SPDX-License-Identifier: MIT */
/* Finds the cgroup of a partition, as libvirt names it, and reads the CPUs that it grants. */
#include "cgroup/partition.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "cgroup/files.h"
#include "cgroup/hierarchy.h"

#include <ctype.h>
#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A path that is being written. */
struct path {
	char text[PATH_MAX];
	size_t length;
	bool too_long;
};

static void
append(struct path *path, const char *text, size_t length)
{
	if (path->too_long || path->length + length >= sizeof(path->text)) {
		path->too_long = true;
		return;
	}
	memcpy(path->text + path->length, text, length);
	path->length += length;
	path->text[path->length] = '\0';
}

/* Appends a part of a slice's name: systemd.unit(5), "String Escaping", as libvirt escapes. */
static void
append_escaped(struct path *path, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		char hex[5];
		bool plain = isalnum((unsigned char)text[i]) || strchr(":_", text[i]) != NULL ||
			     (text[i] == '.' && i > 0);
		snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)text[i]);
		append(path, plain ? &text[i] : hex, plain ? 1 : 4);
	}
}

/*
 * Writes the directory of a partition with systemd, whose slices lie within one another by the
 * dashes of their names, or without.
 */
static void
partition_path(const char *name, bool systemd, struct path *path)
{
	struct path unit = {.length = 0};
	*path = (struct path){.length = 0};
	for (const char *part = name + 1, *end; *part != '\0'; part = end + (*end == '/')) {
		end = part + strcspn(part, "/");
		size_t length = (size_t)(end - part);
		append(path, "/", path->length > 0 ? 1 : 0);
		if (systemd) {
			append(&unit, "-", unit.length > 0 ? 1 : 0);
			append_escaped(&unit, part, length);
			append(path, unit.text, unit.length);
			append(path, ".slice", strlen(".slice"));
		} else {
			append(path, part, length);
			if (part > name + 1 && memchr(part, '.', length) == NULL)
				append(path, ".partition", strlen(".partition"));
		}
	}
	path->too_long |= unit.too_long;
}

/* True if libvirt takes this for a partition, and it leads nowhere else. */
static bool
is_partition(const char *name)
{
	char text[PATH_MAX + 2];
	int n = snprintf(text, sizeof(text), "%s/", name);
	return n > 2 && (size_t)n < sizeof(text) && name[0] == '/' && strstr(text, "//") == NULL &&
	       strstr(text, "/./") == NULL && strstr(text, "/../") == NULL;
}

/*
 * Reads what the innermost directory of path that has a cpuset grants. Returns CGROUP_NO_PARTITION
 * if there is none.
 */
static enum cgroup_result
find_innermost(int mount, const struct cgroup_location *location, struct path *path,
	struct partition *partition, struct err *e)
{
	const char *file = cgroup_files(location->v2)->effective_cpus;
	char *slash = path->text + path->length;
	for (; slash != NULL && !path->too_long; slash = strrchr(path->text, '/')) {
		char full[PATH_MAX + 64];
		*slash = '\0';
		snprintf(full, sizeof(full), "%s/%s", path->text, file);
		if (faccessat(mount, full, F_OK, 0) != 0)
			continue;
		const char *last = strrchr(path->text, '/');
		snprintf(partition->name, sizeof(partition->name), "%.*s", NAME_MAX,
			last != NULL ? last + 1 : path->text);
		snprintf(partition->path, sizeof(partition->path), "%s/%s", location->mount,
			path->text);
		partition->v2 = location->v2;
		return cgroup_read_list(mount, full, &partition->granted, e) == 0 ? CGROUP_OK
										  : CGROUP_ERROR;
	}
	return CGROUP_NO_PARTITION;
}

/* Opens the root of the cpuset hierarchy. Returns an fd, or -1 with the reason. */
static int
open_mount(int root, struct cgroup_location *location, struct err *e)
{
	if (hierarchy_find_mount(root, location, e) != 0)
		return -1;
	int mount = file_open_directory(root, location->mount + 1);
	return mount >= 0 ? mount : err_errno(e, "%s", location->mount);
}

enum cgroup_result
partition_find(int root, const char *name, struct partition *partition, struct err *e)
{
	struct cgroup_location location;
	AUTO_CLOSE int mount = open_mount(root, &location, e);
	if (mount < 0)
		return CGROUP_ERROR;
	enum cgroup_result r = CGROUP_NO_PARTITION;
	for (int systemd = 1; systemd >= 0 && r == CGROUP_NO_PARTITION; systemd--) {
		struct path path;
		partition_path(name != NULL && is_partition(name) ? name : PARTITION_DEFAULT,
			systemd, &path);
		r = find_innermost(mount, &location, &path, partition, e);
	}
	return r;
}

/* True if that is what libvirt or systemd calls a partition within the default one. */
static bool
is_partition_name(const char *name)
{
	return fnmatch("machine-*.slice", name, 0) == 0 || fnmatch("*.partition", name, 0) == 0;
}

size_t
partition_find_narrower(int root, struct partition found[], size_t max)
{
	struct partition all;
	struct err ignored;
	struct cgroup_location location;
	size_t count = 0;
	AUTO_CLOSE int mount = open_mount(root, &location, &ignored);
	if (mount < 0 || partition_find(root, NULL, &all, &ignored) != CGROUP_OK)
		return 0;
	int fd = file_open_directory(mount, all.name);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	for (const struct dirent *entry;
		directory != NULL && count < max && (entry = readdir(directory)) != NULL;) {
		char path[NAME_MAX + 64];
		snprintf(path, sizeof(path), "%s/%s", entry->d_name,
			cgroup_files(location.v2)->effective_cpus);
		struct partition *part = &found[count];
		if (is_partition_name(entry->d_name) &&
			cgroup_read_list(fd, path, &part->granted, &ignored) == 0 &&
			!cpumask_subset(&all.granted, &part->granted)) {
			snprintf(part->name, sizeof(part->name), "%s", entry->d_name);
			count++;
		}
	}
	if (directory != NULL)
		closedir(directory);
	else if (fd >= 0)
		close(fd);
	return count;
}
