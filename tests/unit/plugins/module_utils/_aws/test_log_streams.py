# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CloudWatch Logs says, where its answers are odd or do not end."""

from __future__ import annotations

import itertools
import types
import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws import log_streams
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
CLIENT = types.SimpleNamespace(meta=types.SimpleNamespace(region_name="eu-west-1"))


def newest() -> datetime | None:
    return log_streams.newest_event(CLIENT, "group", "system_i-1", SINCE)


def test_empty_pages_that_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = itertools.count()
    monkeypatch.setattr(log_streams, "call", lambda *_call, **_arguments: {"events": [], "nextBackwardToken": str(next(tokens))})
    with pytest.raises(AwsError, match="system_i-1 of group in eu-west-1 has more than 1000 pages without an event"):
        newest()
    assert next(tokens) == 1000


@pytest.mark.parametrize("timestamp", [10**20, -1])
def test_a_time_that_is_none(monkeypatch: pytest.MonkeyPatch, timestamp: int) -> None:
    answer: dict[str, t.Any] = {"events": [{"timestamp": timestamp}], "nextBackwardToken": "x"}
    monkeypatch.setattr(log_streams, "call", lambda *_call, **_arguments: answer)
    assert newest() is None
