# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._estimate import Evidence, batch_sizes, waves

seconds = st.floats(0, 1e5)


@pytest.mark.parametrize(
    ("hosts", "serial", "expected"),
    [
        (50, [1, 12, 50], [1, 12, 37]),
        (7, [], [7]),
        (7, [-1], [7]),
        (7, [0], [7]),
        (7, [2], [2, 2, 2, 1]),
        (7, [1, 3], [1, 3, 3]),
        (2, [5], [2]),
        (0, [1], []),
    ],
)
def test_batches_are_those_that_ansible_makes(hosts: int, serial: list[int], expected: list[int]) -> None:
    assert batch_sizes(hosts, serial) == expected


@given(st.integers(0, 500), st.lists(st.integers(-3, 60), max_size=4))
def test_every_host_is_in_a_batch(hosts: int, serial: list[int]) -> None:
    sizes = batch_sizes(hosts, serial)
    assert sum(sizes) == hosts
    assert all(size > 0 for size in sizes)


@pytest.mark.parametrize(("hosts", "forks", "expected"), [(1, 5, 1), (5, 5, 1), (6, 5, 2), (0, 5, 0)])
def test_hosts_beyond_the_forks_wait_for_the_next_wave(hosts: int, forks: int, expected: int) -> None:
    assert waves(hosts, forks) == expected


def test_without_a_batch_nothing_is_expected() -> None:
    assert Evidence().expect(3, 9) is None


def test_one_batch_says_what_a_wave_takes() -> None:
    evidence = Evidence()
    evidence.add(2, 60.0)
    assert evidence.expect(1, 2) == 60.0
    assert evidence.expect(2, 5) == 150.0


def test_two_batches_tell_apart_what_each_wave_takes_and_what_it_takes_in_any_case() -> None:
    evidence = Evidence()
    evidence.add(1, 40.0)
    evidence.add(3, 60.0)
    assert evidence.expect(1, 8) == pytest.approx(110.0)
    assert evidence.expect(2, 8) == pytest.approx(140.0)


def test_a_larger_batch_that_was_faster_makes_no_negative_wave() -> None:
    evidence = Evidence()
    evidence.add(1, 60.0)
    evidence.add(3, 20.0)
    assert evidence.expect(2, 50) == 80.0


def test_growing_waves_make_no_negative_batch() -> None:
    evidence = Evidence()
    evidence.add(1, 1.0)
    evidence.add(2, 29.0)
    assert evidence.expect(1, 1) == 10.0


@given(st.lists(st.tuples(st.integers(1, 50), seconds), min_size=1, max_size=20), st.integers(1, 20), st.integers(1, 500), st.integers(0, 100))
def test_more_waves_never_take_less(finished: list[tuple[int, float]], batches: int, batch_waves: int, more: int) -> None:
    evidence = Evidence()
    for each, took in finished:
        evidence.add(each, took)
    few, many = evidence.expect(batches, batch_waves), evidence.expect(batches, batch_waves + more)
    assert few is not None and many is not None
    assert 0 <= few <= many


@given(st.integers(0, 1000), st.integers(1, 1000), st.lists(st.integers(1, 50), min_size=2, max_size=9, unique=True))
def test_what_is_regular_is_expected_exactly(per_batch: int, per_wave: int, sizes: list[int]) -> None:
    evidence = Evidence()
    for size in sizes:
        evidence.add(size, float(per_batch + per_wave * size))
    assert evidence.expect(2, 30) == pytest.approx(2 * per_batch + 30 * per_wave, rel=1e-6, abs=1e-3)
