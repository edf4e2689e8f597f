# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Appliances in several AWS accounts: each is in its own account of moto, and everything about it follows."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest
import yaml
from botocore.exceptions import ClientError
from log_account import LogAccount, log_account
from rtm_lab import RtmLab

from lab.aws import ACCOUNT_ID
from lab.fleet import parse_fleet
from lab.lab import BASTION_ADDRESS, BASTION_CIDR, Lab

SECOND, THIRD = "210987654321", "310987654321"
REGION = "us-east-1"
SYSTEM_LOG = {"log_types": {"system": {"group": "nsva"}}}
FLEET = {
    "aws": {"accounts": [{"id": SECOND}, {"id": THIRD, "role": "audit", "external_id": "ours", "denied_actions": ["ec2:CreateSecurityGroup"]}]},
    "appliances": [
        {"name": "own"},
        {"name": "second", "account": SECOND, "supports_tokens": False, "registered_days_ago": 740},
        {"name": "third", "account": THIRD, "deployment": "gateway_load_balancer", "instance_role_lacks": ["logs:PutLogEvents"]},
        {"name": "far", "account": THIRD, "region": "eu-central-1", "ssh_standing_rule": True},
        {"name": "hosted", "deployment": "hosted"},
    ],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RtmLab]:
    with Lab(parse_fleet(FLEET), tmp_path_factory.mktemp("lab")) as lab:
        yield RtmLab(lab)


def assume(site: RtmLab, account_id: str, **arguments: str) -> t.Any:
    """Return the credentials of an account's role."""
    role = {SECOND: "conformity-rtm", THIRD: "audit"}[account_id]
    return site.client("sts").assume_role(RoleArn=f"arn:aws:iam::{account_id}:role/{role}", RoleSessionName="test", **arguments)["Credentials"]


def instances(ec2: t.Any) -> dict[str, t.Any]:
    found = [instance for reservation in ec2.describe_instances()["Reservations"] for instance in reservation["Instances"]]
    return {tag["Value"]: instance for instance in found for tag in instance["Tags"] if tag["Key"] == "Name"}


def test_each_account_holds_its_own_instances_only(site: RtmLab) -> None:
    second, third = assume(site, SECOND), assume(site, THIRD, ExternalId="ours")
    assert set(instances(site.client("ec2"))) == {"own"}
    assert set(instances(site.client("ec2", credentials=second))) == {"second"}
    assert set(instances(site.client("ec2", credentials=third))) == {"third"}
    far = instances(site.client("ec2", "eu-central-1", third))["far"]
    assert far["PrivateIpAddress"] == site.control.appliance("far")["ssh"]["address"]
    assert far["IamInstanceProfile"]["Arn"].split(":")[4] == THIRD
    assert {name: site.control.appliance(name)["account_id"] for name in ("own", "second", "far")} == {"own": ACCOUNT_ID, "second": SECOND, "far": THIRD}


def test_the_api_tells_the_account(site: RtmLab) -> None:
    shown = {state.spec.name: state.placement.account_id for _api_id, state in site.lab.world.listed()}
    assert shown == {"own": ACCOUNT_ID, "second": SECOND, "third": THIRD, "far": THIRD, "hosted": "999988887777"}


def test_no_two_appliances_have_one_address(site: RtmLab) -> None:
    addresses = [site.control.appliance(name)["ssh"]["address"] for name in ("own", "second", "third", "far")]
    assert len(set(addresses)) == 4


def test_a_role_with_an_external_id_is_not_assumed_without(site: RtmLab) -> None:
    for arguments in ({}, {"ExternalId": "theirs"}):
        with pytest.raises(ClientError, match=r"\(AccessDenied\)"):
            assume(site, THIRD, **arguments)


def test_security_groups_are_judged_in_the_account_of_the_interface(site: RtmLab) -> None:
    ec2, appliance = site.client("ec2", credentials=assume(site, SECOND)), site.control.appliance("second")
    interface_id, before = appliance["ssh"]["interface_id"], appliance["ssh"]["interface_groups"]
    group = ec2.create_security_group(GroupName="lent", Description="Lent", VpcId=instances(ec2)["second"]["VpcId"])["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": BASTION_CIDR}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    with pytest.raises(ClientError, match=r"\(InvalidGroup.NotFound\)"):
        ec2.modify_network_interface_attribute(NetworkInterfaceId=interface_id, Groups=site.control.appliance("own")["ssh"]["interface_groups"])
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface_id, Groups=[*before, group])
    assert site.lab.world.ssh_allowed(appliance["instance_id"], BASTION_ADDRESS)
    assert not site.lab.world.ssh_allowed(site.control.appliance("own")["instance_id"], BASTION_ADDRESS)
    world = site.control.world()
    [left] = world["groups_left"]
    assert (left["account_id"], left["region"], left["group_id"], left["interfaces"]) == (SECOND, REGION, group, [interface_id])
    assert world["totals"]["ssh_left_open"] == 1
    with pytest.raises(ClientError, match=r"\(DependencyViolation\)"):
        ec2.delete_security_group(GroupId=group)
    ec2.modify_network_interface_attribute(NetworkInterfaceId=interface_id, Groups=before)
    ec2.delete_security_group(GroupId=group)
    assert site.control.world()["groups_left"] == []


def test_what_is_denied_in_one_account_is_not_in_another(site: RtmLab) -> None:
    ec2 = site.client("ec2", credentials=assume(site, THIRD, ExternalId="ours"))
    with pytest.raises(ClientError, match=r"\(UnauthorizedOperation\)"):
        ec2.create_security_group(GroupName="lent", Description="Lent", VpcId=instances(ec2)["third"]["VpcId"])


def test_the_inventory_folder_names_accounts_regions_and_what_only_the_user_knows(site: RtmLab) -> None:
    folder, ssh = site.lab.state_dir.plugin_inventory, site.lab.state_dir.read_description()["ssh"]
    assert yaml.safe_load((folder / "fleet.netsec.yml").read_text()) == {
        "plugin": "trendmicro.cloudone.netsec",
        "regions": ["eu-central-1", "us-east-1"],
        "accounts": [
            {},
            {"assume_role_arn": f"arn:aws:iam::{SECOND}:role/conformity-rtm"},
            {"assume_role_arn": f"arn:aws:iam::{THIRD}:role/audit", "assume_role_external_id": "ours"},
        ],
    }
    variables = yaml.safe_load((folder / "group_vars" / "netsec_appliances.yml").read_text())
    assert (variables["ansible_port"], variables["netsec_certificate_ssh_source_cidrs"]) == (ssh["port"], [BASTION_CIDR])
    [special] = (folder / "host_vars").iterdir()
    assert special.stem == site.control.appliance("second")["instance_id"]
    assert set(yaml.safe_load(special.read_text())) == {"netsec_certificate_registration_api_key"}


@pytest.fixture
def logs() -> Iterator[LogAccount]:
    expired = {**SYSTEM_LOG, "registered_days_ago": 740}
    appliances = [{**expired, "name": "own"}, {**expired, "name": "second", "account": SECOND}]
    silent = {**expired, "name": "silent", "account": SECOND, "instance_role_lacks": ["logs:PutLogEvents"]}
    with log_account(*appliances, silent, aws={"accounts": [{"id": SECOND}]}) as account:
        yield account


def test_logs_arrive_in_the_account_of_the_instance(logs: LogAccount) -> None:
    logs.deliver()
    own = logs.client("logs").describe_log_streams(logGroupName="nsva")["logStreams"]
    assert [stream["logStreamName"] for stream in own] == [f"system_{logs.id('own')}"]
    assert set(logs.streams("second")["nsva"]) == {f"system_{logs.id('second')}"}
    assert all(logs.streams("second")["nsva"].values())
    assert set(logs.streams("silent")["nsva"].values()) == {0}
