/* SPDX-License-Identifier: MIT */
/* Makes a directory of files from a host that is written as text. */
#include "cli/capture/snapshot_read.h"

#include "base/cleanup.h"
#include "base/cpumask.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Directories kept open while the tree is removed. */
#define REMOVE_FDS 16

/* Stands for an escaped brace in a path under work. No path has a control character. */
#define PLAIN_BRACE '\001'

struct tree_maker {
	int root;
	size_t files, bytes;
};

/*
 * Resolves \a and \b to A and B, and two backslashes to one, in place. Any other backslash stays.
 * Returns the new length.
 */
static size_t
snapshot_unescape(char *text, size_t length, char a, char A, char b, char B)
{
	size_t used = 0;
	for (size_t i = 0; i < length; i++) {
		char next = text[i] == '\\' && i + 1 < length ? text[i + 1] : '\0';
		bool known = next != '\0' && (next == a || next == b || next == '\\');
		text[used++] = !known ? text[i] : next == a ? A : next == b ? B : '\\';
		i += known;
	}
	return used;
}

/* True if path leads nowhere out of the directory, as "/x", "../x" and "x/../../y" do. */
static bool
stays_inside(const char *path)
{
	if (path[0] == '/' || path[0] == '\0')
		return false;
	for (const char *s = path; *s != '\0';) {
		size_t length = strcspn(s, "/");
		if (length == 0 || (length == 1 && s[0] == '.') ||
			(length == 2 && s[0] == '.' && s[1] == '.'))
			return false;
		s += length;
		s += *s == '/';
	}
	return true;
}

static int
make_directories(int root, char *path)
{
	for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int r = mkdirat(root, path, 0700);
		*slash = '/';
		if (r != 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

/* Appends value to a file, making it and its directories. The tree has no links, as none is made.
 */
static int
snapshot_append(int root, char *path, const char *value, size_t length)
{
	static const int flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC;
	int first = openat(root, path, flags, 0600);
	AUTO_CLOSE int fd = first >= 0 || errno != ENOENT	? first
			    : make_directories(root, path) == 0 ? openat(root, path, flags, 0600)
								: -1;
	if (fd < 0)
		return -1;
	ssize_t n = write(fd, value, length);
	if (n >= 0 && (size_t)n != length) {
		errno = EIO;
		return -1;
	}
	return n < 0 ? -1 : 0;
}

static int
make_one(struct tree_maker *maker, char *path, const char *value, size_t length, struct err *e)
{
	for (char *s = path; *s != '\0'; s++)
		if (*s == PLAIN_BRACE)
			*s = '{';
	if (!stays_inside(path))
		return err_set(e, "'%.256s' leads out of the tree", path);
	if (maker->files++ == HOST_FILE_FILES_MAX)
		return err_set(e, "more than %u files", HOST_FILE_FILES_MAX);
	if ((maker->bytes += length) > HOST_FILE_CONTENT_MAX)
		return err_set(
			e, "more than %zu MiB in its files", HOST_FILE_CONTENT_MAX / 1024 / 1024);
	int r = path[strlen(path) - 1] == '/' ? make_directories(maker->root, path)
					      : snapshot_append(maker->root, path, value, length);
	return r == 0 ? 0 : err_errno(e, "%.256s", path);
}

/* Parses the list of numbers that begins at open, a '{'. Returns its '}', or NULL if it is no list.
 */
static const char *
snapshot_parse_list(const char *open, struct cpumask *numbers)
{
	struct err e;
	*numbers = (struct cpumask){0};
	for (const char *s = open; *s == '{' || *s == ',';) {
		s++;
		if (cpumask_parse_range(&s, numbers, &e) != 0)
			break;
		if (*s == '}')
			return s;
	}
	return NULL;
}

/* Makes one file, or one for each number of a list in path: "vcpu{0-3,5}/cpuset.cpus". */
static int
make_each(
	struct tree_maker *maker, const char *path, const char *value, size_t length, struct err *e)
{
	char one[PATH_MAX];
	struct cpumask numbers = {0};
	const char *end = NULL, *open = strchr(path, '{');
	while (open != NULL && (end = snapshot_parse_list(open, &numbers)) == NULL)
		open = strchr(open + 1, '{');
	if (open == NULL)
		cpumask_set_range(&numbers, 0, 0); /* the path as it is, once */
	cpumask_for_each (n, &numbers) {
		int used = open != NULL ? snprintf(one, sizeof(one), "%.*s%u%s", (int)(open - path),
						  path, n, end + 1)
					: snprintf(one, sizeof(one), "%s", path);
		if (used < 0 || (size_t)used >= sizeof(one))
			return err_set(e, "a path of more than %d bytes", PATH_MAX - 1);
		if (make_one(maker, one, value, length, e) != 0)
			return -1;
	}
	return 0;
}

/* Makes the files of a line "PATH VALUE". line[length], a newline or the end, may be overwritten.
 */
static int
make_line(struct tree_maker *maker, char *line, size_t length, struct err *e)
{
	if (length == 0 || line[0] == '#')
		return 0;
	char *space = memchr(line, ' ', length);
	size_t path_length = space != NULL ? (size_t)(space - line) : length;
	char *value = space != NULL ? space + 1 : line + length;
	size_t value_length = (size_t)(line + length - value), escapes = 0;
	while (escapes + 1 < value_length && value[value_length - 2 - escapes] == '\\')
		escapes++;
	/* "\c" at the end, unless that is "\\" and a c */
	bool bare = value_length >= 2 && value[value_length - 1] == 'c' && escapes % 2 == 1;
	char *path = strndup(line, path_length);
	if (path == NULL)
		return err_set(e, "out of memory");
	path[snapshot_unescape(path, path_length, 's', ' ', '{', PLAIN_BRACE)] = '\0';
	value_length = snapshot_unescape(
		value, bare ? value_length - 2 : value_length, 'n', '\n', 'n', '\n');
	if (!bare)
		value[value_length++] = '\n';
	int r = make_each(maker, path, value, value_length, e);
	free(path);
	return r;
}

int
snapshot_make(int root, const char *name, char *text, size_t length, struct err *e)
{
	struct tree_maker maker = {.root = root};
	unsigned number = 1;
	if (memchr(text, '\0', length) != NULL || memchr(text, PLAIN_BRACE, length) != NULL)
		return err_set(e, "%s: is no text", name);
	for (char *line = text, *end; line < text + length; line = end + 1, number++) {
		end = strchrnul(line, '\n');
		if (make_line(&maker, line, (size_t)(end - line), e) != 0)
			return err_context(e, "%s:%u", name, number);
	}
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
snapshot_close(struct snapshot_tree *host)
{
	if (host->root < 0)
		return;
	cleanup_close(&host->root);
	nftw(host->directory, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	host->root = -1;
	sigprocmask(SIG_SETMASK, &host->signals, NULL);
}

/*
 * Returns the directory in which to make the tree: TMPDIR, else one in memory, where thousands of
 * small files cost a twentieth of the time.
 */
static const char *
temporary_directory(void)
{
	const char *top = getenv("TMPDIR");
	if (top != NULL && top[0] == '/')
		return top;
	return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

static int
make_root(struct snapshot_tree *host, struct err *e)
{
	int n = snprintf(host->directory, sizeof(host->directory), "%s/vmaffinity.XXXXXX",
		temporary_directory());
	if (n < 0 || (size_t)n >= sizeof(host->directory))
		return err_set(e, "TMPDIR is too long");
	sigset_t ending;
	sigemptyset(&ending);
	sigaddset(&ending, SIGHUP);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &ending, &host->signals);
	if (mkdtemp(host->directory) != NULL &&
		(host->root = file_open_directory(AT_FDCWD, host->directory)) >= 0)
		return 0;
	err_errno(e, "a directory cannot be made below %s", dirname(host->directory));
	sigprocmask(SIG_SETMASK, &host->signals, NULL);
	return -1;
}

int
snapshot_open(const char *path, struct snapshot_tree *host, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t length;
	host->root = -1;
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || file_read_all(fd, HOST_FILE_MAX, &text, &length) != 0)
		return err_errno(e, "%s", path);
	if (make_root(host, e) != 0)
		return -1;
	if (snapshot_make(host->root, path, text, length, e) == 0) {
		if (faccessat(host->root, "sys/devices/system/cpu", F_OK, 0) == 0)
			return 0;
		err_set(e,
			"%s: describes no host, for it has no line of sys/devices/system/cpu; "
			"'vmaffinity capture' writes such files, and the rules' files go before "
			"--against",
			path);
	}
	snapshot_close(host);
	return -1;
}
