# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stack sets over an organization: real stacks in the accounts, operations that take time, and what AWS refuses."""

from __future__ import annotations

import time
import typing as t

import pytest
from botocore.exceptions import ClientError
from rtm_lab import NAME, RtmLab

from lab.aws import ACCOUNT_ID
from lab.cloudformation import vendor_template

FIRST, SECOND, OUTSIDE = "222222222222", "333333333333", "444444444444"
REGIONS = ("us-east-1", "eu-west-1", "af-south-1")
PARALLEL = {"FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100, "RegionConcurrencyType": "PARALLEL"}
SOURCES = {"ParameterKey": "EventBusSources", "ParameterValue": "aws.s3"}
AUTO = {"Enabled": True, "RetainStacksOnAccountRemoval": False}


def fleet(**aws: t.Any) -> dict[str, t.Any]:
    accounts = [{"id": FIRST}, {"id": SECOND, "regions_off": ["af-south-1"]}, {"id": OUTSIDE}]
    return {"aws": {"accounts": accounts, "organization": {"units": {"prod": [FIRST], "test": [SECOND]}}, **aws}}


class Set:
    """A stack set as its manager sees it."""

    def __init__(self, lab: RtmLab) -> None:
        self.lab = lab
        self.cfn = lab.client("cloudformation")
        organizations = lab.client("organizations")
        self.root = organizations.list_roots()["Roots"][0]["Id"]
        units = organizations.list_organizational_units_for_parent(ParentId=self.root)["OrganizationalUnits"]
        self.units = {unit["Name"]: unit["Id"] for unit in units}

    def create(self, **arguments: t.Any) -> None:
        usual = {"StackSetName": "rtm", "TemplateBody": vendor_template(), "Parameters": [SOURCES], "PermissionModel": "SERVICE_MANAGED"}
        self.cfn.create_stack_set(**{**usual, "AutoDeployment": AUTO, **arguments})

    def deploy(self, *units: str, regions: t.Sequence[str] = REGIONS, **arguments: t.Any) -> t.Any:
        targets = {"OrganizationalUnitIds": [self.units.get(unit, unit) for unit in units]}
        usual = {"StackSetName": "rtm", "DeploymentTargets": targets, "Regions": list(regions), "OperationPreferences": PARALLEL}
        return self.wait(self.cfn.create_stack_instances(**{**usual, **arguments})["OperationId"])

    def operation(self, operation_id: str) -> t.Any:
        return self.cfn.describe_stack_set_operation(StackSetName="rtm", OperationId=operation_id)["StackSetOperation"]

    def wait(self, operation_id: str) -> t.Any:
        while (operation := self.operation(operation_id))["Status"] == "RUNNING":
            time.sleep(0.02)
        return operation

    def instances(self) -> dict[tuple[str, str], str]:
        summaries = self.cfn.list_stack_instances(StackSetName="rtm")["Summaries"]
        return {(summary["Account"], summary["Region"]): summary["Status"] for summary in summaries}

    def results(self, operation_id: str) -> dict[tuple[str, str], tuple[str, str]]:
        summaries = self.cfn.list_stack_set_operation_results(StackSetName="rtm", OperationId=operation_id)["Summaries"]
        return {(one["Account"], one["Region"]): (one["Status"], one["StatusReason"]) for one in summaries}


def refused(code: str, text: str = "") -> t.Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{text}")


@pytest.fixture
def stack_set(start_lab: t.Callable[..., RtmLab]) -> Set:
    return Set(start_lab(**fleet()))


def test_a_set_is_described_as_it_was_made(stack_set: Set) -> None:
    stack_set.create(Tags=[{"Key": "Team", "Value": "net"}], Description="x")
    shown = stack_set.cfn.describe_stack_set(StackSetName="rtm")["StackSet"]
    assert (shown["Status"], shown["PermissionModel"], shown["AutoDeployment"], shown["Description"]) == ("ACTIVE", "SERVICE_MANAGED", AUTO, "x")
    assert (shown["TemplateBody"], shown["Tags"]) == (vendor_template(), [{"Key": "Team", "Value": "net"}])
    assert SOURCES in shown["Parameters"]
    assert [one["StackSetName"] for one in stack_set.cfn.list_stack_sets(Status="ACTIVE")["Summaries"]] == ["rtm"]
    with refused("NameAlreadyExistsException"):
        stack_set.create()
    with refused("StackSetNotFoundException"):
        stack_set.cfn.describe_stack_set(StackSetName="none")
    stack_set.cfn.delete_stack_set(StackSetName="rtm")
    assert stack_set.cfn.list_stack_sets()["Summaries"] == []


def test_instances_are_stacks_in_the_accounts_but_never_in_the_managing_one(stack_set: Set) -> None:
    stack_set.create()
    operation = stack_set.deploy(stack_set.root)
    assert (operation["Action"], operation["Status"]) == ("CREATE", "SUCCEEDED")
    assert stack_set.instances() == {
        **{(account, region): "CURRENT" for account in (FIRST, SECOND) for region in ("us-east-1", "eu-west-1")},
        (FIRST, "af-south-1"): "CURRENT",
        (SECOND, "af-south-1"): "OUTDATED",
    }
    assert stack_set.results(operation["OperationId"])[SECOND, "af-south-1"][0] == "FAILED"
    seen = stack_set.lab.monitoring(FIRST, "eu-west-1")
    assert seen["owner"].startswith("StackSet-rtm-") and seen["rule"]["sources"] == ["aws.s3"]
    assert stack_set.lab.monitoring(OUTSIDE, "eu-west-1")["rule"] is None
    assert stack_set.lab.monitoring(ACCOUNT_ID, "eu-west-1")["rule"] is None
    described = stack_set.cfn.describe_stack_instance(StackSetName="rtm", StackInstanceAccount=FIRST, StackInstanceRegion="eu-west-1")["StackInstance"]
    assert (described["StackInstanceStatus"], seen["owner"] in described["StackId"]) == ({"DetailedStatus": "SUCCEEDED"}, True)


def test_an_operation_takes_time_and_there_is_one_at_a_time(start_lab: t.Callable[..., RtmLab]) -> None:
    stack_set = Set(start_lab(**fleet(cloudformation={"operation_seconds": 0.4})))
    stack_set.create()
    targets = {"OrganizationalUnitIds": list(stack_set.units.values())}
    arguments = {"StackSetName": "rtm", "DeploymentTargets": targets, "Regions": REGIONS[:2]}
    began = time.monotonic()
    operation_id = stack_set.cfn.create_stack_instances(**arguments, OperationPreferences=PARALLEL)["OperationId"]
    assert stack_set.operation(operation_id)["Status"] == "RUNNING"
    with refused("OperationInProgressException"):
        stack_set.cfn.update_stack_set(StackSetName="rtm", UsePreviousTemplate=True, Parameters=[SOURCES])
    stack_set.wait(operation_id)
    assert time.monotonic() - began < 0.8, "all at once"
    began = time.monotonic()
    change = {"StackSetName": "rtm", "UsePreviousTemplate": True, "Parameters": [{**SOURCES, "ParameterValue": "aws.ec2"}]}
    stack_set.wait(stack_set.cfn.update_stack_set(**change)["OperationId"])
    assert time.monotonic() - began >= 1.6, "one account and region after the other, unless said otherwise"
    assert stack_set.lab.monitoring(SECOND, "eu-west-1")["rule"]["sources"] == ["aws.ec2"]


def test_failures_beyond_the_tolerance_fail_the_operation(start_lab: t.Callable[..., RtmLab]) -> None:
    accounts = [{"id": FIRST, "rtm": {"eu-west-1": {"stack": None}}}, {"id": SECOND}]
    stack_set = Set(start_lab(**fleet(accounts=accounts)))
    stack_set.create()
    operation = stack_set.deploy("prod", "test", regions=["eu-west-1"], OperationPreferences={"FailureToleranceCount": 0})
    assert operation["Status"] == "FAILED"
    status, reason = stack_set.results(operation["OperationId"])[FIRST, "eu-west-1"]
    assert (status, f"{NAME} already exists" in reason) == ("FAILED", True)
    assert stack_set.instances() == {(FIRST, "eu-west-1"): "OUTDATED", (SECOND, "eu-west-1"): "CURRENT"}
    session = stack_set.lab.assume(FIRST)
    events = stack_set.lab.client("events", "eu-west-1", session)
    events.remove_targets(Rule=NAME, Ids=["CloudConformityBus"])
    events.delete_rule(Name=NAME)
    assert stack_set.deploy("prod", regions=["eu-west-1"])["Status"] == "SUCCEEDED"
    assert stack_set.lab.monitoring(FIRST, "eu-west-1")["owner"].startswith("StackSet-rtm-")


def test_instances_are_deleted_or_their_stacks_left(stack_set: Set) -> None:
    stack_set.create()
    stack_set.deploy("prod", "test", regions=["us-east-1", "eu-west-1"])
    with refused("StackSetNotEmptyException"):
        stack_set.cfn.delete_stack_set(StackSetName="rtm")
    arguments = {"StackSetName": "rtm", "OperationPreferences": PARALLEL}
    prod, test = ({"OrganizationalUnitIds": [stack_set.units[name]]} for name in ("prod", "test"))
    answer = stack_set.cfn.delete_stack_instances(**arguments, DeploymentTargets=prod, Regions=["us-east-1", "eu-west-1"], RetainStacks=False)
    assert stack_set.wait(answer["OperationId"])["Status"] == "SUCCEEDED"
    assert {account for account, _region in stack_set.instances()} == {SECOND}
    assert stack_set.lab.monitoring(FIRST, "eu-west-1")["rule"] is None
    answer = stack_set.cfn.delete_stack_instances(**arguments, DeploymentTargets=test, Regions=["us-east-1", "eu-west-1"], RetainStacks=True)
    stack_set.wait(answer["OperationId"])
    assert stack_set.instances() == {}
    assert stack_set.lab.monitoring(SECOND, "eu-west-1")["rule"] is not None
    actions = [operation["Action"] for operation in stack_set.cfn.list_stack_set_operations(StackSetName="rtm")["Summaries"]]
    assert actions == ["DELETE", "DELETE", "CREATE"]


def test_targets_are_units_of_the_organization(stack_set: Set) -> None:
    stack_set.create()
    usual = {"StackSetName": "rtm", "Regions": ["us-east-1"]}
    with refused("ValidationError", "OrganizationalUnit as target"):
        stack_set.cfn.create_stack_instances(**usual, Accounts=[FIRST])
    with refused("ValidationError", "does not exist"):
        stack_set.deploy("ou-abcd-12345678")
    both = {"OrganizationalUnitIds": [stack_set.root], "Accounts": [FIRST], "AccountFilterType": "DIFFERENCE"}
    stack_set.wait(stack_set.cfn.create_stack_instances(**usual, DeploymentTargets=both)["OperationId"])
    assert list(stack_set.instances()) == [(SECOND, "us-east-1")]
    with refused("ValidationError", "AccountFilterType"):
        stack_set.cfn.create_stack_instances(**usual, DeploymentTargets={**both, "AccountFilterType": "NONE"})
    with refused("OperationNotFoundException"):
        stack_set.operation("none")
    with refused("StackInstanceNotFoundException"):
        stack_set.cfn.describe_stack_instance(StackSetName="rtm", StackInstanceAccount=FIRST, StackInstanceRegion="us-east-1")


def test_what_a_set_needs(start_lab: t.Callable[..., RtmLab]) -> None:
    stack_set = Set(start_lab(**fleet(organization={"units": {"prod": [FIRST]}, "stack_sets_trusted": False})))
    assert stack_set.cfn.describe_organizations_access()["Status"] == "DISABLED"
    with refused("ValidationError", "organizations access"):
        stack_set.create()
    stack_set.cfn.activate_organizations_access()
    assert stack_set.cfn.describe_organizations_access()["Status"] == "ENABLED"
    for arguments, text in [
        ({"AutoDeployment": {"Enabled": True}}, "RetainStacksOnAccountRemoval"),
        ({"Parameters": []}, "must have values"),
        ({"TemplateBody": "{"}, "Template format error"),
    ]:
        with refused("ValidationError", text):
            stack_set.create(**t.cast(t.Any, arguments))
    other = stack_set.lab.client("cloudformation", "us-east-1", stack_set.lab.assume(FIRST))
    with refused("ValidationError", "organizations access"):
        other.create_stack_set(StackSetName="x", TemplateBody=vendor_template(), Parameters=[SOURCES], PermissionModel="SERVICE_MANAGED", AutoDeployment=AUTO)


def test_what_is_deployed_to_accounts_that_join(stack_set: Set) -> None:
    stack_set.create()
    stack_set.deploy("prod", "test", regions=["us-east-1"])
    some = {"OrganizationalUnitIds": [stack_set.root], "Accounts": [FIRST], "AccountFilterType": "INTERSECTION"}
    stack_set.deploy(regions=["us-east-1"], DeploymentTargets=some)

    def targets() -> dict[str, list[str]]:
        return {one["OrganizationalUnitId"]: one["Regions"] for one in stack_set.cfn.list_stack_set_auto_deployment_targets(StackSetName="rtm")["Summaries"]}

    assert targets() == {stack_set.units["prod"]: ["us-east-1"], stack_set.units["test"]: ["us-east-1"]}
    prod = {"OrganizationalUnitIds": [stack_set.units["prod"]]}
    answer = stack_set.cfn.delete_stack_instances(StackSetName="rtm", DeploymentTargets=prod, Regions=["us-east-1"], RetainStacks=False)
    stack_set.wait(answer["OperationId"])
    assert targets() == {stack_set.units["test"]: ["us-east-1"]}
    off = {"StackSetName": "rtm", "UsePreviousTemplate": True, "Parameters": [SOURCES], "AutoDeployment": {"Enabled": False}}
    with refused("ValidationError", "AutoDeployment cannot be specified together"):
        stack_set.cfn.update_stack_set(**off, DeploymentTargets=prod, Regions=["us-east-1"])
    stack_set.wait(stack_set.cfn.update_stack_set(**off)["OperationId"])
    assert targets() == {}
    with refused("LimitExceededException"):
        stack_set.deploy(*(f"ou-abcd-{number:08}" for number in range(51)))
