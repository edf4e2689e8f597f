# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import Account, Event
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm import confirmation
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.confirmation import Confirmation, Proof, able_to_confirm, as_result
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.rtm_world import ACCOUNT, RULE_NAME, Clients, Region

NOW = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
HERE = ("us-east-1", "eu-west-1")
Json = dict[str, t.Any]


def account(account_id: str = "a", *, flag: bool | None = None, subscription: str | None = "advanced", last: Event | None = None) -> Account:
    return Account(account_id, f"name-{account_id}", None, ACCOUNT, flag, subscription, last.time if last else None)


def event(region: str, seconds: float) -> Event:
    return Event("account.monitoring.activity", NOW + timedelta(seconds=seconds), None, None, region, "UpdateTerminationProtection")


class Api:
    """Conformity, which lists the oldest event first, for its order is not documented."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.broken: set[str] = set()

    def last_event(self, account_id: str, region: str, *, since: datetime) -> Event | None:
        if region in self.broken:
            raise ApiError("GET /events: HTTP 500", method="GET", path="/events", status=500)
        listed = [one for one in self.events if one.region == region and one.time >= since and account_id == "a"]
        return min(listed, key=lambda one: one.time, default=None)


class Clock:
    """Time that passes only while something sleeps, and what is to happen then."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.appointments: list[tuple[float, t.Callable[[], None]]] = []

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        for at, work in [one for one in self.appointments if one[0] <= self.seconds]:
            self.appointments.remove((at, work))
            work()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.sleep", clock.sleep)
    monkeypatch.setattr("time.monotonic", lambda: clock.seconds)
    monkeypatch.setattr(confirmation, "utc_now", lambda: NOW)
    return clock


class Scene:
    def __init__(self) -> None:
        self.api = Api()
        self.regions = {name: Region(name) for name in HERE}
        for region in self.regions.values():
            region.have()

    def arrives(self, *regions: str, seconds: float = 1) -> t.Callable[[], None]:
        return lambda: self.api.events.extend(event(region, seconds) for region in regions)

    def run(self, timeout: float = 300, accounts: t.Sequence[Account] = (account(),)) -> list[Proof]:
        clients, api = t.cast(t.Any, Clients(*self.regions.values())), t.cast(t.Any, self.api)
        return Confirmation(clients, api, accounts, stack_name=RULE_NAME, concurrency=1).run(HERE, timeout)

    def writes(self, region: str = HERE[0]) -> list[Json]:
        return [arguments for operation, arguments in self.regions[region].calls if not operation.startswith("Describe")]


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_an_event_that_arrives_is_the_proof(scene: Scene, clock: Clock) -> None:
    clock.appointments.append((1, scene.arrives(*HERE)))
    proofs = scene.run()
    assert [as_result(proof, wait_timeout=300) for proof in proofs] == [
        {
            "region": region,
            "provoked": True,
            "confirmed": True,
            "event_at": "2026-03-08T12:00:01Z",
            "event_description": "UpdateTerminationProtection",
            "reason": None,
            "changed": False,
            "failed": False,
        }
        for region in HERE
    ]
    assert clock.seconds < 5


@pytest.mark.parametrize("protected", [True, False])
def test_what_is_written_is_what_is_there(scene: Scene, clock: Clock, protected: bool) -> None:
    stack = scene.regions[HERE[0]].stack
    assert stack is not None
    stack.protected = protected
    clock.appointments.append((1, scene.arrives(*HERE)))
    scene.run()
    assert scene.writes() == [{"StackName": stack.id, "EnableTerminationProtection": protected}]
    assert stack.protected == protected


def test_an_older_event_proves_nothing(scene: Scene, clock: Clock) -> None:
    scene.api.events += [event(region, seconds) for region in HERE for seconds in (-600, -5)]
    clock.appointments.append((1, scene.arrives(HERE[0])))
    first, second = scene.run(timeout=30, accounts=[account(last=event(HERE[0], -5)), account("b")])
    assert first.event == event(HERE[0], 1)
    assert second.event is None
    assert as_result(second, wait_timeout=30)["reason"] == "Conformity has listed no new event of the region within 30 seconds."
    assert clock.seconds == pytest.approx(30)


def test_a_clock_that_is_wrong_does_not_matter(scene: Scene, clock: Clock) -> None:
    """AWS's and this machine's may differ by hours."""
    scene.api.events += [event(region, -7200) for region in HERE]
    clock.appointments.append((1, scene.arrives(*HERE, seconds=-7190)))
    assert all(proof.event for proof in scene.run())


def test_it_is_provoked_again_each_minute_where_nothing_arrived(scene: Scene, clock: Clock) -> None:
    clock.appointments += [(1, scene.arrives(HERE[0])), (130, scene.arrives(HERE[1]))]
    assert all(proof.event for proof in scene.run())
    assert [len(scene.writes(region)) for region in HERE] == [1, 3]


@pytest.mark.parametrize(
    ("status", "words"), [(None, "is missing"), ("ROLLBACK_COMPLETE", "is ROLLBACK_COMPLETE"), ("UPDATE_IN_PROGRESS", "is UPDATE_IN_PROGRESS")]
)
def test_a_stack_that_is_not_as_it_should_be_is_left_alone(scene: Scene, clock: Clock, status: str | None, words: str) -> None:
    region = scene.regions[HERE[0]]
    region.stacks.clear()
    if status:
        region.have(status=status)
    clock.appointments.append((1, scene.arrives(HERE[1])))
    first, second = scene.run()
    assert (first.provoked, first.event, second.event is not None) == (False, None, True)
    assert as_result(first, wait_timeout=300)["reason"] == f"No event was provoked: the stack {RULE_NAME} {words}."
    assert scene.writes() == []
    assert clock.seconds < 5, "there is nothing to wait for"


def test_a_region_that_is_refused_does_not_stop_the_others(scene: Scene, clock: Clock) -> None:
    scene.regions[HERE[0]].denied.add("UpdateTerminationProtection")
    clock.appointments.append((1, scene.arrives(HERE[1])))
    first, second = scene.run()
    result = as_result(first, wait_timeout=300)
    assert (result["failed"], result["confirmed"], second.event is not None) == (True, False, True)
    assert "cloudformation:UpdateTerminationProtection" in result["msg"]


def test_nothing_is_provoked_where_conformity_cannot_be_asked(scene: Scene, clock: Clock) -> None:
    scene.api.broken.add(HERE[0])
    clock.appointments.append((1, scene.arrives(HERE[1])))
    first, _second = scene.run()
    assert (str(first.error), first.provoked, scene.writes()) == ("GET /events: HTTP 500", False, [])


def test_an_account_that_is_listed_twice(scene: Scene, clock: Clock) -> None:
    clock.appointments.append((1, scene.arrives(*HERE)))
    assert all(proof.event for proof in scene.run(accounts=[account("b"), account("a")]))


def test_whose_subscription_may_include_it() -> None:
    unknown, yes, no = account("a", subscription=None), account("b"), account("c", subscription="essentials")
    assert able_to_confirm([unknown, yes, no]) == [unknown, yes]
    assert able_to_confirm([account("d", flag=True, subscription="essentials")])
    with pytest.raises(
        InputError, match=r"does not include Real-Time Threat Monitoring.* name-c \(essentials\), name-e \(advanced\)\. Change the subscription"
    ):
        able_to_confirm([no, account("e", flag=False)])
