/* SPDX-License-Identifier: MIT */
/* Reads the hooks that libvirt runs, and tells ours from those of other programs. */
#include "cli/hook_files.h"

#include "cli/command.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The guard takes some 50 KiB, ten times as much with sanitizers. */
#define GUARD_MAX ((size_t)16 * 1024 * 1024)

/* The guard contains this, then its version, a space, its worker's path and a NUL: hook/guard.c. */
static const char marker[] = "vmaffinity-guard ";

/* Reads version and worker from a guard. True if it is one; a script that contains the marker is
 * not. */
static bool
read_marker(struct hook_file *hook)
{
	const char *data = hook->data;
	size_t length = hook->length;
	if (length < 4 || memcmp(data, "\177ELF", 4) != 0)
		return false;
	const char *found = memmem(data, length, marker, sizeof(marker) - 1);
	if (found == NULL)
		return false;
	found += sizeof(marker) - 1;
	const char *end = memchr(found, '\0', (size_t)(data + length - found));
	const char *space = end != NULL ? memchr(found, ' ', (size_t)(end - found)) : NULL;
	if (space == NULL || (size_t)(space - found) >= sizeof(hook->version) ||
		(size_t)(end - space) > sizeof(hook->worker) || space[1] != '/')
		return true; /* ours, of a version without them */
	memcpy(hook->version, found, (size_t)(space - found));
	memcpy(hook->worker, space + 1, (size_t)(end - space));
	return true;
}

int
hook_file_read(int directory, const char *path, struct hook_file *hook)
{
	*hook = (struct hook_file){0};
	if (fstatat(directory, path, &hook->st, 0) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISREG(hook->st.st_mode))
		return 0;
	hook->runs = (hook->st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
	AUTO_CLOSE int fd = openat(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (file_read_all(fd, GUARD_MAX, &hook->data, &hook->length) == 0)
		hook->ours = read_marker(hook);
	else if (errno != EFBIG)
		return -1;
	return 0;
}

void
hook_file_free(struct hook_file *hook)
{
	free(hook->data);
	hook->data = NULL;
}

/* True for all but "." and "..", as in libvirt's virDirRead(). */
static int
is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

int
hook_files_list(int directory, struct dirent ***entries)
{
	return scandirat(directory, ".", entries, is_entry, file_compare_names);
}

/* The hooks that libvirt runs, as far as they have been read. */
struct found {
	bool ours;		/* one of them is ours */
	bool unknown;		/* one of them could not be read */
	char foreign[PATH_MAX]; /* the first one of another program; "" if there is none */
};

static void
read_one(int directory, const char *name, const char *path, struct found *found)
{
	struct hook_file hook;
	if (hook_file_read(directory, name, &hook) != 0)
		found->unknown = true;
	found->ours |= hook.runs && hook.ours;
	if (hook.runs && !hook.ours && found->foreign[0] == '\0')
		snprintf(found->foreign, sizeof(found->foreign), "%s", path);
	hook_file_free(&hook);
}

bool
hook_files_only_foreign(int root, char foreign[PATH_MAX])
{
	struct found found = {0};
	struct dirent **entries;
	read_one(root, &HOOK[1], HOOK, &found);
	AUTO_CLOSE int directory =
		openat(root, &HOOK_DIRECTORY[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int count = directory >= 0 ? hook_files_list(directory, &entries) : -1;
	if (count < 0 && errno != ENOENT && errno != ENOTDIR)
		found.unknown = true;
	for (int i = 0; i < count; i++) {
		char path[sizeof(HOOK_DIRECTORY) + 1 + sizeof(entries[i]->d_name)];
		snprintf(path, sizeof(path), "%s/%s", HOOK_DIRECTORY, entries[i]->d_name);
		read_one(directory, entries[i]->d_name, path, &found);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	snprintf(foreign, PATH_MAX, "%s", found.foreign);
	return found.foreign[0] != '\0' && !found.ours && !found.unknown;
}

void
hook_files_warn(int root)
{
	char path[PATH_MAX];
	if (hook_files_only_foreign(root, path))
		complain("warning: %s belongs to another program, and vmaffinity's hook is not "
			 "installed: guests that start are not pinned; see vmaffinity doctor",
			path);
}
