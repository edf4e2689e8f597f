# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch Logs and IAM as the lab answers them to boto3, where AWS is stricter than moto or moto has no answer."""

from __future__ import annotations

import gzip
import json
import typing as t
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError
from log_account import LogAccount, document, log_account

from lab.aws import ACCOUNT_ID, ROLE_ACTIONS, ROLE_NAME
from lab.faults import FaultSpec

ROLE_ARN = f"arn:aws:iam::{ACCOUNT_ID}:role/{ROLE_NAME}"
PUT = "logs:PutLogEvents"


@pytest.fixture
def account() -> Iterator[LogAccount]:
    with log_account({"name": "a", "log_types": {"ipsBlock": {"group": "blocks"}}}) as started:
        yield started


def refused(code: str, text: str = "") -> t.Any:
    return pytest.raises(ClientError, match=rf"(?s)\({code}\).*{text}")


def key_policy(*services: str, actions: t.Sequence[str] = ("kms:*",)) -> str:
    statements = [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}, "Action": "kms:*", "Resource": "*"}]
    if services:
        statements.append({"Effect": "Allow", "Principal": {"Service": list(services)}, "Action": list(actions), "Resource": "*"})
    return document(*statements)


# Log groups -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["with space", "colon:", "aws/mine", "g" * 513, "ü"])
def test_names_of_log_groups_have_rules(account: LogAccount, name: str) -> None:
    with refused("InvalidParameterException", "logGroupName"):
        account.client("logs").create_log_group(logGroupName=name)


def test_a_log_group_with_all_that_belongs_to_it(account: LogAccount) -> None:
    logs = account.client("logs")
    logs.create_log_group(logGroupName="my/group.1_#-", tags={"Team": "net"})
    logs.put_retention_policy(logGroupName="my/group.1_#-", retentionInDays=30)
    [group] = logs.describe_log_groups(logGroupNamePrefix="my/")["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == ("my/group.1_#-", 30)
    logs.tag_resource(resourceArn=group["logGroupArn"], tags={"Stage": "prod"})
    assert logs.list_tags_for_resource(resourceArn=group["logGroupArn"])["tags"] == {"Team": "net", "Stage": "prod"}
    with refused("ResourceAlreadyExistsException"):
        logs.create_log_group(logGroupName="my/group.1_#-")
    logs.delete_retention_policy(logGroupName="my/group.1_#-")
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]


@pytest.mark.parametrize("days", [0, 2, 31, 100, 4000])
def test_retention_takes_certain_days_only(account: LogAccount, days: int) -> None:
    account.client("logs").create_log_group(logGroupName="g")
    with refused("InvalidParameterException", "retentionInDays"):
        account.client("logs").put_retention_policy(logGroupName="g", retentionInDays=days)


def test_what_is_missing_is_not_found(account: LogAccount) -> None:
    logs = account.client("logs")
    for call in (
        lambda: logs.put_retention_policy(logGroupName="none", retentionInDays=7),
        lambda: logs.describe_log_streams(logGroupName="none"),
        lambda: logs.get_log_events(logGroupName="none", logStreamName="s"),
        lambda: logs.filter_log_events(logGroupName="none"),
        lambda: logs.describe_subscription_filters(logGroupName="none"),
        lambda: logs.associate_kms_key(logGroupName="none", kmsKeyId="k"),
        lambda: logs.disassociate_kms_key(logGroupName="none"),
        lambda: logs.put_subscription_filter(logGroupName="none", filterName="f", filterPattern="", destinationArn="arn:aws:s3:::b"),
    ):
        with refused("ResourceNotFoundException"):
            call()


def test_the_newest_stream_comes_first_if_asked_for(account: LogAccount) -> None:
    logs = account.client("logs")
    account.deliver()
    [stream] = logs.describe_log_streams(logGroupName="blocks", orderBy="LastEventTime", descending=True, limit=1)["logStreams"]
    assert stream["logStreamName"] == f"ipsBlock_{account.id('a')}"
    assert abs(stream["lastEventTimestamp"] / 1000 - account.clock.now.timestamp()) < 1
    with refused("InvalidParameterException"):
        logs.describe_log_streams(logGroupName="blocks", limit=51)


# Keys -----------------------------------------------------------------------------------------------------------------


def test_a_key_that_lets_cloudwatch_use_it(account: LogAccount) -> None:
    logs, kms = account.client("logs"), account.client("kms")
    arn = kms.create_key(Policy=key_policy("logs.us-east-1.amazonaws.com"))["KeyMetadata"]["Arn"]
    logs.create_log_group(logGroupName="new", kmsKeyId=arn)
    logs.create_log_group(logGroupName="old")
    logs.associate_kms_key(logGroupName="old", kmsKeyId=arn)
    assert [group["kmsKeyId"] for group in logs.describe_log_groups()["logGroups"]] == [arn, arn]
    logs.disassociate_kms_key(logGroupName="old")
    assert [group.get("kmsKeyId") for group in logs.describe_log_groups()["logGroups"]] == [arn, None]


def test_any_other_key_is_refused(account: LogAccount) -> None:
    logs, kms = account.client("logs"), account.client("kms")
    logs.create_log_group(logGroupName="g")

    def key(region: str = "us-east-1", **settings: t.Any) -> t.Any:
        return account.client("kms", region).create_key(**{"Policy": key_policy("logs.amazonaws.com"), **settings})["KeyMetadata"]

    disabled = key()
    kms.disable_key(KeyId=disabled["KeyId"])
    for code, name in (
        ("InvalidParameterException", key()["KeyId"]),
        ("InvalidParameterException", "alias/mine"),
        ("InvalidParameterException", f"arn:aws:kms:us-east-1:{ACCOUNT_ID}:alias/mine"),
        ("InvalidParameterException", f"arn:aws:kms:us-east-1:{ACCOUNT_ID}:key/01234567-89ab-cdef-0123-456789abcdef"),
        ("InvalidParameterException", key("eu-west-1")["Arn"]),
        ("InvalidParameterException", key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["Arn"]),
        ("InvalidParameterException", disabled["Arn"]),
        ("AccessDeniedException", key(Policy=key_policy())["Arn"]),
        ("AccessDeniedException", key(Policy=key_policy("logs.eu-west-1.amazonaws.com"))["Arn"]),
        ("AccessDeniedException", key(Policy=key_policy("logs.amazonaws.com", actions=["kms:Encrypt*"]))["Arn"]),
    ):
        with refused(code):
            logs.associate_kms_key(logGroupName="g", kmsKeyId=name)
        with refused(code):
            logs.create_log_group(logGroupName="other", kmsKeyId=name)
    assert [("kmsKeyId" in group, group["logGroupName"]) for group in logs.describe_log_groups()["logGroups"]] == [(False, "g")]


# Subscriptions --------------------------------------------------------------------------------------------------------


def make_role(account: LogAccount, name: str, service: str, action: str = "firehose:*") -> str:
    iam = account.client("iam")
    trust = document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document({"Effect": "Allow", "Action": action, "Resource": "*"}))
    return t.cast(str, arn)


def make_firehose(account: LogAccount, region: str = "us-east-1") -> str:
    account.client("s3").create_bucket(Bucket=f"logs-{region}")
    destination = {"RoleARN": ROLE_ARN, "BucketARN": f"arn:aws:s3:::logs-{region}"}
    firehose = account.client("firehose", region)
    return t.cast(str, firehose.create_delivery_stream(DeliveryStreamName="to-s3", ExtendedS3DestinationConfiguration=destination)["DeliveryStreamARN"])


def make_function(account: LogAccount, *, permitted: bool = True) -> str:
    role = make_role(account, "function", "lambda.amazonaws.com", "logs:*")
    functions = account.client("lambda")
    settings = {"Runtime": "python3.13", "Handler": "slack.main", "Code": {"ZipFile": b"zip"}}
    arn = functions.create_function(FunctionName="to-slack", Role=role, **settings)["FunctionArn"]
    if permitted:
        functions.add_permission(FunctionName="to-slack", StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.amazonaws.com")
    return t.cast(str, arn)


def subscribe(account: LogAccount, destination: str, name: str = "forward", group: str = "blocks", **settings: str) -> None:
    arguments = {"logGroupName": group, "filterName": name, "filterPattern": "", "destinationArn": destination, **settings}
    account.client("logs").put_subscription_filter(**arguments)


def test_events_go_on_to_a_firehose_and_from_there_to_s3(account: LogAccount) -> None:
    account.deliver()
    subscribe(account, make_firehose(account), roleArn=make_role(account, "to-firehose", "logs.us-east-1.amazonaws.com"))
    account.deliver(after=2)
    s3 = account.client("s3")
    [item] = s3.list_objects_v2(Bucket="logs-us-east-1")["Contents"]
    sent = json.loads(gzip.decompress(s3.get_object(Bucket="logs-us-east-1", Key=item["Key"])["Body"].read()))
    assert (sent["logGroup"], sent["logStream"]) == ("blocks", f"ipsBlock_{account.id('a')}")
    assert len(sent["logEvents"]) == 1 and "action=block" in sent["logEvents"][0]["message"]


def test_events_go_on_to_a_function(account: LogAccount) -> None:
    account.deliver()
    arn = make_function(account)
    subscribe(account, arn)
    assert [found["destinationArn"] for found in account.client("logs").describe_subscription_filters(logGroupName="blocks")["subscriptionFilters"]] == [arn]
    account.deliver(after=6)
    assert account.aws.lambda_events == {arn: 3}


def test_a_destination_that_breaks_does_not_stop_the_log(account: LogAccount) -> None:
    account.deliver()
    subscribe(account, make_firehose(account), roleArn=make_role(account, "to-firehose", "logs.amazonaws.com"))
    account.client("s3").delete_bucket(Bucket="logs-us-east-1")
    account.deliver(after=2)
    account.deliver(after=2)
    assert account.streams("a") == {"blocks": {f"ipsBlock_{account.id('a')}": 3}}


def test_a_group_has_two_subscriptions_and_each_can_be_changed(account: LogAccount) -> None:
    account.deliver()
    function = make_function(account)
    for name in ("one", "two"):
        subscribe(account, function, name)
    with refused("LimitExceededException"):
        subscribe(account, function, "three")
    subscribe(account, function, "two", filterPattern="severity")
    found = account.client("logs").describe_subscription_filters(logGroupName="blocks")["subscriptionFilters"]
    assert [(one["filterName"], one["filterPattern"]) for one in found] == [("one", ""), ("two", "severity")]


def test_destinations_that_cannot_be_written_to_are_refused(account: LogAccount) -> None:
    account.deliver()
    stream, far = make_firehose(account), make_firehose(account, "eu-west-1")
    good, other, powerless = (
        make_role(account, "good", "logs.amazonaws.com"),
        make_role(account, "other", "ec2.amazonaws.com"),
        make_role(account, "powerless", "logs.amazonaws.com", "firehose:Describe*"),
    )
    function = make_function(account, permitted=False)
    for settings in (
        {"destination": stream},
        {"destination": f"{stream}-not", "roleArn": good},
        {"destination": far, "roleArn": good},
        {"destination": stream.replace(ACCOUNT_ID, "999988887777"), "roleArn": good},
        {"destination": stream, "roleArn": other},
        {"destination": stream, "roleArn": powerless},
        {"destination": stream, "roleArn": f"{good}-not"},
        {"destination": function},
        {"destination": f"{function}-not"},
        {"destination": function, "roleArn": good},
        {"destination": "arn:aws:s3:::logs-us-east-1"},
        {"destination": "to-slack"},
    ):
        with refused("InvalidParameterException"):
            subscribe(account, **settings)
    with refused("InvalidParameterException", "filterName"):
        subscribe(account, stream, "colon:", roleArn=good)
    assert account.client("logs").describe_subscription_filters(logGroupName="blocks")["subscriptionFilters"] == []


# Rights, faults, records ----------------------------------------------------------------------------------------------


def test_denied_actions_and_what_else_a_call_needs() -> None:
    with log_account({"name": "a"}, aws={"denied_actions": ["logs:TagResource", "iam:PassRole", "logs:Get*", "iam:Simulate*"]}) as account:
        logs = account.client("logs")
        logs.create_log_group(logGroupName="g")
        with refused("AccessDeniedException", "logs:TagResource"):
            logs.create_log_group(logGroupName="tagged", tags={"a": "b"})
        with refused("AccessDeniedException", "logs:GetLogEvents"):
            logs.get_log_events(logGroupName="g", logStreamName="s")
        with refused("AccessDeniedException", "iam:PassRole"):
            subscribe(account, make_firehose(account), group="g", roleArn=make_role(account, "r", "logs.amazonaws.com"))
        with refused("AccessDenied", "iam:SimulatePrincipalPolicy"):
            simulate(account, PUT)


def test_faults_and_records_know_the_parameters(account: LogAccount) -> None:
    logs = account.client("logs")
    account.faults.add(
        FaultSpec(
            target="aws",
            match={"operation": "logs:PutRetentionPolicy", "logGroupName": "one", "retentionInDays": "7"},
            effect={"code": "OperationAbortedException"},
        )
    )
    for name in ("one", "two"):
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName="two", retentionInDays=7)
    with refused("OperationAbortedException"):
        logs.put_retention_policy(logGroupName="one", retentionInDays=7)
    logs.put_retention_policy(logGroupName="one", retentionInDays=7)
    recorded = [(call["operation"], call["parameters"], call["code"], call["status"]) for call in account.calls.list("aws")]
    assert recorded[0] == ("logs:CreateLogGroup", {"logGroupName": "one"}, None, 200)
    assert recorded[3] == ("logs:PutRetentionPolicy", {"logGroupName": "one", "retentionInDays": "7"}, "OperationAbortedException", 400)
    account.client("iam").get_instance_profile(InstanceProfileName=ROLE_NAME)
    simulate(account, PUT)
    assert [(call["operation"], call["region"]) for call in account.calls.list("aws")][-2:] == [
        ("iam:GetInstanceProfile", "us-east-1"),
        ("iam:SimulatePrincipalPolicy", "us-east-1"),
    ]


# What a role allows ---------------------------------------------------------------------------------------------------


def simulate(account: LogAccount, *actions: str, arn: str = ROLE_ARN, **settings: t.Any) -> list[t.Any]:
    answer = account.client("iam").simulate_principal_policy(PolicySourceArn=arn, ActionNames=list(actions), **settings)
    return t.cast(list[t.Any], answer["EvaluationResults"])


def test_the_role_of_an_instance_is_found_and_simulated(account: LogAccount) -> None:
    ec2, iam = account.client("ec2"), account.client("iam")
    [reservation] = ec2.describe_instances(InstanceIds=[account.id("a")])["Reservations"]
    profile = reservation["Instances"][0]["IamInstanceProfile"]["Arn"].rpartition("/")[2]
    [role] = iam.get_instance_profile(InstanceProfileName=profile)["InstanceProfile"]["Roles"]
    results = simulate(account, *ROLE_ACTIONS, "logs:DeleteLogGroup", arn=role["Arn"])
    assert {result["EvalActionName"]: result["EvalDecision"] for result in results} == {
        **dict.fromkeys(ROLE_ACTIONS, "allowed"),
        "logs:DeleteLogGroup": "implicitDeny",
    }
    assert results[0] == {
        "EvalActionName": "cloudwatch:PutMetricData",
        "EvalResourceName": "*",
        "EvalDecision": "allowed",
        "MatchedStatements": [{"SourcePolicyId": f"role_{ROLE_NAME}_appliance", "SourcePolicyType": "role"}],
        "MissingContextValues": [],
    }
    assert results[-1]["MatchedStatements"] == []


def test_an_appliances_own_role_lacks_what_the_fleet_says() -> None:
    with log_account({"name": "a", "instance_role_lacks": [PUT]}, {"name": "b", "instance_role_lacks": list(ROLE_ACTIONS)}) as account:
        for name, decisions in (("a", ["implicitDeny", "allowed"]), ("b", ["implicitDeny", "implicitDeny"])):
            arn = f"{ROLE_ARN}-{account.id(name)}"
            assert [result["EvalDecision"] for result in simulate(account, PUT, "logs:CreateLogStream", arn=arn)] == decisions


def test_each_action_is_simulated_on_each_resource_a_page_at_a_time(account: LogAccount) -> None:
    iam = account.client("iam")
    resources = [f"arn:aws:logs:us-east-1:{ACCOUNT_ID}:log-group:{name}:*" for name in ("blocks", "alerts")]
    deny = {"Effect": "Deny", "Action": "logs:Create*", "Resource": resources[1], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    iam.put_role_policy(RoleName=ROLE_NAME, PolicyName="deny", PolicyDocument=document(deny, {**deny, "Action": PUT, "Condition": {}}))
    results = simulate(account, PUT, "logs:CreateLogStream", ResourceArns=resources)
    assert [(result["EvalActionName"], result["EvalResourceName"], result["EvalDecision"]) for result in results] == [
        (PUT, resources[0], "allowed"),
        (PUT, resources[1], "explicitDeny"),
        ("logs:CreateLogStream", resources[0], "allowed"),
        ("logs:CreateLogStream", resources[1], "allowed"),
    ]
    assert results[3]["MissingContextValues"] == ["aws:SecureTransport"]
    pages = list(
        iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=ROLE_ARN, ActionNames=[PUT, "logs:CreateLogStream"], ResourceArns=resources, PaginationConfig={"PageSize": 3}
        )
    )
    assert [(len(page["EvaluationResults"]), page["IsTruncated"]) for page in pages] == [(3, True), (1, False)]
    assert [result for page in pages for result in page["EvaluationResults"]] == results


def test_users_have_the_policies_of_their_groups(account: LogAccount) -> None:
    iam = account.client("iam")
    user = iam.create_user(UserName="u")["User"]["Arn"]
    group = iam.create_group(GroupName="g")["Group"]["Arn"]
    iam.add_user_to_group(UserName="u", GroupName="g")
    allow = {"Effect": "Allow", "Action": PUT, "Resource": "*"}
    iam.put_group_policy(GroupName="g", PolicyName="p", PolicyDocument=document(allow))
    assert [simulate(account, PUT, arn=arn)[0]["MatchedStatements"][0]["SourcePolicyType"] for arn in (user, group)] == ["group", "group"]
    managed = iam.create_policy(PolicyName="m", PolicyDocument=document({**allow, "Effect": "Deny"}))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="u", PolicyArn=managed)
    iam.create_policy_version(PolicyArn=managed, PolicyDocument=document({**allow, "Effect": "Deny", "Action": "logs:Get*"}), SetAsDefault=False)
    [result] = simulate(account, PUT, arn=user)
    assert (result["EvalDecision"], result["MatchedStatements"]) == ("explicitDeny", [{"SourcePolicyId": "m", "SourcePolicyType": "user-managed"}])


def test_a_simulation_knows_the_context_that_it_is_given(account: LogAccount) -> None:
    condition = {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}
    account.client("iam").put_role_policy(RoleName=ROLE_NAME, PolicyName="regions", PolicyDocument=document(deny))

    def decision(**settings: t.Any) -> tuple[str, list[str]]:
        [result] = simulate(account, PUT, **settings)
        return result["EvalDecision"], result["MissingContextValues"]

    assert decision() == ("explicitDeny", ["aws:RequestedRegion"])
    for region, expected in (("us-east-1", "allowed"), ("us-west-2", "explicitDeny")):
        entries = [
            {"ContextKeyName": "aws:SourceIp", "ContextKeyValues": ["10.0.0.1"], "ContextKeyType": "ip"},
            {"ContextKeyName": "AWS:RequestedRegion", "ContextKeyValues": [region], "ContextKeyType": "string"},
        ]
        assert decision(ContextEntries=entries) == (expected, [])
    account.client("iam").put_role_policy(
        RoleName=ROLE_NAME, PolicyName="regions", PolicyDocument=document({**deny, "Condition": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}})
    )
    with refused("PolicyEvaluation", "DateLessThan"):
        simulate(account, PUT)


def test_a_permissions_boundary_limits_the_role(account: LogAccount) -> None:
    iam = account.client("iam")
    boundary = iam.create_policy(PolicyName="limit", PolicyDocument=document({"Effect": "Allow", "Action": "logs:Create*", "Resource": "*"}))["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName=ROLE_NAME, PermissionsBoundary=boundary)
    results = simulate(account, PUT, "logs:CreateLogStream")
    assert [(result["EvalDecision"], result["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"]) for result in results] == [
        ("implicitDeny", False),
        ("allowed", True),
    ]
    account.deliver()
    assert account.streams("a") == {"blocks": {f"ipsBlock_{account.id('a')}": 0}}, "the stream may be made, but not written"


@pytest.mark.parametrize(
    ("code", "status", "settings"),
    [
        ("NoSuchEntity", 404, {"PolicySourceArn": f"{ROLE_ARN}-not"}),
        ("NoSuchEntity", 404, {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT_ID}:user/{ROLE_NAME}"}),
        ("InvalidInput", 400, {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT_ID}:instance-profile/{ROLE_NAME}"}),
        ("InvalidInput", 400, {"PolicySourceArn": f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/{ROLE_NAME}/i-1"}),
        ("InvalidInput", 400, {"ActionNames": ["logs:*"]}),
        ("InvalidInput", 400, {"ActionNames": ["PutLogEvents"]}),
        ("InvalidInput", 400, {"ActionNames": []}),
        ("InvalidInput", 400, {"Marker": "made-up"}),
        ("InvalidInput", 400, {"PolicyInputList": [document()]}),
    ],
)
def test_what_cannot_be_simulated_is_refused(account: LogAccount, code: str, status: int, settings: dict[str, t.Any]) -> None:
    with refused(code) as caught:
        account.client("iam").simulate_principal_policy(**{"PolicySourceArn": ROLE_ARN, "ActionNames": [PUT], **settings})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
