# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user can name in a playbook, an inventory or on a command line, and which values it takes; read from the collection's own documentation."""

from __future__ import annotations

import functools
import importlib
import re
import typing as t
from pathlib import Path

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

Json = dict[str, t.Any]

ROOT = Path(__file__).parents[2]
COLLECTION = "trendmicro.cloudone."
PACKAGE = "ansible_collections.trendmicro.cloudone.plugins"
VARIABLE = re.compile(r"\b(?:netsec|conformity)_\w+")

PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
ROLES = {path.name for path in (ROOT / "roles").iterdir()}
MODULES = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
OTHER_PLUGINS = {path.stem for kind in ("connection", "inventory", "callback") for path in (ROOT / "plugins" / kind).glob("*.py")}
RULEBOOKS = {path.stem for path in (ROOT / "extensions").rglob("rulebooks/*.yml")}
ACTION_GROUPS = set(yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"])
TAGS = {
    tag
    for path in (ROOT / "roles").glob("*/tasks/main.yml")
    for tags in re.findall(r"tags: \[(.*)\]", path.read_text(encoding="utf-8"))
    for tag in tags.split(", ")
} | {"always"}
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for folder in ("extensions", "plugins", "roles", "playbooks", "meta")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".yml", ".j2"}
)


@functools.cache
def options_of(package: str, name: str) -> Json:
    """Options of a plugin by its documentation, those of fragments included. Ansible merges them in the same order."""
    documentation = yaml.safe_load(importlib.import_module(f"{package}.{name}").DOCUMENTATION)
    fragments = documentation.get("extends_documentation_fragment", [])
    options: Json = {}
    for fragment in [fragments] if isinstance(fragments, str) else fragments:
        options |= fragment_options(fragment)
    return options | (documentation.get("options") or {})


def fragment_options(fragment: str) -> Json:
    own = fragment.startswith(COLLECTION)
    name, _dot, part = fragment.removeprefix(COLLECTION).removeprefix("ansible.builtin.").partition(".")
    module = importlib.import_module(f"{PACKAGE}.doc_fragments.{name}" if own else f"ansible.plugins.doc_fragments.{name}")
    return t.cast(Json, yaml.safe_load(getattr(module.ModuleDocFragment, part.upper() or "DOCUMENTATION")).get("options", {}))


def argument_spec(options: Json) -> Json:
    """What documentation says of options, in the form in which Ansible checks arguments."""
    return {name: argument(name, option) for name, option in options.items()}


def argument(name: str, option: Json) -> Json:
    spec = {key: option[key] for key in ("type", "elements", "aliases") if key in option}
    # That the key may come from the environment is no part of the documentation's format.
    spec["required"] = option.get("required", False) and name != "api_key"
    if "choices" in option:
        # Documentation may say something about each choice.
        spec["choices"] = list(option["choices"])
    if nested := option.get("suboptions", option.get("options")):
        spec["options"] = argument_spec(nested)
    return spec


def refusals(spec: Json, values: Json) -> list[str]:
    """What Ansible would say against these arguments. What a template will make is not known, so it may be anything."""
    known = {name: value for name, value in values.items() if not (isinstance(value, str) and "{{" in value)}
    relaxed = {name: one | {"required": False} if name in values and name not in known else one for name, one in spec.items()}
    return list(ArgumentSpecValidator(relaxed).validate(known).error_messages)


@functools.cache
def variables() -> Json:
    """The argument specification of every variable that a user can set: of roles, of playbooks, and of the connection."""
    spec: Json = {}
    for path in sorted((ROOT / "playbooks").rglob("*")):
        if path.suffix in {".yml", ".j2"}:
            spec |= {name: {"type": "raw"} for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
    for role in ROLES:
        document = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
        spec |= argument_spec(document["argument_specs"]["main"]["options"])
    for option in options_of(f"{PACKAGE}.connection", "nsva").values():
        spec |= {variable["name"]: {"type": option["type"]} for variable in option.get("vars", []) if variable["name"].isidentifier()}
    # The roles hand these on to modules, so they take what the modules take.
    modules = f"{PACKAGE}.modules"
    spec["netsec_cloudwatch_logs_groups"] = argument_spec(options_of(modules, "netsec_log_group"))["log_groups"]
    spec["netsec_cloudwatch_logs_subscriptions"] = argument_spec(options_of(modules, "netsec_log_subscription"))["subscriptions"]
    for name, fragment in (("netsec_api", "cloudone"), ("conformity_api", "conformity"), ("netsec_aws", "aws"), ("conformity_aws", "aws")):
        spec[f"{name}_options"] = {"type": "dict", "options": argument_spec(fragment_options(COLLECTION + fragment))}
    return {name: one | {"required": False} for name, one in spec.items()} | {"ansible_connection": {"type": "str"}}


def inventory_options() -> Json:
    return argument_spec(options_of(f"{PACKAGE}.inventory", "netsec"))


def module_spec(name: str) -> Json | None:
    """The argument specification of a module of this collection or of Ansible's own; None for one of elsewhere."""
    if name.startswith("ansible.builtin."):
        return argument_spec(options_of("ansible.modules", name.removeprefix("ansible.builtin.")))
    if name.startswith(COLLECTION):
        return argument_spec(options_of(f"{PACKAGE}.modules", name.removeprefix(COLLECTION)))
    return None
