/* SPDX-License-Identifier: MIT */
/* The groups that a guest's threads come in, and what libvirt calls them. */
#ifndef VMAFFINITY_GUEST_THREAD_GROUP_H
#define VMAFFINITY_GUEST_THREAD_GROUP_H

#include <stdbool.h>

/* Most vCPUs of one guest. KVM's own limit (KVM_MAX_VCPUS) is 4096. */
#define DOMAIN_VCPUS_MAX 4096u

/* Each has a cgroup of its own (libvirt, docs/cgroups). */
enum thread_group_kind {
	GROUP_EMULATOR,
	GROUP_VCPU,
	GROUP_IOTHREAD,
	GROUP_VHOST, /* vhost workers, for which libvirt makes no group: cgroup/vhost.h */
	GROUP_KINDS
};

struct thread_group {
	enum thread_group_kind kind;
	unsigned id; /* of the vCPU, from 0, or of the iothread, from 1; else 0 */
};

/* The longest is "iothread4294967295". */
#define THREAD_GROUP_NAME_MAX 20

/* The name of the group's cgroup directory: "emulator", "vcpu0", "iothread1". Returns out. */
char *thread_group_name(struct thread_group group, char out[THREAD_GROUP_NAME_MAX]);

/* The longest is "iothread4294967294-4294967295". */
#define THREAD_GROUP_RUN_MAX 32

/*
 * Writes the name of groups in sequence, from first to the one of id last, which is also the key of
 * a rule: "vcpu0", "vcpu0-3". Returns out.
 */
char *thread_group_run_name(
	struct thread_group first, unsigned last, char out[THREAD_GROUP_RUN_MAX]);

/* The group whose cgroup directory is called name. Returns false for any other directory. */
bool thread_group_parse(const char *name, struct thread_group *group);

/* The order in which groups are shown: the emulator, vCPUs, iothreads, each by id, vhost workers.
 */
int thread_group_compare(struct thread_group a, struct thread_group b);

#endif
