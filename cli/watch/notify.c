/* SPDX-License-Identifier: MIT */
#include "cli/watch/notify.h"

#include "cli/watch/say.h"

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
		watch_say(MESSAGE_WARNING, "warning: systemd cannot be notified of '%s': %s", state,
			dlerror());
}
