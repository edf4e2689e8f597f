# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a report on the control node. The options are documented in plugins/modules/report.py."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import utc_now
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.documents import KINDS
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.files import file_mode, file_name, replace
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.renderers import FORMATS

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "kind": {"type": "str", "required": True, "choices": list(KINDS)},
    "entries": {"type": "list", "elements": "dict", "required": True},
    "dest": {"type": "path", "required": True},
    "name": {"type": "str"},
    "formats": {"type": "list", "elements": "str", "choices": list(FORMATS), "default": list(FORMATS)},
    "mode": {"type": "str", "default": "0644"},
}


class ActionModule(ActionBase):
    """Makes the document, then a file in each format."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Carry the task out."""
        result = super().run(tmp, task_vars)
        arguments = self.validate_argument_spec(ARGUMENTS)[1]
        try:
            name = file_name(arguments["name"] or arguments["kind"])
            mode = file_mode(arguments["mode"])
            document = KINDS[arguments["kind"]](arguments["entries"], utc_now())
            files = []
            for kind in dict.fromkeys(arguments["formats"]):
                render, ending = FORMATS[kind]
                path = Path(arguments["dest"]).absolute() / f"{name}.{ending}"
                changed = replace(path, render(document), mode=mode, check_mode=self._task.check_mode)
                files.append({"format": kind, "path": str(path), "changed": changed})
        except InputError as error:
            # With a cause, ansible-core 2.19 and later would say everything twice.
            raise AnsibleActionFail(str(error)) from None
        figures = {figure.name: figure.value for figure in document.figures}
        return {**result, "changed": any(file["changed"] for file in files), "headline": document.headline, "figures": figures, "files": files}
