# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON from outside, of which whatever comes after it can make something."""

from __future__ import annotations

import json
import math
import re
import typing as t

DEEPEST = 50  # objects and lists inside one another

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")


class UnfitJson(ValueError):
    """It is JSON, and of no use; the text continues a sentence that begins with what it is."""


def read_json(text: str) -> t.Any:
    """Read JSON. Half characters, which no program can write, are replaced.

    :raises UnfitJson: it is too deep, or has a number that is none.
    :raises ValueError: it is no JSON.
    """
    try:
        value = json.loads(text, parse_constant=_number, parse_float=_number)
    except RecursionError:
        raise _too_deep() from None
    if _is_too_deep(value):
        raise _too_deep()
    return _without_halves(value) if _ESCAPED_HALF.search(text) or _HALF_CHARACTER.search(text) else value


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UnfitJson("has a number that is none")
    return value


def _is_too_deep(value: t.Any) -> bool:
    """Goes down layer by layer, since recursion is what shall be avoided."""
    layer = [value] if isinstance(value, (dict, list)) else []
    for _depth in range(DEEPEST):
        layer = [inner for outer in layer for inner in (outer.values() if isinstance(outer, dict) else outer) if isinstance(inner, (dict, list))]
    return bool(layer)


def _too_deep() -> UnfitJson:
    return UnfitJson(f"has more than {DEEPEST} objects and lists inside one another")


def _without_halves(value: t.Any) -> t.Any:
    if isinstance(value, str):
        return _HALF_CHARACTER.sub("\ufffd", value)
    if isinstance(value, list):
        return list(map(_without_halves, value))
    if isinstance(value, dict):
        return {_without_halves(key): _without_halves(inner) for key, inner in value.items()}
    return value
