# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the set-up playbook tells the automation platform: arguments that the modules have, and names that are there."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import yaml
from automation_platform import PATTERN, ROOT, SURVEY_TYPES, TOOLS, Calls, documented_options
from conftest import AWX, Json, SetUp

# By what kind of question a survey asks for an option of a playbook.
ASKED_AS = {"int": {"integer"}, "bool": {"multiplechoice"}, "path": {"text"}}
RESOURCES: Json = json.loads((PATTERN / "meta" / "pattern.json").read_text(encoding="utf-8"))["aap_resources"]


def undocumented(value: t.Any, options: Json, where: str) -> list[str]:
    """Return the keys of a nested value that the module's documentation does not have."""
    found = []
    for key, inner in value.items():
        if key not in options:
            found.append(f"{where}.{key}")
        elif suboptions := options[key].get("suboptions"):
            elements = inner if isinstance(inner, list) else [inner]
            found += [name for element in elements for name in undocumented(element, suboptions, f"{where}.{key}")]
    return found


def test_each_argument_is_one_of_the_modules(set_up: SetUp) -> None:
    """Names, types, choices and what is required, by the modules' own specifications; what is inside of them, by their documentation."""
    calls = set_up(certificate_renewal_aws_accounts=[{"id": "123456789012", "role_arn": "arn:aws:iam::123456789012:role/conformity-rtm"}])
    play = yaml.load((PATTERN / "playbooks" / "setup.yml").read_text(encoding="utf-8"), yaml.SafeLoader)[0]
    used = {key.rpartition(".")[2] for task in play["tasks"] for key in task if key.startswith("awx.awx.")}
    assert set(calls.by_module) == used, "each task has been carried out"
    for module in used:
        options = documented_options(AWX / "plugins" / "modules" / f"{module}.py")
        for name, arguments in calls.named(module).items():
            # Defaults of the modules' own, such as those for logging in, are in a part of the documentation that all modules share.
            known = {key: value for key, value in arguments.items() if key in options}
            assert undocumented(known, options, f"{module} {name}") == []
    assert calls.named("host")["123456789012"]["variables"] == {"conformity_rtm_role_arn": "arn:aws:iam::123456789012:role/conformity-rtm"}


def test_each_name_is_there(calls: Calls) -> None:
    [project], [environment] = calls.named("project"), calls.named("execution_environment")
    types = {*calls.named("credential_type"), "Amazon Web Services"}
    assert {credential["credential_type"] for credential in calls.named("credential").values()} == types
    templates = calls.named("job_template")
    assert list(templates) == [template["name"] for template in RESOURCES["controller_job_templates"]]
    for template in templates.values():
        assert (template["project"], template["execution_environment"]) == (project, environment)
        assert template["inventory"] in calls.named("inventory")
        assert set(template["credentials"]) <= set(calls.named("credential"))
        assert set(template["labels"]) <= set(calls.named("label"))
        assert (ROOT / template["playbook"]).is_file()
    for source in calls.named("inventory_source").values():
        assert source["source_project"] == project
        assert source["inventory"] in calls.named("inventory")
        assert source["credential"] in calls.named("credential")
        assert (ROOT / source["source_path"]).is_file()
    for schedule in calls.named("schedule").values():
        assert schedule["unified_job_template"] in {*templates, *calls.named("workflow_job_template")}


def test_without_secrets_the_credentials_are_left_to_be_filled_in(calls: Calls) -> None:
    assert all("inputs" not in credential for credential in calls.named("credential").values())


def test_the_workflow_asks_before_it_renews(calls: Calls) -> None:
    [workflow] = calls.named("workflow_job_template").values()
    nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
    ways = {(name, how.removesuffix("_nodes"), to["identifier"]) for name, node in nodes.items() for how, found in node["related"].items() for to in found}
    assert ways == {("audit", "failure", "approve"), ("approve", "success", "renew"), ("renew", "always", "report")}
    assert [name for name, node in nodes.items() if node["unified_job_template"]["type"] == "workflow_approval"] == ["approve"]
    for node in nodes.values():
        if node["unified_job_template"]["type"] == "job_template":
            template = calls.named("job_template")[node["unified_job_template"]["name"]]
            assert set(node.get("extra_data", {})) <= {question["variable"] for question in template["survey_spec"]["spec"]}


def test_surveys_have_defaults_that_the_platform_takes_for_options_of_the_playbooks(calls: Calls) -> None:
    for template in calls.named("job_template").values():
        arguments = yaml.safe_load((ROOT / template["playbook"]).with_suffix(".meta.yml").read_text(encoding="utf-8"))
        [options] = [specification["options"] for specification in arguments["argument_specs"].values()]
        assert set(template["extra_vars"]) <= set(options)
        for question in template["survey_spec"]["spec"]:
            assert question["type"] in ASKED_AS[options[question["variable"]]["type"]]
            assert str(options[question["variable"]].get("default")).lower() == str(question.get("default")).lower()
            assert question["required"] == ("default" in question), "a job that is launched by a schedule answers nothing"
            if "default" in question:
                assert isinstance(question["default"], SURVEY_TYPES[question["type"]])
                assert question["default"] in question.get("choices", [question["default"]])


def test_the_execution_environment_can_be_built(tmp_path: Path) -> None:
    """As far as that goes without a container engine."""
    definition = PATTERN / "execution_environments" / "execution-environment.yml"
    subprocess.run([TOOLS / "ansible-builder", "create", "--file", definition, "--context", tmp_path, "--output-filename", "Containerfile"], check=True)
    assert "trendmicro.cloudone" in (tmp_path / "_build" / "requirements.yml").read_text(encoding="utf-8")
    assert "FROM" in (tmp_path / "Containerfile").read_text(encoding="utf-8")
