/* SPDX-License-Identifier: MIT */
/* CPU masks in tests: made from a list, and compared with a list. */
#ifndef VMAFFINITY_TESTS_UNIT_SUPPORT_MASK_H
#define VMAFFINITY_TESTS_UNIT_SUPPORT_MASK_H

#include "base/cpumask.h"

#include "support/unit.h"

static inline struct cpumask
mask_of(const char *list)
{
	struct cpumask mask;
	struct err e;
	if (cpumask_parse(list, &mask, &e) != 0)
		fail_msg("%s", e.text);
	return mask;
}

#define assert_mask(mask, list)                                                                    \
	do {                                                                                       \
		char shown_[CPULIST_MAX];                                                          \
		assert_string_equal(cpumask_format((mask), shown_, sizeof(shown_)), list);         \
	} while (0)

#endif
