/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/map/json.h"
#include "cli/map/map.h"
#include "cli/map/read_guests.h"
#include "cli/map/svg.h"
#include "cli/map/text.h"

static int
read_and_show(struct map *map, const struct options *options, struct err *e)
{
	if (map_read_host(map, e) != 0 || map_read_guests(map, options, e) != 0 ||
		occupancy_form(&map->occupancy, map->sets[TOPOLOGY_ONLINE], e) != 0)
		return -1;
	if (options->svg != NULL)
		return map_write_svg(map, options->svg, e);
	if (!options->json)
		return map_print_text(map, e);
	map_print_json(map);
	return 0;
}

enum exit_status
command_map(const struct options *options)
{
	struct map map = {.topology = {.root = options->root}};
	struct err e;
	if (options->json && options->svg != NULL) {
		complain("map: --json and --svg exclude each other");
		return misuse();
	}
	int r = read_and_show(&map, options, &e);
	if (r != 0)
		complain("%s", e.text);
	enum exit_status status = r == 0 && map.missed.count == 0 ? EXIT_OK : EXIT_CANNOT;
	map_free(&map);
	return status;
}
