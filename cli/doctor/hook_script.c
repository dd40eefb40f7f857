/* SPDX-License-Identifier: MIT */
/* Reads the content of another program's hook, without running it. */
#include "cli/doctor/hook_script.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that the kernel reads of the first line (BINPRM_BUF_SIZE, Linux 5.1). */
#define FIRST_LINE_MAX 256

/* True if path, from root, is a file that can be executed. */
static bool
is_program(int root, bool is_tree, const char *path)
{
	struct stat st;
	char directory[PATH_MAX];
	path += strspn(path, "/");
	/* A tree's absolute links lead out of it. */
	if (is_tree && fstatat(root, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		return true;
	if (fstatat(root, path, &st, 0) == 0)
		return S_ISREG(st.st_mode) && (st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
	const char *slash = strrchr(path, '/');
	snprintf(directory, sizeof(directory), "%.*s", slash != NULL ? (int)(slash - path) : 0,
		path);
	return is_tree && directory[0] != '\0' && faccessat(root, directory, F_OK, 0) != 0;
}

/* True if env(1) finds the program in the PATH that systemd gives libvirt's daemon. */
static bool
is_in_path(int root, bool is_tree, const char *name)
{
	static const char *const directories[] = {
		"usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"};
	char path[PATH_MAX];
	bool any = false; /* such a directory */
	if (strchr(name, '/') != NULL)
		return is_program(root, is_tree, name);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", directories[i], name);
		if (faccessat(root, directories[i], F_OK, 0) != 0)
			continue;
		any = true;
		if (is_program(root, is_tree, path))
			return true;
	}
	return is_tree && !any;
}

/* Writes the fault that a program is missing. Carriage returns, which are no part of a name, show.
 */
static void
write_missing(char fault[HOOK_FAULT_MAX], const char *role, const char *name)
{
	size_t length = strcspn(name, "\r");
	snprintf(fault, HOOK_FAULT_MAX, "has the %s '%.*s%s', which %s%s", role, (int)length, name,
		name[length] == '\r' ? "\\r" : "", "is not there or not executable",
		name[length] == '\r' ? "; the script has the line ends of Windows" : "");
}

bool
hook_find_fault(int root, bool is_tree, const char *data, size_t length, char fault[HOOK_FAULT_MAX])
{
	char line[FIRST_LINE_MAX];
	if (length == 0) {
		snprintf(fault, HOOK_FAULT_MAX, "is empty");
		return true;
	}
	if (length >= 4 && memcmp(data, "\177ELF", 4) == 0)
		return false;
	if (length < 2 || memcmp(data, "#!", 2) != 0) {
		snprintf(fault, HOOK_FAULT_MAX,
			"begins with neither '#!' nor the mark of a program");
		return true;
	}
	snprintf(line, sizeof(line), "%.*s",
		(int)(length < FIRST_LINE_MAX ? length : FIRST_LINE_MAX), data);
	line[strcspn(line, "\n")] = '\0';
	char *name = line + 2 + strspn(line + 2, " \t"), *rest = name + strcspn(name, " \t");
	char *argument = rest + strspn(rest, " \t");
	*rest = '\0';
	for (char *end = strchr(argument, '\0'); end > argument && strchr(" \t", end[-1]) != NULL;)
		*--end = '\0';
	if (*name == '\0') {
		snprintf(fault, HOOK_FAULT_MAX, "names no interpreter after '#!'");
		return true;
	}
	if (!is_program(root, is_tree, name)) {
		write_missing(fault, "interpreter", name);
		return true;
	}
	const char *base = strrchr(name, '/');
	if (strcmp(base != NULL ? base + 1 : name, "env") != 0 || *argument == '\0' ||
		*argument == '-' || strchr(argument, '=') != NULL ||
		is_in_path(root, is_tree, argument))
		return false;
	write_missing(fault, "interpreter", argument);
	return true;
}

/* True if what follows "qemu.d" is a pattern for all files in it: "/", then "*", maybe quoted. */
static bool
is_pattern(const char *after)
{
	after += strspn(after, "\"'}");
	if (*after++ != '/')
		return false;
	after += strspn(after, "\"'");
	return *after++ == '*' && *after != '/';
}

/* True if what follows "qemu.d" ends a word: the directory itself is meant, not one below it. */
static bool
is_end(const char *after)
{
	after += strspn(after, "\"'}");
	after += *after == '/';
	after += strspn(after, "\"'");
	return *after == '\0' || strchr(" \t;|&)", *after) != NULL;
}

bool
hook_runs_qemu_d(const char *data, size_t length)
{
	for (const char *at = data, *end; at < data + length; at = end + 1) {
		char line[4096];
		end = memchr(at, '\n', (size_t)(data + length - at));
		end = end != NULL ? end : data + length;
		snprintf(line, sizeof(line), "%.*s", (int)(end - at), at);
		const char *text = line + strspn(line, " \t");
		const char *run_parts = strstr(text, "run-parts");
		if (*text == '#')
			continue;
		for (const char *found = text; (found = strstr(found, "qemu.d")) != NULL;) {
			found += strlen("qemu.d");
			if (is_pattern(found) ||
				(run_parts != NULL && run_parts < found && is_end(found)))
				return true;
		}
	}
	return false;
}
