# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules.conformity_account_info import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.conformity_script import OPTIONS, ConformityScript, account, data, newer_account
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner

LISTED = data(account("a", name="One"), newer_account("b", name="Two", **{"last-monitoring-event-date": None}))
ONE = {
    "asked_for": "a",
    "changed": False,
    "failed": False,
    "id": "a",
    "name": "One",
    "environment": "Test",
    "aws_account_id": "123456789013",
    "has_real_time_monitoring": True,
    "subscription_type": "advanced",
    "last_monitoring_event_at": "2017-08-12T20:46:39Z",
}
TWO = {
    **ONE,
    "asked_for": "b",
    "id": "b",
    "name": "Two",
    "aws_account_id": "012345678901",
    "has_real_time_monitoring": None,
    "last_monitoring_event_at": None,
}


def run(run_module: Runner, **options: t.Any) -> dict[str, t.Any]:
    return run_module(main, {**OPTIONS, **options})


def test_all(conformity: ConformityScript, run_module: Runner) -> None:
    conformity.expect("GET", "/accounts", LISTED)
    result = run(run_module)
    assert (result["failed"], result["changed"], result["accounts"]) == (False, False, [ONE, TWO])


def test_a_new_organisation_has_none(conformity: ConformityScript, run_module: Runner) -> None:
    conformity.expect("GET", "/accounts", data())
    assert run(run_module)["accounts"] == []


def test_some(conformity: ConformityScript, run_module: Runner) -> None:
    conformity.expect("GET", "/accounts", LISTED)
    result = run(run_module, aws_account_ids=["12345678901"], names=["One"])
    assert result["accounts"] == [{**TWO, "asked_for": "12345678901"}, {**ONE, "asked_for": "One"}]


def test_one_that_is_not_there_fails_beside_the_others(conformity: ConformityScript, run_module: Runner) -> None:
    conformity.expect("GET", "/accounts", LISTED)
    result = run(run_module, account_ids=["x", "a"])
    missing, found = result["accounts"]
    assert result["failed"]
    assert (missing["asked_for"], missing["failed"], found) == ("x", True, ONE)
    assert result["msg"].startswith("1 of 2 accounts failed")
    assert "x: This is no account that Conformity shows to this API key: add it in Conformity, or give the role of the key access" in result["msg"]


def test_details_fill_in_what_the_list_lacks(conformity: ConformityScript, run_module: Runner) -> None:
    conformity.expect("GET", "/accounts", LISTED)
    conformity.expect("GET", "/accounts/b", {"data": account("b", name="Other")})
    result = run(run_module, account_ids=["b"], details=True, concurrency=1)
    assert result["accounts"] == [{**TWO, "has_real_time_monitoring": True, "last_monitoring_event_at": "2017-08-12T20:46:39Z"}]


def test_details_that_cannot_be_read(conformity: ConformityScript, run_module: Runner) -> None:
    conformity.expect("GET", "/accounts", LISTED)
    conformity.expect("GET", "/accounts/a", {"errors": [{"status": 404, "details": "gone"}]}, status=404)
    conformity.expect("GET", "/accounts/b", data(account("b")))
    result = run(run_module, details=True, concurrency=1)
    assert [entry["failed"] for entry in result["accounts"]] == [True, False]
    assert "HTTP 404: gone" in result["accounts"][0]["msg"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"aws_account_ids": ["prod"]}, "'prod' is none"),
        ({"concurrency": 0}, "concurrency must be at least 1"),
        ({"conformity_authorization": "basic"}, "bearer"),
    ],
)
def test_options_that_cannot_be_used(run_module: Runner, conformity: ConformityScript, options: dict[str, t.Any], problem: str) -> None:
    if "aws_account_ids" in options:
        conformity.expect("GET", "/accounts", LISTED)
    result = run(run_module, **options)
    assert result["failed"]
    assert problem in result["msg"]


def test_a_wrong_key(conformity: ConformityScript, run_module: Runner) -> None:
    denial = {"Message": "User is not authorized to access this resource with an explicit deny"}
    conformity.expect("GET", "/accounts", denial, status=403)
    result = run(run_module)
    assert "with an explicit deny. The API answers a wrong key and a missing right alike." in result["msg"]
    assert "accounts" not in result
