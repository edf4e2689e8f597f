# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as the collection writes them, into tags and results: ISO 8601, UTC, whole seconds; and as APIs write them."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def to_text(moment: datetime) -> str:
    """Write a time that knows its zone: ``2026-03-01T12:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def from_text(text: str) -> datetime | None:
    """Read a time; one without a zone is taken as UTC. ``None`` if it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def from_milliseconds(number: t.Any) -> datetime | None:
    """Read a time that an API gives as milliseconds since 1970. ``None`` if it is none, as where nothing has happened yet."""
    if isinstance(number, bool) or not isinstance(number, (int, float)) or number <= 0:
        return None
    try:
        return EPOCH + timedelta(milliseconds=number)
    except (ValueError, OverflowError):
        return None


def to_milliseconds(moment: datetime) -> int:
    """Write a time that knows its zone as milliseconds since 1970."""
    return (moment - EPOCH) // timedelta(milliseconds=1)
