# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs for tests that need all of one, but no appliances."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from rtm_lab import RtmLab

from lab.fleet import parse_fleet
from lab.lab import Lab


@pytest.fixture
def start_lab(tmp_path: Path) -> Iterator[t.Callable[..., RtmLab]]:
    """Start a lab of a fleet given by its parts."""
    labs: list[Lab] = []

    def start(**fleet: t.Any) -> RtmLab:
        lab = Lab(parse_fleet({"appliances": [], **fleet}), tmp_path)
        lab.__enter__()
        labs.append(lab)
        return RtmLab(lab)

    yield start
    for lab in labs:
        lab.__exit__()
