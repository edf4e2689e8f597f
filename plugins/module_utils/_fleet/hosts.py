# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory says about each appliance. Nothing is asked here."""

from __future__ import annotations

from datetime import datetime, timedelta

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate import Assessment, assess
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Json
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.join import Entry
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import to_text


def host_variables(entry: Entry, *, registration_tag: str, renew_before: timedelta, now: datetime) -> Json:
    """The variables of one appliance, as JSON knows them; ``None`` where something is not known."""
    assessment = _judge(entry, registration_tag, renew_before, now)
    instance, appliance, interface = entry.facts.instance, entry.facts.appliance, entry.management_interface
    hosted = assessment.status == "hosted"
    variables: Json = {
        "netsec_instance_id": entry.facts.instance_id,
        "netsec_appliance_id": appliance.id if appliance else None,
        "netsec_host_name": appliance.host_name if appliance else None,
        "netsec_tos_version": appliance.tos_version if appliance else None,
        "netsec_dv_version": appliance.dv_version if appliance else None,
        "netsec_account_id": instance.account_id if instance else appliance.account_id if appliance else None,
        "netsec_region": instance.region if instance else appliance.region if appliance else None,
        "netsec_availability_zone": (instance.availability_zone if instance else None) or (appliance.availability_zone if appliance else None),
        "netsec_vpc_id": (instance.vpc_id if instance else None) or (appliance.vpc if appliance else None),
        "netsec_instance_type": (instance.type if instance else None) or (appliance.instance_type if appliance else None),
        "netsec_instance_state": instance.state if instance else None,
        "netsec_name": instance.tags.get("Name") or None if instance else None,
        "netsec_tags": dict(instance.tags) if instance else {},
        "netsec_deployment": "hosted" if hosted else interface.deployment if interface else None,
        "netsec_management_interface": interface.id if interface else None,
        "netsec_registered": appliance is not None,
        "netsec_hosted": hosted,
        "netsec_orphaned": assessment.orphaned,
        "netsec_status": assessment.status,
        "netsec_registered_at": to_text(assessment.registration.at) if assessment.registration else None,
        "netsec_expires_at": to_text(assessment.registration.expires_at) if assessment.registration else None,
        "netsec_days_left": assessment.days_left,
        "netsec_evidence": assessment.registration.source if assessment.registration else None,
        "netsec_reason": assessment.reason,
    }
    if interface:
        variables["ansible_host"] = interface.private_ip
    way = entry.account.way if entry.account else None
    if way:
        variables.update((f"netsec_{option}", value) for option, value in way.role.as_options().items())
    return variables


def _judge(entry: Entry, registration_tag: str, renew_before: timedelta, now: datetime) -> Assessment:
    if entry.obstacle:
        return Assessment("unknown", False, f"it could not be looked for: {entry.obstacle}")
    try:
        return assess(entry.facts, registration_tag=registration_tag, renew_before=renew_before, now=now)
    except InputError as error:
        return Assessment("unknown", False, str(error))
