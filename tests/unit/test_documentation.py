# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the guides and READMEs show can be done: their examples are of this collection as it is, and their links lead somewhere."""

from __future__ import annotations

import importlib
import json
import re
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from collection_interface import ACTION_GROUPS, CODE, COLLECTION, MODULES, OTHER_PLUGINS, PACKAGE, PLAYBOOKS, ROLES, RULEBOOKS
from documented_examples import FILES, ROOT, Snippet, anchors, blocks, code_spans, command_lines, links, typed_in
from example_checks import command_problems, document_problems

WORDS_OF_CODE = set(re.findall(r"\w+", CODE))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def name_of(example: Snippet | Path) -> str:
    return str(example) if isinstance(example, Snippet) else example.name


@pytest.mark.parametrize("block", blocks("yaml"), ids=name_of)
def test_yaml(block: Snippet) -> None:
    assert document_problems(yaml.safe_load(block.text)) == []


@pytest.mark.parametrize("block", blocks("json"), ids=name_of)
def test_json(block: Snippet) -> None:
    """A policy whose statements have names is one of those that are checked against the playbooks."""
    document = json.loads(block.text)
    if "Sid" in block.text:
        assert document in [json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "docs" / "policies").glob("*.json")]


@pytest.mark.parametrize("command", command_lines(), ids=name_of)
def test_command(command: Snippet) -> None:
    assert command_problems(command.text) == []


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_links(file: Path) -> None:
    broken = []
    for target in links(file):
        path, _hash, anchor = target.partition("#")
        aim = (file.parent / path).resolve() if path else file
        if not aim.exists() or (anchor and aim.suffix == ".md" and anchor not in anchors(aim)):
            broken.append(target)
    assert broken == []


def test_full_names() -> None:
    known = PLAYBOOKS | ROLES | MODULES | OTHER_PLUGINS | RULEBOOKS | ACTION_GROUPS
    named = {(file.name, name) for file in FILES for name in re.findall(rf"\b{re.escape(COLLECTION)}(\w+)", file.read_text(encoding="utf-8"))}
    assert len(named) > 50
    assert [one for one in sorted(named) if one[1] not in known] == []


def test_names_in_the_text() -> None:
    """Names of the collection's kind occur in its code: modules, variables, groups."""
    named = {(str(span), word) for span in code_spans() for word in re.findall(r"(?<![\w./-])(?:netsec|nsva|conformity)_\w+(?![*\w/.-])", span.text)}
    assert len(named) > 100
    assert [one for one in sorted(named) if one[1] not in WORDS_OF_CODE] == []


def test_tasks_that_do_the_vendors_steps() -> None:
    guide = ROOT / "docs" / "vendor_steps.md"
    rows = re.findall(r"^\|.*\| ([^|]+) \| \[[^|]+\]\(([^|]+)\) \|$", guide.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 20
    assert [(task, file) for task, file in rows if f"- name: {task}\n" not in (guide.parent / file).read_text(encoding="utf-8")] == []


def test_everything_is_in_the_overviews() -> None:
    docs = ROOT / "docs"
    listed, policies = links(docs / "index.md"), links(docs / "iam_policies.md")
    assert [file for file in FILES if file.is_relative_to(docs) and str(file.relative_to(docs)) not in [*listed, "index.md"]] == []
    assert [file.name for file in docs.glob("policies/*.json") if f"policies/{file.name}" not in policies] == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_each_return_value_has_a_sample(module: str) -> None:
    values = list(leaves(yaml.safe_load(importlib.import_module(f"{PACKAGE}.modules.{module}").RETURN)))
    assert values and [name for name, value in values if "sample" not in value] == []


def leaves(values: t.Mapping[str, t.Any]) -> Iterator[tuple[str, t.Mapping[str, t.Any]]]:
    """Return values that have no parts of their own."""
    for name, value in values.items():
        yield from leaves(value["contains"]) if "contains" in value else [(name, value)]


def test_make_targets() -> None:
    spoken = {target for span in [*code_spans(), *command_lines()] for target in re.findall(r"^make ([a-z-]+)", span.text)}
    assert len(spoken) > 10
    assert spoken - TARGETS == set()


@pytest.mark.parametrize(
    "example",
    [
        "netsec_certificate_forse: true",
        "netsec_certificate_renew_before: soon",
        "netsec_api_options: {key: x}",
        "netsec_cloudwatch_logs_types: [{name: system, groop: x}]",
        "netsec_cloudwatch_logs_groups: [{name: system, retention: 3}]",
        "ansible_nsva_host_key_police: strict",
        "{plugin: trendmicro.cloudone.netsec, region_list: []}",
        "netsec_appliances: {hosts: {i-1: {netsec_certificate_regoin: x}}}",
        "netsec_appliances: {children: {some: {vars: {netsec_certificate_regions: {}}}}}",
        "appliances: [{name: x, registered_for: 3}]",
        "[{trendmicro.cloudone.netsec_certificate: {}}]",
        "[{trendmicro.cloudone.netsec_certificate_info: {appliance: []}}]",
        "[{trendmicro.cloudone.netsec_appliance: {state: gone, instance_ids: [i-1]}}]",
        "[{ansible.builtin.debug: {message: x}}]",
        "[{ansible.builtin.debug: {msg: x}, registre: y}]",
        "[{debug: {msg: x}}]",
        "[{ansible.builtin.import_playbook: trendmicro.cloudone.renew}]",
        "[{hosts: all, gather_fact: false}]",
        "[{hosts: all, roles: [trendmicro.cloudone.certificates]}]",
        "[{hosts: all, tasks: [{block: [{ansible.builtin.debug: {message: x}}]}]}]",
        "something: else",
    ],
)
def test_a_wrong_example_is_found(example: str) -> None:
    assert document_problems(yaml.safe_load(example)) != []


@pytest.mark.parametrize(
    "command",
    [
        "ansible-playbook trendmicro.cloudone.renew",
        "ansible-playbook trendmicro.cloudone.renew_certs -e netsec_serials=1",
        'ansible-playbook trendmicro.cloudone.renew_certs -e \'{"netsec_certificate_force": "perhaps"}\'',
        "ansible-playbook trendmicro.cloudone.renew_certs --tags assess,renewal",
    ],
)
def test_a_wrong_command_is_found(command: str) -> None:
    assert command_problems(command) != []


def test_commands_of_a_console() -> None:
    assert typed_in("$ one \\\n    two\noutput\n$ three 'a\nb'\n") == ["one     two", "three 'ab'"]
    assert typed_in("one\ntwo # it's\n") == ["one", "two # it's"]
