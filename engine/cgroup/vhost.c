/* SPDX-License-Identifier: MIT */
#include "cgroup/vhost.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"
#include "cgroup/files.h"
#include "cgroup/hierarchy.h"
#include "cgroup/proc_stat.h"
#include "cgroup/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Passes over the emulator's threads, each of which may create more, until all are moved. */
#define PASSES_MAX 32

/* include/linux/sched.h: a thread of the kernel's in a process of user space. */
#define PF_USER_WORKER 0x4000u

static const struct thread_group emulator = {GROUP_EMULATOR, 0}, vhost = {GROUP_VHOST, 0};

/* True if the kernel's version, as in "6.12.1-amd64", is at least 6.4. */
static bool
is_since_6_4(const char *release)
{
	unsigned major, minor = 0;
	if (number_parse(&release, INT_MAX, &major) != 0)
		return false;
	if (*release == '.') {
		release++;
		if (number_parse(&release, INT_MAX, &minor) != 0)
			return false;
	}
	return major > 6 || (major == 6 && minor >= 4);
}

bool
vhost_is_possible(int root, struct err *e)
{
	struct cgroup_location location;
	char release[128];
	if (hierarchy_find_mount(root, &location, e) != 0)
		return false;
	if (!location.v2) {
		err_set(e, "cgroup v1");
		return false;
	}
	struct utsname running;
	/* A service may see nothing of /proc but processes. */
	if (file_read_value(root, "proc/sys/kernel/osrelease", release, sizeof(release)) != 0)
		snprintf(release, sizeof(release), "%s",
			uname(&running) == 0 ? running.release : "?");
	if (is_since_6_4(release))
		return true;
	err_set(e, "Linux %s", release);
	return false;
}

/*
 * True if a thread is a vhost worker: of the kernel's, which no thread of QEMU's can say of itself,
 * and by its name none of io_uring's.
 */
static bool
is_worker(const struct cgroup *cgroup, pid_t tid)
{
	char path[64], name[32];
	uint64_t flags;
	snprintf(path, sizeof(path), "proc/%d/comm", (int)tid);
	return proc_stat_read(cgroup->root, tid, PROC_STAT_FLAGS, &flags) == 0 &&
	       (flags & PF_USER_WORKER) != 0 &&
	       file_read_value(cgroup->root, path, name, sizeof(name)) == 0 &&
	       strncmp(name, "vhost-", strlen("vhost-")) == 0;
}

/* Lists the emulator's threads that are vhost workers. Returns 0, or -1 with errno set. */
static int
list_strays(const struct cgroup *cgroup, pid_t **tids, size_t *count)
{
	size_t all, kept = 0;
	if (cgroup_threads(cgroup, emulator, tids, &all) != 0)
		return -1;
	for (size_t i = 0; i < all; i++)
		if (is_worker(cgroup, (*tids)[i]))
			(*tids)[kept++] = (*tids)[i];
	*count = kept;
	return 0;
}

int
vhost_find(struct cgroup *cgroup, struct err *e)
{
	pid_t *tids;
	if (list_strays(cgroup, &tids, &cgroup->stray_vhosts) != 0)
		return cgroup_has_group(cgroup, emulator)
			       ? err_errno(
					 e, "%s: cannot list the emulator's threads", cgroup->path)
			       : 0;
	free(tids);
	size_t count = cgroup->group_count;
	if (cgroup->stray_vhosts == 0 ||
		(count > 0 && cgroup->groups[count - 1].group.kind == GROUP_VHOST))
		return 0;
	struct cgroup_child *larger = array_grow(cgroup->groups, count, sizeof(*larger));
	if (larger == NULL)
		return err_set(e, "out of memory");
	cgroup->groups = larger;
	/* The last of all groups in their order. */
	larger[cgroup->group_count++] =
		(struct cgroup_child){.group = {GROUP_VHOST, 0}, .to_be_made = true};
	return 0;
}

int
vhost_gather(const struct cgroup *cgroup, bool *made, struct err *e)
{
	*made = mkdirat(cgroup->directory, "vhost", 0755) == 0;
	if (!*made && errno != EEXIST)
		return err_errno(e, "cannot make %s/vhost", cgroup->path);
	if (cgroup_write_text(
		    cgroup->directory, cgroup->path, "vhost/cgroup.type", "threaded", e) != 0)
		return -1;
	for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
		pid_t *tids;
		size_t count;
		if (list_strays(cgroup, &tids, &count) != 0)
			return err_errno(e, "%s: cannot list the emulator's threads", cgroup->path);
		int r = threads_move(
			cgroup->directory, cgroup->path, tids, count, "vhost/cgroup.threads", e);
		free(tids);
		if (r != 0 || count == 0)
			return r;
	}
	return err_set(e, "%s: the vhost workers cannot be moved", cgroup->path);
}

int
vhost_scatter(const struct cgroup *cgroup, struct err *e)
{
	pid_t *tids;
	size_t count;
	if (cgroup_threads(cgroup, vhost, &tids, &count) != 0)
		return cgroup_has_group(cgroup, vhost)
			       ? err_errno(e, "%s: cannot list the vhost workers", cgroup->path)
			       : 0;
	int r = threads_move(
		cgroup->directory, cgroup->path, tids, count, "emulator/cgroup.threads", e);
	free(tids);
	if (r == 0 && unlinkat(cgroup->directory, "vhost", AT_REMOVEDIR) != 0 && errno != ENOENT)
		r = err_errno(e, "cannot remove %s/vhost", cgroup->path);
	return r;
}
