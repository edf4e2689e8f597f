# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._progress import NAME_LENGTH, PlayProgress, duration, one_line

NOON = datetime(2026, 3, 1, 12, 0)


def play(hosts: int, serial: t.Sequence[int] = (), steps: t.Sequence[str] | None = ("a", "b"), forks: int = 5) -> PlayProgress:
    return PlayProgress("Renew", hosts=hosts, serial=serial, steps=steps, forks=forks, now=0.0)


def step(progress: PlayProgress, key: str, now: float, *, countable: bool = True, handler: bool = False) -> None:
    progress.begin_step(key, f"Do {key}", countable=countable, handler=handler, now=now)


def test_a_run_in_batches_from_begin_to_end() -> None:
    progress = play(4, [1, 3])
    progress.begin_batch(["h1"], (), 0.0)
    assert progress.tell(0.0, NOON) == "Renew: 0 of 4 done, 0 failed, 1 running, 3 left; batch 1 of 2; 0:00 elapsed"
    step(progress, "a", 1.0, countable=False)
    progress.end_step("a", "h1")
    step(progress, "b", 2.0)
    assert progress.tell(3.0, NOON) == "Renew: 0 of 4 done, 0 failed, 1 running, 3 left; batch 1 of 2, step 2 of 2: Do b; 0:03 elapsed"
    progress.end_step("b", "h1", changed=True)
    progress.end_batch(60.0)
    assert progress.tell_batch(60.0, NOON) == (
        "Renew: 1 of 4 done (1 changed), 0 failed, 3 left; batch 1 of 2 ended after 1:00; 1:00 elapsed, ends about 12:01"
    )

    progress.begin_batch(["h2", "h3", "h4"], (), 60.0)
    step(progress, "a", 70.0)
    progress.end_step("a", "h2", changed=True)
    progress.fail("h3")
    assert progress.tell(80.0, NOON) == (
        "Renew: 1 of 4 done (1 changed), 1 failed, 2 running, 0 left; batch 2 of 2, step 1 of 2: Do a (1 of 3 hosts); 1:20 elapsed, ends about 12:00"
    )
    progress.end_step("a", "h4", skipped=True)
    step(progress, "b", 90.0)
    progress.end_step("b", "h2")
    assert progress.tell(121.0, NOON) == (
        "Renew: 2 of 4 done (2 changed), 1 failed, 1 running, 0 left; batch 2 of 2, step 2 of 2: Do b (1 of 2 hosts); 2:01 elapsed"
    )
    progress.end_batch(122.0)
    assert progress.tell_end(122.0) == "Renew: 3 of 4 done (2 changed), 1 failed, 0 left; ended after 2:02"


def test_one_batch_needs_no_number_and_has_no_estimate() -> None:
    progress = play(2)
    progress.begin_batch(["h1", "h2"], (), 0.0)
    step(progress, "a", 0.0)
    assert progress.tell(500.0, NOON) == "Renew: 0 of 2 done, 0 failed, 2 running, 0 left; step 1 of 2: Do a; 8:20 elapsed"


def test_hosts_of_a_batch_that_was_broken_off_are_not_done() -> None:
    progress = play(6, [3])
    progress.begin_batch(["h1", "h2", "h3"], (), 0.0)
    step(progress, "b", 0.0)
    progress.end_step("b", "h1")
    progress.fail("h2")
    progress.break_off()
    progress.end_batch(1.0)
    assert progress.tell_end(1.0) == "Renew: 1 of 6 done, 1 failed, 4 left; ended after 0:01"


def test_who_failed_in_a_play_before_has_failed() -> None:
    progress = play(2)
    progress.begin_batch(["h1", "h2"], {"h2", "elsewhere"}, 0.0)
    progress.end_batch(1.0)
    assert progress.tell_end(1.0) == "Renew: 1 of 2 done, 1 failed, 0 left; ended after 0:01"


def test_what_a_failed_host_still_does_does_not_make_it_done() -> None:
    progress = play(1)
    progress.begin_batch(["h1"], (), 0.0)
    progress.fail("h1")
    progress.fail("h1")
    progress.end_step("b", "h1", changed=True)
    progress.end_batch(1.0)
    assert (progress.done, progress.failed, progress.left) == (0, {"h1"}, 0)


def test_a_batch_in_which_all_failed_is_no_evidence() -> None:
    progress = play(2, [1])
    progress.begin_batch(["h1"], (), 0.0)
    progress.fail("h1")
    progress.end_batch(1.0)
    assert progress.seconds_left(1.0) is None


def test_an_estimate_that_the_run_has_disproved_is_not_shown() -> None:
    progress = play(3, [1])
    progress.begin_batch(["h1"], (), 0.0)
    progress.end_batch(10.0)
    progress.begin_batch(["h2"], (), 10.0)
    assert progress.seconds_left(10.0) == 20.0
    assert progress.seconds_left(19.0) == 11.0
    assert progress.seconds_left(20.0) is None


def test_an_end_on_another_day_has_its_date() -> None:
    progress = play(2, [1])
    progress.begin_batch(["h1"], (), 0.0)
    progress.end_batch(13 * 3600.0)
    progress.begin_batch(["h2"], (), 13 * 3600.0)
    assert progress.tell(13 * 3600.0, NOON).endswith("; 13:00:00 elapsed, ends about 2026-03-02 01:00")


def test_the_end_of_a_step_is_estimated_after_a_whole_wave() -> None:
    progress = play(10, forks=2)
    progress.begin_batch([f"h{number}" for number in range(10)], (), 0.0)
    step(progress, "a", 10.0)
    progress.end_step("a", "h0", skipped=True)
    progress.end_step("a", "h1")
    assert "Do a (2 of 10 hosts); " in progress.tell(20.0, NOON)
    progress.end_step("a", "h2")
    # Two at a time took 10 s; 7 more are four waves at most.
    assert "Do a (3 of 10 hosts, about 0:35 more); " in progress.tell(20.0, NOON)


def test_tasks_that_are_included_while_it_runs_are_counted_as_they_come() -> None:
    progress = play(1, steps=None)
    progress.begin_batch(["h1"], (), 0.0)
    for key in ("x", "y", "x", "z"):
        step(progress, key, 0.0)
    assert "; step 3: Do z; " in progress.tell(0.0, NOON)


def test_handlers_have_no_number() -> None:
    for steps in (None, ("a",)):
        progress = play(1, steps=steps)
        progress.begin_batch(["h1"], (), 0.0)
        step(progress, "handler", 0.0, handler=True)
        assert "; step: Do handler; " in progress.tell(0.0, NOON)


def test_a_step_that_begins_again_on_another_host_goes_on_counting() -> None:
    progress = play(3)
    progress.begin_batch(["h1", "h2", "h3"], (), 0.0)
    step(progress, "a", 0.0)
    progress.end_step("a", "h1")
    step(progress, "a", 1.0)
    progress.end_step("a", "h2")
    assert "(2 of 3 hosts)" in progress.tell(1.0, NOON)


@given(st.data())
def test_every_host_is_counted_once_whatever_happens(data: st.DataObject) -> None:
    hosts = data.draw(st.integers(1, 12))
    serial = data.draw(st.lists(st.integers(0, 6), max_size=3))
    progress = play(hosts, serial, steps=data.draw(st.sampled_from([None, ("a", "b")])), forks=data.draw(st.integers(0, 4)))
    names, now = [f"h{number}" for number in range(hosts)], 0.0
    sizes = list(progress._sizes)
    for size in sizes[: data.draw(st.integers(0, len(sizes)))]:
        batch, names = names[:size], names[size:]
        progress.begin_batch(batch, data.draw(st.sets(st.sampled_from(batch))), now)
        for event in data.draw(st.lists(st.sampled_from(["step", "end", "fail", "break"]), max_size=12)):
            now += data.draw(st.floats(0, 100))
            key, host = data.draw(st.sampled_from(["a", "b", "?"])), data.draw(st.sampled_from([*batch, "stranger"]))
            if event == "step":
                step(progress, key, now, countable=data.draw(st.booleans()), handler=data.draw(st.booleans()))
            elif event == "end":
                progress.end_step(key, host, changed=data.draw(st.booleans()), skipped=data.draw(st.booleans()))
            elif event == "fail":
                progress.fail(host)
            else:
                progress.break_off()
            assert progress.done + len(progress.failed) + len(progress.running) + progress.left == hosts
            assert progress.left >= 0
            assert 0 <= progress.done_changed <= progress.done
            assert "\n" not in progress.tell(now, NOON)
        progress.end_batch(now)
        assert not progress.running
        assert "\n" not in progress.tell_batch(now, NOON) + progress.tell_end(now)


@pytest.mark.parametrize(("seconds", "expected"), [(0, "0:00"), (59.6, "1:00"), (161, "2:41"), (3761, "1:02:41"), (-3, "0:00")])
def test_durations_are_read_at_a_glance(seconds: float, expected: str) -> None:
    assert duration(seconds) == expected


@given(st.text(max_size=300))
def test_a_name_is_one_line_that_any_terminal_takes(text: str) -> None:
    line = one_line(text)
    assert len(line) <= NAME_LENGTH
    assert line.isprintable()
    assert line == line.strip()


def test_control_sequences_do_not_reach_the_terminal() -> None:
    assert one_line("a\x1b[2J\nb\t c") == "a [2J b c"
    assert one_line("x" * 200) == "x" * 99 + "…"
