# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What renewing 50 appliances costs the control node: the playbook against a bash loop, each on a fresh lab, in turn.

Every registration takes 5 s, and 25 appliances are handled at a time, so the ideal is two waves: 10 s. Whether `cloudone register` returns at once
or only when it is done is not documented: both are measured for the playbook; the figures are those of the lab's default, where it returns at once.
Only the command is measured; the lab runs in another process, but on the same cores.
"""

from __future__ import annotations

import functools
import math
import os
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import yaml
from harness import Measurement, Row, measure, median, report

from lab.control_client import ControlClient
from lab.fleet_generator import generate_fleet
from lab.state_dir import StateDir

APPLIANCES = 50
AT_A_TIME = 25
REGISTRATION_DELAY = 5
REPEATS = 3

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "bench" / "renew"


class BenchLab:
    """A lab of its own process, so that its CPU time is not counted."""

    def __init__(self, name: str, *, blocks: bool = False) -> None:
        self.state = StateDir(BUILD / name)
        fleet = generate_fleet(APPLIANCES, registration_delay=REGISTRATION_DELAY, registration_blocks=blocks)
        file = BUILD / f"{name}.fleet.yml"
        file.write_text(yaml.safe_dump(fleet.model_dump(exclude_defaults=True)), encoding="utf-8")
        self._command = [sys.executable, "-m", "lab", "up", "--fleet", str(file), "--state", str(self.state.path), "--stop-with-parent"]

    def __enter__(self) -> BenchLab:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        while not self.state.description.exists():
            if self._process.poll() is not None:
                raise RuntimeError("The lab did not start; try: make lab")
            time.sleep(0.1)
        self.description = self.state.read_description()
        self.environment = {**os.environ, **self.description["environment"]}
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait()

    def check(self) -> None:
        """:raises RuntimeError: unless every appliance was renewed and SSH is closed everywhere."""
        totals = ControlClient(self.description["control_url"]).world()["totals"]
        if totals["renewed"] != APPLIANCES or totals["ssh_left_open"] or totals["expired"]:
            raise RuntimeError(f"The run did not renew the fleet and close SSH: {totals}")


def run_playbook(name: str, *, blocks: bool = False) -> Measurement:
    with BenchLab(name, blocks=blocks) as lab:
        command = ["ansible-playbook", "-f", str(AT_A_TIME), "-e", '{"netsec_serial": "100%"}', "playbooks/renew_certs.yml"]
        measurement = measure(command, environment=lab.environment, output=BUILD / f"{name}.log", cwd=ROOT)
        lab.check()
    return measurement


def run_empty_playbook(name: str) -> Measurement:
    with BenchLab(name) as lab:
        command = ["ansible-playbook", "-f", str(AT_A_TIME), "tests/bench/empty.yml"]
        return measure(command, environment=lab.environment, output=BUILD / f"{name}.log", cwd=ROOT)


def run_bash(name: str) -> Measurement:
    with BenchLab(name) as lab:
        instance_ids = BUILD / "instance_ids"
        instance_ids.write_text("\n".join(lab.description["appliances"].values()) + "\n", encoding="utf-8")
        ssh = lab.description["ssh"]
        environment = lab.environment | {
            "SSH_CONFIG": str(lab.state.ssh_config),
            "SOURCE_CIDR": ssh["source_cidr"],
        }
        measurement = measure(["tests/bench/renew_fleet.sh", str(instance_ids)], environment=environment, output=BUILD / f"{name}.log", cwd=ROOT)
        lab.check()
    return measurement


def main() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    ways: dict[str, t.Callable[[str], Measurement]] = {
        "playbook": run_playbook,
        "bash": run_bash,
        "blocking": functools.partial(run_playbook, blocks=True),
        "empty": run_empty_playbook,
    }
    costs: dict[str, list[Measurement]] = {way: [] for way in ways}
    for repeat in range(1, REPEATS + 1):
        for way, run in ways.items():
            print(f"{way}, {repeat} of {REPEATS} ...", flush=True)
            costs[way].append(run(f"{way}-{repeat}"))
    playbook, bash, blocking, empty = (median(costs[way]) for way in ways)
    ideal = math.ceil(APPLIANCES / AT_A_TIME) * REGISTRATION_DELAY
    cpu = (playbook.cpu_seconds - empty.cpu_seconds) / APPLIANCES
    report(
        "renew",
        [
            Row("renew_certs.yml", APPLIANCES, playbook),
            Row("bash loop with ssh, curl and aws", APPLIANCES, bash),
            Row("renew_certs.yml, registering blocks", APPLIANCES, blocking),
            Row("empty playbook over the same hosts", APPLIANCES, empty),
        ],
        {
            "wall_vs_ideal": playbook.seconds / ideal,
            "cpu_seconds_per_appliance": cpu,
            "speedup_vs_bash": bash.seconds / playbook.seconds,
            "cpu_vs_bash": playbook.cpu_seconds / bash.cpu_seconds,
            "wall_vs_ideal_where_registering_blocks": blocking.seconds / ideal,
        },
    )


if __name__ == "__main__":
    main()
