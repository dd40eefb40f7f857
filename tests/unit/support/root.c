/* SPDX-License-Identifier: MIT */
/*
 * Separates the unit tests that only root can run, whose names begin with "root_": with UNIT_ROOT
 * in the environment they run alone, and otherwise the others do. Nothing is skipped in a run that
 * counts it.
 */
#include "support/unit.h"

#include <stdlib.h>

__attribute__((constructor)) static void
choose_tests(void)
{
	if (getenv("UNIT_ROOT") != NULL)
		cmocka_set_test_filter("root_*");
	else
		cmocka_set_skip_filter("root_*");
}
