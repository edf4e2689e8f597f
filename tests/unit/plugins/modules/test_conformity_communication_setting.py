# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import typing as t

import pytest
import requests

from ansible_collections.trendmicro.cloudone.plugins.modules.conformity_communication_setting import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.conformity_script import (
    BASE_URL,
    OPTIONS,
    WEBHOOK,
    ConformityScript,
    account,
    data,
    setting,
)
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner

Json = dict[str, t.Any]

PATH = "/settings/communication"
SLACK = {"url": WEBHOOK, "channel": "#alerts", "channelName": "Team"}
OPTION = {"url": WEBHOOK, "channel": "#alerts", "channel_name": "Team"}
WANTED = {"account_id": "a", "channel": "slack", "configuration": OPTION, "filter": {"risk_levels": ["EXTREME", "HIGH"]}}
RESULT = {
    "id": "1",
    "account_id": "a",
    "channel": "slack",
    "enabled": True,
    "manual": False,
    "filter": {"suppressed": False, "risk_levels": ["HIGH", "EXTREME"]},
    "configuration": {"channel": "#alerts", "channel_name": "Team"},
}


def there(setting_id: str = "1", account_id: str | None = "a", **fields: t.Any) -> Json:
    return setting(setting_id, account_id, **{"configuration": SLACK, "filter": {"riskLevels": ["HIGH", "EXTREME"]}, **fields})


def attributes(**changes: t.Any) -> Json:
    filters = {"riskLevels": ["EXTREME", "HIGH"]}
    return {"type": "communication", "channel": "slack", "enabled": True, "configuration": SLACK, "filter": filters, **changes}


def created(account_id: str | None = "a") -> Json:
    """The body of the request that creates the wanted setting."""
    level = None if account_id is None else {"type": "accounts", "id": account_id}
    return {"data": [{"type": "settings", "attributes": attributes(), "relationships": {"account": {"data": level}}}]}


def changed(**changes: t.Any) -> Json:
    """The body of a request that changes the setting."""
    filters = {"suppressed": False, "riskLevels": ["HIGH", "EXTREME"]}
    return {"data": {"type": "settings", "attributes": attributes(**{"filter": filters, **changes})}}


def expect_list(script: ConformityScript, *found: Json, account_id: str | None = "a") -> None:
    script.expect("GET", PATH, data(*found), query={"accountId": account_id} if account_id else {})


def run(run_module: Runner, check_mode: bool = False, **options: t.Any) -> Json:
    """Run with what is ``WANTED``; ``None`` leaves an option out."""
    given = {name: value for name, value in {**OPTIONS, **WANTED, **options}.items() if value is not None}
    result = run_module(main, given, check_mode=check_mode, diff=True)
    assert "Secret" not in json.dumps(result)
    return result


def test_create_for_an_account(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity)
    conformity.expect("POST", PATH, [{"data": there()}], body=created())
    expect_list(conformity, there())
    result = run(run_module)
    assert (result["failed"], result["changed"], result["setting"]) == (False, True, RESULT)
    assert result["diff"]["before"] == {}
    assert result["diff"]["after"]["configuration"] == {"channel": "#alerts", "channel_name": "Team", "url": "(not shown), new"}


def test_create_for_the_organisation(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity, account_id=None)
    conformity.expect("POST", PATH, data(there("2", None)), body=created(None))
    expect_list(conformity, there("2", None), account_id=None)
    result = run(run_module, account_id=None)
    assert (result["changed"], result["setting"]["id"], result["setting"]["account_id"]) == (True, "2", None)


def test_create_for_an_aws_account(conformity: ConformityScript, run_module: Runner) -> None:
    conformity.expect("GET", "/accounts", data(account("x"), account("a", **{"awsaccount-id": 12345678901})))
    expect_list(conformity)
    conformity.expect("POST", PATH, text="", status=201, body=created())
    expect_list(conformity, there())
    result = run(run_module, account_id=None, aws_account_id="012345678901")
    assert (result["changed"], result["setting"]) == (True, RESULT)


def test_a_second_run_changes_nothing(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity, there(), there("2", None))
    result = run(run_module)
    assert (result["changed"], result["setting"]) == (False, RESULT)
    assert result["diff"]["before"] == result["diff"]["after"]


def test_change(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity, there())
    conformity.expect("PATCH", f"{PATH}/1", [{"data": {}}], body=changed(enabled=False))
    expect_list(conformity, there(enabled=False))
    result = run(run_module, enabled=False)
    assert (result["changed"], result["setting"]) == (True, {**RESULT, "enabled": False})
    assert (result["diff"]["before"]["enabled"], result["diff"]["after"]["enabled"]) == (True, False)


def test_another_webhook(conformity: ConformityScript, run_module: Runner) -> None:
    other = "https://hooks.slack.example/services/T0/B0/SecondSecret"
    expect_list(conformity, there())
    conformity.expect("PATCH", f"{PATH}/1", {"data": {}}, body=changed(configuration={**SLACK, "url": other}))
    expect_list(conformity, there(configuration={**SLACK, "url": other}))
    result = run(run_module, configuration={**OPTION, "url": other})
    assert result["changed"]
    assert (result["diff"]["before"]["configuration"]["url"], result["diff"]["after"]["configuration"]["url"]) == ("(not shown)", "(not shown), new")


@pytest.mark.parametrize("update_secrets", ["on_create", "always"])
def test_a_webhook_that_the_api_hides(conformity: ConformityScript, run_module: Runner, update_secrets: str) -> None:
    hidden = there(configuration={**SLACK, "url": "https://hooks.slack.example/***"})
    expect_list(conformity, hidden)
    if update_secrets == "always":
        conformity.expect("PATCH", f"{PATH}/1", {"data": {}}, body=changed())
        expect_list(conformity, hidden)
    assert run(run_module, update_secrets=update_secrets)["changed"] is (update_secrets == "always")


@pytest.mark.parametrize(
    ("before", "options", "state"),
    [([], {}, "present"), ([there()], {"enabled": False}, "present"), ([there()], {}, "absent")],
)
def test_check_mode_only_reads(conformity: ConformityScript, run_module: Runner, before: list[Json], options: Json, state: str) -> None:
    expect_list(conformity, *before)
    result = run(run_module, check_mode=True, state=state, **options)
    assert result["changed"]
    expected = None if state == "absent" else RESULT["channel"]
    assert (result["setting"] and result["setting"]["channel"]) == expected
    if not before:
        assert result["setting"]["id"] is None


def test_delete(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity, there(), there("2", configuration={**SLACK, "channelName": "Other"}))
    conformity.expect("DELETE", "/settings/1", {"meta": {"status": "deleted"}})
    expect_list(conformity, there("2", configuration={**SLACK, "channelName": "Other"}))
    result = run(run_module, state="absent")
    assert (result["changed"], result["setting"], result["diff"]["after"]) == (True, None, {})


def test_delete_by_id_what_cannot_be_read(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity, there(configuration=None))
    conformity.expect("DELETE", "/settings/1", text="", status=204)
    expect_list(conformity)
    assert run(run_module, state="absent", id="1", configuration=None, filter=None)["changed"]


def test_what_is_not_there_need_not_be_deleted(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity)
    result = run(run_module, state="absent", id="1")
    assert (result["failed"], result["changed"], result["setting"]) == (False, False, None)


def lose_answer(conformity: ConformityScript, method: str, path: str) -> None:
    conformity.add(method, BASE_URL + path, body=requests.exceptions.ReadTimeout("timed out"))


def test_a_lost_answer_to_create_is_not_asked_for_twice(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity)
    lose_answer(conformity, "POST", PATH)
    expect_list(conformity, there())
    result = run(run_module)
    assert (result["failed"], result["changed"], result["setting"]) == (False, True, RESULT)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_an_outage_while_something_is_changed(conformity: ConformityScript, run_module: Runner, status: int) -> None:
    expect_list(conformity, there())
    conformity.expect("PATCH", f"{PATH}/1", text="gateway", status=status, body=changed(enabled=False))
    expect_list(conformity, there(enabled=False))
    assert run(run_module, enabled=False)["changed"]


def test_a_lost_answer_to_delete(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity, there())
    lose_answer(conformity, "DELETE", "/settings/1")
    expect_list(conformity)
    assert run(run_module, state="absent")["changed"]


@pytest.mark.parametrize(("state", "before", "after"), [("present", [], []), ("absent", [there()], [there()])])
def test_what_was_not_done_fails_with_the_first_reason(
    conformity: ConformityScript, run_module: Runner, state: str, before: list[Json], after: list[Json]
) -> None:
    expect_list(conformity, *before)
    lose_answer(conformity, "POST" if state == "present" else "DELETE", PATH if state == "present" else "/settings/1")
    expect_list(conformity, *after)
    result = run(run_module, state=state)
    assert result["failed"]
    assert "no answer: timed out. It is not known whether the request was carried out" in result["msg"]


def test_when_looking_again_fails_the_first_reason_counts(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity)
    lose_answer(conformity, "POST", PATH)
    conformity.expect("GET", PATH, {"Message": "explicit deny"}, status=403, query={"accountId": "a"})
    assert "no answer: timed out" in run(run_module)["msg"]


@pytest.mark.parametrize(
    ("after", "problem"),
    [(there(filter={}), "the setting 1 has another filter"), (there("2", "b"), "the setting is not there")],
)
def test_what_is_accepted_but_not_done(conformity: ConformityScript, run_module: Runner, after: Json, problem: str) -> None:
    expect_list(conformity)
    conformity.expect("POST", PATH, data(there()), body=created())
    expect_list(conformity, after)
    result = run(run_module)
    assert result["failed"]
    assert f"The API accepted the request, but afterwards shows something else: {problem}." in result["msg"]


def test_what_is_accepted_but_not_deleted(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity, there())
    conformity.expect("DELETE", "/settings/1", text="", status=404)
    expect_list(conformity, there())
    assert "shows something else: the setting 1 is there" in run(run_module, state="absent")["msg"]


def test_a_refusal_does_not_show_secrets(conformity: ConformityScript, run_module: Runner) -> None:
    """Not even the one that the API told, and the task does not name."""
    expect_list(conformity, there())
    refusal = {"errors": [{"status": 422, "source": {"pointer": "/data/attributes/configuration"}, "details": f"{WEBHOOK} is not reachable"}]}
    conformity.expect("PATCH", f"{PATH}/1", refusal, status=422, body=changed(enabled=False))
    result = run(run_module, enabled=False, configuration={"channel_name": "Team"})
    assert result["failed"]
    assert "HTTP 422: /data/attributes/configuration: " in result["msg"]
    assert "is not reachable" in result["msg"]


@pytest.mark.parametrize(
    ("found", "options", "problem"),
    [
        ([there(), there("2")], {}, "More than one setting has this configuration.channel_name: 1, 2."),
        ([], {"id": "7"}, "The account a has no setting 7: correct id"),
        ([], {"configuration": {"channel_name": "Team"}}, "A new setting needs configuration.url, configuration.channel: give it."),
        ([there(configuration=None)], {}, "cannot be told"),
    ],
)
def test_what_cannot_be_done(conformity: ConformityScript, run_module: Runner, found: list[Json], options: Json, problem: str) -> None:
    expect_list(conformity, *found)
    result = run(run_module, **options)
    assert result["failed"]
    assert problem in result["msg"]


def test_an_id_of_the_organisation(conformity: ConformityScript, run_module: Runner) -> None:
    expect_list(conformity, account_id=None)
    assert "The organisation has no setting 7" in run(run_module, account_id=None, id="7")["msg"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"account_id": ""}, "account_id is empty. For a setting of the organisation, leave it out."),
        ({"configuration": {"arn": "x"}}, "The channel slack has no configuration arn."),
        ({"aws_account_id": "123456789012"}, "mutually exclusive"),
        ({"filter": {"risk_levels": ["WORST"]}}, "WORST"),
        ({"channel": "pigeon"}, "pigeon"),
    ],
)
def test_options_that_cannot_be_used(conformity: ConformityScript, run_module: Runner, options: Json, problem: str) -> None:
    result = run(run_module, **options)
    assert result["failed"]
    assert problem in result["msg"]
