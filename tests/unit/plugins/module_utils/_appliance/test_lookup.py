# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding appliances by instance ID."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import find_each, find_one, for_each_found, require
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance, ListedRepeatedly
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError, InputError

MANY = [f"i-{number}" for number in range(11)]


class Account(NetsecApi):
    """An account with these appliances, which records what is asked."""

    def __init__(self, *appliances: Appliance, error: ApiError | None = None) -> None:
        self.appliances = list(appliances)
        self.error = error
        self.asked: list[str] = []

    def find(self, instance_id: str) -> list[Appliance]:
        self.asked.append(instance_id)
        if self.error:
            raise self.error
        return [appliance for appliance in self.appliances if appliance.instance_id == instance_id]

    def list_appliances(self, query: str | None = None) -> list[Appliance]:
        self.asked.append("all")
        return self.appliances


def test_one() -> None:
    account = Account(Appliance(1, "i-1"))
    assert find_one(account, "i-1") == Appliance(1, "i-1")
    assert find_one(account, "i-2") is None


def test_listed_twice() -> None:
    with pytest.raises(ListedRepeatedly, match="i-1 is listed 2 times, with the IDs 1, 9. If renewals of it ran at the same time, run again;") as caught:
        find_one(Account(Appliance(9, "i-1"), Appliance(1, "i-1")), "i-1")
    assert [appliance.id for appliance in caught.value.appliances] == [1, 9]


@pytest.mark.parametrize(("instance_ids", "requests"), [(MANY[:10], 10), (MANY, 1), ([], 0)])
def test_each_in_the_asked_order_with_few_requests(instance_ids: list[str], requests: int) -> None:
    account = Account(Appliance(1, "i-3"), Appliance(2, "i-5"), Appliance(3, "i-5"), Appliance(4, "i-99"))
    outcomes = find_each(account, instance_ids, concurrency=2)
    assert [outcome.item for outcome in outcomes] == instance_ids
    assert len(account.asked) == requests
    found = {outcome.item: outcome for outcome in outcomes}
    if instance_ids:
        assert found["i-3"].result() == Appliance(1, "i-3")
        assert found["i-0"].result() is None
        with pytest.raises(ListedRepeatedly, match="i-5 is listed 2 times, with the IDs 2, 3"):
            found["i-5"].result()


def test_everything() -> None:
    outcomes = find_each(Account(Appliance(1, "i-1"), Appliance(2, "i-2")), None, concurrency=1)
    assert [(outcome.item, outcome.result()) for outcome in outcomes] == [("i-1", Appliance(1, "i-1")), ("i-2", Appliance(2, "i-2"))]


def test_duplicates_are_refused_before_anything_is_asked() -> None:
    account = Account()
    with pytest.raises(InputError, match="Given more than once: i-1, i-3"):
        find_each(account, ["i-1", "i-2", "i-1", "i-3", "i-3"], concurrency=1)
    assert account.asked == []


@pytest.mark.parametrize(("status", "concerns_all"), [(401, True), (403, True), (503, False), (None, False)])
def test_a_key_without_rights_concerns_all(status: int | None, concerns_all: bool) -> None:
    account = Account(error=ApiError("no", method="POST", path="/appliances/search", status=status))
    if concerns_all:
        with pytest.raises(ApiError):
            find_each(account, ["i-1", "i-2"], concurrency=1)
    else:
        assert all(outcome.error for outcome in find_each(account, ["i-1", "i-2"], concurrency=1))


def test_work_is_done_for_those_that_were_looked_up() -> None:
    account = Account(Appliance(1, "i-1"), Appliance(2, "i-2"), Appliance(3, "i-2"))

    def work(instance_id: str, appliance: Appliance | None) -> t.Any:
        return instance_id, require(instance_id, appliance).id

    outcomes = for_each_found(find_each(account, ["i-2", "i-1", "i-9"], concurrency=2), work, concurrency=2)
    assert [outcome.item for outcome in outcomes] == ["i-2", "i-1", "i-9"]
    assert outcomes[1].result() == ("i-1", 1)
    assert "listed 2 times" in str(outcomes[0].error)
    assert "i-9 is no registered appliance of this account" in str(outcomes[2].error)
