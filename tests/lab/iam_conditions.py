# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of policies. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address, ip_network

Json = dict[str, t.Any]
# Values of context keys by the key's name in lower case: names of keys are case-insensitive.
Context = t.Mapping[str, t.Sequence[str]]

_OPERATOR = re.compile(r"(?:(?P<set>ForAllValues|ForAnyValue):)?(?P<test>\w+?)(?P<if_exists>IfExists)?")


class NotEvaluated(Exception):
    """The lab does not know this kind of condition; ``str()`` names it."""


def listed(value: t.Any) -> list[t.Any]:
    """A policy may have a single value where it may have a list."""
    return value if isinstance(value, list) else [value]


@lru_cache(maxsize=1024)
def wildcards(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Compile a text in which ``*`` stands for any text, ``?`` for one character, and everything else for itself."""
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), flags | re.DOTALL)


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "ArnEquals": lambda value, wanted: bool(wildcards(wanted).fullmatch(value)),
    "ArnLike": lambda value, wanted: bool(wildcards(wanted).fullmatch(value)),
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "IpAddress": lambda value, wanted: ip_address(value) in ip_network(wanted, strict=False),
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": lambda value, wanted: bool(wildcards(wanted).fullmatch(value)),
}


def keys_of(condition: t.Mapping[str, Json]) -> set[str]:
    """Return the context keys that a condition asks for."""
    return {key for wanted in condition.values() for key in wanted}


def met(condition: t.Mapping[str, Json], context: Context) -> bool:
    """Whether all parts of a condition are met.

    :raises NotEvaluated: for an operator that is not known here.
    """
    return all(
        _part_met(operator, context.get(key.lower(), ()), [str(one).lower() if isinstance(one, bool) else str(one) for one in listed(wanted)])
        for operator, by_key in condition.items()
        for key, wanted in by_key.items()
    )


def _part_met(operator: str, values: t.Sequence[str], wanted: t.Sequence[str]) -> bool:
    parsed = _OPERATOR.fullmatch(operator)
    if operator == "Null":
        return all((one.lower() == "true") == (not values) for one in wanted)
    test = _TESTS.get(parsed["test"].replace("Not", "", 1)) if parsed else None
    if parsed is None or test is None:
        raise NotEvaluated(operator)
    negated = "Not" in parsed["test"]
    if not values:
        return parsed["set"] != "ForAnyValue" and (negated or parsed["set"] == "ForAllValues" or parsed["if_exists"] is not None)
    passed = [any(test(value, one) for one in wanted) != negated for value in values]
    return any(passed) if parsed["set"] == "ForAnyValue" else all(passed)
