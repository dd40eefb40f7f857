/* SPDX-License-Identifier: MIT */
#include "guest/domain.h"

#include <stdlib.h>

void
domain_free(struct domain *domain)
{
	free(domain->name);
	free(domain->vcpu_online);
	free(domain->vcpu_cells);
	free(domain->iothreads);
	free(domain->partition);
	*domain = (struct domain){0};
}
