# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import time
import typing as t
from datetime import timedelta

import boto3
import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils import _times
from ansible_collections.trendmicro.cloudone.plugins.modules import netsec_ssh_access
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import NOW, REGION, Call, Calls, World

Record = t.Callable[[], Calls]
Result = dict[str, t.Any]
Run = t.Callable[..., Result]

ACCESS_TAG, EXPIRY_TAG = "trendmicro.cloudone:ssh-access", "trendmicro.cloudone:expires-at"
BASTION = "203.0.113.7/32"
RULE = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": BASTION}]}
EVERYTHING_OUT = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netsec_ssh_access, "utc_now", lambda: NOW)


@pytest.fixture
def run(aws: World, pauses: list[float], run_module: t.Callable[..., Result]) -> Run:
    """Run the module; one thing at a time, so that calls have an order."""

    def run(*instance_ids: str | dict[str, str], check_mode: bool = False, **options: t.Any) -> Result:
        appliances = [one if isinstance(one, dict) else {"instance_id": one} for one in instance_ids]
        defaults: Result = {"access_id": "run-1", "concurrency": 1, **({"appliances": appliances} if appliances else {})}
        if options.get("state") != "absent":
            defaults["source_cidrs"] = [BASTION]
        return run_module(netsec_ssh_access.main, {**defaults, **options}, check_mode=check_mode)

    return run


def lent(aws: World, vpc_id: str, access_id: str, *, age: timedelta = timedelta(0), instances: t.Iterable[str] = ()) -> str:
    """A group that another run lent."""
    tags = {ACCESS_TAG: access_id, EXPIRY_TAG: _times.to_text(NOW + timedelta(hours=2) - age)}
    group_id = aws.group(vpc_id, f"nsva-ssh-{access_id}", tags=tags)
    for instance_id in instances:
        groups = [*aws.groups_of(instance_id), group_id]
        aws.ec2.modify_network_interface_attribute(NetworkInterfaceId=aws.interface_id(instance_id), Groups=groups)
    return group_id


class TestOpening:
    def test_lends_one_group_for_each_vpc(self, aws: World, run: Run, record_calls: Record) -> None:
        vpc_id, other_vpc_id = aws.vpc(), aws.vpc()
        first, second, third = aws.appliance(vpc_id), aws.appliance(vpc_id), aws.appliance(other_vpc_id)
        own = {one: aws.groups_of(one) for one in (first, second, third)}
        calls = record_calls()
        result = run(first, second, third)
        assert not result["failed"] and result["changed"]
        made, operations = list(calls.made), calls.operations

        groups = {one: [group for group in aws.groups_of(one) if group not in own[one]] for one in own}
        assert [len(group_ids) for group_ids in groups.values()] == [1, 1, 1]
        assert groups[first] == groups[second] != groups[third]
        assert all(set(own[one]) < set(aws.groups_of(one)) for one in own)
        assert aws.groups_of(first, 1) == own[first]

        (group,) = aws.ec2.describe_security_groups(GroupIds=groups[first])["SecurityGroups"]
        assert (group["GroupName"], group["VpcId"], group["IpPermissionsEgress"]) == ("nsva-ssh-run-1", vpc_id, [])
        assert [(rule["FromPort"], rule["ToPort"], rule["IpRanges"]) for rule in group["IpPermissions"]] == [(22, 22, [{"CidrIp": BASTION}])]
        assert aws.tags(group["GroupId"]) == {"Name": "nsva-ssh-run-1", ACCESS_TAG: "run-1", EXPIRY_TAG: "2026-03-01T14:00:00Z"}

        assert [entry["instance_id"] for entry in result["appliances"]] == [first, second, third]
        assert result["appliances"][0] == {
            "instance_id": first,
            "changed": True,
            "failed": False,
            "interface_id": aws.interface_id(first),
            "private_ip": aws.interface(first)["PrivateIpAddress"],
            "group_id": groups[first][0],
        }

        creating = ["CreateSecurityGroup", "DescribeSecurityGroups", "DeleteSecurityGroup (dry run)"]
        creating += ["RevokeSecurityGroupEgress", "AuthorizeSecurityGroupIngress"]
        assert operations == [
            "DescribeInstances",
            "DescribeSecurityGroups",  # GENEVE?
            "DescribeSecurityGroups",  # lent?
            *creating * 2,
            "DescribeNetworkInterfaces",
            *["ModifyNetworkInterfaceAttribute"] * 3,
            "DescribeNetworkInterfaces",
        ]
        parameters = {call.operation: call.parameters for call in made if call.parameters.get("GroupId", groups[third][0]) == groups[third][0]}
        assert parameters["DeleteSecurityGroup"] == {"GroupId": groups[third][0], "DryRun": True}
        assert parameters["RevokeSecurityGroupEgress"] == {"GroupId": groups[third][0], "IpPermissions": [EVERYTHING_OUT]}
        assert parameters["AuthorizeSecurityGroupIngress"] == {"GroupId": groups[third][0], "IpPermissions": [RULE]}
        assert sorted(parameters["ModifyNetworkInterfaceAttribute"]["Groups"]) == sorted([*own[third], *groups[third]])

    def test_again_changes_nothing(self, aws: World, run: Run, record_calls: Record) -> None:
        instance_id = aws.appliance(aws.vpc())
        first = run(instance_id)
        calls = record_calls()
        again = run(instance_id)
        assert not again["changed"]
        assert again["appliances"] == [{**first["appliances"][0], "changed": False}]
        assert calls.operations == ["DescribeInstances", "DescribeSecurityGroups", "DescribeSecurityGroups", "DescribeNetworkInterfaces"]

    def test_a_later_batch_of_the_same_run_shares_the_group_and_prolongs_it(
        self, aws: World, run: Run, record_calls: Record, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        vpc_id = aws.vpc()
        first, second = aws.appliance(vpc_id), aws.appliance(vpc_id)
        group_id = run(first)["appliances"][0]["group_id"]
        monkeypatch.setattr(netsec_ssh_access, "utc_now", lambda: NOW + timedelta(minutes=90))
        calls = record_calls()
        result = run(second)
        assert result["appliances"][0]["group_id"] == group_id
        assert calls.of("CreateTags") == [{"Resources": [group_id], "Tags": [{"Key": EXPIRY_TAG, "Value": "2026-03-01T15:30:00Z"}]}]
        assert "CreateSecurityGroup" not in calls.operations
        assert group_id in aws.groups_of(first)

    def test_other_sources_replace_the_former(self, aws: World, run: Run, record_calls: Record) -> None:
        instance_id = aws.appliance(aws.vpc())
        group_id = run(instance_id)["appliances"][0]["group_id"]
        calls = record_calls()
        run(instance_id, source_cidrs=["198.51.100.0/24", "2001:db8::1"])
        assert calls.of("RevokeSecurityGroupIngress") == [{"GroupId": group_id, "IpPermissions": [RULE]}]
        (group,) = aws.ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
        sources = [source for rule in group["IpPermissions"] for kind in ("IpRanges", "Ipv6Ranges") for one in rule[kind] for source in one.values()]
        assert sorted(sources) == ["198.51.100.0/24", "2001:db8::1/128"]

    def test_opens_at_device_index_1_behind_a_load_balancer(self, aws: World, run: Run) -> None:
        instance_id = aws.appliance(aws.vpc(), interfaces=["Network Security Data Port", "Network Security Mgmt Port"])
        entry = run(instance_id)["appliances"][0]
        assert entry["interface_id"] == aws.interface_id(instance_id, 1)
        assert entry["group_id"] in aws.groups_of(instance_id, 1)
        assert entry["group_id"] not in aws.groups_of(instance_id, 0)

    def test_an_interface_that_the_user_names(self, aws: World, run: Run) -> None:
        instance_id = aws.appliance(aws.vpc(), interfaces=["", "", ""])
        named = aws.interface_id(instance_id, 2)
        assert run({"instance_id": instance_id, "management_interface": named})["appliances"][0]["interface_id"] == named

    def test_appliances_in_several_regions(self, aws: World, run: Run, record_calls: Record) -> None:
        there = World("us-west-2")
        first, second = aws.appliance(aws.vpc()), there.appliance(there.vpc())
        assert not run({"instance_id": first, "region": REGION}, second, regions=["us-west-2", REGION])["failed"]
        assert len(aws.groups_of(first)) == 2 and len(there.groups_of(second)) == 2


class TestOpeningFails:
    def test_for_one_appliance_and_not_for_another(self, aws: World, run: Run) -> None:
        vpc_id = aws.vpc()
        good, undecided = aws.appliance(vpc_id), aws.appliance(vpc_id, interfaces=["", ""])
        result = run(good, undecided, "i-00000000000000000")
        assert result["failed"] and result["changed"]
        assert [entry["failed"] for entry in result["appliances"]] == [False, True, True]
        assert "Set management_interface" in result["appliances"][1]["msg"]
        assert "There is no EC2 instance i-00000000000000000" in result["appliances"][2]["msg"]
        assert len(aws.groups_of(good)) == 2

    def test_interface_at_its_limit_is_found_before_anything_is_made(self, aws: World, run: Run, record_calls: Record) -> None:
        vpc_id = aws.vpc()
        five = [aws.group(vpc_id, f"own-{number}") for number in range(5)]
        instance_id = aws.appliance(vpc_id, interfaces=["mgmt", "data"], groups=[five, five[:1]])
        calls = record_calls()
        result = run(instance_id)
        assert "has 5 security groups, and the account's quota allows no more" in result["appliances"][0]["msg"]
        assert calls.operations == ["DescribeInstances", "DescribeSecurityGroups", "DescribeSecurityGroups", "DescribeAccountAttributes"]
        assert calls.of("DescribeAccountAttributes") == [{"AttributeNames": ["vpc-max-security-groups-per-interface"]}]

    def test_interface_at_its_limit_where_the_limit_may_not_be_asked(self, aws: World, run: Run, record_calls: Record) -> None:
        vpc_id = aws.vpc()
        five = [aws.group(vpc_id, f"own-{number}") for number in range(5)]
        instance_id = aws.appliance(vpc_id, interfaces=["mgmt", "data"], groups=[five, five[:1]])
        calls = record_calls()
        calls.fail("DescribeAccountAttributes", "UnauthorizedOperation")
        calls.fail("ModifyNetworkInterfaceAttribute", "SecurityGroupsPerInterfaceLimitExceeded")
        assert "has 5 security groups" in run(instance_id)["appliances"][0]["msg"]
        assert aws.groups_of(instance_id) == sorted(five)

    @pytest.mark.parametrize(
        "operation", ["CreateSecurityGroup", "RevokeSecurityGroupEgress", "AuthorizeSecurityGroupIngress", "ModifyNetworkInterfaceAttribute"]
    )
    def test_a_missing_permission_is_named(self, aws: World, run: Run, record_calls: Record, operation: str) -> None:
        instance_id = aws.appliance(aws.vpc())
        own = aws.groups_of(instance_id)
        calls = record_calls()
        calls.fail(operation, "UnauthorizedOperation", "You are not authorized.")
        result = run(instance_id)
        assert f"Allow the IAM action ec2:{operation}" in result["appliances"][0]["msg"]
        assert len(calls.of(operation)) == 1
        assert aws.groups_of(instance_id) == own

    def test_without_the_right_to_close_nothing_is_opened(self, aws: World, run: Run, record_calls: Record) -> None:
        vpc_id, other_vpc_id = aws.vpc(), aws.vpc()
        first, second, elsewhere = aws.appliance(vpc_id), aws.appliance(vpc_id), aws.appliance(other_vpc_id)
        own = {one: aws.groups_of(one) for one in (first, second)}
        calls = record_calls()
        calls.fail("DeleteSecurityGroup", "UnauthorizedOperation", "You are not authorized.")
        result = run(first, second, elsewhere)
        assert [entry["failed"] for entry in result["appliances"]] == [True, True, False]
        attachings = calls.of("ModifyNetworkInterfaceAttribute")
        assert {one: aws.groups_of(one) for one in (first, second)} == own
        filters = [{"Name": "vpc-id", "Values": [vpc_id]}, {"Name": "tag-key", "Values": [ACCESS_TAG]}]
        (group,) = aws.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        assert group["IpPermissions"] == []
        assert [call["NetworkInterfaceId"] for call in attachings] == [aws.interface_id(elsewhere)]
        for entry in result["appliances"][:2]:
            assert "AWS refused ec2:DeleteSecurityGroup" in entry["msg"] and "Allow the IAM action ec2:DeleteSecurityGroup" in entry["msg"]
            assert f"Left over is the security group {group['GroupId']}, which lets nothing in: delete it." in entry["msg"]

    def test_a_group_that_was_left_over_so_is_not_lent_by_the_next_call(self, aws: World, run: Run, record_calls: Record) -> None:
        """The next batch of the same run finds the group there."""
        instance_id = aws.appliance(aws.vpc())
        own = aws.groups_of(instance_id)
        calls = record_calls()
        calls.fail("DeleteSecurityGroup", "UnauthorizedOperation", times=2)
        assert run(instance_id)["failed"]
        calls.made.clear()
        assert run(instance_id)["failed"]
        assert calls.operations == ["DescribeInstances", "DescribeSecurityGroups", "DescribeSecurityGroups", "DeleteSecurityGroup (dry run)"]
        assert aws.groups_of(instance_id) == own
        assert not run(instance_id)["failed"]
        assert len(aws.groups_of(instance_id)) == 2

    def test_a_region_that_cannot_be_asked_for_groups(self, aws: World, run: Run, record_calls: Record) -> None:
        there = World("us-west-2")
        first, second = aws.appliance(aws.vpc()), there.appliance(there.vpc())
        calls = record_calls()
        # The first question is for GENEVE rules, the second for groups that are lent.
        calls.react("DescribeSecurityGroups", lambda call: None, times=2)
        calls.fail("DescribeSecurityGroups", "UnauthorizedOperation", region="us-west-2", times=99)
        named = {"instance_id": second, "region": "us-west-2", "management_interface": there.interface_id(second)}
        result = run({"instance_id": first, "region": REGION}, named)
        assert [entry["failed"] for entry in result["appliances"]] == [False, True]
        assert "Allow the IAM action ec2:DescribeSecurityGroups" in result["appliances"][1]["msg"]

    def test_a_foreign_group_of_the_same_name(self, aws: World, run: Run) -> None:
        vpc_id = aws.vpc()
        instance_id = aws.appliance(vpc_id)
        foreign = aws.group(vpc_id, "nsva-ssh-run-1")
        result = run(instance_id)
        assert "choose another access_id" in result["appliances"][0]["msg"]
        assert foreign not in aws.groups_of(instance_id)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"source_cidrs": ["0.0.0.0/0"]}, "every address"),
            ({"source_cidrs": []}, "source_cidrs is empty"),
            ({"access_id": "a b"}, "access_id must be"),
            ({"concurrency": 0}, "concurrency"),
            ({"access_key": "AKIDEXAMPLE"}, "belong together"),
        ],
    )
    def test_bad_options_ask_nothing(self, aws: World, run: Run, record_calls: Record, options: Result, message: str) -> None:
        calls = record_calls()
        result = run("i-1", **options)
        assert result["failed"] and "appliances" not in result
        assert message in result["msg"]
        assert calls.made == []

    def test_an_appliance_twice(self, aws: World, run: Run, record_calls: Record) -> None:
        calls = record_calls()
        assert "i-1" in run("i-1", "i-1")["msg"]
        assert calls.made == []

    def test_appliances_are_required(self, aws: World, run: Run) -> None:
        assert "appliances" in run()["msg"]

    def test_bad_credentials_concern_everything(self, aws: World, run: Run, record_calls: Record) -> None:
        calls = record_calls()
        calls.fail("DescribeInstances", "AuthFailure")
        result = run("i-1", secret_key="s3cr3t-value", access_key="AKIDEXAMPLE")
        assert "Check the AWS credentials" in result["msg"]
        assert "appliances" not in result
        assert "s3cr3t-value" not in json.dumps(result)


class TestOpeningAmongOthers:
    def test_ec2_needs_a_moment_to_know_a_new_group(self, aws: World, run: Run, record_calls: Record, pauses: list[float]) -> None:
        instance_id = aws.appliance(aws.vpc())
        calls = record_calls()
        # The third reading of groups is that of the new one.
        calls.react("DescribeSecurityGroups", lambda call: None, times=2)
        calls.fail("DeleteSecurityGroup", "InvalidGroup.NotFound")
        calls.fail("AuthorizeSecurityGroupIngress", "InvalidGroup.NotFound", times=2)
        calls.fail("ModifyNetworkInterfaceAttribute", "InvalidGroup.NotFound")
        result = run(instance_id)
        assert not result["failed"]
        assert result["appliances"][0]["group_id"] in aws.groups_of(instance_id)
        assert sum(pauses) == pytest.approx(0.5 + (0.5 + 1.0) + 0.5)

    def test_another_run_overwrites_the_groups_of_an_interface(self, aws: World, run: Run, record_calls: Record) -> None:
        """The other run read the groups before this one wrote them, and writes them after."""
        vpc_id = aws.vpc()
        instance_id = aws.appliance(vpc_id)
        others = lent(aws, vpc_id, "other")
        before = aws.groups_of(instance_id)
        interface_id = aws.interface_id(instance_id)
        calls = record_calls()

        def overwrite(call: Call) -> None:
            if len(calls.of("ModifyNetworkInterfaceAttribute")) == 1:
                boto3.client("ec2", region_name=REGION).modify_network_interface_attribute(NetworkInterfaceId=interface_id, Groups=[*before, others])

        calls.react("DescribeNetworkInterfaces", overwrite, times=99)
        result = run(instance_id)
        assert aws.groups_of(instance_id) == sorted([*before, others, result["appliances"][0]["group_id"]])

    def test_something_that_never_rests_is_an_error(self, aws: World, run: Run, record_calls: Record, pauses: list[float]) -> None:
        vpc_id = aws.vpc()
        instance_id = aws.appliance(vpc_id)
        before = aws.groups_of(instance_id)
        interface_id = aws.interface_id(instance_id)
        calls = record_calls()

        def overwrite(call: Call) -> None:
            boto3.client("ec2", region_name=REGION).modify_network_interface_attribute(NetworkInterfaceId=interface_id, Groups=before)

        calls.react("DescribeNetworkInterfaces", overwrite, times=99)
        assert "something else keeps changing them" in run(instance_id)["appliances"][0]["msg"]
        assert 30 < sum(pauses) < 120

    def test_an_interface_that_disappears(self, aws: World, run: Run, record_calls: Record) -> None:
        vpc_id = aws.vpc()
        stays, goes = aws.appliance(vpc_id), aws.appliance(vpc_id)
        interface_id = aws.interface_id(goes)
        calls = record_calls()

        def delete(call: Call) -> None:
            client = boto3.client("ec2", region_name=REGION)
            client.detach_network_interface(AttachmentId=aws.interface(goes)["Attachment"]["AttachmentId"])
            client.delete_network_interface(NetworkInterfaceId=interface_id)

        calls.react("DescribeNetworkInterfaces", delete, times=1)
        result = run(stays, goes)
        assert [entry["failed"] for entry in result["appliances"]] == [False, True]
        assert result["appliances"][1]["msg"] == f"{interface_id}, the management interface of {goes}, is gone."

    def test_the_same_run_made_the_group_a_moment_ago(self, aws: World, run: Run, record_calls: Record) -> None:
        """Two calls of one run: the search by tag did not show the group yet."""
        vpc_id = aws.vpc()
        instance_id = aws.appliance(vpc_id)
        made: list[str] = []
        calls = record_calls()
        calls.react("CreateSecurityGroup", lambda call: made.append("") if made else made.append(lent(aws, vpc_id, "run-1")))
        result = run(instance_id)
        assert result["appliances"][0]["group_id"] == made[0]
        (group,) = aws.ec2.describe_security_groups(GroupIds=[made[0]])["SecurityGroups"]
        assert [rule["IpRanges"] for rule in group["IpPermissions"]] == [[{"CidrIp": BASTION}]]

    def test_a_rule_that_somebody_else_has_just_added(self, aws: World, run: Run, record_calls: Record) -> None:
        instance_id = aws.appliance(aws.vpc())
        calls = record_calls()
        calls.fail("AuthorizeSecurityGroupIngress", "InvalidPermission.Duplicate")
        assert not run(instance_id)["failed"]

    def test_takes_back_what_has_expired(self, aws: World, run: Run) -> None:
        vpc_id = aws.vpc()
        instance_id, other_id = aws.appliance(vpc_id), aws.appliance(vpc_id)
        own = aws.groups_of(other_id)
        lent(aws, vpc_id, "killed", age=timedelta(hours=3), instances=[other_id])
        alive = lent(aws, vpc_id, "alive", age=timedelta(hours=1), instances=[other_id])
        assert not run(instance_id)["failed"]
        assert aws.groups_of(other_id) == sorted([*own, alive])
        assert "nsva-ssh-killed" not in aws.group_names(vpc_id)

    def test_unless_told_not_to(self, aws: World, run: Run) -> None:
        vpc_id = aws.vpc()
        instance_id = aws.appliance(vpc_id)
        lent(aws, vpc_id, "killed", age=timedelta(hours=3))
        run(instance_id, close_expired=False)
        assert "nsva-ssh-killed" in aws.group_names(vpc_id)

    def test_what_has_expired_and_cannot_be_taken_back_is_a_warning(self, aws: World, run: Run, record_calls: Record) -> None:
        vpc_id = aws.vpc()
        instance_id = aws.appliance(vpc_id)
        lent(aws, vpc_id, "killed", age=timedelta(hours=3))
        calls = record_calls()
        calls.fail("DeleteSecurityGroup", "UnauthorizedOperation")
        result = run(instance_id)
        assert not result["failed"]
        assert "Allow the IAM action ec2:DeleteSecurityGroup" in str(result["warnings"])


class TestCheckModeOfOpening:
    def test_proves_permissions_and_changes_nothing(self, aws: World, run: Run, record_calls: Record) -> None:
        vpc_id = aws.vpc()
        instance_id = aws.appliance(vpc_id)
        before, names = aws.groups_of(instance_id), aws.group_names(vpc_id)
        calls = record_calls()
        result = run(instance_id, check_mode=True)
        assert (result["failed"], result["changed"]) == (False, True)
        assert result["appliances"][0]["group_id"] is None
        assert calls.operations == [
            "DescribeInstances",
            "DescribeSecurityGroups",
            "DescribeSecurityGroups",
            "CreateSecurityGroup (dry run)",
            "AuthorizeSecurityGroupIngress (dry run)",
            "RevokeSecurityGroupEgress (dry run)",
            "DeleteSecurityGroup (dry run)",
            "ModifyNetworkInterfaceAttribute (dry run)",
        ]
        (creation,) = calls.of("CreateSecurityGroup")
        assert creation["TagSpecifications"][0]["Tags"][1] == {"Key": ACCESS_TAG, "Value": "run-1"}
        assert calls.of("ModifyNetworkInterfaceAttribute") == [{"NetworkInterfaceId": aws.interface_id(instance_id), "Groups": before, "DryRun": True}]
        assert (aws.groups_of(instance_id), aws.group_names(vpc_id)) == (before, names)

    def test_finds_what_is_open_already(self, aws: World, run: Run, record_calls: Record) -> None:
        instance_id = aws.appliance(aws.vpc())
        group_id = run(instance_id)["appliances"][0]["group_id"]
        calls = record_calls()
        result = run(instance_id, check_mode=True)
        assert not result["changed"]
        assert result["appliances"][0]["group_id"] == group_id
        assert {call.get("GroupId") for operation in ("AuthorizeSecurityGroupIngress", "DeleteSecurityGroup") for call in calls.of(operation)} == {group_id}

    @pytest.mark.parametrize("operation", ["CreateSecurityGroup", "ModifyNetworkInterfaceAttribute"])
    def test_a_missing_permission_fails(self, aws: World, run: Run, record_calls: Record, operation: str) -> None:
        instance_id = aws.appliance(aws.vpc())
        calls = record_calls()
        calls.fail(operation, "UnauthorizedOperation")
        assert f"Allow the IAM action ec2:{operation}" in run(instance_id, check_mode=True)["appliances"][0]["msg"]

    @pytest.mark.parametrize("operation", ["AuthorizeSecurityGroupIngress", "RevokeSecurityGroupEgress", "DeleteSecurityGroup"])
    def test_a_permission_that_may_depend_on_the_tag_is_a_warning(self, aws: World, run: Run, record_calls: Record, operation: str) -> None:
        instance_id = aws.appliance(aws.vpc())
        calls = record_calls()
        calls.fail(operation, "UnauthorizedOperation")
        result = run(instance_id, check_mode=True)
        assert not result["failed"]
        assert f"ec2:{operation}" in str(result["warnings"]) and ACCESS_TAG in str(result["warnings"])

    def test_once_there_is_a_group_it_fails(self, aws: World, run: Run, record_calls: Record) -> None:
        instance_id = aws.appliance(aws.vpc())
        run(instance_id)
        calls = record_calls()
        calls.fail("DeleteSecurityGroup", "UnauthorizedOperation")
        assert run(instance_id, check_mode=True)["failed"]

    def test_any_other_refusal_fails(self, aws: World, run: Run, record_calls: Record) -> None:
        instance_id = aws.appliance(aws.vpc())
        calls = record_calls()
        calls.fail("AuthorizeSecurityGroupIngress", "InternalError")
        assert run(instance_id, check_mode=True)["failed"]


class TestClosing:
    def test_takes_back_what_the_run_lent_without_knowing_appliances(self, aws: World, run: Run, record_calls: Record) -> None:
        vpc_id = aws.vpc()
        first, second = aws.appliance(vpc_id), aws.appliance(vpc_id)
        own = [aws.groups_of(first), aws.groups_of(second)]
        names = aws.group_names(vpc_id)
        group_id = run(first, second)["appliances"][0]["group_id"]
        calls = record_calls()
        result = run(state="absent")
        assert (result["failed"], result["changed"], result["appliances"]) == (False, True, [])
        assert result["groups"] == [
            {
                "group_id": group_id,
                "access_id": "run-1",
                "region": REGION,
                "vpc_id": vpc_id,
                "interface_ids": sorted([aws.interface_id(first), aws.interface_id(second)]),
                "deleted": True,
                "failed": False,
            }
        ]
        made = calls.made[:5]
        assert [aws.groups_of(first), aws.groups_of(second)] == own
        assert aws.group_names(vpc_id) == names
        assert [call.operation for call in made] == [
            "DescribeSecurityGroups",
            "DescribeNetworkInterfaces",
            "ModifyNetworkInterfaceAttribute",
            "ModifyNetworkInterfaceAttribute",
            "DeleteSecurityGroup",
        ]
        assert made[0].parameters == {"Filters": [{"Name": "tag-key", "Values": [ACCESS_TAG]}]}
        assert made[1].parameters == {"Filters": [{"Name": "group-id", "Values": [group_id]}]}
        assert made[4].parameters == {"GroupId": group_id}

    def test_again_changes_nothing(self, aws: World, run: Run, record_calls: Record) -> None:
        instance_id = aws.appliance(aws.vpc())
        run(instance_id)
        run(instance_id, state="absent")
        calls = record_calls()
        result = run(instance_id, state="absent")
        assert (result["failed"], result["changed"], result["groups"]) == (False, False, [])
        assert result["appliances"] == [{"instance_id": instance_id, "changed": False, "failed": False}]
        assert calls.operations == ["DescribeNetworkInterfaces", "DescribeSecurityGroups"]

    def test_leaves_other_runs_and_other_groups_alone(self, aws: World, run: Run) -> None:
        vpc_id = aws.vpc()
        first, second = aws.appliance(vpc_id), aws.appliance(vpc_id)
        run(first)
        others = run(second, access_id="run-2")["appliances"][0]["group_id"]
        lookalike = aws.group(vpc_id, "web", tags={ACCESS_TAG: "run-1"})
        run(state="absent")
        assert others in aws.groups_of(second)
        assert {"nsva-ssh-run-2", "web"} <= set(aws.group_names(vpc_id))
        assert lookalike not in aws.groups_of(first)

    def test_takes_back_from_named_appliances_what_a_killed_run_left(self, aws: World, run: Run) -> None:
        vpc_id = aws.vpc()
        first, second = aws.appliance(vpc_id), aws.appliance(vpc_id)
        own = aws.groups_of(first)
        killed = run(first, second, access_id="killed")["appliances"][0]["group_id"]
        result = run(first, state="absent", access_id="next")
        assert result["appliances"] == [{"instance_id": first, "changed": True, "failed": False}]
        assert [(group["group_id"], group["deleted"]) for group in result["groups"]] == [(killed, False)]
        assert aws.groups_of(first) == own
        assert killed in aws.groups_of(second)
        assert run(second, state="absent", access_id="next")["groups"][0]["deleted"]
        assert "nsva-ssh-killed" not in aws.group_names(vpc_id)

    def test_takes_back_what_has_expired(self, aws: World, run: Run) -> None:
        vpc_id = aws.vpc()
        instance_id = aws.appliance(vpc_id)
        lent(aws, vpc_id, "killed", age=timedelta(hours=2), instances=[instance_id])
        run(state="absent", close_expired=False)
        assert "nsva-ssh-killed" in aws.group_names(vpc_id)
        run(state="absent")
        assert "nsva-ssh-killed" not in aws.group_names(vpc_id)

    def test_two_groups_of_one_interface_are_detached_in_one_go(self, aws: World, run: Run, record_calls: Record) -> None:
        vpc_id = aws.vpc()
        instance_id = aws.appliance(vpc_id)
        own = aws.groups_of(instance_id)
        run(instance_id)
        lent(aws, vpc_id, "killed", age=timedelta(hours=2), instances=[instance_id])
        calls = record_calls()
        assert len(run(state="absent")["groups"]) == 2
        assert [call["Groups"] for call in calls.of("ModifyNetworkInterfaceAttribute")] == [own]

    @pytest.mark.parametrize("options", [{"regions": ["us-west-2", REGION]}, {"appliances": "both"}])
    def test_in_all_regions(self, aws: World, run: Run, options: Result) -> None:
        there = World("us-west-2")
        first, second = aws.appliance(aws.vpc()), there.appliance(there.vpc())
        both = [{"instance_id": first, "region": REGION}, {"instance_id": second, "region": "us-west-2"}]
        run(*both)
        run(state="absent", **({"appliances": both} if "appliances" in options else options))
        assert len(aws.groups_of(first)) == 1 and len(there.groups_of(second)) == 1

    def test_check_mode_proves_permissions_and_changes_nothing(self, aws: World, run: Run, record_calls: Record) -> None:
        instance_id = aws.appliance(aws.vpc())
        own = aws.groups_of(instance_id)
        group_id = run(instance_id)["appliances"][0]["group_id"]
        calls = record_calls()
        result = run(instance_id, state="absent", check_mode=True)
        assert (result["failed"], result["changed"]) == (False, True)
        assert calls.operations == [
            "DescribeNetworkInterfaces",
            "DescribeSecurityGroups",
            "DescribeNetworkInterfaces",
            "ModifyNetworkInterfaceAttribute (dry run)",
            "DeleteSecurityGroup (dry run)",
        ]
        assert calls.of("ModifyNetworkInterfaceAttribute")[0]["Groups"] == own
        assert group_id in aws.groups_of(instance_id)

    def test_a_group_that_ec2_does_not_find_by_its_tag_yet(self, aws: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        instance_id = aws.appliance(aws.vpc())
        own = aws.groups_of(instance_id)
        group_id = run(instance_id)["appliances"][0]["group_id"]
        ec2 = boto3.client("ec2", region_name=REGION)
        tag = {"Key": ACCESS_TAG, "Value": "run-1"}
        ec2.delete_tags(Resources=[group_id], Tags=[tag])
        pauses: list[float] = []

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            if len(pauses) == 2:
                ec2.create_tags(Resources=[group_id], Tags=[tag])

        monkeypatch.setattr(time, "sleep", sleep)
        assert run(instance_id, state="absent")["groups"][0]["deleted"]
        assert aws.groups_of(instance_id) == own

    def test_a_group_of_the_users_that_is_only_named_alike(self, aws: World, run: Run, pauses: list[float]) -> None:
        vpc_id = aws.vpc()
        instance_id = aws.appliance(vpc_id)
        ec2 = boto3.client("ec2", region_name=REGION)
        group_id = ec2.create_security_group(GroupName="nsva-ssh-mine", Description="mine", VpcId=vpc_id)["GroupId"]
        ec2.modify_network_interface_attribute(NetworkInterfaceId=aws.interface_id(instance_id), Groups=[group_id])
        pauses.clear()
        assert not run(instance_id, state="absent")["changed"]
        assert aws.groups_of(instance_id) == [group_id]
        assert sum(pauses) < 10


class TestClosingAmongOthers:
    def test_waits_until_ec2_no_longer_sees_the_group_in_use(self, aws: World, run: Run, record_calls: Record, pauses: list[float]) -> None:
        instance_id = aws.appliance(aws.vpc())
        run(instance_id)
        pauses.clear()
        calls = record_calls()
        calls.fail("DeleteSecurityGroup", "DependencyViolation", times=3)
        result = run(state="absent")
        assert result["groups"][0]["deleted"]
        assert len(calls.of("DeleteSecurityGroup")) == 4
        assert pauses == [0.5, 1.0, 2.0]

    def test_another_run_writes_the_group_back(self, aws: World, run: Run, record_calls: Record) -> None:
        """The other run read the groups of the interface before they were detached, and writes them after."""
        vpc_id = aws.vpc()
        instance_id = aws.appliance(vpc_id)
        own, interface_id = aws.groups_of(instance_id), aws.interface_id(instance_id)
        group_id = run(instance_id)["appliances"][0]["group_id"]
        others = lent(aws, vpc_id, "other")
        calls = record_calls()

        def write_back(call: Call) -> None:
            boto3.client("ec2", region_name=REGION).modify_network_interface_attribute(NetworkInterfaceId=interface_id, Groups=[*own, group_id, others])

        calls.react("DeleteSecurityGroup", write_back)
        calls.fail("DeleteSecurityGroup", "DependencyViolation")
        assert run(state="absent")["groups"][0]["deleted"]
        assert aws.groups_of(instance_id) == sorted([*own, others])

    def test_another_run_was_quicker(self, aws: World, run: Run, record_calls: Record) -> None:
        instance_id = aws.appliance(aws.vpc())
        run(instance_id)
        calls = record_calls()
        calls.fail("ModifyNetworkInterfaceAttribute", "InvalidNetworkInterfaceID.NotFound")
        calls.fail("DeleteSecurityGroup", "InvalidGroup.NotFound")
        assert not run(state="absent")["failed"]

    def test_gives_up_in_the_end_and_says_what_is_open(self, aws: World, run: Run, record_calls: Record, pauses: list[float]) -> None:
        instance_id = aws.appliance(aws.vpc())
        group_id = run(instance_id)["appliances"][0]["group_id"]
        pauses.clear()
        calls = record_calls()
        calls.fail("DeleteSecurityGroup", "DependencyViolation", times=99)
        result = run(instance_id, state="absent")
        assert result["failed"] and not result["changed"]
        assert result["msg"].startswith(f"SSH could not be closed everywhere.\n{group_id} in {REGION}: AWS refused ec2:DeleteSecurityGroup")
        assert result["appliances"][0]["failed"] and result["groups"][0]["failed"]
        assert 30 < sum(pauses) < 120

    @pytest.mark.parametrize("operation", ["ModifyNetworkInterfaceAttribute", "DeleteSecurityGroup"])
    def test_a_missing_permission_is_named(self, aws: World, run: Run, record_calls: Record, operation: str) -> None:
        instance_id = aws.appliance(aws.vpc())
        run(instance_id)
        calls = record_calls()
        calls.fail(operation, "UnauthorizedOperation")
        assert f"Allow the IAM action ec2:{operation}" in run(state="absent")["msg"]

    def test_one_region_that_fails_does_not_stop_another(self, aws: World, run: Run, record_calls: Record) -> None:
        there = World("us-west-2")
        first, second = aws.appliance(aws.vpc()), there.appliance(there.vpc())
        both = [{"instance_id": first, "region": REGION}, {"instance_id": second, "region": "us-west-2"}]
        run(*both)
        calls = record_calls()
        calls.fail("DescribeSecurityGroups", "UnauthorizedOperation", region="us-west-2", times=2)
        result = run(*both, state="absent")
        assert [(entry["changed"], entry["failed"]) for entry in result["appliances"]] == [(True, False), (False, True)]
        assert "us-west-2: AWS refused ec2:DescribeSecurityGroups" in result["msg"]
        assert len(aws.groups_of(first)) == 1

    def test_interfaces_that_cannot_be_asked_for(self, aws: World, run: Run, record_calls: Record) -> None:
        instance_id = aws.appliance(aws.vpc())
        run(instance_id)
        calls = record_calls()
        calls.fail("DescribeNetworkInterfaces", "UnauthorizedOperation")
        result = run(state="absent")
        assert result["failed"] and result["groups"] == []
        assert "Allow the IAM action ec2:DescribeNetworkInterfaces" in result["msg"]

    def test_bad_credentials_concern_everything(self, aws: World, run: Run, record_calls: Record) -> None:
        calls = record_calls()
        calls.fail("DescribeSecurityGroups", "AuthFailure")
        result = run("i-1", state="absent")
        assert "Check the AWS credentials" in result["msg"]
        assert "appliances" not in result

    def test_an_interface_is_never_left_without_a_group(self, aws: World, run: Run) -> None:
        instance_id = aws.appliance(aws.vpc())
        group_id = run(instance_id)["appliances"][0]["group_id"]
        aws.ec2.modify_network_interface_attribute(NetworkInterfaceId=aws.interface_id(instance_id), Groups=[group_id])
        result = run(instance_id, state="absent")
        assert "has no security group but what was lent to it" in result["appliances"][0]["msg"]
        assert aws.groups_of(instance_id) == [group_id]
