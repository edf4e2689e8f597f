# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates as the automation platform runs them, against the lab: what they get is what the set-up playbook told the platform, and nothing else."""

from __future__ import annotations

import json
import typing as t

from automation_platform import Job
from conftest import Json, StartPlatform

from lab.lab import Lab

RENEW, AUDIT = "Cloud One: renew certificates", "Cloud One: audit certificates"
LOGS, RTM = "Cloud One: stream logs to CloudWatch", "Cloud One: enable Real-Time Threat Monitoring"
FLEET = [
    {"name": "expired", "registered_days_ago": 745},
    {"name": "expired-elsewhere", "registered_days_ago": 760, "deployment": "gateway_load_balancer", "region": "eu-central-1"},
    {"name": "valid", "registered_days_ago": 200},
]
MANY = 60


def outputs(jobs: list[Job]) -> str:
    return "".join(job.output for job in jobs)


def succeeded(jobs: list[Job]) -> bool:
    return all(job.succeeded for job in jobs)


def world(lab: Lab) -> Json:
    return t.cast(Json, lab.control.world())


def test_the_workflow_from_the_audit_to_the_report(start_platform: StartPlatform) -> None:
    lab, platform = start_platform("workflow", FLEET)
    [workflow] = platform.calls.named("workflow_job_template").values()
    asked = {node["identifier"]: node.get("extra_data", {}) for node in workflow["workflow_nodes"]}

    due = platform.launch(AUDIT, **asked["audit"])
    assert not succeeded(due), "it fails, so that somebody is asked to approve"
    assert len(due) == 1, "an audit in slices would have several results"
    assert lab.control.aws_writes() == []
    renewed = platform.launch(RENEW)
    assert len(renewed) == 3
    assert succeeded(renewed), outputs(renewed)
    totals = world(lab)["totals"]
    assert (totals["renewed"], totals["expired"], totals["ssh_left_open"], totals["groups_left"]) == (2, 0, 0, 0)
    report = platform.launch(AUDIT, **asked["report"])
    assert succeeded(report), outputs(report)
    again = platform.launch(AUDIT, **asked["audit"])
    assert succeeded(again), "nothing is due any more, so nobody is asked"

    # No secret that a credential holds is in what the platform keeps of a job.
    jobs = due + renewed + report + again
    assert all(job.events for job in jobs)
    shown, events = outputs(jobs), "".join(event for job in jobs for event in job.events)
    for credential in platform.calls.named("credential").values():
        for value in credential["inputs"].values():
            assert len(value) < 20 or (value not in shown and json.dumps(value)[1:-1] not in events)


def test_forced_for_one_appliance(start_platform: StartPlatform) -> None:
    lab, platform = start_platform("forced", FLEET)
    valid = lab.control.appliance("valid")["instance_id"]
    jobs = platform.launch(RENEW, slices=1, limit=valid, netsec_certificate_force="true")
    assert succeeded(jobs), outputs(jobs)
    assert [appliance["name"] for appliance in world(lab)["appliances"] if appliance["renewed"]] == ["valid"]


def test_logs_and_real_time_monitoring(start_platform: StartPlatform) -> None:
    aws = {"regions_off": ["me-south-1", "ap-east-1", "af-south-1", "eu-south-1"], "trail": "multi_region"}
    lab, platform = start_platform("logs", FLEET, aws=aws, conformity={"accounts": [{"name": "main", "aws_account_id": "123456789012"}]})
    logs = platform.launch(LOGS, netsec_cloudwatch_logs_proof_timeout=20)
    assert succeeded(logs), outputs(logs)
    for appliance in world(lab)["appliances"]:
        assert {entry["logName"] for entry in appliance["log_types"] if entry["enable"]} == {"ipsBlock", "ipsAlert"}
    rtm = platform.launch(RTM, conformity_rtm_confirm="true")
    assert succeeded(rtm), outputs(rtm)
    assert world(lab)["totals"]["regions_monitored"] == 17


def end_state(lab: Lab) -> dict[str, Json]:
    """What is left of a renewal, without what differs between any two runs: times, and IDs that the API counts."""
    truth = world(lab)
    return {
        one["name"]: {
            "renewed": one["renewed"],
            "registered": (one["registered_on_appliance"], len(one["api_ids"]), one["communicates"]),
            "renewals": len([entry for entry in one["registrations"] if entry["at"] > truth["started_at"]]),
            "unregistrations": (len(one["unregistered_in_api_at"]), len(one["unregistered_on_appliance_at"])),
            "settings": (one["settings_as_at_start"], one["profile_id"], one["log_types"]),
            "tags": sorted(one["tags"]),
            "ssh": (one["ssh"]["open_to"], len(one["ssh"]["interface_groups"])),
        }
        for one in truth["appliances"]
    }


def test_three_slices_at_once_end_as_one_job_does(start_platform: StartPlatform) -> None:
    """No appliance is renewed twice or forgotten, and no slice leaves SSH open or closes that of another."""
    fleet = [
        {
            "name": f"appliance-{number:02d}",
            "deployment": "gateway_load_balancer" if number % 2 else "inline",
            "region": ("us-east-1", "eu-central-1")[number % 4 // 2],
            # Every tenth one is not due.
            "registered_days_ago": 760 if number % 10 else 200,
            "registration_delay": 1,
            "registration_loses": ["profile"],
        }
        for number in range(MANY)
    ]

    def renew(name: str, slices: int) -> tuple[dict[str, Json], Json]:
        lab, platform = start_platform(name, fleet)
        assert platform.calls.named("job_template")[RENEW]["job_slice_count"] == 3
        jobs = platform.launch(RENEW, slices=slices)
        assert (len(jobs), succeeded(jobs)) == (slices, True), outputs(jobs)
        return end_state(lab), world(lab)["totals"]

    one, _totals = renew("one", 1)
    three, totals = renew("three", 3)
    assert three == one
    due = MANY * 9 // 10
    assert (totals["renewed"], sum(state["renewals"] for state in three.values())) == (due, due)
    assert (totals["ssh_left_open"], totals["groups_left"], totals["listed_twice"], totals["unregistered"]) == (0, 0, 0, 0)
