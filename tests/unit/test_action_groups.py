# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action groups of meta/runtime.yml hold what a user of ``module_defaults`` expects of them."""

from __future__ import annotations

import importlib
import typing as t
from pathlib import Path

import pytest
import yaml

PREFIX = "trendmicro.cloudone."
PLUGINS = Path(__file__).parents[2] / "plugins"
RUNTIME = PLUGINS.parent / "meta" / "runtime.yml"

# The doc fragment whose options all members of a group have in common.
COMMON_OPTIONS = {"netsec": "cloudone", "conformity": "conformity", "aws": "aws"}


def action_groups() -> dict[str, set[str]]:
    """Members of each action group, extended groups included."""
    groups = yaml.safe_load(RUNTIME.read_text(encoding="utf-8"))["action_groups"]

    def members(name: str) -> set[str]:
        found: set[str] = set()
        for entry in groups[name]:
            if isinstance(entry, str):
                found.add(entry)
            else:
                found.update(*(members(extended.removeprefix(PREFIX)) for extended in entry["metadata"]["extend_group"]))
        return found

    return {name: members(name) for name in groups}


def documentation(module: str) -> dict[str, t.Any]:
    return yaml.safe_load(importlib.import_module(f"ansible_collections.trendmicro.cloudone.plugins.modules.{module}").DOCUMENTATION)


def doc_fragments(module: str) -> set[str]:
    return {fragment.removeprefix(PREFIX) for fragment in documentation(module)["extends_documentation_fragment"]}


MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
ACTIONS = {path.stem for path in (PLUGINS / "action").glob("*.py")}


def test_groups_name_existing_modules_only() -> None:
    assert {member for members in action_groups().values() for member in members} <= set(MODULES)


@pytest.mark.parametrize("group", sorted(COMMON_OPTIONS))
def test_group_is_exactly_the_modules_with_its_options(group: str) -> None:
    """A module default for an option that a member does not have is an error for that member."""
    having = {module for module in MODULES if module not in ACTIONS and COMMON_OPTIONS[group] in doc_fragments(module)}
    assert action_groups()[group] == having


def test_group_all_is_every_module() -> None:
    assert action_groups()["all"] == {module for module in MODULES if module not in ACTIONS}


def test_what_is_typed_into_an_appliance_has_no_group_default() -> None:
    """``api_key`` of ``nsva_registration`` goes to an appliance: it is never the automation's own key by a default."""
    assert not any(members & ACTIONS for members in action_groups().values())


def documented_groups(module: str) -> set[str]:
    own = documentation(module).get("attributes", {}).get("action_group", {}).get("membership", [])
    fragments = [fragment for fragment in doc_fragments(module) if fragment.startswith("attributes.actiongroup_")]
    # Of several fragments one would win: such a module has to say it all itself.
    assert own or len(fragments) < 2
    return set(own) or {name for fragment in fragments for name in (PREFIX + fragment.removeprefix("attributes.actiongroup_"), PREFIX + "all")}


@pytest.mark.parametrize("module", MODULES)
def test_documentation_names_the_groups(module: str) -> None:
    assert documented_groups(module) == {PREFIX + name for name, members in action_groups().items() if module in members}
