# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""configure_cloudwatch_logs.yml."""

from __future__ import annotations

import typing as t

from moto.logs.models import logs_backends

from faults.catalogue import API_TIMEOUT
from faults.model import Json, Run
from faults.scenarios.renewal import REGIONS
from lab.aws import ACCOUNT_ID
from lab.lab import Lab

TYPES = {"system": "matrix-system", "ipsBlock": "matrix-blocks"}
RETENTION = 30


def _fleet(count: int, regions: t.Sequence[str]) -> Json:
    by_hand = {"audit": {"group": "set-by-hand"}}
    return {"appliances": [{"name": f"logs-{number:02d}", "region": regions[number % len(regions)], "log_types": by_hand} for number in range(count)]}


class LogStreaming:
    """What is declared stands in the API and in CloudWatch, or is named; what was set by hand stays."""

    playbook = "configure_cloudwatch_logs"
    fleets: t.Mapping[str, Json] = {
        "small": _fleet(2, REGIONS[:2]),
        "appliances": _fleet(18, REGIONS[:2]),
        "regions": _fleet(len(REGIONS), REGIONS),
    }

    def arguments(self) -> list[str]:
        return []

    def variables(self, lab: Lab) -> Json:
        return {
            "netsec_api_options": {"api_timeout": API_TIMEOUT},
            "netsec_cloudwatch_logs_types": [{"name": name, "group": group} for name, group in TYPES.items()],
            "netsec_cloudwatch_logs_groups": [{"name": group, "retention_days": RETENTION, "tags": {"by": "matrix"}} for group in TYPES.values()],
            "netsec_cloudwatch_logs_proof_timeout": 10,
            "netsec_cloudwatch_logs_concurrency": 20,
        }

    def unreported(self, lab: Lab, run: Run) -> list[str]:
        wrong = _wrong(lab)
        if run.returncode == 0:
            return [f"the exit code is 0, but {each}" for each in wrong.values()]
        # A step that fails as a whole ends the run for all, with the reason, and without a summary.
        if run.killed or "Show the summary" not in run.output:
            return [] if run.killed or "fatal: " in run.output or "ERROR" in run.output else ["the run ended without a reason"]
        return [f"{each}, and is not named" for name, each in wrong.items() if name not in run.failed and not name.startswith("group")]

    def unfinished(self, lab: Lab) -> list[str]:
        return list(_wrong(lab).values())

    def let_leases_lapse(self, lab: Lab) -> bool:
        return False

    def hosts(self, lab: Lab) -> list[str]:
        return [spec.instance_id for spec in lab.fleet.appliances]

    def secrets(self) -> Json:
        return {}


def _wrong(lab: Lab) -> dict[str, str]:
    """What is not as declared, by instance id or region."""
    found = {}
    for appliance in lab.control.world()["appliances"]:
        streamed = {entry["logName"]: entry["logGroupName"] for entry in appliance["log_types"] if entry["enable"]}
        if streamed != {**TYPES, "audit": "set-by-hand"}:
            found[appliance["instance_id"]] = f"{appliance['instance_id']} streams {streamed}"
    with lab.aws.lock:
        for region in {spec.region for spec in lab.fleet.appliances}:
            groups = logs_backends[ACCOUNT_ID][region].groups
            for name in TYPES.values():
                if name not in groups or groups[name].retention_in_days != RETENTION:
                    found[f"group {name} {region}"] = f"the log group {name} of {region} is missing or without its retention"
    return found
