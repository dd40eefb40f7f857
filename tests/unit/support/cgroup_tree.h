/* SPDX-License-Identifier: MIT */
/* A guest called "web" on a tree of files, for the tests of cgroup/cgroup.c. */
#ifndef VMAFFINITY_TESTS_UNIT_SUPPORT_CGROUP_TREE_H
#define VMAFFINITY_TESTS_UNIT_SUPPORT_CGROUP_TREE_H

#include "cgroup/cgroup.h"

#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <string.h>

#define RUN "run/libvirt/qemu/web.xml <domstatus pid='4711'/>\n"
#define V2 "proc/self/mountinfo 30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
#define V1                                                                                         \
	"proc/self/mountinfo 30 23 0:27 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n"                    \
	"proc/self/mountinfo 31 30 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"    \
	"proc/self/mountinfo 32 30 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"

/* The files of a guest at base: groups emulator, vcpu0, vcpu1. */
static inline void
make_guest(const struct tree *t, const char *base, bool v2)
{
	const char *mount = v2 ? "sys/fs/cgroup" : "sys/fs/cgroup/cpuset";
	const char *effective = v2 ? "cpuset.cpus.effective" : "cpuset.effective_cpus";
	const char *threads = v2 ? "cgroup.threads" : "tasks";
	char lines[8192];
	size_t used = (size_t)snprintf(lines, sizeof(lines),
		RUN "%s"
		    "proc/4711/cgroup %s/%s/emulator\n"
		    "%s/%s/%s 0-7\n",
		v2 ? V2 : V1, v2 ? "0::" : "0::/other\\n7:cpuset:", base, mount, base, effective);
	for (int i = -1; i < 2; i++) {
		const char *name = i < 0 ? "emulator" : i == 0 ? "vcpu0" : "vcpu1";
		used += (size_t)snprintf(lines + used, sizeof(lines) - used,
			"%s/%s/%s/cpuset.cpus %s\n%s/%s/%s/%s %d\\n%d\n", mount, base, name,
			v2 && i == 1 ? "" : "0-3,4-7", mount, base, name, threads, 4711 + i,
			4800 + i);
	}
	assert_true(used < sizeof(lines));
	tree_make(t, lines);
}

static inline struct cgroup
opened(const struct tree *t)
{
	struct cgroup cgroup;
	struct err e;
	memset(&cgroup, 0x5a, sizeof(cgroup));
	int r = cgroup_open(t->fd, "web", &cgroup, &e);
	if (r != 0)
		fail_msg("%d %s", r, e.text);
	return cgroup;
}

#endif
