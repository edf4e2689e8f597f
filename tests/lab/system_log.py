# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An appliance's system log, derived from its certificates: whoever used an expired one finds errors in it."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta

from lab.certificate import Certificate

ERROR_EVERY = timedelta(hours=6)
MOST_ERRORS = 20

_ERROR = "tmcloud[1187]: TLS handshake failed: error:14094415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired"
_REGISTERED = "tmcloud[1187]: registered with Cloud One, certificate valid until {expires:%Y-%m-%d}"
_ORDINARY = (
    (timedelta(hours=2), "sysd[402]: configuration {running} saved by admin"),
    (timedelta(minutes=90), "ntpd[377]: clock synchronised, offset 0.4 ms"),
    (timedelta(minutes=20), "sysd[402]: health state 1 reported"),
)

Entry = tuple[datetime, str]


def _errors(certificate: Certificate, now: datetime) -> list[Entry]:
    """Return the errors while the appliance used this certificate beyond its end, the last ones only: logs rotate."""
    end = min(certificate.given_up_at or now, now)
    times: list[datetime] = []
    moment = certificate.expires_at
    count = max(0, int((end - moment) / ERROR_EVERY) + 1) if moment <= end else 0
    for number in range(max(0, count - MOST_ERRORS), count):
        times.append(moment + number * ERROR_EVERY)
    return [(time, _ERROR) for time in times]


def system_log(host_name: str, certificates: t.Iterable[Certificate], now: datetime) -> list[str]:
    """Return the log's lines, oldest first.

    :param certificates: all that the appliance ever had. Errors of replaced ones stay in the log.
    :returns: lines like ``2026-01-31T04:05:06.000Z HOST program[pid]: text``, times in UTC.
    """
    entries = [(now - age, text) for age, text in _ORDINARY]
    for certificate in certificates:
        entries.append((certificate.issued_at, _REGISTERED.format(expires=certificate.expires_at)))
        entries.extend(_errors(certificate, now))
    return [f"{time:%Y-%m-%dT%H:%M:%S}.000Z {host_name} {text}" for time, text in sorted(entries)]
