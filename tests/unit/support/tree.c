/* SPDX-License-Identifier: MIT */
#include "support/tree.h"

#include "cli/capture/snapshot_read.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int
tree_setup(void **state)
{
	struct tree *tree = malloc(sizeof(*tree));
	if (tree == NULL)
		return -1;
	umask(022);
	strcpy(tree->path, "/tmp/vmaffinity-unit-XXXXXX");
	if (mkdtemp(tree->path) == NULL)
		return -1;
	tree->fd = open(tree->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = tree;
	return tree->fd < 0 ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

int
tree_teardown(void **state)
{
	struct tree *tree = *state;
	close(tree->fd);
	int r = nftw(tree->path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	free(tree);
	return r;
}

/* Makes the directories above path. */
static void
make_parents(const struct tree *tree, const char *path)
{
	char above[4096];
	for (const char *s = path; (s = strchr(s, '/')) != NULL; s++) {
		snprintf(above, sizeof(above), "%.*s", (int)(s - path), path);
		if (mkdirat(tree->fd, above, 0755) != 0 && errno != EEXIST)
			fail_msg("mkdir %s: %s", above, strerror(errno));
	}
}

static void
put_bytes(const struct tree *tree, const char *path, int flags, const void *bytes, size_t length)
{
	make_parents(tree, path);
	int fd = openat(tree->fd, path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);
	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length)
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
}

void
tree_write(const struct tree *tree, const char *path, const void *bytes, size_t length)
{
	put_bytes(tree, path, O_TRUNC, bytes, length);
}

void
tree_put(const struct tree *tree, const char *path, const char *text)
{
	tree_write(tree, path, text, strlen(text));
}

void
tree_make(const struct tree *tree, const char *lines)
{
	char *copy = strdup(lines);
	struct err e;
	assert_non_null(copy);
	if (snapshot_make(tree->fd, "tree_make()", copy, strlen(copy), &e) != 0)
		fail_msg("%s", e.text);
	free(copy);
}

const char *
tree_get(const struct tree *tree, const char *path)
{
	static char text[65536];
	int fd = openat(tree->fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return "(none)";
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		fail_msg("%s: %s", path, strerror(errno));
	close(fd);
	text[n] = '\0';
	return text;
}

bool
tree_has(const struct tree *tree, const char *path)
{
	return faccessat(tree->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

void
tree_remove(const struct tree *tree, const char *path)
{
	char whole[4096];
	snprintf(whole, sizeof(whole), "%s/%s", tree->path, path);
	if (nftw(whole, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		fail_msg("rm %s: %s", whole, strerror(errno));
}

pid_t
tree_hold(const struct tree *tree, const char *path)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = openat(tree->fd, path, O_RDWR);
		if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ssize_t n = read(ready[0], &byte, 1);
	close(ready[0]);
	if (pid < 0 || n != 1)
		fail_msg("%s cannot be locked", path);
	return pid;
}

void
tree_release(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
