# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which events are handed on, and when."""

from __future__ import annotations

import pytest

from ansible_collections.trendmicro.cloudone.extensions.eda.plugins.module_utils import gate as gate_module
from ansible_collections.trendmicro.cloudone.extensions.eda.plugins.module_utils.gate import Deferred, Duplicate, Gate, HandOn
from ansible_collections.trendmicro.cloudone.extensions.eda.plugins.module_utils.options import Options
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/errors"


def hand_on(gate: Gate, instance_id: str, now: float) -> None:
    assert gate.judge(instance_id, now) == HandOn()
    gate.handed_on(instance_id, now)


def test_an_appliance_is_handed_on_once_in_a_window() -> None:
    gate = Gate(window=100, limit=10, period=10)
    hand_on(gate, "a", 0)
    assert gate.judge("a", 99) == Duplicate()
    hand_on(gate, "a", 100)


def test_what_was_not_handed_on_is_no_duplicate() -> None:
    gate = Gate(window=100, limit=1, period=10)
    assert gate.judge("a", 0) == gate.judge("a", 1) == HandOn()


def test_those_beyond_the_limit_get_turns_one_behind_the_other_and_are_told_once() -> None:
    gate = Gate(window=1000, limit=2, period=60)
    hand_on(gate, "a", 0)
    hand_on(gate, "b", 10)
    turns = [gate.judge(name, 20) for name in "cdef"]
    assert turns == [Deferred(40, True), Deferred(50, True), Deferred(100, True), Deferred(110, True)]
    assert gate.judge("d", 30) == Deferred(40, False)
    hand_on(gate, "c", 60)
    hand_on(gate, "d", 70)
    hand_on(gate, "e", 120)
    hand_on(gate, "f", 130)


def test_whoever_finds_its_turn_taken_waits_for_the_next() -> None:
    gate = Gate(window=1000, limit=1, period=60)
    hand_on(gate, "a", 0)
    assert gate.judge("b", 1) == Deferred(59, True)
    hand_on(gate, "c", 60)
    assert gate.judge("b", 61) == Deferred(59, False)
    hand_on(gate, "b", 120)


def test_no_more_than_the_limit_in_any_period_and_nobody_is_lost() -> None:
    gate, waiting, handed, now = Gate(window=10_000, limit=3, period=60), {str(number): 0.0 for number in range(20)}, [], 0
    while waiting:
        for name in [name for name, turn in waiting.items() if turn <= now]:
            judgement = gate.judge(name, now)
            if isinstance(judgement, Deferred):
                waiting[name] = now + judgement.seconds
            else:
                gate.handed_on(name, now)
                handed.append(now)
                del waiting[name]
        now += 1
        assert now < 1000
    assert handed == sorted(handed) and len(handed) == 20
    assert all(later - earlier >= 60 for earlier, later in zip(handed, handed[3:], strict=False))


def test_appliances_without_end_take_no_memory_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "MOST_WAITING", 3)
    gate = Gate(window=10, limit=1, period=60)
    hand_on(gate, "a", 0)
    assert [gate.judge(name, 1) for name in "bcd"] == [Deferred(59, True), Deferred(119, True), Deferred(179, True)]
    assert gate.judge("e", 1) == gate.judge("f", 1) == Deferred(239, True)


def test_options_are_read_from_text_and_have_defaults() -> None:
    options = Options.from_arguments({"queue_url": QUEUE, "max_renewals": "5", "region": "", "profile": None, "feedback": True, "eda_feedback_queue": 1})
    assert options == Options(queue_url=QUEUE, wait_seconds=20, window=3600, max_renewals=5, period=3600, aws={})


@pytest.mark.parametrize(
    ("argument", "value", "said"),
    [
        ("queue_url", "errors", "queue_url must be the URL"),
        ("queue_url", None, "queue_url must be the URL"),
        ("wait_seconds", 21, "wait_seconds must be a whole number from 0 to 20, not 21."),
        ("max_renewals", 0, "max_renewals must be a whole number from 1"),
        ("period", "an hour", "period must be a whole number"),
        ("queue", QUEUE, "has no option queue."),
    ],
)
def test_options_that_cannot_be_are_refused(argument: str, value: object, said: str) -> None:
    with pytest.raises(InputError, match=said.replace(".", r"\.")):
        Options.from_arguments({"queue_url": QUEUE, argument: value})
