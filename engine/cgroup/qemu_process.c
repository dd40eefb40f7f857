/* SPDX-License-Identifier: MIT */
/* Finds the process of a guest by what QEMU and libvirt keep in /run/libvirt/qemu. */
#include "cgroup/qemu_process.h"

#include "base/cleanup.h"
#include "base/number.h"
#include "cgroup/proc_stat.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * As much of a status file as is read: the comment that libvirt puts first, which names the guest,
 * and the start tag after it.
 */
#define STATUS_HEAD_MAX 4096

/* The kernel's flag of a process that is exiting, include/linux/sched.h; unchanged since 2.6. */
#define PF_EXITING 0x4u

/* A pid file as find_by_pid_file() finds it. */
enum pid_file {
	PID_FILE_ERROR = -1,
	PID_FILE_LOCKED,
	PID_FILE_LEFT_OVER, /* no process holds it locked */
	PID_FILE_ABSENT,
};

/*
 * Writes a guest's name to out as libvirt spells it in the name of the pid file:
 * virPidFileBuildPath() prints it with virBufferEscapeString(), which escapes for XML and drops the
 * control characters that XML cannot have. Returns 0, or -1 if it does not fit.
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

/*
 * Finds the process that holds the pid file locked. QEMU inherits from libvirt a POSIX write lock
 * on byte 0 and holds it for life (virPidFileAcquirePath(), src/util/virpidfile.c), so the kernel
 * itself names the process. Anybody may take read locks on the file, which is readable for all;
 * F_GETLK of a read lock reports write locks alone, and those need the file open for writing.
 */
static enum pid_file
find_by_pid_file(int root, const char *path, pid_t *pid, struct err *e)
{
	AUTO_CLOSE int fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENAMETOOLONG))
		return PID_FILE_ABSENT;
	if (fd < 0)
		return err_errno(e, "/%s", path);
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
	if (fcntl(fd, F_GETLK, &lock) != 0)
		return err_errno(e, "/%s", path);
	if (lock.l_type != F_WRLCK) {
		err_set(e, "/%s is left over: no process holds it locked", path);
		return PID_FILE_LEFT_OVER;
	}
	if (lock.l_pid <= 0)
		return err_set(e, "/%s: held by a process that is not in this pid namespace", path);
	*pid = lock.l_pid;
	return PID_FILE_LOCKED;
}

/* Returns the text after white space, comments and processing instructions; NULL if it is cut. */
static const char *
skip_prolog(const char *s)
{
	for (;;) {
		s += strspn(s, " \t\r\n");
		const char *end = strncmp(s, "<!--", 4) == 0 ? "-->"
				  : strncmp(s, "<?", 2) == 0 ? "?>"
							     : NULL;
		if (end == NULL)
			return s;
		if ((s = strstr(s + 2, end)) == NULL)
			return NULL;
		s += strlen(end);
	}
}

/*
 * Finds the value of the attribute called name in a tag, of which s is the text after its name.
 * Returns its start with *length, or NULL if the tag has no such attribute, is malformed or cut.
 */
static const char *
find_attribute(const char *s, const char *name, size_t *length)
{
	static const char space[] = " \t\r\n";
	const char *found = NULL;
	for (;;) {
		const char *start = s + strspn(s, space);
		if (start[0] == '>' || (start[0] == '/' && start[1] == '>'))
			return found;
		size_t n = strcspn(start, " \t\r\n=<>/");
		const char *after = start + n;
		if (start == s || n == 0 || after[0] != '=' ||
			(after[1] != '\'' && after[1] != '"'))
			return NULL;
		const char *value = after + 2, *end = strchr(value, after[1]);
		if (end == NULL)
			return NULL;
		if (n == strlen(name) && memcmp(start, name, n) == 0) {
			found = value;
			*length = (size_t)(end - value);
		}
		s = end + 1;
	}
}

/* Reads up to size - 1 bytes of the beginning of a file. Returns 0, or -1 with errno set. */
static int
read_head(int root, const char *path, char *text, size_t size)
{
	AUTO_CLOSE int fd = openat(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, size - 1) : -1;
	if (n < 0)
		return -1;
	text[n] = '\0';
	return 0;
}

/*
 * Parses the pid of <domstatus>, the root of a status file (virDomainObjFormat(),
 * src/conf/domain_conf.c). No more of the XML is looked at.
 */
static int
parse_status_pid(const char *text, pid_t *pid, struct err *e)
{
	static const char tag[] = "<domstatus";
	const char *s = skip_prolog(text);
	size_t length = 0;
	unsigned number;
	if (s == NULL || strncmp(s, tag, sizeof(tag) - 1) != 0)
		return err_set(e, "does not begin with %s>", tag);
	const char *value = find_attribute(s + sizeof(tag) - 1, "pid", &length);
	if (value == NULL)
		return err_set(e, "no pid in %s>", tag);
	const char *end = value;
	if (number_parse(&end, 0x7fffffff, &number) != 0 || end != value + length || number == 0)
		return err_set(
			e, "%s pid='%.*s'>: not a pid", tag, length < 40 ? (int)length : 40, value);
	*pid = (pid_t)number;
	return 0;
}

static enum qemu_process_result
find_by_status_file(int root, const char *name, pid_t *pid, struct err *e)
{
	char path[PATH_MAX], text[STATUS_HEAD_MAX];
	snprintf(path, sizeof(path), "%s/%s.xml", QEMU_RUN_DIRECTORY, name);
	if (read_head(root, path, text, sizeof(text)) != 0) {
		if (errno != ENOENT && errno != ENAMETOOLONG)
			return err_errno(e, "/%s", path);
		err_set(e, "not running here: no pid file and no status file in /%s",
			QEMU_RUN_DIRECTORY);
		return QEMU_PROCESS_NOT_RUNNING;
	}
	return parse_status_pid(text, pid, e) != 0 ? err_context(e, "/%s", path)
						   : QEMU_PROCESS_FOUND;
}

enum qemu_process_result
qemu_process_find(int root, const char *name, pid_t *pid, struct err *e)
{
	char escaped[PATH_MAX / 2], path[PATH_MAX];
	if (strchr(name, '/') != NULL)
		return err_set(e, "a guest's name has no '/'");
	if (strlen(name) > NAME_MAX || pid_file_name(name, escaped, sizeof(escaped)) != 0)
		return err_set(e, "the guest's name is longer than %d bytes", NAME_MAX);
	snprintf(path, sizeof(path), "%s/%s.pid", QEMU_RUN_DIRECTORY, escaped);
	switch (find_by_pid_file(root, path, pid, e)) {
	case PID_FILE_LOCKED:
		return QEMU_PROCESS_FOUND;
	case PID_FILE_LEFT_OVER:
		return QEMU_PROCESS_NOT_RUNNING;
	case PID_FILE_ABSENT:
		return find_by_status_file(root, name, pid, e);
	case PID_FILE_ERROR:
		break;
	}
	return QEMU_PROCESS_ERROR;
}

bool
qemu_process_is_exiting(int root, pid_t pid)
{
	uint64_t flags;
	return proc_stat_read(root, pid, PROC_STAT_FLAGS, &flags) == 0 && (flags & PF_EXITING) != 0;
}

bool
qemu_process_has_ended(int root, const char *name)
{
	pid_t pid = 0;
	struct err e;
	enum qemu_process_result r = qemu_process_find(root, name, &pid, &e);
	return r == QEMU_PROCESS_NOT_RUNNING ||
	       (r == QEMU_PROCESS_FOUND && qemu_process_is_exiting(root, pid));
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
	for (size_t i = 0; guests->names != NULL && i < guests->count; i++)
		free(guests->names[i]);
	free(guests->names);
	*guests = (struct running_guests){0};
}
