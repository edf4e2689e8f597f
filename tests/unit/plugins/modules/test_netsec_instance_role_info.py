# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import boto3
import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules.netsec_instance_role_info import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import ACCOUNT, REGION, Call, Calls, Json, World
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner

Record = t.Callable[[], Calls]

SIX = (
    "cloudwatch:PutMetricData",
    "logs:DescribeLogStreams",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "ec2:DescribeTags",
)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/nsva"


def evaluated(action: str, decision: str = "allowed", **details: Json) -> Json:
    return {"EvalActionName": action, "EvalResourceName": "*", "EvalDecision": decision, "MatchedStatements": [], "MissingContextValues": [], **details}


def iam_decides(calls: Calls, *exceptions: Json) -> None:
    """Let IAM allow everything but the exceptions."""
    denied = {result["EvalActionName"]: result for result in exceptions}

    def decide(call: Call) -> Json:
        return {"EvaluationResults": [denied.get(action) or evaluated(action) for action in call.parameters["ActionNames"]], "IsTruncated": False}

    calls.answer("SimulatePrincipalPolicy", decide)


def asked(role: str, region: str = REGION, actions: t.Sequence[str] = SIX) -> Json:
    context = {"ContextKeyName": "aws:RequestedRegion", "ContextKeyValues": [region], "ContextKeyType": "string"}
    return {"PolicySourceArn": role, "ActionNames": list(actions), "ContextEntries": [context]}


@pytest.fixture
def profile(aws: World) -> str:
    return aws.profile("nsva-profile", "nsva")


def check(run_module: Runner, *instance_ids: str, **options: t.Any) -> Json:
    return run_module(main, {"appliances": [{"instance_id": instance_id} for instance_id in instance_ids], "concurrency": 1, **options})


def test_asks_once_for_each_role_and_not_for_each_appliance(aws: World, run_module: Runner, record_calls: Record, profile: str) -> None:
    vpc_id = aws.vpc()
    same = [aws.appliance(vpc_id, profile_arn=profile) for _number in range(3)]
    other = aws.appliance(vpc_id, profile_arn=aws.profile("other", "other-role"))
    calls = record_calls()
    iam_decides(calls)
    result = check(run_module, *same, other)
    assert (result["failed"], result["changed"]) == (False, False)
    assert result["appliances"][0] == {
        "instance_id": same[0],
        "changed": False,
        "failed": False,
        "region": REGION,
        "instance_profile_arn": profile,
        "role_arn": ROLE,
        "allowed": True,
        "missing_actions": [],
        "reason": f"The role {ROLE} allows all that is needed.",
    }
    other_role = f"arn:aws:iam::{ACCOUNT}:role/other-role"
    assert [entry["role_arn"] for entry in result["appliances"]] == [ROLE, ROLE, ROLE, other_role]
    assert calls.operations == ["DescribeInstances", "GetInstanceProfile", "GetInstanceProfile", "SimulatePrincipalPolicy", "SimulatePrincipalPolicy"]
    assert calls.of("GetInstanceProfile") == [{"InstanceProfileName": "nsva-profile"}, {"InstanceProfileName": "other"}]
    assert calls.of("SimulatePrincipalPolicy") == [asked(ROLE), asked(other_role)]


def test_asks_for_each_region_since_policies_may_depend_on_it(aws: World, run_module: Runner, record_calls: Record, profile: str) -> None:
    there = World("us-west-2")
    here_id, there_id = aws.appliance(aws.vpc(), profile_arn=profile), there.appliance(there.vpc(), profile_arn=profile)
    calls = record_calls()
    iam_decides(calls)
    result = check(run_module, here_id, there_id, regions=[REGION, "us-west-2"])
    assert [(entry["region"], entry["allowed"]) for entry in result["appliances"]] == [(REGION, True), ("us-west-2", True)]
    assert calls.of("SimulatePrincipalPolicy") == [asked(ROLE), asked(ROLE, "us-west-2")]
    assert len(calls.of("GetInstanceProfile")) == 1


def test_actions_that_are_not_allowed(aws: World, run_module: Runner, record_calls: Record, profile: str) -> None:
    instance_id = aws.appliance(aws.vpc(), profile_arn=profile)
    calls = record_calls()
    iam_decides(
        calls,
        evaluated("cloudwatch:PutMetricData", "implicitDeny"),
        evaluated("logs:CreateLogGroup", "explicitDeny", OrganizationsDecisionDetail={"AllowedByOrganizations": True}),
        evaluated("logs:PutLogEvents", "implicitDeny", PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": False}),
        evaluated("ec2:DescribeTags", "explicitDeny", OrganizationsDecisionDetail={"AllowedByOrganizations": False}),
    )
    result = check(run_module, instance_id)
    entry = result["appliances"][0]
    assert (result["failed"], entry["failed"], entry["allowed"]) == (False, False, False)
    assert entry["missing_actions"] == ["cloudwatch:PutMetricData", "logs:CreateLogGroup", "logs:PutLogEvents", "ec2:DescribeTags"]
    assert entry["reason"] == (
        f"The role {ROLE} does not allow cloudwatch:PutMetricData (no policy allows it), logs:CreateLogGroup (a policy denies it), "
        "logs:PutLogEvents (the permissions boundary of the role forbids it), "
        "ec2:DescribeTags (a service control policy of the organization forbids it). Allow this to the role, on all resources."
    )


def test_other_actions_and_an_answer_in_pages(aws: World, run_module: Runner, record_calls: Record, profile: str) -> None:
    instance_id = aws.appliance(aws.vpc(), profile_arn=profile)
    calls = record_calls()
    answers = iter(
        [
            {"EvaluationResults": [evaluated("ec2:describetags")], "IsTruncated": True, "Marker": "more"},
            {"EvaluationResults": [], "IsTruncated": False},
        ]
    )
    calls.answer("SimulatePrincipalPolicy", lambda _call: next(answers))
    entry = check(run_module, instance_id, actions=["ec2:DescribeTags", "s3:PutObject"])["appliances"][0]
    # What IAM does not answer is not taken for allowed.
    assert (entry["allowed"], entry["missing_actions"]) == (False, ["s3:PutObject"])
    wanted = asked(ROLE, actions=["ec2:DescribeTags", "s3:PutObject"])
    assert calls.of("SimulatePrincipalPolicy") == [wanted, {**wanted, "Marker": "more"}]


def test_instances_without_a_role_are_found_but_did_not_fail(aws: World, run_module: Runner, record_calls: Record) -> None:
    vpc_id = aws.vpc()
    empty, gone = aws.profile("empty", None), aws.profile("gone", None)
    instance_ids = [aws.appliance(vpc_id), aws.appliance(vpc_id, profile_arn=empty), aws.appliance(vpc_id, profile_arn=gone)]
    boto3.client("iam").delete_instance_profile(InstanceProfileName="gone")
    calls = record_calls()
    result = check(run_module, *instance_ids)
    assert not result["failed"]
    assert [(entry["instance_profile_arn"], entry["role_arn"], entry["allowed"]) for entry in result["appliances"]] == [
        (None, None, False),
        (empty, None, False),
        (gone, None, False),
    ]
    assert [entry["missing_actions"] for entry in result["appliances"]] == [list(SIX)] * 3
    assert [entry["reason"] for entry in result["appliances"]] == [
        "The EC2 instance has no instance profile. Attach an instance profile with a role that allows the needed actions.",
        f"There is no role in the instance profile {empty}. Add a role that allows the needed actions.",
        f"The instance profile {gone} or its role does not exist any more. Attach an instance profile with a role that allows the needed actions.",
    ]
    assert calls.operations == ["DescribeInstances", "GetInstanceProfile", "GetInstanceProfile"]


@pytest.mark.parametrize(("operation", "role"), [("GetInstanceProfile", None), ("SimulatePrincipalPolicy", ROLE)])
def test_who_may_not_ask_iam_is_told_which_permission_is_missing(
    aws: World, run_module: Runner, record_calls: Record, profile: str, operation: str, role: str | None
) -> None:
    instance_id = aws.appliance(aws.vpc(), profile_arn=profile)
    calls = record_calls()
    calls.fail(operation, "AccessDenied")
    result = check(run_module, instance_id)
    entry = result["appliances"][0]
    assert (result["failed"], entry["allowed"], entry["role_arn"], entry["missing_actions"]) == (False, None, role, [])
    assert entry["reason"].startswith("It is not known what the role of the EC2 instance allows. ")
    assert f"Allow the IAM action iam:{operation}" in entry["reason"]


def test_other_errors_of_iam_fail_only_the_appliances_that_they_concern(aws: World, run_module: Runner, record_calls: Record, profile: str) -> None:
    vpc_id = aws.vpc()
    instance_ids = [aws.appliance(vpc_id, profile_arn=profile), aws.appliance(vpc_id)]
    calls = record_calls()
    calls.fail("SimulatePrincipalPolicy", "ServiceFailure", "out of order")
    result = check(run_module, *instance_ids)
    assert result["failed"]
    assert [entry["failed"] for entry in result["appliances"]] == [True, False]
    assert "iam:SimulatePrincipalPolicy" in result["appliances"][0]["msg"] and "out of order" in result["appliances"][0]["msg"]


def test_an_appliance_that_is_in_no_region_searched(aws: World, run_module: Runner, record_calls: Record, profile: str) -> None:
    instance_id = aws.appliance(aws.vpc(), profile_arn=profile)
    calls = record_calls()
    iam_decides(calls)
    result = check(run_module, "i-00000000000000000", instance_id)
    assert [entry["failed"] for entry in result["appliances"]] == [True, False]
    message = result["appliances"][0]["msg"]
    assert f"There is no EC2 instance i-00000000000000000 in {REGION}" in message
    assert "Leave out appliances that the vendor hosts" in message


def test_an_appliance_twice(aws: World, run_module: Runner, record_calls: Record) -> None:
    calls = record_calls()
    result = check(run_module, "i-1", "i-1")
    assert "Given more than once: i-1" in result["msg"] and "appliances" not in result
    assert calls.made == []


def test_bad_credentials_concern_everything(aws: World, run_module: Runner, record_calls: Record) -> None:
    record_calls().fail("DescribeInstances", "ExpiredToken")
    result = check(run_module, "i-1")
    assert "Check the AWS credentials" in result["msg"] and "appliances" not in result
