# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search one region of one AWS account for appliances, asking for nothing twice."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import STARTED
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, chunks, each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.options import Filter

# The largest page that EC2 gives.
PAGE_SIZE = 1000

_INSTANCE_ID = re.compile(r"i-[0-9a-f]{8,17}")


@dataclass(frozen=True)
class Found:
    """What a region has.

    :ivar warnings: why appliances that the API does not list may be missing.
    """

    instances: t.Mapping[str, Instance]
    warnings: t.Sequence[str] = ()


def search_region(clients: AwsClients, region: str, listed: t.Iterable[str], filters: t.Sequence[Filter], registration_tag: str) -> Found:
    """Find the listed instances, and those that the API may not list.

    The filters come first, since most of what is listed is among what they find: only the rest is then asked for by its ID.

    :param listed: instance IDs; what is none is not asked for.
    :param filters: see :class:`Query`.
    :raises AwsError: the region cannot be searched.
    """
    client = clients.ec2(region)
    instances: dict[str, Instance] = {}
    errors: list[AwsError] = []

    def describe(wanted: t.Sequence[dict[str, t.Any]]) -> None:
        for reservation in each(client, "describe_instances", "Reservations", Filters=wanted, MaxResults=PAGE_SIZE):
            for answer in reservation["Instances"]:
                instances[answer["InstanceId"]] = Instance.from_aws(answer, region=region, account_id=reservation["OwnerId"])

    for wanted in filters:
        try:
            describe([{"Name": name, "Values": list(values)} for name, values in wanted.items()])
        except AwsError as error:
            errors.append(error)
    tagged: list[str] = []
    if filters:
        try:
            tagged = _tagged(client, registration_tag)
        except AwsError as error:
            errors.append(error)
    missing = [instance_id for instance_id in (*listed, *tagged) if instance_id not in instances and _INSTANCE_ID.fullmatch(instance_id)]
    for portion in chunks(missing):
        describe([{"Name": "instance-id", "Values": portion}])
    return Found(instances, [str(error) for error in errors])


def _tagged(client: t.Any, registration_tag: str) -> list[str]:
    """IDs of the instances on which a renewal left its tag. Tags are much smaller than descriptions of instances."""
    filters = [{"Name": "resource-type", "Values": ["instance"]}, {"Name": "key", "Values": [registration_tag, STARTED]}]
    return [str(tag["ResourceId"]) for tag in each(client, "describe_tags", "Tags", Filters=filters, MaxResults=PAGE_SIZE)]
