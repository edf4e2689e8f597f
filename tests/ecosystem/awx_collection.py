# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch the collection awx.awx, against whose modules the automation platform's set-up is checked: from the package ``ansible`` of PyPI (about 50 MB).

That package is not installed: it would bring an ansible-core of its own. Version 12.3.0 is the last that holds awx.awx.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile

PACKAGE = "ansible==12.3.0"
COLLECTION = "ansible_collections/awx/awx/"
COLLECTIONS = Path(__file__).parents[2] / "build" / "ecosystem" / "collections"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder, PACKAGE], check=True)
        with ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            wheel.extractall(COLLECTIONS, [name for name in wheel.namelist() if name.startswith(COLLECTION)])


if __name__ == "__main__":
    main()
