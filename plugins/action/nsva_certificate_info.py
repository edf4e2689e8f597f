# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches an appliance's system log for certificate errors. The options are documented in plugins/modules/nsva_certificate_info.py."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.system_log import SEARCH_WORDS, certificate_errors, parse_time
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.text import MOST_LINES, excerpt, refusal
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._appliance_cli import cli_of
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._cli_session import SessionLost

ARGUMENTS: dict[str, dict[str, t.Any]] = {"since": {"type": "str"}}


class ActionModule(ActionBase):
    """Runs the vendor's search over the task's connection."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Carry the task out."""
        result = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(ARGUMENTS)[1]
        now = datetime.now(UTC)
        try:
            since = _since(arguments["since"], now)
            output = cli_of(self._connection).run(f"show log-file system search {SEARCH_WORDS}")
        except InputError as error:
            raise AnsibleActionFail(str(error)) from error
        except SessionLost as lost:
            raise AnsibleConnectionFailure(str(lost)) from lost
        if refusal(output):
            raise AnsibleActionFail(f"The appliance refused to search its system log: {output[:400]}")
        found = certificate_errors(output.splitlines(), now)
        errors = [error for error in found if since is None or (error.time and error.time > since)]
        times = [error.time for error in errors if error.time]
        return {
            **result,
            "changed": False,
            "certificate_errors": [{"time": _iso(error.time), "line": excerpt([error.text])[0]} for error in errors[-MOST_LINES:]],
            "count": len(errors),
            "undated": sum(error.time is None for error in found),
            "last_error_at": _iso(max(times)) if times else None,
        }


def _since(text: str | None, now: datetime) -> datetime | None:
    """
    :raises InputError: ``text`` is no time.
    """
    if not text:
        return None
    time = parse_time(text, now)
    if time is None:
        raise InputError(f"since: {text!r} is not a time such as 2026-01-31T04:05:06Z.")
    return time


def _iso(time: datetime | None) -> str | None:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
