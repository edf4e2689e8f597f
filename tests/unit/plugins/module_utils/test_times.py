# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import from_milliseconds, from_text, to_milliseconds, to_text, utc_now


@given(st.datetimes(min_value=datetime(1000, 1, 1)))
def test_what_is_written_can_be_read(moment: datetime) -> None:
    whole = moment.replace(microsecond=0, tzinfo=UTC)
    assert from_text(to_text(whole)) == whole


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2024-02-29T12:00:00", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2024-02-29T14:00:00+02:00", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        (" 2024-02-29 ", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2023-02-29T12:00:00Z", None),
        ("0001-01-01T00:00:00+02:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_reading(text: str, wanted: datetime | None) -> None:
    assert from_text(text) == wanted


def test_writing_converts_to_utc() -> None:
    assert to_text(datetime(2024, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))) == "2024-02-29T23:30:00Z"


def test_now_knows_its_zone() -> None:
    assert t.cast(timedelta, utc_now().utcoffset()) == timedelta(0)


@given(st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(3000, 1, 1)))
def test_milliseconds_come_back(moment: datetime) -> None:
    whole = moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=UTC)
    assert from_milliseconds(to_milliseconds(whole)) == whole


@pytest.mark.parametrize("number", [None, 0, -1, True, "1502570799000", float("nan"), float("inf"), 10**30])
def test_milliseconds_that_are_no_time(number: t.Any) -> None:
    assert from_milliseconds(number) is None
