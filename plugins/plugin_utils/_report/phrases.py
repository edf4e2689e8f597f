# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Phrases that several reports use."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import Action, Item, Level

# How the time of a report's making is shown.
MADE = "%Y-%m-%d %H:%M UTC"


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: ``1 appliance``, ``2,000 appliances``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(parts: Iterable[str]) -> str:
    """``a, b and c``."""
    *first, last = list(parts)
    return f"{', '.join(first)} and {last}" if first else last


def day(moment: datetime | None) -> str | None:
    """A date, in UTC."""
    return f"{moment:%Y-%m-%d}" if moment else None


def minute(moment: datetime | None) -> str | None:
    """A time, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else None


def action(problem: str, advice: str, level: Level, items: Iterable[Item]) -> tuple[Action, ...]:
    """Something to do, if there are items that need it."""
    found = tuple(items)
    return (Action(problem, advice, level, found),) if found else ()


def grouped(items: Iterable[Item]) -> list[tuple[str, list[str]]]:
    """What is said, each with all of which it is said, in the order of the items."""
    groups: dict[str, list[str]] = {}
    for item in items:
        groups.setdefault(item.detail, []).append(item.subject)
    return list(groups.items())
