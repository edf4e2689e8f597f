# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the management interfaces to which SSH is to be opened."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance, regions_to_search, require_instances
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interface_search import find_management_interfaces
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interfaces import ManagementInterface
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each


@dataclass(frozen=True)
class Target:
    """An appliance's management interface, to which SSH is to be opened."""

    instance_id: str
    region: str
    interface: ManagementInterface

    @property
    def vpc(self) -> tuple[str, str]:
        """Region and VPC: appliances that have both in common share one group."""
        return self.region, self.interface.vpc_id


def find_targets(
    clients: AwsClients, appliances: t.Sequence[t.Mapping[str, str | None]], regions: t.Sequence[str], *, concurrency: int
) -> list[Outcome[str, Target]]:
    """Look for instances and their management interfaces.

    :param appliances: dictionaries as in ``ec2_appliances_spec()``.
    :param regions: to search for instances whose region is not given; empty for the default one.
    :returns: one outcome for each instance id, in their order.
    :raises CloudOneError: if nothing can be asked of AWS.
    """
    searched = regions_to_search(clients, appliances, regions)
    overrides = {str(one["instance_id"]): one["management_interface"] for one in appliances}
    found = for_each(require_instances(clients, searched, concurrency=concurrency), searched, concurrency=1)
    instances = [outcome.value for outcome in found if outcome.value]
    interfaces = find_management_interfaces(clients, instances, overrides, concurrency=concurrency)

    def target(outcome: Outcome[str, Instance]) -> Target:
        instance = outcome.result()
        interface = interfaces[instance.id]
        if isinstance(interface, CloudOneError):
            raise interface
        return Target(instance.id, instance.region, interface)

    return [Outcome(outcome.item.item, outcome.value, outcome.error) for outcome in for_each(target, found, concurrency=1)]
