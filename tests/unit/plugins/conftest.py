# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for everything that speaks to AWS. They import late, since most tests need none of it."""

from __future__ import annotations

import time
import typing as t

import pytest

if t.TYPE_CHECKING:
    from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import Calls, World
    from ansible_collections.trendmicro.cloudone.tests.unit.plugins.rtm_world import RtmWorld


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[World]:
    """An empty region of AWS."""
    from ansible_collections.trendmicro.cloudone.tests.unit.plugins import aws_world

    yield from aws_world.start(monkeypatch)


@pytest.fixture
def record_calls(aws: World, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[], Calls]:
    """A function that begins to record calls to AWS: call it when the world is set up."""
    from ansible_collections.trendmicro.cloudone.tests.unit.plugins import aws_world

    return lambda: aws_world.record(monkeypatch)


@pytest.fixture
def rtm(aws: World, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> RtmWorld:
    """An account of AWS in which no region has RTM."""
    from ansible_collections.trendmicro.cloudone.tests.unit.plugins import rtm_world

    return rtm_world.put_in_place(monkeypatch)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made; they take no time."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made
