/* SPDX-License-Identifier: MIT */
/* Has lstopo draw the map: hwloc's XML goes in, and the picture comes out through files in memory.
 */
#include "cli/map/svg.h"

#include "cli/map/hwloc_xml.h"
#include "cli/map/remarks.h"
#include "cli/map/words.h"
#include "cli/subprocess.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LSTOPO "/usr/bin/lstopo-no-graphics"

/* lstopo takes a second for a thousand CPUs. */
#define LSTOPO_LIMIT_MS 60000

/* Bytes of a picture. 256 CPUs take a quarter of a megabyte. */
#define SVG_MAX ((size_t)256 * 1024 * 1024)

/* Characters of a line below the picture, and lines. What is left out is in the JSON. */
#define LEGEND_WIDTH 100
#define LEGEND_LINES ((size_t)200)

static const char *const command[] = {LSTOPO, "--input-format", "xml", "--input", "/proc/self/fd/0",
	"--output-format", "svg", "--no-factorize", "--physical", "--os-index-prefix", " ",
	"--no-attrs", "--no-default-legend"};
#define WORDS (sizeof(command) / sizeof(command[0]))

/* Adds the remarks as arguments, each line terminated in place. */
static void
add_legend(const char **words, char *remarks)
{
	char *next = remarks, *line;
	for (size_t lines = 0; *next != '\0' && (line = strsep(&next, "\n")) != NULL;)
		for (const char *rest = line; *rest != '\0' && lines < LEGEND_LINES; lines++) {
			const char *start = rest;
			size_t length = map_take_line(&rest, LEGEND_WIDTH);
			line[start - line + (ptrdiff_t)length] = '\0';
			*words++ = "--append-legend";
			*words++ = start;
		}
}

static int
run_lstopo(const struct map *map, int input, int output, struct err *e)
{
	const char *words[WORDS + 2 * LEGEND_LINES + 1] = {NULL};
	struct program_result result = {0};
	AUTO_FREE char *remarks = map_remarks(map);
	if (remarks == NULL)
		return err_set(e, "out of memory");
	memcpy(words, command, sizeof(command));
	add_legend(words + WORDS, remarks);
	if (access(LSTOPO, X_OK) != 0 && errno == ENOENT)
		return err_set(e,
			LSTOPO " draws the picture, and is not there: install the package "
			       "hwloc-nox (Debian, Ubuntu) or hwloc (Fedora)");
	if (program_filter(words, input, output, LSTOPO_LIMIT_MS, &result, e) != 0)
		return -1;
	if (WIFSIGNALED(result.status))
		return err_set(e, LSTOPO " was ended by signal %d", WTERMSIG(result.status));
	if (WEXITSTATUS(result.status) != 0)
		return err_set(e, LSTOPO " ended with status %d: %s", WEXITSTATUS(result.status),
			result.output);
	return 0;
}

/* Writes the topology to the file fd, and rewinds it. Returns 0, or -1 with errno set. */
static int
write_input(const struct map *map, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	FILE *out = copy >= 0 ? fdopen(copy, "w") : NULL;
	if (out == NULL)
		return -1;
	map_write_hwloc(out, map);
	return fclose(out) == 0 && lseek(fd, 0, SEEK_SET) == 0 ? 0 : -1;
}

/*
 * Takes the units out of viewBox='0 0 352px 286px', as hwloc 2.9 writes it. They are not allowed
 * there (SVG 1.1, 7.7), and librsvg would show an empty picture.
 */
static void
mend_view_box(char *svg)
{
	char *start = strstr(svg, "viewBox='");
	char *end = start != NULL ? strchr(start + strlen("viewBox='"), '\'') : NULL;
	for (char *s = start; end != NULL && s + 1 < end; s++)
		if (s[0] == 'p' && s[1] == 'x')
			s[0] = s[1] = ' ';
}

/* Returns the picture, which the caller frees, or NULL with the reason. */
static char *
draw(const struct map *map, struct err *e)
{
	char *svg = NULL;
	size_t length;
	AUTO_CLOSE int input = memfd_create("map.xml", MFD_CLOEXEC);
	AUTO_CLOSE int output = memfd_create("map.svg", MFD_CLOEXEC);
	if (input < 0 || output < 0 || write_input(map, input) != 0)
		return err_errno(e, "a file in memory"), NULL;
	if (run_lstopo(map, input, output, e) != 0)
		return NULL;
	if (lseek(output, 0, SEEK_SET) != 0 || file_read_all(output, SVG_MAX, &svg, &length) != 0)
		return err_errno(e, "the picture"), NULL;
	if (strstr(svg, "</svg>") == NULL) {
		free(svg);
		return err_set(e, LSTOPO " drew nothing"), NULL;
	}
	mend_view_box(svg);
	return svg;
}

/* Writes text to out and closes it. Returns 0, or -1 with the reason. */
static int
write_and_close(FILE *out, const char *text, const char *path, struct err *e)
{
	int r = fputs(text, out) != EOF ? 0 : err_errno(e, "%s", path);
	if (fclose(out) != 0 && r == 0)
		r = err_errno(e, "%s", path);
	return r;
}

/*
 * Writes text to a file beside path and renames that to path, so that nobody sees half a picture
 * and an old one stays if this fails. Returns 0, or -1 with the reason.
 */
static int
replace_file(const char *path, mode_t mode, const char *text, struct err *e)
{
	char beside[PATH_MAX];
	int n = snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
	if (n < 0 || (size_t)n >= sizeof(beside))
		return err_set(e, "%s: %s", path, strerror(ENAMETOOLONG));
	int fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "%s", path);
	fchmod(fd, mode);
	FILE *out = fdopen(fd, "w");
	int r = out != NULL ? write_and_close(out, text, path, e) : err_errno(e, "%s", path);
	if (r == 0 && rename(beside, path) != 0)
		r = err_errno(e, "%s", path);
	if (r != 0)
		unlink(beside);
	return r;
}

/*
 * Writes text to path. Only a regular file is replaced: a link, as /dev/stdout is, a pipe and a
 * device stay what they are and are written to. Returns 0, or -1 with the reason.
 */
static int
write_file(const char *path, const char *text, struct err *e)
{
	struct stat st;
	mode_t mask = umask(0);
	umask(mask);
	bool there = lstat(path, &st) == 0;
	if (!there && errno == ENOENT)
		return replace_file(path, 0666 & ~mask, text, e);
	if (there && S_ISREG(st.st_mode))
		return replace_file(path, st.st_mode & 0777, text, e);
	FILE *out = fopen(path, "we");
	return out != NULL ? write_and_close(out, text, path, e) : err_errno(e, "%s", path);
}

int
map_write_svg(const struct map *map, const char *path, struct err *e)
{
	AUTO_FREE char *svg = draw(map, e);
	if (svg == NULL)
		return -1;
	if (strcmp(path, "-") != 0)
		return write_file(path, svg, e);
	fputs(svg, stdout); /* main() reports an error of stdout */
	return 0;
}
