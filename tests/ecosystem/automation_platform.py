# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the automation platform makes of what it was told: inventories, credentials, surveys and job slices, with ansible-runner as its engine, as in AWX.

Nothing of the pattern is repeated here: all of it is read from the calls that the set-up playbook made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lab.lab import Lab

ROOT = Path(__file__).parents[2]
PATTERN = ROOT / "extensions" / "patterns" / "certificate_renewal"
TOOLS = Path(sys.executable).parent
Json = dict[str, t.Any]

# What the platform itself injects for its own type "Amazon Web Services".
AWS = {"env": {"AWS_ACCESS_KEY_ID": "{{ username }}", "AWS_SECRET_ACCESS_KEY": "{{ password }}"}}
# The types that a survey's answers have to have; the platform ignores a default of another type.
SURVEY_TYPES = {"text": str, "textarea": str, "password": str, "multiplechoice": str, "multiselect": list, "integer": int, "float": (int, float)}


class Calls:
    """The calls of awx.awx modules, by module and name."""

    def __init__(self, lines: t.Iterable[str]) -> None:
        self.by_module: dict[str, dict[str, Json]] = defaultdict(dict)
        for line in lines:
            call = json.loads(line)
            self.by_module[call["module"]][call["arguments"]["name"]] = call["arguments"]

    def named(self, module: str) -> dict[str, Json]:
        return self.by_module[module]


def survey_defaults(template: Json) -> Json:
    """The variables that a survey gives if nobody answers it."""
    return {
        question["variable"]: question["default"]
        for question in template["survey_spec"]["spec"]
        if isinstance(question.get("default"), SURVEY_TYPES[question["type"]])
    }


@dataclass(frozen=True)
class Job:
    """A job at its end, with what the platform keeps of it and shows.

    :ivar events: one document of JSON for each.
    """

    succeeded: bool
    output: str
    events: t.Sequence[str]


class Platform:
    """An automation platform after the set-up, in front of a lab.

    :ivar settings: the platform's "extra environment variables": here they lead to the lab instead of the internet.
    """

    def __init__(self, calls: Calls, lab: Lab, folder: Path) -> None:
        self.calls = calls
        self.folder = folder
        self._jobs = 0
        urls = {"CLOUDONE_NETSEC_URL", "CLOUDONE_CONFORMITY_URL", "AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED", "NO_PROXY"}
        self.settings = {
            **{name: value for name, value in lab.environment.items() if name in urls},
            # The execution environment has the collection installed.
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"),
            "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}",
        }

    def inject(self, names: t.Iterable[str], folder: Path) -> tuple[dict[str, str], Json]:
        """Return the environment and the extra variables that credentials bring into a job, and write their files."""
        environment: dict[str, str] = {}
        variables: Json = {}
        for name in names:
            credential = self.calls.named("credential")[name]
            own = self.calls.named("credential_type").get(credential["credential_type"])
            injectors: Json = own["injectors"] if own is not None else AWS
            values = dict(credential["inputs"])
            values["tower"] = {"filename": {}}
            for key, template in injectors.get("file", {}).items():
                path = folder / f"{len(list(folder.iterdir()))}_{key.rpartition('.')[2]}"
                path.touch(mode=0o600)
                path.write_text(_render(template, values), encoding="utf-8")
                values["tower"]["filename"][key.rpartition(".")[2]] = str(path)
            environment |= {key: _render(template, values) for key, template in injectors.get("env", {}).items()}
            variables |= {key: _render(template, values) for key, template in injectors.get("extra_vars", {}).items()}
        return environment, variables

    def synchronise(self) -> Json:
        """Return what the inventory's source makes of the fleet."""
        [source] = self.calls.named("inventory_source").values()
        environment, _variables = self.inject([source["credential"]], self._new_folder())
        done = subprocess.run(
            [TOOLS / "ansible-inventory", "-i", ROOT / source["source_path"], "--list", "--export"],
            cwd=ROOT,
            env={**os.environ, **self.settings, **environment},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return t.cast(Json, json.loads(done.stdout))

    def _inventory(self, name: str) -> Json:
        """Return an inventory of the platform, as its script prints it to Ansible."""
        inventory = self.calls.named("inventory")[name]
        if name in {source["inventory"] for source in self.calls.named("inventory_source").values()}:
            content = self.synchronise()
        else:
            hosts = {host["name"]: host.get("variables", {}) for host in self.calls.named("host").values() if host["inventory"] == name}
            groups = {group["name"]: {"hosts": group["hosts"]} for group in self.calls.named("group").values() if group["inventory"] == name}
            content = {"_meta": {"hostvars": hosts}, **groups, "all": {"children": list(groups)}}
        content.setdefault("all", {})["vars"] = inventory.get("variables", {})
        return content

    def launch(self, name: str, *, slices: int | None = None, limit: str | None = None, **answers: t.Any) -> list[Job]:
        """Run a job template to its end; return its job, or all its slices, which run at the same time.

        :param slices: instead of the job template's own.
        :param answers: answers to the survey; questions that are not answered take their defaults.
        """
        template = self.calls.named("job_template")[name]
        content, count = self._inventory(template["inventory"]), slices or template["job_slice_count"]
        hosts = sorted(content["_meta"]["hostvars"])
        asked = {question["variable"] for question in template["survey_spec"]["spec"]}
        assert set(answers) <= asked, "the platform refuses what the survey does not ask for"
        variables = template["extra_vars"] | survey_defaults(template) | answers
        parts = [_only(content, hosts[number::count]) for number in range(min(count, max(len(hosts), 1)))]
        with ThreadPoolExecutor(len(parts)) as pool:
            return list(pool.map(lambda part: self._job(template, part, variables, limit), parts))

    def _job(self, template: Json, inventory: Json, variables: Json, limit: str | None) -> Job:
        folder = self._new_folder()
        environment, injected = self.inject(template["credentials"], folder)
        (folder / "env").mkdir()
        for name, content in {"envvars": {**self.settings, **environment}, "extravars": variables | injected}.items():
            (folder / "env" / name).write_text(json.dumps(content), encoding="utf-8")
        script = folder / "hosts"
        script.write_text(f"#!/usr/bin/env python3\nprint(r'''{json.dumps(inventory)}''')\n", encoding="utf-8")
        script.chmod(0o700)
        # By the command, as a process of its own for each job.
        where = ["--project-dir", ROOT, "--inventory", script, "--ident", "job"]
        limited = ["--limit", limit] if limit else []
        done = subprocess.run(
            [TOOLS / "ansible-runner", "run", folder, "--playbook", template["playbook"], *where, *limited],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        events = [event.read_text(encoding="utf-8") for event in (folder / "artifacts" / "job" / "job_events").glob("*.json")]
        return Job(done.returncode == 0, done.stdout, events)

    def _new_folder(self) -> Path:
        self._jobs += 1
        folder = self.folder / f"job{self._jobs}"
        folder.mkdir(parents=True)
        return folder


def _render(template: str, values: Json) -> str:
    return ImmutableSandboxedEnvironment().from_string(template).render(values)


def _only(inventory: Json, hosts: list[str]) -> Json:
    """Return an inventory with these hosts only, in the groups that they were in."""
    groups = {name: {**group, "hosts": [host for host in group.get("hosts", []) if host in hosts]} for name, group in inventory.items() if name != "_meta"}
    return {"_meta": {"hostvars": {host: inventory["_meta"]["hostvars"][host] for host in hosts}}, **groups}


def documented_options(path: Path) -> Json:
    """Return the options of a module's documentation."""
    text = path.read_text(encoding="utf-8")
    return t.cast(Json, yaml.safe_load(text.split("DOCUMENTATION = '''", 1)[1].split("'''", 1)[0])["options"])
