# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking for events where the answers of CloudWatch Logs do not end."""

from __future__ import annotations

import itertools
import typing as t
from datetime import UTC, datetime

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs import delivery_watch
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.delivery import Sighting, Stream

STREAM = Stream("eu-west-1", "group", "system_i-1", datetime(2026, 3, 1, tzinfo=UTC))


def test_empty_pages_that_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = itertools.count()
    monkeypatch.setattr(delivery_watch, "call", lambda *_call, **_arguments: {"events": [], "nextBackwardToken": str(next(tokens))})
    with pytest.raises(AwsError, match="system_i-1 of group in eu-west-1 has more than 1000 pages without an event"):
        delivery_watch._newest_event(None, STREAM, Sighting(True))
    assert next(tokens) == 1000


@pytest.mark.parametrize("timestamp", [10**20, -1])
def test_a_time_that_is_none(monkeypatch: pytest.MonkeyPatch, timestamp: int) -> None:
    answer: dict[str, t.Any] = {"events": [{"timestamp": timestamp}], "nextBackwardToken": "x"}
    monkeypatch.setattr(delivery_watch, "call", lambda *_call, **_arguments: answer)
    assert delivery_watch._newest_event(None, STREAM, Sighting(True)) == Sighting(True, None)
