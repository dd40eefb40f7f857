/* SPDX-License-Identifier: MIT */
#include "rules/rules.h"

#include "support/shown.h"
#include "support/tree.h"
#include "support/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAIN "etc/vmaffinity.ini"

/* The contents of a main file without an error, and the rules read from it. */
static const struct {
	const char *text, *shown;
} good[] = {
	{"", ""},
	{"\n\n; c\n# c\n  ; c\n", ""},
	{"[a]", "[a]1\n"},
	{"[a]\nvcpus = 0-3", "[a]1 vcpus={0-3}2:9\n"},
	{"[a]\nvcpus=0-3\n", "[a]1 vcpus={0-3}2:7\n"},
	{"[a]\nvcpus: 0-3\n", "[a]1 vcpus={0-3}2:8\n"},
	{"[a]\nvcpus \t=  0-3  \n", "[a]1 vcpus={0-3}2:11\n"},
	{"\xef\xbb\xbf[a]\nvcpus = 0\n", "[a]1 vcpus={0}2:9\n"},
	{"[a]\r\nvcpus = 0\r\n  1\r\n", "[a]1 vcpus={0\n  1}2:9\n"},
	{"[a]\nvcpus = 0 ; why\nemulator = 1 ;\n", "[a]1 vcpus={0}2:9 emulator={1}3:12\n"},
	{"[a] ; c\nvcpus = 0\n[b]# c\nvcpus = 1\n[c] \t\n",
		"[a]1 vcpus={0}2:9\n[b]3 vcpus={1}4:9\n[c]5\n"},
	/* only " ;" begins a comment after a value */
	{"[a]\nmatch = a;b\n", "[a]1 match={a;b}2:9\n"},
	{"[a]\nvcpus = 0-1,\n\t4,\n\n  ; c\n        6\n",
		"[a]1 vcpus={0-1,\n 4,\n\n\n        6}2:9\n"},
	{"[a]\nmatch = a,\n  b\nvcpus = 1\n", "[a]1 match={a,\n  b}2:9 vcpus={1}4:9\n"},
	/* the first key of a section may be indented: it continues nothing */
	{"[a]\n  vcpus = 0\n[b]\n  vcpus = 1\n", "[a]1 vcpus={0}2:11\n[b]3 vcpus={1}4:11\n"},
	{" [a]\nvcpus = 0\n", "[a]1 vcpus={0}2:9\n"},
	{"[a]\nvcpus = keep\nemulator = keep ; c\n",
		"[a]1 vcpus={keep}2:9k emulator={keep}3:12k\n"},
	{"[a]\nvcpus = keep it\n", "[a]1 vcpus={keep it}2:9\n"},
	{"[a]\nvcpu3 = 1\nvcpu2-5 = 2\nvcpus = 3\niothread1 = 4\niothread2-3 = 5\niothreads = 6\n",
		"[a]1 vcpu3={1}2:9 vcpu2-5={2}3:11 vcpus={3}4:9 iothread1={4}5:13 "
		"iothread2-3={5}6:15 iothreads={6}7:13\n"},
	{"[a]\nvcpu0-1 = 1\nvcpu2-3 = 2\niothread1-2 = 3\n",
		"[a]1 vcpu0-1={1}2:11 vcpu2-3={2}3:11 iothread1-2={3}4:15\n"},
	{"[global]\non-error = fail\n[cpus]\nx = 0\ny.2 = @x\n[*]\non-error = ignore\n",
		"global on-error=fail\n@x={0}4:5\n@y.2={@x}5:7\n[*]6 on-error=ignore\n"},
	{"[GLOBAL]\nvcpus = 0\n[Cpus]\nvcpus = 0\n",
		"[GLOBAL]1 vcpus={0}2:9\n[Cpus]3 vcpus={0}4:9\n"},
	{"[a b]\n", "[a b]1\n"},
	{"[1234567890123456789012345678901234567890123456789]\nvcpus = 0\n",
		"[1234567890123456789012345678901234567890123456789]1 vcpus={0}2:9\n"},
};

static void
reads_what_is_good(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(good); i++) {
		tree_put(t, MAIN, good[i].text);
		assert_load(t, good[i].text, good[i].shown, "");
	}
}

/* inih 55 leaves the comment after a continued line in the value, later ones remove it. */
static void
takes_a_comment_from_a_continued_line(void **state)
{
	const struct tree *t = *state;
	tree_put(t, MAIN, "[a]\nvcpus = 0, ; c\n  1 ; d = e\nmatch = a,\n  b ; f\n  ,c\n");
	assert_load(t, "comments", "[a]1 match={a,\n  b\n  ,c}4:9 vcpus={0,\n  1}2:9\n", "");
}

#define AT(line) "/etc/vmaffinity.ini:" #line ": "
#define NAME_LENGTH "a section's name has 1 to 49 bytes; a longer pattern goes into 'match ='\n"
#define BLANK "the section's name begins or ends with a blank\n"
#define NOT_A_LINE "this is neither 'KEY = VALUE' nor a [section] nor a comment\n"
#define INDENT "an indented line continues the value above; remove its indent to begin a key\n"

static const struct {
	const char *text, *wrong;
} bad[] = {
	{"vcpus = 0\n", AT(1) "'vcpus' comes before the first [section]\n"},
	{"x\n", AT(1) NOT_A_LINE},
	{"[a]\nx\n\n  \nvcpus = 0\ny\n", AT(2) NOT_A_LINE AT(6) NOT_A_LINE},
	{"[a]\nx", AT(2) NOT_A_LINE},
	{"[a]\nvcpus =\nemulator = ; c\n",
		AT(2) "'vcpus' has no value\n" AT(3) "'emulator' has no value\n"},
	{"[a]\nvpcus = 0\n", AT(2) "unknown key 'vpcus'; did you mean 'vcpus'?\n"},
	{"[a]\nvcpu4096 = 0\n", AT(2) "'vcpu4096': the highest number is 4095\n"},
	{"[global]\nvcpus = 0\n",
		AT(2) "'vcpus' is not a key of [global]; for every guest, write it below [*]\n"},
	{"[global]\non-error = maybe\n", AT(2) "on-error = maybe: write 'ignore' or 'fail'\n"},
	{"[a]\non-error = fail\non-error = fail\n",
		AT(3) "'on-error' is already given at line 2\n"},
	{"[global]\non-error = fail\non-error = ignore\n",
		AT(3) "'on-error' is already given at line 2\n"},
	{"[cpus]\na b = 0\n",
		AT(2) "'a b': a name in [cpus] consists of letters, digits, '_', '-' and '.'\n"},
	{"[cpus]\na = 0\nb = 1\na = 2\n", AT(4) "'a' is already defined at line 2\n"},
	/* a broken section takes its keys with it: they are not the previous one's */
	{"[a]\nvcpus = 0\n[b\nvcpus = 1\nnonsense\n",
		AT(3) "the section's name has no ']' at its end\n"},
	{"[]\nvcpus = 1\n", AT(1) NAME_LENGTH},
	{"[12345678901234567890123456789012345678901234567890]\nvcpus = 1\n", AT(1) NAME_LENGTH},
	{"[web-[0-9]]\nvcpus = 1\n", AT(1) "']' after the section's name; a pattern with brackets "
					   "goes into 'match ='\n"},
	{"[web-[0-9]\nvcpus = 1\n",
		AT(1) "'[' in the section's name; a pattern with brackets goes into 'match ='\n"},
	{"[ a]\nvcpus = 1\n[b\t]\n[ ]\n", AT(1) BLANK AT(3) BLANK AT(4) BLANK},
	{"[a] vcpus = 1\n", AT(1) "'vcpus = 1' after the section's name; a pattern with brackets "
				  "goes into 'match ='\n"},
	{"[a]\n[b]\n[a]\nvcpus = 1\n",
		AT(3) "section [a] already begins at line 1; write its keys there\n"},
	{"[cpus]\n[cpus]\nx y = 1\n",
		AT(2) "section [cpus] already begins at line 1; write its keys there\n"},
	{"[global]\n[global]\nx = 1\n",
		AT(2) "section [global] already begins at line 1; write its keys there\n"},
	{"[a]\nvcpus = 0\nvcpus = 1\n", AT(3) "'vcpus' is already given at line 2\n"},
	{"[a]\nemulator = 0\nemulator = 0\n", AT(3) "'emulator' is already given at line 2\n"},
	{"[a]\nvcpu3 = 0\nvcpu03 = 1\n", AT(3) "'vcpu03' is already given at line 2\n"},
	{"[a]\nvcpu3 = 0\nvcpu3-3 = 1\n", AT(3) "'vcpu3-3' is already given at line 2\n"},
	{"[a]\nvcpu0-3 = 0\nvcpu3-5 = 1\n", AT(3) "'vcpu3-5' is already given at line 2\n"},
	{"[a]\nvcpu3-5 = 0\nvcpu0-3 = 1\n", AT(3) "'vcpu0-3' is already given at line 2\n"},
	{"[a]\nvcpu0-9 = 0\nvcpu3-5 = 1\n", AT(3) "'vcpu3-5' is already given at line 2\n"},
	{"[a]\niothread1-2 = 0\nvcpu1-2 = 0\niothread2-3 = 1\n",
		AT(4) "'iothread2-3' is already given at line 2\n"},
	{"[a]\nmatch = b\nmatch = c\n", AT(3) "'match' is already given at line 2\n"},
	{"[a]\nmatch = b,,c\n",
		"/etc/vmaffinity.ini:2:11: match: a pattern is missing; write GLOB, name:GLOB or "
		"uuid:UUID\n"},
	{"[a]\nmatch = b,\n   c,\n     uuid:1\n",
		"/etc/vmaffinity.ini:4:6: match: '1' is not a UUID, as in "
		"uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11\n"},
	{"[a]\nmatch = b\n  c\n", "/etc/vmaffinity.ini:2:9: match: a comma is missing between 'b' "
				  "and the next line\n"},
	{"[a]\n  vcpus = 0\n  emulator = 1\n", AT(3) INDENT},
	{"[a]\nmatch = b,\n  vcpus = 1\n",
		AT(3) INDENT "/etc/vmaffinity.ini:2:11: match: a pattern is missing; write GLOB, "
			     "name:GLOB or uuid:UUID\n"},
	/* what continues a wrong key is not reported once more */
	{"[a]\nvpcus = 0,\n  1\n", AT(2) "unknown key 'vpcus'; did you mean 'vcpus'?\n"},
	/* all at once, in order */
	{"x = 1\n[a]\nvcpus = 1\nvcpus = 2\nfoo\n[b\n[c]\nvcp = 1\n[global]\non-error = no\n",
		"/etc/vmaffinity.ini:1: 'x' comes before the first [section]\n"
		"/etc/vmaffinity.ini:4: 'vcpus' is already given at line 3\n"
		"/etc/vmaffinity.ini:5: " NOT_A_LINE
		"/etc/vmaffinity.ini:6: the section's name has no ']' at its end\n"
		"/etc/vmaffinity.ini:8: unknown key 'vcp'; did you mean 'vcpus'?\n"
		"/etc/vmaffinity.ini:10: on-error = no: write 'ignore' or 'fail'\n"},
};

static void
reports_all_that_is_bad_with_its_line(void **state)
{
	const struct tree *t = *state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		tree_put(t, MAIN, bad[i].text);
		assert_load(t, bad[i].text, NULL, bad[i].wrong);
	}
}

/* "on-error" has one word. A line that seems to continue it must not be passed over in silence. */
static void
reports_what_continues_on_error(void **state)
{
	const struct tree *t = *state;
	static const char *const texts[] = {"[global]\non-error = ignore\n  on-error = fail\n",
		"[a]\non-error = ignore\n  vcpus = 0\n", "[a]\non-error = ignore\n  fail\n"};
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct rules rules = {0};
		struct messages messages = {0};
		tree_put(t, MAIN, texts[i]);
		rules_load(&rules, t->fd, &messages);
		if (messages.errors != 1 || strstr(messages.items[0].text, AT(3)) == NULL)
			fail_msg("%s says: %s", texts[i], shown_errors(&messages));
		rules_free(&rules);
		messages_free(&messages);
	}
}

/* inih takes lines of up to 199 bytes; one of 197 and a newline is what it gets from us. */
static void
bounds_a_line(void **state)
{
	const struct tree *t = *state;
	for (size_t length = 190; length <= 600; length = length < 210 ? length + 1 : length + 97) {
		char text[1024], shown[1024] = "[a]1 match={";
		size_t pattern = length - strlen("match = ");
		bool fits = length <= 197;
		strcpy(text, "[a]\nmatch = ");
		memset(text + strlen(text), 'p', pattern);
		strcpy(text + 4 + length, "\nvcpus = 0\n");
		memset(shown + strlen(shown), 'p', pattern);
		strcpy(shown + 12 + pattern, "}2:9 vcpus={0}3:9\n");
		tree_put(t, MAIN, text);
		assert_load(t, text, fits ? shown : NULL,
			fits ? ""
			     : AT(2) "the line is longer than 197 bytes; continue it on an "
				     "indented line\n");
	}
}

static void
refuses_a_nul_in_a_line(void **state)
{
	const struct tree *t = *state;
	static const char text[] = "[a]\nvcpus = 0\0-3\nemulator = 1\n\0\n", full[1000];
	tree_write(t, MAIN, text, sizeof(text) - 1);
	assert_load(t, "NUL", "[a]1 emulator={1}3:12\n",
		AT(2) "the line contains a NUL byte\n" AT(4) "the line contains a NUL byte\n");
	tree_write(t, MAIN, full, sizeof(full));
	assert_load(t, "full of NULs", "", AT(1) "the line contains a NUL byte\n");
}

/* Errors elsewhere do not take away what was understood of on-error. */
static void
keeps_on_error_of_a_file_with_errors(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct messages messages = {0};
	tree_put(t, MAIN, "x\n[global]\non-error = fail\n[web]\nvcpu = 1\n[y\n");
	rules_load(&rules, t->fd, &messages);
	assert_int_equal(messages.errors, 3);
	assert_int_equal(rules_on_error(&rules, "web", NULL), ON_ERROR_FAIL);
	rules_free(&rules);
	messages_free(&messages);
}

static void
counts_errors_without_end(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct messages messages = {0};
	char *text = malloc(RULES_FILE_MAX);
	assert_non_null(text);
	for (size_t i = 0; i < RULES_FILE_MAX; i++)
		text[i] = i % 2 == 0 ? 'x' : '\n';
	tree_write(t, MAIN, text, RULES_FILE_MAX);
	free(text);
	rules_load(&rules, t->fd, &messages);
	assert_int_equal(messages.count, MESSAGES_MAX);
	assert_int_equal(messages.errors, RULES_FILE_MAX / 2);
	assert_string_equal(messages.items[999].text,
		"/etc/vmaffinity.ini:1000: this is neither 'KEY = VALUE' nor a [section] nor a "
		"comment");
	rules_free(&rules);
	messages_free(&messages);
}

int
main(void)
{
	alarm(300); /* to open a FIFO must not wait */
	const struct CMUnitTest tests[] = {
		tree_test(reads_what_is_good),
		tree_test(takes_a_comment_from_a_continued_line),
		tree_test(reports_all_that_is_bad_with_its_line),
		tree_test(reports_what_continues_on_error),
		tree_test(bounds_a_line),
		tree_test(refuses_a_nul_in_a_line),
		tree_test(keeps_on_error_of_a_file_with_errors),
		tree_test(counts_errors_without_end),
	};
	return cmocka_run_group_tests_name("rules_parse", tests, NULL, NULL);
}
