# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Taking fields out of entries whose form is not certain: what is missing or of another type is not known."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._printable import printable
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_text

Entry = Mapping[str, t.Any]

_LONGEST = 1e9  # seconds; a span that is longer, or no number, is none


def text(entry: Entry, name: str) -> str | None:
    """A text without surrounding space, or a number as text. ``None`` if it is empty."""
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return printable(str(value)).strip() or None


def number(entry: Entry, name: str) -> int | None:
    """A whole number."""
    value = entry.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def seconds(entry: Entry, name: str) -> float | None:
    """A time span, to a tenth of a second."""
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _LONGEST:
        return None
    return round(float(value), 1)


def flag(entry: Entry, name: str) -> bool | None:
    """Yes or no."""
    value = entry.get(name)
    return value if isinstance(value, bool) else None


def moment(entry: Entry, name: str) -> datetime | None:
    """A time."""
    value = entry.get(name)
    return from_text(value) if isinstance(value, str) else None


def section(entry: Entry, name: str) -> Entry:
    """Fields within a field."""
    value = entry.get(name)
    return value if isinstance(value, Mapping) else {}


def sections(entry: Entry, name: str) -> list[Entry]:
    """Entries within a field."""
    value = entry.get(name)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, (list, tuple)) else []


def texts(entry: Entry, name: str) -> list[str]:
    """Texts within a field."""
    value = entry.get(name)
    return [found for each in value if (found := text({"": each}, ""))] if isinstance(value, (list, tuple)) else []
