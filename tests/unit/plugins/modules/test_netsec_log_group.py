# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import boto3
import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules.netsec_log_group import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import ACCOUNT, REGION, Calls, Json, World
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner

Record = t.Callable[[], Calls]

BLOCK = "network-security-block-events"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = KEY.replace("1234abcd", "abcd1234")


@pytest.fixture
def logs(aws: World) -> t.Any:
    return boto3.client("logs")


@pytest.fixture
def ensure(aws: World, run_module: Runner) -> Runner:
    def run(*log_groups: Json, check_mode: bool = False, diff: bool = False, **options: t.Any) -> Json:
        return run_module(main, {"log_groups": list(log_groups), "concurrency": 1, **options}, check_mode=check_mode, diff=diff)

    return run


def entry(name: str = BLOCK, region: str = REGION, **values: t.Any) -> Json:
    return {
        "log_group": f"{region}:{name}",
        "changed": False,
        "failed": False,
        "region": region,
        "name": name,
        "arn": f"arn:aws:logs:{region}:{ACCOUNT}:log-group:{name}",
        "retention_days": 0,
        "kms_key_arn": None,
        "created": False,
        **values,
    }


def described(logs: t.Any, name: str = BLOCK) -> Json:
    (group,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return dict(group)


def test_creates_a_group_in_each_region(logs: t.Any, ensure: Runner, record_calls: Record) -> None:
    calls = record_calls()
    result = ensure({"name": BLOCK, "retention_days": 365}, regions=[REGION, "us-west-2"], diff=True)
    assert (result["failed"], result["changed"]) == (False, True)
    made = {"changed": True, "created": True, "retention_days": 365}
    assert result["log_groups"] == [entry(**made), entry(region="us-west-2", **made)]
    assert [(call.region, call.operation) for call in calls.made] == [
        (region, operation)
        for region in (REGION, "us-west-2")
        for operation in ("DescribeLogGroups", "CreateLogGroup", "PutRetentionPolicy", "DescribeLogGroups")
    ]
    assert calls.of("CreateLogGroup") == [{"logGroupName": BLOCK}] * 2
    assert calls.of("PutRetentionPolicy") == [{"logGroupName": BLOCK, "retentionInDays": 365}] * 2
    header = f"{REGION}:{BLOCK}"
    assert result["diff"][0] == {"before_header": header, "after_header": header, "before": "", "after": "retention: 365 days\nKMS key: -\n"}
    assert len(result["diff"]) == 2
    assert described(logs)["retentionInDays"] == 365


def test_a_second_run_changes_nothing(logs: t.Any, ensure: Runner, record_calls: Record) -> None:
    wanted = {"name": BLOCK, "retention_days": 30, "kms_key_arns": [KEY], "tags": {"team": "network"}}
    assert ensure(wanted)["log_groups"] == [entry(changed=True, created=True, retention_days=30, kms_key_arn=KEY)]
    assert logs.list_tags_for_resource(resourceArn=entry()["arn"])["tags"] == {"team": "network"}
    calls = record_calls()
    result = ensure(wanted, diff=True)
    assert (result["changed"], result["log_groups"], result["diff"]) == (False, [entry(retention_days=30, kms_key_arn=KEY)], [])
    assert calls.operations == ["DescribeLogGroups", "ListTagsForResource"]


def test_what_is_not_given_stays_and_is_not_asked_for(logs: t.Any, ensure: Runner, record_calls: Record) -> None:
    logs.create_log_group(logGroupName=BLOCK, kmsKeyId=KEY, tags={"a": "x"})
    logs.put_retention_policy(logGroupName=BLOCK, retentionInDays=7)
    calls = record_calls()
    assert ensure({"name": BLOCK})["log_groups"] == [entry(retention_days=7, kms_key_arn=KEY)]
    assert calls.operations == ["DescribeLogGroups"]


def test_changes_only_what_differs(logs: t.Any, ensure: Runner, record_calls: Record) -> None:
    logs.create_log_group(logGroupName=f"{BLOCK}-2")
    logs.create_log_group(logGroupName=BLOCK, kmsKeyId=OTHER_KEY, tags={"a": "x", "b": "y"})
    logs.put_retention_policy(logGroupName=BLOCK, retentionInDays=7)
    calls = record_calls()
    calls.answer("AssociateKmsKey", lambda _call: {})
    result = ensure({"name": BLOCK, "retention_days": 0, "kms_key_arns": [KEY], "tags": {"a": "x", "b": "z"}}, diff=True)
    assert result["changed"] and not result["log_groups"][0]["created"]
    assert result["log_groups"][0]["retention_days"] == 0
    assert calls.operations == [
        "DescribeLogGroups",
        "ListTagsForResource",
        "AssociateKmsKey",
        "TagResource",
        "DeleteRetentionPolicy",
        "DescribeLogGroups",
        "ListTagsForResource",
    ]
    assert calls.of("AssociateKmsKey") == [{"logGroupName": BLOCK, "kmsKeyId": KEY}]
    assert calls.of("TagResource") == [{"resourceArn": entry()["arn"], "tags": {"b": "z"}}]
    assert result["diff"][0]["before"] == f"retention: 7 days\nKMS key: {OTHER_KEY}\ntag a: x\ntag b: y\n"
    assert "retention: for ever\n" in result["diff"][0]["after"] and "tag b: z\n" in result["diff"][0]["after"]
    assert "retentionInDays" not in described(logs, f"{BLOCK}-2")


def test_check_mode_only_reads(logs: t.Any, ensure: Runner, record_calls: Record) -> None:
    logs.create_log_group(logGroupName="there")
    calls = record_calls()
    result = ensure({"name": BLOCK, "retention_days": 7, "kms_key_arns": [KEY]}, {"name": "there", "tags": {"a": "x"}}, check_mode=True, diff=True)
    assert result["log_groups"] == [
        entry(changed=True, created=True, arn=None, retention_days=7, kms_key_arn=KEY),
        entry("there", changed=True),
    ]
    assert [diff["after"] for diff in result["diff"]] == [f"retention: 7 days\nKMS key: {KEY}\n", "retention: for ever\nKMS key: -\ntag a: x\n"]
    assert calls.operations == ["DescribeLogGroups", "DescribeLogGroups", "ListTagsForResource"]
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["there"]


def test_a_group_whose_name_begins_like_those_of_many(logs: t.Any, ensure: Runner, record_calls: Record) -> None:
    for number in range(60):
        logs.create_log_group(logGroupName=f"{BLOCK}-{number}")
    calls = record_calls()
    assert ensure({"name": BLOCK})["log_groups"][0]["created"]
    assert "nextToken" in calls.of("DescribeLogGroups")[1]


def test_another_run_that_is_faster(logs: t.Any, ensure: Runner, record_calls: Record) -> None:
    calls = record_calls()
    calls.react("CreateLogGroup", lambda _call: logs.create_log_group(logGroupName=BLOCK) and None)
    result = ensure({"name": BLOCK, "retention_days": 7})
    assert result["log_groups"] == [entry(changed=True, created=False, retention_days=7)]
    assert calls.of("PutRetentionPolicy") == [{"logGroupName": BLOCK, "retentionInDays": 7}]


def test_a_new_group_that_is_not_listed_yet(ensure: Runner, record_calls: Record) -> None:
    record_calls().answer("DescribeLogGroups", lambda _call: {"logGroups": []})
    wanted = {"name": BLOCK, "retention_days": 7}
    assert ensure(wanted)["log_groups"] == [entry(changed=True, created=True, arn=None, retention_days=7)]
    # It does exist, says AWS, but does not list it: that is an error, and no endless loop.
    assert "ResourceAlreadyExistsException" in ensure(wanted)["log_groups"][0]["msg"]


def test_a_key_that_cannot_be_used(logs: t.Any, ensure: Runner, record_calls: Record) -> None:
    logs.create_log_group(logGroupName="there")
    calls = record_calls()
    calls.fail("CreateLogGroup", "InvalidParameterException", "The specified KMS Key Id could not be found.")
    calls.fail("AssociateKmsKey", "AccessDeniedException", "The specified KMS key does not exist or is not allowed to be used with Arn 'arn:x'")
    result = ensure({"name": BLOCK, "kms_key_arns": [KEY]}, {"name": "there", "kms_key_arns": [KEY]})
    hint = f"Check that the KMS key {KEY} exists and is enabled, and that its policy allows logs.{REGION}.amazonaws.com to use it."
    assert [(one["failed"], one["changed"], hint in one["msg"]) for one in result["log_groups"]] == [(True, False, True)] * 2


def test_a_refusal_that_is_not_about_the_key(logs: t.Any, ensure: Runner, record_calls: Record) -> None:
    record_calls().fail("CreateLogGroup", "LimitExceededException", "Resource limit exceeded.")
    assert "Check that" not in ensure({"name": BLOCK, "kms_key_arns": [KEY]})["msg"]


def test_one_failure_does_not_stop_the_others_and_what_was_done_is_told(logs: t.Any, ensure: Runner, record_calls: Record) -> None:
    calls = record_calls()
    calls.fail("PutRetentionPolicy", "AccessDeniedException")
    calls.fail("DescribeLogGroups", "ServiceUnavailableException", region="us-west-2", times=99)
    result = ensure({"name": BLOCK, "retention_days": 7}, {"name": "other"}, regions=[REGION, "us-west-2"])
    half_way, other, *elsewhere = result["log_groups"]
    assert (half_way["failed"], half_way["changed"], half_way["created"], half_way["retention_days"]) == (True, True, True, 0)
    assert "Allow the IAM action logs:PutRetentionPolicy" in half_way["msg"]
    assert other == entry("other", changed=True, created=True)
    assert [(one["log_group"], one["failed"], one["changed"]) for one in elsewhere] == [(f"us-west-2:{BLOCK}", True, False), ("us-west-2:other", True, False)]
    assert result["msg"].startswith(f"3 of 4 log groups failed; the others were done.\n{REGION}:{BLOCK}: AWS refused logs:PutRetentionPolicy")


@pytest.mark.parametrize(
    ("log_group", "message"),
    [
        ({"name": "a b"}, "'a b' cannot be the name of a log group"),
        ({"name": BLOCK}, f"Given more than once: {BLOCK}"),
        ({"name": "other", "retention_days": 2}, "value of retention_days must be one of: 0, 1, 3"),
        ({"name": "other", "kms_key_arns": [KEY.replace(REGION, "us-east-1")]}, f"exactly one key in {REGION}"),
    ],
)
def test_options_that_cannot_be_used_are_refused_before_anything_is_asked(ensure: Runner, record_calls: Record, log_group: Json, message: str) -> None:
    calls = record_calls()
    result = ensure({"name": BLOCK}, log_group)
    assert result["failed"] and message in result["msg"] and "log_groups" not in result
    assert calls.made == []


def test_bad_credentials_concern_everything(ensure: Runner, record_calls: Record) -> None:
    record_calls().fail("DescribeLogGroups", "UnrecognizedClientException", times=2)
    result = ensure({"name": BLOCK}, {"name": "other"})
    assert "Check the AWS credentials" in result["msg"] and "log_groups" not in result
