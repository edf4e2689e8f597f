# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report: their names, and replacing one as a whole."""

from __future__ import annotations

import errno
import os
import re
import tempfile
from pathlib import Path

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

# In each format the first time in a file is the one of its making.
_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\dZ| \d\d:\d\d UTC)")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def file_name(name: str) -> str:
    """The name as it is.

    :raises InputError: it is no plain file name.
    """
    if not name.isprintable() or "/" in name or name.startswith(".") or not name.strip():
        raise InputError(f"name: {name!r} is not the name of a file. Give a name without folder; the folder is dest.")
    return name


def file_mode(text: str) -> int:
    """Read permissions such as ``0644``.

    :raises InputError: they are no octal digits, or the owner could not read and replace the file.
    """
    if not re.fullmatch("0?[0-7]{3}", text) or int(text, 8) & 0o600 != 0o600:
        raise InputError(f'mode: {text!r} are not permissions of a file that its owner can read and write. Quote octal digits, as in "0644".')
    return int(text, 8)


def replace(path: Path, content: str, *, mode: int, check_mode: bool) -> bool:
    """Write a file as a whole, if more than the time of its making, or its permissions, would change.

    Nobody ever sees half a file: it is written beside and then takes the other's place.

    :returns: whether it was written, or in check mode would be.
    :raises InputError: it cannot be written.
    """
    try:
        if _says(path, content, mode):
            return False
        if not check_mode:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, content, mode)
    except OSError as error:
        advice = "Make room there, or name another folder in dest." if error.errno in _FULL else "Name a folder in dest that this user may write to."
        raise InputError(f"The report {path} cannot be written: {error.strerror or error}. {advice}") from None
    return True


def _says(path: Path, content: str, mode: int) -> bool:
    try:
        there = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return False
    return path.stat().st_mode & 0o777 == mode and _TIME.sub("", there, count=1) == _TIME.sub("", content, count=1)


def _write(path: Path, content: str, mode: int) -> None:
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
