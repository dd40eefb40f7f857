/* SPDX-License-Identifier: MIT */
/* A domain's XML. */
#include "fuzz.h"

#include "guest/domain.h"
#include "guest/domain_pins.h"

#include <string.h>

static void
check_domain(const struct domain *domain)
{
	PROMISE(domain->name != NULL && domain->name[0] != '\0');
	PROMISE(memchr(domain->uuid, '\0', sizeof(domain->uuid)) != NULL);
	PROMISE(domain->uuid[0] == '\0' || strlen(domain->uuid) == 36);
	PROMISE(domain->id >= -1);
	PROMISE(domain->vcpus >= 1 && domain->vcpus <= DOMAIN_VCPUS_MAX);
	unsigned online = 0;
	for (unsigned i = 0; i < domain->vcpus; i++)
		online += domain->vcpu_online[i];
	PROMISE(online <= domain->vcpus);
	PROMISE(domain->iothread_count <= DOMAIN_IOTHREADS_MAX);
	for (size_t i = 0; i < domain->iothread_count; i++) {
		PROMISE(domain->iothreads[i] > 0);
		PROMISE(i == 0 || domain->iothreads[i - 1] < domain->iothreads[i]);
	}
}

static void
check_pins(const char *xml, size_t size, bool good)
{
	struct domain_pins pins, before;
	struct err e = {.text = ""};
	memset(&pins, 0x5a, sizeof(pins));
	before = pins;
	if (domain_parse_pins(xml, size, &pins, &e) != 0) {
		PROMISE(e.text[0] != '\0');
		PROMISE(memcmp(&pins, &before, sizeof(pins)) == 0);
		return;
	}
	for (unsigned id = 0; id < 4 && good; id++) {
		(void)domain_pins_find(&pins, (struct thread_group){.kind = GROUP_VCPU, .id = id});
		(void)domain_pins_find(
			&pins, (struct thread_group){.kind = GROUP_IOTHREAD, .id = id});
	}
	(void)domain_pins_find(&pins, (struct thread_group){.kind = GROUP_EMULATOR});
	domain_pins_free(&pins);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A block of just this size, so that a read past its end is seen. */
	char *xml = malloc(size > 0 ? size : 1);
	PROMISE(xml != NULL);
	if (size > 0)
		memcpy(xml, data, size);
	struct domain domain, before;
	struct err e = {.text = ""};
	memset(&domain, 0x5a, sizeof(domain));
	before = domain;
	bool good = domain_parse(xml, size, &domain, &e) == 0;
	if (good) {
		check_domain(&domain);
		domain_free(&domain);
		PROMISE(domain.name == NULL && domain.iothreads == NULL);
	} else {
		PROMISE(e.text[0] != '\0');
		PROMISE(memcmp(&domain, &before, sizeof(domain)) == 0);
	}
	check_pins(xml, size, good);
	free(xml);
	return 0;
}
