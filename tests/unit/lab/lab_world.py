# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A world whose time the test turns, without AWS behind it."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from lab.fleet import Fleet, parse_fleet
from lab.placement import unknown_placement
from lab.world import World

API_KEY = "key-with-all-rights"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class OpenNetwork:
    """Lets one address in."""

    def admits(self, instance_id: str, source_address: str, port: int) -> bool:
        return (source_address, port) == ("127.20.0.5", 22)


def make_world(*appliances: dict[str, t.Any], clock: Clock | None = None, **fleet: t.Any) -> World:
    """Make a world of appliances given as in a fleet file."""
    return world_of(parse_fleet({"appliances": list(appliances), **fleet}), clock)


def world_of(fleet: Fleet, clock: Clock | None = None) -> World:
    """Make a world of a fleet."""
    placements = {spec.instance_id: unknown_placement(spec) for spec in fleet.appliances}
    return World(fleet, api_key=API_KEY, placements=placements, network=OpenNetwork(), clock=clock or Clock())


def id_of(world: World, name: str) -> str:
    """Return the instance id of an appliance by its name in the fleet file."""
    return next(state.instance_id for state in world.appliances.values() if state.spec.name == name)
