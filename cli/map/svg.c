/* SPDX-License-Identifier: MIT */
/* Has lstopo draw the map: hwloc's XML goes in, and the picture comes out through files in memory.
 */
#include "cli/map/svg.h"

#include "cli/map/hwloc_xml.h"
#include "cli/map/legend.h"
#include "cli/map/read_guests.h"
#include "cli/subprocess.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LSTOPO "/usr/bin/lstopo-no-graphics"

/* lstopo takes a second for a thousand CPUs. */
#define LSTOPO_LIMIT_MS 60000

/* Bytes of a picture. 256 CPUs take a quarter of a megabyte. */
#define SVG_MAX ((size_t)256 * 1024 * 1024)

static const char *const command[] = {LSTOPO, "--input-format", "xml", "--input", "/proc/self/fd/0",
	"--output-format", "svg", "--no-factorize", "--physical", "--os-index-prefix", " ",
	"--no-attrs", "--no-legend"};
#define WORDS (sizeof(command) / sizeof(command[0]))

/* Ways to lay the picture out, as lstopo's options. Which one comes nearest to RATIO depends on the
 * host, and on how much is to be said of its CPUs. */
#define LAYOUT_WORDS 2u
static const char *const layouts[][LAYOUT_WORDS] = {{"--rect=L3Cache"}, {NULL}, {"--vert=PU"},
	{"--rect"}, {"--horiz=Core"}, {"--horiz=Core", "--rect=L3Cache"},
	{"--horiz=Core", "--rect=PU,L3Cache"}};
#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

/* Width to height of a sheet or a screen, and the least width, in pixels: a legend has to have
 * room. */
#define RATIO 1.6
#define WIDTH_MIN 640u

/* As distance_of(): a layout that is no farther off is taken, and no other is tried. */
#define NEAR 1.2

/* Pixels above lstopo's drawing. */
#define TITLE_HEIGHT 24u

static int
run_lstopo(const char *const layout[LAYOUT_WORDS], int input, int output, struct err *e)
{
	const char *words[WORDS + LAYOUT_WORDS + 1] = {NULL};
	struct program_result result = {0};
	memcpy(words, command, sizeof(command));
	for (size_t i = 0; i < LAYOUT_WORDS; i++)
		words[WORDS + i] = layout[i];
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
	return fclose(out);
}

/* lstopo's picture; the elements are those between <svg> and </svg>. */
struct picture {
	char *svg;
	const char *elements;
	size_t length;
	unsigned width, height; /* of the sheet in pixels, with the title, without the legend */
};

/* Reads the number after name, "width='", in the head of a picture. Returns 0, or -1. */
static int
read_length(const char *head, const char *end, const char *name, unsigned *length)
{
	const char *s = strstr(head, name);
	if (s == NULL || s > end)
		return -1;
	s += strlen(name);
	return number_parse(&s, INT_MAX, length);
}

/* Finds the size and the elements of a picture. Returns 0, or -1 with the reason. */
static int
take_apart(struct picture *picture, struct err *e)
{
	const char *head = strstr(picture->svg, "<svg ");
	const char *end = head != NULL ? strchr(head, '>') : NULL;
	const char *tail = end != NULL ? strstr(end, "</svg>") : NULL;
	if (tail == NULL || read_length(head, end, " width='", &picture->width) != 0 ||
		read_length(head, end, " height='", &picture->height) != 0)
		return err_set(e, LSTOPO " drew nothing");
	picture->elements = end + 1;
	picture->length = (size_t)(tail - picture->elements);
	picture->height += TITLE_HEIGHT;
	if (picture->width < WIDTH_MIN)
		picture->width = WIDTH_MIN;
	return 0;
}

/* Has lstopo draw input in one layout. Returns 0, or -1 with the reason. */
static int
draw_layout(
	const char *const layout[LAYOUT_WORDS], int input, struct picture *picture, struct err *e)
{
	size_t length;
	AUTO_CLOSE int output = memfd_create("map.svg", MFD_CLOEXEC);
	if (output < 0 || lseek(input, 0, SEEK_SET) != 0)
		return err_errno(e, "a file in memory");
	if (run_lstopo(layout, input, output, e) != 0)
		return -1;
	if (lseek(output, 0, SEEK_SET) != 0 ||
		file_read_all(output, SVG_MAX, &picture->svg, &length) != 0)
		return err_errno(e, "the picture");
	return take_apart(picture, e);
}

/*
 * Returns the picture below its title and above its legend, which the caller frees; NULL without
 * memory. lstopo's own <svg> has units in its viewBox, which are not allowed there (SVG 1.1, 7.7)
 * and leave the picture empty in librsvg.
 */
static char *
join(const struct picture *picture, const char *title, const char *legend, unsigned legend_height)
{
	char *svg;
	unsigned height = picture->height + legend_height;
	if (asprintf(&svg,
		    "<?xml version='1.0' encoding='UTF-8'?>\n"
		    "<svg xmlns='http://www.w3.org/2000/svg' width='%u' height='%u' "
		    "viewBox='0 0 %u %u' version='1.1'>\n"
		    "\t<rect width='%u' height='%u' fill='rgb(255,255,255)'/>\n"
		    "\t<text font-family='Monospace' x='7' y='17' fill='rgb(0,0,0)' "
		    "font-size='12px' font-weight='bold'>%s</text>\n"
		    "<g transform='translate(0,%u)'>%.*s</g>\n%s</svg>\n",
		    picture->width, height, picture->width, height, picture->width, height, title,
		    TITLE_HEIGHT, (int)picture->length, picture->elements, legend) < 0)
		return NULL;
	return svg;
}

/* Returns how far the sides of a sheet are from RATIO: 1 is exact, 2 twice too wide or too high. */
static double
distance_of(unsigned width, unsigned height)
{
	double ratio = height > 0 ? width / (RATIO * height) : RATIO;
	return ratio < 1 ? 1 / (ratio > 0 ? ratio : 1e-9) : ratio;
}

/*
 * Returns the sheet in one layout, which the caller frees, with its distance_of(); NULL with the
 * reason.
 */
static char *
draw_sheet(const struct map *map, const char *title, const char *const layout[LAYOUT_WORDS],
	int input, double *distance, struct err *e)
{
	struct picture picture = {0};
	AUTO_FREE char *legend = NULL;
	char *sheet = NULL;
	unsigned height;
	int r = draw_layout(layout, input, &picture, e);
	if (r == 0)
		legend = map_legend(map, picture.width, picture.height, &height);
	if (legend != NULL) {
		sheet = join(&picture, title, legend, height);
		*distance = distance_of(picture.width, picture.height + height);
	}
	if (r == 0 && sheet == NULL)
		err_set(e, "out of memory");
	free(picture.svg);
	return sheet;
}

/* Returns the sheet in the layout that fits best, which the caller frees, or NULL with the reason.
 */
static char *
draw_best(const struct map *map, const char *title, int input, struct err *e)
{
	char *best = NULL;
	double least = 0, distance = 0;
	for (size_t i = 0; i < LAYOUTS && (best == NULL || least > NEAR); i++) {
		char *sheet = draw_sheet(map, title, layouts[i], input, &distance, e);
		if (sheet == NULL) {
			free(best);
			return NULL;
		}
		if (best != NULL && distance >= least) {
			free(sheet);
			continue;
		}
		free(best);
		best = sheet;
		least = distance;
	}
	return best;
}

/*
 * Returns "db-host-1, 2026-11-27 14:03", or for a captured host the name of its file, without
 * markup; the caller frees it; NULL without memory.
 */
static char *
make_title(const struct map *map, const struct options *options)
{
	char name[256] = "Host", date[32] = "", text[300];
	const time_t now = time(NULL);
	struct tm local;
	if (options->against_count > 0) {
		const char *slash = strrchr(options->against[0], '/');
		snprintf(name, sizeof(name), "%s", slash != NULL ? slash + 1 : options->against[0]);
	} else if (file_read_value(map->topology.root, "proc/sys/kernel/hostname", name,
			   sizeof(name)) == 0 &&
		   localtime_r(&now, &local) != NULL) {
		strftime(date, sizeof(date), ", %Y-%m-%d %H:%M", &local);
	}
	snprintf(text, sizeof(text), "%s%s", name, date);
	return map_safe_text(text, true);
}

/* Returns the picture, which the caller frees, or NULL with the reason. */
static char *
draw(const struct map *map, const struct options *options, struct err *e)
{
	AUTO_CLOSE int input = memfd_create("map.xml", MFD_CLOEXEC);
	AUTO_FREE char *title = make_title(map, options);
	if (title == NULL)
		return err_set(e, "out of memory"), NULL;
	if (input < 0 || write_input(map, input) != 0)
		return err_errno(e, "a file in memory"), NULL;
	if (access(LSTOPO, X_OK) != 0 && errno == ENOENT)
		return err_set(e,
			       LSTOPO " draws the picture, and is not there: install the package "
				      "hwloc-nox (Debian, Ubuntu) or hwloc (Fedora)"),
		       NULL;
	return draw_best(map, title, input, e);
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
map_write_svg(const struct map *map, const struct options *options, struct err *e)
{
	const char *path = options->svg;
	AUTO_FREE char *svg = draw(map, options, e);
	if (svg == NULL)
		return -1;
	if (strcmp(path, "-") != 0)
		return write_file(path, svg, e);
	fputs(svg, stdout); /* main() reports an error of stdout */
	return 0;
}
