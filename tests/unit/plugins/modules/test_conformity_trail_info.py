# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules.conformity_trail_info import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.rtm_world import ACCOUNT, RtmWorld

Json = dict[str, t.Any]


def run(run_module: Runner, **options: t.Any) -> Json:
    return run_module(main, {"regions": ["eu-west-1", "us-east-1", "ap-east-1"], "concurrency": 1, **options})


def column(result: Json, name: str) -> list[t.Any]:
    return [entry[name] for entry in result["regions"]]


def calls(rtm: RtmWorld, region: str) -> list[str]:
    return [operation for operation, _parameters in rtm[region].calls if "Trail" in operation or "Selectors" in operation]


def test_one_trail_for_all_regions(rtm: RtmWorld, run_module: Runner) -> None:
    rtm.have_trail("us-east-1")
    result = run(run_module, expected_account_id=ACCOUNT)
    assert (result["failed"], result["changed"], result["account_id"]) == (False, False, ACCOUNT)
    assert result["regions"][0] == {
        "region": "eu-west-1",
        "recorded": True,
        "trails": ["management"],
        "reason": None,
        "changed": False,
        "failed": False,
    }
    assert column(result, "region") == ["eu-west-1", "us-east-1"], "the region that is off is left out"
    assert "warnings" not in result
    assert calls(rtm, "us-east-1") == ["DescribeTrails", "GetTrailStatus"], "it is asked once for all regions"
    assert calls(rtm, "eu-west-1") == []


def test_a_trail_for_one_region(rtm: RtmWorld, run_module: Runner) -> None:
    rtm.have_trail("us-east-1", logging=False)
    rtm.have_trail("eu-west-1", multi_region=False)
    result = run(run_module)
    assert column(result, "recorded") == [True, False]
    [warning] = result["warnings"]
    assert warning.startswith("Real-Time Threat Monitoring gets no events from us-east-1: ")
    assert "The trail management is switched off." in warning
    assert "eu-west-1" not in warning


def test_no_trail(rtm: RtmWorld, run_module: Runner) -> None:
    result = run(run_module)
    assert (column(result, "recorded"), column(result, "trails")) == ([False, False], [[], []])
    assert "eu-west-1, us-east-1: its rule matches only what a trail of CloudTrail records" in result["warnings"][0]


def test_own_selectors_are_read(rtm: RtmWorld, run_module: Runner) -> None:
    rtm.have_trail(selectors={"EventSelectors": [{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}]})
    result = run(run_module)
    assert column(result, "recorded") == [False, False]
    assert "GetEventSelectors" in calls(rtm, "us-east-1")


@pytest.mark.parametrize("denied", ["GetTrailStatus", "GetEventSelectors"])
def test_what_aws_does_not_tell_is_unknown(rtm: RtmWorld, run_module: Runner, denied: str) -> None:
    rtm.have_trail(selectors={"EventSelectors": [{"IncludeManagementEvents": True}]})
    rtm["us-east-1"].denied.add(denied)
    result = run(run_module)
    assert (result["failed"], column(result, "recorded")) == (False, [None, None])
    assert f"cloudtrail:{denied}" in result["regions"][0]["reason"]
    assert "warnings" not in result


def test_trails_must_not_be_listed(rtm: RtmWorld, run_module: Runner) -> None:
    rtm["us-east-1"].denied.add("DescribeTrails")
    result = run(run_module)
    assert (result["failed"], column(result, "failed"), column(result, "recorded")) == (True, [True, True], [None, None])
    assert "cloudtrail:DescribeTrails" in result["msg"]


def test_another_account(rtm: RtmWorld, run_module: Runner) -> None:
    result = run(run_module, expected_account_id="999999999999")
    assert result["failed"] and "regions" not in result
    assert "belong to the account 123456789012, not to 999999999999" in result["msg"]
    assert calls(rtm, "us-east-1") == []
