# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""renew_certs.yml."""

from __future__ import annotations

import re
import typing as t

from faults.catalogue import API_TIMEOUT, SSH_TIMEOUT
from faults.model import Json, Run
from faults.other_hands import ec2_of
from lab.lab import Lab

REGIONS = ("us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2", "eu-central-1", "ap-south-1", "sa-east-1", "ca-central-1")
EXPIRY_TAG = "trendmicro.cloudone:expires-at"
RECORD_TAGS = ("trendmicro.cloudone:renewal-",)


def _due(number: int, region: str) -> Json:
    return {
        "name": f"due-{number:02d}",
        "region": region,
        "deployment": "gateway_load_balancer" if number % 2 else "inline",
        "registered_days_ago": 745,
        "registration_loses": ["log_types", "profile"],
        "log_types": {"ipsBlock": {"group": "block-events"}},
    }


def _fleet(count: int, regions: t.Sequence[str]) -> Json:
    valid = {"name": "valid", "registered_days_ago": 100, "log_types": {"ipsBlock": {"group": "block-events"}}}
    return {"appliances": [*(_due(number, regions[number % len(regions)]) for number in range(count)), valid]}


class Renewal:
    """Every due appliance is renewed or named; nothing stays open; the others are not touched."""

    playbook = "renew_certs"
    fleets: t.Mapping[str, Json] = {
        "small": _fleet(2, REGIONS[:2]),
        "appliances": _fleet(18, REGIONS[:2]),
        "regions": _fleet(len(REGIONS), REGIONS),
    }

    def arguments(self) -> list[str]:
        return ["--forks", "6"]

    def variables(self, lab: Lab) -> Json:
        return {
            "netsec_serial": "100%",
            "netsec_max_fail_percentage": 100,
            "netsec_api_options": {"api_timeout": API_TIMEOUT},
            "netsec_certificate_regions": list(REGIONS),
            "netsec_certificate_concurrency": 20,
            "netsec_certificate_ssh_attempts": 2,
            "netsec_certificate_register_timeout": SSH_TIMEOUT,
            "netsec_certificate_registration_timeout": 10,
            "ansible_connect_timeout": SSH_TIMEOUT,
            "ansible_command_timeout": SSH_TIMEOUT,
        }

    def unreported(self, lab: Lab, run: Run) -> list[str]:
        world = lab.control.world()
        wrong = {appliance["instance_id"]: _faults_of(appliance, lab) for appliance in world["appliances"]}
        wrong = {instance_id: each for instance_id, each in wrong.items() if each}
        problems = []
        if run.returncode == 0 and (wrong or world["groups_left"]):
            problems.append(f"the exit code is 0, but {wrong or 'a temporary security group is left'}")
        if "Show the summary" not in run.output:
            # Ansible itself gives up, as it does when a worker of its own was killed.
            return problems if run.killed or "ERROR" in run.output or "fatal: " in run.output else [*problems, "the run ended without a reason"]
        if not run.killed:
            problems += [f"{instance_id} is {', '.join(each)}, and is not named" for instance_id, each in wrong.items() if instance_id not in run.failed]
            problems += [f"{instance_id} failed, and the summary does not say why" for instance_id in sorted(run.failed) if not _explained(run, instance_id)]
        return problems

    def unfinished(self, lab: Lab) -> list[str]:
        world = lab.control.world()
        wrong = [f"{appliance['name']} is {', '.join(each)}" for appliance in world["appliances"] if (each := _faults_of(appliance, lab))]
        if world["groups_left"]:
            wrong.append(f"temporary security groups are left: {[group['name'] for group in world['groups_left']]}")
        return wrong

    def let_leases_lapse(self, lab: Lab) -> bool:
        # A group on no interface lends nothing, and cannot be told from one that another run is about to lend.
        idle = [group for group in lab.control.world()["groups_left"] if not group["interfaces"]]
        for group in idle:
            ec2_of(lab, group["region"]).create_tags(Resources=[group["group_id"]], Tags=[{"Key": EXPIRY_TAG, "Value": "2020-01-01T00:00:00Z"}])
        return bool(idle)

    def hosts(self, lab: Lab) -> list[str]:
        return [spec.instance_id for spec in lab.fleet.appliances]

    def secrets(self) -> Json:
        return {}


def _faults_of(appliance: Json, lab: Lab) -> list[str]:
    """What is not as wanted with one appliance."""
    due = appliance["name"].startswith("due")
    since_start = [event for event in appliance["registrations"] if event["credential"] != "initial"]
    checks = {
        "not listed exactly once": len(appliance["api_ids"]) == 1,
        "not communicating": appliance["communicates"],
        "still due": not due or appliance["renewed"],
        "renewed without need": due or not since_start,
        "without its settings": appliance["settings_as_at_start"],
        "open to SSH": not appliance["ssh"]["left_open"],
        "left with a record": not any(key.startswith(RECORD_TAGS) for key in appliance["tags"]),
        "without the date of its registration": not due or "trendmicro.cloudone:registered-at" in appliance["tags"],
    }
    return [problem for problem, fine in checks.items() if not fine]


def _explained(run: Run, host: str) -> bool:
    """Whether the summary names a host as failed, with a reason; or the run ended before, which a fatal error explains."""
    told = re.search(rf'"{host}: FAILED \([^)]*\)",?\s*"    (\S[^\n]{{20,}})"', run.output)
    return bool(told) or ("Show the summary" not in run.output and f"fatal: [{host}" in run.output)
