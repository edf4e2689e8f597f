# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate errors in the system log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.system_log import LogLine, certificate_errors, parse_time

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
ERROR = "tmcloud[7]: error:14094415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired"

times = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 12, 31)).map(lambda time: time.replace(microsecond=0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-31T04:05:06Z nsva-1 text", "2026-01-31T04:05:06+00:00"),
        ("2026-01-31T04:05:06.789Z nsva-1 text", "2026-01-31T04:05:06+00:00"),
        ("[2026-01-31 04:05:06,789] text", "2026-01-31T04:05:06+00:00"),
        ("2026-01-31 04:05:06 UTC text", "2026-01-31T04:05:06+00:00"),
        ("2026-01-31T04:05:06+02:00 text", "2026-01-31T02:05:06+00:00"),
        ("2026-01-31T04:05:06-0530 text", "2026-01-31T09:35:06+00:00"),
        ("Jan 31 04:05:06 nsva-1 text", "2026-01-31T04:05:06+00:00"),
        ("Jan  1 04:05:06 nsva-1 text", "2026-01-01T04:05:06+00:00"),
        ("Dec 31 23:59:59 nsva-1 text", "2025-12-31T23:59:59+00:00"),
        ("Feb 29 10:00:00 nsva-1 text", "2024-02-29T10:00:00+00:00"),
        ("Jan 31 2019 04:05:06 text", "2019-01-31T04:05:06+00:00"),
        # A clock that is a little ahead is not one year behind.
        ("Mar  2 11:00:00 text", "2026-03-02T11:00:00+00:00"),
        # The first one is the line's own.
        ("Jan 31 04:05:06 until 2027-01-01T00:00:00Z", "2026-01-31T04:05:06+00:00"),
        ("2026-02-30T00:00:00Z text", None),
        ("2026-01-31T04:05:06+99:99 text", None),
        ("Foo 31 04:05:06 text", None),
        ("Feb 30 04:05:06 text", None),
        ("no time", None),
        ("12026-01-31T04:05:06Z", None),
    ],
)
def test_parse_time(text: str, time: str | None) -> None:
    parsed = parse_time(text, NOW)
    assert (parsed.isoformat() if parsed else None) == time


@given(times)
def test_iso_times_are_read_as_written(time: datetime) -> None:
    assert parse_time(f"{time.isoformat()} nsva-1 text", NOW) == time


@given(times)
def test_a_time_without_a_year_is_the_latest_possible(now: datetime) -> None:
    logged = parse_time(f"{now - timedelta(days=200):%b %e %H:%M:%S} nsva-1 text", now)
    if logged:
        assert logged <= now + timedelta(days=1)
        assert (logged.day, logged.hour) == ((now - timedelta(days=200)).day, now.hour)


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    parse_time(text, NOW)


def test_certificate_errors() -> None:
    lines = [
        "No matches",
        f"2026-01-31T04:05:06Z nsva-1 {ERROR}",
        "2026-01-31T04:05:07Z nsva-1 cli: admin ran 'show log-file system search sslv3 alert certificate'",
        f"  {ERROR.upper()} ",
        "",
    ]
    assert certificate_errors(lines, NOW) == [
        LogLine(datetime(2026, 1, 31, 4, 5, 6, tzinfo=UTC), lines[1]),
        LogLine(None, ERROR.upper()),
    ]


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00 x", "9999-12-31T23:59:59-14:00 x"])
def test_a_time_that_is_none_in_utc(text: str) -> None:
    assert parse_time(text, NOW) is None
