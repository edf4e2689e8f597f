# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fleet at a glance costs: inventory and audit of 5,000 appliances of mixed age and history, in 10 AWS accounts by 4 regions.

Every answer of the API and of AWS takes 40 ms. The inventory is made from the API and EC2, and then from the cache. The audit starts with an
inventory from the API and EC2 and writes the report in all its forms. What both say is compared with what is true in the lab.
Only the commands are measured; the lab runs in another process, but on the same cores.
"""

from __future__ import annotations

import json
import shutil
import typing as t
from collections import defaultdict
from pathlib import Path

from bench_lab import BenchLab
from harness import Measurement, Row, measure, median, report, slope

from lab.fleet_generator import generate_mixed_fleet

FLEET_SIZES = (500, 1600, 5000)
APPLIANCES = FLEET_SIZES[-1]
ACCOUNTS = 10
REGIONS = ("us-east-1", "us-west-2", "eu-central-1", "eu-west-1")
DELAY = 0.04
# Of the audit, which asks the API about each appliance; as docs/auditing.md advises for large fleets.
AUDIT_CONCURRENCY = 40
REPEATS = 3

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "bench" / "inventory"


def fleet_lab(count: int) -> BenchLab:
    fleet = generate_mixed_fleet(count, accounts=ACCOUNTS, regions=REGIONS, ssh=False, api_delay=DELAY, aws_delay=DELAY)
    return BenchLab(BUILD / f"lab-{count}", fleet)


def check(lab: BenchLab, name: str, hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> None:
    """Compare the variables of hosts with the truth.

    :raises RuntimeError: an appliance is missing, has the wrong account or region, or has expired and is called valid although its tag tells.
    """
    appliances = {appliance["instance_id"]: appliance for appliance in lab.control.world()["appliances"]}
    if hosts.keys() != appliances.keys():
        raise RuntimeError(f"{name}: {len(hosts)} hosts, {len(hosts.keys() ^ appliances.keys())} of which are not the {len(appliances)} appliances")
    for instance_id, variables in hosts.items():
        appliance = appliances[instance_id]
        if (variables["netsec_account_id"], variables["netsec_region"]) != (appliance["account_id"], appliance["region"]):
            raise RuntimeError(f"{name}: {instance_id} is said to be in {variables['netsec_account_id']}, {variables['netsec_region']}")
        tagged = variables["netsec_evidence"] == "registration_tag"
        if tagged and variables["netsec_status"] in ("valid", "expiring") and appliance["certificate"]["expired"]:
            raise RuntimeError(f"{name}: {instance_id} is called {variables['netsec_status']}, but its certificate has expired")


def list_hosts(lab: BenchLab, name: str, *, cached: bool = False) -> Measurement:
    """Run ``ansible-inventory --list`` and look at what it says."""
    output = BUILD / f"{name}.json"
    cache = {"CACHE": "true", "CACHE_PLUGIN": "ansible.builtin.jsonfile", "CACHE_CONNECTION": str(BUILD / f"{lab.state.path.name}.cache")} if cached else {}
    environment = lab.environment | {f"ANSIBLE_INVENTORY_{key}": value for key, value in cache.items()}
    command = ["ansible-inventory", "-i", str(lab.state.plugin_inventory), "--list", "--output", str(output)]
    measurement = measure(command, environment=environment, output=BUILD / f"{name}.log", cwd=ROOT)
    check(lab, name, json.loads(output.read_text(encoding="utf-8"), object_hook=_plain)["_meta"]["hostvars"])
    return measurement


def _plain(value: dict[str, t.Any]) -> t.Any:
    """Text from outside, which some versions of ansible-core mark in what they print."""
    return value["__ansible_unsafe"] if value.keys() == {"__ansible_unsafe"} else value


def audit(lab: BenchLab, name: str) -> Measurement:
    """Run the audit with its report and look whether the report is about all appliances."""
    folder = BUILD / f"{name}.report"
    variables = json.dumps({"netsec_report_dir": str(folder), "netsec_certificate_concurrency": AUDIT_CONCURRENCY})
    command = ["ansible-playbook", "-i", str(lab.state.plugin_inventory), "-e", variables, "playbooks/audit_certs.yml"]
    measurement = measure(command, environment=lab.environment, output=BUILD / f"{name}.log", cwd=ROOT)
    [table] = json.loads((folder / "certificates.json").read_text(encoding="utf-8"))["tables"]
    appliances = lab.control.world()["appliances"]
    if {row["instance_id"] for row in table["rows"]} != {appliance["instance_id"] for appliance in appliances}:
        raise RuntimeError(f"{name}: the report tells of {len(table['rows'])} appliances, which are not the {len(appliances)} of the lab")
    return measurement


def main() -> None:
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    costs: dict[str, list[Measurement]] = defaultdict(list)
    for count in FLEET_SIZES:
        print(f"{count} appliances ...", flush=True)
        with fleet_lab(count) as lab:
            list_hosts(lab, f"fill-{count}", cached=True)
            lab.control.clear_calls()
            for repeat in range(1, REPEATS + 1):
                costs[f"list-{count}"].append(list_hosts(lab, f"list-{count}-{repeat}"))
                if count == APPLIANCES:
                    asked = len(lab.control.calls())
                    costs["cached"].append(list_hosts(lab, f"cached-{repeat}", cached=True))
                    if len(lab.control.calls()) != asked:
                        raise RuntimeError(f"cached-{repeat}: the API or AWS was asked")
                costs[f"audit-{count}"].append(audit(lab, f"audit-{count}-{repeat}"))
    cost = {what: median(measurements) for what, measurements in costs.items()}
    lists, audits = ({count: cost[f"{what}-{count}"] for count in FLEET_SIZES} for what in ("list", "audit"))
    report(
        "inventory",
        [
            *(Row("ansible-inventory --list", count, measurement) for count, measurement in lists.items()),
            Row("ansible-inventory --list, from the cache", APPLIANCES, cost["cached"]),
            *(Row("audit_certs.yml with report", count, measurement) for count, measurement in audits.items()),
        ],
        {
            "list_seconds": lists[APPLIANCES].seconds,
            "list_peak_mib": lists[APPLIANCES].peak_mib,
            "cached_seconds": cost["cached"].seconds,
            "audit_seconds": audits[APPLIANCES].seconds,
            "growth_exponent": slope({count: measurement.seconds for count, measurement in lists.items()}),
            "audit_growth_exponent": slope({count: measurement.seconds for count, measurement in audits.items()}),
        },
    )


if __name__ == "__main__":
    main()
