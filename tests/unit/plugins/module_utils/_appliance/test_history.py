# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What past distributions and migrations say."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.history import is_migrating, last_profile


def distribution(appliance_id: int, profile_id: t.Any, time: t.Any = None) -> dict[str, t.Any]:
    return {"applianceId": appliance_id, "type": "profile", "profile": {"id": profile_id}, **({} if time is None else {"time": time})}


def migration(appliance_id: int, state: str, time: t.Any = None) -> dict[str, t.Any]:
    return {"applianceId": appliance_id, "action": "upgrade", "state": state, "result": "", "message": "", "time": time}


@pytest.mark.parametrize(
    ("distributions", "profile_id"),
    [
        ([], None),
        ([distribution(2, 9)], None),
        ([distribution(1, 4), distribution(2, 9)], 4),
        ([distribution(1, 4), distribution(1, 4)], 4),
        ([distribution(1, 4), distribution(1, 5)], None),
        ([distribution(1, 4, "2026-01-02T00:00:00Z"), distribution(1, 5, "2026-01-01T23:59:59+00:00")], 4),
        ([distribution(1, 4, 1700000000), distribution(1, 5, 1700000001.5)], 5),
        ([distribution(1, 4, "2026-01-02T00:00:00Z"), distribution(1, 5)], None),
        ([distribution(1, 4, "2026-01-02T00:00:00Z"), distribution(1, 5, "2026-01-02T00:00:00Z")], None),
        ([distribution(1, 4, "yesterday"), distribution(1, 5, "today")], None),
        ([{"applianceId": 1}, {"applianceId": 1, "profile": None}, {"profile": {"id": 4}}, distribution(1, "4")], None),
    ],
)
def test_the_last_profile_where_it_is_certain(distributions: list[dict[str, t.Any]], profile_id: int | None) -> None:
    assert last_profile(distributions, 1) == profile_id


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.none() | st.integers(0, 5))))
def test_no_profile_is_made_up(entries: list[tuple[int, int, int | None]]) -> None:
    distributed = {profile for appliance, profile, _time in entries if appliance == 1}
    found = last_profile([distribution(*entry) for entry in entries], 1)
    assert found in distributed or found is None
    assert len(distributed) != 1 or found in distributed


@pytest.mark.parametrize(
    ("migrations", "migrating"),
    [
        ([], False),
        ([migration(2, "start")], False),
        ([migration(1, "start")], True),
        ([migration(1, "downloading", "")], True),
        ([migration(1, "finish")], False),
        ([migration(1, "start"), migration(1, "finish")], True),
        ([migration(1, "start", "2026-01-01T00:00:00Z"), migration(1, "finish", "2026-01-01T01:00:00Z")], False),
        ([migration(1, "start", "2026-01-01T02:00:00Z"), migration(1, "finish", "2026-01-01T01:00:00Z")], True),
    ],
)
def test_a_migration_runs_unless_it_has_finished(migrations: list[dict[str, t.Any]], migrating: bool) -> None:
    assert is_migrating(migrations, 1) is migrating


def test_times_beyond_all_measure() -> None:
    assert last_profile([distribution(1, 7, 10**400), distribution(1, 8, 5)], 1) is None
    assert is_migrating([migration(1, "start", 10**400), migration(1, "finish", 5)], 1)
