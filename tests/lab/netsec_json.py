# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the Network Security API writes the world down as JSON."""

from __future__ import annotations

import typing as t

from lab.appliance_state import ApplianceState, Distribution, LogType

Json = dict[str, t.Any]

PROVIDER = "AWS"


def appliance_json(api_id: int, state: ApplianceState) -> Json:
    """Return one entry of the list of appliances."""
    spec, placement = state.spec, state.placement
    metadata = {
        "accountId": placement.account_id,
        "availabilityZone": placement.availability_zone,
        "instanceType": spec.instance_type,
        "region": placement.region,
        "vpc": placement.vpc_id,
    }
    return {
        "ID": api_id,
        "instanceId": state.instance_id,
        "provider": PROVIDER,
        "hostName": spec.host_name if spec.listed_host_name is None else spec.listed_host_name,
        "tosVersion": spec.tos_version,
        "dvVersion": spec.dv_version,
        "auxDv": {"Malware": {"Version": None}},
        "providerMetadata": [{"key": key, "value": value} for key, value in metadata.items()],
    }


def log_type_json(log_type: LogType) -> Json:
    """Return one log type's streaming."""
    return {
        "logGroupName": log_type.logGroupName,
        "logStreamName": log_type.logStreamName,
        "logName": log_type.logName,
        "enable": log_type.enable,
    }


def distribution_json(distribution: Distribution) -> Json:
    """Return one distribution of a profile."""
    return {
        "id": distribution.id,
        "applianceId": distribution.api_id,
        "type": "profile",
        "profile": {"id": distribution.profile_id},
        "state": distribution.state,
        "time": f"{distribution.at:%Y-%m-%dT%H:%M:%SZ}",
    }


def migration_json(api_id: int, state: str) -> Json:
    """Return one appliance migration."""
    return {"applianceId": api_id, "action": "upgrade", "state": state, "result": "", "message": "", "time": ""}


def matches(entry: Json, text: str) -> bool:
    """Whether a text is contained in one of the fields that ``query`` looks at."""
    fields = ("ID", "instanceId", "provider", "tosVersion", "dvVersion", "hostName")
    return any(text in str(entry[field]) for field in fields if entry[field] is not None)
