# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What streaming two log types of 1,000 appliances costs: the module against a bash loop and an Ansible loop, each on a fresh lab, in turn.

Every answer of the API takes 40 ms. The module reads, merges, writes and reads back; the loops only write. They handle one appliance
after the other, so they are measured on fewer and compared by the time for each appliance, their start included.
Only the command is measured; the lab runs in another process, but on the same cores.
"""

from __future__ import annotations

import math
import statistics
import typing as t
from collections import Counter
from pathlib import Path

from bench_lab import BenchLab
from harness import Measurement, Row, measure, median, report

from lab.fleet import parse_fleet

FLEET_SIZES = (100, 300, 1000)
APPLIANCES = FLEET_SIZES[-1]
LOOP_APPLIANCES = 100
API_DELAY = 0.04
REPEATS = 3
WANTED = {"ipsBlock": "network-security-block-events", "ipsAlert": "network-security-alert-events"}

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "bench" / "cloudwatch"

# None of the ways needs the inventory of the lab, which holds the appliances as hosts.
ANSIBLE = ["ansible-playbook", "-i", "/dev/null"]
MODULE = [*ANSIBLE, "tests/bench/cloudwatch.yml"]
URI_LOOP = [*ANSIBLE, "tests/bench/cloudwatch_uri_loop.yml"]
BASH = ["tests/bench/cloudwatch_fleet.sh"]


def streaming_lab(name: str, count: int) -> BenchLab:
    """A lab with so many appliances that stream nothing yet. They are hosted, since nothing of AWS and no SSH takes part."""
    appliances = [{"name": f"appliance-{number:04d}", "deployment": "hosted"} for number in range(count)]
    return BenchLab(BUILD / name, parse_fleet({"api": {"delay": API_DELAY}, "appliances": appliances}))


def run(lab: BenchLab, command: t.Sequence[str], name: str, *, reads: int, writes: int) -> Measurement:
    """Run one of the ways and look whether it did its work.

    :param reads: requests that must have read each appliance's configuration.
    :param writes: requests that must have written it.
    :raises RuntimeError: it failed, another number of requests was made, or an appliance does not stream what it should.
    """
    lab.control.clear_calls()
    measurement = measure(command, environment=lab.environment, output=BUILD / f"{name}.log", cwd=ROOT)
    appliances = lab.control.world()["appliances"]
    streamed = [{entry["logName"]: entry["logGroupName"] for entry in appliance["log_types"] if entry["enable"]} for appliance in appliances]
    unlike = sum(groups != WANTED for groups in streamed)
    if unlike:
        raise RuntimeError(f"{name}: {unlike} of {len(appliances)} appliances do not stream what they should.")
    requests = Counter((call["method"], call["status"]) for call in lab.control.calls("api") if call["path"].endswith("/cloudwatchlogconfig"))
    if requests != Counter({("GET", 200): reads * len(appliances), ("POST", 200): writes * len(appliances)}):
        raise RuntimeError(f"{name}: other requests were made than expected: {dict(requests)}")
    return measurement


def slope(points: t.Mapping[int, float]) -> float:
    """The exponent by which a quantity grows with a count: the slope of its logarithm over the count's."""
    counts, values = ([math.log(number) for number in numbers] for numbers in (points.keys(), points.values()))
    return statistics.linear_regression(counts, values).slope


def main() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    first: dict[int, list[Measurement]] = {count: [] for count in FLEET_SIZES}
    second: list[Measurement] = []
    loops: dict[str, list[Measurement]] = {"bash": [], "uri": []}
    for repeat in range(1, REPEATS + 1):
        for count in FLEET_SIZES:
            name = f"module-{count}-{repeat}"
            print(f"{name} ...", flush=True)
            with streaming_lab(name, count) as lab:
                first[count].append(run(lab, MODULE, name, reads=2, writes=1))
                if count == APPLIANCES:
                    second.append(run(lab, MODULE, f"{name}-again", reads=1, writes=0))
        for way, command in (("bash", BASH), ("uri", URI_LOOP)):
            name = f"{way}-{repeat}"
            print(f"{name} ...", flush=True)
            with streaming_lab(name, LOOP_APPLIANCES) as lab:
                loops[way].append(run(lab, command, name, reads=0, writes=1))
    module = {count: median(measurements) for count, measurements in first.items()}
    again, bash, uri_loop = median(second), median(loops["bash"]), median(loops["uri"])
    per_appliance = module[APPLIANCES].seconds / APPLIANCES
    report(
        "cloudwatch",
        [
            *(Row("module", count, measurement) for count, measurement in module.items()),
            Row("module again, nothing to do", APPLIANCES, again),
            Row("bash loop with curl and jq", LOOP_APPLIANCES, bash),
            Row("Ansible loop with uri", LOOP_APPLIANCES, uri_loop),
        ],
        {
            "speedup_vs_bash": bash.seconds / LOOP_APPLIANCES / per_appliance,
            "speedup_vs_uri_loop": uri_loop.seconds / LOOP_APPLIANCES / per_appliance,
            "peak_mib": max(module[APPLIANCES].peak_mib, again.peak_mib),
            "second_run_vs_first": module[APPLIANCES].seconds / again.seconds,
            "growth_exponent": slope({count: measurement.seconds for count, measurement in module.items()}),
        },
    )


if __name__ == "__main__":
    main()
