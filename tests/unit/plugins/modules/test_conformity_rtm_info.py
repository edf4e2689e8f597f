# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules import conformity_rtm_info
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.conformity_script import API_KEY, ConformityScript, account, data
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.rtm_world import ACCOUNT, RtmWorld

NOW = datetime(2026, 3, 8, 12, 0, tzinfo=UTC)
SINCE = 1772366400000  # 2026-03-01T12:00:00Z
Json = dict[str, t.Any]


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformity_rtm_info, "utc_now", lambda: NOW)


def run(run_module: Runner, **options: t.Any) -> Json:
    return run_module(conformity_rtm_info.main, {"regions": ["us-east-1", "eu-west-1", "ap-east-1"], "concurrency": 1, **options})


def expect_events(conformity: ConformityScript, conformity_id: str, region: str, answer: Json, status: int = 200) -> None:
    query = {"accountIds": conformity_id, "aws": "true", "cc": "false", "filter[name]": "account.monitoring.activity", "filter[regions]": region}
    conformity.expect("GET", "/events", answer, query={**query, "filter[since]": SINCE, "page[size]": 1}, status=status)


def event(time: int) -> Json:
    return {"type": "events", "id": "e", "attributes": {"name": "account.monitoring.activity", "time": time, "region": "us-east-1"}}


def test_the_table(rtm: RtmWorld, run_module: Runner) -> None:
    rtm["us-east-1"].have(tags={"Version": "6"})
    rtm["eu-west-1"].have(owner="StackSet-rtm-1")
    rule = rtm["eu-west-1"].rule
    assert rule is not None
    rule.state = "DISABLED"
    result = run(run_module)
    assert (result["failed"], result["changed"], result["account_id"]) == (False, False, ACCOUNT)
    own, foreign, off = result["regions"]
    unknown = {"last_event_known": False, "last_event_at": None, "last_event_name": None}
    assert own == {
        "region": "us-east-1",
        "status": "present",
        "reason": None,
        "stack_id": rtm["us-east-1"].stacks[0].id,
        "stack_status": "CREATE_COMPLETE",
        "rule_arn": f"arn:aws:events:us-east-1:{ACCOUNT}:rule/CloudConformityMonitoring",
        "rule_state": "ENABLED",
        "owner": "CloudConformityMonitoring",
        "drift": [],
        "changed": False,
        "failed": False,
        **unknown,
    }
    assert (foreign["status"], foreign["owner"], foreign["drift"]) == ("foreign", "StackSet-rtm-1", ["rule_disabled"])
    assert foreign["reason"] == "The rule CloudConformityMonitoring belongs to the stack StackSet-rtm-1 and is left alone. The rule is disabled."
    assert (off["status"], off["reason"]) == ("skipped", "The region is switched off for the account (not-opted-in).")
    assert rtm.writes == []
    assert "warnings" not in result


def test_a_region_that_cannot_be_read(rtm: RtmWorld, run_module: Runner) -> None:
    rtm["us-east-1"].denied.add("DescribeRule")
    result = run(run_module)
    assert result["failed"]
    assert [entry["status"] for entry in result["regions"]] == ["failed", "absent", "skipped"]
    assert "events:DescribeRule" in result["regions"][0]["msg"]


@pytest.mark.parametrize("options", [{"expected_account_id": "1"}, {"event_days": 0}, {"regions": ["moon"]}])
def test_bad_input(rtm: RtmWorld, run_module: Runner, options: Json) -> None:
    result = run(run_module, **options)
    assert result["failed"] and "regions" not in result


def test_the_last_event_of_each_region(rtm: RtmWorld, conformity: ConformityScript, run_module: Runner) -> None:
    of_account = {"awsaccount-id": int(ACCOUNT)}
    conformity.expect("GET", "/accounts", data(account("a", **of_account), account("other"), account("b", **of_account)))
    expect_events(conformity, "a", "us-east-1", {"data": [event(1772888400000)]})
    expect_events(conformity, "b", "us-east-1", {"data": [event(1772892000000)]})
    expect_events(conformity, "a", "eu-west-1", {"data": []})
    expect_events(conformity, "b", "eu-west-1", {"data": []})
    result = run(run_module, api_key=API_KEY)
    assert [entry["last_event_at"] for entry in result["regions"]] == ["2026-03-07T14:00:00Z", None, None]
    assert [entry["last_event_known"] for entry in result["regions"]] == [True, True, False]
    assert result["regions"][0]["last_event_name"] == "account.monitoring.activity"
    assert [(known["id"], known["includes_rtm"], known["last_monitoring_event_at"]) for known in result["conformity_accounts"]] == [
        ("a", True, "2017-08-12T20:46:39Z"),
        ("b", True, "2017-08-12T20:46:39Z"),
    ]
    assert result["conformity_problem"] is None
    assert "warnings" not in result


def test_the_rest_is_told_if_conformity_does_not_know_the_account(rtm: RtmWorld, conformity: ConformityScript, run_module: Runner) -> None:
    conformity.expect("GET", "/accounts", data(account("other")))
    result = run(run_module, api_key=API_KEY)
    assert (result["failed"], result["regions"][0]["status"], result["regions"][0]["last_event_known"]) == (False, "absent", False)
    assert f"Conformity lists no account for the AWS account {ACCOUNT}" in result["warnings"][0]
    assert (result["conformity_accounts"], result["conformity_problem"]) == ([], result["warnings"][0])


def test_the_rest_is_told_if_one_question_is_refused(rtm: RtmWorld, conformity: ConformityScript, run_module: Runner) -> None:
    conformity.expect("GET", "/accounts", data(account("a", **{"awsaccount-id": ACCOUNT})))
    expect_events(conformity, "a", "us-east-1", {"Message": "explicit deny"}, status=403)
    expect_events(conformity, "a", "eu-west-1", {"data": []})
    result = run(run_module, api_key=API_KEY)
    assert [entry["last_event_known"] for entry in result["regions"]] == [False, True, False]
    [warning] = result["warnings"]
    assert warning.startswith("us-east-1: the last event is not known.")
    assert API_KEY not in str(result)
