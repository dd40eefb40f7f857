/* SPDX-License-Identifier: MIT */
/*
 * Three texts with a line "--" between them: a process's /proc/PID/cgroup, /proc/self/mountinfo,
 * and a guest's name to look for where no guest runs.
 */
#include "fuzz.h"

#include "cgroup/hierarchy.h"
#include "cgroup/qemu_process.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[PATH_MAX];

static void
remove_root(void)
{
	static const char *const entries[] = {"proc/1/cgroup", "proc/1", "proc/self/mountinfo",
		"proc/self", "proc", "run/libvirt/qemu", "run/libvirt", "run", ""};
	char path[PATH_MAX + 32];
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, entries[i]);
		(void)remove(path);
	}
}

/* An fd of a directory with a /proc to write into; made once. */
static int
open_root(void)
{
	static int root = -1;
	if (root >= 0)
		return root;
	const char *parent = getenv("TMPDIR");
	snprintf(directory, sizeof(directory), "%s/vmaffinity-fuzz-XXXXXX",
		parent != NULL ? parent : "/tmp");
	PROMISE(mkdtemp(directory) != NULL);
	root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	PROMISE(root >= 0 && atexit(remove_root) == 0);
	PROMISE(mkdirat(root, "proc", 0700) == 0 && mkdirat(root, "proc/1", 0700) == 0);
	PROMISE(mkdirat(root, "proc/self", 0700) == 0 && mkdirat(root, "run", 0700) == 0);
	PROMISE(mkdirat(root, "run/libvirt", 0700) == 0);
	PROMISE(mkdirat(root, "run/libvirt/qemu", 0700) == 0);
	return root;
}

static void
write_file(int root, const char *path, const uint8_t *data, size_t size)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	PROMISE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

/* The length of the text up to the next line "--"; *data and *size move past it. */
static size_t
next_text(const uint8_t **data, size_t *size)
{
	static const char separator[] = "\n--\n";
	const uint8_t *end = memmem(*data, *size, separator, 4);
	if (end == NULL) {
		size_t rest = *size;
		*data += rest;
		*size = 0;
		return rest;
	}
	size_t length = (size_t)(end - *data) + 1;
	*data += length + 3;
	*size -= length + 3;
	return length;
}

static bool
ends(const char *text, size_t max)
{
	return memchr(text, '\0', max) != NULL;
}

static void
check_cgroup(int root)
{
	static struct cgroup_location location;
	struct err e = {.text = ""};
	memset(&location, 0x5a, sizeof(location));
	if (hierarchy_find_cgroup(root, 1, &location, &e) != 0) {
		PROMISE(e.text[0] != '\0');
		return;
	}
	PROMISE(ends(location.mount, sizeof(location.mount)) &&
		ends(location.path, sizeof(location.path)));
	PROMISE(location.path[0] != '/');
	for (const char *s = location.path; s != NULL; s = strchr(s, '/')) {
		s += *s == '/';
		PROMISE(strncmp(s, "..", 2) != 0 || (s[2] != '/' && s[2] != '\0'));
	}
}

static void
check_name(int root, const uint8_t *data, size_t size)
{
	char *name = malloc(size + 1);
	PROMISE(name != NULL);
	if (size > 0)
		memcpy(name, data, size);
	name[size] = '\0';
	struct err e = {.text = ""};
	pid_t pid = -7;
	enum qemu_process_result r = qemu_process_find(root, name, &pid, &e);
	PROMISE(r == QEMU_PROCESS_NOT_RUNNING || r == QEMU_PROCESS_ERROR);
	PROMISE(e.text[0] != '\0' && pid == -7);
	free(name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int root = open_root();
	const uint8_t *text = data;
	size_t length = next_text(&data, &size);
	write_file(root, "proc/1/cgroup", text, length);
	text = data;
	length = next_text(&data, &size);
	write_file(root, "proc/self/mountinfo", text, length);
	check_cgroup(root);
	check_name(root, data, size);
	return 0;
}
