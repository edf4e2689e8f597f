# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules.netsec_deployment_token import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import OPTIONS, Script


def test_one_for_each_appliance(script: Script, run_module: Runner) -> None:
    script.expect("POST", "/deploymenttokens", {"token": "one", "id": 1}, body={})
    script.expect("POST", "/deploymenttokens", {"token": "two", "id": 2}, body={})
    result = run_module(main, {**OPTIONS, "instance_ids": ["i-1", "i-2"]})
    assert (result["failed"], result["changed"]) == (False, True)
    assert result["tokens"] == [
        {"instance_id": "i-1", "token": "one", "id": "1", "changed": True, "failed": False},
        {"instance_id": "i-2", "token": "two", "id": "2", "changed": True, "failed": False},
    ]


def test_a_number_of_them_from_another_endpoint(script: Script, run_module: Runner) -> None:
    script.expect("POST", "/v2/tokens", {"data": {"value": "one"}}, body={"kind": "appliance"})
    endpoint = {"path": "/v2/tokens", "body": {"kind": "appliance"}, "token_field": "data.value", "id_field": "data.key"}
    result = run_module(main, {**OPTIONS, "count": 1, **endpoint})
    assert result["tokens"] == [{"instance_id": None, "token": "one", "id": None, "changed": True, "failed": False}]


def test_check_mode_creates_nothing(script: Script, run_module: Runner) -> None:
    result = run_module(main, {**OPTIONS, "instance_ids": ["i-1"]}, check_mode=True)
    assert (result["failed"], result["changed"]) == (False, True)
    assert result["tokens"] == [{"instance_id": "i-1", "token": None, "id": None, "changed": True, "failed": False}]


def test_none_wanted(script: Script, run_module: Runner) -> None:
    result = run_module(main, {**OPTIONS, "instance_ids": []})
    assert (result["changed"], result["tokens"]) == (False, [])


def test_those_that_were_created_are_not_lost(script: Script, run_module: Runner) -> None:
    script.expect("POST", "/deploymenttokens", {"token": "one", "id": 1}, body={})
    script.expect("POST", "/deploymenttokens", {"message": "limit reached"}, status=409, body={})
    result = run_module(main, {**OPTIONS, "instance_ids": ["i-1", "i-2"]})
    first, second = result["tokens"]
    assert (result["failed"], result["changed"]) == (True, True)
    assert result["msg"].startswith("1 of 2 tokens failed.\nPOST https://network")
    assert (first["token"], second["failed"], second["token"]) == ("one", True, None)
    assert "limit reached" in second["msg"]


def test_one_reason_is_told_once(script: Script, run_module: Runner) -> None:
    for _token in range(2):
        script.expect("POST", "/deploymenttokens", {"message": "no such path"}, status=404, body={})
    result = run_module(main, {**OPTIONS, "count": 2})
    assert not result["changed"]
    assert result["msg"].count("is not documented: set its path, or create a token by hand") == 1


def test_revoke(script: Script, run_module: Runner) -> None:
    script.expect("DELETE", "/deploymenttokens/1", status=204)
    script.expect("DELETE", "/deploymenttokens/2", status=404)
    result = run_module(main, {**OPTIONS, "state": "absent", "token_ids": ["1", "2"]})
    assert (result["failed"], result["changed"]) == (False, True)
    assert [(token["id"], token["changed"]) for token in result["tokens"]] == [("1", True), ("2", False)]


def test_revoke_in_check_mode(script: Script, run_module: Runner) -> None:
    result = run_module(main, {**OPTIONS, "state": "absent", "token_ids": ["1"]}, check_mode=True)
    assert result["changed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "state is present but any of the following are missing: instance_ids, count"),
        ({"state": "absent"}, "state is absent but all of the following are missing: token_ids"),
        ({"instance_ids": ["i-1"], "count": 1}, "mutually exclusive"),
        ({"instance_ids": ["i-1", "i-1"]}, "Given more than once: i-1"),
    ],
)
def test_options_that_do_not_go_together(script: Script, run_module: Runner, options: dict[str, t.Any], message: str) -> None:
    result = run_module(main, {**OPTIONS, **options})
    assert result["failed"]
    assert message in result["msg"]
