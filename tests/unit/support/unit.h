/* SPDX-License-Identifier: MIT */
/* Included by every unit test: cmocka, and the headers that cmocka needs before it. */
#ifndef VMAFFINITY_TESTS_UNIT_SUPPORT_UNIT_H
#define VMAFFINITY_TESTS_UNIT_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
