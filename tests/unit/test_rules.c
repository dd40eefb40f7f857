#include "../../engine/rules.h"

#include "tree.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAIN "etc/vmaffinity.ini"
#define DROP "etc/vmaffinity.d/"

/* All that was read, in one text: easy to compare, and to see what is wrong. */
static const char *
show(const struct rules *rules)
{
	static const char *const on_error[] = {"", " on-error=ignore", " on-error=fail"};
	static char text[65536];
	size_t used = 0;
#define add(...) used += (size_t)snprintf(text + used, sizeof(text) - used, __VA_ARGS__)
	add("%s", rules->on_error != ON_ERROR_UNSET ? "global" : "");
	add("%s%s", on_error[rules->on_error], rules->on_error != ON_ERROR_UNSET ? "\n" : "");
	for (size_t i = 0; i < rules->set_count; i++)
		add("@%s={%s}%u:%u\n", rules->sets[i].name, rules->sets[i].value.text,
			rules->sets[i].value.line, rules->sets[i].value.column);
	for (size_t i = 0; i < rules->rule_count; i++) {
		const struct rule *rule = &rules->rules[i];
		add("[%s]%u%s", rule->section, rule->line, on_error[rule->on_error]);
		if (rule->match.text != NULL)
			add(" match={%s}%u:%u", rule->match.text, rule->match.line,
				rule->match.column);
		for (size_t j = 0; j < rule->setting_count; j++) {
			const struct setting *s = &rule->settings[j];
			char key[SETTING_KEY_MAX];
			add(" %s={%s}%u:%u%s", setting_key(s, key), s->value.text, s->value.line,
				s->value.column, setting_is_keep(s) ? "k" : "");
		}
		add("\n");
	}
#undef add
	assert_true(used < sizeof(text));
	return text;
}

/* The errors, a line each. */
static const char *
errors(const struct notes *notes)
{
	static char text[65536];
	size_t used = 0;
	text[0] = '\0';
	assert_int_equal(notes->count, notes->errors);
	for (size_t i = 0; i < notes->count; i++)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s\n", notes->items[i].text);
	assert_true(used < sizeof(text));
	return text;
}

static void
assert_load(const struct tree *t, const char *name, const char *shown, const char *wrong)
{
	struct rules rules = {0};
	struct notes notes = {0};
	rules_load(&rules, t->fd, &notes);
	if (shown != NULL && strcmp(show(&rules), shown) != 0)
		fail_msg("%s\n--- gives\n%s--- wanted\n%s", name, show(&rules), shown);
	if (strcmp(errors(&notes), wrong) != 0)
		fail_msg("%s\n--- says\n%s--- wanted\n%s", name, errors(&notes), wrong);
	rules_free(&rules);
	notes_free(&notes);
}

/* What is in the main file, and what becomes of it without an error. */
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
	/* only " ;" begins a comment behind a value */
	{"[a]\nmatch = a;b\n", "[a]1 match={a;b}2:9\n"},
	{"[a]\nvcpus = 0-1,\n\t4,\n\n  ; c\n        6\n",
		"[a]1 vcpus={0-1,\n 4,\n\n\n        6}2:9\n"},
	{"[a]\nmatch = a,\n  b\nvcpus = 1\n", "[a]1 match={a,\n  b}2:9 vcpus={1}4:9\n"},
	/* the first key of a section may be indented: it continues nothing */
	{"[a]\n  vcpus = 0\n[b]\n  vcpus = 1\n", "[a]1 vcpus={0}2:11\n[b]3 vcpus={1}4:11\n"},
	{" [a]\nvcpus = 0\n", "[a]1 vcpus={0}2:9\n"},
	{"[a]\nvcpus = keep\nemulator = keep ; c\n", "[a]1 vcpus={keep}2:9k emulator={keep}3:12k\n"},
	{"[a]\nvcpus = keep it\n", "[a]1 vcpus={keep it}2:9\n"},
	{"[a]\nvcpu3 = 1\nvcpu2-5 = 2\nvcpus = 3\niothread1 = 4\niothread2-3 = 5\niothreads = 6\n",
		"[a]1 vcpu3={1}2:9 vcpu2-5={2}3:11 vcpus={3}4:9 iothread1={4}5:13 "
		"iothread2-3={5}6:15 iothreads={6}7:13\n"},
	{"[a]\nvcpu0-1 = 1\nvcpu2-3 = 2\niothread1-2 = 3\n",
		"[a]1 vcpu0-1={1}2:11 vcpu2-3={2}3:11 iothread1-2={3}4:15\n"},
	{"[global]\non-error = fail\n[cpus]\nx = 0\ny.2 = @x\n[*]\non-error = ignore\n",
		"global on-error=fail\n@x={0}4:5\n@y.2={@x}5:7\n[*]6 on-error=ignore\n"},
	{"[GLOBAL]\nvcpus = 0\n[Cpus]\nvcpus = 0\n", "[GLOBAL]1 vcpus={0}2:9\n[Cpus]3 vcpus={0}4:9\n"},
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

/* inih 55 leaves a comment behind a continued line in the value, later ones take it away. */
static void
takes_a_comment_from_a_continued_line(void **state)
{
	const struct tree *t = *state;
	tree_put(t, MAIN, "[a]\nvcpus = 0, ; c\n  1 ; d = e\nmatch = a,\n  b ; f\n  ,c\n");
	assert_load(t, "comments", "[a]1 match={a,\n  b\n  ,c}4:9 vcpus={0,\n  1}2:9\n", "");
}

#define AT(line) "/etc/vmaffinity.ini:" #line ": "
#define NAME_LENGTH                                                                                \
	"a section's name has 1 to 49 bytes; a longer pattern goes into 'match ='\n"
#define BLANK "the section's name begins or ends with a blank\n"
#define NOT_A_LINE "this is neither 'KEY = VALUE' nor a [section] nor a comment\n"
#define INDENT                                                                                     \
	"an indented line continues the value above; take its indent away to begin a key\n"

static const struct {
	const char *text, *wrong;
} bad[] = {
	{"vcpus = 0\n", AT(1) "'vcpus' stands before the first [section]\n"},
	{"x\n", AT(1) NOT_A_LINE},
	{"[a]\nx\n\n  \nvcpus = 0\ny\n", AT(2) NOT_A_LINE AT(6) NOT_A_LINE},
	{"[a]\nx", AT(2) NOT_A_LINE},
	{"[a]\nvcpus =\nemulator = ; c\n",
		AT(2) "'vcpus' has no value\n" AT(3) "'emulator' has no value\n"},
	{"[a]\nvpcus = 0\n", AT(2) "unknown key 'vpcus'; did you mean 'vcpus'?\n"},
	{"[a]\nvcpu4096 = 0\n", AT(2) "'vcpu4096': the highest number is 4095\n"},
	{"[global]\nvcpus = 0\n",
		AT(2) "'vcpus' stands in [global]; for every guest, write it below [*]\n"},
	{"[global]\non-error = maybe\n",
		AT(2) "on-error = maybe: write 'ignore' or 'fail'\n"},
	{"[a]\non-error = fail\non-error = fail\n",
		AT(3) "on-error stands in this section already\n"},
	{"[global]\non-error = fail\non-error = ignore\n",
		AT(3) "on-error stands in this section already\n"},
	{"[cpus]\na b = 0\n",
		AT(2) "'a b': a name in [cpus] is of letters, digits, '_', '-' and '.'\n"},
	{"[cpus]\na = 0\nb = 1\na = 2\n", AT(4) "'a' stands already at line 2\n"},
	/* a broken section takes its keys with it: they are not the previous one's */
	{"[a]\nvcpus = 0\n[b\nvcpus = 1\nnonsense\n",
		AT(3) "the section's name has no ']' at its end\n"},
	{"[]\nvcpus = 1\n", AT(1) NAME_LENGTH},
	{"[12345678901234567890123456789012345678901234567890]\nvcpus = 1\n", AT(1) NAME_LENGTH},
	{"[web-[0-9]]\nvcpus = 1\n",
		AT(1) "']' behind the section's name; a pattern with brackets goes into 'match ='\n"},
	{"[web-[0-9]\nvcpus = 1\n",
		AT(1) "'[' in the section's name; a pattern with brackets goes into 'match ='\n"},
	{"[ a]\nvcpus = 1\n[b\t]\n[ ]\n",
		AT(1) BLANK AT(3) BLANK AT(4) BLANK},
	{"[a] vcpus = 1\n", AT(1) "'vcpus = 1' behind the section's name; a pattern with brackets "
				  "goes into 'match ='\n"},
	{"[a]\n[b]\n[a]\nvcpus = 1\n",
		AT(3) "section [a] stands already at line 1; write its keys there\n"},
	{"[cpus]\n[cpus]\nx y = 1\n",
		AT(2) "section [cpus] stands already at line 1; write its keys there\n"},
	{"[global]\n[global]\nx = 1\n",
		AT(2) "section [global] stands already at line 1; write its keys there\n"},
	{"[a]\nvcpus = 0\nvcpus = 1\n", AT(3) "'vcpus' is given already by line 2\n"},
	{"[a]\nemulator = 0\nemulator = 0\n", AT(3) "'emulator' is given already by line 2\n"},
	{"[a]\nvcpu3 = 0\nvcpu03 = 1\n", AT(3) "'vcpu03' is given already by line 2\n"},
	{"[a]\nvcpu3 = 0\nvcpu3-3 = 1\n", AT(3) "'vcpu3-3' is given already by line 2\n"},
	{"[a]\nvcpu0-3 = 0\nvcpu3-5 = 1\n", AT(3) "'vcpu3-5' is given already by line 2\n"},
	{"[a]\nvcpu3-5 = 0\nvcpu0-3 = 1\n", AT(3) "'vcpu0-3' is given already by line 2\n"},
	{"[a]\nvcpu0-9 = 0\nvcpu3-5 = 1\n", AT(3) "'vcpu3-5' is given already by line 2\n"},
	{"[a]\niothread1-2 = 0\nvcpu1-2 = 0\niothread2-3 = 1\n",
		AT(4) "'iothread2-3' is given already by line 2\n"},
	{"[a]\nmatch = b\nmatch = c\n", AT(3) "match stands already at line 2\n"},
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
		"/etc/vmaffinity.ini:1: 'x' stands before the first [section]\n"
		"/etc/vmaffinity.ini:4: 'vcpus' is given already by line 3\n"
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
		struct notes notes = {0};
		tree_put(t, MAIN, texts[i]);
		rules_load(&rules, t->fd, &notes);
		if (notes.errors != 1 || strstr(notes.items[0].text, AT(3)) == NULL)
			fail_msg("%s says: %s", texts[i], errors(&notes));
		rules_free(&rules);
		notes_free(&notes);
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
		AT(2) "there is a NUL in the line\n" AT(4) "there is a NUL in the line\n");
	tree_write(t, MAIN, full, sizeof(full));
	assert_load(t, "full of NULs", "", AT(1) "there is a NUL in the line\n");
}

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
	struct notes notes = {0};
	assert_load(t, "nothing", "", "");
	tree_make(t, DROP);
	assert_load(t, "an empty directory", "", "");
	tree_make(t, DROP "a.ini [a]");
	assert_load(t, "no main file", "[a]1\n", "");
	tree_make(t, MAIN " [m]");
	rules_load(&rules, t->fd, &notes);
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
	struct notes notes = {0};
	tree_make(t, MAIN " [global]\\non-error = fail\\n[cpus]\\nx = 0\\nxy = 9\\n[a]\\nvcpus = 0\n" DROP
			  "1.ini [cpus]\\nx = 1\\n[a]\\nvcpus = 1\n" DROP
			  "2.ini [global]\\non-error = ignore");
	rules_load(&rules, t->fd, &notes);
	assert_string_equal(errors(&notes), "");
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
asks_who_may_write_the_files(void **state)
{
	const struct tree *t = *state;
	tree_make(t, MAIN " [a]\n" DROP "x.ini [b]");
	assert_refused(t, MAIN, 0664, 0,
		"/etc/vmaffinity.ini: others than its owner may write it (mode 0664); chmod go-w "
		"it\n");
	assert_refused(t, MAIN, 0646, 0,
		"/etc/vmaffinity.ini: others than its owner may write it (mode 0646); chmod go-w "
		"it\n");
	assert_refused(t, MAIN, 0644, 65534,
		"/etc/vmaffinity.ini: belongs to user 65534 and not to root; chown root it\n");
	assert_refused(t, DROP "x.ini", 04622, 0,
		"/etc/vmaffinity.d/x.ini: others than its owner may write it (mode 4622); chmod "
		"go-w it\n");
	assert_refused(t, DROP "x.ini", 0600, 65534,
		"/etc/vmaffinity.d/x.ini: belongs to user 65534 and not to root; chown root it\n");
	assert_refused(t, "etc/vmaffinity.d", 01777, 0,
		"/etc/vmaffinity.d: others than its owner may write it (mode 1777); chmod go-w "
		"it\n");
	assert_refused(t, "etc/vmaffinity.d", 0755, 65534,
		"/etc/vmaffinity.d: belongs to user 65534 and not to root; chown root it\n");
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
		"/etc/vmaffinity.d: Not a directory\n");
	tree_remove(t, "etc");
	tree_put(t, "etc", "");
	assert_load(t, "no directory above", "",
		"/etc/vmaffinity.ini: Not a directory\n/etc/vmaffinity.d: Not a directory\n");
}

static void
says_what_cannot_be_read(void **state)
{
	const struct tree *t = *state;
	tree_make(t, MAIN " [m]\n" DROP "a.ini [a]\n" DROP "b.ini [b]");
	assert_int_equal(fchmodat(t->fd, MAIN, 0, 0), 0);
	assert_int_equal(fchmodat(t->fd, "etc/vmaffinity.d", 0700, 0), 0);
	assert_int_equal(fchmodat(t->fd, t->path, 0755, 0), 0);
	/* nobody may not; root may read all */
	assert_int_equal(seteuid(65534), 0);
	struct rules rules = {0};
	struct notes notes = {0};
	rules_load(&rules, t->fd, &notes);
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(errors(&notes), "/etc/vmaffinity.ini: Permission denied\n"
					    "/etc/vmaffinity.d: Permission denied\n");
	rules_free(&rules);
	notes_free(&notes);
}

static void
a_caller_may_have_rules_of_his_own(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct notes notes = {0};
	tree_make(t, "mine.ini [a]\ntheirs.ini [b]");
	assert_int_equal(fchmodat(t->fd, t->path, 0755, 0), 0);
	assert_int_equal(fchownat(t->fd, "mine.ini", 65534, (gid_t)-1, 0), 0);
	assert_int_equal(fchownat(t->fd, "theirs.ini", 65533, (gid_t)-1, 0), 0);
	assert_int_equal(seteuid(65534), 0);
	rules_load_file(&rules, t->fd, "mine.ini", &notes);
	rules_load_file(&rules, t->fd, "theirs.ini", &notes);
	assert_int_equal(seteuid(0), 0);
	assert_string_equal(show(&rules), "[a]1\n");
	assert_string_equal(errors(&notes),
		"theirs.ini: belongs to user 65533 and not to root; chown root it\n");
	rules_free(&rules);
	notes_free(&notes);
}

static void
a_named_file_must_be_there(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct notes notes = {0};
	rules_load_file(&rules, t->fd, "absent.ini", &notes);
	assert_string_equal(errors(&notes), "absent.ini: No such file or directory\n");
	assert_int_equal(rules.file_count, 0);
	notes_free(&notes);
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
	struct notes notes = {0};
	char *text = many_lines("", "[g%u]\nvcpus = 1\n", RULES_MAX);
	tree_put(t, MAIN, text);
	free(text);
	rules_load(&rules, t->fd, &notes);
	assert_string_equal(errors(&notes), "");
	assert_int_equal(rules.rule_count, 65536);
	assert_string_equal(rules.rules[65535].section, "g65536");
	rules_free(&rules);
	tree_make(t, DROP "a.ini [one-too-many]\\nvcpus = 0\\n[and-more]\n" DROP "b.ini [global]");
	rules_load(&rules, t->fd, &notes);
	assert_string_equal(errors(&notes), "/etc/vmaffinity.d/a.ini:1: more than 65536 rules\n"
					    "/etc/vmaffinity.d/a.ini:3: more than 65536 rules\n");
	assert_int_equal(rules.rule_count, 65536);
	rules_free(&rules);
	notes_free(&notes);
}

static void
takes_the_most_names_and_no_more(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct notes notes = {0};
	char *text = many_lines("[cpus]\n", "n%u = 0\n", RULES_SETS_MAX + 1);
	tree_put(t, MAIN, text);
	free(text);
	rules_load(&rules, t->fd, &notes);
	assert_string_equal(errors(&notes), AT(4098) "'n4097': more than 4096 names in [cpus]\n");
	assert_int_equal(rules.set_count, 4096);
	assert_non_null(rules_find_set(&rules, "n4096", 5));
	rules_free(&rules);
	notes_free(&notes);
}

static void
takes_the_most_files_and_no_more(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct notes notes = {0};
	tree_make(t, MAIN " [m]");
	for (unsigned i = 1; i < RULES_FILES_MAX; i++) {
		char name[64];
		snprintf(name, sizeof(name), DROP "%04u.ini", i);
		tree_put(t, name, "[a]\n");
	}
	rules_load(&rules, t->fd, &notes);
	assert_string_equal(errors(&notes), "");
	assert_int_equal(rules.file_count, 1024);
	rules_free(&rules);
	tree_make(t, DROP "1024.ini [a]\n" DROP "1025.ini [a]");
	rules_load(&rules, t->fd, &notes);
	assert_string_equal(errors(&notes), "/etc/vmaffinity.d/1024.ini: more than 1024 rules files\n"
					    "/etc/vmaffinity.d/1025.ini: more than 1024 rules files\n");
	rules_free(&rules);
	notes_free(&notes);
}

static void
takes_four_mib_and_no_more(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct notes notes = {0};
	char *text = malloc(RULES_FILE_MAX + 1);
	assert_non_null(text);
	memset(text, '\n', RULES_FILE_MAX + 1);
	memcpy(text + RULES_FILE_MAX - 4, "[a]\n", 4);
	tree_write(t, MAIN, text, RULES_FILE_MAX);
	rules_load(&rules, t->fd, &notes);
	assert_string_equal(errors(&notes), "");
	assert_int_equal(rules.rule_count, 1);
	assert_int_equal(rules.rules[0].line, RULES_FILE_MAX - 3);
	rules_free(&rules);
	tree_write(t, MAIN, text, RULES_FILE_MAX + 1);
	rules_load(&rules, t->fd, &notes);
	assert_string_equal(errors(&notes), "/etc/vmaffinity.ini: larger than 4 MiB\n");
	assert_int_equal(rules.rule_count, 0);
	rules_free(&rules);
	notes_free(&notes);
	free(text);
}

static void
counts_errors_without_end(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct notes notes = {0};
	char *text = malloc(RULES_FILE_MAX);
	assert_non_null(text);
	for (size_t i = 0; i < RULES_FILE_MAX; i++)
		text[i] = i % 2 == 0 ? 'x' : '\n';
	tree_write(t, MAIN, text, RULES_FILE_MAX);
	free(text);
	rules_load(&rules, t->fd, &notes);
	assert_int_equal(notes.count, NOTES_MAX);
	assert_int_equal(notes.errors, RULES_FILE_MAX / 2);
	assert_string_equal(notes.items[999].text,
		"/etc/vmaffinity.ini:1000: this is neither 'KEY = VALUE' nor a [section] nor a "
		"comment");
	rules_free(&rules);
	notes_free(&notes);
}

#define UUID "6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a11"

static const struct {
	const char *section, *match, *name;
	bool matches;
} matches[] = {
	{"web", NULL, "web", true},
	{"web", NULL, "web1", false},
	{"web-*", NULL, "web-", true},
	{"web-?", NULL, "web-12", false},
	{"*", NULL, "any thing", true},
	{"*", NULL, ".hidden", true},
	{"WEB", NULL, "web", false},
	{"a&b", NULL, "a&b", true},
	{"name:web", NULL, "web", false},
	{"web", "db", "web", false},
	{"web", "db", "db", true},
	{"x", "a,b ,  c*", "b", true},
	{"x", "a,b ,  c*", "cde", true},
	{"x", "a,b ,  c*", "d", false},
	{"x", "a b", "a b", true},
	{"x", "a,\n   b", "b", true},
	{"x", "a,\n   b,\n c", "c", true},
	{"x", "web-[0-9]", "web-7", true},
	{"x", "web-[!0-9]", "web-7", false},
	{"x", "web\\*", "web*", true},
	{"x", "web\\*", "webx", false},
	{"x", "name:web*", "web1", true},
	{"x", "name:uuid:*", "uuid:7", true},
	{"x", "uuid:" UUID, "web", true},
	{"x", "uuid:6F1C0D5A-5D2C-4B0E-9F0E-0B1D7C1F3A11", "web", true},
	{"x", "uuid:6f1c0d5a-5d2c-4b0e-9f0e-0b1d7c1f3a12", "web", false},
	{"x", "no, uuid:" UUID " , other", "web", true},
};

static void
matches_by_name_and_uuid(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(matches); i++) {
		struct rule rule = {.section = (char *)matches[i].section,
			.match = {.text = (char *)matches[i].match}};
		struct domain domain = {.name = (char *)matches[i].name, .uuid = UUID};
		if (rule_matches(&rule, &domain) != matches[i].matches)
			fail_msg("[%s] match = %s, and %s", matches[i].section, matches[i].match,
				matches[i].name);
	}
	struct rule rule = {.section = (char *)"x", .match = {.text = (char *)"uuid:" UUID}};
	struct domain unknown = {.name = (char *)UUID};
	assert_false(rule_matches(&rule, &unknown));
}

static const char precedence[] =
	"[*]\nemulator = 0\nvcpus = 1\niothreads = 2\nvcpu9 = 3\n"       /* lines 1 to 5 */
	"[web]\nvcpu2-5 = 7\nvcpu3 = 8\nvcpus = 9\niothread1 = keep\n"   /* 6 to 10 */
	"[w*]\nvcpu4 = 12\n"						 /* 11 to 12 */
	"[other]\nemulator = 14\n";					 /* 13 to 14 */

static const struct {
	struct group group;
	unsigned line; /* of the setting that decides */
} decides[] = {
	{{GROUP_EMULATOR, 0}, 2},
	{{GROUP_VCPU, 0}, 9},
	{{GROUP_VCPU, 2}, 7},
	{{GROUP_VCPU, 3}, 8},
	{{GROUP_VCPU, 4}, 12},
	{{GROUP_VCPU, 5}, 7},
	{{GROUP_VCPU, 6}, 9},
	{{GROUP_VCPU, 9}, 9},
	{{GROUP_IOTHREAD, 1}, 10},
	{{GROUP_IOTHREAD, 2}, 4},
	{{GROUP_IOTHREAD, 3}, 4},
};

static void
the_last_rule_and_in_it_the_nearest_key_decides(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct notes notes = {0};
	struct matched matched;
	struct domain domain = {.name = (char *)"web"}, nobody = {.name = (char *)"other"};
	tree_put(t, MAIN, precedence);
	rules_load(&rules, t->fd, &notes);
	assert_string_equal(errors(&notes), "");
	assert_int_equal(rules_match(&rules, &domain, &matched), 0);
	assert_int_equal(matched.count, 3);
	for (size_t i = 0; i < COUNT(decides); i++) {
		const struct setting *s = rules_setting(&matched, decides[i].group);
		assert_non_null(s);
		char name[GROUP_NAME_MAX];
		if (s->value.line != decides[i].line)
			fail_msg("%s: line %u", group_name(decides[i].group, name), s->value.line);
	}
	free(matched.rules);
	assert_int_equal(rules_match(&rules, &nobody, &matched), 0);
	assert_int_equal(matched.count, 2);
	assert_int_equal(rules_setting(&matched, (struct group){GROUP_EMULATOR, 0})->value.line, 14);
	free(matched.rules);
	rules_free(&rules);

	/* written the other way round, within a rule nothing changes */
	tree_put(t, MAIN, "[web]\nvcpus = 1\nvcpu3 = 2\nvcpu2-5 = 3\n[nobody]\nvcpu1 = 0\n");
	rules_load(&rules, t->fd, &notes);
	assert_int_equal(rules_match(&rules, &domain, &matched), 0);
	assert_int_equal(matched.count, 1);
	assert_int_equal(rules_setting(&matched, (struct group){GROUP_VCPU, 3})->value.line, 3);
	assert_int_equal(rules_setting(&matched, (struct group){GROUP_VCPU, 2})->value.line, 4);
	assert_int_equal(rules_setting(&matched, (struct group){GROUP_VCPU, 5})->value.line, 4);
	assert_int_equal(rules_setting(&matched, (struct group){GROUP_VCPU, 1})->value.line, 2);
	assert_null(rules_setting(&matched, (struct group){GROUP_EMULATOR, 0}));
	assert_null(rules_setting(&matched, (struct group){GROUP_IOTHREAD, 3}));
	free(matched.rules);
	rules_free(&rules);

	assert_int_equal(rules_match(&(struct rules){0}, &domain, &matched), 0);
	assert_int_equal(matched.count, 0);
	assert_null(matched.rules);
}

#define I ON_ERROR_IGNORE
#define F ON_ERROR_FAIL

static const struct {
	const char *text;
	enum on_error web, other, unknown;
} on_errors[] = {
	{"", I, I, I},
	{"[global]\non-error = fail\n", F, F, F},
	{"[web]\non-error = fail\n", F, I, I},
	{"[global]\non-error = fail\n[web]\non-error = ignore\n", I, F, F},
	{"[web]\non-error = ignore\n[global]\non-error = fail\n", I, F, F},
	{"[*]\non-error = fail\n[web]\nvcpus = 0\n", F, F, I},
	{"[*]\non-error = fail\n[web]\non-error = ignore\n", I, F, I},
	{"[web]\non-error = ignore\n[*]\non-error = fail\n", F, F, I},
};

static void
resolves_on_error(void **state)
{
	const struct tree *t = *state;
	struct domain web = {.name = (char *)"web"}, other = {.name = (char *)"other"};
	for (size_t i = 0; i < COUNT(on_errors); i++) {
		struct rules rules = {0};
		struct notes notes = {0};
		tree_put(t, MAIN, on_errors[i].text);
		rules_load(&rules, t->fd, &notes);
		assert_string_equal(errors(&notes), "");
		if (rules_on_error(&rules, &web) != on_errors[i].web ||
			rules_on_error(&rules, &other) != on_errors[i].other ||
			rules_on_error(&rules, NULL) != on_errors[i].unknown)
			fail_msg("%s", on_errors[i].text);
		rules_free(&rules);
	}
}

/* Errors elsewhere do not take away what was understood of on-error. */
static void
keeps_on_error_of_a_file_with_errors(void **state)
{
	const struct tree *t = *state;
	struct rules rules = {0};
	struct notes notes = {0};
	struct domain web = {.name = (char *)"web"};
	tree_put(t, MAIN, "x\n[global]\non-error = fail\n[web]\nvcpu = 1\n[y\n");
	rules_load(&rules, t->fd, &notes);
	assert_int_equal(notes.errors, 3);
	assert_int_equal(rules_on_error(&rules, &web), ON_ERROR_FAIL);
	rules_free(&rules);
	notes_free(&notes);
}

static void
places_a_byte_of_a_continued_value(void **state)
{
	(void)state;
	struct value value = {
		.text = (char *)"0-1,\n\n  @x", .file = "f.ini", .line = 7, .column = 12};
	static const struct {
		size_t offset;
		const char *place;
	} places[] = {{0, "f.ini:7:12"}, {4, "f.ini:7:16"}, {5, "f.ini:8:1"}, {6, "f.ini:9:1"},
		{8, "f.ini:9:3"}, {99, "f.ini:9:5"}};
	for (size_t i = 0; i < COUNT(places); i++) {
		char place[VALUE_PLACE_MAX];
		assert_string_equal(
			value_place(&value, places[i].offset, place), places[i].place);
	}
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
		tree_test(reads_the_files_in_byte_order),
		tree_test(needs_no_file_at_all),
		tree_test(lets_a_later_file_define_anew),
		tree_test(asks_who_may_write_the_files),
		tree_test(reads_plain_files_only),
		tree_test(says_what_cannot_be_read),
		tree_test(a_caller_may_have_rules_of_his_own),
		tree_test(a_named_file_must_be_there),
		tree_test(takes_the_most_rules_and_no_more),
		tree_test(takes_the_most_names_and_no_more),
		tree_test(takes_the_most_files_and_no_more),
		tree_test(takes_four_mib_and_no_more),
		tree_test(counts_errors_without_end),
		cmocka_unit_test(matches_by_name_and_uuid),
		tree_test(the_last_rule_and_in_it_the_nearest_key_decides),
		tree_test(resolves_on_error),
		tree_test(keeps_on_error_of_a_file_with_errors),
		cmocka_unit_test(places_a_byte_of_a_continued_value),
	};
	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
