/* SPDX-License-Identifier: MIT */
/*
 * Puts the guard into libvirt's hooks directory. libvirt runs whatever is executable in there under
 * whatever name, and kills a guest whose hook fails: so the guard is written outside of that
 * directory, next to it, and comes in by a rename. A file of another program is never touched.
 */
#include "cli/enable/place.h"

#include "cli/virt.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The first libvirt that runs hooks in qemu.d, as virGetVersion() counts. */
#define VERSION_OF_QEMU_D 6005000

/* Next to the hooks directory, on the same file system. */
#define WORK_DIRECTORY HOOKS "/.."
#define NEW_GUARD ".vmaffinity-guard.new"

/* Paths begin with '/' and are meant below root. */
static const char *
below(const char *path)
{
	return path + 1;
}

static int
find_owner(int root, const char *path, enum place_owner *owner, struct err *e)
{
	struct hook_file hook;
	struct stat st;
	if (fstatat(root, below(path), &st, AT_SYMLINK_NOFOLLOW) != 0) {
		*owner = PLACE_EMPTY;
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_errno(e, "%s", path);
	}
	if (hook_file_read(root, below(path), &hook) != 0)
		return err_errno(e, "%s", path);
	*owner = hook.ours ? PLACE_OURS : PLACE_FOREIGN;
	hook_file_free(&hook);
	return 0;
}

static int
find_owners(int root, struct places *places, struct err *e)
{
	return find_owner(root, HOOK, &places->qemu, e) == 0 &&
			       find_owner(root, HOOK_BESIDE, &places->beside, e) == 0
		       ? 0
		       : -1;
}

/* Returns 0 if the libvirt here runs hooks in qemu.d. A daemon and its library are of one version.
 */
static int
check_version(struct err *e)
{
	unsigned long version;
	if (virt_version(&version, e) != 0)
		return err_context(e,
			HOOK " belongs to another program, and the version of libvirt is "
			     "unknown (" HOOK_DIRECTORY " needs 6.5)");
	if (version < VERSION_OF_QEMU_D)
		return err_set(e,
			HOOK " belongs to another program, and libvirt %lu.%lu runs no other "
			     "hook (" HOOK_DIRECTORY
			     " needs 6.5); move that file away, or update libvirt",
			version / 1000000, version / 1000 % 1000);
	return 0;
}

int
place_choose(int root, struct places *places, struct err *e)
{
	if (find_owners(root, places, e) != 0)
		return -1;
	bool beside = places->qemu == PLACE_FOREIGN ||
		      (places->qemu == PLACE_EMPTY && places->beside == PLACE_OURS);
	places->chosen = beside ? HOOK_BESIDE : HOOK;
	if (beside && places->beside == PLACE_FOREIGN)
		return err_set(e, "both " HOOK " and " HOOK_BESIDE
				  " belong to other programs; move one of them away");
	return places->qemu == PLACE_FOREIGN ? check_version(e) : 0;
}

/* Formats the path of the guard beside the running program, as it lies in a build. */
static bool
find_beside(char path[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
	if (length <= 0 || length == PATH_MAX || path[0] != '/')
		return false;
	while (path[length - 1] != '/')
		length--;
	size_t room = PATH_MAX - (size_t)length;
	int n = snprintf(path + length, room, "vmaffinity-guard");
	return n > 0 && (size_t)n < room && access(path, F_OK) == 0;
}

/* Reads the guard that is shipped: one that is whole, of this version, and with a worker to run. */
static int
read_shipped(int root, struct hook_file *guard, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;
	bool beside = find_beside(path);
	if (!beside)
		snprintf(path, sizeof(path), "%s", GUARD);
	if (hook_file_read(beside ? AT_FDCWD : root, beside ? path : below(path), guard) != 0)
		return err_errno(e, "%s", path);
	if (!guard->ours || strcmp(guard->version, VERSION) != 0 || guard->worker[0] == '\0')
		return err_set(e,
			"%s is missing or not of vmaffinity " VERSION "; install vmaffinity again",
			path);
	if (fstatat(root, below(guard->worker), &st, 0) != 0)
		return err_errno(e, "the hook would run %s", guard->worker);
	if (!S_ISREG(st.st_mode) || (st.st_mode & S_IXUSR) == 0)
		return err_set(e, "the hook would run %s, which is not executable", guard->worker);
	return 0;
}

/* Makes the directories that lead to path, as far as they are missing. */
static int
make_parents(int root, const char *path, struct err *e)
{
	char directory[PATH_MAX];
	snprintf(directory, sizeof(directory), "%s", below(path));
	for (char *slash = directory; (slash = strchr(slash, '/')) != NULL; *slash++ = '/') {
		*slash = '\0';
		if (mkdirat(root, directory, 0755) != 0 && errno != EEXIST)
			return err_errno(e, "/%s", directory);
	}
	return 0;
}

/* Opens the directory for the new guard, and keeps others from working there at the same time. */
static int
lock_work_directory(int root, struct err *e)
{
	int fd = openat(root, below(WORK_DIRECTORY), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) != 0) {
		err_errno(e, WORK_DIRECTORY);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static int
write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, data, length);
		if (n < 0)
			return -1;
		data += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Writes the new guard to disk under its temporary name. */
static int
write_new(int directory, const struct hook_file *guard, struct err *e)
{
	if (unlinkat(directory, NEW_GUARD, 0) != 0 && errno != ENOENT)
		return err_errno(e, WORK_DIRECTORY "/" NEW_GUARD);
	AUTO_CLOSE int fd = openat(
		directory, NEW_GUARD, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write_all(fd, guard->data, guard->length) != 0 || fchmod(fd, 0755) != 0 ||
		fsync(fd) != 0)
		return err_errno(e, WORK_DIRECTORY "/" NEW_GUARD);
	return 0;
}

/* Renames the new guard. A file that came into an empty place meanwhile is another program's. */
static int
rename_new(int root, int directory, const struct places *places, enum place_owner before,
	struct err *e)
{
	const char *to = below(places->chosen);
	int r = before == PLACE_EMPTY ? renameat2(directory, NEW_GUARD, root, to, RENAME_NOREPLACE)
				      : renameat(directory, NEW_GUARD, root, to);
	if (r != 0 && before == PLACE_EMPTY && errno == EINVAL) /* the file system cannot */
		r = renameat(directory, NEW_GUARD, root, to);
	return r == 0 ? 0 : err_errno(e, "%s", places->chosen);
}

/* True if the file at path is that guard, and libvirt can run it. */
static bool
is_same(int root, const char *path, const struct hook_file *guard)
{
	struct hook_file there;
	struct stat st;
	if (fstatat(root, below(path), &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
		(st.st_mode & 07777) != 0755 || st.st_uid != geteuid() ||
		hook_file_read(root, below(path), &there) != 0)
		return false;
	bool same = there.data != NULL && there.length == guard->length &&
		    memcmp(there.data, guard->data, guard->length) == 0;
	hook_file_free(&there);
	return same;
}

/* Takes away directories for hooks that are empty. Those of libvirt stay if it is installed. */
static void
remove_empty(int root)
{
	unlinkat(root, below(HOOK_DIRECTORY), AT_REMOVEDIR);
	if (place_has_daemon(root))
		return;
	char parent[] = HOOKS;
	unlinkat(root, below(parent), AT_REMOVEDIR);
	*strrchr(parent, '/') = '\0';
	unlinkat(root, below(parent), AT_REMOVEDIR);
}

/* Takes away our guard in that place, if that is ours. */
static int
remove_ours(int root, const char *path, enum place_owner owner, struct err *e)
{
	if (owner != PLACE_OURS || unlinkat(root, below(path), 0) == 0 || errno == ENOENT)
		return 0;
	return err_errno(e, "%s", path);
}

static enum place_result
put(int root, int directory, const struct hook_file *guard, struct places *places, struct err *e)
{
	if (place_choose(root, places, e) != 0)
		return PLACE_FAILED;
	bool beside = strcmp(places->chosen, HOOK_BESIDE) == 0;
	enum place_owner before = beside ? places->beside : places->qemu;
	enum place_result result = PLACE_UNCHANGED;
	if (!is_same(root, places->chosen, guard)) {
		result = before == PLACE_OURS ? PLACE_REPLACED : PLACE_PUT;
		if (make_parents(root, places->chosen, e) != 0 ||
			write_new(directory, guard, e) != 0 ||
			rename_new(root, directory, places, before, e) != 0) {
			unlinkat(directory, NEW_GUARD, 0);
			return PLACE_FAILED;
		}
	}
	/* The second one does the same work twice: a fault here is no reason to undo the first. */
	if (!beside && places->beside == PLACE_OURS &&
		remove_ours(root, HOOK_BESIDE, places->beside, e) == 0)
		unlinkat(root, below(HOOK_DIRECTORY), AT_REMOVEDIR);
	return result;
}

enum place_result
place_put(int root, struct places *places, struct timespec *since, struct err *e)
{
	struct hook_file guard = {0};
	struct stat st;
	enum place_result result = PLACE_FAILED;
	/* Both are known before anything is made. */
	if (read_shipped(root, &guard, e) == 0 && place_choose(root, places, e) == 0 &&
		make_parents(root, HOOK, e) == 0) {
		AUTO_CLOSE int directory = lock_work_directory(root, e);
		if (directory >= 0)
			result = put(root, directory, &guard, places, e);
		if (result == PLACE_FAILED)
			remove_empty(root);
	}
	hook_file_free(&guard);
	if (result != PLACE_FAILED && fstatat(root, below(places->chosen), &st, 0) != 0) {
		err_errno(e, "%s", places->chosen);
		return PLACE_FAILED;
	}
	if (result != PLACE_FAILED)
		*since = st.st_ctim;
	return result;
}

int
place_take_away(int root, struct places *places, struct err *e)
{
	if (find_owners(root, places, e) != 0 || remove_ours(root, HOOK, places->qemu, e) != 0 ||
		remove_ours(root, HOOK_BESIDE, places->beside, e) != 0)
		return -1;
	if (places->qemu == PLACE_OURS || places->beside == PLACE_OURS)
		remove_empty(root);
	return 0;
}

bool
place_has_daemon(int root)
{
	static const char *const paths[] = {
		"usr/sbin/libvirtd", "usr/sbin/virtqemud", "usr/bin/libvirtd", "usr/bin/virtqemud"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (faccessat(root, paths[i], X_OK, 0) == 0)
			return true;
	return false;
}
