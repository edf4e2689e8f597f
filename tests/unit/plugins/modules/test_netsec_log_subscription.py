# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import boto3
import pytest

from ansible_collections.trendmicro.cloudone.plugins.modules.netsec_log_subscription import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import ACCOUNT, REGION, Calls, Json, World
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner

Record = t.Callable[[], Calls]

BLOCK = "network-security-block-events"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/logs"
LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:post-to-slack"


@pytest.fixture
def logs(aws: World) -> t.Any:
    """CloudWatch Logs with the log group."""
    client = boto3.client("logs")
    client.create_log_group(logGroupName=BLOCK)
    return client


@pytest.fixture
def subscribe(aws: World, run_module: Runner) -> Runner:
    def run(*subscriptions: Json, check_mode: bool = False, diff: bool = False, **options: t.Any) -> Json:
        return run_module(main, {"subscriptions": list(subscriptions), "concurrency": 1, **options}, check_mode=check_mode, diff=diff)

    return run


def firehose(region: str = REGION, name: str = "network-security") -> str:
    """Create a Firehose stream; its ARN."""
    destination = {"RoleARN": ROLE, "BucketARN": "arn:aws:s3:::bucket"}
    client = boto3.client("firehose", region_name=region)
    return str(client.create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination)["DeliveryStreamARN"])


def to_s3(destination_arn: str, **changes: t.Any) -> Json:
    return {"log_group": BLOCK, "name": "to-s3", "destination_arn": destination_arn, "role_arn": ROLE, **changes}


def entry(name: str = "to-s3", region: str = REGION, **values: t.Any) -> Json:
    return {
        "subscription": f"{region}:{BLOCK}:{name}",
        "changed": False,
        "failed": False,
        "region": region,
        "log_group": BLOCK,
        "name": name,
        "state": "present",
        **values,
    }


def names(logs: t.Any) -> list[str]:
    return [one["filterName"] for one in logs.describe_subscription_filters(logGroupName=BLOCK)["subscriptionFilters"]]


def test_creates_a_filter_and_a_second_run_changes_nothing(logs: t.Any, subscribe: Runner, record_calls: Record) -> None:
    stream = firehose()
    calls = record_calls()
    result = subscribe(to_s3(stream, filter_pattern="?DROP"), diff=True)
    assert (result["failed"], result["subscriptions"]) == (False, [entry(changed=True)])
    wanted = {"logGroupName": BLOCK, "filterName": "to-s3", "filterPattern": "?DROP", "destinationArn": stream, "roleArn": ROLE}
    assert [(call.region, call.operation, call.parameters) for call in calls.made] == [
        (REGION, "DescribeSubscriptionFilters", {"logGroupName": BLOCK}),
        (REGION, "PutSubscriptionFilter", wanted),
    ]
    header = f"{REGION}:{BLOCK}:to-s3"
    after = f"destination: {stream}\npattern: ?DROP\nrole: {ROLE}\n"
    assert result["diff"] == [{"before_header": header, "after_header": header, "before": "", "after": after}]
    again = subscribe(to_s3(stream, filter_pattern="?DROP"), diff=True)
    assert (again["changed"], again["subscriptions"], again["diff"]) == (False, [entry()], [])
    assert calls.operations[2:] == ["DescribeSubscriptionFilters"]


def test_changes_what_differs(logs: t.Any, subscribe: Runner) -> None:
    stream = firehose()
    subscribe(to_s3(stream))
    result = subscribe(to_s3(stream, filter_pattern="?DROP"), diff=True)
    assert result["changed"]
    assert "pattern: all events\n" in result["diff"][0]["before"] and "pattern: ?DROP\n" in result["diff"][0]["after"]
    assert logs.describe_subscription_filters(logGroupName=BLOCK)["subscriptionFilters"][0]["filterPattern"] == "?DROP"


def test_what_is_no_option_stays(logs: t.Any, subscribe: Runner, record_calls: Record) -> None:
    present = {"filterName": "to-s3", "filterPattern": "", "destinationArn": firehose(), "roleArn": ROLE, "distribution": "Random"}
    calls = record_calls()
    calls.answer("DescribeSubscriptionFilters", lambda _call: {"subscriptionFilters": [present]})
    assert subscribe(to_s3(firehose(name="other")))["changed"]
    assert calls.of("PutSubscriptionFilter")[0]["distribution"] == "Random"


def test_one_list_serves_many_regions(logs: t.Any, subscribe: Runner, record_calls: Record) -> None:
    boto3.client("logs", region_name="us-west-2").create_log_group(logGroupName=BLOCK)
    here, there = firehose(), firehose("us-west-2")
    calls = record_calls()
    assert subscribe(to_s3(here), to_s3(there))["subscriptions"] == [entry(changed=True), entry(region="us-west-2", changed=True)]
    assert [(call.region, call.operation) for call in calls.made] == [
        (region, operation) for region in (REGION, "us-west-2") for operation in ("DescribeSubscriptionFilters", "PutSubscriptionFilter")
    ]


def test_removes_a_filter(logs: t.Any, subscribe: Runner, record_calls: Record) -> None:
    stream = firehose()
    subscribe(to_s3(stream), to_s3(stream, name="keep"))
    calls = record_calls()
    result = subscribe({"log_group": BLOCK, "name": "to-s3", "state": "absent"}, to_s3(stream, name="keep"), diff=True)
    assert result["subscriptions"] == [entry(changed=True, state="absent"), entry("keep")]
    assert calls.of("DeleteSubscriptionFilter") == [{"logGroupName": BLOCK, "filterName": "to-s3"}]
    assert (result["diff"][0]["after"], names(logs)) == ("", ["keep"])
    assert not subscribe({"log_group": BLOCK, "name": "to-s3", "state": "absent"})["changed"]
    # Where there is no log group, there is no filter either.
    assert subscribe({"log_group": "nowhere", "name": "to-s3", "state": "absent"})["subscriptions"][0]["failed"] is False


def test_what_is_removed_makes_room_and_the_order_of_the_results_stays(logs: t.Any, subscribe: Runner, record_calls: Record) -> None:
    stream = firehose()
    subscribe(to_s3(stream, name="one"), to_s3(stream, name="two"))
    calls = record_calls()
    result = subscribe(to_s3(stream, name="three"), to_s3(stream, name="one", state="absent"))
    assert result["subscriptions"] == [entry("three", changed=True), entry("one", changed=True, state="absent")]
    assert calls.operations == ["DescribeSubscriptionFilters", "DeleteSubscriptionFilter", "PutSubscriptionFilter"]
    assert sorted(names(logs)) == ["three", "two"]


def test_a_third_filter(logs: t.Any, subscribe: Runner, pauses: list[float]) -> None:
    stream = firehose()
    result = subscribe(*(to_s3(stream, name=name) for name in ("one", "two", "three")))
    assert [one["failed"] for one in result["subscriptions"]] == [False, False, True]
    message = result["subscriptions"][2]["msg"]
    assert "LimitExceededException" in message
    assert f"A log group can have two subscription filters. {BLOCK} has: one, two. Remove one of them (state=absent)." in message


def test_check_mode_only_reads(logs: t.Any, subscribe: Runner, record_calls: Record) -> None:
    stream = firehose()
    subscribe(to_s3(stream))
    calls = record_calls()
    result = subscribe(to_s3(stream, state="absent"), to_s3(stream, name="new"), check_mode=True, diff=True)
    assert result["subscriptions"] == [entry(changed=True, state="absent"), entry("new", changed=True)]
    assert len(result["diff"]) == 2
    assert (calls.operations, names(logs)) == (["DescribeSubscriptionFilters"], ["to-s3"])


def test_a_log_group_that_does_not_exist(aws: World, subscribe: Runner, record_calls: Record) -> None:
    stream = firehose()
    calls = record_calls()
    result = subscribe(to_s3(stream))
    assert f"There is no log group {BLOCK} in {REGION}. Create it first, for example with netsec_log_group." in result["subscriptions"][0]["msg"]
    # In check mode an earlier task may be going to create it.
    result = subscribe(to_s3(stream), check_mode=True)
    assert (result["failed"], result["subscriptions"]) == (False, [entry(changed=True)])
    assert result["warnings"] == [f"There is no log group {BLOCK} in {REGION} yet. It must exist before it can be subscribed to."]
    assert calls.operations == ["DescribeSubscriptionFilters"] * 2


def test_a_function_that_may_not_be_called(logs: t.Any, subscribe: Runner) -> None:
    result = subscribe({"log_group": BLOCK, "name": "to-slack", "destination_arn": LAMBDA})
    message = result["subscriptions"][0]["msg"]
    assert "Could not execute the lambda function" in message
    assert f"aws lambda add-permission --region {REGION} --function-name {LAMBDA}" in message
    assert f"--source-arn 'arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{BLOCK}:*'" in message


def test_a_stream_that_does_not_exist(logs: t.Any, subscribe: Runner) -> None:
    message = subscribe(to_s3(f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/nowhere"))["msg"]
    assert "exists and is active" in message and "firehose:PutRecordBatch" in message


def test_a_refusal_that_is_not_about_the_destination(logs: t.Any, subscribe: Runner, record_calls: Record) -> None:
    stream = firehose()
    record_calls().fail("PutSubscriptionFilter", "InvalidParameterException", "Invalid filter pattern")
    message = subscribe(to_s3(stream, filter_pattern="{"))["subscriptions"][0]["msg"]
    assert message.endswith("(InvalidParameterException): Invalid filter pattern.")


def test_one_failure_does_not_stop_the_others(logs: t.Any, subscribe: Runner, record_calls: Record) -> None:
    boto3.client("logs", region_name="us-west-2").create_log_group(logGroupName=BLOCK)
    here, there = firehose(), firehose("us-west-2")
    calls = record_calls()
    calls.fail("DescribeSubscriptionFilters", "ServiceUnavailableException", region=REGION)
    lacking = f"User: x is not authorized to perform: iam:PassRole on resource: {ROLE}"
    calls.fail("PutSubscriptionFilter", "AccessDeniedException", lacking)
    result = subscribe(to_s3(here), to_s3(there), to_s3(there, name="second"))
    assert [one["failed"] for one in result["subscriptions"]] == [True, True, False]
    assert result["changed"]
    assert "Allow the IAM action iam:PassRole" in result["subscriptions"][1]["msg"]
    assert result["msg"].startswith(f"2 of 3 subscriptions failed; the others were done.\n{REGION}:{BLOCK}:to-s3: ")


@pytest.mark.parametrize(
    ("subscription", "message"),
    [
        ({"log_group": BLOCK, "name": "to-s3"}, "state is present but all of the following are missing: destination_arn"),
        (to_s3(f"arn:aws:firehose:{REGION}:{ACCOUNT}:deliverystream/x", role_arn=None), "give its role_arn"),
        ({"log_group": BLOCK, "name": "good", "destination_arn": LAMBDA}, f"Given more than once: {REGION}:{BLOCK}:good"),
    ],
)
def test_options_that_cannot_be_used_are_refused_before_anything_is_asked(
    logs: t.Any, subscribe: Runner, record_calls: Record, subscription: Json, message: str
) -> None:
    calls = record_calls()
    result = subscribe({"log_group": BLOCK, "name": "good", "destination_arn": LAMBDA}, subscription)
    assert result["failed"] and message in result["msg"] and "subscriptions" not in result
    assert calls.made == []


def test_bad_credentials_concern_everything(logs: t.Any, subscribe: Runner, record_calls: Record) -> None:
    record_calls().fail("DescribeSubscriptionFilters", "UnrecognizedClientException")
    result = subscribe({"log_group": BLOCK, "name": "to-slack", "destination_arn": LAMBDA})
    assert "Check the AWS credentials" in result["msg"] and "subscriptions" not in result
