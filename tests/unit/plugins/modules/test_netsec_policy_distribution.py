# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules.netsec_policy_distribution import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import OPTIONS, Script, appliance

PROFILES = {"profiles": [{"id": 1, "name": "Default-Profile"}, {"id": 4, "name": "Strict"}, {"id": 5, "name": "Twin"}, {"id": 6, "name": "Twin"}]}


def posted(appliance_id: int, profile_id: int) -> dict[str, t.Any]:
    return {"applianceId": appliance_id, "type": "profile", "profile": {"id": profile_id}}


def run(run_module: Runner, *distributions: dict[str, t.Any], check_mode: bool = False, **options: t.Any) -> dict[str, t.Any]:
    return run_module(main, {**OPTIONS, "distributions": list(distributions), **options}, check_mode=check_mode)


def test_by_id(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(7, "i-1"))
    script.expect("POST", "/appliancedistributions", {}, body=posted(7, 4))
    result = run(run_module, {"instance_id": "i-1", "profile_id": 4})
    assert (result["failed"], result["changed"]) == (False, True)
    assert result["appliances"] == [{"instance_id": "i-1", "changed": True, "failed": False, "skipped": False, "appliance_id": 7, "profile_id": 4}]


def test_by_name(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(7, "i-1"))
    script.expect_search("i-2", appliance(8, "i-2"))
    script.expect("GET", "/profiles", PROFILES)
    script.expect("POST", "/appliancedistributions", {}, body=posted(7, 1))
    script.expect("POST", "/appliancedistributions", {}, body=posted(8, 4))
    result = run(run_module, {"instance_id": "i-1", "profile_name": "Default-Profile"}, {"instance_id": "i-2", "profile_id": 4})
    assert [entry["profile_id"] for entry in result["appliances"]] == [1, 4]


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_name_for_those_of_which_nothing_is_known(script: Script, run_module: Runner, check_mode: bool) -> None:
    for number in (1, 2, 3, 4):
        script.expect_search(f"i-{number}", appliance(number, f"i-{number}"))
    script.expect("GET", "/profiles", PROFILES)
    for number, profile_id in () if check_mode else ((1, 4), (2, 6), (3, 4), (4, 1)):
        script.expect("POST", "/appliancedistributions", {}, body=posted(number, profile_id))
    distributions = [
        {"instance_id": "i-1", "profile_id": None},
        {"instance_id": "i-2", "profile_id": 6},
        {"instance_id": "i-3"},
        {"instance_id": "i-4", "profile_name": "Default-Profile"},
    ]
    result = run(run_module, *distributions, profile_name="Strict", check_mode=check_mode)
    assert [(entry["changed"], entry["skipped"], entry["profile_id"]) for entry in result["appliances"]] == [
        (True, False, 4),
        (True, False, 6),
        (True, False, 4),
        (True, False, 1),
    ]


def test_a_name_that_nobody_needs_is_not_looked_up(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(7, "i-1"))
    script.expect("POST", "/appliancedistributions", {}, body=posted(7, 4))
    assert run(run_module, {"instance_id": "i-1", "profile_id": 4}, profile_name="Strict")["changed"]


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("options", [{}, {"profile_name": ""}])
def test_without_any_profile_an_appliance_is_skipped(script: Script, run_module: Runner, options: dict[str, str], check_mode: bool) -> None:
    script.expect_search("i-2", appliance(2, "i-2"))
    if not check_mode:
        script.expect("POST", "/appliancedistributions", {}, body=posted(2, 4))
    distributions = [{"instance_id": "i-1", "profile_id": None}, {"instance_id": "i-2", "profile_id": 4}, {"instance_id": "i-3"}]
    result = run(run_module, *distributions, check_mode=check_mode, **options)
    assert (result["failed"], result["changed"]) == (False, True)
    first, second, third = result["appliances"]
    assert first == {
        "instance_id": "i-1",
        "changed": False,
        "failed": False,
        "profile_id": None,
        "skipped": True,
        "reason": "It is not known which profile the appliance had. Redistribute its policies by hand, or give profile_name.",
    }
    assert (second["skipped"], second["profile_id"], third["instance_id"], third["skipped"]) == (False, 4, "i-3", True)


def test_only_skipped_ones_ask_nothing(script: Script, run_module: Runner) -> None:
    result = run(run_module, {"instance_id": "i-1"})
    assert (result["failed"], result["changed"], len(result["appliances"])) == (False, False, 1)


def test_check_mode(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(7, "i-1"))
    script.expect("GET", "/profiles", PROFILES)
    result = run(run_module, {"instance_id": "i-1", "profile_name": "Strict"}, check_mode=True)
    assert (result["changed"], result["appliances"][0]["profile_id"]) == (True, 4)


def test_one_failure_does_not_stop_the_others(script: Script, run_module: Runner) -> None:
    for number in (1, 2, 3, 5):
        script.expect_search(f"i-{number}", appliance(number, f"i-{number}"))
    script.expect_search("i-4")
    script.expect("GET", "/profiles", PROFILES)
    script.expect("POST", "/appliancedistributions", {"details": "unknown profile"}, status=400, body=posted(1, 99))
    script.expect("POST", "/appliancedistributions", {}, body=posted(5, 4))
    result = run(
        run_module,
        {"instance_id": "i-1", "profile_id": 99},
        {"instance_id": "i-2", "profile_name": "Lost"},
        {"instance_id": "i-3", "profile_name": "Twin"},
        {"instance_id": "i-5", "profile_id": 4},
        {"instance_id": "i-4", "profile_id": 4},
    )
    messages = [entry.get("msg", "") for entry in result["appliances"]]
    assert (result["failed"], result["changed"]) == (True, True)
    assert [(entry["profile_id"], entry["skipped"]) for entry in result["appliances"]] == [(None, False)] * 3 + [(4, False), (None, False)]
    assert "HTTP 400: unknown profile" in messages[0]
    assert messages[1] == "0 profiles are named 'Lost'. There are: Default-Profile, Strict, Twin, Twin. Give profile_id, or another profile_name."
    assert messages[2].startswith("2 profiles are named 'Twin'.")
    assert messages[3] == ""
    assert "i-4 is no registered appliance" in messages[4]


@pytest.mark.parametrize(
    ("distributions", "message"),
    [
        ([{"instance_id": "i-1", "profile_id": 1, "profile_name": "x"}], "mutually exclusive"),
        ([{"instance_id": "i-1", "profile_id": 1}, {"instance_id": "i-1", "profile_id": 2}], "Given more than once: i-1"),
        ([{"instance_id": "i-1", "profile_id": 1}, {"instance_id": "i-1"}], "Given more than once: i-1"),
    ],
)
def test_options_that_do_not_go_together(script: Script, run_module: Runner, distributions: list[dict[str, t.Any]], message: str) -> None:
    result = run(run_module, *distributions)
    assert result["failed"]
    assert message in result["msg"]


@pytest.mark.parametrize("profile", [{}, {"id": None}, {"id": "x"}, {"id": [1]}])
def test_a_profile_without_a_usable_id(script: Script, run_module: Runner, profile: dict[str, t.Any]) -> None:
    script.expect_search("i-1", appliance(7, "i-1"))
    script.expect("GET", "/profiles", {"profiles": [{**profile, "name": "Strict"}]})
    result = run(run_module, {"instance_id": "i-1", "profile_name": "Strict"})
    assert "The API lists the profile 'Strict' without a usable ID" in result["msg"]
