# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with an example: a document in YAML, or a command line. Each function returns sentences, none if all is right."""

from __future__ import annotations

import json
import re
import shlex
import typing as t

from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from collection_interface import COLLECTION, PLAYBOOKS, ROLES, TAGS, VARIABLE, Json, inventory_options, module_spec, refusals, variables
from pydantic import ValidationError

from lab.fleet import Fleet

IMPORT_PLAYBOOK = "ansible.builtin.import_playbook"
# They take any name for an argument, or a line of text.
FREE_FORM = {"ansible.builtin.raw", "ansible.builtin.set_fact"}
# Of Galaxy's requirements, and of a credential type of AWX.
FOREIGN = [{"collections"}, {"fields", "required"}, {"env"}]


def document_problems(document: t.Any) -> list[str]:
    """What is wrong with a document of YAML, whatever it is; one that is nothing known is wrong for that."""
    if isinstance(document, list):
        return [problem for entry in document for problem in (play_problems(entry) if is_play(entry) else task_problems(entry))]
    keys = set(document)
    if "plugin" in keys or keys <= set(inventory_options()):
        return refusals(inventory_options(), {"plugin": "trendmicro.cloudone.netsec"} | document)
    if keys <= set(Fleet.model_fields):
        return fleet_problems(document)
    if all(isinstance(value, dict) and set(value) <= {"hosts", "children", "vars"} for value in document.values()):
        return [problem for group in document.values() for problem in group_problems(group)]
    if all(re.fullmatch(r"i-\w+", name) for name in keys):
        return group_problems({"hosts": document})
    if keys in FOREIGN:
        return []
    return variable_problems(document, strict=True)


def is_play(entry: Json) -> bool:
    return "hosts" in entry or IMPORT_PLAYBOOK in entry


def play_problems(play: Json) -> list[str]:
    problems = [f"{key} is no keyword of a play" for key in set(play) - set(Play.fattributes) - {IMPORT_PLAYBOOK}]
    problems += playbook_problems(play.get(IMPORT_PLAYBOOK, ""))
    problems += variable_problems(play.get("vars", {}))
    roles = [role["role"] if isinstance(role, dict) else role for role in play.get("roles", [])]
    problems += [f"there is no role {role}" for role in roles if role.startswith(COLLECTION) and role.removeprefix(COLLECTION) not in ROLES]
    return problems + [problem for task in play.get("tasks", []) for problem in task_problems(task)]


def task_problems(task: Json) -> list[str]:
    if "block" in task:
        nested = [problem for part in ("block", "rescue", "always") for one in task.get(part, []) for problem in task_problems(one)]
        return nested + [f"{key} is no keyword of a block" for key in set(task) - set(Block.fattributes)]
    actions = [key for key in task if "." in key]
    problems = [f"{key} is no keyword of a task" for key in set(task) - set(Task.fattributes) - set(actions)]
    if len(actions) != 1:
        return [*problems, f"a task has one module by its full name, not {actions}"]
    return problems + variable_problems(task.get("vars", {})) + module_problems(actions[0], task[actions[0]] or {})


def module_problems(module: str, arguments: t.Any) -> list[str]:
    if module in FREE_FORM:
        return []
    try:
        spec = module_spec(module)
    except ModuleNotFoundError:
        return [f"there is no module {module}"]
    return [] if spec is None else [f"{module}: {refusal}" for refusal in refusals(spec, arguments)]


def group_problems(group: Json | None) -> list[str]:
    """Of a group of an inventory, with the groups in it."""
    group = group or {}
    own = [group.get("vars", {}), *(values or {} for values in (group.get("hosts") or {}).values())]
    nested = [problem for child in (group.get("children") or {}).values() for problem in group_problems(child)]
    return [problem for values in own for problem in variable_problems(values)] + nested


def variable_problems(values: Json, strict: bool = False) -> list[str]:
    """Of variables. Names of the user's own are right unless ``strict``; those that look like the collection's have to be such."""
    unknown = [name for name in values if name not in variables() and (strict or VARIABLE.match(name))]
    ours = {name: value for name, value in values.items() if name in variables()}
    return [f"there is no variable {name}" for name in unknown] + refusals({name: variables()[name] for name in ours}, ours)


def fleet_problems(document: Json) -> list[str]:
    try:
        Fleet.model_validate(document)
    except ValidationError as error:
        return [str(error)]
    return []


def playbook_problems(name: str) -> list[str]:
    return [f"there is no playbook {name}"] if name.startswith(COLLECTION) and name.removeprefix(COLLECTION) not in PLAYBOOKS else []


def command_problems(command: str) -> list[str]:
    """Of a command line, or of the options of one."""
    words = shlex.split(command, comments=True)
    problems = []
    for option, value in zip(["", *words], words, strict=False):
        if option == "-e" and not value.startswith("@"):
            problems += variable_problems(extra_variables(value), strict=True)
        elif option == "--tags":
            problems += [f"there is no tag {tag}" for tag in value.split(",") if tag not in TAGS]
        elif "ansible-playbook" in words:
            problems += playbook_problems(value)
    return problems


def extra_variables(text: str) -> Json:
    if text.startswith("{"):
        # An ellipsis stands for more of the same.
        return t.cast(Json, json.loads(text.replace(", …", "")))
    name, _equals, value = text.partition("=")
    # What stands there is text, of which templates make what they need.
    return {name: "{{ text }}" if value else "…"}
