# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering from the appliance's command line."""

from __future__ import annotations

import json
import typing as t

import pytest
import yaml
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ansible_collections.trendmicro.cloudone.plugins.action.nsva_registration import ARGUMENTS, ActionModule
from ansible_collections.trendmicro.cloudone.plugins.modules import nsva_registration as documentation
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.action.scripted_cli import LOST_AFTER, LOST_BEFORE, UNREACHABLE, Cli, run_action

TOKEN = "token-0123456789abcdef"
KEY = "key-fedcba9876543210"
UNREGISTER = "cloudone unregister"
WITH_TOKEN = f"cloudone register {TOKEN}"
WITH_KEY = f"cloudone register {KEY}"


def run(cli: Cli, **arguments: t.Any) -> dict[str, t.Any]:
    result = run_action(ActionModule, cli, **arguments)
    assert cli.finished()
    shown = json.dumps(result)
    assert TOKEN not in shown and KEY not in shown
    assert result["failed"] is True if "msg" in result else "failed" not in result
    return result


def outputs(result: dict[str, t.Any]) -> list[tuple[str, list[str]]]:
    return [(command["command"], command["output"]) for command in result["commands"]]


def test_registered_with_a_token() -> None:
    cli = Cli((UNREGISTER, "The registration was removed."), (WITH_TOKEN, f"Registering with {TOKEN}...\nDone."))
    result = run(cli, token=TOKEN, register_timeout=77)
    assert outputs(result) == [(UNREGISTER, ["The registration was removed."]), ("cloudone register ********", ["Registering with ********...", "Done."])]
    assert (result["changed"], result["credential"], result["interrupted"]) == (True, "token", False)
    assert all(command["seconds"] >= 0 for command in result["commands"])
    assert cli.calls == [(UNREGISTER, {"secret": None, "timeout": None}), (WITH_TOKEN, {"secret": TOKEN, "timeout": 77})]


def test_an_appliance_that_is_not_registered_is_registered_all_the_same() -> None:
    result = run(Cli((UNREGISTER, "Error: not registered."), (WITH_TOKEN, "")), token=TOKEN)
    assert outputs(result)[0] == (UNREGISTER, ["Error: not registered."])
    assert result["changed"]


def test_the_api_key_is_used_where_the_token_is_refused() -> None:
    result = run(Cli((UNREGISTER, ""), (WITH_TOKEN, "Error: tokens are not supported"), (WITH_KEY, "")), token=TOKEN, api_key=KEY)
    assert (result["changed"], result["credential"]) == (True, "api_key")
    assert outputs(result)[1:] == [("cloudone register ********", ["Error: tokens are not supported"]), ("cloudone register ********", [])]


def test_the_api_key_is_not_used_where_the_token_is_accepted() -> None:
    assert run(Cli((UNREGISTER, ""), (WITH_TOKEN, "")), token=TOKEN, api_key=KEY)["credential"] == "token"


def test_an_api_key_alone() -> None:
    assert run(Cli((UNREGISTER, ""), (WITH_KEY, "")), api_key=KEY)["credential"] == "api_key"


def test_refused_with_both() -> None:
    result = run(Cli((UNREGISTER, ""), (WITH_TOKEN, f"Error: bad {TOKEN}"), (WITH_KEY, "Valid entries at this position are:")), token=TOKEN, api_key=KEY)
    assert result["msg"] == (
        "The appliance is unregistered and refuses to register: with the token it answered: Error: bad ********; "
        "with the api_key it answered: Valid entries at this position are:"
    )
    assert result["changed"]


def test_own_error_patterns() -> None:
    assert "nicht" in run(Cli((UNREGISTER, ""), (WITH_TOKEN, "Das geht NICHT.")), token=TOKEN, error_patterns=["geht nicht"])["msg"].lower()
    assert "msg" not in run(Cli((UNREGISTER, ""), (WITH_TOKEN, "Error: as usual")), token=TOKEN, error_patterns=["geht nicht"])
    with pytest.raises(AnsibleActionFail, match="error_patterns"):
        run_action(ActionModule, Cli(), token=TOKEN, error_patterns=["("])


def test_unregistered() -> None:
    result = run(Cli((UNREGISTER, "Done.")), state="unregistered")
    assert (result["changed"], result["credential"], outputs(result)) == (True, None, [(UNREGISTER, ["Done."])])
    assert not run(Cli((UNREGISTER, "Error: not registered.")), state="unregistered", token=TOKEN)["changed"]


def test_check_mode_sends_nothing() -> None:
    result = run(Cli(), check_mode=True, token=TOKEN)
    assert (result["changed"], result["commands"]) == (True, [])


# Sessions that are lost.


def test_unreachable_before_anything_was_sent() -> None:
    for failure in (UNREACHABLE, LOST_BEFORE):
        cli = Cli((UNREGISTER, failure), (UNREGISTER, UNREACHABLE))
        with pytest.raises(AnsibleConnectionFailure):
            run_action(ActionModule, cli, token=TOKEN)


@pytest.mark.parametrize("failure", [LOST_AFTER, LOST_BEFORE])
def test_lost_while_unregistering(failure: Exception) -> None:
    result = run(Cli((UNREGISTER, failure), (UNREGISTER, "Error: not registered"), (WITH_TOKEN, "")), token=TOKEN)
    assert (result["changed"], result["interrupted"], result["credential"]) == (True, True, "token")
    assert ("Working" in json.dumps(result)) == (failure is LOST_AFTER)


def test_lost_between_unregister_and_register() -> None:
    result = run(Cli((UNREGISTER, ""), (WITH_TOKEN, LOST_BEFORE), (WITH_TOKEN, "Done.")), token=TOKEN)
    assert result["interrupted"]
    assert outputs(result) == [(UNREGISTER, []), ("cloudone register ********", ["Done."])]


def test_lost_while_registering_is_left_to_the_api() -> None:
    """Registering a second time could use up the token, or undo what was done."""
    result = run(Cli((UNREGISTER, ""), (WITH_TOKEN, LOST_AFTER)), token=TOKEN, api_key=KEY)
    assert (result["interrupted"], result["changed"], result["credential"]) == (True, True, "token")
    assert outputs(result)[1] == ("cloudone register ********", ["Working"])


@pytest.mark.parametrize("again", [UNREACHABLE, LOST_BEFORE])
def test_not_reachable_again_to_register(again: Exception) -> None:
    result = run(Cli((UNREGISTER, ""), (WITH_TOKEN, LOST_BEFORE), (WITH_TOKEN, again)), token=TOKEN)
    assert result["msg"].startswith("The appliance was unregistered, and could not be reached again to register it. ")
    assert result["changed"]


@pytest.mark.parametrize("again", [UNREACHABLE, LOST_AFTER])
def test_not_reachable_again_to_unregister(again: Exception) -> None:
    result = run(Cli((UNREGISTER, LOST_AFTER), (UNREGISTER, again)), token=TOKEN)
    assert result["msg"].startswith("The session was lost during 'cloudone unregister', and the appliance could not be reached again. ")


# Bad input.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "state is registered but any of the following are missing: token, api_key"),
        ({"token": f"{TOKEN}\nreboot"}, "token contains characters"),
        ({"token": TOKEN, "api_key": f"{KEY} x"}, "api_key contains characters"),
        ({"token": TOKEN, "state": "absent"}, "value of state must be one of"),
        ({"token": TOKEN, "tokn": TOKEN}, "tokn"),
    ],
)
def test_bad_arguments(arguments: dict[str, t.Any], message: str) -> None:
    with pytest.raises(AnsibleActionFail, match=message) as caught:
        run_action(ActionModule, Cli(), **arguments)
    assert TOKEN not in str(caught.value) and KEY not in str(caught.value)


def test_another_connection() -> None:
    cli = Cli()
    cli.transport = "ssh"
    with pytest.raises(AnsibleActionFail, match=r"set ansible_connection to trendmicro\.cloudone\.nsva"):
        run_action(ActionModule, cli, token=TOKEN)


def test_the_documentation_tells_the_arguments() -> None:
    options = yaml.safe_load(documentation.DOCUMENTATION)["options"]
    assert options.keys() == ARGUMENTS.keys()
    for name, argument in ARGUMENTS.items():
        described = {key: options[name][key] for key in ("type", "default", "elements") if key in options[name]}
        assert described == {key: value for key, value in argument.items() if key in ("type", "default", "elements")}
        assert list(options[name].get("choices", [])) == argument.get("choices", [])
