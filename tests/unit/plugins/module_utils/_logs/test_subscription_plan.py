# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning subscription filters."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.subscription_plan import (
    Place,
    Subscription,
    arn_part,
    plan,
    read_option,
    refusal_hint,
)

FIREHOSE = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/network-security"
KINESIS = "arn:aws:kinesis:eu-west-1:123456789012:stream/network-security"
LAMBDA = "arn:aws:lambda:eu-west-1:123456789012:function:post-to-slack:live"
DESTINATION = "arn:aws-cn:logs:cn-north-1:123456789012:destination:central"
ROLE = "arn:aws:iam::123456789012:role/path/logs"
PLACE = Place("eu-west-1", "g", "to-s3")

SUBSCRIPTION = st.one_of(
    st.builds(Subscription, st.just(FIREHOSE), st.sampled_from(["", "?a"]), st.just(ROLE)),
    st.builds(Subscription, st.just(LAMBDA), st.sampled_from(["", "?a"]), st.none()),
)
EXTRAS = st.fixed_dictionaries({}, optional={"distribution": st.just("Random"), "emitSystemFields": st.just([]), "applyOnTransformedLogs": st.booleans()})


def option(**given_options: t.Any) -> dict[str, t.Any]:
    defaults = {"log_group": "g", "name": "to-s3", "destination_arn": FIREHOSE, "filter_pattern": "", "role_arn": ROLE, "state": "present"}
    return {**defaults, **given_options}


def no_region() -> str:
    raise AssertionError("the region is known")


def aws_form(subscription: Subscription, **more: t.Any) -> dict[str, t.Any]:
    role = {"roleArn": subscription.role_arn} if subscription.role_arn else {}
    return {
        "filterName": "to-s3",
        "logGroupName": "g",
        "filterPattern": subscription.pattern,
        "destinationArn": subscription.destination_arn,
        "creationTime": 1,
        **role,
        **more,
    }


@pytest.mark.parametrize(
    ("given_options", "region", "wanted"),
    [
        ({}, "eu-west-1", Subscription(FIREHOSE, "", ROLE)),
        ({"destination_arn": KINESIS, "filter_pattern": "?x"}, "eu-west-1", Subscription(KINESIS, "?x", ROLE)),
        ({"destination_arn": LAMBDA, "role_arn": None}, "eu-west-1", Subscription(LAMBDA, "", None)),
        ({"destination_arn": DESTINATION, "role_arn": None}, "cn-north-1", Subscription(DESTINATION, "", None)),
        ({"state": "absent"}, "eu-west-1", None),
    ],
)
def test_the_destination_tells_the_region(given_options: dict[str, t.Any], region: str, wanted: Subscription | None) -> None:
    assert read_option(option(**given_options), no_region) == (Place(region, "g", "to-s3"), wanted)


def test_where_there_is_no_destination_the_region_is_the_default_one() -> None:
    assert read_option(option(state="absent", destination_arn=None), lambda: "us-east-1") == (Place("us-east-1", "g", "to-s3"), None)


@pytest.mark.parametrize(
    ("given_options", "message"),
    [
        ({"log_group": "a b"}, "'a b' cannot be the name of a log group"),
        ({"name": "a:b"}, "g, a:b: 'a:b' cannot be the name of a subscription filter"),
        ({"name": ""}, "'' cannot be the name of a subscription filter"),
        ({"filter_pattern": "x" * 1025}, "filter_pattern may have 1024 characters, it has 1025"),
        ({"destination_arn": "arn:aws:s3:::bucket"}, "'arn:aws:s3:::bucket' is no ARN of a Firehose or Kinesis stream, a Lambda function"),
        ({"destination_arn": "arn:aws:s3:::bucket", "state": "absent"}, "'arn:aws:s3:::bucket' is no ARN"),
        ({"destination_arn": ""}, "'' is no ARN"),
        ({"role_arn": None}, f"g, to-s3: CloudWatch Logs writes to {FIREHOSE} with a role: give its role_arn."),
        ({"destination_arn": KINESIS, "role_arn": ""}, "give its role_arn"),
        ({"destination_arn": LAMBDA}, "leave out role_arn"),
        ({"role_arn": "logs"}, "role_arn must be the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME, not 'logs'"),
    ],
)
def test_options_that_cloudwatch_logs_would_refuse(given_options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_option(option(**given_options), no_region)
    assert message in str(caught.value)


@given(SUBSCRIPTION, st.none() | SUBSCRIPTION, EXTRAS)
def test_a_plan_reaches_what_is_wanted_and_is_then_done(wanted: Subscription, present: Subscription | None, extras: dict[str, t.Any]) -> None:
    before = aws_form(present, **extras) if present else None
    step = plan(PLACE, wanted, before)
    if present == wanted:
        assert step is None
        return
    assert step is not None
    method, arguments = step
    assert method == "put_subscription_filter"
    assert (arguments["logGroupName"], arguments["filterName"]) == ("g", "to-s3")
    assert Subscription.from_aws(arguments) == wanted
    assert plan(PLACE, wanted, arguments) is None
    kept = {name: value for name, value in extras.items() if value} if present else {}
    assert {name: arguments[name] for name in extras if name in arguments} == kept
    assert "creationTime" not in arguments


def test_a_filter_that_should_not_be() -> None:
    assert plan(PLACE, None, None) is None
    assert plan(PLACE, None, aws_form(Subscription(LAMBDA, "", None))) == ("delete_subscription_filter", {"logGroupName": "g", "filterName": "to-s3"})


def test_a_subscription_for_people() -> None:
    assert str(Subscription(FIREHOSE, "", ROLE)) == f"destination: {FIREHOSE}\npattern: all events\nrole: {ROLE}\n"
    assert str(Subscription(LAMBDA, "?x", None)) == f"destination: {LAMBDA}\npattern: ?x\nrole: -\n"
    assert str(PLACE) == "eu-west-1:g:to-s3"


@pytest.mark.parametrize(
    ("destination", "hint"),
    [
        (
            LAMBDA,
            f"aws lambda add-permission --region eu-west-1 --function-name {LAMBDA} --statement-id cloudwatch-logs --action lambda:InvokeFunction "
            "--principal logs.eu-west-1.amazonaws.com --source-arn 'arn:aws:logs:eu-west-1:123456789012:log-group:g:*'",
        ),
        (FIREHOSE, f"that the role {ROLE} trusts logs.amazonaws.com, and that it allows firehose:PutRecord and firehose:PutRecordBatch."),
        (KINESIS, "allows kinesis:PutRecord and kinesis:PutRecords."),
        (DESTINATION, f"Check that {DESTINATION} exists, and that its access policy allows this account."),
    ],
)
def test_hints(destination: str, hint: str) -> None:
    assert hint in refusal_hint(PLACE, Subscription(destination, "", ROLE))


def test_parts_of_an_arn() -> None:
    assert [arn_part(DESTINATION, part) for part in ("partition", "service", "region", "account")] == ["aws-cn", "logs", "cn-north-1", "123456789012"]
