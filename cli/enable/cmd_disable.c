/* SPDX-License-Identifier: MIT */
/* vmaffinity disable: takes the hook out of libvirt's directory. */
#include "cli/command.h"
#include "cli/enable/place.h"
#include "cli/enable/reload.h"

#include <stdlib.h>
#include <unistd.h>

static void
print_owner(const char *path, enum place_owner owner)
{
	if (owner == PLACE_OURS)
		print_line("%s: removed", path);
	else if (owner == PLACE_FOREIGN)
		print_line("%s belongs to another program and is left alone", path);
}

/* Reloads running daemons. One that still counts on a hook finds none, and goes on. */
static void
tell_daemons(const struct daemon_host *host)
{
	struct daemon_process *daemons = NULL;
	size_t count = 0;
	struct err e;
	if (daemon_list(host, &daemons, &count) != 0)
		return;
	for (size_t i = 0; i < count; i++)
		if (reload_daemon(host, &daemons[i], &e) == RELOAD_FAILED)
			print_line("%s (%d): not reloaded: %s; it finds no hook, and goes on",
				daemons[i].name, (int)daemons[i].pid, e.text);
		else
			print_line("%s (%d): reloaded", daemons[i].name, (int)daemons[i].pid);
	free(daemons);
}

static enum exit_status
run_disable(const struct options *options)
{
	struct places places;
	struct err e;
	const struct daemon_host host = {options->root, options->sysroot != NULL};
	if (!host.is_tree && geteuid() != 0) {
		complain("disable needs root");
		return EXIT_CANNOT;
	}
	if (place_take_away(options->root, &places, &e) != 0) {
		complain("disable: %s", e.text);
		return EXIT_CANNOT;
	}
	print_owner(HOOK, places.qemu);
	print_owner(HOOK_BESIDE, places.beside);
	if (places.qemu != PLACE_OURS && places.beside != PLACE_OURS) {
		print_line("there is no hook of vmaffinity's");
		return EXIT_OK;
	}
	if (!host.is_tree)
		tell_daemons(&host);
	print_line("running guests are left as they are");
	return EXIT_OK;
}

const struct command command_disable = {
	.name = "disable",
	.run = run_disable,
	.options = OPTION_SYSROOT | OPTION_QUIET,
	.summary = "take the hook away; guests keep their pins",
	.help = "Usage: vmaffinity disable [OPTION...]\n"
		"\n"
		"Takes vmaffinity's hook out of " HOOKS ", and reloads running\n"
		"libvirt daemons. Hooks of other programs are left alone. Running guests keep\n"
		"their pins, see release; guests that start are not pinned.\n"
		"\n"
		"      --sysroot DIR  take it away below DIR; no daemon is reloaded\n"
		"  -q, --quiet        print nothing to standard output\n"
		"  -h, --help         this text\n"
		"\n"
		"Exit status: 0, also if there was no hook; 3 if it could not be taken away.\n",
};
