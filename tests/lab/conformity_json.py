# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of the Conformity API as JSON."""

from __future__ import annotations

import typing as t

from lab.conformity_world import CommunicationSetting, ConformityAccount, MonitoringEvent

Json = dict[str, t.Any]

ORGANISATION = {"data": {"type": "organisations", "id": "ryqMcJn4b"}}


def _milliseconds(at: float) -> int:
    return int(at * 1000)


def account_json(account: ConformityAccount, last_event_at: float | None) -> Json:
    """Return an account as one of the documented samples shows it.

    The older one has the flag, the AWS account's id as text, and ``null`` where no event has come;
    the newer one has no flag, the id as a number that loses leading zeros, and then no date.
    """
    spec = account.spec
    attributes: Json = {"name": spec.name, "environment": spec.environment, "subscription-type": account.subscription}
    if spec.sample == "older":
        attributes["awsaccount-id"] = spec.aws_account_id
        attributes["has-real-time-monitoring"] = account.has_real_time_monitoring
        attributes["last-monitoring-event-date"] = None if last_event_at is None else _milliseconds(last_event_at)
    else:
        attributes["awsaccount-id"] = int(spec.aws_account_id)
        attributes["cloud-type"] = "aws"
        if last_event_at is not None:
            attributes["last-monitoring-event-date"] = _milliseconds(last_event_at)
    return {"type": "accounts", "id": spec.id, "attributes": attributes, "relationships": {"organisation": ORGANISATION}}


def event_json(account_id: str, event: MonitoringEvent) -> Json:
    """Return an event of AWS."""
    attributes = {
        "name": "account.monitoring.activity",
        "time": _milliseconds(event.at),
        "service": event.service,
        "identity": event.identity,
        "region": event.region,
        "description": event.name,
    }
    relationships = {"organisation": ORGANISATION, "account": {"data": {"type": "accounts", "id": account_id}}}
    return {"type": "events", "id": event.id, "attributes": attributes, "relationships": relationships}


def setting_json(setting: CommunicationSetting, *, with_configuration: bool) -> Json:
    """Return a communication setting; without the right to change it, it has no configuration."""
    attributes = {name: value for name, value in setting.attributes.items() if with_configuration or name != "configuration"}
    account = None if setting.account_id is None else {"type": "accounts", "id": setting.account_id}
    relationships = {"organisation": ORGANISATION, "account": {"data": account}}
    return {"type": "settings", "id": setting.id, "attributes": attributes, "relationships": relationships}


def user_json(role: str) -> Json:
    """Return the user of the key."""
    attributes = {"first-name": "Lab", "last-name": "User", "role": role, "email": "lab@example.com", "status": "ACTIVE"}
    return {"type": "users", "id": "HkbYzLGFM", "attributes": attributes, "relationships": {"organisation": ORGANISATION}}
