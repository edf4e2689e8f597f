# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules.netsec_appliance_info import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import OPTIONS, Script, appliance, log_config, log_type

FLEET = [
    appliance(1, "i-1", tosVersion="5.5.0.10625"),
    appliance(2, "i-2", tosVersion="2020.10.0"),
    appliance(3, "i-3", tosVersion="2021.1"),
    appliance(4, "i-4", tosVersion=None),
]


def ids(result: dict[str, t.Any]) -> list[int]:
    return [entry["id"] for entry in result["appliances"]]


def test_all(script: Script, run_module: Runner) -> None:
    script.expect_list(*FLEET)
    result = run_module(main, OPTIONS, check_mode=True)
    assert (result["failed"], result["changed"], ids(result)) == (False, False, [1, 2, 3, 4])
    assert result["appliances"][0]["account_id"] == "123456789012"
    assert not result["appliances"][0]["failed"]
    assert "msg" not in result["appliances"][0]


def test_an_empty_account(script: Script, run_module: Runner) -> None:
    script.expect("GET", "/appliances", {"next": None, "totalCount": 0}, query={"cursor": "", "limit": 1000})
    result = run_module(main, {**OPTIONS, "gather": ["profile", "log_types"]})
    assert (result["failed"], result["appliances"]) == (False, [])


def test_by_instance_id_absent_ones_are_left_out(script: Script, run_module: Runner) -> None:
    script.expect_search("i-9")
    script.expect_search("i-2", FLEET[1], appliance(8, "i-2"))
    assert ids(run_module(main, {**OPTIONS, "instance_ids": ["i-9", "i-2", "i-9"]})) == [2, 8]


def test_by_id_absent_ones_are_left_out(script: Script, run_module: Runner) -> None:
    script.expect("GET", "/appliances/2", FLEET[1])
    script.expect("GET", "/appliances/9", {"message": "Not Found"}, status=404)
    assert ids(run_module(main, {**OPTIONS, "ids": [2, 9, 2]})) == [2]


def test_many_at_once_cost_one_request(script: Script, run_module: Runner) -> None:
    script.expect_list(*FLEET)
    assert ids(run_module(main, {**OPTIONS, "instance_ids": [f"i-{number}" for number in range(2, 30)]})) == [2, 3, 4]


def test_options_narrow_down_together(script: Script, run_module: Runner) -> None:
    script.expect_list(*FLEET, query="AWS")
    assert ids(run_module(main, {**OPTIONS, "query": "AWS", "ids": [1, 2], "instance_ids": ["i-2", "i-3"]})) == [2]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"minimum_version": "2020.10.0"}, [2, 3]),
        ({"maximum_version": "2020.10.0"}, [1, 2]),
        ({"minimum_version": "2020.9", "maximum_version": "2020.11"}, [2]),
    ],
)
def test_by_version(script: Script, run_module: Runner, versions: dict[str, str], expected: list[int]) -> None:
    script.expect_list(*FLEET)
    assert ids(run_module(main, {**OPTIONS, **versions})) == expected


def test_a_version_that_is_none(script: Script, run_module: Runner) -> None:
    script.expect_list(*FLEET)
    result = run_module(main, {**OPTIONS, "minimum_version": "latest"})
    assert result["failed"]
    assert result["msg"] == "minimum_version must be numbers with dots in between, like 2020.10.0; it is 'latest'."


def test_gather(script: Script, run_module: Runner) -> None:
    script.expect_list(*FLEET[:2])
    distributed = {"applianceId": 1, "type": "profile", "profile": {"id": 4}}
    script.expect("GET", "/appliancedistributions", {"distributions": [distributed]}, query={"type": "profile"})
    script.expect("GET", "/appliances/1/cloudwatchlogconfig", log_config(log_type("system", enable=True)))
    script.expect("GET", "/appliances/2/cloudwatchlogconfig", log_config())
    result = run_module(main, {**OPTIONS, "gather": ["log_types", "profile"]})
    first, second = result["appliances"]
    assert first["log_types"] == [{"name": "system", "group": "ips", "stream": "system_{instance_id}", "enabled": True}]
    assert (first["profile_id"], second["profile_id"], second["log_types"]) == (4, None, [])


def test_one_that_cannot_be_read_does_not_stop_the_others(script: Script, run_module: Runner) -> None:
    script.expect_list(*FLEET[:2])
    script.expect("GET", "/appliances/1/cloudwatchlogconfig", {"message": "broken"}, status=500)
    script.expect("GET", "/appliances/2/cloudwatchlogconfig", log_config(log_type("system")))
    result = run_module(main, {**OPTIONS, "gather": ["log_types"]})
    first, second = result["appliances"]
    assert result["failed"]
    assert "1 of 2 appliances failed" in result["msg"]
    assert (first["failed"], first["id"], first["instance_id"]) == (True, 1, "i-1")
    assert "HTTP 500: broken" in first["msg"]
    assert (second["failed"], len(second["log_types"])) == (False, 1)


@pytest.mark.parametrize(("option", "path", "method"), [("ids", "/appliances/1", "GET"), ("gather", "/appliances", "GET")])
def test_a_wrong_key(script: Script, run_module: Runner, option: str, path: str, method: str) -> None:
    query = {"cursor": "", "limit": 1000} if option == "gather" else {}
    script.expect(method, path, {"message": "Authorization Required"}, status=401, query=query)
    result = run_module(main, {**OPTIONS, option: [1] if option == "ids" else []})
    assert result["failed"]
    assert "HTTP 401: Authorization Required. Check that the API key is valid" in result["msg"]
    assert "appliances" not in result


def test_a_missing_key(run_module: Runner) -> None:
    result = run_module(main, {})
    assert result["failed"]
    assert "api_key" in result["msg"]


def test_the_key_from_the_environment(script: Script, run_module: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDONE_API_KEY", OPTIONS["api_key"])
    script.expect_list()
    assert not run_module(main, {})["failed"]
