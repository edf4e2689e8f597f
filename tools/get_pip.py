# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the place of the get-pip script that ansible-test would download: uses the pip that Python brings along.

So the sanity tests need a package index (a mirror will do), and nothing else of the internet.
"""

from __future__ import annotations

import os
import subprocess
import sys

# ansible-test's own pip wrapper looks at this variable, and would start this script again instead of pip.
os.environ.pop("GET_PIP", None)

packages = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
subprocess.run([sys.executable, "-m", "ensurepip", "--upgrade"], check=True, stdout=subprocess.DEVNULL)
subprocess.run([sys.executable, "-m", "pip", "install", *packages], check=True)
