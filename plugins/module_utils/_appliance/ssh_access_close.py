# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take back SSH access that was lent."""

from __future__ import annotations

import typing as t
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access import Context, borrowers, lent_groups, lent_to, set_groups
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_plan import Borrower, LentGroup, Return, plan_returns
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.patience import look_until, patiently
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsCredentialsError, call, chunks, prove_permission
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each


@dataclass(frozen=True)
class Closed:
    """What was taken back.

    :ivar returns: each group, with the error if it could not be taken back.
    :ivar borrowers: the interfaces that had lent groups before, by id.
    :ivar errors: the regions in which nothing could be found out.
    """

    returns: t.Sequence[Outcome[Return, None]]
    borrowers: t.Mapping[str, Borrower]
    errors: t.Mapping[str, CloudOneError]


def close_access(context: Context, regions: t.Iterable[str], *, access_id: str, instance_ids: Collection[str], expired: bool) -> Closed:
    """Take back what a run lent, what any run lent to the named instances, and what has expired.

    :raises AwsCredentialsError: if no region accepts the credentials.
    """
    surveyed = for_each(lambda region: _survey(context, region, instance_ids), dict.fromkeys(regions), concurrency=context.concurrency)
    errors = {outcome.item: outcome.error for outcome in surveyed if outcome.error}
    for error in errors.values():
        if len(errors) == len(surveyed) and isinstance(error, AwsCredentialsError):
            raise error
    lent = [group for outcome in surveyed for group in outcome.value or []]
    closed = take_back(context, lent, access_id=access_id, instance_ids=instance_ids, expired_at=context.now if expired else None)
    return Closed(closed.returns, closed.borrowers, {**errors, **closed.errors})


def _survey(context: Context, region: str, instance_ids: Collection[str]) -> list[LentGroup]:
    """All groups that are lent in a region. Of those on the named instances none is overlooked that EC2 does not find by its tag yet."""
    held = lent_to(context.clients, region, instance_ids)
    return look_until(lambda lent: held <= {group.id for group in lent}, lambda: lent_groups(context.clients, region))


def take_back(
    context: Context, lent: t.Sequence[LentGroup], *, access_id: str | None = None, instance_ids: t.Container[str] = (), expired_at: datetime | None
) -> Closed:
    """Take back, of the groups that are lent, what :func:`plan_returns` says."""
    portions = [
        (region, portion)
        for region in dict.fromkeys(group.region for group in lent)
        for portion in chunks(group.id for group in lent if group.region == region)
    ]
    asked = for_each(lambda portion: borrowers(context.clients, *portion), portions, concurrency=context.concurrency)
    errors = {outcome.item[0]: outcome.error for outcome in asked if outcome.error}
    holders = {borrower.id: borrower for outcome in asked for borrower in outcome.value or []}
    known = [group for group in lent if group.region not in errors]
    returns = plan_returns(known, list(holders.values()), access_id=access_id, instance_ids=instance_ids, expired_at=expired_at)

    # By interface, since two groups of one interface must not be detached at the same time.
    def detach(interface_id: str) -> None:
        _detach(context, holders[interface_id], {planned.group.id for planned in returns if interface_id in planned.interface_ids})

    detached = for_each(detach, {id: None for planned in returns for id in sorted(planned.interface_ids)}, concurrency=context.concurrency)
    failed = {outcome.item: outcome.error for outcome in detached if outcome.error}

    def complete(planned: Return) -> None:
        for interface_id in sorted(planned.interface_ids & failed.keys()):
            raise failed[interface_id]
        if planned.delete:
            _delete(context, planned.group)

    return Closed(for_each(complete, returns, concurrency=context.concurrency), holders, errors)


def _detach(context: Context, borrower: Borrower, group_ids: t.Container[str]) -> None:
    remaining = [group_id for group_id in borrower.group_ids if group_id not in group_ids]
    if not remaining:
        raise InputError(f"{borrower.id} has no security group but what was lent to it. Attach one of your own to it, then close SSH access again.")
    client = context.clients.ec2(borrower.region)
    if context.check_mode:
        prove_permission(client, "modify_network_interface_attribute", NetworkInterfaceId=borrower.id, Groups=remaining)
        return
    try:
        set_groups(client, borrower.id, remaining)
    except AwsError as error:
        # The interface is gone, or one of the remaining groups is: deleting the group reads the list anew.
        if error.code not in {"InvalidNetworkInterfaceID.NotFound", "InvalidGroup.NotFound"}:
            raise


def _delete(context: Context, group: LentGroup) -> None:
    client = context.clients.ec2(group.region)
    if context.check_mode:
        prove_permission(client, "delete_security_group", GroupId=group.id)
        return

    def delete() -> None:
        try:
            call(client, "delete_security_group", GroupId=group.id)
        except AwsError as error:
            if error.code == "InvalidGroup.NotFound":
                return  # Another run was quicker.
            if error.code == "DependencyViolation":
                # Either EC2 needs a moment, or another run wrote back a list that still had the group.
                for borrower in borrowers(context.clients, group.region, [group.id]):
                    _detach(context, borrower, {group.id})
            raise

    patiently({"DependencyViolation"}, delete)
