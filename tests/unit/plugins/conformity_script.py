# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Conformity API as tests see it: its documented examples, and a script of the calls that must be made, in order."""

from __future__ import annotations

import typing as t

from ansible_collections.trendmicro.cloudone.tests.unit.plugins import netsec_script

BASE_URL = "https://conformity.us-1.cloudone.trendmicro.com/api"
API_KEY = netsec_script.API_KEY
OPTIONS = {"api_key": API_KEY, "cloudone_region": "us-1"}
WEBHOOK = "https://hooks.slack.example/services/T0/B0/FirstSecret"

Json = dict[str, t.Any]


class ConformityScript(netsec_script.Script):
    """Calls that must be made in exactly this order, each with its documented headers; any other call fails."""

    base_url = BASE_URL
    headers: t.ClassVar[dict[str, str]] = {"Authorization": f"ApiKey {API_KEY}", "Content-Type": "application/vnd.api+json"}


def account(account_id: str = "AgA12vIwb", **changes: t.Any) -> Json:
    """One account of a list, as the older documentation shows it."""
    attributes = {
        "name": "Test",
        "environment": "Test",
        "awsaccount-id": "123456789013",
        "has-real-time-monitoring": True,
        "created-date": 1502472854056,
        "last-notified-date": 1503580590169,
        "last-checked-date": 1503584192576,
        "last-monitoring-event-date": 1502570799000,
        "billing-account-id": "r1gyR4cqg",
        "subscription-type": "advanced",
        **changes,
    }
    return {"type": "accounts", "id": account_id, "attributes": attributes}


def newer_account(account_id: str = "AgA12vIwb", **changes: t.Any) -> Json:
    """The same as newer samples show it: a number for the AWS account, and no flag."""
    entry = account(account_id, **{"awsaccount-id": 12345678901, **changes})
    del entry["attributes"]["has-real-time-monitoring"]
    return entry


def setting(
    setting_id: str = "AgA12vIwb:communication:slack-1",
    account_id: str | None = "AgA12vIwb",
    *,
    channel: str = "slack",
    configuration: Json | None = None,
    filter: Json | None = None,
    enabled: bool = True,
    manual: t.Any = "",
) -> Json:
    """One communication setting, as the documentation shows them; one for the organisation where ``account_id`` is ``None``."""
    attributes = {"type": "communication", "manual": manual, "enabled": enabled, "filter": {"suppressed": False, **(filter or {})}, "channel": channel}
    if configuration is not None:
        attributes["configuration"] = configuration
    level = None if account_id is None else {"type": "accounts", "id": account_id}
    relationships = {"organisation": {"data": {"type": "organisations", "id": "ryqMcJn4b"}}, "account": {"data": level}}
    return {"type": "settings", "id": setting_id, "attributes": attributes, "relationships": relationships}


def data(*objects: Json) -> Json:
    return {"data": list(objects)}
