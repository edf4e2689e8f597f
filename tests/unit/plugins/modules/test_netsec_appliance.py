# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules.netsec_appliance import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import OPTIONS, Script, appliance, search_body

ABSENT = {**OPTIONS, "state": "absent"}
PRESENT = {**OPTIONS, "state": "present", "wait_timeout": 5}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that only sleeping moves; the list holds the sleeps."""
    sleeps: list[float] = []
    monkeypatch.setattr(time, "monotonic", lambda: 1000 + sum(sleeps))
    monkeypatch.setattr(time, "sleep", sleeps.append)
    return sleeps


def expect_no_migrations(script: Script, *statuses: dict[str, t.Any]) -> None:
    script.expect("GET", "/appliancemigrations", {"statuses": list(statuses)})


def test_unregister(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(7, "i-1"))
    script.expect_search("i-2")
    expect_no_migrations(script, {"applianceId": 7, "state": "finish"}, {"applianceId": 8, "state": "start"})
    script.expect("DELETE", "/appliances/7", status=204)
    result = run_module(main, {**ABSENT, "instance_ids": ["i-1", "i-2"]})
    first, second = result["appliances"]
    assert (result["failed"], result["changed"]) == (False, True)
    assert (first["instance_id"], first["changed"], first["appliance"]["id"]) == ("i-1", True, 7)
    assert second == {"instance_id": "i-2", "changed": False, "failed": False, "appliance": None}


def test_nothing_to_unregister(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1")
    result = run_module(main, {**ABSENT, "instance_ids": ["i-1"]})
    assert (result["failed"], result["changed"]) == (False, False)


def test_gone_in_the_meantime(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(7, "i-1"))
    expect_no_migrations(script)
    script.expect("DELETE", "/appliances/7", status=404)
    script.expect_search("i-1")
    result = run_module(main, {**ABSENT, "instance_ids": ["i-1"]})
    assert (result["failed"], result["changed"]) == (False, False)


def test_an_appliance_that_is_still_listed_is_not_taken_for_gone(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(7, "i-1"))
    expect_no_migrations(script)
    script.expect("DELETE", "/appliances/7", text="<html>no such page</html>", status=404)
    script.expect_search("i-1", appliance(7, "i-1"))
    result = run_module(main, {**ABSENT, "instance_ids": ["i-1"]})
    assert (result["failed"], result["changed"]) == (True, False)
    assert "still lists it. Run again." in result["msg"]


def test_unregister_in_check_mode(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(7, "i-1"))
    expect_no_migrations(script)
    result = run_module(main, {**ABSENT, "instance_ids": ["i-1"]}, check_mode=True)
    assert (result["failed"], result["changed"]) == (False, True)


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_migration_and_a_failure_stop_only_their_own(script: Script, run_module: Runner, check_mode: bool) -> None:
    script.expect_search("i-1", appliance(7, "i-1"))
    script.expect("POST", "/appliances/search", {}, status=400, body=search_body("i-2"))
    script.expect_search("i-3", appliance(10, "i-3"))
    expect_no_migrations(script, {"applianceId": 7, "state": "downloading"})
    if not check_mode:
        script.expect("DELETE", "/appliances/10", status=204)
    result = run_module(main, {**ABSENT, "instance_ids": ["i-1", "i-2", "i-3"]}, check_mode=check_mode)
    assert (result["failed"], result["changed"]) == (True, True)
    assert [entry["failed"] for entry in result["appliances"]] == [True, True, False]
    assert "2 of 3 appliances failed" in result["msg"]
    assert "is being migrated: wait until" in result["appliances"][0]["msg"]
    assert "HTTP 400" in result["appliances"][1]["msg"]


def test_every_entry_of_an_appliance_is_unregistered(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(8, "i-1"), appliance(9, "i-1"))
    expect_no_migrations(script)
    script.expect("DELETE", "/appliances/8", status=204)
    script.expect("DELETE", "/appliances/9", status=404)
    script.expect_search("i-1")
    result = run_module(main, {**ABSENT, "instance_ids": ["i-1"]})
    (entry,) = result["appliances"]
    assert (result["failed"], entry["changed"], entry["appliance"]["id"]) == (False, True, 9)


def test_no_entry_of_an_appliance_that_is_being_migrated_is_unregistered(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(8, "i-1"), appliance(9, "i-1"))
    expect_no_migrations(script, {"applianceId": 9, "state": "start"})
    result = run_module(main, {**ABSENT, "instance_ids": ["i-1"]})
    assert (result["failed"], result["changed"]) == (True, False)
    assert "is being migrated: wait until" in result["msg"]


def test_duplicates(script: Script, run_module: Runner) -> None:
    result = run_module(main, {**ABSENT, "instance_ids": ["i-1", "i-1"]})
    assert result["failed"]
    assert "Given more than once: i-1" in result["msg"]


def test_present_already(script: Script, run_module: Runner, clock: list[float]) -> None:
    script.expect_search("i-1", appliance(7, "i-1"))
    result = run_module(main, {**PRESENT, "instance_ids": ["i-1"]})
    assert (result["failed"], result["changed"], clock) == (False, False, [])
    assert (result["appliances"][0]["waited"], result["appliances"][0]["appliance"]["id"]) == (0, 7)


def test_present_asks_only_for_those_still_missing(script: Script, run_module: Runner, clock: list[float]) -> None:
    script.expect_search("i-1")
    script.expect_search("i-2", appliance(8, "i-2"))
    script.expect_search("i-1")
    script.expect_search("i-1", appliance(9, "i-1"))
    result = run_module(main, {**PRESENT, "instance_ids": ["i-1", "i-2"]})
    assert [(entry["instance_id"], entry["waited"]) for entry in result["appliances"]] == [("i-1", 4), ("i-2", 0)]
    assert clock == [2, 2]
    assert not result["changed"]


def test_present_outlasts_a_failure_of_the_api(script: Script, run_module: Runner, clock: list[float]) -> None:
    script.expect("POST", "/appliances/search", {"message": "?"}, status=500, body=search_body("i-1"))
    script.expect_search("i-1", appliance(8, "i-1"), appliance(9, "i-1"))
    script.expect_search("i-1", appliance(9, "i-1"))
    result = run_module(main, {**PRESENT, "instance_ids": ["i-1"]})
    assert (result["failed"], result["appliances"][0]["appliance"]["id"]) == (False, 9)


def test_present_of_many_outlasts_a_failure_of_the_list(script: Script, run_module: Runner, clock: list[float]) -> None:
    instance_ids = [f"i-{number}" for number in range(11)]
    script.expect("GET", "/appliances", {"message": "?"}, status=500, query={"cursor": "", "limit": 1000})
    script.expect_list(*[appliance(number, instance_id) for number, instance_id in enumerate(instance_ids)])
    result = run_module(main, {**PRESENT, "instance_ids": instance_ids})
    assert not result["failed"]
    assert {entry["waited"] for entry in result["appliances"]} == {2}


@pytest.mark.parametrize("count", [1, 11])
def test_present_does_not_outlast_a_wrong_key(script: Script, run_module: Runner, clock: list[float], count: int) -> None:
    if count == 1:
        script.expect("POST", "/appliances/search", {"message": "no"}, status=401, body=search_body("i-0"))
    else:
        script.expect("GET", "/appliances", {"message": "no"}, status=401, query={"cursor": "", "limit": 1000})
    result = run_module(main, {**PRESENT, "instance_ids": [f"i-{number}" for number in range(count)]})
    assert result["failed"]
    assert "Check that the API key is valid" in result["msg"]
    assert ("appliances" in result, clock) == (False, [])


def test_present_ends_in_time_and_says_what_to_do(script: Script, run_module: Runner, clock: list[float]) -> None:
    for _look in range(3):
        script.expect_search("i-1")
        script.expect_search("i-2", appliance(8, "i-2"), appliance(9, "i-2"))
    result = run_module(main, {**PRESENT, "instance_ids": ["i-1", "i-2"]})
    first, second = result["appliances"]
    assert result["failed"]
    assert clock == [2, 2]
    assert first["msg"].startswith("Not listed by the API after 4 seconds. Look at the appliance")
    assert "listed 2 times" in second["msg"]


def test_present_in_check_mode_looks_once(script: Script, run_module: Runner, clock: list[float]) -> None:
    script.expect_search("i-1")
    script.expect_search("i-2", appliance(8, "i-2"))
    script.expect_search("i-3", appliance(5, "i-3"), appliance(6, "i-3"))
    result = run_module(main, {**PRESENT, "instance_ids": ["i-1", "i-2", "i-3"]}, check_mode=True)
    first, second, third = result["appliances"]
    assert (first["failed"], first["appliance"]) == (False, None)
    assert (second["failed"], second["appliance"]["id"]) == (False, 8)
    assert third["failed"]
    assert clock == []


def test_an_interval_of_nothing(script: Script, run_module: Runner) -> None:
    result = run_module(main, {**PRESENT, "instance_ids": ["i-1"], "wait_interval": 0})
    assert result["msg"] == "wait_interval must be more than 0 seconds, it is 0.0."
