# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
from pathlib import Path

import pytest

from faults.leaks import Secrets

SECRET = "tok/en+of-this=test"


@pytest.mark.parametrize(
    "shown",
    [
        f"said {SECRET} aloud",
        "said tok/en+of\r\n -this=test over two lines",
        f"Authorization: Basic {base64.b64encode(SECRET.encode()).decode()}",
        "https://api/?token=tok%2Fen%2Bof-this%3Dtest",
        r"{\"token\": \"tok\/en+of-this=test\"}",
    ],
)
def test_a_secret_is_found_in_whatever_form_it_is_shown(shown: str) -> None:
    secrets = Secrets({"token": SECRET, "unset": ""})
    assert secrets.found_in(shown) == ["token"]
    assert secrets.found_in("said nothing") == []


def test_files_are_searched_and_those_that_others_can_read_can_be_told_apart(tmp_path: Path) -> None:
    closed, open_to_all = tmp_path / "closed", tmp_path / "open"
    for folder, mode in ((closed, 0o700), (open_to_all, 0o755)):
        folder.mkdir(mode=mode)
        (folder / "file").write_text(SECRET, encoding="utf-8")
        (folder / "file").chmod(0o644)
    secrets = Secrets({"token": SECRET})
    assert sorted(secrets.found_below(tmp_path)) == ["token in closed/file", "token in open/file"]
    assert secrets.found_below(tmp_path, only_readable=True) == ["token in open/file"]
