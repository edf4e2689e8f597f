# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RTM over an organization, as a playbook rolls it out: what the accounts then have, and how many calls wrote."""

from __future__ import annotations

import json
import subprocess
import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

import boto3
import psutil
import pytest
from conftest import ROOT, Site

from lab.aws import ACCOUNT_ID

FIRST, SECOND, THIRD = "222222222222", "333333333333", "444444444444"
NAME = "CloudConformityMonitoring"
REGIONS = ("us-east-1", "eu-west-1")
Json = dict[str, t.Any]
StartSite = t.Callable[..., Site]


@dataclass
class Organization:
    """The organization of a lab, and a playbook of one task."""

    site: Site

    @property
    def units(self) -> dict[str, str]:
        client = self.client("organizations")
        root = client.list_roots()["Roots"][0]["Id"]
        units = client.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
        return {"root": root, **{unit["Name"]: unit["Id"] for unit in units}}

    def client(self, service: str, region: str = "us-east-1", role_of: str | None = None) -> t.Any:
        environment = self.site.lab.environment
        keys = {"aws_access_key_id": environment["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"]}
        if role_of:
            arn = f"arn:aws:iam::{role_of}:role/conformity-rtm"
            found = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
            keys = {"aws_access_key_id": found["AccessKeyId"], "aws_secret_access_key": found["SecretAccessKey"], "aws_session_token": found["SessionToken"]}
        return boto3.client(t.cast(t.Any, service), region_name=region, endpoint_url=environment["AWS_ENDPOINT_URL"], **t.cast(Json, keys))

    def command(self, *units: str, module: str = "conformity_rtm_stackset", check: bool = False, **options: t.Any) -> tuple[list[str], Path]:
        """Write a playbook; return how to run it, and where its result will be."""
        out = self.site.folder / f"result-{time.monotonic_ns()}.json"
        known = self.units
        arguments: Json = {"regions": REGIONS, **options}
        if units:
            arguments["organizational_units"] = [known[unit] for unit in units]
        tasks = [
            {f"trendmicro.cloudone.{module}": arguments, "register": "result", "ignore_errors": True},
            {"ansible.builtin.copy": {"content": "{{ result | to_json }}", "dest": str(out), "mode": "0600"}, "check_mode": False},
        ]
        playbook = out.with_suffix(".yml")
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
        return ["ansible-playbook", str(playbook), *(["--check"] if check else [])], out

    def run(self, *units: str, **options: t.Any) -> Json:
        """Run the module; return its result with the number of ``writes`` that it came to."""
        command, out = self.command(*units, **options)
        before = self.writes()
        run = self.site.run(command)
        assert out.exists(), run.output
        return {"failed": False, **json.loads(out.read_text(encoding="utf-8")), "writes": self.writes() - before}

    def start(self, *units: str, **options: t.Any) -> tuple[psutil.Popen, Path]:
        """Run the module in the background; return the process, and where its result will be."""
        command, out = self.command(*units, **options)
        return psutil.Popen(command, cwd=ROOT, env=self.site.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL), out

    def run_twice_at_once(self, *units: str, **options: t.Any) -> list[Json]:
        runs = [self.start(*units, **options) for _number in range(2)]
        assert [process.wait(timeout=120) for process, _out in runs] == [0, 0]
        return [{"failed": False, **json.loads(out.read_text(encoding="utf-8"))} for _process, out in runs]

    def writes(self) -> int:
        return int(self.site.totals()["aws_writes"])

    def monitored(self) -> set[tuple[str, str]]:
        """Accounts and regions whose events really reach Conformity."""
        rtm = self.site.lab.control.world()["rtm"]
        return {(account, region) for account, one in rtm.items() for region, seen in one["regions"].items() if seen["monitored"]}


def everywhere(*accounts: str, regions: t.Sequence[str] = REGIONS) -> set[tuple[str, str]]:
    return {(account, region) for account in accounts for region in regions}


def failed(result: Json) -> list[tuple[str, str]]:
    return [(one["account_id"], one["region"]) for one in result["instances"] if one["failed"]]


@pytest.fixture
def start(start_site: StartSite) -> t.Callable[..., Organization]:
    def begin(*, first: Json | None = None, **aws: t.Any) -> Organization:
        accounts = [{"id": FIRST, **(first or {})}, {"id": SECOND, "regions_off": ["af-south-1"]}, {"id": THIRD}]
        organization = {"units": {"prod": [FIRST], "test": [SECOND, THIRD], "empty": []}}
        return Organization(start_site(aws={"accounts": accounts, "organization": organization, **aws}))

    return begin


def test_from_nothing_to_everywhere_and_back(start: t.Callable[..., Organization]) -> None:
    organization = start()
    checked = organization.run("root", check=True)
    assert (checked["changed"], checked["action"], checked["writes"]) == (True, "create", 0)
    assert organization.monitored() == set()
    created = organization.run("root")
    assert (created["failed"], created["changed"], created["writes"]) == (False, True, 2)
    assert organization.monitored() == everywhere(FIRST, SECOND, THIRD), "and never in the management account"
    assert created["management_account_covered"] is False
    again = organization.run("root")
    assert (again["changed"], again["action"], again["writes"]) == (False, "none", 0)
    own = organization.run(module="conformity_rtm")
    assert own["failed"] is False
    assert organization.monitored() == everywhere(ACCOUNT_ID, FIRST, SECOND, THIRD)
    checked = organization.run(state="absent", check=True)
    assert (checked["changed"], checked["writes"]) == (True, 0)
    removed = organization.run(state="absent")
    assert (removed["failed"], removed["stack_set_id"], removed["writes"]) == (False, None, 2)
    assert organization.monitored() == everywhere(ACCOUNT_ID)
    assert organization.run(state="absent")["writes"] == 0


def test_the_playbook_covers_the_organization_and_its_management_account(start: t.Callable[..., Organization]) -> None:
    organization = start()
    variables = {"conformity_rtm_organizational_units": [organization.units["root"]], "conformity_rtm_regions": list(REGIONS)}
    run = organization.site.play("enable_rtm.yml", **variables)
    assert run.returncode == 0, run.output
    assert organization.monitored() == everywhere(ACCOUNT_ID, FIRST, SECOND, THIRD)
    written = organization.writes()
    again = organization.site.play("enable_rtm.yml", **variables)
    assert (again.returncode, again.changed(), organization.writes()) == (0, 0, written)
    assert organization.site.play("disable_rtm.yml", **variables).returncode == 0
    assert organization.monitored() == set()


def test_a_stack_set_that_fails_stops_no_account_and_fails_the_run(start: t.Callable[..., Organization]) -> None:
    organization = start()
    variables = {"conformity_rtm_organizational_units": [organization.units["root"]], "conformity_rtm_regions": list(REGIONS)}
    organization.site.lab.control.add_fault("aws", {"code": "AccessDenied", "status": 403}, match={"operation": "cloudformation:CreateStackSet"}, times=None)
    run = organization.site.play("enable_rtm.yml", **variables)
    assert run.returncode != 0
    assert run.output.count("cloudformation:CreateStackSet") >= 2, "said at once, and again at the end"


def test_units_regions_and_parameters_change(start: t.Callable[..., Organization]) -> None:
    organization = start()
    organization.run("prod", "empty", regions=["us-east-1"])
    assert organization.run("prod", "empty", regions=["us-east-1"])["writes"] == 0
    more = organization.run("prod", "empty", regions=REGIONS)
    assert (more["action"], more["writes"]) == ("extend", 1)
    more = organization.run("prod", "test", "empty")
    assert (more["action"], more["writes"]) == ("extend", 1)
    assert organization.monitored() == everywhere(FIRST, SECOND, THIRD)
    options: Json = {"event_bus_sources": ["aws.s3", "aws.iam"], "tags": {"Owner": "security"}, "auto_deployment": False}
    assert organization.run("prod", "test", "empty", check=True, **options)["writes"] == 0
    changed = organization.run("prod", "test", "empty", **options)
    assert (changed["failed"], changed["action"], changed["writes"]) == (False, "update", 1)
    rules = {account: organization.site.lab.control.world()["rtm"][account]["regions"]["eu-west-1"]["rule"] for account in (FIRST, SECOND, THIRD)}
    assert all(rule["sources"] == ["aws.s3", "aws.iam"] for rule in rules.values())
    assert organization.run("prod", "test", "empty", **options)["writes"] == 0


def test_what_fails_is_named_and_tried_again(start: t.Callable[..., Organization]) -> None:
    """In one account a rule exists already, in another a region is off."""
    organization = start(first={"rtm": {"eu-west-1": {"stack": None}}})
    regions = [*REGIONS, "af-south-1"]
    result = organization.run("root", regions=regions)
    assert (result["failed"], failed(result)) == (True, [(FIRST, "eu-west-1"), (SECOND, "af-south-1")])
    assert f"{FIRST} in eu-west-1: The stack instance is OUTDATED" in result["msg"]
    assert f"{NAME} already exists" in result["msg"] and "has not enabled the region af-south-1" in result["msg"]
    assert everywhere(FIRST, SECOND, THIRD, regions=["us-east-1"]) <= organization.monitored()
    events = organization.client("events", "eu-west-1", FIRST)
    events.remove_targets(Rule=NAME, Ids=["CloudConformityBus"])
    events.delete_rule(Name=NAME)
    stacks = {account: stack_ids(organization, account) for account in (FIRST, THIRD)}
    again = organization.run("root", regions=regions)
    assert (again["action"], failed(again), again["writes"]) == ("retry", [(SECOND, "af-south-1")], 1)
    assert (FIRST, "eu-west-1") in organization.monitored()
    assert stack_ids(organization, FIRST) - stacks[FIRST] and stack_ids(organization, THIRD) == stacks[THIRD]
    without = organization.run("root")
    assert (without["failed"], without["changed"], without["writes"]) == (False, False, 0)


def stack_ids(organization: Organization, account: str) -> set[str]:
    client = organization.client("cloudformation", "eu-west-1", account)
    return {stack["StackId"] for stack in client.describe_stacks()["Stacks"]}


def test_killed_in_the_middle_and_run_twice_at_once(start: t.Callable[..., Organization]) -> None:
    organization = start(cloudformation={"operation_seconds": 4})
    process, _out = organization.start("root")
    deadline = time.monotonic() + 60
    while organization.writes() < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    for one in (process, *process.children(recursive=True)):
        one.kill()
    process.wait()
    assert organization.monitored() == set()
    before = organization.writes()
    results = organization.run_twice_at_once("root")
    assert [(result["failed"], result["changed"]) for result in results] == [(False, False)] * 2
    assert organization.writes() == before, "the killed run had begun everything"
    assert organization.monitored() == everywhere(FIRST, SECOND, THIRD)
    results = organization.run_twice_at_once("root", event_bus_sources=["aws.s3"])
    assert [result["failed"] for result in results] == [False] * 2
    assert any(result["changed"] for result in results)
    assert organization.run("root", event_bus_sources=["aws.s3"])["writes"] == 0


def test_waiting_is_bounded_and_a_further_run_does_the_rest(start: t.Callable[..., Organization]) -> None:
    organization = start(cloudformation={"operation_seconds": 6})
    result = organization.run("prod", wait_timeout=1)
    assert (result["failed"], result["changed"]) == (True, True)
    assert "is still RUNNING when the time for waiting (wait_timeout) is over" in result["msg"]
    again = organization.run("prod")
    assert (again["failed"], again["writes"]) == (False, 0)
    assert organization.monitored() == everywhere(FIRST)


def test_without_trusted_access(start_site: StartSite) -> None:
    site = start_site(aws={"accounts": [{"id": FIRST}], "organization": {"units": {"prod": [FIRST]}, "stack_sets_trusted": False}})
    organization = Organization(site)
    result = organization.run("prod")
    assert (result["failed"], result["writes"]) == (True, 0)
    assert "activate-organizations-access" in result["msg"]
    organization.client("cloudformation").activate_organizations_access()
    assert organization.run("prod")["failed"] is False


def test_another_stack_set_of_the_name(start: t.Callable[..., Organization]) -> None:
    organization = start()
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    auto = {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    cloudformation = organization.client("cloudformation")
    cloudformation.create_stack_set(StackSetName=NAME, TemplateBody=body, PermissionModel="SERVICE_MANAGED", AutoDeployment=auto)
    cloudformation.create_stack_set(StackSetName="own", TemplateBody=body)
    for options in ({}, {"stack_set_name": "own"}):
        for state in ("present", "absent"):
            result = organization.run("root", state=state, **options)
            assert (result["failed"], result["action"], result["writes"]) == (True, "blocked", 0), result
