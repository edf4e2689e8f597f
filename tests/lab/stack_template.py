# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates of stacks, as far as CloudFormation looks at them before it changes anything: pure functions."""

from __future__ import annotations

import copy
import functools
import re
import typing as t

from moto.cloudformation.models import Stack

Json = dict[str, t.Any]

_SUBSTITUTED = re.compile(r"\$\{([^!.}][^.}]*)")


class TemplateRefused(Exception):
    """CloudFormation refuses a template or its parameters; ``str()`` is its message."""


@functools.lru_cache(maxsize=256)
def _parsed(body: str) -> Json:
    try:
        template = Stack.parse_template(body)
    except Exception as error:
        raise TemplateRefused(f"Template format error: {error}") from error
    if not isinstance(template, dict):
        raise TemplateRefused("Template format error: unsupported structure.")
    if not template.get("Resources"):
        raise TemplateRefused("Template format error: At least one Resources member must be defined.")
    return template


def parse_template(body: str) -> Json:
    """Read a template in YAML or JSON.

    :raises TemplateRefused: if it is none.
    """
    return copy.deepcopy(_parsed(body))  # moto writes into what it is given


def references(part: t.Any) -> list[str]:
    """Return the names that a part of a template refers to, by ``Ref`` and in ``Fn::Sub``."""
    if isinstance(part, str):
        return []
    if isinstance(part, list):
        return [name for item in part for name in references(item)]
    if not isinstance(part, dict):
        return []
    found = []
    for key, value in part.items():
        if key == "Ref":
            found.append(str(value))
        elif key == "Fn::Sub":
            text = value[0] if isinstance(value, list) else value
            found += _SUBSTITUTED.findall(str(text))
        found += references(value)
    return found


def complete_parameters(template: Json, given: t.Mapping[str, str], previous: t.Mapping[str, str], kept: t.Collection[str]) -> dict[str, str]:
    """Return a value for every parameter of a template.

    :param given: values of the call.
    :param previous: values that the stack has.
    :param kept: parameters that shall keep their value.
    :raises TemplateRefused: if one is unknown, or has no value.
    """
    declared: Json = template.get("Parameters") or {}
    unknown = sorted((set(given) | set(kept)) - set(declared))
    if unknown:
        raise TemplateRefused(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values = {name: str(parameter["Default"]) for name, parameter in declared.items() if "Default" in parameter}
    values |= {name: previous[name] for name in kept if name in previous} | dict(given)
    missing = [name for name in declared if name not in values]
    if missing:
        raise TemplateRefused(f"Parameters: [{', '.join(missing)}] must have values")
    return values


def same_resources(one: Json, its_parameters: t.Mapping[str, str], other: Json, other_parameters: t.Mapping[str, str]) -> bool:
    """Whether two templates with their parameters make the same resources and outputs: all that an update looks at."""
    parts = [(template.get("Resources"), template.get("Outputs")) for template in (one, other)]
    if parts[0] != parts[1]:
        return False
    return all(its_parameters.get(name) == other_parameters.get(name) for name in references(list(parts[0])))
