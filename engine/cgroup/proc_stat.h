/* SPDX-License-Identifier: MIT */
/* One field of /proc/PID/stat. */
#ifndef VMAFFINITY_CGROUP_PROC_STAT_H
#define VMAFFINITY_CGROUP_PROC_STAT_H

#include <stdint.h>
#include <sys/types.h>

/* The fields in use, numbered as in proc_pid_stat(5). */
enum proc_stat_field {
	PROC_STAT_FLAGS = 9,	  /* the kernel's PF_* */
	PROC_STAT_STARTTIME = 22, /* in clock ticks since the host booted */
	PROC_STAT_PROCESSOR = 39, /* the CPU that it last ran on */
};

/*
 * Reads a field of the process or thread pid below the directory fd root. Returns 0 with *value,
 * or -1 with errno set: EPROTO if the field is missing or is no number from 0 to 2^64 - 1, ENOENT
 * or ESRCH if there is no such process, or what open(2) or read(2) reported.
 */
int proc_stat_read(int root, pid_t pid, enum proc_stat_field field, uint64_t *value);

#endif
