# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH access by lending: one temporary security group for each run and VPC, attached beside the user's own groups, and taken back.

Runs do not see each other's groups, so none can close another's access, but all of them change the same lists of groups on network interfaces.
EC2 replaces such a list as a whole, and takes a moment until all of it knows of a change. So each change is made from a list that was just read,
and is read back; what another run overwrote in between is written again.

Here stand the steps that opening and closing share.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_plan import ACCESS_TAG, Borrower, LentGroup, is_lent_name
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, Client, call, chunks, pages


@dataclass(frozen=True)
class Context:
    """How the work is done.

    :ivar now: by which expiry is judged.
    :ivar check_mode: change nothing, but let EC2 say whether the changes would be permitted.
    """

    clients: AwsClients
    now: datetime
    concurrency: int
    check_mode: bool


def lent_groups(clients: AwsClients, region: str) -> list[LentGroup]:
    """All groups that any run has lent in a region."""
    answers = pages(clients.ec2(region), "describe_security_groups", "SecurityGroups", Filters=[{"Name": "tag-key", "Values": [ACCESS_TAG]}])
    groups = [LentGroup.from_aws(answer, region) for answer in answers]
    return [group for group in groups if group]


def borrowers(clients: AwsClients, region: str, group_ids: t.Sequence[str]) -> list[Borrower]:
    """The network interfaces that have one of the groups.

    :param group_ids: as many as fit into one filter.
    """
    return [
        Borrower(
            id=answer["NetworkInterfaceId"],
            region=region,
            instance_id=answer.get("Attachment", {}).get("InstanceId"),
            group_ids=tuple(group["GroupId"] for group in answer["Groups"]),
        )
        for answer in _interfaces(clients, region, "group-id", group_ids)
    ]


def lent_to(clients: AwsClients, region: str, instance_ids: t.Iterable[str]) -> set[str]:
    """The groups on the network interfaces of instances that have the name of a lent one, whether EC2 finds them by their tag or not."""
    interfaces = [answer for portion in chunks(instance_ids) for answer in _interfaces(clients, region, "attachment.instance-id", portion)]
    return {group["GroupId"] for answer in interfaces for group in answer["Groups"] if is_lent_name(group.get("GroupName", ""))}


def _interfaces(clients: AwsClients, region: str, criterion: str, values: t.Sequence[str]) -> list[t.Any]:
    return pages(clients.ec2(region), "describe_network_interfaces", "NetworkInterfaces", Filters=[{"Name": criterion, "Values": list(values)}])


def set_groups(client: Client, interface_id: str, group_ids: t.Sequence[str]) -> None:
    """Give an interface these security groups and no others."""
    call(client, "modify_network_interface_attribute", NetworkInterfaceId=interface_id, Groups=list(group_ids))
