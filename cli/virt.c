#include "virt.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <stdlib.h>
#include <string.h>

/* By default libvirt prints each error to stderr by itself. */
static void
be_quiet(void *data, virErrorPtr error)
{
	(void)data;
	(void)error;
}

static int
virt_error(struct err *e)
{
	return err_set(e, "%s", virGetLastErrorMessage());
}

int
virt_open(struct virt *virt, const char *uri, struct err *e)
{
	if (uri == NULL)
		uri = "qemu:///system";
	virSetErrorFunc(NULL, be_quiet);
	*virt = (struct virt){.connection = virConnectOpenReadOnly(uri)};
	return virt->connection != NULL ? 0 : err_set(e, "%s: %s", uri, virGetLastErrorMessage());
}

/* Takes over the domain, also on failure. */
static int
add(struct virt *virt, virDomainPtr domain, struct err *e)
{
	const char *known = virDomainGetName(domain);
	char *name = known != NULL ? strdup(known) : NULL;
	struct virt_guest *larger =
		reallocarray(virt->guests, virt->count + 1, sizeof(*virt->guests));
	if (larger != NULL)
		virt->guests = larger;
	if (name == NULL || larger == NULL) {
		free(name);
		virDomainFree(domain);
		return err_set(e, "out of memory");
	}
	virt->guests[virt->count++] = (struct virt_guest){.name = name, .domain = domain};
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const struct virt_guest *)a)->name, ((const struct virt_guest *)b)->name);
}

int
virt_list(struct virt *virt, bool running, struct err *e)
{
	virDomainPtr *domains;
	int count = virConnectListAllDomains(
		virt->connection, &domains, running ? VIR_CONNECT_LIST_DOMAINS_ACTIVE : 0);
	if (count < 0)
		return virt_error(e);
	int r = 0;
	for (int i = 0; i < count; i++)
		if (add(virt, domains[i], e) != 0)
			r = -1;
	free(domains);
	if (virt->count > 0)
		qsort(virt->guests, virt->count, sizeof(*virt->guests), compare_names);
	return r;
}

int
virt_find(struct virt *virt, const char *name, struct err *e)
{
	virDomainPtr domain = virDomainLookupByName(virt->connection, name);
	return domain != NULL ? add(virt, domain, e) : virt_error(e);
}

int
virt_xml(const struct virt_guest *guest, char **xml, struct err *e)
{
	*xml = virDomainGetXMLDesc(guest->domain, 0);
	if (*xml != NULL)
		return 0;
	bool gone = virGetLastErrorCode() == VIR_ERR_NO_DOMAIN;
	virt_error(e);
	return gone ? VIRT_GONE : -1;
}

void
virt_close(struct virt *virt)
{
	for (size_t i = 0; i < virt->count; i++) {
		virDomainFree(virt->guests[i].domain);
		free(virt->guests[i].name);
	}
	free(virt->guests);
	if (virt->connection != NULL)
		virConnectClose(virt->connection);
	*virt = (struct virt){0};
}
