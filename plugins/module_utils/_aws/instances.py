# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What EC2 says about appliances' instances, asked for many at once."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, chunks, pages, refuse_bad_credentials
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import for_each

# States of an instance from which it does not come back.
GONE = frozenset({"shutting-down", "terminated"})


@dataclass(frozen=True)
class NetworkInterface:
    """A network interface of an instance."""

    id: str
    device_index: int
    private_ip: str
    vpc_id: str
    description: str
    group_ids: tuple[str, ...]
    source_dest_check: bool


@dataclass(frozen=True)
class Instance:
    """An EC2 instance.

    :ivar account_id: the AWS account that owns it.
    :ivar state: EC2's word: ``running``, ``stopped``, ``terminated``, ...
    :ivar root_volume_attached_at: in UTC; unlike the launch time it stays when an instance is stopped and started.
    :ivar interfaces: by device index.
    :ivar profile_arn: the instance profile, in which its IAM role is.
    :ivar type: its instance type (``c5n.2xlarge``).
    """

    id: str
    region: str
    account_id: str
    state: str
    root_volume_attached_at: datetime | None
    tags: t.Mapping[str, str]
    interfaces: tuple[NetworkInterface, ...]
    profile_arn: str | None
    type: str | None = None
    availability_zone: str | None = None
    vpc_id: str | None = None

    @classmethod
    def from_aws(cls, answer: t.Mapping[str, t.Any], *, region: str, account_id: str) -> Instance:
        """Read an element of ``DescribeInstances``' ``Instances``."""
        return cls(
            id=answer["InstanceId"],
            region=region,
            account_id=account_id,
            state=answer["State"]["Name"],
            root_volume_attached_at=_root_volume_attached_at(answer),
            tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags", [])},
            interfaces=tuple(sorted(map(_interface, answer.get("NetworkInterfaces", [])), key=lambda interface: interface.device_index)),
            profile_arn=answer.get("IamInstanceProfile", {}).get("Arn"),
            type=answer.get("InstanceType"),
            availability_zone=answer.get("Placement", {}).get("AvailabilityZone"),
            vpc_id=answer.get("VpcId"),
        )


@dataclass(frozen=True)
class Search:
    """What a search over regions found, and the regions that could not be searched."""

    instances: t.Mapping[str, Instance]
    errors: t.Mapping[str, AwsError]

    def find(self, instance_id: str, regions: t.Iterable[str]) -> Instance | None:
        """The instance, or ``None`` if it is in none of ``regions``.

        :raises AwsError: if it was not found, and one of ``regions`` could not be searched.
        """
        instance = self.instances.get(instance_id)
        if instance is None:
            for region in regions:
                if region in self.errors:
                    raise self.errors[region]
        return instance


def find_instances(clients: AwsClients, wanted: t.Mapping[str, t.Iterable[str]], *, concurrency: int) -> Search:
    """Look for instances by filter, so that an unknown id is simply not found.

    :param wanted: the instance ids to look for in each region.
    :raises AwsCredentialsError: if no region accepts the credentials.
    """
    portions = [(region, portion) for region, instance_ids in wanted.items() for portion in chunks(instance_ids)]

    def describe(portion: tuple[str, list[str]]) -> list[Instance]:
        region, instance_ids = portion
        reservations = pages(clients.ec2(region), "describe_instances", "Reservations", Filters=[{"Name": "instance-id", "Values": instance_ids}])
        return [
            Instance.from_aws(answer, region=region, account_id=reservation["OwnerId"]) for reservation in reservations for answer in reservation["Instances"]
        ]

    outcomes = for_each(describe, portions, concurrency=concurrency)
    refuse_bad_credentials(outcomes)
    return Search(
        instances={instance.id: instance for outcome in outcomes for instance in outcome.value or []},
        errors={outcome.item[0]: outcome.error for outcome in outcomes if isinstance(outcome.error, AwsError)},
    )


def require_instances(clients: AwsClients, wanted: t.Mapping[str, t.Sequence[str]], *, concurrency: int) -> t.Callable[[str], Instance]:
    """Look for instances that must be there.

    :param wanted: the regions in which to look for each instance id.
    :returns: a function that gives the instance of an id, and raises :class:`InputError` if there is none (any more),
        :class:`AwsError` if its region could not be searched.
    """
    search = find_instances(clients, by_region(wanted), concurrency=concurrency)

    def find(instance_id: str) -> Instance:
        instance = search.find(instance_id, wanted[instance_id])
        if instance is None:
            regions = ", ".join(wanted[instance_id])
            raise InputError(
                f"There is no EC2 instance {instance_id} in {regions} for these AWS credentials. Check the id, the region and the account. "
                "Leave out appliances that the vendor hosts: their instances are in accounts of the vendor."
            )
        if instance.state in GONE:
            raise InputError(f"The EC2 instance {instance_id} is {instance.state}.")
        return instance

    return find


def regions_to_search(clients: AwsClients, appliances: t.Iterable[t.Mapping[str, t.Any]], regions: t.Sequence[str]) -> dict[str, list[str]]:
    """Tell in which regions to look for each instance id: its own if that is given, else in all of ``regions``, or in the default one.

    :param appliances: dictionaries as in ``ec2_appliances_spec()``.
    :raises InputError: if no region is known.
    """
    return {one["instance_id"]: clients.regions([one["region"]] if one["region"] else regions) for one in appliances}


def by_region(wanted: t.Mapping[str, t.Sequence[str]]) -> dict[str, list[str]]:
    """Turn the regions of each instance id into the instance ids of each region."""
    instance_ids: dict[str, list[str]] = {}
    for instance_id, regions in wanted.items():
        for region in regions:
            instance_ids.setdefault(region, []).append(instance_id)
    return instance_ids


def _interface(answer: t.Mapping[str, t.Any]) -> NetworkInterface:
    return NetworkInterface(
        id=answer["NetworkInterfaceId"],
        device_index=answer["Attachment"]["DeviceIndex"],
        # One that has only addresses of IPv6 has none.
        private_ip=answer.get("PrivateIpAddress", ""),
        vpc_id=answer["VpcId"],
        description=answer.get("Description", ""),
        group_ids=tuple(group["GroupId"] for group in answer.get("Groups", [])),
        source_dest_check=answer.get("SourceDestCheck", True),
    )


def _root_volume_attached_at(answer: t.Mapping[str, t.Any]) -> datetime | None:
    for device in answer.get("BlockDeviceMappings", []):
        attached_at = device.get("Ebs", {}).get("AttachTime")
        if device["DeviceName"] == answer.get("RootDeviceName") and isinstance(attached_at, datetime):
            return attached_at.astimezone(UTC)
    return None
