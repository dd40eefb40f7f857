/* SPDX-License-Identifier: MIT */
/* Parses /proc/PID/cgroup and /proc/self/mountinfo, both of which hold what users may name. */
#include "cgroup/hierarchy.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>

/* A host with thousands of guests and containers has thousands of mounts. */
#define PROC_FILE_MAX ((size_t)16 * 1024 * 1024)

/* True if the comma-separated list has the word. */
static bool
list_has(const char *list, const char *word)
{
	size_t length = strlen(word);
	for (const char *s = list; *s != '\0'; s += *s == ',') {
		size_t item = strcspn(s, ",");
		if (item == length && memcmp(s, word, item) == 0)
			return true;
		s += item;
	}
	return false;
}

/*
 * Picks from /proc/PID/cgroup, lines "ID:CONTROLLERS:PATH", the cgroup with the cpuset, else v2's
 * ("0::").
 */
static int
choose_line(char *text, struct cgroup_location *location, const char **path)
{
	*path = NULL;
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
		const char *id = strsep(&line, ":");
		const char *controllers = strsep(&line, ":");
		if (controllers == NULL || line == NULL)
			continue;
		bool v1 = list_has(controllers, "cpuset");
		if (!v1 && strcmp(id, "0") != 0)
			continue;
		*path = line;
		location->v2 = !v1;
		if (v1)
			break;
	}
	return *path != NULL ? 0 : -1;
}

/* Undoes the kernel's escapes, \ooo for white space and backslash, in place. */
static void
unescape_octal(char *text)
{
	char *out = text;
	for (const char *s = text; *s != '\0';) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
			s[3] >= '0' && s[3] <= '7') {
			*out++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*out++ = *s++;
		}
	}
	*out = '\0';
}

/* Returns the rest of path below prefix, without a leading '/', or NULL if path is not below. */
static const char *
below(const char *path, const char *prefix)
{
	size_t length = strcmp(prefix, "/") == 0 ? 0 : strlen(prefix);
	if (strncmp(path, prefix, length) != 0 || (path[length] != '/' && path[length] != '\0'))
		return NULL;
	return path + length + strspn(path + length, "/");
}

/*
 * Parses one line of mountinfo, proc_pid_mountinfo(5): "36 35 98:0 /root /mount/point options
 * [tag...] - fstype source super-options". True, with mount and path of *location set, if it is
 * the hierarchy of location->v2 and path lies in the part that is mounted there.
 */
static bool
parse_mount(char *line, const char *path, struct cgroup_location *location)
{
	char *type = strstr(line, " - ");
	if (type == NULL)
		return false;
	*type = '\0';
	type += 3;
	char *field[5];
	for (size_t i = 0; i < 5; i++)
		if ((field[i] = strsep(&line, " ")) == NULL)
			return false;
	const char *fstype = strsep(&type, " ");
	strsep(&type, " ");
	if (type == NULL || strcmp(fstype, location->v2 ? "cgroup2" : "cgroup") != 0)
		return false;
	if (!location->v2 && !list_has(type, "cpuset"))
		return false;
	unescape_octal(field[3]);
	unescape_octal(field[4]);
	const char *rest = below(path, field[3]);
	if (rest == NULL || strlen(field[4]) >= sizeof(location->mount) ||
		strlen(rest) >= sizeof(location->path))
		return false;
	strcpy(location->mount, field[4]);
	strcpy(location->path, rest);
	return true;
}

/*
 * Finds the mount that holds path in the hierarchy that location->v2 selects. Returns 0 with
 * *found, or -1 with the reason.
 */
static int
find_mount(int root, const char *path, struct cgroup_location *location, bool *found, struct err *e)
{
	AUTO_FREE char *mounts = NULL;
	size_t length;
	*found = false;
	if (file_read_all_at(root, "proc/self/mountinfo", PROC_FILE_MAX, &mounts, &length) != 0)
		return err_errno(e, "/proc/self/mountinfo");
	for (char *rest = mounts, *line; !*found && (line = strsep(&rest, "\n")) != NULL;)
		*found = parse_mount(line, path, location);
	return 0;
}

int
hierarchy_find_cgroup(int root, pid_t pid, struct cgroup_location *location, struct err *e)
{
	char file[64];
	AUTO_FREE char *text = NULL;
	size_t length;
	const char *path;
	snprintf(file, sizeof(file), "proc/%d/cgroup", (int)pid);
	if (file_read_all_at(root, file, PROC_FILE_MAX, &text, &length) != 0)
		return err_errno(e, "/%s", file);
	if (choose_line(text, location, &path) != 0)
		return err_set(e, "/%s: no cgroup with the cpuset controller", file);
	if (strstr(path, "/..") != NULL)
		return err_set(e, "/%s: '%s' lies outside this cgroup namespace", file, path);
	bool found;
	if (find_mount(root, path, location, &found, e) != 0)
		return -1;
	if (!found)
		return err_set(e, "no %s hierarchy is mounted that holds '%s'",
			location->v2 ? "cgroup v2" : "cpuset", path);
	return 0;
}

int
hierarchy_find_mount(int root, struct cgroup_location *location, struct err *e)
{
	bool found = false;
	for (int v2 = 0; v2 < 2 && !found; v2++) {
		location->v2 = v2;
		if (find_mount(root, "/", location, &found, e) != 0)
			return -1;
	}
	if (!found)
		return err_set(e, "no cgroup hierarchy with the cpuset controller is mounted");
	return 0;
}
