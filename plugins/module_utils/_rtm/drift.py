# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what a region differs from what is wanted. Pure.

The rule is judged by what it does, not by the text of the template it came from. So a stack that the vendor's script made is
left as it is as long as it forwards what is wanted.
"""

from __future__ import annotations

import json
import typing as t
from enum import StrEnum

from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import Observed, Rule, Stack, Wanted
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import RULE_NAME, SOURCES_PARAMETER, TARGET_ID

# A target that has one of these does not pass the event on as it came.
_TRANSFORMATIONS = ("Input", "InputPath", "InputTransformer")


class Drift(StrEnum):
    """One way to differ. The values are what users see."""

    PARAMETERS = "parameters"
    TAGS = "tags"
    PROTECTION = "termination_protection"
    NO_RULE = "rule_missing"
    DISABLED = "rule_disabled"
    PATTERN = "pattern"
    OLDER_PATTERN = "older_pattern"
    TARGET = "target"


PATTERN_DRIFTS = frozenset({Drift.PATTERN, Drift.OLDER_PATTERN})

# The difference, and what it is in words.
Drifts = dict[Drift, str]


def stack_drift(stack: Stack, wanted: Wanted) -> Drifts:
    """In what the stack differs. Its further parameters, and its tags that the user does not name, are not looked at."""
    drifts: Drifts = {}
    differing = differing_parameters(stack.parameters, wanted)
    if differing:
        drifts[Drift.PARAMETERS] = f"the stack has other values for the parameters {', '.join(differing)}"
    tags = differing_tags(stack.tags, wanted)
    if tags:
        drifts[Drift.TAGS] = f"the stack has other values for the tags {', '.join(tags)}"
    if wanted.protection is not None and stack.protected != wanted.protection:
        drifts[Drift.PROTECTION] = f"termination protection is {'off' if wanted.protection else 'on'}"
    return drifts


def differing_parameters(present: t.Mapping[str, str], wanted: Wanted) -> list[str]:
    """Names of the wanted parameters that have another value, or none."""
    return [name for name, value in wanted.parameters.items() if _parameter(name, present.get(name)) != _parameter(name, value)]


def differing_tags(present: t.Mapping[str, str], wanted: Wanted) -> list[str]:
    """Keys of the wanted tags that have another value, or none."""
    return [key for key, value in wanted.tags.items() if present.get(key) != value]


def rule_drift(observed: Observed, wanted: Wanted) -> Drifts:
    """In what the rule differs."""
    rule = observed.rule
    if rule is None:
        return {Drift.NO_RULE: f"the rule {RULE_NAME} is missing"}
    drifts: Drifts = {}
    if rule.state == "DISABLED":
        drifts[Drift.DISABLED] = "the rule is disabled"
    expected = wanted.pattern(observed.account_id, rule.pattern)
    if _normal(rule.pattern) != _normal(expected):
        older = {key: value for key, value in expected.items() if key != "detail"}
        if _normal(rule.pattern) == _normal(older):
            drifts[Drift.OLDER_PATTERN] = "the rule has the older event pattern without detail.eventCategory"
        else:
            drifts[Drift.PATTERN] = "the rule has another event pattern"
    if not forwards(rule, wanted.target_arn(observed.region)):
        there = any(target["Id"] == TARGET_ID for target in rule.targets)
        drifts[Drift.TARGET] = "the rule's target is another one, or gets changed events" if there else "the rule's target is missing"
    return drifts


def forwards(rule: Rule, arn: str) -> bool:
    """Whether the rule passes events on to ``arn`` as they came. It may have further targets."""
    return any(target["Arn"] == arn and not any(target.get(key) for key in _TRANSFORMATIONS) for target in rule.targets)


def in_words(drifts: t.Mapping[t.Any, str]) -> str:
    """All the differences as one sentence; empty if there are none."""
    text = "; ".join(drifts.values())
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _parameter(name: str, value: str | None) -> t.Any:
    """A parameter's value in the form in which it is compared: the order of the sources means nothing."""
    if name == SOURCES_PARAMETER and value is not None:
        return {source.strip() for source in value.split(",")}
    return value


def _normal(pattern: t.Any) -> t.Any:
    """An event pattern in the form in which it is compared: the order in a list means nothing."""
    if isinstance(pattern, dict):
        return {key: _normal(value) for key, value in pattern.items()}
    if isinstance(pattern, list):
        # Not the keys themselves: with each level, a text within a text would be twice as long.
        return sorted(map(_normal, pattern), key=lambda value: json.dumps(value, sort_keys=True))
    return pattern
