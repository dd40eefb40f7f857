/* SPDX-License-Identifier: MIT */
#include "cgroup/qemu_process.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "guest/domain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A host with thousands of guests and containers has thousands of mounts. */
#define PROC_FILE_MAX ((size_t)16 * 1024 * 1024)

/*
 * The guest's name as libvirt spells it in the name of the pid file: virPidFileBuildPath() prints
 * with virBufferEscapeString(), which is meant for XML and drops the control characters that XML
 * has no place for.
 */
static int
pid_file_name(const char *name, char *out, size_t size)
{
	size_t used = 0;
	for (const unsigned char *s = (const unsigned char *)name; *s != '\0'; s++) {
		char plain[2] = {(char)*s, '\0'};
		const char *text = *s == '<'	? "&lt;"
				   : *s == '>'	? "&gt;"
				   : *s == '&'	? "&amp;"
				   : *s == '"'	? "&quot;"
				   : *s == '\'' ? "&apos;"
						: plain;
		if (*s < 0x20 && strchr("\t\n\r", *s) == NULL)
			continue;
		size_t length = strlen(text);
		if (used + length >= size)
			return -1;
		memcpy(out + used, text, length);
		used += length;
	}
	out[used] = '\0';
	return 0;
}

/* QEMU holds a POSIX lock on its pid file for life, so the kernel itself says who it is. */
static int
find_by_pid_file(int root, const char *path, pid_t *pid, struct err *e)
{
	AUTO_CLOSE int fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == ENAMETOOLONG ? QEMU_PROCESS_NOT_RUNNING
								: err_errno(e, "/%s", path);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(fd, F_GETLK, &lock) != 0)
		return err_errno(e, "/%s", path);
	if (lock.l_type != F_UNLCK && lock.l_pid <= 0)
		return err_set(e, "/%s: held by a process that is not in this pid namespace", path);
	if (lock.l_type == F_UNLCK) {
		err_set(e, "/%s is left over: no process holds it locked", path);
		return QEMU_PROCESS_NOT_RUNNING;
	}
	*pid = lock.l_pid;
	return 0;
}

static int
find_by_status_file(int root, const char *name, pid_t *pid, struct err *e)
{
	char path[PATH_MAX];
	AUTO_FREE char *xml = NULL;
	size_t length;
	snprintf(path, sizeof(path), "%s/%s.xml", QEMU_RUN_DIRECTORY, name);
	if (file_read_all_at(root, path, DOMAIN_XML_MAX, &xml, &length) != 0) {
		if (errno != ENOENT && errno != ENAMETOOLONG)
			return err_errno(e, "/%s", path);
		err_set(e, "not running here: no pid file and no status file in /%s",
			QEMU_RUN_DIRECTORY);
		return QEMU_PROCESS_NOT_RUNNING;
	}
	int found = domain_parse_status_pid(xml, length, e);
	if (found < 0)
		return err_context(e, "/%s", path);
	*pid = found;
	return 0;
}

int
qemu_process_find(int root, const char *name, pid_t *pid, struct err *e)
{
	char escaped[PATH_MAX / 2], path[PATH_MAX];
	if (strchr(name, '/') != NULL)
		return err_set(e, "a guest's name has no '/'");
	if (strlen(name) > NAME_MAX || pid_file_name(name, escaped, sizeof(escaped)) != 0)
		return err_set(e, "the guest's name is longer than %d bytes", NAME_MAX);
	snprintf(path, sizeof(path), "%s/%s.pid", QEMU_RUN_DIRECTORY, escaped);
	e->text[0] = '\0';
	int r = find_by_pid_file(root, path, pid, e);
	if (r != QEMU_PROCESS_NOT_RUNNING || e->text[0] != '\0')
		return r;
	return find_by_status_file(root, name, pid, e);
}

/* The kernel's word of flags, the 9th field of stat in proc(5), has this since ever. */
#define PF_EXITING 0x4u

bool
qemu_process_is_exiting(int root, pid_t pid)
{
	char path[64], stat[1024];
	unsigned flags;
	snprintf(path, sizeof(path), "proc/%d/stat", (int)pid);
	if (file_read_value(root, path, stat, sizeof(stat)) != 0)
		return false;
	/* the second field, a name in brackets, can hold anything */
	const char *field = strrchr(stat, ')');
	for (int i = 2; i < 9 && field != NULL; i++)
		field = strchr(field + 1, ' ');
	if (field == NULL)
		return false;
	field++;
	return number_parse(&field, UINT_MAX, &flags) == 0 && (flags & PF_EXITING) != 0;
}

bool
qemu_process_has_ended(int root, const char *name)
{
	pid_t pid = 0;
	struct err e;
	int r = qemu_process_find(root, name, &pid, &e);
	return r == QEMU_PROCESS_NOT_RUNNING || (r == 0 && qemu_process_is_exiting(root, pid));
}

/* True for NAME.xml with a NAME, the status file of a guest. */
static int
is_status_file(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');
	return end != NULL && end != entry->d_name && strcmp(end, ".xml") == 0;
}

int
running_guests(int root, struct running_guests *guests, struct err *e)
{
	struct dirent **entries;
	int count = scandirat(root, QEMU_RUN_DIRECTORY, &entries, is_status_file, versionsort);
	*guests = (struct running_guests){0};
	if (count < 0 && errno == ENOENT)
		return 0;
	if (count < 0)
		return err_errno(e, "/%s", QEMU_RUN_DIRECTORY);
	guests->names = calloc((size_t)count + 1, sizeof(*guests->names));
	bool complete = guests->names != NULL;
	for (int i = 0; i < count; i++) {
		pid_t pid;
		struct err ignored;
		char *name = entries[i]->d_name;
		*strrchr(name, '.') = '\0';
		if (complete &&
			qemu_process_find(root, name, &pid, &ignored) != QEMU_PROCESS_NOT_RUNNING) {
			guests->names[guests->count] = strdup(name);
			complete = guests->names[guests->count] != NULL;
			guests->count += complete;
		}
		free(entries[i]);
	}
	free(entries);
	if (complete)
		return 0;
	running_guests_free(guests);
	return err_set(e, "out of memory");
}

void
running_guests_free(struct running_guests *guests)
{
	for (size_t i = 0; i < guests->count; i++)
		free(guests->names[i]);
	free(guests->names);
	*guests = (struct running_guests){0};
}

/* Whether a comma-separated list has the word. */
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
unescape(char *text)
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

/* The rest of path below prefix, without '/' in front; NULL if it is not below. */
static const char *
below(const char *path, const char *prefix)
{
	size_t length = strcmp(prefix, "/") == 0 ? 0 : strlen(prefix);
	if (strncmp(path, prefix, length) != 0 || (path[length] != '/' && path[length] != '\0'))
		return NULL;
	return path + length + strspn(path + length, "/");
}

/*
 * One line of mountinfo: "36 35 98:0 /root /mount/point options [tag...] - fstype source
 * super-options". True if it is the hierarchy that is looked for and path lies in the part of it
 * that is mounted there.
 */
static bool
take_mount(char *line, const char *path, struct cgroup_location *location)
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
	unescape(field[3]);
	unescape(field[4]);
	const char *rest = below(path, field[3]);
	if (rest == NULL || strlen(field[4]) >= sizeof(location->mount) ||
		strlen(rest) >= sizeof(location->path))
		return false;
	strcpy(location->mount, field[4]);
	strcpy(location->path, rest);
	return true;
}

/* Finds the mount that holds path, in the hierarchy that cgroup->v2 says. 0, 1 for none, or -1. */
static int
find_mount(int root, const char *path, struct cgroup_location *location, struct err *e)
{
	AUTO_FREE char *mounts = NULL;
	size_t length;
	if (file_read_all_at(root, "proc/self/mountinfo", PROC_FILE_MAX, &mounts, &length) != 0)
		return err_errno(e, "/proc/self/mountinfo");
	for (char *rest = mounts, *line; (line = strsep(&rest, "\n")) != NULL;)
		if (take_mount(line, path, location))
			return 0;
	return 1;
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
	int r = find_mount(root, path, location, e);
	if (r == 1)
		return err_set(e, "no %s hierarchy is mounted that holds '%s'",
			location->v2 ? "cgroup v2" : "cpuset", path);
	return r;
}

int
hierarchy_find_mount(int root, struct cgroup_location *location, struct err *e)
{
	location->v2 = false;
	int r = find_mount(root, "/", location, e);
	if (r == 1) {
		location->v2 = true;
		r = find_mount(root, "/", location, e);
	}
	return r == 1 ? err_set(e, "no cgroup hierarchy with the cpuset controller is mounted") : r;
}
