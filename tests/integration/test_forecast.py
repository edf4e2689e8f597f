# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forecast of a fleet of mixed age and history, compared with the lab's own truth."""

from __future__ import annotations

import json
import random
import typing as t
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from conftest import Json, Site

COUNT = 300
LOG_GROUP = "network-security-system"
WINDOW_DAYS = 30
LIFETIME_DAYS = 730
# Of a renewal at the date two years on, by the calendar, there can be a February 29 more in between than in the lab's 730 days.
LEAP_DAY = timedelta(days=1)
# The parts of the lab that count the days back do it one after the other.
START = timedelta(minutes=1)

dice = random.Random(20260301)


def _by_hand_lately() -> Json:
    """Expired, and renewed by hand within the time that is searched."""
    age = dice.uniform(9, 20)
    return {"registered_days_ago": age, "deployed_days_ago": age + LIFETIME_DAYS + dice.uniform(5, 30)}


def _root_volume_replaced(age: float) -> Json:
    """The root volume is younger than the certificate: the estimate is too late."""
    return {"deployed_days_ago": age * dice.uniform(0.1, 0.9)}


# What can have happened to an appliance that registered so many days ago.
HISTORIES: dict[str, Callable[[float], Json]] = {
    "never renewed": lambda age: {},
    "renewed by the collection": lambda age: {"deployed_days_ago": age + 700, "registration_tag": True},
    "renewed by hand": lambda age: {"deployed_days_ago": age + dice.uniform(600, 900)},
    "renewed by hand lately": lambda age: _by_hand_lately(),
    "stopped and started": lambda age: {"restarted_days_ago": age / 3},
    "stopped": lambda age: {"instance_state": "stopped", "stopped_days_ago": dice.uniform(0, min(age, 60))},
    "root volume replaced": _root_volume_replaced,
    "terminated": lambda age: {"instance_state": "terminated"},
    "replaced": lambda age: {"instance_state": "gone"},
    "hosted": lambda age: {"deployment": "hosted"},
    "unregistered": lambda age: {"registered": False},
}
SHARES = dict(zip(HISTORIES, (55, 50, 40, 25, 30, 25, 30, 10, 10, 10, 15), strict=True))


def make_fleet() -> list[Json]:
    names = [name for name, share in SHARES.items() for _number in range(share)]
    assert len(names) == COUNT
    return [_appliance(number, history) for number, history in enumerate(names)]


def _appliance(number: int, history: str) -> Json:
    age = dice.uniform(0, 900)
    streamed = {"system": {"group": LOG_GROUP, "streamed_days": dice.uniform(20, 60)}} if number % 5 < 3 else {}
    return {
        "name": f"{history.replace(' ', '-')}-{number}",
        "deployment": dice.choice(["inline", "gateway_load_balancer"]),
        "region": dice.choice(["us-east-1", "eu-central-1"]),
        "registered_days_ago": age,
        "log_types": streamed,
        "clock_ahead_hours": dice.choice([0, 0, 0, 0, 1.5, -5]),
        **HISTORIES[history](age),
    }


@dataclass(frozen=True)
class Case:
    """One appliance: what the fleet says, what is true, and what was forecast."""

    history: str
    spec: t.Any
    truth: Json
    forecast: Json

    @property
    def expired(self) -> bool:
        return bool(self.truth["certificate"]["expired"])

    @property
    def judged(self) -> bool:
        """Whether its certificate is one to be dated."""
        return self.history not in {"terminated", "replaced", "hosted", "unregistered"}

    @property
    def errors_in_window(self) -> bool:
        """Whether CloudWatch has an error of the present certificate that is new enough to be searched for."""
        expired_days = self.spec.registered_days_ago - LIFETIME_DAYS
        behind_days = max(0, -self.spec.clock_ahead_hours) / 24
        return bool(self.spec.log_types) and expired_days > self.spec.stopped_days_ago and self.spec.stopped_days_ago + behind_days < WINDOW_DAYS - 1

    @property
    def lateness(self) -> timedelta:
        """How much too late the forecast is, or less than nothing."""
        return datetime.fromisoformat(self.forecast["expires_at"]) - datetime.fromisoformat(self.truth["certificate"]["expires_at"])


@pytest.fixture(scope="module")
def fleet() -> list[Json]:
    return make_fleet()


@pytest.fixture
def cases(start_site: Callable[..., Site], fleet: list[Json]) -> list[Case]:
    site = start_site(*fleet, ssh=False, aws={"log_delivery_interval": 30})
    appliances = [{"instance_id": spec.instance_id} for spec in site.lab.fleet.appliances]
    arguments = json.dumps({"appliances": appliances, "regions": ["us-east-1", "eu-central-1"], "concurrency": 20})
    command = ["ansible", "localhost", "--tree", str(site.folder / "tree"), "-m", "trendmicro.cloudone.netsec_certificate_info", "-a", arguments]
    run = site.run(command)
    assert run.returncode == 0, run.output
    forecasts = {entry["instance_id"]: entry for entry in json.loads((site.folder / "tree" / "localhost").read_text(encoding="utf-8"))["appliances"]}
    truths = {truth["instance_id"]: truth for truth in site.lab.control.world()["appliances"]}
    return [
        Case(spec.name.rpartition("-")[0].replace("-", " "), spec, truths[spec.instance_id], forecasts[spec.instance_id]) for spec in site.lab.fleet.appliances
    ]


def test_the_forecast_of_a_fleet_against_the_truth(cases: list[Case]) -> None:
    assert not [case for case in cases if case.forecast["failed"]]
    _check_what_is_not_dated(cases)
    judged = [case for case in cases if case.judged]
    _check_that_no_expired_certificate_is_valid_against_evidence(judged)
    _check_tags(judged)
    _check_estimates(judged)
    _check_renewals_by_hand(judged)


def _check_what_is_not_dated(cases: list[Case]) -> None:
    statuses = {history: Counter(case.forecast["status"] for case in cases if case.history == history) for history in SHARES}
    assert statuses["hosted"] == {"hosted": 10}
    assert statuses["unregistered"] == {"unregistered": 15}
    assert statuses["terminated"] == statuses["replaced"] == {"unknown": 10}
    assert all("unregister" in case.forecast["reason"] for case in cases if case.history in {"terminated", "replaced"})


def _check_that_no_expired_certificate_is_valid_against_evidence(judged: list[Case]) -> None:
    expired = [case for case in judged if case.expired]
    told_by_log = [case for case in expired if case.errors_in_window]
    assert len(expired) > 30 and len(told_by_log) > 15, "the fleet has too few to prove anything"
    wrong = [case for case in told_by_log if case.forecast["status"] != "expired"]
    assert not wrong, [(case.spec, case.forecast) for case in wrong]
    # Only where nothing in the world tells, a certificate passes for valid: no log, and a root volume that is younger than it.
    hidden = [case for case in expired if case.forecast["status"] in {"valid", "expiring"}]
    assert {case.history for case in hidden} <= {"root volume replaced", "never renewed"}, [(case.spec, case.forecast) for case in hidden]
    assert all(case.forecast["estimated"] for case in hidden if case.history == "root volume replaced")
    assert all(timedelta(0) < case.lateness <= LEAP_DAY for case in hidden if case.history == "never renewed")
    saved_by_log = [case for case in expired if case.forecast["evidence"] == "log_evidence" and case.history == "root volume replaced"]
    assert saved_by_log, "without the log, these would have passed for valid"


def _check_tags(judged: list[Case]) -> None:
    tagged = [case for case in judged if case.spec.registration_tag]
    assert len(tagged) == SHARES["renewed by the collection"]
    for case in tagged:
        if case.forecast["evidence"] == "log_evidence":  # on the leap day, where the lab's certificates have expired already
            assert case.expired and case.forecast["estimated"]
        else:
            assert (case.forecast["evidence"], case.forecast["estimated"]) == ("registration_tag", False)
            assert -START <= case.lateness <= LEAP_DAY, case


def _check_estimates(judged: list[Case]) -> None:
    for case in judged:
        forecast = case.forecast
        assert forecast["estimated"] is (forecast["evidence"] != "registration_tag")
        assert not forecast["estimated"] or "probably" in forecast["reason"] or "at the latest" in forecast["reason"] or "expired by" in forecast["reason"]
        assert (forecast["certificate_errors"] is not None) is (forecast["log_search"]["state"] == "searched")
        if not case.spec.log_types:
            assert forecast["log_search"]["state"] in {"not_streamed", "not_asked"}
        if forecast["evidence"] == "log_evidence" and forecast["status"] == "expired":
            # The first error was after the expiry; the appliance's clock may be behind.
            assert case.expired and case.lateness >= -timedelta(hours=max(0, -case.spec.clock_ahead_hours) + 0.01), case
        elif case.history != "root volume replaced":
            assert case.lateness <= LEAP_DAY + START, "an estimate may be too early, and never too late"


def _check_renewals_by_hand(judged: list[Case]) -> None:
    lately = [case for case in judged if case.history == "renewed by hand lately"]
    told = [case for case in lately if case.spec.log_types]
    assert len(told) >= 10
    for case in told:
        assert (case.forecast["status"], case.forecast["evidence"]) == ("valid", "log_evidence"), case
        assert -timedelta(days=1) <= case.lateness <= LEAP_DAY, case
    assert {case.forecast["status"] for case in lately if not case.spec.log_types} == {"expired"}, "erring towards renewal"
