/* SPDX-License-Identifier: MIT */
/* A machine's /proc, /run, /sys and /etc below a temporary directory. */
#ifndef VMAFFINITY_TESTS_UNIT_SUPPORT_TREE_H
#define VMAFFINITY_TESTS_UNIT_SUPPORT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tree {
	char path[64];
	int fd;
};

/* For cmocka: the setup sets *state to a new, empty struct tree; the teardown removes the tree. */
int tree_setup(void **state);
int tree_teardown(void **state);

#define tree_test(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)

/* Makes files of lines "PATH VALUE", in the format of docs/SNAPSHOT.md. */
void tree_make(const struct tree *tree, const char *lines);

/* Writes a file of these bytes, making it and the directories above it. */
void tree_write(const struct tree *tree, const char *path, const void *bytes, size_t length);

/* Writes a file of this text, without adding a newline. */
void tree_put(const struct tree *tree, const char *path, const char *text);

/* Returns the content of a file, valid until the next call; "(none)" if there is no such file. */
const char *tree_get(const struct tree *tree, const char *path);

bool tree_has(const struct tree *tree, const char *path);

/* Removes a file, or a directory with its content. */
void tree_remove(const struct tree *tree, const char *path);

/*
 * Forks a process that holds a POSIX lock on the file at path, as QEMU does on its pid file, and
 * waits until it holds the lock. Returns the process's pid; tree_release() ends the process.
 */
pid_t tree_hold(const struct tree *tree, const char *path);
void tree_release(pid_t pid);

#endif
