# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance, by_region, find_instances, require_instances
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, AwsCredentialsError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, InputError
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import ACCOUNT, NOW, REGION, Calls, World

Record = t.Callable[[], Calls]


def test_reads_an_instance(aws: World) -> None:
    instance_id = aws.appliance(aws.vpc(), interfaces=["first", "second"], tags={"Name": "one"})
    instance = find_instances(AwsClients({}, concurrency=1), {REGION: [instance_id]}, concurrency=1).instances[instance_id]
    assert (instance.id, instance.region, instance.account_id, instance.state) == (instance_id, REGION, ACCOUNT, "running")
    assert instance.root_volume_attached_at == NOW
    assert instance.tags == {"Name": "one"}
    assert [(interface.device_index, interface.description, interface.source_dest_check) for interface in instance.interfaces] == [
        (0, "first", True),
        (1, "second", True),
    ]
    first = aws.interface(instance_id, 0)
    assert (instance.interfaces[0].id, instance.interfaces[0].private_ip, instance.interfaces[0].vpc_id) == (
        first["NetworkInterfaceId"],
        first["PrivateIpAddress"],
        first["VpcId"],
    )
    assert sorted(instance.interfaces[0].group_ids) == aws.groups_of(instance_id, 0)


def test_what_is_missing_in_the_answer() -> None:
    answer = {"InstanceId": "i-1", "State": {"Name": "terminated"}}
    assert Instance.from_aws(answer, region=REGION, account_id=ACCOUNT) == Instance("i-1", REGION, ACCOUNT, "terminated", None, {}, (), None)


def test_attach_time_is_that_of_the_root_volume_in_utc() -> None:
    there = timezone(timedelta(hours=-5))
    devices = [
        {"DeviceName": "/dev/sdb", "Ebs": {"AttachTime": datetime(2001, 1, 1, tzinfo=UTC)}},
        {"DeviceName": "/dev/sda1", "Ebs": {"AttachTime": datetime(2024, 2, 28, 20, tzinfo=there)}},
    ]
    answer = {"InstanceId": "i-1", "State": {"Name": "running"}, "RootDeviceName": "/dev/sda1", "BlockDeviceMappings": devices}
    attached_at = Instance.from_aws(answer, region=REGION, account_id=ACCOUNT).root_volume_attached_at
    assert attached_at == datetime(2024, 2, 29, 1, tzinfo=UTC)
    assert attached_at.tzinfo is UTC


def test_asks_once_for_many_and_takes_what_is_not_there_for_not_found(aws: World, record_calls: Record) -> None:
    vpc_id = aws.vpc()
    there = [aws.appliance(vpc_id), aws.appliance(vpc_id)]
    calls = record_calls()
    search = find_instances(AwsClients({}, concurrency=1), {REGION: [*there, "i-00000000000000000"]}, concurrency=1)
    assert set(search.instances) == set(there)
    assert search.errors == {}
    assert search.find("i-00000000000000000", [REGION]) is None
    assert [(call.operation, call.parameters) for call in calls.made] == [
        ("DescribeInstances", {"Filters": [{"Name": "instance-id", "Values": [*there, "i-00000000000000000"]}]})
    ]


def test_asks_in_portions(aws: World, record_calls: Record) -> None:
    calls = record_calls()
    find_instances(AwsClients({}, concurrency=2), {REGION: [f"i-{number:017x}" for number in range(450)], "us-east-1": []}, concurrency=2)
    assert sorted(len(call.parameters["Filters"][0]["Values"]) for call in calls.made) == [50, 200, 200]


def test_a_region_that_fails_does_not_stop_another(aws: World, record_calls: Record) -> None:
    instance_id = aws.appliance(aws.vpc())
    calls = record_calls()
    calls.fail("DescribeInstances", "UnauthorizedOperation", region="us-east-1", times=2)
    search = find_instances(AwsClients({}, concurrency=1), {"us-east-1": [instance_id, "i-2"], REGION: [instance_id, "i-2"]}, concurrency=1)
    found = search.find(instance_id, ["us-east-1", REGION])
    assert found is not None and found.region == REGION
    with pytest.raises(AwsError, match="ec2:DescribeInstances in us-east-1"):
        search.find("i-2", ["us-east-1", REGION])


def test_credentials_that_no_region_accepts_concern_everything(aws: World, record_calls: Record) -> None:
    calls = record_calls()
    calls.fail("DescribeInstances", "AuthFailure", times=2)
    with pytest.raises(AwsCredentialsError):
        find_instances(AwsClients({}, concurrency=1), {"us-east-1": ["i-1"], REGION: ["i-1"]}, concurrency=1)


def test_credentials_that_one_region_does_not_accept_may_mean_that_it_is_not_enabled(aws: World, record_calls: Record) -> None:
    calls = record_calls()
    calls.fail("DescribeInstances", "AuthFailure", region="af-south-1", times=2)
    search = find_instances(AwsClients({}, concurrency=1), {"af-south-1": ["i-1"], REGION: ["i-1"]}, concurrency=1)
    assert list(search.errors) == ["af-south-1"]


def test_nothing_to_find_asks_nothing(aws: World, record_calls: Record) -> None:
    calls = record_calls()
    assert find_instances(AwsClients({}, concurrency=1), {}, concurrency=1).instances == {}
    assert calls.made == []


def test_required_instances(aws: World) -> None:
    vpc_id = aws.vpc()
    running, terminated = aws.appliance(vpc_id), aws.appliance(vpc_id)
    aws.ec2.terminate_instances(InstanceIds=[terminated])
    wanted = {running: [REGION], terminated: [REGION], "i-1": [REGION, "us-east-1"]}
    find = require_instances(AwsClients({}, concurrency=1), wanted, concurrency=1)
    assert find(running).id == running
    with pytest.raises(InputError, match=f"{terminated} is terminated"):
        find(terminated)
    with pytest.raises(InputError, match=f"no EC2 instance i-1 in {REGION}, us-east-1"):
        find("i-1")


def test_by_region() -> None:
    assert by_region({"i-1": ["a", "b"], "i-2": ["b"], "i-3": []}) == {"a": ["i-1"], "b": ["i-1", "i-2"]}
