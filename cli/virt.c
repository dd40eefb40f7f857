#include "virt.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <stdlib.h>

/* By default libvirt prints each error to stderr by itself. */
static void
be_quiet(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static int
virt_error(struct err *e, const char *what)
{
	const char *message = virGetLastErrorMessage();
	return err_set(e, "%s: %s", what, message != NULL ? message : "unknown error");
}

/* Frees the domains and keeps their XML. */
static int
take_xml(virDomainPtr *domains, size_t count, struct guests *guests, struct err *e)
{
	*guests = (struct guests){.xml = calloc(count + 1, sizeof(*guests->xml))};
	for (size_t i = 0; i < count; i++) {
		char *xml = guests->xml != NULL ? virDomainGetXMLDesc(domains[i], 0) : NULL;
		if (xml != NULL)
			guests->xml[guests->count++] = xml;
		virDomainFree(domains[i]);
	}
	return guests->xml != NULL ? 0 : err_set(e, "out of memory");
}

static int
ask(virConnectPtr connection, const char *name, bool running, struct guests *guests, struct err *e)
{
	if (name != NULL) {
		virDomainPtr domain = virDomainLookupByName(connection, name);
		return domain != NULL ? take_xml(&domain, 1, guests, e) : virt_error(e, "libvirt");
	}
	virDomainPtr *domains;
	int count = virConnectListAllDomains(
		connection, &domains, running ? VIR_CONNECT_LIST_DOMAINS_ACTIVE : 0);
	if (count < 0)
		return virt_error(e, "libvirt");
	int r = take_xml(domains, (size_t)count, guests, e);
	free(domains);
	return r;
}

int
virt_guests(const char *uri, const char *name, bool running, struct guests *guests, struct err *e)
{
	if (uri == NULL)
		uri = "qemu:///system";
	virSetErrorFunc(NULL, be_quiet);
	virConnectPtr connection = virConnectOpenReadOnly(uri);
	if (connection == NULL)
		return virt_error(e, uri);
	int r = ask(connection, name, running, guests, e);
	virConnectClose(connection);
	return r;
}

void
virt_free(struct guests *guests)
{
	for (size_t i = 0; i < guests->count; i++)
		free(guests->xml[i]);
	free(guests->xml);
	*guests = (struct guests){0};
}
