/* SPDX-License-Identifier: MIT */
/* An error as a value: one line of text for a person, built from the inside out. */
#ifndef VMAFFINITY_BASE_ERR_H
#define VMAFFINITY_BASE_ERR_H

/* Long enough for a path, a value and a reason; what does not fit is cut and ends in "...". */
#define ERR_TEXT_MAX 1024

struct err {
	char text[ERR_TEXT_MAX];
};

/* Sets the text. Returns -1, so that a caller can write "return err_set(e, ...)". */
int err_set(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets the text, followed by ": " and strerror(errno). Returns -1. */
int err_errno(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "context: " before the text that e already has. Returns -1. */
int err_context(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
