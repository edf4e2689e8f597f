# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation in the lab: operations that take time, fail and roll back, with the errors of the real one."""

from __future__ import annotations

import time
import typing as t

import pytest
from botocore.exceptions import ClientError
from rtm_lab import BUS_ACCOUNT, NAME, OPT_IN_OFF, RtmLab

from lab.aws import ACCOUNT_ID
from lab.cloudformation import VENDOR_TEMPLATE_URL, vendor_template

SOURCES = {"ParameterKey": "EventBusSources", "ParameterValue": "aws.s3,aws.ec2"}
TEMPLATE = vendor_template()
REGION = "eu-west-1"


class Stack:
    """The stack of one region, as a client sees it."""

    def __init__(self, lab: RtmLab, region: str = REGION) -> None:
        self.lab = lab
        self.region = region
        self.cfn = lab.client("cloudformation", region)
        self.events = lab.client("events", region)

    def create(self, **arguments: t.Any) -> str:
        answer = self.cfn.create_stack(**{"StackName": NAME, "TemplateBody": TEMPLATE, "Parameters": [SOURCES], **arguments})
        return str(answer["StackId"])

    def update(self, **arguments: t.Any) -> None:
        self.cfn.update_stack(**{"StackName": NAME, "TemplateBody": TEMPLATE, "Parameters": [SOURCES], **arguments})

    def delete(self, **arguments: t.Any) -> None:
        self.cfn.delete_stack(StackName=NAME, **arguments)

    def describe(self, name: str = NAME) -> t.Any:
        return self.cfn.describe_stacks(StackName=name)["Stacks"][0]

    @property
    def status(self) -> str:
        return str(self.describe()["StackStatus"])

    def settle(self, name: str = NAME) -> t.Any:
        """Wait until nothing is in progress; return the stack."""
        while (stack := self.describe(name))["StackStatus"].endswith("_IN_PROGRESS"):
            time.sleep(0.02)
        return stack

    def rule(self) -> t.Any:
        """Return the rule, or None."""
        found = self.events.list_rules(NamePrefix=NAME)["Rules"]
        return found[0] if found else None

    def targets(self) -> list[str]:
        return [target["Arn"] for target in self.events.list_targets_by_rule(Rule=NAME)["Targets"]]

    def reasons(self, status: str) -> list[str]:
        events = self.cfn.describe_stack_events(StackName=NAME)["StackEvents"]
        return [event.get("ResourceStatusReason", "") for event in events if event["ResourceStatus"] == status]


def refused(code: str, text: str = "") -> t.Any:
    return pytest.raises(ClientError, match=rf"\({code}\).*{text}")


@pytest.fixture
def slow(start_lab: t.Callable[..., RtmLab]) -> Stack:
    return Stack(start_lab(aws={"cloudformation": {"operation_seconds": 30, "region_seconds": {REGION: 0.3}}}))


@pytest.fixture
def stack(start_lab: t.Callable[..., RtmLab]) -> Stack:
    return Stack(start_lab())


def test_a_creation_takes_its_time_and_makes_the_rule_at_its_end(slow: Stack) -> None:
    stack_id = slow.create(Tags=[{"Key": "Team", "Value": "net"}])
    assert slow.status == "CREATE_IN_PROGRESS"
    assert slow.rule() is None
    assert slow.cfn.describe_stack_resources(StackName=NAME)["StackResources"] == []
    assert slow.rule() is None, "looking must not make it"
    with refused("AlreadyExistsException", "already exists"):
        slow.create()
    with refused("ValidationError", "is in CREATE_IN_PROGRESS state and can not be updated"):
        slow.update()
    done = slow.settle()
    assert (done["StackStatus"], done["StackId"], done["Tags"]) == ("CREATE_COMPLETE", stack_id, [{"Key": "Team", "Value": "net"}])
    assert {item["ParameterKey"]: item["ParameterValue"] for item in done["Parameters"]} == {
        "CloudConformityAccountId": BUS_ACCOUNT,
        "EventBusSources": "aws.s3,aws.ec2",
    }
    assert slow.rule()["State"] == "ENABLED"
    assert slow.targets() == [f"arn:aws:events:{REGION}:{BUS_ACCOUNT}:event-bus/default"]
    assert slow.cfn.get_template(StackName=NAME)["TemplateBody"] == TEMPLATE
    assert [event["ResourceStatus"] for event in slow.cfn.describe_stack_events(StackName=NAME)["StackEvents"]] == [
        *["CREATE_COMPLETE"] * 2,
        *["CREATE_IN_PROGRESS"] * 2,
    ]


def test_a_slow_region_does_not_hold_the_others_up(slow: Stack) -> None:
    other = Stack(slow.lab, "us-west-2")
    other.create()
    slow.create()
    assert slow.settle()["StackStatus"] == "CREATE_COMPLETE"
    assert other.status == "CREATE_IN_PROGRESS"


def test_a_stack_is_deleted_at_the_end_of_its_deletion_and_then_found_by_its_id_only(slow: Stack) -> None:
    stack_id = slow.create()
    slow.settle()
    slow.delete()
    assert slow.status == "DELETE_IN_PROGRESS"
    assert slow.rule() is not None
    slow.delete()
    assert slow.settle(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert slow.rule() is None
    with refused("ValidationError", f"Stack with id {NAME} does not exist"):
        slow.describe()
    slow.delete()  # of what is not there is no error
    with refused("ValidationError", rf"Stack \[{NAME}\] does not exist"):
        slow.update()


def test_a_creation_under_way_can_be_deleted(slow: Stack) -> None:
    stack_id = slow.create()
    slow.delete()
    assert slow.settle(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert slow.rule() is None


def test_an_update_under_way_can_neither_be_updated_nor_deleted(slow: Stack) -> None:
    slow.create()
    slow.settle()
    slow.update(Parameters=[SOURCES, {"ParameterKey": "CloudConformityAccountId", "ParameterValue": "105579776292"}])
    assert slow.status == "UPDATE_IN_PROGRESS"
    assert BUS_ACCOUNT in slow.targets()[0]
    with refused("ValidationError", "can not be updated"):
        slow.update(Tags=[{"Key": "A", "Value": "b"}])
    with refused("ValidationError", "cannot be deleted while in status UPDATE_IN_PROGRESS"):
        slow.delete()
    done = slow.settle()
    assert done["StackStatus"] == "UPDATE_COMPLETE"
    assert done["LastUpdatedTime"] > done["CreationTime"]
    assert slow.targets() == [f"arn:aws:events:{REGION}:105579776292:event-bus/default"]


def test_an_update_without_changes_is_refused(stack: Stack) -> None:
    stack.create(Tags=[{"Key": "A", "Value": "b"}])
    for same in ({}, {"Tags": [{"Key": "A", "Value": "b"}]}, {"TemplateBody": "# a comment\n" + TEMPLATE}):
        with refused("ValidationError", "No updates are to be performed."):
            stack.update(**same)
    with refused("ValidationError", "No updates"):
        stack.cfn.update_stack(StackName=NAME, UsePreviousTemplate=True, Parameters=[{"ParameterKey": "EventBusSources", "UsePreviousValue": True}])


def test_other_tags_alone_are_a_change_and_leave_the_rule_as_it_is(stack: Stack) -> None:
    stack.create(Tags=[{"Key": "A", "Value": "b"}])
    stack.settle()
    stack.events.disable_rule(Name=NAME)
    stack.update(Tags=[{"Key": "A", "Value": "c"}])
    assert stack.settle()["Tags"] == [{"Key": "A", "Value": "c"}]
    assert stack.rule()["State"] == "DISABLED", "an update does not look at what was changed by hand"
    stack.update(Tags=[])
    assert stack.settle()["Tags"] == []


def test_another_template_changes_the_rule(stack: Stack) -> None:
    stack.create(TemplateBody=vendor_template("event_bus_older"))
    assert "eventCategory" not in stack.rule()["EventPattern"]
    stack.update()
    stack.settle()
    assert "eventCategory" in stack.rule()["EventPattern"]
    assert stack.cfn.get_template(StackName=NAME)["TemplateBody"] == TEMPLATE


def test_what_was_made_anew_by_hand_is_still_the_stacks(stack: Stack) -> None:
    stack.create(TemplateBody=vendor_template("event_bus_older"))
    stack.settle()
    stack.events.remove_targets(Rule=NAME, Ids=["CloudConformityBus"])
    stack.events.delete_rule(Name=NAME)
    with refused("ResourceNotFoundException"):
        stack.events.describe_rule(Name=NAME)
    stack.events.put_rule(Name=NAME, EventPattern='{"source": ["aws.s3"]}')
    stack.events.put_targets(Rule=NAME, Targets=[{"Id": "x", "Arn": f"arn:aws:events:{REGION}:{BUS_ACCOUNT}:event-bus/default"}])
    stack.update()
    assert stack.settle()["StackStatus"] == "UPDATE_COMPLETE"
    assert "aws.ec2" in stack.rule()["EventPattern"]
    assert len(stack.targets()) == 1
    stack.delete()
    assert stack.rule() is None


def test_a_rule_that_is_gone_cannot_be_updated_but_its_stack_deleted(stack: Stack) -> None:
    stack.create(TemplateBody=vendor_template("event_bus_older"))
    stack.settle()
    stack.events.remove_targets(Rule=NAME, Ids=["CloudConformityBus"])
    stack.events.delete_rule(Name=NAME)
    stack.update()
    assert stack.settle()["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert any("does not exist on EventBus default" in reason for reason in stack.reasons("UPDATE_FAILED"))
    stack.delete()
    with refused("ValidationError"):
        stack.describe()


@pytest.mark.parametrize(
    ("arguments", "end"),
    [({}, "ROLLBACK_COMPLETE"), ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED"), ({"DisableRollback": True}, "CREATE_FAILED"), ({"OnFailure": "DELETE"}, "")],
)
def test_a_creation_that_fails(slow: Stack, arguments: t.Any, end: str) -> None:
    slow.lab.control.add_fault("aws", {"stack_fails": "no room for rules"}, match={"operation": "cloudformation:CreateStack", "region": REGION})
    stack_id = slow.create(**arguments)
    stack = slow.settle(stack_id)
    assert stack["StackStatus"] == (end or "DELETE_COMPLETE")
    if end:
        assert slow.reasons("CREATE_FAILED")[-1] == "no room for rules"
        with refused("ValidationError", f"is in {end} state and can not be updated"):
            slow.update()
        with refused("AlreadyExistsException"):
            slow.create()
        slow.delete()
        assert slow.settle(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    slow.create()
    assert slow.settle()["StackStatus"] == "CREATE_COMPLETE"


def test_a_rollback_takes_time_says_why_and_may_fail(slow: Stack) -> None:
    slow.lab.control.add_fault("aws", {"stack_fails": "no", "rollback_fails": True, "stack_seconds": 0.1}, match={"operation": "cloudformation:CreateStack"})
    slow.create()
    time.sleep(0.15)
    stack = slow.describe()
    assert (stack["StackStatus"], stack["StackStatusReason"]) == (
        "ROLLBACK_IN_PROGRESS",
        f"The following resource(s) failed to create: [{NAME}]. Rollback requested by user.",
    )
    assert slow.settle()["StackStatus"] == "ROLLBACK_FAILED"


@pytest.mark.parametrize(("rollback_fails", "end"), [(False, "UPDATE_ROLLBACK_COMPLETE"), (True, "UPDATE_ROLLBACK_FAILED")])
def test_an_update_that_fails_is_rolled_back(stack: Stack, rollback_fails: bool, end: str) -> None:
    stack.create()
    stack.lab.control.add_fault("aws", {"stack_fails": "no", "rollback_fails": rollback_fails}, match={"operation": "cloudformation:UpdateStack"})
    stack.update(Tags=[{"Key": "A", "Value": "b"}])
    done = stack.settle()
    assert (done["StackStatus"], done["Tags"]) == (end, [])
    assert "no" in stack.reasons("UPDATE_FAILED")
    if not rollback_fails:
        stack.update(Tags=[{"Key": "A", "Value": "b"}])
        assert stack.settle()["StackStatus"] == "UPDATE_COMPLETE"


def test_a_deletion_that_fails_may_be_tried_again_or_leave_the_rule(stack: Stack) -> None:
    stack_id = stack.create()
    with refused("ValidationError", "DELETE_FAILED"):
        stack.delete(RetainResources=[NAME])
    stack.lab.control.add_fault("aws", {"stack_fails": "no"}, match={"operation": "cloudformation:DeleteStack"})
    stack.delete()
    assert stack.settle()["StackStatus"] == "DELETE_FAILED"
    stack.delete(RetainResources=[NAME])
    assert stack.settle(stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert stack.rule() is not None


def test_a_protected_stack_is_not_deleted(stack: Stack) -> None:
    stack.create(EnableTerminationProtection=True)
    assert stack.describe()["EnableTerminationProtection"] is True
    with refused("ValidationError", rf"Stack \[{NAME}\] cannot be deleted while TerminationProtection is enabled"):
        stack.delete()
    stack.cfn.update_termination_protection(StackName=NAME, EnableTerminationProtection=False)
    stack.delete()
    assert stack.rule() is None
    with refused("ValidationError", "does not exist"):
        stack.cfn.update_termination_protection(StackName=NAME, EnableTerminationProtection=True)


def test_a_rule_without_a_stack_is_not_taken_over(start_lab: t.Callable[..., RtmLab]) -> None:
    stack = Stack(start_lab(aws={"rtm": {REGION: {"stack": None}}}))
    with refused("ValidationError", f"Stack for {NAME} does not exist"):
        stack.cfn.describe_stack_resources(PhysicalResourceId=NAME)
    stack.create()
    assert stack.settle()["StackStatus"] == "ROLLBACK_COMPLETE"
    assert stack.reasons("CREATE_FAILED") == [f"{NAME} already exists"]
    stack.delete()
    assert stack.rule() is not None, "it is not the stack's"


def test_the_owner_of_a_rule_is_found(start_lab: t.Callable[..., RtmLab]) -> None:
    name = "StackSet-rtm-0a1b2c3d-1111-2222-3333-444455556666"
    stack = Stack(start_lab(aws={"rtm": {REGION: {"stack_name": name}}}))
    resource = stack.cfn.describe_stack_resources(PhysicalResourceId=NAME)["StackResources"][0]
    assert (resource["StackName"], resource["LogicalResourceId"], resource["ResourceType"]) == (name, NAME, "AWS::Events::Rule")
    with refused("ValidationError", "not both"):
        stack.cfn.describe_stack_resources(PhysicalResourceId=NAME, StackName=name)
    stack.create()
    stack.settle()
    assert stack.reasons("CREATE_FAILED") == [f"{NAME} already exists in stack {resource['StackId']}"]


def test_a_call_with_the_same_token_is_carried_out_once(stack: Stack) -> None:
    first = stack.create(ClientRequestToken="one")
    assert stack.create(ClientRequestToken="one") == first
    with refused("TokenAlreadyExistsException"):
        stack.create(ClientRequestToken="one", OnFailure="DELETE")
    for _time in range(2):
        stack.update(ClientRequestToken="two", Tags=[{"Key": "A", "Value": "b"}])
        stack.settle()
    events = stack.cfn.describe_stack_events(StackName=NAME)["StackEvents"]
    assert [event["ClientRequestToken"] for event in events if event["ResourceStatus"].startswith("UPDATE")] == ["two", "two"]


def test_templates_and_parameters_are_looked_at(stack: Stack) -> None:
    for arguments, text in [
        ({"TemplateBody": "{"}, "Template format error"),
        ({"TemplateBody": "Description: nothing"}, "At least one Resources member"),
        ({"TemplateBody": "- a\n- b"}, "unsupported structure"),
        ({"Parameters": []}, r"Parameters: \[EventBusSources\] must have values"),
        ({"Parameters": [SOURCES, {"ParameterKey": "Other", "ParameterValue": "x"}]}, r"Parameters: \[Other\] do not exist in the template"),
        ({"Tags": [{"Key": "aws:x", "Value": "x"}]}, "aws:"),
        ({"StackName": "0x"}, "regular expression"),
        ({"TemplateURL": VENDOR_TEMPLATE_URL}, "but not both"),
        ({"OnFailure": "DELETE", "DisableRollback": True}, "but not both"),
    ]:
        with refused("ValidationError", text):
            stack.create(**t.cast(t.Any, arguments))
    with refused("ValidationError", "must be specified"):
        stack.cfn.create_stack(StackName=NAME)
    stack.create()
    with refused("ValidationError", "Cannot specify usePreviousValue"):
        stack.update(Parameters=[{**SOURCES, "UsePreviousValue": True}])
    with refused("ValidationError", "must be specified"):
        stack.cfn.update_stack(StackName=NAME)


def test_a_template_may_come_from_a_bucket(stack: Stack) -> None:
    s3 = stack.lab.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="own.yml", Body=vendor_template("event_bus_older").encode())
    with refused("ValidationError", "S3 error: Access Denied"):
        stack.cfn.create_stack(StackName=NAME, TemplateURL="https://s3.amazonaws.com/templates/none.yml", Parameters=[SOURCES])
    stack.cfn.create_stack(StackName=NAME, TemplateURL="https://s3.amazonaws.com/templates/own.yml", Parameters=[SOURCES])
    stack.settle()
    stack.cfn.update_stack(StackName=NAME, TemplateURL=VENDOR_TEMPLATE_URL, Parameters=[SOURCES])
    assert stack.settle()["StackStatus"] == "UPDATE_COMPLETE"
    assert stack.cfn.get_template(StackName=NAME)["TemplateBody"] == TEMPLATE


def test_stacks_start_in_the_state_of_the_fleet_file(start_lab: t.Callable[..., RtmLab]) -> None:
    lab = start_lab(
        aws={
            "regions_off": OPT_IN_OFF,
            "rtm": {
                "all": {"termination_protection": True},
                "eu-west-1": {"stack": "ROLLBACK_COMPLETE"},
                "eu-west-2": {"stack": "UPDATE_IN_PROGRESS", "then": "UPDATE_COMPLETE", "stack_seconds": 0.2},
                "eu-west-3": {"stack": "CREATE_IN_PROGRESS", "then": "CREATE_COMPLETE", "stack_seconds": 0.2},
                "us-west-1": {"stack": "DELETE_IN_PROGRESS", "then": "DELETE_COMPLETE"},
                "us-west-2": {"rule": "disabled", "target": "other", "pattern": "other", "template": "older"},
                "us-east-2": {"target": "missing"},
                "ca-central-1": {"rule": "missing"},
                "sa-east-1": {"stack": "CREATE_IN_PROGRESS"},
            },
        }
    )
    usual = Stack(lab, "us-east-1")
    assert {tag["Key"]: tag["Value"] for tag in usual.describe()["Tags"]} == {"Version": "6", "LastUpdatedTime": "2026-01-15"}
    assert usual.describe()["EnableTerminationProtection"]
    rolled_back = Stack(lab, "eu-west-1")
    assert (rolled_back.status, rolled_back.rule()) == ("ROLLBACK_COMPLETE", None)
    assert Stack(lab, "eu-west-2").settle()["StackStatus"] == "UPDATE_COMPLETE"
    assert Stack(lab, "eu-west-3").settle()["StackStatus"] == "CREATE_COMPLETE"
    assert Stack(lab, "eu-west-3").rule() is not None
    with refused("ValidationError"):
        Stack(lab, "us-west-1").describe()
    changed = Stack(lab, "us-west-2")
    assert changed.rule()["State"] == "DISABLED"
    assert (changed.targets(), "aws.ec2" in changed.rule()["EventPattern"]) == (["arn:aws:events:us-west-2:105579776292:event-bus/default"], False)
    assert Stack(lab, "us-east-2").targets() == []
    assert (Stack(lab, "ca-central-1").status, Stack(lab, "ca-central-1").rule()) == ("CREATE_COMPLETE", None)
    assert Stack(lab, "sa-east-1").status == "CREATE_IN_PROGRESS"
    with refused("InvalidClientTokenId"):
        Stack(lab, "af-south-1").describe()


def test_change_sets_are_left_to_the_stand_in_below(stack: Stack) -> None:
    stack.cfn.create_change_set(StackName=NAME, ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=TEMPLATE, Parameters=[SOURCES])
    stack.cfn.execute_change_set(StackName=NAME, ChangeSetName="first")
    assert stack.status == "CREATE_COMPLETE"
    stack.update(TemplateBody=vendor_template("event_bus_older"))
    assert stack.status == "UPDATE_COMPLETE"
    stack.delete()
    assert stack.rule() is None


def test_writes_are_told_apart_from_reads(stack: Stack) -> None:
    stack.lab.control.clear_calls()
    stack.cfn.list_stacks()
    stack.events.list_rules()
    stack.lab.client("sts").get_caller_identity()
    assert stack.lab.control.aws_writes() == []
    stack.create()
    with refused("AlreadyExistsException"):
        stack.create()
    writes = stack.lab.control.aws_writes()
    assert [(call["operation"], call["account"], call["region"]) for call in writes] == [("cloudformation:CreateStack", ACCOUNT_ID, REGION)] * 2
    assert stack.lab.control.world()["totals"]["aws_writes"] == 2
