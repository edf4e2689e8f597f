# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugin that writes reports."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleActionFail

from ansible_collections.trendmicro.cloudone.plugins.action.report import ARGUMENTS, ActionModule
from ansible_collections.trendmicro.cloudone.plugins.modules import report as documentation
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.action.scripted_cli import Cli, run_action

EXPIRED = {"instance_id": "i-0123456789abcdef0", "failed": False, "status": "expired", "days_left": -3, "expires_at": "2026-02-26T12:00:00Z"}
ENTRIES = [EXPIRED, {"instance_id": "i-0fedcba9876543210", "failed": True, "msg": "AWS refused it."}]


def write(dest: Path, *, check_mode: bool = False, **arguments: t.Any) -> dict[str, t.Any]:
    return run_action(ActionModule, Cli(), check_mode=check_mode, **{"kind": "certificates", "entries": ENTRIES, "dest": str(dest), **arguments})


def test_all_formats(tmp_path: Path) -> None:
    result = write(tmp_path / "reports")
    headline = "1 of 2 certificates has expired, 1 is not known."
    assert (result["changed"], result["headline"]) == (True, headline)
    assert {name: value for name, value in result["figures"].items() if value} == {"appliances": 2, "expired": 1, "failed": 1}
    paths = [tmp_path / "reports" / f"certificates.{ending}" for ending in ("html", "md", "json")]
    assert result["files"] == [{"format": form, "path": str(path), "changed": True} for form, path in zip(("html", "markdown", "json"), paths, strict=True)]
    assert all(headline in path.read_text(encoding="utf-8") for path in (paths[0], paths[2]))
    assert json.loads(paths[2].read_text(encoding="utf-8"))["kind"] == "certificates"


def test_again(tmp_path: Path) -> None:
    write(tmp_path)
    assert write(tmp_path)["changed"] is False
    again = write(tmp_path, entries=[EXPIRED])
    assert [file["changed"] for file in again["files"]] == [True, True, True]


def test_check_mode(tmp_path: Path) -> None:
    result = write(tmp_path, check_mode=True)
    assert result["changed"]
    assert list(tmp_path.iterdir()) == []


def test_chosen_formats_name_and_mode(tmp_path: Path) -> None:
    write(tmp_path, formats=["markdown", "markdown"], name="march", mode="0600")
    (path,) = tmp_path.iterdir()
    assert (path.name, path.stat().st_mode & 0o777) == ("march.md", 0o600)


def test_a_relative_folder_counts_from_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert write(Path("here"), formats=["json"])["files"][0]["path"] == str(tmp_path / "here" / "certificates.json")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "weather"}, "weather"),
        ({"formats": ["pdf"]}, "pdf"),
        ({"name": "../up"}, "is not the name of a file"),
        ({"mode": "0000"}, "are not permissions of a file"),
    ],
)
def test_what_is_refused(tmp_path: Path, arguments: dict[str, t.Any], message: str) -> None:
    with pytest.raises(AnsibleActionFail, match=message):
        write(tmp_path, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_the_documented_options_are_those_of_the_plugin() -> None:
    options = yaml.safe_load(documentation.DOCUMENTATION)["options"]
    assert options.keys() == ARGUMENTS.keys()
    for name, spec in ARGUMENTS.items():
        for key in ("type", "elements", "required", "default"):
            assert options[name].get(key) == spec.get(key), (name, key)
        assert list(options[name].get("choices", ())) == spec.get("choices", [])
