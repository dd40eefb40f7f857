/* SPDX-License-Identifier: MIT */
#include "rules/rules.h"

#include "support/shown.h"
#include "support/tree.h"
#include "support/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAIN "etc/vmaffinity.ini"
#define DROP "etc/vmaffinity.d/"

static void
reads_the_files_in_byte_order(void **state)
{
	const struct tree *t = *state;
	tree_make(t, MAIN " [m]\n" DROP "b.ini [b]\n" DROP "a.ini [a]\n" DROP "B.ini [B]\n" DROP
			  "10.ini [10]\n" DROP "9.ini [9]\n" DROP "\xc3\xa9.ini [e]\n" DROP
			  ".hidden.ini x\n" DROP ".ini x\n" DROP "x.ini~ x\n" DROP "x.conf x\n" DROP
			  "x.ini.dpkg-old x\n" DROP "ini x");
	assert_load(t, "order", "[m]1\n[10]1\n[9]1\n[B]1\n[a]1\n[b]1\n[e]1\n", "");
}

static void
needs_no_file_at_all(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct messages messages = {0};
	assert_load(t, "nothing", "", "");
	tree_make(t, DROP);
	assert_load(t, "an empty directory", "", "");
	tree_make(t, DROP "a.ini [a]");
	assert_load(t, "no main file", "[a]1\n", "");
	tree_make(t, MAIN " [m]");
	rules_load(&rules, t->fd, &messages);
	assert_int_equal(rules.file_count, 2);
	assert_string_equal(rules.files[0], "/etc/vmaffinity.ini");
	assert_string_equal(rules.files[1], "/etc/vmaffinity.d/a.ini");
	assert_string_equal(rules.rules[1].file, "/etc/vmaffinity.d/a.ini");
	rules_free(&rules);
	assert_null(rules.files);
}

static void
lets_a_later_file_define_anew(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct messages messages = {0};
	tree_make(t, MAIN
		" [global]\\non-error = fail\\n[cpus]\\nx = 0\\nxy = 9\\n[a]\\nvcpus = 0\n" DROP
		"1.ini [cpus]\\nx = 1\\n[a]\\nvcpus = 1\n" DROP
		"2.ini [global]\\non-error = ignore");
	rules_load(&rules, t->fd, &messages);
	assert_string_equal(shown_errors(&messages), "");
	assert_int_equal(rules.on_error, ON_ERROR_IGNORE);
	assert_int_equal(rules.rule_count, 2);
	assert_string_equal(rules_find_set(&rules, "x", 1)->value.text, "1");
	assert_string_equal(rules_find_set(&rules, "xyz", 1)->value.text, "1");
	assert_string_equal(rules_find_set(&rules, "xyz", 2)->value.text, "9");
	assert_null(rules_find_set(&rules, "xyz", 3));
	assert_null(rules_find_set(&rules, "", 0));
	rules_free(&rules);
}

/* Makes path with mode and owner, and looks for the error that says so. */
static void
assert_refused(const struct tree *t, const char *path, mode_t mode, uid_t owner, const char *wrong)
{
	if (fchownat(t->fd, path, owner, (gid_t)-1, 0) != 0)
		fail_msg("this test must be run by root");
	assert_int_equal(fchmodat(t->fd, path, mode, 0), 0);
	assert_load(t, path, NULL, wrong);
	assert_int_equal(fchownat(t->fd, path, 0, (gid_t)-1, 0), 0);
	assert_int_equal(fchmodat(t->fd, path, 0755, 0), 0);
	assert_load(t, path, NULL, "");
}

static void
root_asks_who_may_write_the_files(void **state)
{
	const struct tree *t = *state;
	tree_make(t, MAIN " [a]\n" DROP "x.ini [b]");
	assert_refused(t, MAIN, 0664, 0,
		"/etc/vmaffinity.ini: group or others may write it (mode 0664); run chmod go-w on "
		"it\n");
	assert_refused(t, MAIN, 0646, 0,
		"/etc/vmaffinity.ini: group or others may write it (mode 0646); run chmod go-w on "
		"it\n");
	assert_refused(t, MAIN, 0644, 65534,
		"/etc/vmaffinity.ini: belongs to user 65534, not to root; run chown root on it\n");
	assert_refused(t, DROP "x.ini", 04622, 0,
		"/etc/vmaffinity.d/x.ini: group or others may write it (mode 4622); run chmod go-w "
		"on it\n");
	assert_refused(t, DROP "x.ini", 0600, 65534,
		"/etc/vmaffinity.d/x.ini: belongs to user 65534, not to root; run chown root on "
		"it\n");
	assert_refused(t, "etc/vmaffinity.d", 01777, 0,
		"/etc/vmaffinity.d: group or others may write it (mode 1777); run chmod go-w on "
		"it\n");
	assert_refused(t, "etc/vmaffinity.d", 0755, 65534,
		"/etc/vmaffinity.d: belongs to user 65534, not to root; run chown root on it\n");
}

static void
reads_plain_files_only(void **state)
{
	const struct tree *t = *state;
	tree_make(t, "etc/vmaffinity.ini/\netc/elsewhere [x]\n" DROP "d.ini/\n" DROP "z.ini [z]");
	assert_int_equal(symlinkat("/etc/elsewhere", t->fd, DROP "link.ini"), 0);
	assert_int_equal(symlinkat("nowhere", t->fd, DROP "lost.ini"), 0);
	assert_int_equal(mkfifoat(t->fd, DROP "pipe.ini", 0644), 0);
	assert_load(t, "odd files", "[z]1\n",
		"/etc/vmaffinity.ini: is a directory, must be a file\n"
		"/etc/vmaffinity.d/d.ini: is a directory, must be a file\n"
		"/etc/vmaffinity.d/link.ini: is a symbolic link, must be the file itself\n"
		"/etc/vmaffinity.d/lost.ini: is a symbolic link, must be the file itself\n"
		"/etc/vmaffinity.d/pipe.ini: is not a regular file\n");
	tree_remove(t, MAIN);
	tree_remove(t, "etc/vmaffinity.d");
	assert_int_equal(symlinkat("elsewhere", t->fd, MAIN), 0);
	tree_put(t, "etc/vmaffinity.d", "");
	assert_load(t, "a link and no directory", "",
		"/etc/vmaffinity.ini: is a symbolic link, must be the file itself\n"
		"/etc/vmaffinity.d: must be a directory, and not a symbolic link\n");
	tree_remove(t, "etc");
	tree_put(t, "etc", "");
	assert_load(t, "no directory above", "",
		"/etc/vmaffinity.ini: Not a directory\n/etc/vmaffinity.d: must be a directory, and "
		"not a symbolic link\n");
}

static void
root_says_what_cannot_be_read(void **state)
{
	const struct tree *t = *state;
	tree_make(t, MAIN " [m]\n" DROP "a.ini [a]\n" DROP "b.ini [b]");
	assert_int_equal(fchmodat(t->fd, MAIN, 0, 0), 0);
	assert_int_equal(fchmodat(t->fd, "etc/vmaffinity.d", 0700, 0), 0);
	assert_int_equal(fchmodat(t->fd, t->path, 0755, 0), 0);
	/* nobody may not; root may read all */
	assert_int_equal(seteuid(65534), 0);
	struct rules rules = {0};
	struct messages messages = {0};
	rules_load(&rules, t->fd, &messages);
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(shown_errors(&messages), "/etc/vmaffinity.ini: Permission denied\n"
						     "/etc/vmaffinity.d: Permission denied\n");
	rules_free(&rules);
	messages_free(&messages);
}

static void
root_a_caller_may_have_rules_of_his_own(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct messages messages = {0};
	tree_make(t, "mine.ini [a]\ntheirs.ini [b]");
	assert_int_equal(fchmodat(t->fd, t->path, 0755, 0), 0);
	assert_int_equal(fchownat(t->fd, "mine.ini", 65534, (gid_t)-1, 0), 0);
	assert_int_equal(fchmodat(t->fd, "theirs.ini", 0644, 0), 0);
	assert_int_equal(fchownat(t->fd, "theirs.ini", 65533, (gid_t)-1, 0), 0);
	assert_int_equal(seteuid(65534), 0);
	rules_load_file(&rules, t->fd, "mine.ini", &messages);
	rules_load_file(&rules, t->fd, "theirs.ini", &messages);
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(shown_rules(&rules), "[a]1\n");
	assert_string_equal(shown_errors(&messages),
		"theirs.ini: belongs to user 65533, not to root; run chown root on it\n");
	rules_free(&rules);
	messages_free(&messages);
}

static void
a_named_file_must_be_there(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct messages messages = {0};
	rules_load_file(&rules, t->fd, "absent.ini", &messages);
	assert_string_equal(shown_errors(&messages), "absent.ini: No such file or directory\n");
	assert_int_equal(rules.file_count, 0);
	messages_free(&messages);
	rules_free(&rules);
}

/* A text of lines, one for each number up to count. */
static char *
many_lines(const char *head, const char *format, unsigned count)
{
	char *text = malloc(strlen(head) + (size_t)count * 24 + 1);
	assert_non_null(text);
	size_t used = (size_t)sprintf(text, "%s", head);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	for (unsigned i = 1; i <= count; i++)
		used += (size_t)sprintf(text + used, format, i);
#pragma GCC diagnostic pop
	return text;
}

static void
takes_the_most_rules_and_no_more(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct messages messages = {0};
	char *text = many_lines("", "[g%u]\nvcpus = 1\n", RULES_MAX);
	tree_put(t, MAIN, text);
	free(text);
	rules_load(&rules, t->fd, &messages);
	assert_string_equal(shown_errors(&messages), "");
	assert_int_equal(rules.rule_count, 65536);
	assert_string_equal(rules.rules[65535].section, "g65536");
	rules_free(&rules);
	tree_make(t, DROP "a.ini [one-too-many]\\nvcpus = 0\\n[and-more]\n" DROP "b.ini [global]");
	rules_load(&rules, t->fd, &messages);
	assert_string_equal(
		shown_errors(&messages), "/etc/vmaffinity.d/a.ini:1: more than 65536 rules\n");
	assert_int_equal(rules.rule_count, 65536);
	rules_free(&rules);
	messages_free(&messages);
}

static void
takes_the_most_names_and_no_more(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct messages messages = {0};
	char *text = many_lines("[cpus]\n", "n%u = 0\n", RULES_SETS_MAX + 1);
	tree_put(t, MAIN, text);
	free(text);
	rules_load(&rules, t->fd, &messages);
	assert_string_equal(shown_errors(&messages),
		"/etc/vmaffinity.ini:4098: 'n4097': more than 4096 names in [cpus]\n");
	assert_int_equal(rules.set_count, 4096);
	assert_non_null(rules_find_set(&rules, "n4096", 5));
	rules_free(&rules);
	messages_free(&messages);
}

static void
takes_the_most_files_and_no_more(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct messages messages = {0};
	tree_make(t, MAIN " [m]");
	for (unsigned i = 1; i < RULES_FILES_MAX; i++) {
		char name[64];
		snprintf(name, sizeof(name), DROP "%04u.ini", i);
		tree_put(t, name, "[a]\n");
	}
	rules_load(&rules, t->fd, &messages);
	assert_string_equal(shown_errors(&messages), "");
	assert_int_equal(rules.file_count, 1024);
	rules_free(&rules);
	tree_make(t, DROP "1024.ini [a]\n" DROP "1025.ini [a]");
	rules_load(&rules, t->fd, &messages);
	assert_string_equal(shown_errors(&messages),
		"/etc/vmaffinity.d/1024.ini: more than 1024 rules files\n"
		"/etc/vmaffinity.d/1025.ini: more than 1024 rules files\n");
	rules_free(&rules);
	messages_free(&messages);
}

static void
takes_four_mib_and_no_more(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct messages messages = {0};
	char *text = malloc(RULES_FILE_MAX + 1);
	assert_non_null(text);
	memset(text, '\n', RULES_FILE_MAX + 1);
	memcpy(text + RULES_FILE_MAX - 4, "[a]\n", 4);
	tree_write(t, MAIN, text, RULES_FILE_MAX);
	rules_load(&rules, t->fd, &messages);
	assert_string_equal(shown_errors(&messages), "");
	assert_int_equal(rules.rule_count, 1);
	assert_int_equal(rules.rules[0].line, RULES_FILE_MAX - 3);
	rules_free(&rules);
	tree_write(t, MAIN, text, RULES_FILE_MAX + 1);
	rules_load(&rules, t->fd, &messages);
	assert_string_equal(shown_errors(&messages), "/etc/vmaffinity.ini: larger than 4 MiB\n");
	assert_int_equal(rules.rule_count, 0);
	rules_free(&rules);
	messages_free(&messages);
	free(text);
}

int
main(void)
{
	alarm(300); /* to open a FIFO must not wait */
	const struct CMUnitTest tests[] = {
		tree_test(reads_the_files_in_byte_order),
		tree_test(needs_no_file_at_all),
		tree_test(lets_a_later_file_define_anew),
		tree_test(root_asks_who_may_write_the_files),
		tree_test(reads_plain_files_only),
		tree_test(root_says_what_cannot_be_read),
		tree_test(root_a_caller_may_have_rules_of_his_own),
		tree_test(a_named_file_must_be_there),
		tree_test(takes_the_most_rules_and_no_more),
		tree_test(takes_the_most_names_and_no_more),
		tree_test(takes_the_most_files_and_no_more),
		tree_test(takes_four_mib_and_no_more),
	};
	return cmocka_run_group_tests_name("rules_load", tests, NULL, NULL);
}
