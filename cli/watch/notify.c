/* SPDX-License-Identifier: MIT */
#include "cli/watch/notify.h"

#include "cli/command.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

void
watch_notify(const char *state)
{
	if (getenv("NOTIFY_SOCKET") == NULL)
		return;
	void *library = dlopen("libsystemd.so.0", RTLD_NOW);
	__typeof__(sd_notify) *notify =
		library != NULL ? (__typeof__(sd_notify) *)dlsym(library, "sd_notify") : NULL;
	if (notify != NULL)
		notify(0, state);
	else
		complain("systemd cannot be told '%s': %s", state, dlerror());
}
