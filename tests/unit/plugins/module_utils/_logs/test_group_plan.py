# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning a log group."""

from __future__ import annotations

import typing as t
from functools import cache

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.group_plan import (
    RETENTION_DAYS,
    GroupPlan,
    PresentGroup,
    WantedGroup,
    describe,
    foreseen,
    plan,
    steps,
)

ARN = "arn:aws:logs:eu-west-1:123456789012:log-group:g"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = KEY.replace("1234abcd", "abcd1234")

TAGS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz"), max_size=3)
KEYS = st.none() | st.sampled_from([KEY, OTHER_KEY])
WANTED = st.builds(WantedGroup, st.just("g"), st.none() | st.sampled_from(RETENTION_DAYS), KEYS, TAGS)
PRESENT = st.none() | st.builds(PresentGroup, st.just(ARN), st.sampled_from(RETENTION_DAYS), KEYS, TAGS)


@cache
def logs_client() -> t.Any:
    return boto3.client("logs", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")


def option(name: str = "g", **given_options: t.Any) -> dict[str, t.Any]:
    return {"name": name, "retention_days": None, "kms_key_arns": None, "tags": None, **given_options}


@given(WANTED, PRESENT)
def test_a_plan_reaches_what_is_wanted_keeps_the_rest_and_is_then_done(wanted: WantedGroup, present: PresentGroup | None) -> None:
    before = present or PresentGroup(None)
    planned = plan(wanted, present)
    after = foreseen(present, planned)
    assert after.retention_days == (before.retention_days if wanted.retention_days is None else wanted.retention_days)
    assert after.kms_key_arn == (wanted.kms_key_arn or before.kms_key_arn)
    assert after.tags == {**before.tags, **wanted.tags}
    assert planned.changed == (present is None or after != before)
    assert not plan(wanted, after).changed
    assert bool(steps(wanted, present, planned)) == planned.changed


@given(WANTED, PRESENT)
def test_steps_are_calls_as_cloudwatch_logs_takes_them(wanted: WantedGroup, present: PresentGroup | None) -> None:
    made = steps(wanted, present, plan(wanted, present))
    client = logs_client()
    with Stubber(client) as stubber:
        for method, arguments in made:
            stubber.add_response(method, {}, arguments)
            getattr(client, method)(**arguments)
    assert [method for method, _arguments in made].count("create_log_group") == (present is None)


def test_all_of_a_new_group() -> None:
    wanted = WantedGroup("g", 30, KEY, {"a": "x"})
    planned = plan(wanted, None)
    assert planned == GroupPlan(True, 30, KEY, {"a": "x"})
    assert steps(wanted, None, planned) == [
        ("create_log_group", {"logGroupName": "g", "kmsKeyId": KEY, "tags": {"a": "x"}}),
        ("put_retention_policy", {"logGroupName": "g", "retentionInDays": 30}),
    ]


def test_all_of_a_group_that_is_there() -> None:
    wanted, present = WantedGroup("g", 0, KEY, {"a": "x", "b": "y"}), PresentGroup(ARN, 30, OTHER_KEY, {"b": "y", "c": "z"})
    assert steps(wanted, present, plan(wanted, present)) == [
        ("associate_kms_key", {"logGroupName": "g", "kmsKeyId": KEY}),
        ("tag_resource", {"resourceArn": ARN, "tags": {"a": "x"}}),
        ("delete_retention_policy", {"logGroupName": "g"}),
    ]


def test_for_ever_is_what_a_new_group_has() -> None:
    wanted = WantedGroup("g", 0, None, {})
    assert steps(wanted, None, plan(wanted, None)) == [("create_log_group", {"logGroupName": "g"})]


def test_reading_what_aws_answers() -> None:
    assert PresentGroup.from_aws({"logGroupName": "g", "arn": f"{ARN}:*"}) == PresentGroup(ARN)
    assert PresentGroup.from_aws({"logGroupName": "g", "arn": f"{ARN}:*", "retentionInDays": 7, "kmsKeyId": KEY}) == PresentGroup(ARN, 7, KEY)


def test_a_description_for_people() -> None:
    assert describe(None) == ""
    assert describe(PresentGroup(ARN)) == "retention: for ever\nKMS key: -\n"
    assert describe(PresentGroup(ARN, 7, KEY, {"b": "2", "a": "1"})) == f"retention: 7 days\nKMS key: {KEY}\ntag a: 1\ntag b: 2\n"


def test_reading_an_option() -> None:
    assert WantedGroup.from_option(option(tags={"cost": 7}), "eu-west-1") == WantedGroup("g", None, None, {"cost": "7"})
    assert WantedGroup.from_option(option(kms_key_arns=[KEY, KEY.replace("eu-west-1", "us-east-1")]), "eu-west-1").kms_key_arn == KEY


@pytest.mark.parametrize(
    ("given_options", "message"),
    [
        ({"name": "aws/mine"}, "'aws/mine' cannot be the name of a log group"),
        ({"name": ""}, "'' cannot be the name of a log group"),
        ({"kms_key_arns": [KEY, "alias/mine"]}, "takes ARNs of keys, .* not 'alias/mine'. CloudWatch Logs takes no alias."),
        ({"kms_key_arns": [""]}, "takes ARNs of keys"),
        ({"kms_key_arns": ["arn:aws:kms:eu-west-1:123456789012:alias/mine"]}, "takes ARNs of keys"),
        ({"kms_key_arns": [OTHER_KEY.replace("eu-west-1", "us-east-1")]}, "exactly one key in eu-west-1, .* It has: none."),
        ({"kms_key_arns": [KEY, OTHER_KEY]}, f"exactly one key in eu-west-1, .* It has: {KEY}, {OTHER_KEY}."),
    ],
)
def test_options_that_cloudwatch_would_refuse(given_options: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        WantedGroup.from_option(option(**given_options), "eu-west-1")
