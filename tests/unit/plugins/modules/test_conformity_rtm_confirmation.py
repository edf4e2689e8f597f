# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules.conformity_rtm_confirmation import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.conformity_script import API_KEY, ConformityScript, account, data
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.test_conformity_rtm_info import event
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.rtm_world import ACCOUNT, RtmWorld

BEFORE = 1772964000000  # 2026-03-08T10:00:00Z
Json = dict[str, t.Any]


def run(run_module: Runner, *, check_mode: bool = False, **options: t.Any) -> Json:
    return run_module(main, {"api_key": API_KEY, "regions": ["us-east-1", "ap-east-1"], "concurrency": 1, **options}, check_mode=check_mode)


def known(**changes: t.Any) -> Json:
    return account("a", **{"awsaccount-id": ACCOUNT, "last-monitoring-event-date": BEFORE, **changes})


def expect_event(conformity: ConformityScript, since: int, *found: Json) -> None:
    query = {"accountIds": "a", "aws": "true", "cc": "false", "filter[name]": "account.monitoring.activity", "filter[regions]": "us-east-1"}
    conformity.expect("GET", "/events", data(*found), query={**query, "filter[since]": since, "page[size]": 1})


def test_the_date_moves(rtm: RtmWorld, conformity: ConformityScript, run_module: Runner) -> None:
    rtm["us-east-1"].have()
    conformity.expect("GET", "/accounts", data(account("other"), known()))
    expect_event(conformity, BEFORE, event(BEFORE))
    expect_event(conformity, BEFORE + 1)
    expect_event(conformity, BEFORE + 1, event(BEFORE + 5000))
    conformity.expect("GET", "/accounts/a", {"data": known(**{"last-monitoring-event-date": BEFORE + 5000})})
    result = run(run_module, expected_account_id=ACCOUNT)
    assert (result["failed"], result["changed"], result["account_id"]) == (False, False, ACCOUNT)
    assert (result["moved"], result["last_monitoring_event_at"]) == (True, "2026-03-08T10:00:05Z")
    [region] = result["regions"]
    assert (region["region"], region["provoked"], region["confirmed"], region["event_at"]) == ("us-east-1", True, True, "2026-03-08T10:00:05Z")
    assert rtm.writes == ["UpdateTerminationProtection"]


def test_the_time_is_over(rtm: RtmWorld, conformity: ConformityScript, run_module: Runner) -> None:
    rtm["us-east-1"].have()
    conformity.expect("GET", "/accounts", data(known()))
    expect_event(conformity, BEFORE)
    expect_event(conformity, BEFORE + 1)
    conformity.expect("GET", "/accounts/a", {"data": known()})
    result = run(run_module, wait_timeout=0)
    assert (result["failed"], result["moved"], result["regions"][0]["confirmed"]) == (False, False, False)
    assert result["regions"][0]["reason"] == "Conformity has listed no new event of the region within 0 seconds."


def test_check_mode_provokes_nothing(rtm: RtmWorld, conformity: ConformityScript, run_module: Runner) -> None:
    rtm["us-east-1"].have()
    conformity.expect("GET", "/accounts", data(known()))
    conformity.expect("GET", "/accounts/a", {"data": known()})
    result = run(run_module, check_mode=True)
    assert (result["changed"], result["regions"][0]["reason"]) == (False, "No event is provoked in check mode.")
    assert rtm.writes == []


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        ([known(**{"has-real-time-monitoring": False, "subscription-type": "essentials"})], "does not include Real-Time Threat Monitoring"),
        ([account("other")], f"Conformity lists no account for the AWS account {ACCOUNT}"),
    ],
)
def test_what_makes_it_impossible_is_told_before_anything_is_provoked(
    rtm: RtmWorld, conformity: ConformityScript, run_module: Runner, accounts: list[Json], words: str
) -> None:
    rtm["us-east-1"].have()
    conformity.expect("GET", "/accounts", data(*accounts))
    result = run(run_module)
    assert result["failed"] and "regions" not in result
    assert words in result["msg"]
    assert rtm.writes == []


def test_another_account(rtm: RtmWorld, conformity: ConformityScript, run_module: Runner) -> None:
    assert "belong to the account" in run(run_module, expected_account_id="999999999999")["msg"]
    assert rtm.writes == []
