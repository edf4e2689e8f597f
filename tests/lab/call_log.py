# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record of every call that reached the lab from outside."""

from __future__ import annotations

import threading
import time
import typing as t
from collections import deque

MOST_CALLS = 200_000

Call = dict[str, t.Any]


class CallLog:
    """The last calls, oldest first. Thread-safe; holds no secret, because callers record none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=MOST_CALLS)

    def record(self, target: str, **facts: t.Any) -> None:
        """Record a call.

        :param target: ``api``, ``aws`` or ``cli``.
        :param facts: what tells calls of this target apart, as JSON values.
        """
        with self._lock:
            self._calls.append({"target": target, "time": time.time(), **facts})

    def list(self, target: str | None = None) -> list[Call]:
        """Return the calls, of one target if given."""
        with self._lock:
            return [dict(call) for call in self._calls if target in (None, call["target"])]

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()
