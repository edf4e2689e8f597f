# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What streaming two log types of 1,000 appliances costs: the module against a bash loop and an Ansible loop, each on a fresh lab, in turn.

Every answer of the API takes 40 ms. The module reads, merges, writes and reads back; the loops only write. They handle one appliance
after the other, so they are measured on fewer and compared by the time for each appliance, their start included.
The module is measured twice: with as many appliances at the same time as gain anything here, and with its default, with which most of the time
is the waiting for the API. What a second run saves is told by the default: otherwise both runs are to a large part the start of Ansible.
Only the command is measured; the lab runs in another process, but on the same cores.
"""

from __future__ import annotations

import typing as t
from collections import Counter, defaultdict
from pathlib import Path

from bench_lab import BenchLab
from harness import Measurement, Row, measure, median, report, slope

from lab.fleet import parse_fleet

FLEET_SIZES = (100, 300, 1000)
APPLIANCES = FLEET_SIZES[-1]
AT_A_TIME = 100
BASH_APPLIANCES = 100
URI_APPLIANCES = 50  # each takes about a third of a second of CPU time
API_DELAY = 0.04
REPEATS = 3
WANTED = {"ipsBlock": "network-security-block-events", "ipsAlert": "network-security-alert-events"}

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "bench" / "cloudwatch"

# None of the ways needs the inventory of the lab, which holds the appliances as hosts.
ANSIBLE = ["ansible-playbook", "-i", "/dev/null"]
MODULE = [*ANSIBLE, "tests/bench/cloudwatch.yml"]
MODULE_AT_A_TIME = [*MODULE, "-e", f"concurrency={AT_A_TIME}"]
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


def run_module(command: t.Sequence[str], name: str, count: int) -> tuple[Measurement, Measurement]:
    """The module on so many appliances, and once more, when nothing is left to do."""
    print(f"{name} ...", flush=True)
    with streaming_lab(name, count) as lab:
        return run(lab, command, name, reads=2, writes=1), run(lab, command, f"{name}-again", reads=1, writes=0)


def run_loop(command: t.Sequence[str], name: str, count: int) -> Measurement:
    print(f"{name} ...", flush=True)
    with streaming_lab(name, count) as lab:
        return run(lab, command, name, reads=0, writes=1)


def main() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    costs: dict[str, list[Measurement]] = defaultdict(list)
    for repeat in range(1, REPEATS + 1):
        for count in FLEET_SIZES:
            first, second = run_module(MODULE_AT_A_TIME, f"module-{count}-{repeat}", count)
            costs[f"first-{count}"].append(first)
            costs[f"second-{count}"].append(second)
        first, second = run_module(MODULE, f"default-{repeat}", APPLIANCES)
        costs["first-default"].append(first)
        costs["second-default"].append(second)
        costs["bash"].append(run_loop(BASH, f"bash-{repeat}", BASH_APPLIANCES))
        costs["uri"].append(run_loop(URI_LOOP, f"uri-{repeat}", URI_APPLIANCES))
    cost = {what: median(measurements) for what, measurements in costs.items()}
    by_size = {count: cost[f"first-{count}"] for count in FLEET_SIZES}
    module, again, by_default, again_by_default = by_size[APPLIANCES], cost[f"second-{APPLIANCES}"], cost["first-default"], cost["second-default"]
    bash_seconds = cost["bash"].seconds / BASH_APPLIANCES * APPLIANCES
    uri_seconds = cost["uri"].seconds / URI_APPLIANCES * APPLIANCES
    report(
        "cloudwatch",
        [
            *(Row(f"module, {AT_A_TIME} at a time", count, measurement) for count, measurement in by_size.items()),
            Row(f"module again, {AT_A_TIME} at a time", APPLIANCES, again),
            Row("module, default concurrency", APPLIANCES, by_default),
            Row("module again, default concurrency", APPLIANCES, again_by_default),
            Row("bash loop with curl and jq", BASH_APPLIANCES, cost["bash"]),
            Row("Ansible loop with uri", URI_APPLIANCES, cost["uri"]),
        ],
        {
            "speedup_vs_bash": bash_seconds / module.seconds,
            "speedup_vs_bash_by_default": bash_seconds / by_default.seconds,
            "speedup_vs_uri_loop": uri_seconds / module.seconds,
            "peak_mib": max(measurement.peak_mib for measurement in (module, again, by_default, again_by_default)),
            "second_run_vs_first": by_default.seconds / again_by_default.seconds,
            f"second_run_vs_first_{AT_A_TIME}_at_a_time": module.seconds / again.seconds,
            "growth_exponent": slope({count: measurement.seconds for count, measurement in by_size.items()}),
        },
    )


if __name__ == "__main__":
    main()
