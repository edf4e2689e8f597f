# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for secrets in all that a run shows and leaves."""

from __future__ import annotations

import base64
import re
import stat
import typing as t
from pathlib import Path
from urllib.parse import quote

SPACE = re.compile(r"\s+")


class Secrets:
    """The secrets of one lab.

    :param named: each with what it is.
    """

    def __init__(self, named: t.Mapping[str, str]) -> None:
        self._forms = {name: _forms(secret) for name, secret in named.items() if secret}

    def found_in(self, text: str) -> list[str]:
        """Which of them a text shows, in clear, encoded, or broken over lines."""
        squeezed = SPACE.sub("", text)
        return [name for name, forms in self._forms.items() if any(form in text or form in squeezed for form in forms)]

    def found_below(self, folder: Path, *, only_readable: bool = False) -> list[str]:
        """Which of them stand in a file below a folder.

        :param only_readable: count only files that others than the owner can read.
        """
        found = []
        for path in folder.rglob("*"):
            if path.is_symlink() or not path.is_file() or (only_readable and not _open_to_others(path, folder)):
                continue
            found += [f"{name} in {path.relative_to(folder)}" for name in self.found_in(path.read_bytes().decode(errors="replace"))]
        return found


def _forms(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, SPACE.sub("", secret), quote(secret, safe=""), secret.replace("/", "\\/"), encoded[:-1]}


def _open_to_others(path: Path, below: Path) -> bool:
    """Whether anybody may read a file: it and all folders on the way down to it."""
    folders = [parent for parent in path.parents if parent.is_relative_to(below) and parent != below]
    return bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IRGRP)) and all(folder.stat().st_mode & (stat.S_IXOTH | stat.S_IXGRP) for folder in folders)
