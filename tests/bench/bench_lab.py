# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab that a benchmark measures against."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import yaml

from lab.control_client import ControlClient
from lab.fleet import Fleet
from lab.state_dir import StateDir


class BenchLab:
    """A lab of its own process, so that its CPU time is not counted.

    :param path: its state folder; the fleet file is written beside it.
    :ivar description: what ``lab.json`` says.
    :ivar environment: for the commands that are to find the lab.
    """

    description: dict[str, t.Any]
    environment: dict[str, str]

    def __init__(self, path: Path, fleet: Fleet) -> None:
        self.state = StateDir(path)
        file = path.with_suffix(".fleet.yml")
        file.write_text(yaml.safe_dump(fleet.model_dump(exclude_defaults=True)), encoding="utf-8")
        self._command = [sys.executable, "-m", "lab", "up", "--fleet", str(file), "--state", str(path), "--stop-with-parent"]

    def __enter__(self) -> BenchLab:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        while not self.state.description.exists():
            if self._process.poll() is not None:
                raise RuntimeError("The lab did not start; try: make lab")
            time.sleep(0.1)
        self.description = self.state.read_description()
        self.environment = {**os.environ, **self.description["environment"]}
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def control(self) -> ControlClient:
        """Tells what has really happened."""
        return ControlClient(self.description["control_url"])
