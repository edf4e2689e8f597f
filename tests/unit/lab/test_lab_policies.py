# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A policy for the lab's user is judged as AWS judges it: actions, resources, tags, and what CloudFormation does in the user's name."""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from botocore.exceptions import ClientError
from log_account import LogAccount, log_account

from lab.aws import ACCOUNT_ID
from lab.cloudformation import vendor_template

Json = dict[str, t.Any]
ONE = {"name": "one"}
RUN = "trendmicro.cloudone:ssh-access"


def allow(*actions: str, resource: str = "*", **condition: Json) -> Json:
    statement: Json = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {**statement, "Condition": condition} if condition else statement


def account(*statements: Json) -> t.Any:
    return log_account(ONE, aws={"policy": {"Version": "2012-10-17", "Statement": list(statements)}})


def denied(action: str, resource: str = "") -> t.Any:
    return pytest.raises(ClientError, match=rf"is not authorized to perform: {action} on resource: .*{resource}")


def test_what_no_statement_allows_is_denied_with_action_and_resource() -> None:
    with account(allow("ec2:DescribeInstances")) as aws:
        ec2 = aws.client("ec2")
        assert ec2.describe_instances()["Reservations"]
        with denied("ec2:DescribeSecurityGroups", r"\*"):
            ec2.describe_security_groups()
        assert aws.client("sts").get_caller_identity()["Account"] == ACCOUNT_ID, "needs no permission"


def test_without_a_policy_everything_is_allowed() -> None:
    with log_account(ONE) as aws:
        assert aws.client("ec2").describe_security_groups()["SecurityGroups"]


def test_tags_are_limited_by_their_keys() -> None:
    only_ours = {"ForAllValues:StringLike": {"aws:TagKeys": "trendmicro.cloudone:*"}, "Null": {"aws:TagKeys": "false"}}
    with account(allow("ec2:CreateTags", "ec2:DeleteTags", resource="arn:aws:ec2:*:*:instance/*", **only_ours)) as aws:
        ec2, instance_id = aws.client("ec2"), aws.id("one")
        ours, others = {"Key": "trendmicro.cloudone:x", "Value": "1"}, {"Key": "Name", "Value": "2"}
        ec2.create_tags(Resources=[instance_id], Tags=[ours])
        ec2.delete_tags(Resources=[instance_id], Tags=[{"Key": ours["Key"]}])
        with denied("ec2:CreateTags", instance_id):
            ec2.create_tags(Resources=[instance_id], Tags=[ours, others])
        with denied("ec2:DeleteTags", instance_id):
            ec2.delete_tags(Resources=[instance_id])
        with denied("ec2:CreateTags", "volume/vol-1"):
            ec2.create_tags(Resources=[instance_id, "vol-1"], Tags=[ours])


def test_a_group_is_made_with_a_tag_and_changed_if_it_has_it() -> None:
    tagged = {"Null": {f"aws:ResourceTag/{RUN}": "false"}}
    with account(
        allow("ec2:CreateSecurityGroup", resource="arn:aws:ec2:*:*:vpc/*"),
        allow("ec2:CreateSecurityGroup", resource="arn:aws:ec2:*:*:security-group/*", Null={f"aws:RequestTag/{RUN}": "false"}),
        allow("ec2:CreateTags", resource="arn:aws:ec2:*:*:security-group/*", StringEquals={"ec2:CreateAction": "CreateSecurityGroup"}),
        allow("ec2:DeleteSecurityGroup", resource="arn:aws:ec2:*:*:security-group/*", **tagged),
        allow("ec2:ModifyNetworkInterfaceAttribute", resource="arn:aws:ec2:*:*:network-interface/*"),
    ) as aws:
        ec2, placement = aws.client("ec2"), aws.aws.placements[aws.id("one")]
        names: Json = {"GroupName": "lent", "Description": "lent", "VpcId": placement.vpc_id}
        with denied("ec2:CreateSecurityGroup", r"security-group/\*"):
            ec2.create_security_group(**names)
        tags = [{"ResourceType": "security-group", "Tags": [{"Key": RUN, "Value": "run"}]}]
        group_id = ec2.create_security_group(**names, TagSpecifications=tags)["GroupId"]
        with denied("ec2:CreateTags", group_id):
            ec2.create_tags(Resources=[group_id], Tags=[{"Key": RUN, "Value": "other"}])
        with denied("ec2:ModifyNetworkInterfaceAttribute", "instance/i-"):
            ec2.modify_network_interface_attribute(NetworkInterfaceId=placement.interface_id, Groups=[group_id])
        [own] = [one for one in aws.aws.interface_groups(aws.id("one")) if one != group_id]
        with denied("ec2:DeleteSecurityGroup", own):
            ec2.delete_security_group(GroupId=own, DryRun=True)
        ec2.delete_security_group(GroupId=group_id)


def test_logs_are_judged_by_group_and_stream() -> None:
    with account(
        allow("logs:*", resource=f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:ours*"), allow("iam:PassRole", resource="arn:aws:iam::*:role/x")
    ) as aws:
        logs = aws.client("logs")
        logs.create_log_group(logGroupName="ours", tags={"a": "b"})
        logs.create_log_stream(logGroupName="ours", logStreamName="one")
        assert logs.get_log_events(logGroupName="ours", logStreamName="one")["events"] == []
        assert logs.list_tags_for_resource(resourceArn=f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:ours")["tags"] == {"a": "b"}
        with denied("logs:CreateLogGroup", "log-group:theirs:log-stream:"):
            logs.create_log_group(logGroupName="theirs")
        with denied("logs:DescribeLogGroups", "log-group::log-stream:"):
            logs.describe_log_groups()
        with denied("iam:PassRole", f"arn:aws:iam::{ACCOUNT_ID}:role/y"):
            logs.put_subscription_filter(
                logGroupName="ours",
                filterName="f",
                filterPattern="",
                destinationArn=f"arn:aws:firehose:us-east-1:{ACCOUNT_ID}:deliverystream/s",
                roleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/y",
            )


@pytest.mark.parametrize("lacking", ["events:PutTargets", "events:TagResource"])
def test_cloudformation_has_the_rights_of_its_caller(lacking: str) -> None:
    rights = {"events:DescribeRule", "events:ListTargetsByRule", "events:PutRule", "events:PutTargets", "events:TagResource"} - {lacking}
    with account(
        allow("cloudformation:*", resource="arn:aws:cloudformation:*:*:stack/CloudConformityMonitoring/*"),
        allow(*sorted(rights), resource="arn:aws:events:*:*:rule/CloudConformityMonitoring"),
    ) as aws:
        stack, reason = create(aws, "CloudConformityMonitoring", Tags=[{"Key": "Owner", "Value": "security"}])
        assert stack == "ROLLBACK_COMPLETE"
        assert f"is not authorized to perform: {lacking} on resource: arn:aws:events:us-east-1:{ACCOUNT_ID}:rule/CloudConformityMonitoring" in reason
        with denied("cloudformation:CreateStack", "stack/Other/"):
            create(aws, "Other")


def create(aws: LogAccount, name: str, **arguments: t.Any) -> tuple[str, str]:
    """Create a stack; return its state in the end, and the reasons that its events give."""
    client = aws.client("cloudformation")
    parameters = [{"ParameterKey": "EventBusSources", "ParameterValue": "aws.s3"}]
    client.create_stack(StackName=name, TemplateBody=vendor_template(), Parameters=parameters, **arguments)
    while (status := client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]).endswith("_IN_PROGRESS"):
        time.sleep(0.02)
    return status, json.dumps([event.get("ResourceStatusReason") for event in client.describe_stack_events(StackName=name)["StackEvents"]])


def test_a_condition_that_the_lab_does_not_know_is_said_to_be_so() -> None:
    with (
        account(allow("ec2:DescribeInstances", NumericLessThan={"x": "1"})) as aws,
        pytest.raises(ClientError, match="does not evaluate conditions with Numeric"),
    ):
        aws.client("ec2").describe_instances()
