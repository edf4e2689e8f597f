# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the Pythons of this machine. ``python tools/pythons.py 3.12`` prints where that one is; without a version, the newest one that is supported."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

SUPPORTED = ("3.14", "3.13", "3.12", "3.11")


def find(version: str) -> str | None:
    """Return a Python of a version such as ``3.12`` that can make virtual environments: from PATH, else one that pyenv installed."""
    return next((program for program in _candidates(f"python{version}") if _suitable(program)), None)


def _candidates(name: str) -> Iterator[str]:
    for folder in os.get_exec_path():
        # pyenv's shims name versions that may be switched off.
        if Path(folder).name != "shims" and (program := shutil.which(name, path=folder)):
            yield program
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(root.glob(f"versions/*/bin/{name}"), reverse=True))


def _suitable(program: str) -> bool:
    # Debian's python3 lacks ensurepip until python3-venv is installed. One of a virtual environment would tie its makers to that environment.
    code = "import ensurepip, sys, venv; sys.exit(sys.prefix != sys.base_prefix)"
    return subprocess.run([program, "-c", code], stderr=subprocess.DEVNULL, check=False).returncode == 0


def main(versions: Sequence[str]) -> str:
    """Return the path of the first of the versions that there is.

    :raises SystemExit: if there is none, with what to do.
    """
    found = next(filter(None, map(find, versions)), None)
    if not found:
        raise SystemExit(
            f"Python {' or '.join(versions)} with its venv module is needed (Debian, Ubuntu: apt-get install python3-venv), "
            "and neither on PATH nor in pyenv. Name one: make PYTHON=/path/to/python3"
        )
    return found


if __name__ == "__main__":
    print(main(sys.argv[1:] or SUPPORTED))
