# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switches of the roles also work as text: ``-e netsec_certificate_force=false`` brings the text "false", which Jinja takes for true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).parents[2] / "roles"
# Handed to a module as it is, which knows texts for what they mean.
PASSED_ON = r'"\{\{ %s(?: \| default\(omit\))? \}\}"'
# Comes after the name where it is prose, or YAML's key.
PROSE = re.compile(r" (?:is|to) (?:true|false)|:|[,.]| or name")


def switches(role: Path) -> list[str]:
    specs = yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]
    return [name for spec in specs.values() for name, option in spec["options"].items() if option.get("type") == "bool"]


def careless_uses(name: str, text: str) -> list[str]:
    """The lines in which a switch decides something without having been made a boolean."""
    return [
        line.strip()
        for line in text.splitlines()
        for use in re.finditer(rf"\b{name}\b", line)
        if not line[use.end() :].startswith(" | bool") and not re.search(PASSED_ON % name, line) and not PROSE.match(line, use.end())
    ]


@pytest.mark.parametrize("role", sorted(path for path in ROLES.iterdir() if path.is_dir()), ids=lambda role: role.name)
def test_switches_are_made_booleans_before_they_decide(role: Path) -> None:
    files = [*role.glob("tasks/*.yml"), *role.glob("templates/*.j2"), *role.glob("vars/*.yml")]
    uses = [f"{file.name}: {line}" for file in files for name in switches(role) for line in careless_uses(name, file.read_text(encoding="utf-8"))]
    assert switches(role) and uses == []


@pytest.mark.parametrize("line", ["when: switch and more", "{{ 1 if switch else 2 }}", "{% if not switch %}"])
def test_a_careless_use_is_found(line: str) -> None:
    assert careless_uses("switch", line) == [line]
