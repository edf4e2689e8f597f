# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An appliance's system log, derived from its certificates: whoever used an expired one finds errors in it."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from lab.certificate import Certificate

ERROR_EVERY = timedelta(hours=6)
MOST_ERRORS = 20
# Much more often than a real appliance, so that nobody has to wait for a line.
HEALTH_EVERY = timedelta(seconds=2)
MOST_HEALTH_LINES = 50
# In the past, which nobody waits for.
PAST_HEALTH_EVERY = timedelta(hours=8)
BEGINNING = datetime.min.replace(tzinfo=UTC)

_ERROR = "tmcloud[1187]: TLS handshake failed: error:14094415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired"
_REGISTERED = "tmcloud[1187]: registered with Cloud One, certificate valid until {expires:%Y-%m-%d}"
_HEALTH = "sysd[402]: health state 1 reported"
_BEFORE_START = (
    (timedelta(hours=2), "sysd[402]: configuration {running} saved by admin"),
    (timedelta(minutes=90), "ntpd[377]: clock synchronised, offset 0.4 ms"),
    (timedelta(minutes=20), _HEALTH),
)


class Entry(t.NamedTuple):
    """One line of a log and its time."""

    time: datetime
    text: str

    def line(self, host_name: str) -> str:
        """Return the line as it is written: ``2026-01-31T04:05:06.000Z HOST program[pid]: text``, in UTC."""
        return f"{self.time:%Y-%m-%dT%H:%M:%S}.000Z {host_name} {self.text}"

    def dated(self, clock_ahead: timedelta) -> Entry:
        """Return the entry with the time that a clock shows which is ahead of the true time."""
        return Entry(self.time + clock_ahead, self.text)


def moments(first: datetime, every: timedelta, *, after: datetime, until: datetime, most: int | None = None) -> list[datetime]:
    """Return the times ``first``, ``first + every``, ... that lie after the one time and not after the other.

    :param most: how many a log holds, counted back from ``until``: logs rotate; ``None``: all.
    """
    last = (until - first) // every
    begin = max(0, 0 if most is None else last - most + 1, (after - first) // every + 1)
    return [first + number * every for number in range(begin, last + 1)]


def system_entries(certificates: t.Iterable[Certificate], *, started_at: datetime, after: datetime, until: datetime) -> list[Entry]:
    """Return the entries of a time span, oldest first. What was returned once for a moment never changes.

    :param certificates: all that the appliance ever had. Errors of replaced ones stay in the log.
    :param started_at: when the lab started: from then on the appliance reports its health.
    """
    entries = [Entry(started_at - age, text) for age, text in _BEFORE_START]
    entries += [Entry(moment, _HEALTH) for moment in moments(started_at + HEALTH_EVERY, HEALTH_EVERY, after=after, until=until, most=MOST_HEALTH_LINES)]
    for certificate in certificates:
        end = min(certificate.given_up_at or until, until)
        entries.append(Entry(certificate.issued_at, _REGISTERED.format(expires=certificate.expires_at)))
        entries += [Entry(moment, _ERROR) for moment in moments(certificate.expires_at, ERROR_EVERY, after=after, until=end, most=MOST_ERRORS)]
    return sorted(entry for entry in entries if after < entry.time <= until)


def past_system_entries(certificates: t.Iterable[Certificate], *, after: datetime, until: datetime) -> list[Entry]:
    """Return everything that an appliance wrote in a time before the lab started, oldest first; nothing of it has rotated away.

    :param until: when the lab started, or the instance was stopped.
    """
    entries = [Entry(moment, _HEALTH) for moment in moments(after, PAST_HEALTH_EVERY, after=after, until=until)]
    for certificate in certificates:
        end = min(certificate.given_up_at or until, until)
        entries.append(Entry(certificate.issued_at, _REGISTERED.format(expires=certificate.expires_at)))
        entries += [Entry(moment, _ERROR) for moment in moments(certificate.expires_at, ERROR_EVERY, after=after, until=end)]
    return sorted(entry for entry in entries if after < entry.time <= until)
