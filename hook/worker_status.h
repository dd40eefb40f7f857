/* SPDX-License-Identifier: MIT */
/* The worker's exit status, which the guard reads. See vmaffinity-hook(8). */
#ifndef VMAFFINITY_HOOK_WORKER_STATUS_H
#define VMAFFINITY_HOOK_WORKER_STATUS_H

enum worker_status {
	WORKER_DONE = 0,      /* the guest is as ruled, or no rule is about it */
	WORKER_FAILED = 1,    /* it is not; the worker has logged why */
	WORKER_REFUSED = 113, /* nor may it start so: on-error = fail; the reason is on stderr. No
				 shell, loader or runtime has a meaning for this number */
};

#endif
