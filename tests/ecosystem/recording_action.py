# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An action plugin that stands before each module of awx.awx: it checks the arguments as the module would, and writes them down instead of sending them.

Ansible finds it as that of the module, since it is in the same collection under the module's name; see ``conftest.py``.
"""

from __future__ import annotations

import importlib
import inspect
import json
import os
import typing as t
from unittest import mock

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.awx.awx.plugins.module_utils import controller_api

# What AnsibleModule takes that is about arguments.
_RULES = set(inspect.signature(ArgumentSpecValidator.__init__).parameters)


class _Stopped(Exception):
    """A module has come as far as giving its argument specification."""


def _specification(name: str) -> dict[str, t.Any]:
    """Return the arguments that a module gives to ``AnsibleModule``, by starting it."""
    given: dict[str, t.Any] = {}

    def stop(_self: t.Any, argument_spec: t.Any, **more: t.Any) -> None:
        given.update({name: value for name, value in more.items() if name in _RULES})
        given["argument_spec"] = {**controller_api.ControllerModule.AUTH_ARGSPEC, **argument_spec}
        raise _Stopped

    with mock.patch.object(controller_api.ControllerModule, "__init__", stop):
        try:
            importlib.import_module(f"ansible_collections.awx.awx.plugins.modules.{name}").main()
        except _Stopped:
            return given
    raise AssertionError(f"awx.awx.{name} is no module of the platform's API")


class ActionModule(ActionBase):
    """Checks and writes down."""

    def run(self, tmp: t.Any = None, task_vars: t.Any = None) -> dict[str, t.Any]:
        name = self._task.action.rpartition(".")[2]
        result = ArgumentSpecValidator(**_specification(name)).validate(self._task.args)
        if result.error_messages:
            return {"failed": True, "msg": "; ".join(result.error_messages)}
        values = {option: value for option, value in result.validated_parameters.items() if value is not None}
        with open(os.environ["AWX_CALLS"], "a", encoding="utf-8") as file:
            file.write(json.dumps({"module": name, "arguments": values}) + "\n")
        return {"changed": False}
