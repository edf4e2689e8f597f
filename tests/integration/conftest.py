# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks and the plugins as a user runs them, against a lab of the test's own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from lab.fleet import parse_fleet
from lab.lab import Lab

ROOT = Path(__file__).parents[2]
CALLBACKS = ROOT / "tests" / "demo" / "callback_plugins"
Json = dict[str, t.Any]


@dataclass(frozen=True)
class Run:
    """What a run of a command came to.

    :ivar recap: Ansible's own count of results, by host.
    """

    returncode: int
    output: str
    recap: dict[str, dict[str, int]]

    def unwrapped(self) -> str:
        """Return the output in one line. Where Ansible breaks a warning depends on its version."""
        return " ".join(self.output.split())

    def changed(self) -> int:
        return sum(host["changed"] for host in self.recap.values())

    def failed(self) -> set[str]:
        return {name for name, host in self.recap.items() if host["failures"] or host["unreachable"]}


class Site:
    """A user's control node beside a running lab.

    :ivar variables: extra variables of every run of a playbook.
    """

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.environment = {
            **os.environ,
            **lab.environment,
            "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
            "ANSIBLE_FORCE_COLOR": "0",
            "RUN_STATS_FILE": str(folder / "recap.json"),
        }
        self.variables: Json = {"netsec_serial": "100%", "netsec_cloudwatch_logs_proof_timeout": 20}

    def id_of(self, name: str) -> str:
        return next(spec.instance_id for spec in self.lab.fleet.appliances if spec.name == name)

    def appliance(self, name: str) -> Json:
        """The truth about one appliance."""
        return self.lab.control.appliance(name)

    def totals(self) -> Json:
        return t.cast(Json, self.lab.control.world()["totals"])

    def events_go_on(self, name: str) -> bool:
        """Whether further events of an appliance arrive in CloudWatch."""
        before, deadline = self.appliance(name)["log_streams"], time.monotonic() + 10
        while (now := self.appliance(name)["log_streams"]) == before and time.monotonic() < deadline:
            time.sleep(0.1)
        return bool(now != before)

    def command(self, playbook: str, *arguments: str, **variables: t.Any) -> list[str]:
        """The command that runs a playbook.

        :param playbook: its file's name in ``playbooks``, or as it is called in an installed collection.
        """
        file = self.folder / "variables.json"
        file.write_text(json.dumps(self.variables | variables), encoding="utf-8")
        return ["ansible-playbook", f"playbooks/{playbook}" if playbook.endswith(".yml") else playbook, "-e", f"@{file}", *arguments]

    def play(self, playbook: str, *arguments: str, environment: dict[str, str] | None = None, **variables: t.Any) -> Run:
        """Run a playbook to its end."""
        return self.run(self.command(playbook, *arguments, **variables), environment=environment)

    def renew(self, *arguments: str, environment: dict[str, str] | None = None, **variables: t.Any) -> Run:
        return self.play("renew_certs.yml", *arguments, environment=environment, **variables)

    def stream_logs(self, *arguments: str, environment: dict[str, str] | None = None, **variables: t.Any) -> Run:
        return self.play("configure_cloudwatch_logs.yml", *arguments, environment=environment, **variables)

    def run(self, command: t.Sequence[str], environment: dict[str, str] | None = None) -> Run:
        recap = Path(self.environment["RUN_STATS_FILE"])
        recap.unlink(missing_ok=True)
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment | (environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        (self.folder / "output.log").write_text(done.stdout, encoding="utf-8")
        return Run(done.returncode, done.stdout, json.loads(recap.read_text(encoding="utf-8")) if recap.exists() else {})

    def report(self, name: str) -> Json:
        """The report that the last runs with ``reports`` as its folder left, as JSON. The other formats have to be there too."""
        assert {path.name for path in self.reports.iterdir()} >= {f"{name}.html", f"{name}.md", f"{name}.json"}
        return t.cast(Json, json.loads((self.reports / f"{name}.json").read_text(encoding="utf-8")))

    @property
    def reports(self) -> Path:
        """A folder for reports, which is not there yet."""
        return self.folder / "reports"

    def renew_until(self, condition: t.Callable[[], bool], **variables: t.Any) -> None:
        self.kill_when(condition, self.command("renew_certs.yml", **variables))

    def kill_when(self, condition: t.Callable[[], bool], command: t.Sequence[str]) -> None:
        """Start a playbook, and kill it and all its workers with SIGKILL as soon as ``condition`` holds."""
        process = psutil.Popen(command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 120
            while not condition():
                assert process.poll() is None, "the playbook ended before it could be killed"
                assert time.monotonic() < deadline, "the condition never held"
                time.sleep(0.02)
        finally:
            # The parent first, so that it starts no more. Workers are in sessions of their own: no signal to a process group reaches them.
            children = process.children(recursive=True)
            for one in (process, *children):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            process.wait()


@pytest.fixture
def start_site(tmp_path: Path) -> t.Iterator[t.Callable[..., Site]]:
    """Start a lab with the given appliances; it ends with the test."""
    labs: list[Lab] = []

    def start(*appliances: Json, **fleet: t.Any) -> Site:
        lab = Lab(parse_fleet({"appliances": list(appliances), **fleet}), tmp_path / "lab")
        lab.__enter__()
        labs.append(lab)
        return Site(lab, tmp_path)

    yield start
    for lab in labs:
        lab.__exit__(None, None, None)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Where the collection was installed from its own artefact; set it as ``ANSIBLE_COLLECTIONS_PATH``."""
    path = tmp_path / "collections"
    subprocess.run(["ansible-galaxy", "collection", "build", "--output-path", str(tmp_path), "--force"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    artefact = next(tmp_path.glob("trendmicro-cloudone-*.tar.gz"))
    subprocess.run(
        ["ansible-galaxy", "collection", "install", "--offline", str(artefact), "-p", str(path)],
        # Otherwise it finds this checkout, and sees nothing to install.
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(path)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert (path / "ansible_collections/trendmicro/cloudone/MANIFEST.json").exists()
    return path
