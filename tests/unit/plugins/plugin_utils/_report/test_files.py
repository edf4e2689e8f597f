# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing the files of a report."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.files import file_mode, file_name, replace

FIRST = '{"generated_at": "2026-03-01T12:00:00Z", "expired": 1, "at": "2026-01-01T00:00:00Z"}'
LATER = FIRST.replace("2026-03-01T12", "2026-03-02T13")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with nothing in it."""
    path = tmp_path / "reports"
    path.mkdir()
    return path


def test_only_another_content_or_mode_is_written(folder: Path) -> None:
    path = folder / "new" / "folder" / "report.json"
    assert replace(path, FIRST, mode=0o644, check_mode=False)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (FIRST, 0o644)
    assert not replace(path, LATER, mode=0o644, check_mode=False)
    assert path.read_text() == FIRST, "it says the same since then"
    assert replace(path, LATER, mode=0o600, check_mode=False)
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == (LATER, 0o600)
    other_date = LATER.replace("2026-01-01", "2026-01-02")
    assert replace(path, other_date, mode=0o600, check_mode=False), "only the first time is the one of its making"
    assert path.read_text() == other_date
    assert [file.name for file in path.parent.iterdir()] == ["report.json"]


def test_check_mode_writes_nothing(folder: Path) -> None:
    path = folder / "new" / "report.md"
    assert replace(path, "2026-03-01 12:00 UTC", mode=0o644, check_mode=True)
    assert list(folder.iterdir()) == []
    path.parent.mkdir()
    path.write_text("2026-03-01 12:00 UTC")
    path.chmod(0o644)
    assert not replace(path, "2026-04-01 12:00 UTC", mode=0o644, check_mode=True)
    assert replace(path, "2026-04-01 12:00 UTC and more", mode=0o644, check_mode=True)


def test_a_full_disk_leaves_the_old_report(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "report.md"
    path.write_text("the old one")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"report\.md cannot be written: No space left on device\. Make room there"):
        replace(path, "the new one", mode=0o644, check_mode=False)
    assert [(file.name, file.read_text()) for file in folder.iterdir()] == [("report.md", "the old one")]


def test_a_place_that_cannot_be_written_to(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written: Not a directory. Name a folder in dest"):
        replace(folder / "file" / "report.md", "text", mode=0o644, check_mode=False)
    (folder / "report.md").mkdir()
    with pytest.raises(InputError, match="cannot be written: Is a directory"):
        replace(folder / "report.md", "text", mode=0o644, check_mode=False)


@pytest.mark.parametrize("name", ["", " ", "../up", "a/b", ".hidden", "..", "a\nb"])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="is not the name of a file"):
        file_name(name)


@pytest.mark.parametrize("mode", ["", "644 ", "0o644", "u=rw", "8888", "0044", "0400", "04755", "-644", "1777"])
def test_modes_that_are_refused(mode: str) -> None:
    with pytest.raises(InputError, match="are not permissions of a file"):
        file_mode(mode)


def test_names_and_modes() -> None:
    assert file_name("certificates-2026 03") == "certificates-2026 03"
    assert [file_mode(mode) for mode in ("0644", "600", "0666")] == [0o644, 0o600, 0o666]
