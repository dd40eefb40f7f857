/* SPDX-License-Identifier: MIT */
#include "cli/map/colors.h"

#include <stdio.h>

/*
 * Hues at equal distances, without the red of CPUs that are shared, and a step from one guest's to
 * the next one's that takes neighbours far apart. The guests after the tenth have them in a
 * stronger shade, those after the twentieth in a paler one.
 */
#define HUES 12u
#define HUES_TAKEN 10u
#define STEP 3u

/* Returns a channel, 0 to 255, of a hue: offset is 0 for red, 8 for green and 4 for blue (HSL). */
static unsigned
channel(unsigned hue, unsigned offset, unsigned low, unsigned high)
{
	unsigned at = (hue + offset) % HUES; /* 12 parts of the circle, 2 for each side */
	unsigned distance = at <= 6 ? at : HUES - at;
	unsigned level = distance <= 2 ? 2 : distance >= 4 ? 0 : 1;
	return low + (high - low) * level / 2;
}

const char *
map_guest_color(size_t guest, char out[MAP_COLOR_MAX])
{
	static const struct {
		unsigned low, high;
	} shades[] = {{176, 248}, {128, 236}, {208, 255}};
	unsigned hue = 1 + (unsigned)(guest * STEP % HUES_TAKEN);
	size_t shade = guest / HUES_TAKEN % (sizeof(shades) / sizeof(shades[0]));
	snprintf(out, MAP_COLOR_MAX, "#%02x%02x%02x",
		channel(hue, 0, shades[shade].low, shades[shade].high) & 0xff,
		channel(hue, 8, shades[shade].low, shades[shade].high) & 0xff,
		channel(hue, 4, shades[shade].low, shades[shade].high) & 0xff);
	return out;
}

const char *
map_cpu_color(enum map_state state, bool isolated)
{
	if (state >= MAP_SHARED)
		return "#e58a80";
	if (state == MAP_TAKEN)
		return isolated ? "#b3a3d9" : "#c4d4e0";
	return isolated ? "#ece6f6" : "#ffffff";
}
