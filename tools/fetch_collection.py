# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Usage: python tools/fetch_collection.py NAMESPACE.NAME REQUIREMENT DIR

Fetch a collection that the tests or benchmarks compare with into DIR, from the package ``ansible`` of PyPI (about 50 MB) that REQUIREMENT chooses.
That package is not installed: it would bring an ansible-core of its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from zipfile import ZipFile


def main(collection: str, requirement: str, collections: str) -> None:
    prefix = f"ansible_collections/{collection.replace('.', '/')}/"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder, requirement], check=True)
        with ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            wheel.extractall(collections, [name for name in wheel.namelist() if name.startswith(prefix)])


if __name__ == "__main__":
    main(*sys.argv[1:])
