# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The threat model names what answers each threat; what it names has to exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("extensions", "plugins", "roles", "playbooks", "tests", "docs", "meta") for path in (ROOT / folder).rglob("*")]


def exists(name: str) -> bool:
    """Whether there is a file, folder or group of files of that name, or a test function."""
    if name.startswith("test_") and not name.endswith(".py"):
        return any(f"def {name}(" in path.read_text(encoding="utf-8") for path in SOURCES if path.match("test_*.py"))
    return any(path.match(name) for path in SOURCES)


def test_what_it_refers_to_exists() -> None:
    rows = re.findall(r"^\|.*\| (.*) \|$", (ROOT / "docs" / "threat_model.md").read_text(encoding="utf-8").partition("## Threats and answers")[2], re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`([\w./*-]+[./_][\w./*-]+)`", row) if not name.isupper()}
    assert len(names) > 30
    assert [name for name in sorted(names) if not exists(name)] == []


def test_links_lead_somewhere() -> None:
    for file in (ROOT / "SECURITY.md", ROOT / "docs" / "threat_model.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", file.read_text(encoding="utf-8")):
            assert (file.parent / target).exists(), target
