# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searching the appliance's system log."""

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure

from ansible_collections.trendmicro.cloudone.plugins.action.nsva_certificate_info import ARGUMENTS, ActionModule
from ansible_collections.trendmicro.cloudone.plugins.modules import nsva_certificate_info as documentation
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.action.scripted_cli import LOST_AFTER, UNREACHABLE, Cli, run_action

SEARCH = "show log-file system search sslv3 alert certificate"
OLD = "2024-01-01T00:00:00Z nsva-1 tmcloud: sslv3 alert certificate expired"
NEW = "2026-01-31T04:05:06Z nsva-1 tmcloud: sslv3 alert certificate expired"
UNDATED = "tmcloud: sslv3 alert certificate unknown"


@pytest.mark.parametrize("check_mode", [False, True])
def test_all_errors(check_mode: bool) -> None:
    result = run_action(ActionModule, Cli((SEARCH, f"{NEW}\n{OLD}\n\n{UNDATED}")), check_mode=check_mode)
    assert result == {
        "changed": False,
        "certificate_errors": [{"time": "2026-01-31T04:05:06Z", "line": NEW}, {"time": "2024-01-01T00:00:00Z", "line": OLD}, {"time": None, "line": UNDATED}],
        "count": 3,
        "undated": 1,
        "last_error_at": "2026-01-31T04:05:06Z",
    }


@pytest.mark.parametrize(("since", "count"), [("2024-01-01T00:00:00Z", 1), ("2023-12-31 23:59:59", 2), ("2026-01-31T04:05:06Z", 0)])
def test_only_newer_errors(since: str, count: int) -> None:
    result = run_action(ActionModule, Cli((SEARCH, f"{OLD}\n{NEW}\n{UNDATED}")), since=since)
    assert (result["count"], len(result["certificate_errors"]), result["undated"]) == (count, count, 1)


def test_no_errors() -> None:
    result = run_action(ActionModule, Cli((SEARCH, "")))
    assert (result["certificate_errors"], result["count"], result["last_error_at"]) == ([], 0, None)


def test_a_search_that_is_refused() -> None:
    with pytest.raises(AnsibleActionFail, match="refused to search its system log: Valid entries"):
        run_action(ActionModule, Cli((SEARCH, "Valid entries at this position are:\n  edit")))


def test_an_appliance_that_cannot_be_asked() -> None:
    for failure in (LOST_AFTER, UNREACHABLE):
        with pytest.raises(AnsibleConnectionFailure):
            run_action(ActionModule, Cli((SEARCH, failure)))


def test_bad_input() -> None:
    with pytest.raises(AnsibleActionFail, match="since: 'yesterday' is not a time"):
        run_action(ActionModule, Cli(), since="yesterday")
    cli = Cli()
    cli.transport = "ssh"
    with pytest.raises(AnsibleActionFail, match="set ansible_connection"):
        run_action(ActionModule, cli)


def test_the_documentation_tells_the_arguments() -> None:
    options = yaml.safe_load(documentation.DOCUMENTATION)["options"]
    assert {name: option["type"] for name, option in options.items()} == {name: argument["type"] for name, argument in ARGUMENTS.items()}
