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
import typing as t
from pathlib import Path

from bench_lab import BenchLab
from harness import Measurement, Row, measure, median, report

from lab.fleet_generator import generate_fleet

APPLIANCES = 50
AT_A_TIME = 25
REGISTRATION_DELAY = 5
REPEATS = 3

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "bench" / "renew"


def renewal_lab(name: str, *, blocks: bool = False) -> BenchLab:
    return BenchLab(BUILD / name, generate_fleet(APPLIANCES, registration_delay=REGISTRATION_DELAY, registration_blocks=blocks))


def check(lab: BenchLab) -> None:
    """:raises RuntimeError: unless every appliance was renewed and SSH is closed everywhere."""
    totals = lab.control.world()["totals"]
    if totals["renewed"] != APPLIANCES or totals["ssh_left_open"] or totals["expired"]:
        raise RuntimeError(f"The run did not renew the fleet and close SSH: {totals}")


def run_playbook(name: str, *, blocks: bool = False) -> Measurement:
    with renewal_lab(name, blocks=blocks) as lab:
        command = ["ansible-playbook", "-f", str(AT_A_TIME), "-e", '{"netsec_serial": "100%"}', "playbooks/renew_certs.yml"]
        measurement = measure(command, environment=lab.environment, output=BUILD / f"{name}.log", cwd=ROOT)
        check(lab)
    return measurement


def run_empty_playbook(name: str) -> Measurement:
    with renewal_lab(name) as lab:
        command = ["ansible-playbook", "-f", str(AT_A_TIME), "tests/bench/empty.yml"]
        return measure(command, environment=lab.environment, output=BUILD / f"{name}.log", cwd=ROOT)


def run_bash(name: str) -> Measurement:
    with renewal_lab(name) as lab:
        instance_ids = BUILD / "instance_ids"
        instance_ids.write_text("\n".join(lab.description["appliances"].values()) + "\n", encoding="utf-8")
        ssh = lab.description["ssh"]
        environment = lab.environment | {
            "SSH_CONFIG": str(lab.state.ssh_config),
            "SOURCE_CIDR": ssh["source_cidr"],
        }
        measurement = measure(["tests/bench/renew_fleet.sh", str(instance_ids)], environment=environment, output=BUILD / f"{name}.log", cwd=ROOT)
        check(lab)
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
