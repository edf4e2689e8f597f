# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON from outside."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._json import DEEPEST, UnfitJson, read_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON, st.booleans())
def test_what_was_written_is_read(value: t.Any, ascii_only: bool) -> None:
    assert read_json(json.dumps(value, ensure_ascii=ascii_only)) == value


def nested(depth: int) -> str:
    return '{"a":[' * (depth // 2) + "]}" * (depth // 2)


def test_depth() -> None:
    read_json(nested(DEEPEST))
    for depth in (DEEPEST + 2, 500, 1_000_000):
        with pytest.raises(UnfitJson, match=f"has more than {DEEPEST} objects and lists inside one another"):
            read_json(nested(depth))


@pytest.mark.parametrize("text", ["NaN", "[-Infinity]", '{"a": 1e999}'])
def test_numbers_that_are_none(text: str) -> None:
    with pytest.raises(UnfitJson, match="has a number that is none"):
        read_json(text)


@pytest.mark.parametrize("text", ["", "{", "nan", "<html>", "9" * 10_000])
def test_no_json(text: str) -> None:
    with pytest.raises(ValueError):
        read_json(text)


def test_half_characters() -> None:
    assert read_json(r'["\ud800", "\udc00x", "\ud83d\ude00", "\\ud800"]') == ["\ufffd", "\ufffdx", "\U0001f600", "\\ud800"]
    assert read_json(r'{"\ud800": {"a": "\udfff"}}') == {"\ufffd": {"a": "\ufffd"}}
    assert read_json('{"\ud801": 1}') == {"\ufffd": 1}
