# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers an appliance from its own command line. The options are documented in plugins/modules/nsva_registration.py."""

from __future__ import annotations

import re
import time
import typing as t
from collections.abc import Sequence

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.masking import mask
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.text import REGISTRATION_ERRORS, compile_errors, excerpt, find_error
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._appliance_cli import ApplianceCli, cli_of
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._cli_session import SessionLost

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "state": {"type": "str", "choices": ["registered", "unregistered"], "default": "registered"},
    "token": {"type": "str", "no_log": True},
    "api_key": {"type": "str", "no_log": True},
    "register_timeout": {"type": "int", "default": 300},
    "error_patterns": {"type": "list", "elements": "str", "default": list(REGISTRATION_ERRORS)},
}


class ActionModule(ActionBase):
    """Runs ``cloudone unregister`` and ``cloudone register`` over the task's connection."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Carry the task out."""
        result = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(ARGUMENTS, required_if=[("state", "registered", ("token", "api_key"), True)])[1]
        credentials = {name: arguments[name] for name in ("token", "api_key") if arguments[name] and arguments["state"] == "registered"}
        for name, value in credentials.items():
            # It would be more than one word, or more than one line, of the CLI.
            if not value.isascii() or not value.isprintable() or " " in value:
                raise AnsibleActionFail(f"{name} contains characters that no credential has, such as a space or a line break.")
        try:
            cli = cli_of(self._connection)
            errors = compile_errors(arguments["error_patterns"], "error_patterns")
        except InputError as error:
            raise AnsibleActionFail(str(error)) from error
        registration = Registration(cli, errors, arguments["register_timeout"], tuple(credentials.values()))
        if self._task.check_mode:
            return {**result, **registration.result(), "changed": True}
        if registration.unregister() and credentials:
            registration.register(credentials)
        return {**result, **registration.result()}


class Registration:
    """One appliance's way through unregistering and registering.

    A session that is lost is resumed once, where repeating the command does no harm.

    :param errors: what in the output of ``cloudone register`` means that it was refused.
    :param timeout: seconds that ``cloudone register`` may take.
    :param secrets: all credentials, to be kept out of the result.
    """

    def __init__(self, cli: ApplianceCli, errors: Sequence[re.Pattern[str]], timeout: int, secrets: tuple[str, ...]) -> None:
        self._cli = cli
        self._errors = errors
        self._timeout = timeout
        self._secrets = secrets
        self._changed = False
        self._interrupted = False
        self._credential: str | None = None
        self._commands: list[dict[str, t.Any]] = []
        self._failure = ""

    def unregister(self) -> bool:
        """Unregister on the appliance.

        What it answers is no reason to stop: it may have been unregistered before, and only registering it ends that state.

        :returns: whether the appliance can still be reached.
        :raises AnsibleConnectionFailure: it cannot, and nothing was sent.
        """
        try:
            output = self._run("cloudone unregister", repeat=True)
        except (SessionLost, AnsibleConnectionFailure) as error:
            if not self._commands:
                raise AnsibleConnectionFailure(str(error)) from error
            self._changed = True
            self._failure = f"The session was lost during 'cloudone unregister', and the appliance could not be reached again. {error}"
            return False
        self._changed = find_error(output, self._errors) is None
        return True

    def register(self, credentials: dict[str, str]) -> None:
        """Register with the first credential that the appliance does not refuse.

        :param credentials: name -> value, in the order of trying.
        """
        self._changed = True
        refusals: list[str] = []
        for self._credential, value in credentials.items():
            try:
                output = self._run(f"cloudone register {value}", secret=value, timeout=self._timeout)
            except (SessionLost, AnsibleConnectionFailure) as error:
                if not getattr(error, "sent", False):
                    self._failure = f"The appliance was unregistered, and could not be reached again to register it. {error}"
                return  # If the command had been sent, the API knows whether it had an effect.
            refusal = find_error(output, self._errors)
            if refusal is None:
                return
            refusals.append(f"with the {self._credential} it answered: {refusal}")
        self._failure = f"The appliance is unregistered and refuses to register: {'; '.join(refusals)}"

    def result(self) -> dict[str, t.Any]:
        """What the task returns of it."""
        failure = {"failed": True, "msg": mask(self._failure, self._secrets)} if self._failure else {}
        return {"changed": self._changed, "credential": self._credential, "interrupted": self._interrupted, "commands": self._commands, **failure}

    def _run(self, line: str, *, repeat: bool = False, secret: str | None = None, timeout: int | None = None) -> list[str]:
        """Run a line, if the session is lost once again over a new one.

        :param repeat: run it again even if the lost session may have carried it out.
        """
        try:
            return self._run_once(line, secret, timeout)
        except SessionLost as lost:
            self._interrupted = True
            if lost.sent and not repeat:
                raise
        return self._run_once(line, secret, timeout)

    def _run_once(self, line: str, secret: str | None, timeout: int | None) -> list[str]:
        started = time.monotonic()
        try:
            output = self._cli.run(line, secret=secret, timeout=timeout)
        except SessionLost as lost:
            if lost.sent:
                self._note(line, lost.output, started)
            raise
        return self._note(line, output, started)

    def _note(self, line: str, output: str, started: float) -> list[str]:
        lines = mask(output, self._secrets).splitlines()
        self._commands.append({"command": mask(line, self._secrets), "output": excerpt(lines), "seconds": round(time.monotonic() - started, 3)})
        return lines
