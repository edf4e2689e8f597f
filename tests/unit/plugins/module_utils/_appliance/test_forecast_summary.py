# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.forecast_summary import summarize

STATUSES = ("valid", "expiring", "expired", "unregistered", "hosted", "unknown")
TIMES = ("2024-02-29T00:00:00Z", "2026-03-01T12:00:00Z", "2026-03-20T12:00:00Z")


def entry(instance_id: str, status: str, expires_at: str | None = None, *, orphaned: bool = False) -> dict[str, t.Any]:
    return {"instance_id": instance_id, "failed": False, "status": status, "expires_at": expires_at, "orphaned": orphaned}


def test_counts_names_and_the_next_expiry() -> None:
    summary = summarize(
        [
            entry("i-1", "valid", "2027-01-01T00:00:00Z"),
            entry("i-2", "expiring", "2026-03-20T12:00:00Z"),
            entry("i-3", "expired", "2024-02-29T00:00:00Z"),
            entry("i-4", "expiring", "2026-03-02T12:00:00Z"),
            entry("i-5", "unknown", orphaned=True),
            entry("i-6", "hosted"),
            {"instance_id": "i-7", "failed": True, "msg": "no"},
        ]
    )
    assert summary == {
        "counts": {"failed": 1, "expired": 1, "expiring": 2, "unregistered": 0, "orphaned": 1, "unknown": 0, "valid": 1, "hosted": 1},
        "instance_ids": {"failed": ["i-7"], "expired": ["i-3"], "expiring": ["i-4", "i-2"], "unregistered": [], "orphaned": ["i-5"], "unknown": []},
        "next_expiry": "2026-03-02T12:00:00Z",
    }


def test_of_a_large_fleet_not_all_are_named() -> None:
    summary = summarize([entry(f"i-{number}", "unknown") for number in range(1200)])
    assert (summary["counts"]["unknown"], len(summary["instance_ids"]["unknown"])) == (1200, 1000)


def test_nothing() -> None:
    summary = summarize([])
    assert (set(summary["counts"].values()), summary["next_expiry"]) == ({0}, None)


@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.sampled_from((None, *TIMES)), st.booleans()), max_size=30))
def test_each_appliance_counts_once(made: list[tuple[str, str | None, bool]]) -> None:
    entries = [entry(f"i-{number}", status, at, orphaned=orphaned) for number, (status, at, orphaned) in enumerate(made)]
    summary = summarize(entries)
    assert sum(summary["counts"].values()) == len(entries)
    for status, instance_ids in summary["instance_ids"].items():
        assert len(instance_ids) == len(set(instance_ids)) == summary["counts"][status]
        times = [one["expires_at"] for instance_id in instance_ids for one in entries if one["instance_id"] == instance_id]
        known = [at for at in times if at]
        assert known == sorted(known)
        assert times == known + [None] * (len(times) - len(known))
    assert not any(one["expires_at"] and summary["next_expiry"] > one["expires_at"] for one in entries if one["status"] == "valid" and not one["orphaned"])
