# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs action plugins on a connection that follows a script."""

from __future__ import annotations

import typing as t
from types import SimpleNamespace

from ansible.errors import AnsibleConnectionFailure
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._appliance_cli import TRANSPORT
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._cli_session import SessionLost

# What a command leads to: its output, or an exception.
Outcome = str | Exception

UNREACHABLE = AnsibleConnectionFailure("Appliance 10.0.0.5:22 cannot be reached.")
LOST_BEFORE = SessionLost("The session was ended by the other side", sent=False)
LOST_AFTER = SessionLost("The session was ended by the other side", sent=True, output="Working")


class Cli:
    """A connection; each command has to be the next one of the script.

    :ivar calls: what was run, with the arguments.
    """

    transport = TRANSPORT

    def __init__(self, *script: tuple[str, Outcome]) -> None:
        self._script = list(script)
        self._shell = SimpleNamespace(tmpdir=None)
        self.calls: list[tuple[str, dict[str, t.Any]]] = []

    def run(self, line: str, **arguments: t.Any) -> str:
        self.calls.append((line, arguments))
        expected, outcome = self._script.pop(0)
        assert line == expected
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def finished(self) -> bool:
        """Whether the script is through."""
        return not self._script


def run_action(plugin: type[ActionBase], connection: t.Any, *, check_mode: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    """Run an action plugin as a task would."""
    task = Task()
    task.args = arguments
    task.check_mode = check_mode
    task.async_val = 0
    action = plugin(task, connection, PlayContext(), DataLoader(), None, None)
    action._load_name = plugin.__module__.rpartition(".")[2]
    return dict(action.run(task_vars={}))
