# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what appliances are set to, with few requests."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.current_settings import READABLE, read_settings, settings_reader
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import Settings
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError

SYSTEM = {"name": "system", "group": "ips", "stream": "system_{instance_id}", "enabled": True}


class Account(NetsecApi):
    """An account whose appliances stream their system log and have the profile 4; it records what is asked."""

    def __init__(self, *appliances: Appliance, broken: t.Container[str] = ()) -> None:
        self.appliances = appliances
        self.broken = broken
        self.asked: list[str] = []

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.broken:
            raise ApiError("broken", method="GET", path=what, status=500)

    def find(self, instance_id: str) -> list[Appliance]:
        self._ask(f"find {instance_id}")
        return [appliance for appliance in self.appliances if appliance.instance_id == instance_id]

    def log_types(self, appliance_id: int) -> list[dict[str, t.Any]]:
        self._ask(f"log_types {appliance_id}")
        return [{"logName": "system", "logGroupName": "ips", "logStreamName": "system_{instance_id}", "enable": True}]

    def profile_distributions(self) -> list[dict[str, t.Any]]:
        self._ask("distributions")
        return [{"applianceId": appliance.id, "type": "profile", "profile": {"id": 4}} for appliance in self.appliances]


ONE, TWO = Appliance(1, "i-1"), Appliance(2, "i-2")


@pytest.mark.parametrize(
    ("wanted", "settings", "asked"),
    [
        ((), {}, []),
        (["log_types"], {"log_types": [SYSTEM]}, ["log_types 1"]),
        (["profile"], {"profile_id": 4}, ["distributions"]),
        (READABLE, {"log_types": [SYSTEM], "profile_id": 4}, ["distributions", "log_types 1"]),
    ],
)
def test_only_what_is_wanted_is_asked(wanted: t.Sequence[str], settings: dict[str, t.Any], asked: list[str]) -> None:
    account = Account(ONE)
    assert settings_reader(account, wanted)(ONE) == settings
    assert account.asked == asked


def test_settings_of_many_ask_for_the_distributions_once() -> None:
    account = Account(ONE, TWO)
    outcomes = read_settings(account, ["i-2", "i-9", "i-1"], concurrency=1)
    assert [(outcome.item, outcome.result()) for outcome in outcomes] == [
        ("i-2", Settings(2, 4, (SYSTEM,))),
        ("i-9", Settings(None, None, ())),
        ("i-1", Settings(1, 4, (SYSTEM,))),
    ]
    assert account.asked == ["find i-2", "find i-9", "find i-1", "distributions", "log_types 2", "log_types 1"]


@pytest.mark.parametrize("instance_ids", [[], ["i-9"]])
def test_nobody_listed_nothing_to_read(instance_ids: list[str]) -> None:
    account = Account(ONE)
    assert [outcome.result() for outcome in read_settings(account, instance_ids, concurrency=1)] == [Settings(None, None, ())] * len(instance_ids)
    assert account.asked == [f"find {instance_id}" for instance_id in instance_ids]


def test_one_that_cannot_be_read_does_not_stop_the_others() -> None:
    first, second = read_settings(Account(ONE, TWO, broken=["log_types 1"]), ["i-1", "i-2"], concurrency=2)
    assert isinstance(first.error, ApiError)
    assert second.result() == Settings(2, 4, (SYSTEM,))


def test_distributions_that_cannot_be_read_concern_all() -> None:
    with pytest.raises(ApiError):
        read_settings(Account(ONE, broken=["distributions"]), ["i-1"], concurrency=1)
