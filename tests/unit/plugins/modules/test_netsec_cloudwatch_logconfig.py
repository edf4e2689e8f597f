# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils import _pool
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_streaming import refuse_old_version
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi
from ansible_collections.trendmicro.cloudone.plugins.modules import netsec_cloudwatch_logconfig
from ansible_collections.trendmicro.cloudone.plugins.modules.netsec_cloudwatch_logconfig import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import OPTIONS, Script, appliance, log_config, log_type

BLOCK = {"name": "ipsBlock", "group": "network-security-block-events"}
ALERT = {"name": "ipsAlert", "group": "network-security-alert-events"}
BEFORE = [log_type("system", enable=True), log_type("ipsAlert"), log_type("ipsBlock")]
AFTER = [
    log_type("system", enable=True),
    log_type("ipsAlert", group="network-security-alert-events", enable=True),
    log_type("ipsBlock", group="network-security-block-events", enable=True),
]
ONE = {**OPTIONS, "instance_ids": ["i-1"], "log_types": [BLOCK, ALERT]}


def path(number: int) -> str:
    return f"/appliances/{number}/cloudwatchlogconfig"


def expect_change(script: Script, number: int) -> None:
    script.expect("GET", path(number), log_config(*BEFORE))
    script.expect("POST", path(number), {}, body={"logTypes": AFTER})
    script.expect("GET", path(number), log_config(*AFTER))


def test_the_documented_example_for_all_appliances(script: Script, run_module: Runner) -> None:
    script.expect_list(appliance(1, "i-1"), appliance(2, "i-2"))
    expect_change(script, 1)
    script.expect("GET", path(2), log_config(*AFTER))
    result = run_module(main, {**OPTIONS, "all_appliances": True, "log_types": [BLOCK, ALERT]})
    assert (result["failed"], result["changed"]) == (False, True)
    assert [(entry["instance_id"], entry["appliance_id"], entry["changed"]) for entry in result["appliances"]] == [("i-1", 1, True), ("i-2", 2, False)]
    assert result["appliances"][0]["log_types"] == result["appliances"][1]["log_types"]
    assert [(entry["name"], entry["enabled"]) for entry in result["appliances"][0]["before"]] == [("ipsAlert", False), ("ipsBlock", False)]
    assert result["appliances"][1]["before"] == []
    assert "diff" not in result


def test_an_empty_account(script: Script, run_module: Runner) -> None:
    script.expect_list()
    result = run_module(main, {**OPTIONS, "all_appliances": True, "log_types": [BLOCK]})
    assert (result["failed"], result["changed"]) == (False, False)
    assert "The account has no appliance yet: deploy one first." in str(result["warnings"])


def test_nothing_to_do(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(1, "i-1"))
    script.expect("GET", path(1), log_config(*AFTER))
    assert not run_module(main, ONE)["changed"]


def test_check_mode_with_diff(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(1, "i-1"))
    script.expect("GET", path(1), log_config(*BEFORE))
    result = run_module(main, ONE, check_mode=True, diff=True)
    system = "system: on, group ips, stream system_{instance_id}\n"
    assert result["changed"]
    assert result["diff"] == [
        {
            "before_header": "i-1",
            "after_header": "i-1",
            "before": system + "ipsAlert: off, group ips, stream ipsAlert_{instance_id}\nipsBlock: off, group ips, stream ipsBlock_{instance_id}\n",
            "after": system
            + "ipsAlert: on, group network-security-alert-events, stream ipsAlert_{instance_id}\n"
            + "ipsBlock: on, group network-security-block-events, stream ipsBlock_{instance_id}\n",
        }
    ]


def test_a_configuration_for_each_appliance(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(1, "i-1"))
    script.expect_search("i-2", appliance(2, "i-2"))
    script.expect("GET", path(1), log_config(log_type("host", enable=True), log_type("audit", enable=True)))
    script.expect("POST", path(1), {}, body={"logTypes": [log_type("host", group="mine", stream="s", enable=True), log_type("audit")]})
    script.expect("GET", path(1), log_config(log_type("host", group="mine", stream="s", enable=True), log_type("audit")))
    script.expect("GET", path(2), log_config(log_type("host")))
    first = {"instance_id": "i-1", "log_types": [{"name": "host", "group": "mine", "stream": "s"}]}
    second = {"instance_id": "i-2", "log_types": [{"name": "host", "enabled": False}]}
    result = run_module(main, {**OPTIONS, "appliances": [first, second], "purge": True})
    assert [entry["changed"] for entry in result["appliances"]] == [True, False]


def test_one_failure_does_not_stop_the_others(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(1, "i-1", tosVersion="5.5.0.10625"))
    script.expect_search("i-2")
    script.expect_search("i-3", appliance(3, "i-3"))
    script.expect_search("i-4", appliance(4, "i-4"))
    script.expect("GET", path(3), log_config(*BEFORE))
    script.expect("POST", path(3), {"details": "logTypes refused"}, status=400, body={"logTypes": AFTER})
    expect_change(script, 4)
    result = run_module(main, {**ONE, "instance_ids": ["i-1", "i-2", "i-3", "i-4"]})
    messages = [entry.get("msg", "") for entry in result["appliances"]]
    assert (result["failed"], result["changed"]) == (True, True)
    assert "3 of 4 appliances failed; the others were done.\ni-1: " in result["msg"]
    assert "has version 5.5.0.10625; streaming logs to CloudWatch needs 2020.10.0 or later" in messages[0]
    assert "no registered appliance" in messages[1]
    assert "HTTP 400: logTypes refused" in messages[2]
    assert messages[3] == ""


def test_old_appliances_are_refused_by_name_before_anything_is_written(script: Script, run_module: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their place in the list; an appliance that is new enough, by numbers and not by letters, is done all the same."""
    judged: list[str] = []
    monkeypatch.setattr(netsec_cloudwatch_logconfig, "refuse_old_version", lambda one: judged.append(one.instance_id) or refuse_old_version(one))
    written_after: list[list[str]] = []
    set_log_types = NetsecApi.set_log_types
    monkeypatch.setattr(NetsecApi, "set_log_types", lambda *args: written_after.append(list(judged)) or set_log_types(*args))
    versions = {"i-1": "2020.10.0", "i-2": "2020.9.12", "i-3": "2021.1.0.11234", "i-4": "5.5.0.10625"}
    script.expect_list(*(appliance(number, instance_id, tosVersion=version) for number, (instance_id, version) in enumerate(versions.items(), start=1)))
    expect_change(script, 1)
    expect_change(script, 3)
    result = run_module(main, {**OPTIONS, "all_appliances": True, "log_types": [BLOCK, ALERT]})
    assert [entry["failed"] for entry in result["appliances"]] == [False, True, False, True]
    assert "2 of 4 appliances failed; the others were done.\ni-2: i-2 has version 2020.9.12;" in result["msg"]
    assert "\ni-4: i-4 has version 5.5.0.10625;" in result["msg"]
    assert written_after == [list(versions), list(versions)]


def test_what_is_off_and_not_asked_about_is_not_told(script: Script, run_module: Runner) -> None:
    log_types = [log_type("system"), log_type("audit", enable=True), log_type("host", enable=True), log_type("quarantine")]
    wanted = [{"name": "audit"}, {"name": "quarantine", "enabled": False}]
    script.expect_search("i-1", appliance(1, "i-1"))
    script.expect("GET", path(1), log_config(*log_types))
    result = run_module(main, {**ONE, "log_types": wanted, "purge": True}, check_mode=True)
    [entry] = result["appliances"]
    assert [(one["name"], one["enabled"]) for one in entry["log_types"]] == [("audit", True), ("host", False), ("quarantine", False)]
    assert [(one["name"], one["enabled"]) for one in entry["before"]] == [("host", True)]
    assert [one["name"] for one in entry["delivery"]["log_types"]] == ["audit"]


def test_unknown_log_types_are_kept(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(1, "i-1"))
    unknown = {**log_type("somethingNew", enable=True), "retention": 3}
    after = log_type("ipsBlock", group="network-security-block-events", enable=True)
    script.expect("GET", path(1), log_config(unknown, log_type("ipsBlock")))
    script.expect("POST", path(1), {}, body={"logTypes": [unknown, after]})
    script.expect("GET", path(1), log_config(unknown, after))
    result = run_module(main, {**ONE, "log_types": [BLOCK]})
    assert (result["failed"], [one["name"] for one in result["appliances"][0]["log_types"]]) == (False, ["somethingNew", "ipsBlock"])


def test_concurrency_is_what_is_asked_for(script: Script, run_module: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once: list[int] = []
    executor = _pool.ThreadPoolExecutor
    monkeypatch.setattr(_pool, "ThreadPoolExecutor", lambda max_workers: at_once.append(max_workers) or executor(max_workers))
    script.expect_search("i-1", appliance(1, "i-1"))
    script.expect("GET", path(1), log_config(*AFTER))
    run_module(main, {**ONE, "concurrency": 7})
    assert at_once == [7, 1, 7]
    assert "concurrency must be at least 1" in run_module(main, {**ONE, "concurrency": 0})["msg"]


def test_a_log_type_that_the_appliance_does_not_have(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(1, "i-1"))
    script.expect("GET", path(1), log_config(*BEFORE))
    result = run_module(main, {**ONE, "log_types": [BLOCK, {"name": "sslInspection", "group": "tls"}]})
    assert (result["failed"], result["changed"]) == (True, False)
    assert "does not have the log types sslInspection. It has: system, ipsAlert, ipsBlock. See ignore_unavailable." in result["msg"]


def test_such_a_log_type_may_be_ignored(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(1, "i-1"))
    expect_change(script, 1)
    tls = {"name": "sslInspection", "group": "tls"}
    result = run_module(main, {**ONE, "log_types": [BLOCK, ALERT, tls], "ignore_unavailable": True})
    assert (result["failed"], result["appliances"][0]["unavailable"]) == (False, ["sslInspection"])
    assert "i-1 does not have the log types sslInspection; they were left out." in str(result["warnings"])


def test_what_was_written_but_does_not_stand(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(1, "i-1"))
    script.expect("GET", path(1), log_config(*BEFORE))
    script.expect("POST", path(1), {}, body={"logTypes": AFTER})
    script.expect("GET", path(1), log_config(*AFTER[:2], BEFORE[2]))
    result = run_module(main, ONE, diff=True)
    entry = result["appliances"][0]
    assert (result["failed"], entry["changed"]) == (True, True)
    assert "does not show it afterwards: ipsBlock: on, group network-security-block-events" in result["msg"]
    assert entry["log_types"][1]["enabled"] is True
    assert [log_type["name"] for log_type in entry["before"]] == ["ipsAlert"]
    [diff] = result["diff"]
    assert (diff["before"].count(": on,"), diff["after"].count(": on,")) == (1, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log_types": [BLOCK]}, "Give exactly one of the options appliances, instance_ids and all_appliances."),
        ({"log_types": [BLOCK], "instance_ids": ["i-1"], "all_appliances": True}, "Give exactly one of"),
        ({"instance_ids": ["i-1"]}, "Give log_types together with"),
        ({"log_types": [BLOCK], "appliances": []}, "Give log_types together with"),
        ({"log_types": [BLOCK, BLOCK], "instance_ids": ["i-1"]}, "Given more than once: ipsBlock"),
        ({"log_types": [{"name": "host", "group": "a b"}], "instance_ids": ["i-1"]}, "host: 'a b' cannot be the name of a log group"),
        ({"log_types": [{"name": "host", "group": "g", "stream": "a:b"}], "instance_ids": ["i-1"]}, "host: 'a:b' cannot be the name of a log stream"),
        ({"log_types": [BLOCK], "instance_ids": ["i-1", "i-1"]}, "Given more than once: i-1"),
        ({"appliances": [{"instance_id": "i-1", "log_types": [BLOCK]}] * 2}, "Given more than once: i-1"),
    ],
)
def test_options_that_cannot_be_used_are_refused_before_anything_is_asked(script: Script, run_module: Runner, options: dict[str, t.Any], message: str) -> None:
    result = run_module(main, {**OPTIONS, **options})
    assert result["failed"]
    assert message in result["msg"]
