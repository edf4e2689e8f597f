# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws import accounts
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.accounts import Role, appliances_in_each_account, in_each_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each

NOBODY = Role()
ONE, OTHER = Role("arn:aws:iam::111111111111:role/one"), Role("arn:aws:iam::222222222222:role/other", "shared")
PARAMS = {"concurrency": 3, "region": "eu-central-1", "assume_role_arn": None, "assume_role_external_id": None}

Item = tuple[Role, int]


class Clients:
    """Stands for clients: only the parameters matter here."""

    def __init__(self, params: t.Mapping[str, t.Any], *, concurrency: int) -> None:
        self.role = Role(params["assume_role_arn"], params["assume_role_external_id"])
        self.others = {key: value for key, value in params.items() if not key.startswith("assume_role")}
        self.concurrency = concurrency


@pytest.fixture(autouse=True)
def _clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "AwsClients", Clients)


class Work:
    """Notes what it is given; fails for some roles as a whole, and for odd numbers alone."""

    def __init__(self, *broken: Role) -> None:
        self.calls: list[tuple[Role, list[int]]] = []
        self.broken = broken

    def __call__(self, clients: t.Any, items: list[Item]) -> list[Outcome[int, str]]:
        assert (clients.others, clients.concurrency) == ({"concurrency": 3, "region": "eu-central-1"}, 3)
        assert {role for role, _number in items} == {clients.role}
        self.calls.append((clients.role, [number for _role, number in items]))
        if clients.role in self.broken:
            raise CloudOneError(f"no way into {clients.role.arn}")

        def name(number: int) -> str:
            if number % 2:
                raise InputError(f"{number} is odd")
            return f"{number} by {clients.role.arn}"

        return for_each(name, [number for _role, number in items], concurrency=1)


def told(outcomes: t.Sequence[Outcome[t.Any, str]]) -> list[str]:
    return [str(outcome.error or outcome.value) for outcome in outcomes]


def ask(work: Work, *items: Item) -> list[Outcome[Item, str]]:
    return in_each_account(PARAMS, items, work, role_of=lambda item: item[0])


def test_each_role_works_once_on_what_is_its_own_and_the_order_stays() -> None:
    work = Work()
    outcomes = ask(work, (OTHER, 2), (ONE, 4), (NOBODY, 1), (OTHER, 3), (ONE, 6))
    assert sorted(work.calls, key=str) == sorted([(OTHER, [2, 3]), (ONE, [4, 6]), (NOBODY, [1])], key=str)
    assert [outcome.item for outcome in outcomes] == [(OTHER, 2), (ONE, 4), (NOBODY, 1), (OTHER, 3), (ONE, 6)]
    assert told(outcomes) == [f"2 by {OTHER.arn}", f"4 by {ONE.arn}", "1 is odd", "3 is odd", f"6 by {ONE.arn}"]


def test_what_fails_for_one_account_is_the_failure_of_its_items_only() -> None:
    assert told(ask(Work(ONE), (ONE, 2), (OTHER, 4), (ONE, 6))) == [f"no way into {ONE.arn}", f"4 by {OTHER.arn}", f"no way into {ONE.arn}"]


def test_what_fails_for_the_only_account_fails_as_a_whole() -> None:
    with pytest.raises(CloudOneError, match="no way into"):
        ask(Work(ONE), (ONE, 2), (ONE, 4))


def test_nothing_to_do_asks_nobody() -> None:
    work = Work()
    assert ask(work) == []
    assert work.calls == []


@given(st.lists(st.tuples(st.sampled_from([NOBODY, ONE, OTHER]), st.integers(0, 9)), max_size=12), st.sets(st.sampled_from([NOBODY, ONE, OTHER])))
def test_every_item_has_its_own_outcome(items: list[Item], broken: set[Role]) -> None:
    if len({role for role, _number in items}) == 1:
        broken = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "AwsClients", Clients)
        outcomes = ask(Work(*broken), *items)
    assert [outcome.item for outcome in outcomes] == items
    for (role, number), said in zip(items, told(outcomes), strict=True):
        assert said == (f"no way into {role.arn}" if role in broken else f"{number} is odd" if number % 2 else f"{number} by {role.arn}")


def test_a_role_of_an_appliance_stands_for_that_of_the_module() -> None:
    params = {**PARAMS, "assume_role_arn": OTHER.arn, "assume_role_external_id": OTHER.external_id}
    params["appliances"] = [
        {"instance_id": "i-1", "assume_role_arn": ONE.arn, "assume_role_external_id": None},
        {"instance_id": "i-2", "assume_role_arn": "", "assume_role_external_id": ""},
        {"instance_id": "i-3", "assume_role_arn": None, "assume_role_external_id": None},
    ]

    def work(clients: t.Any, appliances: list[dict[str, t.Any]]) -> list[Outcome[str, Role]]:
        return [Outcome("not looked at", clients.role) for _appliance in appliances]

    outcomes = appliances_in_each_account(params, work)
    assert [(outcome.item, outcome.value) for outcome in outcomes] == [("i-1", ONE), ("i-2", OTHER), ("i-3", OTHER)]


@pytest.mark.parametrize(
    ("role", "account_id", "options"),
    [
        (NOBODY, None, {}),
        (ONE, "111111111111", {"assume_role_arn": ONE.arn}),
        (OTHER, "222222222222", {"assume_role_arn": OTHER.arn, "assume_role_external_id": "shared"}),
        (Role("arn:aws-cn:iam::111122223333:role/path/of"), "111122223333", {"assume_role_arn": "arn:aws-cn:iam::111122223333:role/path/of"}),
        (Role("arn:aws:iam::1:role/x"), None, {"assume_role_arn": "arn:aws:iam::1:role/x"}),
        (Role("rubbish"), None, {"assume_role_arn": "rubbish"}),
    ],
)
def test_what_a_role_says(role: Role, account_id: str | None, options: dict[str, str]) -> None:
    assert (role.account_id, role.as_options()) == (account_id, options)
