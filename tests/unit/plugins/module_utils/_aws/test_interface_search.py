# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import gzip
import typing as t

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance, find_instances
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interface_search import find_management_interfaces, read_user_data
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interfaces import ManagementInterface, UndecidedError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, CloudOneError
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import GENEVE, REGION, Calls, World

Record = t.Callable[[], Calls]


def find(*instance_ids: str, overrides: dict[str, str | None] | None = None) -> dict[str, ManagementInterface | CloudOneError]:
    clients = AwsClients({}, concurrency=1)
    instances: list[Instance] = list(find_instances(clients, {REGION: instance_ids}, concurrency=1).instances.values())
    return find_management_interfaces(clients, instances, overrides or {}, concurrency=1)


def index(answer: ManagementInterface | CloudOneError) -> int:
    assert isinstance(answer, ManagementInterface), answer
    return answer.device_index


def test_descriptions_and_rules_take_one_call_for_all(aws: World, record_calls: Record) -> None:
    vpc_id = aws.vpc()
    data, plain = aws.group(vpc_id, "data", GENEVE), aws.group(vpc_id, "plain")
    described = aws.appliance(vpc_id)
    load_balanced = aws.appliance(vpc_id, interfaces=["", ""], groups=[[data], [plain]])
    calls = record_calls()
    answers = find(described, load_balanced)
    assert (index(answers[described]), index(answers[load_balanced])) == (0, 1)
    assert calls.operations == ["DescribeInstances", "DescribeSecurityGroups"]
    asked = calls.of("DescribeSecurityGroups")[0]["Filters"]
    assert (asked[0]["Name"], sorted(asked[0]["Values"])) == ("group-id", sorted({data, *aws.groups_of(described, 0)}))


def test_user_data_is_read_only_where_it_is_needed(aws: World, record_calls: Record) -> None:
    vpc_id = aws.vpc()
    described = aws.appliance(vpc_id)
    told = aws.appliance(vpc_id, interfaces=["", ""], user_data="# -- VTPS capability GWLB-mode=1\n# -- VTPS ManagementPort=2\n")
    calls = record_calls()
    answers = find(described, told)
    assert (index(answers[described]), index(answers[told])) == (0, 1)
    assert calls.operations == ["DescribeInstances", "DescribeSecurityGroups", "DescribeInstanceAttribute"]
    assert calls.of("DescribeInstanceAttribute") == [{"InstanceId": told, "Attribute": "userData"}]


def test_load_balancers_come_last(aws: World, record_calls: Record) -> None:
    vpc_id, other_vpc_id = aws.vpc(), aws.vpc()
    balanced = aws.appliance(vpc_id, interfaces=["", ""])
    by_address = aws.appliance(vpc_id, interfaces=["", ""])
    elsewhere = aws.appliance(other_vpc_id, interfaces=["", ""])
    elbv2 = boto3.client("elbv2", region_name=REGION)
    arns = [
        elbv2.create_target_group(Name=name, Protocol="GENEVE", Port=6081, VpcId=vpc_id, TargetType=kind)["TargetGroups"][0]["TargetGroupArn"]
        for name, kind in (("by-instance", "instance"), ("by-address", "ip"))
    ]
    elbv2.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc_id)
    elbv2.register_targets(TargetGroupArn=arns[0], Targets=[{"Id": balanced}])
    addresses = [aws.interface(by_address, 0)["PrivateIpAddress"], aws.interface(elsewhere, 0)["PrivateIpAddress"]]
    elbv2.register_targets(TargetGroupArn=arns[1], Targets=[{"Id": address} for address in addresses])
    calls = record_calls()
    answers = find(balanced, by_address, elsewhere)
    assert (index(answers[balanced]), index(answers[by_address])) == (1, 1)
    # The address stands in a target group, but of another VPC, where it is another machine's.
    assert isinstance(answers[elsewhere], UndecidedError)
    assert calls.operations == [
        "DescribeInstances",
        "DescribeSecurityGroups",
        *["DescribeInstanceAttribute"] * 3,
        "DescribeTargetGroups",
        *["DescribeTargetHealth"] * 2,
    ]
    assert sorted(call["TargetGroupArn"] for call in calls.of("DescribeTargetHealth")) == sorted(arns)


def test_no_call_for_what_the_user_names_or_a_single_interface(aws: World, record_calls: Record) -> None:
    vpc_id = aws.vpc()
    named, single = aws.appliance(vpc_id, interfaces=["", ""]), aws.appliance(vpc_id, interfaces=[""])
    wanted = aws.interface_id(named, 1)
    calls = record_calls()
    answers = find(named, single, overrides={named: wanted})
    assert (index(answers[named]), index(answers[single])) == (1, 0)
    assert calls.operations == ["DescribeInstances"]


@pytest.mark.parametrize(
    ("operation", "action"), [("DescribeSecurityGroups", "ec2:DescribeSecurityGroups"), ("DescribeInstanceAttribute", "ec2:DescribeInstanceAttribute")]
)
def test_a_missing_permission_is_told_for_each_appliance(aws: World, record_calls: Record, operation: str, action: str) -> None:
    instance_id = aws.appliance(aws.vpc(), interfaces=["", ""])
    calls = record_calls()
    calls.fail(operation, "UnauthorizedOperation")
    answer = find(instance_id)[instance_id]
    assert isinstance(answer, AwsError)
    assert f"Allow the IAM action {action}" in str(answer)


def test_load_balancers_that_may_not_be_asked_are_mentioned_only(aws: World, record_calls: Record) -> None:
    instance_id = aws.appliance(aws.vpc(), interfaces=["", ""])
    calls = record_calls()
    calls.fail("DescribeTargetGroups", "AccessDenied")
    answer = find(instance_id)[instance_id]
    assert isinstance(answer, UndecidedError)
    assert "Set management_interface" in str(answer)
    assert "elasticloadbalancing:DescribeTargetGroups" in str(answer)


@given(st.text())
def test_user_data_is_read_plain_and_compressed(text: str) -> None:
    data = text.encode()
    assert read_user_data(base64.b64encode(gzip.compress(data)).decode()) == text
    assert read_user_data(base64.b64encode(data).decode()) == text


@given(st.binary())
def test_any_user_data_can_be_read(data: bytes) -> None:
    read_user_data(base64.b64encode(data).decode())
    read_user_data(base64.b64encode(b"\x1f\x8b" + data).decode())


def test_compressed_user_data_cannot_fill_the_memory() -> None:
    assert len(read_user_data(base64.b64encode(gzip.compress(b"x" * 10_000_000)).decode())) <= 256 * 1024


def test_user_data_that_is_not_encoded() -> None:
    assert read_user_data("GWLB-mode=1") == ""
