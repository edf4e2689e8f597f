# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run modules as Ansible does: options in, JSON out."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils import basic

try:
    from ansible.module_utils.secrets import mask_secrets
except ImportError:  # ansible-core before 2.22, where modules mask what they print themselves
    mask_secrets = None

from ansible_collections.trendmicro.cloudone.tests.unit.plugins.conformity_script import ConformityScript
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import Script

Runner = t.Callable[..., dict[str, t.Any]]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLOUDONE_API_KEY", "CLOUDONE_REGION", "CLOUDONE_NETSEC_URL", "CLOUDONE_CONFORMITY_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def run_module(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Return a function that runs a module's ``main`` and returns what it printed, with ``failed`` always in it."""

    def run(main: t.Callable[[], None], options: dict[str, t.Any], *, check_mode: bool = False, diff: bool = False) -> dict[str, t.Any]:
        arguments = {**options, "_ansible_check_mode": check_mode, "_ansible_diff": diff, "_ansible_remote_tmp": "/tmp"}
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)  # ansible-core 2.19 and later
        # Where Ansible's controller is loaded in the same process, as by other tests, a module's warnings would go to the screen.
        warnings: list[str] = []
        monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _module, warning, **_more: warnings.append(warning))
        with pytest.raises(SystemExit):
            main()
        printed = json.loads(capsys.readouterr().out)
        if mask_secrets:
            # From here on as the controller does: it takes out what only it is to know, and masks what it shows.
            printed.pop("_ansible_new_secrets", None)
            printed = json.loads(mask_secrets(json.dumps(printed)))
        if warnings:
            printed["warnings"] = warnings
        printed.setdefault("failed", False)
        return t.cast(dict[str, t.Any], printed)

    return run


@pytest.fixture
def script() -> t.Iterator[Script]:
    """The calls to the Network Security API that must be made."""
    with Script() as calls:
        yield calls


@pytest.fixture
def conformity() -> t.Iterator[ConformityScript]:
    """The calls to the Conformity API that must be made."""
    with ConformityScript() as calls:
        yield calls
