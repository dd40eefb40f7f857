#include "topology.h"

#include "file.h"

int
topology_get(struct topology *topology, enum topology_set set, const struct cpumask **mask,
	struct err *e)
{
	static const char *const paths[TOPOLOGY_SETS] = {
		[TOPOLOGY_ONLINE] = "sys/devices/system/cpu/online",
		[TOPOLOGY_PRESENT] = "sys/devices/system/cpu/present",
		[TOPOLOGY_ISOLATED] = "sys/devices/system/cpu/isolated",
	};
	if (!topology->sets[set].known) {
		char list[CPULIST_MAX];
		if (file_read_value(topology->root, paths[set], list, sizeof(list)) != 0)
			return err_errno(e, "/%s", paths[set]);
		if (cpumask_parse(list, &topology->sets[set].mask, e) != 0)
			return err_context(e, "/%s", paths[set]);
		topology->sets[set].known = true;
	}
	*mask = &topology->sets[set].mask;
	return 0;
}
