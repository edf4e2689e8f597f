# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS over real HTTP with boto3: the fleet's instances, what the filter adds to moto, and who may reach SSH."""

from __future__ import annotations

import base64
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network

import boto3
import botocore.config
import pytest
from botocore.exceptions import BotoCoreError, ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from lab.aws import ACCOUNT_ID, Aws
from lab.aws_filter import AwsFilter
from lab.call_log import CallLog
from lab.faults import Faults, FaultSpec
from lab.fleet import AwsSpec, parse_fleet
from lab.moto_app import MotoApp
from lab.servers import WsgiServer

ACCESS_KEY = "AKIALAB"
BASTION = "127.20.0.5"
SESSION: t.Any = boto3.session.Session()  # making one is slow
FLEET = {
    "appliances": [
        {"name": "inline", "registered_days_ago": 740, "tags": {"Team": "net"}},
        {"name": "gwlb", "deployment": "gateway_load_balancer", "region": "eu-central-1", "registered_days_ago": 10, "restarted_days_ago": 3},
        {"name": "full", "extra_security_groups": 4, "instance_role": False},
        {"name": "standing", "ssh_standing_rule": True, "deployed_days_ago": 900, "registered_days_ago": 100},
        {"name": "hosted", "deployment": "hosted"},
        {"name": "tagged", "registration_tag": True, "registered_days_ago": 5},
        {"name": "stopped", "instance_state": "stopped"},
        {"name": "terminated", "instance_state": "terminated"},
        {"name": "gone", "instance_state": "gone"},
    ]
}


@dataclass
class Account:
    aws: Aws
    url: str
    faults: Faults
    calls: CallLog
    now: datetime

    def client(self, service: str, region: str = "us-east-1", access_key: str = ACCESS_KEY) -> t.Any:
        return SESSION.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=access_key,
            aws_secret_access_key="secret",
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )

    def id(self, name: str) -> str:
        return next(spec.instance_id for spec in parse_fleet(FLEET).appliances if spec.name == name)

    def instance(self, name: str) -> t.Any:
        placement = self.aws.placements[self.id(name)]
        return self.client("ec2", placement.region).describe_instances(InstanceIds=[self.id(name)])["Reservations"][0]["Instances"][0]


@pytest.fixture
def start() -> Iterator[t.Callable[..., Account]]:
    servers: list[WsgiServer] = []

    def start_account(**settings: t.Any) -> Account:
        fleet, now = parse_fleet(FLEET), datetime.now(UTC)
        aws, faults, calls = Aws(fleet, bastion_cidr=f"{BASTION}/32", now=now), Faults(), CallLog()
        moto = MotoApp()
        server = WsgiServer(AwsFilter(moto, aws, spec=AwsSpec(**settings), access_key=ACCESS_KEY, faults=faults, calls=calls))
        server.start()
        servers.append(server)
        return Account(aws, server.url, faults, calls, now)

    yield start_account
    for server in servers:
        server.stop()


@pytest.fixture
def account(start: t.Callable[..., Account]) -> Account:
    return start()


def refused(code: str) -> t.Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def test_an_inline_appliance_has_its_management_port_first(account: Account) -> None:
    instance = account.instance("inline")
    ports = {port["Attachment"]["DeviceIndex"]: port for port in instance["NetworkInterfaces"]}
    assert [ports[index]["Description"] for index in sorted(ports)] == ["Network Security Mgmt Port"] + ["Network Security Data Port"] * 2
    placement = account.aws.placements[account.id("inline")]
    assert (ports[0]["NetworkInterfaceId"], ports[0]["PrivateIpAddress"]) == (placement.interface_id, placement.address)
    assert ip_address(placement.address) in ip_network("127.10.0.0/16")
    assert {"Key": "Team", "Value": "net"} in instance["Tags"]
    assert "IamInstanceProfile" in instance and "IamInstanceProfile" not in account.instance("full")


def test_a_gateway_load_balancer_appliance_has_it_second_and_says_so(account: Account) -> None:
    instance, ec2 = account.instance("gwlb"), account.client("ec2", "eu-central-1")
    ports = {port["Attachment"]["DeviceIndex"]: port for port in instance["NetworkInterfaces"]}
    assert [ports[index]["Description"] for index in sorted(ports)] == ["Network Security Data Port", "Network Security Mgmt Port"]
    assert ip_address(ports[1]["PrivateIpAddress"]) in ip_network("127.11.0.0/16")
    user_data = ec2.describe_instance_attribute(InstanceId=account.id("gwlb"), Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(user_data).decode().splitlines() == ["# -- VTPS capability GWLB-mode=1", "# -- VTPS ManagementPort=2"]

    def ingress(port: t.Any) -> list[tuple[str, int]]:
        groups = ec2.describe_security_groups(GroupIds=[group["GroupId"] for group in port["Groups"]])["SecurityGroups"]
        return [(rule["IpProtocol"], rule["FromPort"]) for group in groups for rule in group["IpPermissions"]]

    assert sorted(ingress(ports[0])) == [("tcp", 1450), ("udp", 6081)]
    assert ingress(ports[1]) == []


def test_the_root_volume_tells_when_an_appliance_was_deployed(account: Account) -> None:
    def ages(name: str) -> tuple[int, int]:
        instance = account.instance(name)
        attached = instance["BlockDeviceMappings"][0]["Ebs"]["AttachTime"]
        return (account.now - attached).days, (account.now - instance["LaunchTime"]).days

    assert ages("inline") == (740, 740)
    assert ages("gwlb") == (10, 3)
    assert ages("standing")[0] == 900
    volume = account.client("ec2").describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [account.id("inline")]}])["Volumes"][0]
    assert abs(volume["Attachments"][0]["AttachTime"] - (account.now - timedelta(days=740))) < timedelta(seconds=2)


def test_a_hosted_appliance_is_in_another_account(account: Account) -> None:
    assert account.aws.placements[account.id("hosted")].account_id != ACCOUNT_ID
    found = account.client("ec2").describe_instances(Filters=[{"Name": "instance-id", "Values": [account.id("hosted")]}])
    assert found["Reservations"] == []
    assert account.client("sts").get_caller_identity()["Account"] == ACCOUNT_ID


def test_instances_can_be_stopped_terminated_or_forgotten(account: Account) -> None:
    assert [account.instance(name)["State"]["Name"] for name in ("inline", "stopped", "terminated")] == ["running", "stopped", "terminated"]
    assert account.instance("stopped")["BlockDeviceMappings"] and not account.instance("terminated")["BlockDeviceMappings"]
    with refused("InvalidInstanceID.NotFound"):
        account.instance("gone")
    placement = account.aws.placements[account.id("gone")]
    assert (placement.account_id, placement.address) == (ACCOUNT_ID, "")
    assert not any(admitted(account, name) for name in ("stopped", "terminated", "gone"))


def test_a_registration_tag_tells_when_an_appliance_registered(account: Account) -> None:
    tags = {tag["Key"]: tag["Value"] for tag in account.instance("tagged")["Tags"]}
    registered_at = datetime.fromisoformat(tags["trendmicro.cloudone:registered-at"])
    assert abs(registered_at - (account.now - timedelta(days=5))) <= timedelta(seconds=1)


def lend_group(account: Account, name: str, **rule: t.Any) -> tuple[str, list[str]]:
    """Put a new group with one rule on the management interface; return its id and the groups before."""
    ec2, placement = account.client("ec2"), account.aws.placements[account.id(name)]
    group_id = ec2.create_security_group(GroupName="lent", Description="Lent", VpcId=placement.vpc_id)["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": f"{BASTION}/32"}], **rule}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[permission])
    before = account.aws.interface_groups(account.id(name))
    ec2.modify_network_interface_attribute(NetworkInterfaceId=placement.interface_id, Groups=[*before, group_id])
    return group_id, before


def admitted(account: Account, name: str, source: str = BASTION) -> bool:
    return account.aws.admits(account.id(name), source, 22)


def test_security_groups_decide_who_reaches_ssh(account: Account) -> None:
    assert not admitted(account, "inline")
    assert admitted(account, "standing") and not admitted(account, "standing", "127.0.0.1")
    group_id, before = lend_group(account, "inline")
    assert admitted(account, "inline") and not admitted(account, "inline", "127.20.0.6")
    [left] = account.aws.groups_created_since_start()
    assert (left["group_id"], left["interfaces"]) == (group_id, [account.aws.placements[account.id("inline")].interface_id])

    ec2 = account.client("ec2")
    with refused("DependencyViolation"):
        ec2.delete_security_group(GroupId=group_id)
    ec2.modify_network_interface_attribute(NetworkInterfaceId=account.aws.placements[account.id("inline")].interface_id, Groups=before)
    assert not admitted(account, "inline")
    ec2.delete_security_group(GroupId=group_id)
    assert account.aws.groups_created_since_start() == []


@pytest.mark.parametrize(
    ("rule", "open_to_bastion"),
    [
        ({"FromPort": 20, "ToPort": 30}, True),
        ({"FromPort": 23, "ToPort": 30}, False),
        ({"IpProtocol": "udp"}, False),
        ({"IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "127.20.0.0/16"}]}, True),
        ({"IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "127.20.0.4/30"}]}, True),
        ({"IpRanges": [], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}, False),
    ],
)
def test_rules_are_evaluated_by_protocol_port_and_network(account: Account, rule: dict[str, t.Any], open_to_bastion: bool) -> None:
    lend_group(account, "inline", **rule)
    assert admitted(account, "inline") == open_to_bastion


def test_a_stopped_instance_answers_nobody(account: Account) -> None:
    account.client("ec2").stop_instances(InstanceIds=[account.id("standing")])
    assert not admitted(account, "standing")


def test_an_interface_takes_five_groups_of_its_own_vpc(account: Account) -> None:
    with refused("SecurityGroupsPerInterfaceLimitExceeded"):
        lend_group(account, "full")
    ec2, placement = account.client("ec2"), account.aws.placements[account.id("inline")]
    with refused("InvalidGroup.NotFound"):
        ec2.modify_network_interface_attribute(NetworkInterfaceId=placement.interface_id, Groups=["sg-0123456789abcdef0"])
    other_vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    stranger = ec2.create_security_group(GroupName="stranger", Description="Elsewhere", VpcId=other_vpc)["GroupId"]
    with refused("InvalidParameter"):
        ec2.modify_network_interface_attribute(NetworkInterfaceId=placement.interface_id, Groups=[stranger])


def test_texts_have_the_limits_of_aws(account: Account) -> None:
    ec2, placement = account.client("ec2"), account.aws.placements[account.id("inline")]
    for name, description in (("sg-mine", "d"), ("", "d"), ("fine", "with umlaut ü"), ("n" * 256, "d")):
        with refused("InvalidParameterValue"):
            ec2.create_security_group(GroupName=name, Description=description, VpcId=placement.vpc_id)
    for key, value in (("aws:mine", "v"), ("k" * 129, "v"), ("k", "v" * 257)):
        with refused("InvalidParameterValue"):
            ec2.create_tags(Resources=[account.id("inline")], Tags=[{"Key": key, "Value": value}])
    ec2.create_tags(Resources=[account.id("inline")], Tags=[{"Key": "k" * 128, "Value": "v" * 256}])
    assert account.aws.instance_tags(account.id("inline"))["k" * 128] == "v" * 256


def dry_runs(account: Account) -> dict[str, t.Callable[[], t.Any]]:
    """Return the calls whose permission a dry run proves."""
    ec2, placement = account.client("ec2"), account.aws.placements[account.id("inline")]
    [group_id] = account.aws.interface_groups(account.id("inline"))
    permissions = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": f"{BASTION}/32"}]}]
    tags = {"Resources": [account.id("inline")], "Tags": [{"Key": "k", "Value": "v"}], "DryRun": True}
    tag_group = [{"ResourceType": "security-group", "Tags": [{"Key": "k", "Value": "v"}]}]
    return {
        "ec2:CreateSecurityGroup": lambda: ec2.create_security_group(
            GroupName="n", Description="d", VpcId=placement.vpc_id, TagSpecifications=tag_group, DryRun=True
        ),
        "ec2:AuthorizeSecurityGroupIngress": lambda: ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=permissions, DryRun=True),
        "ec2:ModifyNetworkInterfaceAttribute": lambda: ec2.modify_network_interface_attribute(
            NetworkInterfaceId=placement.interface_id, Groups=[group_id], DryRun=True
        ),
        "ec2:DeleteSecurityGroup": lambda: ec2.delete_security_group(GroupId=group_id, DryRun=True),
        "ec2:CreateTags": lambda: ec2.create_tags(**tags),
        "ec2:DeleteTags": lambda: ec2.delete_tags(**tags),
    }


def test_a_dry_run_succeeds_with_an_error_and_changes_nothing(account: Account) -> None:
    before = account.aws.interface_groups(account.id("inline")), account.aws.instance_tags(account.id("inline"))
    for operation, call in dry_runs(account).items():
        with refused("DryRunOperation") as caught:
            call()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412, operation
    assert before == (account.aws.interface_groups(account.id("inline")), account.aws.instance_tags(account.id("inline")))
    assert account.aws.groups_created_since_start() == []
    assert all(call["dry_run"] for call in account.calls.list("aws"))


def test_a_denied_action_is_refused_dry_or_not(start: t.Callable[..., Account]) -> None:
    account = start(denied_actions=["ec2:Create*", "ec2:Authorize*", "EC2:ModifyNetworkInterfaceAttribute", "ec2:Delete*", "iam:*"])
    for operation, call in dry_runs(account).items():
        with refused("UnauthorizedOperation") as caught:
            call()
        assert operation in str(caught.value)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    with refused("UnauthorizedOperation"):
        account.client("ec2").delete_tags(Resources=[account.id("inline")], Tags=[{"Key": "Team"}])
    with refused("AccessDenied"):
        account.client("iam").list_roles()
    account.instance("inline")


def test_creating_with_tags_needs_the_right_to_tag(start: t.Callable[..., Account]) -> None:
    account = start(denied_actions=["ec2:CreateTags"])
    with refused("UnauthorizedOperation") as caught:
        dry_runs(account)["ec2:CreateSecurityGroup"]()
    assert "ec2:CreateTags" in str(caught.value)


def test_faults_hit_one_operation_one_resource_or_one_region(account: Account) -> None:
    ec2 = account.client("ec2")
    account.faults.add(FaultSpec(target="aws", match={"operation": "ec2:DescribeVpcs"}, effect={"code": "RequestLimitExceeded"}))
    with refused("RequestLimitExceeded") as caught:
        ec2.describe_vpcs()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    ec2.describe_vpcs()

    placement = account.aws.placements[account.id("inline")]
    match = {"operation": "ec2:ModifyNetworkInterfaceAttribute", "NetworkInterfaceId": placement.interface_id}
    account.faults.add(FaultSpec(target="aws", match=match, effect={"code": "InternalError", "status": 500, "message": "odd <thing>"}))
    with pytest.raises(ClientError, match="odd <thing>"):
        lend_group(account, "inline")
    account.faults.add(FaultSpec(target="aws", match={"region": "eu-central-1"}, effect={"drop": True}))
    with pytest.raises(ConnectionClosedError):
        account.client("ec2", "eu-central-1").describe_vpcs()
    account.faults.add(FaultSpec(target="aws", match={"service": "logs"}, effect={"code": "ThrottlingException"}))
    with refused("ThrottlingException"):
        account.client("logs").describe_log_groups()
    account.faults.add(FaultSpec(target="aws", effect={"delay": 0.2}))
    start = time.monotonic()
    ec2.describe_vpcs()
    assert time.monotonic() - start >= 0.2


def test_answers_that_get_lost_or_are_not_up_to_date(start: t.Callable[..., Account]) -> None:
    account = start()
    ec2 = account.client("ec2")
    for number, effect in enumerate(({"lose": "answer"}, {"lose": "half"}, {"truncate": True}, {"body": "not XML"})):
        account.faults.add(FaultSpec(target="aws", match={"operation": "ec2:CreateVpc"}, effect=effect))
        with pytest.raises((BotoCoreError, ResponseParserError)):
            ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
    blocks = {vpc["CidrBlock"] for vpc in ec2.describe_vpcs()["Vpcs"]}
    assert blocks >= {f"10.{number}.0.0/16" for number in range(4)}, "it was carried out each time"
    account.faults.add(FaultSpec(target="aws", match={"operation": "ec2:DescribeVpcs"}, effect={"hide": "10.?.0.0/16"}))
    assert {vpc["CidrBlock"] for vpc in ec2.describe_vpcs()["Vpcs"]} == {block for block in blocks if not block.startswith("10.")}
    assert {vpc["CidrBlock"] for vpc in ec2.describe_vpcs()["Vpcs"]} == blocks


def test_unknown_credentials_and_regions_that_are_off(start: t.Callable[..., Account]) -> None:
    account = start(regions_off=["af-south-1"])
    for arguments in ({"access_key": "AKIAOTHER"}, {"region": "af-south-1"}):
        with refused("AuthFailure"):
            account.client("ec2", **arguments).describe_vpcs()
        with refused("InvalidClientTokenId"):
            account.client("sts", **arguments).get_caller_identity()
        with refused("UnrecognizedClientException"):
            account.client("logs", **arguments).describe_log_groups()
    role = account.client("sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/network-security-appliance", RoleSessionName="someone")["Credentials"]
    account.client("ec2", access_key=role["AccessKeyId"]).describe_vpcs()


def test_every_call_is_recorded(account: Account) -> None:
    account.client("ec2", "eu-central-1").describe_vpcs()
    with refused("InvalidGroup.NotFound"):
        account.client("ec2").delete_security_group(GroupId="sg-0123456789abcdef0")
    calls = account.calls.list("aws")
    assert [(call["operation"], call["region"], call["status"]) for call in calls] == [
        ("ec2:DescribeVpcs", "eu-central-1", 200),
        ("ec2:DeleteSecurityGroup", "us-east-1", 400),
    ]
    assert calls[1]["parameters"]["GroupId"] == "sg-0123456789abcdef0"


def test_what_was_asked_before_is_answered_anew_after_a_write(account: Account) -> None:
    def team() -> str:
        return next(tag["Value"] for tag in account.instance("inline")["Tags"] if tag["Key"] == "Team")

    assert (team(), team()) == ("net", "net")
    account.client("ec2").create_tags(Resources=[account.id("inline")], Tags=[{"Key": "Team", "Value": "ops"}])
    assert team() == "ops"
    account.client("ec2").stop_instances(InstanceIds=[account.id("inline")])
    assert account.instance("inline")["State"]["Name"] == "stopped"
    assert account.client("ec2", "eu-west-1").describe_instances()["Reservations"] == [], "another region, another answer"
