# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate errors in lines of an appliance's system log, and when they were logged.

The form of the log's time stamps is not documented: ISO 8601 and the traditional syslog form are understood, UTC where no zone is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# What the vendor tells users to search for.
SEARCH_WORDS = "sslv3 alert certificate"

_ISO = re.compile(r"(?<!\d)(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)?(?: ?(Z|UTC|GMT|[+-]\d\d:?\d\d))?(?!\d)", re.IGNORECASE)
_SYSLOG = re.compile(r"(?<!\w)([A-Z][a-z]{2}) +(\d{1,2}) (?:(\d{4}) )?(\d\d:\d\d:\d\d)(?!\d)")


@dataclass(frozen=True)
class LogLine:
    """One line of a log.

    :ivar time: when it was logged, aware, in UTC; ``None`` if the line does not say.
    """

    time: datetime | None
    text: str


def parse_time(text: str, now: datetime) -> datetime | None:
    """The first time stamp in ``text``, in UTC.

    :param now: aware; a stamp without a year is the latest such day that is not in the future (but for a day, for clocks that differ).
    :returns: ``None`` if there is no time stamp, or none that exists.
    """
    candidates = [match for match in (_ISO.search(text), _SYSLOG.search(text)) if match]
    if not candidates:
        return None
    match = min(candidates, key=lambda found: found.start())
    try:
        return _iso_time(match) if match.re is _ISO else _syslog_time(match, now)
    except (ValueError, OverflowError):
        return None


def certificate_errors(lines: Iterable[str], now: datetime) -> list[LogLine]:
    """The lines that report a certificate error, in their order."""
    return [LogLine(parse_time(line, now), line.strip()) for line in lines if is_certificate_error(line)]


def is_certificate_error(line: str) -> bool:
    """Whether a line reports a certificate error. One that records someone's search for such errors does not."""
    return SEARCH_WORDS in line.lower() and "show log-file" not in line.lower()


def _iso_time(match: re.Match[str]) -> datetime:
    day, time, zone = match.groups()
    offset = "+00:00" if zone is None or zone.upper() in ("Z", "UTC", "GMT") else zone
    return datetime.fromisoformat(f"{day}T{time}{offset}").astimezone(UTC)


def _syslog_time(match: re.Match[str], now: datetime) -> datetime:
    month, day, year, time = match.groups()

    def in_year(number: int) -> datetime:
        return datetime.strptime(f"{number} {month} {day} {time}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)

    if year:
        return in_year(int(year))
    # 29 February exists in one year out of up to eight.
    for past in range(8):
        try:
            logged = in_year(now.astimezone(UTC).year - past)
        except ValueError:
            continue
        if logged <= now + timedelta(days=1):
            return logged
    raise ValueError("no such day")
