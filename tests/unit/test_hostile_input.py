# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever comes from outside, only errors for people come of it. The same targets as of `make fuzz`, with input made by hypothesis."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from fuzz.targets import SEEDS, TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st

Json = t.Any

JSON_TARGETS = ("network_security", "conformity", "record", "report", "rule")
# Each input of these takes a thread or waits for an answer that does not come.
SLOW = {"ssh_server": 8, "session": 40}
EXAMPLES = 60

HOSTILE_TEXTS = (
    "{{ lookup('pipe', 'id') }}",
    "{% for x in y %}",
    "!!python/object/apply:os.system [id]",
    "\x1b[2J\x1b]0;x\x07",
    "\u202eevil\u2028second line",
    "\ud800 half",
    "<script>alert(1)</script>",
    "a: b\n- c\n'\"",
    "\0",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    "x" * 10_000,
    "9" * 5000,
)
HOSTILE_VALUES = st.one_of(
    st.sampled_from([None, True, -1, 0, 10**40, 1e308, -0.5, "", [], {}, [[[[]]]], {"a": {"b": {}}}, "NaN"]),
    st.sampled_from(HOSTILE_TEXTS),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8),
)


def places(value: Json, path: tuple[t.Any, ...] = ()) -> list[tuple[t.Any, ...]]:
    """The way to each value in a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


@st.composite
def spoiled(draw: st.DrawFn, seeds: list[bytes]) -> bytes:
    """A document that is as it should be, but for a few values."""
    document = json.loads(draw(st.sampled_from(seeds)))
    for _time in range(draw(st.integers(1, 3))):
        *way, last = ("", *draw(st.sampled_from(places(document))))
        box = holder = {"": copy.deepcopy(document)}
        for key in way:
            holder = holder[key]
        holder[last] = draw(HOSTILE_VALUES)
        document = box[""]
    return json.dumps(document).encode()


def inputs(target: str) -> st.SearchStrategy[bytes]:
    seeds = SEEDS[target]
    rough = st.binary(max_size=300) | st.lists(st.sampled_from(seeds) | st.binary(max_size=20), max_size=4).map(b"".join)
    written = st.text(max_size=200).map(lambda text: text.encode("utf-8", errors="surrogatepass")) | st.sampled_from(HOSTILE_TEXTS).map(
        lambda text: text.encode("utf-8", errors="surrogatepass")
    )
    return rough | written | (spoiled(seeds) if target in JSON_TARGETS else st.sampled_from(seeds))


@pytest.mark.parametrize("target", TARGETS)
def test_input_of_any_form(target: str) -> None:
    @settings(max_examples=SLOW.get(target, EXAMPLES))
    @given(inputs(target))
    def put_in(data: bytes) -> None:
        TARGETS[target](data)

    put_in()


@pytest.mark.parametrize("target", JSON_TARGETS)
def test_deep_and_huge_documents(target: str) -> None:
    for document in (b"[" * 100_000, b'{"a":' * 100_000, b"[" * 900 + b"]" * 900, b"9" * 100_000, b"1e999", b"NaN", b'{"ID": 1e999}'):
        TARGETS[target](document)


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_not_hostile_is_taken(target: str) -> None:
    for seed in SEEDS[target]:
        TARGETS[target](seed)
