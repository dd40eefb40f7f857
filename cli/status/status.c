/* SPDX-License-Identifier: MIT */
/* Compares a guest with the rules: no output, for text.c, json.c and cmd_status.c. */
#include "cli/status/status.h"

const struct cpumask *
status_record(const struct status *status, const struct drift_group *group)
{
	const struct cpumask *record = domain_pins_find(&status->pins, group->step->group);
	return record != NULL && group->step->cpus != NULL &&
			       !cpumask_equal(record, plan_step_written(group->step))
		       ? record
		       : NULL;
}

static enum state
status_judge(const struct status *status)
{
	return status->drift.drifted > 0 || status->pin.plan.missing_count > 0 ||
			       pin_obstacle(&status->pin) != NULL
		       ? STATE_DRIFT
		       : STATE_AS_RULED;
}

static int
status_compare(
	struct status *status, struct pin_host *host, const struct guest_xml *xml, struct err *e)
{
	struct pin *pin = &status->pin;
	enum pin_result r =
		pin_prepare(pin, host, xml->text, xml->length, xml->source, PIN_SHOW_ALL, e);
	size_t given = 0;
	bool unruled = pin->name != NULL && pin->matched.count == 0;
	if (!(unruled && r == PIN_FAILED) &&
		(r != PIN_OK || domain_parse_pins(xml->text, xml->length, &status->pins, e) != 0 ||
			pin_give_back(pin, &status->pins, &given, e) != 0))
		return -1;
	if (unruled && given == 0) { /* nothing is asked of it, so nothing is wrong */
		messages_free(&pin->messages);
		status->state = STATE_NO_RULE;
		return 0;
	}
	if (pin->running &&
		drift_find(host->root, &pin->plan, &pin->cgroup, &status->drift, e) != 0)
		return -1;
	status->state = pin->running || pin_obstacle(pin) != NULL ? status_judge(status)
								  : STATE_NOT_RUNNING;
	return 0;
}

int
status_read(
	struct status *status, struct pin_host *host, const struct guest_xml *xml, struct err *e)
{
	*status = (struct status){.pin = PIN_NONE};
	if (status_compare(status, host, xml, e) == 0)
		return 0;
	status->state = STATE_NOT_RUNNING;
	status->ended = true;
	return pin_has_ended(&status->pin) ? 0 : -1;
}

void
status_free(struct status *status)
{
	domain_pins_free(&status->pins);
	drift_free(&status->drift);
	pin_free(&status->pin);
}
