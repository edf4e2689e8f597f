# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What rolling RTM out over 17 regions costs: the module against a serial script and a loop of tasks, each on a fresh lab, in turn.

Every operation on a stack takes 2 s and every call 40 ms; 4 of the 21 regions are off. Then the same for many accounts in one run, with one inventory
host for each. The ways that work on one region after the other mostly wait, so once is enough for them.
Only the command is measured; the lab runs in another process, but on the same cores.
"""

from __future__ import annotations

import math
import os
import typing as t
from pathlib import Path

import yaml
from bench_lab import BenchLab
from harness import Measurement, Row, measure, median, report, slope

from lab.fleet import RTM_REGIONS, parse_fleet

OPERATION_SECONDS = 2
AWS_DELAY = 0.04
REGIONS_OFF = ["me-south-1", "ap-east-1", "af-south-1", "eu-south-1"]
REGIONS_ON = [region for region in RTM_REGIONS if region not in REGIONS_OFF]
ONE_REGION = REGIONS_ON[:1]
ACCOUNTS = (5, 10, 20)
REPEATS = 3

# Seconds that all regions may take besides 1.5 times what one takes.
ALLOWANCE = 3

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "bench" / "rtm"
COLLECTIONS = ROOT / "build" / "bench" / "collections"

STACK = "CloudConformityMonitoring"


def account_ids(count: int) -> list[str]:
    """IDs of accounts besides the lab's own."""
    return [str(200_000_000_000 + number) for number in range(1, count + 1)]


def rtm_lab(name: str, accounts: t.Sequence[str] = ()) -> BenchLab:
    """A lab in which nothing of RTM is there yet."""
    aws = {
        "delay": AWS_DELAY,
        "cloudformation": {"operation_seconds": OPERATION_SECONDS},
        "regions_off": REGIONS_OFF,
        "accounts": [{"id": account, "regions_off": REGIONS_OFF} for account in accounts],
    }
    return BenchLab(BUILD / name, parse_fleet({"aws": aws, "appliances": []}))


def playbook(file: str, hosts: t.Mapping[str, t.Mapping[str, str]], *, regions: t.Sequence[str] = ()) -> list[str]:
    """The command that runs a playbook over an inventory of these hosts.

    :param hosts: the variables of each.
    """
    variables = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    inventory = BUILD / f"inventory-{len(hosts)}.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts, "vars": variables}}), encoding="utf-8")
    extra = ["-e", yaml.safe_dump({"rtm_regions": list(regions)}, default_flow_style=True, width=math.inf)] if regions else []
    return ["ansible-playbook", "-i", str(inventory), "-f", str(len(hosts)), *extra, f"tests/bench/{file}"]


def run(lab: BenchLab, command: t.Sequence[str], name: str, *, regions: t.Sequence[str] = REGIONS_ON, writes: bool = True) -> Measurement:
    """Run one of the ways and look whether it did its work in every account that it was for.

    :param regions: where RTM must be then, and nowhere else.
    :param writes: whether there was anything to do.
    :raises RuntimeError: it failed, RTM does not stand as it should, or it wrote where there was nothing to do.
    """
    lab.control.clear_calls()
    environment = lab.environment | {"ANSIBLE_COLLECTIONS_PATH": f"{os.environ['ANSIBLE_COLLECTIONS_PATH']}:{COLLECTIONS}"}
    measurement = measure(command, environment=environment, output=BUILD / f"{name}.log", cwd=ROOT)
    world = lab.control.world()["rtm"]
    roles = lab.description["aws_role_arns"]
    for account in [role.split(":")[4] for role in roles] or [lab.description["aws_account_id"]]:
        standing = world[account]["regions"]
        complete = [region for region in RTM_REGIONS if standing[region]["monitored"] and standing[region]["stacks"] == {STACK: "CREATE_COMPLETE"}]
        if set(complete) != set(regions):
            raise RuntimeError(f"{name}: in the account {account} RTM is complete in {complete}, not in {regions}")
    if bool(lab.control.aws_writes()) is not writes:
        raise RuntimeError(f"{name}: it wrote to AWS {len(lab.control.aws_writes())} times")
    return measurement


def run_all_regions(repeat: int) -> tuple[Measurement, Measurement]:
    """The module over all regions, and once more, when nothing is left to do."""
    command = playbook("rtm.yml", {"own": {}})
    with rtm_lab(f"module-{repeat}") as lab:
        return run(lab, command, f"module-{repeat}"), run(lab, command, f"module-{repeat}-again", writes=False)


def run_one_region(repeat: int) -> Measurement:
    with rtm_lab(f"one-{repeat}") as lab:
        return run(lab, playbook("rtm.yml", {"own": {}}, regions=ONE_REGION), f"one-{repeat}", regions=ONE_REGION)


def run_accounts(count: int) -> Measurement:
    accounts = account_ids(count)
    with rtm_lab(f"accounts-{count}", accounts) as lab:
        hosts = {f"account-{arn.split(':')[4]}": {"rtm_role_arn": arn} for arn in lab.description["aws_role_arns"]}
        return run(lab, playbook("rtm.yml", hosts), f"accounts-{count}")


def run_script() -> Measurement:
    with rtm_lab("script") as lab:
        return run(lab, ["tests/bench/rtm_regions.sh", *RTM_REGIONS], "script")


def run_loop() -> Measurement:
    with rtm_lab("loop") as lab:
        return run(lab, playbook("rtm_loop.yml", {"own": {}}, regions=REGIONS_ON), "loop")


def main() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    whole, again, single = [], [], []
    for repeat in range(1, REPEATS + 1):
        print(f"module, {repeat} of {REPEATS} ...", flush=True)
        first, second = run_all_regions(repeat)
        whole.append(first)
        again.append(second)
        single.append(run_one_region(repeat))
    accounts = {}
    for count in ACCOUNTS:
        print(f"{count} accounts ...", flush=True)
        accounts[count] = run_accounts(count)
    print("script ...", flush=True)
    script = run_script()
    print("loop ...", flush=True)
    loop = run_loop()
    module, noop, one = median(whole), median(again), median(single)
    report(
        "rtm",
        [
            Row("module, all regions", len(REGIONS_ON), module),
            Row("module again, nothing to do", len(REGIONS_ON), noop),
            Row("module, one region", 1, one),
            Row("serial script with aws cloudformation", len(REGIONS_ON), script),
            Row("loop with amazon.aws.cloudformation", len(REGIONS_ON), loop),
            *(Row(f"module, {count} accounts", count * len(REGIONS_ON), measurement) for count, measurement in accounts.items()),
        ],
        {
            "speedup_vs_script": script.seconds / module.seconds,
            "speedup_vs_loop": loop.seconds / module.seconds,
            "wall_vs_one_region": (module.seconds - ALLOWANCE) / one.seconds,
            "noop_seconds": noop.seconds,
            "accounts_20_seconds": accounts[20].seconds,
            "growth_exponent": slope({count: measurement.seconds for count, measurement in accounts.items()}),
        },
    )


if __name__ == "__main__":
    main()
