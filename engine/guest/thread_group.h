/* The groups that a guest's threads come in, and what libvirt calls them. */
#ifndef VMAFFINITY_GROUP_H
#define VMAFFINITY_GROUP_H

#include <stdbool.h>

/* Each has a cgroup of its own (libvirt, docs/cgroups). */
enum group_kind {
	GROUP_EMULATOR,
	GROUP_VCPU,
	GROUP_IOTHREAD,
};

struct group {
	enum group_kind kind;
	unsigned id; /* of the vCPU, from 0, or of the iothread, from 1; 0 for the emulator */
};

/* The longest is "iothread4294967295". */
#define GROUP_NAME_MAX 20

/* The name of the group's cgroup directory: "emulator", "vcpu0", "iothread1". Returns out. */
char *group_name(struct group group, char out[GROUP_NAME_MAX]);

/* The group whose cgroup directory is called name. Returns false for any other directory. */
bool group_parse(const char *name, struct group *group);

/* The order in which groups are shown: the emulator, then vCPUs, then iothreads, each by id. */
int group_compare(struct group a, struct group b);

#endif
