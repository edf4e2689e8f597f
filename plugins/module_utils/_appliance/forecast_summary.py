# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the forecasts of many certificates come to. Pure."""

from __future__ import annotations

import typing as t

Entry = t.Mapping[str, t.Any]

# The most urgent first.
_NEEDING_ACTION = ("failed", "expired", "expiring", "unregistered", "orphaned", "unknown")
_OTHERS = ("valid", "hosted")
# The summary of a large fleet stays small enough to be handed on; the counts tell how many there are.
_NAMED_AT_MOST = 1000


def summarize(entries: t.Iterable[Entry]) -> dict[str, t.Any]:
    """Count the forecasts, name those that need something to be done, up to a thousand of each kind, and tell when the next certificate expires.

    :param entries: as ``netsec_certificate_info`` returns them.
    """
    groups: dict[str, list[Entry]] = {status: [] for status in (*_NEEDING_ACTION, *_OTHERS)}
    for entry in entries:
        groups[_status(entry)].append(entry)
    coming = [entry["expires_at"] for status in ("expiring", "valid") for entry in groups[status] if entry["expires_at"]]
    return {
        "counts": {status: len(group) for status, group in groups.items()},
        "instance_ids": {status: [entry["instance_id"] for entry in sorted(groups[status], key=_expiry)[:_NAMED_AT_MOST]] for status in _NEEDING_ACTION},
        "next_expiry": min(coming, default=None),
    }


def _status(entry: Entry) -> str:
    if entry["failed"]:
        return "failed"
    return "orphaned" if entry["orphaned"] else str(entry["status"])


def _expiry(entry: Entry) -> tuple[bool, str, str]:
    """What is known first, then by time; as text in UTC, times are in their order."""
    at = entry.get("expires_at")
    return at is None, at or "", entry["instance_id"]
