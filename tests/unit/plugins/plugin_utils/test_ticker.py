# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading

import pytest

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils import _ticker
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ticker import Ticker


def test_it_calls_until_it_is_stopped() -> None:
    calls: list[int] = []
    thrice = threading.Event()

    def tick() -> float:
        calls.append(1)
        if len(calls) == 3:
            thrice.set()
        return 0.001

    ticker = Ticker(tick, 0.001)
    assert thrice.wait(10)
    ticker.stop()
    before = len(calls)
    assert not ticker._thread.is_alive()
    assert len(calls) == before


def test_a_call_may_end_it() -> None:
    calls: list[int] = []
    known = threading.Event()

    def tick() -> float:
        known.wait(10)
        calls.append(1)
        ticker.cancel()
        return 0.0

    ticker = Ticker(tick, 0.0)
    known.set()
    ticker._thread.join(10)
    assert not ticker._thread.is_alive()
    assert calls == [1]
    ticker.stop()


def test_stopping_waits_for_the_call_under_way() -> None:
    inside, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def tick() -> float:
        inside.set()
        go_on.wait(10)
        done.set()
        return 60.0

    ticker = Ticker(tick, 0.0)
    assert inside.wait(10)
    threading.Timer(0.05, go_on.set).start()
    ticker.stop()
    assert done.is_set()


def test_it_ends_with_the_program_even_if_nobody_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    at_exit: list[object] = []
    monkeypatch.setattr(_ticker.atexit, "register", at_exit.append)
    monkeypatch.setattr(_ticker.atexit, "unregister", at_exit.remove)
    ticker = Ticker(lambda: 60.0, 60.0)
    assert at_exit == [ticker.stop]
    assert ticker._thread.daemon
    ticker.stop()
    assert at_exit == []
    assert not ticker._thread.is_alive()
