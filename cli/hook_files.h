/* SPDX-License-Identifier: MIT */
/* The files that libvirt runs as hooks for QEMU guests: ours, or of another program. */
#ifndef VMAFFINITY_CLI_HOOK_FILES_H
#define VMAFFINITY_CLI_HOOK_FILES_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* libvirt's directory for hooks. */
#ifndef HOOKS
#define HOOKS "/etc/libvirt/hooks"
#endif

#define HOOK HOOKS "/qemu"
#define HOOK_DIRECTORY HOOK ".d"
#define HOOK_BESIDE HOOK_DIRECTORY "/50-vmaffinity"

struct hook_file {
	bool runs; /* a regular file, and executable, so libvirt runs it */
	bool ours;
	struct stat st;
	char version[32];      /* of ours; "" if it is unknown */
	char worker[PATH_MAX]; /* the worker that ours runs; "" if it is unknown */
	char *data;	       /* the content; NULL: not a regular file, or too large for a guard */
	size_t length;
};

/*
 * Reads a hook below the directory fd. libvirt runs a regular file with any of the three x bits,
 * following links (virFileIsExecutable()). Returns 0 with *hook, to be freed by hook_file_free(),
 * or -1 with errno set; a missing file is no error.
 */
int hook_file_read(int directory, const char *path, struct hook_file *hook);
void hook_file_free(struct hook_file *hook);

/*
 * Lists the entries of qemu.d by name, as libvirt runs them. Returns their count with *entries
 * (caller frees each and the list), or -1 with errno set.
 */
int hook_files_list(int directory, struct dirent ***entries);

/*
 * Finds a hook of another program below the directory fd root where no hook of ours is run. Returns
 * true with its path in found; false if ours is run, no hook is, or one could not be read.
 */
bool hook_files_only_foreign(int root, char found[PATH_MAX]);

/* Complains if hook_files_only_foreign(): guests that start are not pinned then. */
void hook_files_warn(int root);

#endif
