# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What streaming two log types of 1,000 appliances costs: the module against a bash loop and an Ansible loop, each on a fresh lab, in turn.

Every answer of the API takes 40 ms. The module reads, merges, writes and reads back; the loops only write. They handle one appliance
after the other, so they are measured on fewer and compared by the time for each appliance, their start included.

The comparison is made with 100 appliances at a time. A second run, which finds nothing to do, makes a third of the requests; how much faster it is
depends on how much of the time goes into requests, and how much into starting Ansible. So it is measured with the module's default, 10 at a time,
and also with 100, where starting is most of it.
Only the command is measured; the lab runs in another process, but on the same cores.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from pathlib import Path

from bench_lab import BenchLab
from harness import Measurement, Row, measure, median, report, slope

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
MODULE_BY_DEFAULT = [*MODULE, "-e", "concurrency=10"]
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


def main() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    first: dict[int, list[Measurement]] = {count: [] for count in FLEET_SIZES}
    second: list[Measurement] = []
    by_default: dict[str, list[Measurement]] = {"first": [], "second": []}
    loops: dict[str, list[Measurement]] = {"bash": [], "uri": []}
    for repeat in range(1, REPEATS + 1):
        for count in FLEET_SIZES:
            name = f"module-{count}-{repeat}"
            print(f"{name} ...", flush=True)
            with streaming_lab(name, count) as lab:
                first[count].append(run(lab, MODULE, name, reads=2, writes=1))
                if count == APPLIANCES:
                    second.append(run(lab, MODULE, f"{name}-again", reads=1, writes=0))
        name = f"default-{repeat}"
        print(f"{name} ...", flush=True)
        with streaming_lab(name, APPLIANCES) as lab:
            by_default["first"].append(run(lab, MODULE_BY_DEFAULT, name, reads=2, writes=1))
            by_default["second"].append(run(lab, MODULE_BY_DEFAULT, f"{name}-again", reads=1, writes=0))
        for way, command in (("bash", BASH), ("uri", URI_LOOP)):
            name = f"{way}-{repeat}"
            print(f"{name} ...", flush=True)
            with streaming_lab(name, LOOP_APPLIANCES) as lab:
                loops[way].append(run(lab, command, name, reads=0, writes=1))
    module = {count: median(measurements) for count, measurements in first.items()}
    again, bash, uri_loop = median(second), median(loops["bash"]), median(loops["uri"])
    default_first, default_again = median(by_default["first"]), median(by_default["second"])
    per_appliance = module[APPLIANCES].seconds / APPLIANCES
    report(
        "cloudwatch",
        [
            *(Row("module, 100 at a time", count, measurement) for count, measurement in module.items()),
            Row("module again, nothing to do", APPLIANCES, again),
            Row("module, 10 at a time", APPLIANCES, default_first),
            Row("module again, 10 at a time", APPLIANCES, default_again),
            Row("bash loop with curl and jq", LOOP_APPLIANCES, bash),
            Row("Ansible loop with uri", LOOP_APPLIANCES, uri_loop),
        ],
        {
            "speedup_vs_bash": bash.seconds / LOOP_APPLIANCES / per_appliance,
            "speedup_vs_uri_loop": uri_loop.seconds / LOOP_APPLIANCES / per_appliance,
            "peak_mib": max(module[APPLIANCES].peak_mib, again.peak_mib),
            "second_run_vs_first": default_first.seconds / default_again.seconds,
            "second_run_vs_first_100_at_a_time": module[APPLIANCES].seconds / again.seconds,
            "growth_exponent": slope({count: measurement.seconds for count, measurement in module.items()}),
        },
    )


if __name__ == "__main__":
    main()
