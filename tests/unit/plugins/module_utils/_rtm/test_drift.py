# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.drift import Drift, forwards, rule_drift, stack_drift
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import Observed, Rule, Stack, Wanted, account_number
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.observe import read_pattern
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.options import read_wanted
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import EVENT_BUS_SOURCES, REGIONS, RULE_NAME, parameters, pattern, template_body

ACCOUNT = "012345678901"
BUS = "717210094962"
ARN = f"arn:aws:events:eu-west-1:{BUS}:event-bus/default"
WANTED = Wanted(present=True, stack_name="S", conformity_account_id=BUS, sources=("aws.s3", "aws.ec2"))
TARGET = {"Id": "CloudConformityBus", "Arn": ARN}


def observed(rule_pattern: object = None, *, state: str = "ENABLED", targets: tuple[dict[str, object], ...] = (TARGET,)) -> Observed:
    rule = Rule("arn", state, rule_pattern or pattern(ACCOUNT, ["aws.ec2", "aws.s3"]), targets, "S")  # type: ignore[arg-type]
    return Observed(ACCOUNT, "eu-west-1", Stack("S", "id", "CREATE_COMPLETE"), rule)


def test_constants() -> None:
    assert len(REGIONS) == len(set(REGIONS)) == 21
    assert len(EVENT_BUS_SOURCES) == len(set(EVENT_BUS_SOURCES)) == 22


def test_the_template_has_one_resource_and_needs_no_capability() -> None:
    template = json.loads(template_body())
    [(name, resource)] = template["Resources"].items()
    assert (name, resource["Type"]) == (RULE_NAME, "AWS::Events::Rule")
    assert set(template["Parameters"]) == {"CloudConformityAccountId", "EventBusSources"}
    assert resource["Properties"]["Targets"] == [
        {"Id": "CloudConformityBus", "Arn": {"Fn::Sub": "arn:aws:events:${AWS::Region}:${CloudConformityAccountId}:event-bus/default"}}
    ]
    assert resource["Properties"]["EventPattern"]["detail"] == {"eventCategory": ["Management"]}


class TestRule:
    def test_no_drift_whatever_the_order(self) -> None:
        assert rule_drift(observed(), WANTED) == {}

    def test_further_targets_do_no_harm(self) -> None:
        assert rule_drift(observed(targets=({"Id": "mine", "Arn": "arn:aws:sns:x"}, TARGET)), WANTED) == {}

    @pytest.mark.parametrize("state", ["ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"])
    def test_states_that_forward(self, state: str) -> None:
        assert rule_drift(observed(state=state), WANTED) == {}

    def test_disabled(self) -> None:
        assert list(rule_drift(observed(state="DISABLED"), WANTED)) == [Drift.DISABLED]

    def test_the_older_pattern_has_a_name_of_its_own(self) -> None:
        assert list(rule_drift(observed({"account": [ACCOUNT], "source": ["aws.s3", "aws.ec2"]}), WANTED)) == [Drift.OLDER_PATTERN]

    @pytest.mark.parametrize(
        "edited",
        [
            {"account": [ACCOUNT], "source": ["aws.s3"]},
            {"account": ["999999999999"], "source": ["aws.s3", "aws.ec2"], "detail": {"eventCategory": ["Management"]}},
            {"account": [ACCOUNT], "source": ["aws.s3", "aws.ec2"], "detail": {"eventCategory": ["Data"]}},
            {"account": [ACCOUNT], "source": ["aws.s3", "aws.ec2"], "detail": {"eventCategory": ["Management"]}, "region": ["eu-west-1"]},
        ],
    )
    def test_an_edited_pattern(self, edited: dict[str, object]) -> None:
        assert list(rule_drift(observed(edited), WANTED)) == [Drift.PATTERN]

    @pytest.mark.parametrize(
        "targets",
        [
            (),
            ({"Id": "CloudConformityBus", "Arn": ARN.replace(BUS, "105579776292")},),
            ({"Id": "CloudConformityBus", "Arn": ARN.replace("eu-west-1", "us-east-1")},),
            ({**TARGET, "InputPath": "$.detail"},),
        ],
    )
    def test_a_target_that_does_not_forward(self, targets: tuple[dict[str, object], ...]) -> None:
        assert list(rule_drift(observed(targets=targets), WANTED)) == [Drift.TARGET]

    def test_another_id_forwards_as_well(self) -> None:
        rule = observed(targets=({"Id": "other", "Arn": ARN},)).rule
        assert rule is not None and forwards(rule, ARN)

    def test_with_a_template_of_the_users_own_the_rest_of_the_pattern_is_its_matter(self) -> None:
        wanted = Wanted(present=True, stack_name="S", conformity_account_id=BUS, sources=("aws.s3", "aws.ec2"), template_url="https://x")
        own = {"account": [ACCOUNT], "source": ["aws.s3", "aws.ec2"], "detail": {"eventName": ["Put"]}}
        assert rule_drift(observed(own), wanted) == {}
        assert wanted.pattern(ACCOUNT, {**own, "source": []}) == own


class TestStack:
    def test_only_the_named_tags_and_own_parameters_count(self) -> None:
        stack = Stack("S", "id", "x", parameters={**parameters(BUS, ["aws.ec2", " aws.s3"]), "Old": "1"}, tags={"Version": "6", "LastUpdatedTime": "2021"})
        assert stack_drift(stack, WANTED) == {}

    def test_everything(self) -> None:
        wanted = Wanted(present=True, stack_name="S", conformity_account_id=BUS, sources=("aws.s3",), tags={"A": "1"}, protection=True)
        stack = Stack("S", "id", "x", parameters={"CloudConformityAccountId": "1", "ConformityRTMAccountId": BUS}, tags={"A": "2"})
        assert stack_drift(stack, wanted) == {
            Drift.PARAMETERS: "the stack has other values for the parameters CloudConformityAccountId, EventBusSources",
            Drift.TAGS: "the stack has other values for the tags A",
            Drift.PROTECTION: "termination protection is off",
        }

    @pytest.mark.parametrize(
        ("template", "mismatch"),
        [
            (None, None),
            ("Resources:\n  CloudConformityMonitoring:\n    Type: AWS::Events::Rule\n", None),
            (
                "Resources:\n  CloudConformityMonitoring:\n    Type: 'AWS::Events::Rule'\n  B:\n    Type: \"AWS::S3::Bucket\"\n",
                "its template has AWS::S3::Bucket",
            ),
            ({"Resources": {"A": {"Type": "Custom::Thing"}, "B": {"Type": "AWS::SNS::Topic"}}}, "its template has AWS::SNS::Topic, Custom::Thing"),
            ({"Resources": {"A": {"Type": "AWS::Events::Rule"}}}, "its template does not have the rule CloudConformityMonitoring"),
        ],
    )
    def test_a_stack_of_something_else_is_recognised(self, template: dict[str, object] | str | None, mismatch: str | None) -> None:
        assert Stack("S", "id", "CREATE_COMPLETE", template=template).mismatch == mismatch


OPTIONS = {"stack_name": "S", "conformity_account_id": "12", "event_bus_sources": ["aws.s3", "aws.s3 "]}


class TestOptions:
    def test_account_ids_get_their_zeros_back(self) -> None:
        wanted = read_wanted({**OPTIONS, "tags": {"n": 1}})
        assert (wanted.conformity_account_id, wanted.sources, wanted.tags) == ("000000000012", ("aws.s3",), {"n": "1"})

    @pytest.mark.parametrize("value", ["abc", "1234567890123", "١٢"])
    def test_what_is_no_account(self, value: str) -> None:
        with pytest.raises(InputError, match="expected_account_id.*12 digits"):
            account_number(value, "expected_account_id")

    @pytest.mark.parametrize("sources", [[], [""], ["aws.s3,aws.ec2"]])
    def test_sources_that_are_none(self, sources: list[str]) -> None:
        with pytest.raises(InputError, match="event_bus_sources"):
            read_wanted({**OPTIONS, "event_bus_sources": sources})


class TestHostile:
    @pytest.mark.parametrize("text", [None, "", "{", "[1]", "[" * 100_000, '{"a":' * 60 + "1" + "}" * 60, '{"a": NaN}'])
    def test_a_pattern_that_cannot_be_read_is_another_one(self, text: str | None) -> None:
        assert read_pattern(text) == {}

    def test_lists_in_lists_are_compared_in_no_time(self) -> None:
        inner: list[object] = ["'\"\\"]
        for _level in range(40):
            inner = [inner, "x"]
        assert Drift.PATTERN in rule_drift(observed(read_pattern(json.dumps({"account": inner}))), WANTED)

    def test_the_order_means_nothing_for_objects_either(self) -> None:
        own = {**pattern(ACCOUNT, ["aws.s3", "aws.ec2"]), "account": [ACCOUNT]}
        assert not rule_drift(observed({**own, "source": ["aws.ec2", "aws.s3"]}), WANTED)
