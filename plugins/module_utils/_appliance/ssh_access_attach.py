# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attach lent security groups to management interfaces, and see that they stay attached."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access import Context, set_groups
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_targets import Target
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.patience import PAUSES
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import chunks, pages, prove_permission
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each

_LIMIT_EXCEEDED = {"SecurityGroupsPerInterfaceLimitExceeded", "SecurityGroupsPerInstanceLimitExceeded"}


class Lending(t.NamedTuple):
    """An interface, and the group to attach to it: ``None`` in check mode, if it would have to be created."""

    target: Target
    group_id: str | None


def attach(context: Context, wanted: t.Sequence[Lending]) -> list[Outcome[Target, bool]]:
    """Attach to each target's interface the group that comes with it.

    :returns: for each target, in their order, whether that changes, or would change, anything.
    """
    if context.check_mode:
        proven = for_each(lambda one: _would_attach(context, *one), wanted, concurrency=context.concurrency)
        return [Outcome(outcome.item[0], outcome.value, outcome.error) for outcome in proven]
    settled: dict[str, Outcome[Target, bool]] = {}
    changed: set[str] = set()
    # A round reads the lists of all interfaces and writes those that lack the group; the next one sees whether all is as it was written.
    for pause in (0.0, *PAUSES):
        pending = [one for one in wanted if one[0].interface.id not in settled]
        for outcome in _round(context, pending):
            target, interface_id = outcome.item, outcome.item.interface.id
            if outcome.error:
                settled[interface_id] = Outcome(target, error=outcome.error)
            elif outcome.value is None:
                settled[interface_id] = Outcome(target, value=interface_id in changed)
            elif outcome.value:
                changed.add(interface_id)
        if len(settled) == len(wanted):
            break
        time.sleep(pause)
    return [settled.get(target.interface.id, Outcome(target, error=_restless(target))) for target, _group_id in wanted]


def _round(context: Context, pending: t.Sequence[Lending]) -> list[Outcome[Target, bool | None]]:
    """Read once, and write once where the group is missing.

    :returns: ``None`` where nothing was missing, else whether EC2 took the group.
    """
    regions = dict.fromkeys(target.region for target, _group_id in pending)
    portions = [(region, portion) for region in regions for portion in chunks(target.interface.id for target, _id in pending if target.region == region)]
    readings = for_each(lambda portion: _groups_of(context, *portion), portions, concurrency=context.concurrency)
    groups = {interface_id: group_ids for reading in readings for interface_id, group_ids in (reading.value or {}).items()}
    errors = {interface_id: reading.error for reading in readings for interface_id in reading.item[1] if reading.error}

    def attach_one(one: Lending) -> bool | None:
        target, group_id = one
        if target.interface.id in errors:
            raise errors[target.interface.id]
        if target.interface.id not in groups:
            raise InputError(f"{target.interface.id}, the management interface of {target.instance_id}, is gone.")
        if group_id in groups[target.interface.id]:
            return None
        return _set(context, target, [*groups[target.interface.id], str(group_id)])

    outcomes = for_each(attach_one, pending, concurrency=context.concurrency)
    return [Outcome(outcome.item[0], outcome.value, outcome.error) for outcome in outcomes]


def _groups_of(context: Context, region: str, interface_ids: t.Sequence[str]) -> dict[str, list[str]]:
    """The security groups that interfaces have now."""
    filters = [{"Name": "network-interface-id", "Values": list(interface_ids)}]
    answers = pages(context.clients.ec2(region), "describe_network_interfaces", "NetworkInterfaces", Filters=filters)
    return {answer["NetworkInterfaceId"]: [group["GroupId"] for group in answer["Groups"]] for answer in answers}


def _set(context: Context, target: Target, group_ids: t.Sequence[str]) -> bool:
    try:
        set_groups(context.clients.ec2(target.region), target.interface.id, group_ids)
    except AwsError as error:
        if error.code in _LIMIT_EXCEEDED:
            raise no_room(target, len(group_ids) - 1) from error
        # Either EC2 does not know the new group everywhere yet, or another run has just deleted its own from the list.
        if error.code != "InvalidGroup.NotFound":
            raise
        return False
    return True


def _would_attach(context: Context, target: Target, group_id: str | None) -> bool:
    if group_id in target.interface.group_ids:
        return False
    # The group may not exist yet, so the present list has to stand for the new one.
    client, group_ids = context.clients.ec2(target.region), list(target.interface.group_ids)
    prove_permission(client, "modify_network_interface_attribute", NetworkInterfaceId=target.interface.id, Groups=group_ids)
    return True


def no_room(target: Target, held: int) -> InputError:
    """The error of an interface that can have no further group."""
    return InputError(
        f"SSH cannot be opened to {target.instance_id}: its management interface {target.interface.id} has {held} security groups, and the account's quota "
        "allows no more. Remove one, raise the quota 'Security groups per network interface', or let SSH in by a rule of your own."
    )


def _restless(target: Target) -> CloudOneError:
    return CloudOneError(
        f"The security groups of {target.interface.id}, the management interface of {target.instance_id}, do not stay as they are set: "
        "something else keeps changing them. Find out what, then try again."
    )
