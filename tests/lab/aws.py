# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS side of a fleet, in moto.

Each region of an account has one VPC in 127.0.0.0/8, so that the private address of a management interface is a loopback address on which the
appliance's SSH can listen. Interfaces, user data and security groups are those of the vendor's deployments: directly inline, the
management port is device index 0; behind a Gateway Load Balancer it is device index 1 and its security group has no ingress.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from unittest import mock

os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # before moto is imported: saves a second per region

from moto.core.base_backend import BackendDict
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models import instances as moto_instances
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance
from moto.ec2.models.security_groups import SecurityGroup
from moto.iam.models import iam_backends

from lab.aws_accounts import account_specs, build_accounts
from lab.cloudformation import CloudFormation
from lab.fleet import OWN_ACCOUNT_ID, ApplianceSpec, Fleet, RoleAction
from lab.iam_policies import Rights
from lab.iam_state import rights_of
from lab.lambda_events import count_lambda_events
from lab.organization import build_organization
from lab.placement import Placement, unknown_placement
from lab.rtm_start import build_rtm
from lab.security_rules import Rule, admits
from lab.stack_life import StackLife
from lab.stack_set_life import StackSetLife
from lab.stack_sets import StackSets

ACCOUNT_ID = OWN_ACCOUNT_ID
# In AWS, networks of accounts may overlap; here each address stands for one appliance. The bastion is in 127.20.0.0/16.
NETWORKS = tuple(IPv4Network(f"127.{second}.0.0/16") for second in range(10, 255) if second != 20)

MANAGEMENT = "Network Security Mgmt Port"
DATA = "Network Security Data Port"
GATEWAY_LOAD_BALANCER_USER_DATA = "# -- VTPS capability GWLB-mode=1\n# -- VTPS ManagementPort=2\n"
GENEVE_PORT = 6081
GATEWAY_HEALTH_PORT = 1450

# What a renewal by the collection leaves behind.
REGISTRATION_TAG = "trendmicro.cloudone:registered-at"

ROLE_NAME = "network-security-appliance"
ROLE_ACTIONS: tuple[RoleAction, ...] = t.get_args(RoleAction)
_ROLE_TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'


@dataclass
class RegionNetwork:
    """The VPC of one region of an account."""

    vpc_id: str
    management_subnet: str
    data_subnet: str
    standing_ssh_group: SecurityGroup
    geneve_group: SecurityGroup
    inline_data_group: SecurityGroup
    management_addresses: Iterator[IPv4Address]
    data_addresses: Iterator[IPv4Address]


def _allow(backend: EC2Backend, group: SecurityGroup, protocol: str, port: int | None, cidr: str) -> None:
    """Add an ingress rule."""
    backend.authorize_security_group_ingress(group.id, protocol, str(port), str(port), [{"CidrIp": cidr}])


def _build_network(backend: EC2Backend, network: IPv4Network, bastion_cidr: str) -> RegionNetwork:
    """Make the VPC of a region with its subnets and security groups."""
    vpc = backend.create_vpc(str(network), tags=[{"Key": "Name", "Value": "network-security"}])
    management, data = list(network.subnets(prefixlen_diff=2))[:2]
    zone = f"{backend.region_name}a"

    def group(name: str, description: str) -> SecurityGroup:
        return backend.create_security_group(name, description, vpc_id=vpc.id, tags={"Name": name})

    geneve = group("nsva-data", "Traffic from the Gateway Load Balancer")
    _allow(backend, geneve, "udp", GENEVE_PORT, "127.0.0.0/8")
    _allow(backend, geneve, "tcp", GATEWAY_HEALTH_PORT, "127.0.0.0/8")
    inline_data = group("nsva-inline-data", "Inspected traffic")
    _allow(backend, inline_data, "-1", None, "0.0.0.0/0")
    standing = group("nsva-standing-ssh", "SSH from the bastion at all times")
    _allow(backend, standing, "tcp", 22, bastion_cidr)
    return RegionNetwork(
        vpc_id=vpc.id,
        management_subnet=backend.create_subnet(vpc.id, str(management), availability_zone=zone).id,
        data_subnet=backend.create_subnet(vpc.id, str(data), availability_zone=zone).id,
        standing_ssh_group=standing,
        geneve_group=geneve,
        inline_data_group=inline_data,
        management_addresses=islice(management.hosts(), 9, None),
        data_addresses=islice(data.hosts(), 9, None),
    )


def _create_role(account_id: str, name: str, actions: t.Sequence[str]) -> str:
    """Make a role for appliances, as the vendor's template does, with its instance profile; return the profile's ARN."""
    iam = iam_backends[account_id]["aws"]
    iam.create_role(name, _ROLE_TRUST, "/", None, "", [], "3600")
    if actions:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        iam.put_role_policy(name, "appliance", json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    profile = iam.create_instance_profile(name, "/", [])
    iam.add_role_to_instance_profile(name, name)
    return profile.arn


@contextmanager
def _next_instance_id(instance_id: str) -> Iterator[None]:
    """Let moto give this id to the next instance: a fleet's ids are the same in every lab."""
    with mock.patch.object(moto_instances, "random_instance_id", lambda: instance_id):
        yield


def _ports(spec: ApplianceSpec, network: RegionNetwork, management_groups: list[str]) -> list[dict[str, t.Any]]:
    """Return the network interfaces as RunInstances takes them, by device index."""

    def port(subnet: str, addresses: Iterator[IPv4Address], description: str, groups: list[str]) -> dict[str, t.Any]:
        return {"SubnetId": subnet, "PrivateIpAddress": str(next(addresses)), "Description": description, "Groups": groups}

    management = port(network.management_subnet, network.management_addresses, MANAGEMENT, management_groups)
    if spec.deployment == "gateway_load_balancer":
        ports = [port(network.data_subnet, network.data_addresses, DATA, [network.geneve_group.id]), management]
    else:
        ports = [management, *(port(network.data_subnet, network.data_addresses, DATA, [network.inline_data_group.id]) for index in (1, 2))]
    return [{"DeviceIndex": index, "DeleteOnTermination": True, **settings} for index, settings in enumerate(ports)]


def _registration_tag(spec: ApplianceSpec, now: datetime) -> dict[str, str]:
    return {REGISTRATION_TAG: f"{now - timedelta(days=spec.registered_days_ago):%Y-%m-%dT%H:%M:%SZ}"} if spec.registration_tag else {}


class Aws:
    """The user's AWS accounts. The lock guards moto, which is not made for threads.

    :ivar lambda_events: how many log events were sent to each Lambda function, by ARN.
    :ivar stacks: what goes on with CloudFormation's stacks, and :ivar:`cloudformation` and :ivar:`stack_sets` the operations that change them.
    """

    def __init__(self, fleet: Fleet, *, bastion_cidr: str, now: datetime) -> None:
        """Build the accounts from nothing; whatever moto held in this process is forgotten."""
        self.lock = threading.RLock()
        self.placements: dict[str, Placement] = {}
        self._bastion_cidr = bastion_cidr
        self._networks: dict[tuple[str, str], RegionNetwork] = {}
        self._profile_arns: dict[str, str] = {}
        self.stacks = StackLife()
        self.cloudformation = CloudFormation(fleet.aws.cloudformation, self.stacks)
        accounts = account_specs(fleet.aws, ACCOUNT_ID)
        organization = fleet.aws.organization
        self.stack_sets = StackSets(
            StackSetLife(self.stacks, fleet.aws.cloudformation.seconds, lambda account_id: accounts[account_id].regions_off if account_id in accounts else ()),
            trusted=organization is not None and organization.stack_sets_trusted,
        )
        with self.lock:
            BackendDict.reset()
            self.lambda_events = count_lambda_events()
            for account_id in accounts:
                self._profile_arns[account_id] = _create_role(account_id, ROLE_NAME, ROLE_ACTIONS)
            for spec in fleet.appliances:
                self.placements[spec.instance_id] = self._launch(spec, now) if spec.in_aws else unknown_placement(spec)
            self._first_groups = {group.id for place in self._networks for group in self._groups(*place)}
            build_accounts(fleet.aws, ACCOUNT_ID)
            if organization is not None:
                build_organization(organization, ACCOUNT_ID)
            build_rtm(fleet, ACCOUNT_ID, self.stacks)

    @staticmethod
    def backend(account_id: str, region: str) -> EC2Backend:
        """Return moto's EC2 of a region."""
        return ec2_backends[account_id][region]

    def _network(self, account_id: str, region: str) -> RegionNetwork:
        """Return the VPC of a region of an account, made when first needed."""
        place = account_id, region
        if place not in self._networks:
            self._networks[place] = _build_network(self.backend(*place), NETWORKS[len(self._networks)], self._bastion_cidr)
        return self._networks[place]

    def _launch(self, spec: ApplianceSpec, now: datetime) -> Placement:
        """Start an appliance's instance as it was started at its deployment."""
        backend, network = self.backend(spec.account, spec.region), self._network(spec.account, spec.region)
        # Each appliance has a management group of its own, as the vendor's template makes one in each stack.
        own_groups = [
            backend.create_security_group(f"{spec.name}-{name}", "Management of a Network Security appliance", vpc_id=network.vpc_id).id
            for name in ("management", *(f"extra-{number}" for number in range(spec.extra_security_groups)))
        ]
        ports = _ports(spec, network, [*own_groups, *([network.standing_ssh_group.id] if spec.ssh_standing_rule else [])])
        user_data = GATEWAY_LOAD_BALANCER_USER_DATA if spec.deployment == "gateway_load_balancer" else ""
        with _next_instance_id(spec.instance_id):
            reservation = backend.run_instances(
                "ami-0123456789abcdef0",
                1,
                t.cast(t.Any, base64.b64encode(user_data.encode()).decode() if user_data else None),
                [],
                nics=ports,
                instance_type=spec.instance_type,
                is_instance_type_default=False,
                region_name=spec.region,
                tags={"instance": {"Name": spec.name, **spec.tags, **_registration_tag(spec, now)}},
            )
        instance: Instance = reservation.instances[0]
        self._date(backend, instance, spec, now)
        if spec.instance_role:
            backend.associate_iam_instance_profile(instance.id, iam_instance_profile_arn=self._profile_of(spec))
        management: NetworkInterface = instance.nics[1 if spec.deployment == "gateway_load_balancer" else 0]
        for index, port in enumerate(ports):
            instance.nics[index].description = port["Description"]  # moto overwrites that of device index 0
        placement = Placement(
            account_id=spec.account,
            region=spec.region,
            availability_zone=t.cast(str, instance.availability_zone),
            vpc_id=network.vpc_id,
            interface_id=management.id,
            address=t.cast(str, management.private_ip_address),
        )
        if spec.instance_state == "stopped":
            backend.stop_instances([instance.id])
        elif spec.instance_state == "terminated":
            backend.terminate_instances([instance.id])
        return placement

    def _profile_of(self, spec: ApplianceSpec) -> str:
        """Return the ARN of an appliance's instance profile: one for all of an account, but for those whose role lacks something."""
        if not spec.instance_role_lacks:
            return self._profile_arns[spec.account]
        return _create_role(spec.account, f"{ROLE_NAME}-{spec.instance_id}", [action for action in ROLE_ACTIONS if action not in spec.instance_role_lacks])

    @staticmethod
    def _date(backend: EC2Backend, instance: Instance, spec: ApplianceSpec, now: datetime) -> None:
        """Set the times that tell an instance's age. moto keeps them in UTC without a time zone."""
        deployed_days_ago = spec.registered_days_ago if spec.deployed_days_ago is None else spec.deployed_days_ago
        restarted_days_ago = deployed_days_ago if spec.restarted_days_ago is None else spec.restarted_days_ago
        utc = now.replace(tzinfo=None)
        deployed_at = utc - timedelta(days=deployed_days_ago)
        instance.launch_time = utc - timedelta(days=restarted_days_ago)
        for device in instance.block_device_mapping.values():
            device.attach_time = deployed_at
            volume = backend.volumes[device.volume_id]
            volume.create_time = deployed_at
            if volume.attachment is not None:
                volume.attachment.attach_time = deployed_at
        for interface in instance.nics.values():
            interface.attach_time = deployed_at

    def _groups(self, account_id: str, region: str) -> list[SecurityGroup]:
        return self.backend(account_id, region).describe_security_groups()

    def _backend_of(self, instance_id: str) -> EC2Backend:
        placement = self.placements[instance_id]
        return self.backend(placement.account_id, placement.region)

    def _interface(self, instance_id: str) -> NetworkInterface | None:
        """Return an instance's management interface, unless the instance does not run or is in none of the user's accounts."""
        interface_id = self.placements[instance_id].interface_id
        interface = self._backend_of(instance_id).enis.get(interface_id) if interface_id else None
        if interface is None or interface.instance is None or not interface.instance.is_running():
            return None
        return interface

    def instance_rights(self, instance_id: str) -> Rights | None:
        """Return the rights of the role that an instance acts with now, or ``None`` if it does not run."""
        with self.lock:
            if self._interface(instance_id) is None:
                return None
            associations = self._backend_of(instance_id).iam_instance_profile_associations
            roles = associations[instance_id].iam_instance_profile.roles if instance_id in associations else []
            return rights_of(iam_backends[self.placements[instance_id].account_id]["aws"], roles[0]) if roles else Rights()

    def ingress_rules(self, instance_id: str) -> list[Rule]:
        """Return the ingress rules for addresses that are in force on an instance's management interface now."""
        with self.lock:
            interface = self._interface(instance_id)
            groups = interface.group_set if interface is not None else []
            return [
                Rule(rule.ip_protocol, rule.from_port, rule.to_port, cidr)
                for group in groups
                for rule in group.ingress_rules
                if (cidr := rule.ip_range.get("CidrIp") or rule.ip_range.get("CidrIpv6"))
            ]

    def admits(self, instance_id: str, source_address: str, port: int) -> bool:
        """Whether the source may reach the TCP port of the instance's management interface (:class:`lab.placement.Network`)."""
        return admits(self.ingress_rules(instance_id), source_address, port)

    def interface_groups(self, instance_id: str) -> list[str]:
        """Return the ids of the security groups on an instance's management interface."""
        with self.lock:
            interface = self._interface(instance_id)
            return [group.id for group in interface.group_set] if interface is not None else []

    def instance_tags(self, instance_id: str) -> dict[str, str]:
        """Return the instance's tags."""
        with self.lock:
            return dict(self._backend_of(instance_id).tags[instance_id])

    def groups_created_since_start(self) -> list[dict[str, t.Any]]:
        """Return the security groups that were not there when the lab started, with the interfaces they are on."""
        with self.lock:
            return [
                {
                    "account_id": account_id,
                    "region": region,
                    "vpc_id": group.vpc_id,
                    "group_id": group.id,
                    "name": group.name,
                    "tags": dict(backend.tags[group.id]),
                    "interfaces": [eni.id for eni in backend.enis.values() if group in eni.group_set],
                }
                for account_id, region in self._networks
                for backend in (self.backend(account_id, region),)
                for group in self._groups(account_id, region)
                if group.id not in self._first_groups
            ]
