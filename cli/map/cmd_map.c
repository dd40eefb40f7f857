/* SPDX-License-Identifier: MIT */
#include "cli/against.h"
#include "cli/command.h"
#include "cli/map/json.h"
#include "cli/map/map.h"
#include "cli/map/read_guests.h"
#include "cli/map/svg.h"
#include "cli/map/text.h"
#include "cli/no_guests.h"

static int
read_and_show(struct map *map, const struct options *options, struct err *e)
{
	if (map_read_host(map, e) != 0 || map_read_guests(map, options, e) != 0 ||
		occupancy_form(&map->occupancy, map->sets[TOPOLOGY_ONLINE], e) != 0)
		return -1;
	if (options->svg != NULL)
		return map_write_svg(map, options, e);
	if (!options->json)
		return map_print_text(map, e);
	map_print_json(map);
	return 0;
}

static enum exit_status
show_map(const struct options *options, int root)
{
	struct map map = {.topology = {.root = root}};
	struct err e;
	int r = read_and_show(&map, options, &e);
	if (r != 0) {
		complain("%s", e.text);
		no_guests_print(options, EXIT_CANNOT, e.text, NULL, NULL);
	}
	enum exit_status status = r == 0 && map.missed.count == 0 ? EXIT_OK : EXIT_CANNOT;
	map_free(&map);
	return status;
}

static enum exit_status
run_map(const struct options *options)
{
	struct against against;
	if (options->json && options->svg != NULL) {
		complain("map: --json and --svg exclude each other");
		return misuse(&command_map);
	}
	if (against_open(&against, options) != 0)
		return EXIT_CANNOT;
	enum exit_status status = show_map(options, against.root);
	against_close(&against);
	return status;
}

const struct command command_map = {
	.name = "map",
	.run = run_map,
	.options = OPTION_SYSROOT | OPTION_AGAINST | OPTION_JSON | OPTION_SVG,
	.summary = "show the host's cores, and which guests are on each CPU",
	.help = "Usage: vmaffinity map [OPTION...]\n"
		"\n"
		"Shows the host core by core, and which guests' threads may run on each CPU.\n"
		"Writes nothing but FILE.\n"
		"\n"
		"      --sysroot DIR  read /proc, /run and /sys below DIR\n"
		"      --against HOSTFILE  show the host that 'vmaffinity capture' wrote to\n"
		"                     HOSTFILE, with the guests that were captured\n"
		"      --svg FILE     have lstopo draw the host, and write the picture to FILE;\n"
		"                     '-' is standard output\n"
		"      --json         one JSON object\n"
		"  -h, --help         this text\n"
		"\n"
		"'!' marks CPUs that have more vCPUs than there are CPUs. 'idle': no guest may\n"
		"run there. 'free': only guests that may run on every CPU. vmaffinity(8) explains\n"
		"'1:1' and the other marks.\n"
		"Exit status: 0; 3 if the host, or one of its guests, could not be shown.\n",
};
