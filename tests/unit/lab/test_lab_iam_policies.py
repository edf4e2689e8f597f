# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM's documented rules: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html."""

from __future__ import annotations

import json
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.iam_conditions import Context, NotEvaluated
from lab.iam_policies import Policy, Rights, Verdict, decide, trusts

STREAM = "arn:aws:logs:us-east-1:123456789012:log-group:blocks:log-stream:i-1"
ALLOW = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
DENY = {**ALLOW, "Effect": "Deny"}


def policy(*statements: dict[str, t.Any], name: str = "p") -> Policy:
    return Policy(name, "role", json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def judge(*policies: Policy, boundary: Policy | None = None, context: Context | None = None) -> Verdict:
    return decide(Rights(policies, boundary), "logs:PutLogEvents", STREAM, context or {})


def decision(*policies: Policy, action: str = "logs:PutLogEvents", resource: str = STREAM) -> str:
    return decide(Rights(policies), action, resource).decision


def test_nothing_is_allowed_by_default() -> None:
    assert decision() == "implicitDeny"
    assert decision(policy(ALLOW), action="logs:CreateLogGroup") == "implicitDeny"


def test_an_explicit_deny_wins_wherever_it_stands() -> None:
    assert decision(policy(ALLOW, DENY)) == "explicitDeny"
    assert decision(policy(DENY, name="a"), policy(ALLOW, name="b")) == "explicitDeny"
    assert decision(policy(ALLOW), policy(DENY), action="logs:CreateLogGroup") == "implicitDeny"


def test_the_statements_that_decide_are_named() -> None:
    allow, deny = policy(ALLOW, ALLOW, name="allow"), policy(DENY, name="deny")
    assert [found.id for found in judge(allow).decided_by] == ["allow", "allow"]
    assert [found.id for found in judge(allow, deny).decided_by] == ["deny"]


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ({"Action": "LOGS:putlogevents"}, True),
        ({"Action": ["ec2:*", "logs:Put*"]}, True),
        ({"Action": "logs:PutLogEvent?"}, True),
        ({"Action": "logs:PutLogEvents?"}, False),
        ({"Action": "*"}, True),
        ({"Action": "logs"}, False),
        ({"Action": "logs.PutLogEvents"}, False),
        ({"NotAction": "logs:Put*"}, False),
        ({"NotAction": ["logs:Create*", "ec2:*"]}, True),
        ({"Action": "logs:*", "Resource": "arn:aws:logs:*:*:log-group:blocks:*"}, True),
        ({"Action": "logs:*", "Resource": "arn:aws:logs:*:*:log-group:blocks"}, False),
        ({"Action": "logs:*", "Resource": "arn:aws:logs:*:*:log-group:Blocks:*"}, False),
        ({"Action": "logs:*", "Resource": ["arn:aws:s3:::x", "arn:aws:logs:us-east-1:123456789012:*"]}, True),
        ({"Action": "logs:*", "NotResource": "arn:aws:logs:*:*:log-group:blocks:*"}, False),
        ({"Action": "logs:*", "NotResource": "arn:aws:logs:*:*:log-group:alerts:*"}, True),
    ],
)
def test_actions_and_resources_with_wildcards(statement: dict[str, t.Any], allowed: bool) -> None:
    resource = {} if "NotResource" in statement else {"Resource": "*"}
    assert decision(policy({"Effect": "Allow", **resource, **statement})) == ("allowed" if allowed else "implicitDeny")


def test_any_resource_is_covered_only_by_any_resource() -> None:
    assert decision(policy(ALLOW), resource="*") == "allowed"
    assert decision(policy({**ALLOW, "Resource": "arn:aws:logs:*:*:*"}), resource="*") == "implicitDeny"


@given(st.text(alphabet="ab[](){}.*?+^$|\\:/\n"))
def test_a_pattern_without_wildcards_covers_itself_alone(text: str) -> None:
    literal = text.replace("*", "").replace("?", "")
    assert decision(policy({**ALLOW, "Resource": literal}), resource=literal) == "allowed"
    assert decision(policy({**ALLOW, "Resource": literal}), resource=literal + "x") == "implicitDeny"
    assert decision(policy({**ALLOW, "Resource": f"{literal}*"}), resource=literal + text) == "allowed"


REGION = "aws:RequestedRegion"


@pytest.mark.parametrize(
    ("condition", "without_key", "in_us", "in_eu"),
    [
        ({"StringEquals": {REGION: "us-east-1"}}, False, True, False),
        ({"StringEquals": {"AWS:REQUESTEDREGION": ["eu-west-1", "us-east-1"]}}, False, True, True),
        ({"StringEqualsIgnoreCase": {REGION: "US-East-1"}}, False, True, False),
        ({"StringEqualsIfExists": {REGION: "us-east-1"}}, True, True, False),
        ({"StringNotEquals": {REGION: ["us-east-1", "us-west-2"]}}, True, False, True),
        ({"StringLike": {REGION: "us-*"}}, False, True, False),
        ({"StringNotLikeIfExists": {REGION: "us-*"}}, True, False, True),
        ({"ArnLike": {REGION: "us-east-?"}}, False, True, False),
        ({"ArnNotEquals": {REGION: "us-east-1"}}, True, False, True),
        ({"Null": {REGION: "true"}}, True, False, False),
        ({"Null": {REGION: [False]}}, False, True, True),
        ({"ForAllValues:StringEquals": {REGION: ["us-east-1"]}}, True, True, False),
        ({"ForAnyValue:StringNotEquals": {REGION: ["us-east-1"]}}, False, False, True),
        ({"StringEquals": {REGION: "us-east-1"}, "Null": {REGION: "false"}}, False, True, False),
        ({"StringEquals": {REGION: "us-east-1"}, "Null": {REGION: "true"}}, False, False, False),
    ],
)
def test_conditions_look_at_the_context(condition: dict[str, t.Any], without_key: bool, in_us: bool, in_eu: bool) -> None:
    contexts = {(): without_key, ("us-east-1",): in_us, ("eu-west-1",): in_eu}
    for values, met in contexts.items():
        context = {REGION.lower(): list(values)} if values else {}
        verdict = judge(policy({**ALLOW, "Condition": condition}), context=context)
        assert verdict.decision == ("allowed" if met else "implicitDeny"), values
        assert [key.lower() for key in verdict.missing_keys] == ([] if values else [REGION.lower()])
        assert judge(policy(ALLOW, {**DENY, "Condition": condition}), context=context).decision == ("explicitDeny" if met else "allowed")


def test_booleans_addresses_and_sets() -> None:
    def met(condition: dict[str, t.Any], **context: list[str]) -> bool:
        return judge(policy({**ALLOW, "Condition": condition}), context=context).decision == "allowed"

    assert met({"Bool": {"secure": True}}, secure=["true"])
    assert not met({"Bool": {"secure": "false"}}, secure=["true"])
    assert met({"IpAddress": {"source": ["10.0.0.0/8", "127.0.0.0/8"]}}, source=["127.20.0.5"])
    assert met({"NotIpAddress": {"source": "10.0.0.0/8"}}, source=["127.20.0.5"])
    assert met({"ForAnyValue:StringEquals": {"keys": "a"}}, keys=["a", "b"])
    assert not met({"ForAllValues:StringEquals": {"keys": "a"}}, keys=["a", "b"])


@pytest.mark.parametrize("operator", ["NumericLessThan", "DateGreaterThan", "StringEqual", "Equals", "ForSomeValues:StringEquals"])
def test_a_condition_that_is_not_known_is_no_guess(operator: str) -> None:
    with pytest.raises(NotEvaluated, match=operator):
        judge(policy({**ALLOW, "Condition": {operator: {"k": "1"}}}), context={"k": ["1"]})


@pytest.mark.parametrize(
    ("policies", "boundary", "decision", "within"),
    [
        ([ALLOW], ALLOW, "allowed", True),
        ([ALLOW], {**ALLOW, "Action": "logs:Get*"}, "implicitDeny", False),
        ([ALLOW], DENY, "explicitDeny", False),
        ([], ALLOW, "implicitDeny", True),
        ([], DENY, "explicitDeny", False),
        ([DENY], ALLOW, "explicitDeny", True),
    ],
)
def test_a_boundary_has_to_allow_too(policies: list[dict[str, t.Any]], boundary: dict[str, t.Any], decision: str, within: bool) -> None:
    verdict = judge(*(policy(statement) for statement in policies), boundary=policy(boundary, name="boundary"))
    assert (verdict.decision, verdict.allowed_by_boundary) == (decision, within)
    assert bool(verdict.decided_by) == (decision != "implicitDeny")
    assert judge(*(policy(statement) for statement in policies)).allowed_by_boundary is None


def test_a_single_statement_needs_no_list() -> None:
    assert decision(Policy("p", "role", json.dumps({"Statement": ALLOW}))) == "allowed"


@pytest.mark.parametrize(
    ("statement", "trusted"),
    [
        ({"Principal": {"Service": "logs.amazonaws.com"}, "Action": "kms:Encrypt*"}, True),
        ({"Principal": {"Service": ["ec2.amazonaws.com", "logs.us-east-1.amazonaws.com"]}, "Action": ["kms:*"]}, True),
        ({"Principal": "*", "Action": "kms:*"}, True),
        ({"Principal": {"Service": "logs.eu-west-1.amazonaws.com"}, "Action": "kms:*"}, False),
        ({"Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*"}, False),
        ({"Principal": {"Service": "logs.amazonaws.com"}, "Action": "kms:Decrypt"}, False),
        ({"Effect": "Deny", "Principal": "*", "Action": "kms:*"}, False),
        ({"Principal": {"Service": "logs.amazonaws.com"}, "Action": "kms:*", "Condition": {"ArnLike": {"aws:SourceArn": "x"}}}, True),
    ],
)
def test_whom_a_resource_trusts(statement: dict[str, t.Any], trusted: bool) -> None:
    document = json.dumps({"Statement": [{"Effect": "Allow", "Resource": "*", **statement}]})
    assert trusts(document, ("logs.amazonaws.com", "logs.us-east-1.amazonaws.com"), "kms:Encrypt") == trusted
