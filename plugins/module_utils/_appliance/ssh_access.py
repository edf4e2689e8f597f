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

import time
import typing as t
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_plan import ACCESS_TAG, Borrower, LentGroup
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, Client, call, pages
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError

Value = t.TypeVar("Value")

# Seconds between the attempts at what EC2 may need a moment for; about a minute in all.
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


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
    answers = pages(clients.ec2(region), "describe_network_interfaces", "NetworkInterfaces", Filters=[{"Name": "group-id", "Values": list(group_ids)}])
    return [
        Borrower(
            id=answer["NetworkInterfaceId"],
            region=region,
            instance_id=answer.get("Attachment", {}).get("InstanceId"),
            group_ids=tuple(group["GroupId"] for group in answer["Groups"]),
        )
        for answer in answers
    ]


def set_groups(client: Client, interface_id: str, group_ids: t.Sequence[str]) -> None:
    """Give an interface these security groups and no others."""
    call(client, "modify_network_interface_attribute", NetworkInterfaceId=interface_id, Groups=list(group_ids))


def patiently(codes: t.Container[str], action: t.Callable[[], Value]) -> Value:
    """Repeat ``action`` while EC2 answers with one of ``codes``, which pass by themselves.

    :raises AwsError: any other, or after about a minute.
    """
    for pause in PAUSES:
        try:
            return action()
        except AwsError as error:
            if error.code not in codes:
                raise
        time.sleep(pause)
    return action()
