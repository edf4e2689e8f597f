# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Open SSH by lending a security group to management interfaces."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access import Context, lent_groups
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_attach import Lending, attach, no_room
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_close import take_back
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_plan import (
    ACCESS_TAG,
    EXPIRY_TAG,
    Access,
    LentGroup,
    Permission,
    default_egress,
    rule_changes,
    to_prolong,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.ssh_access_targets import Target
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.patience import patiently
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import DENIED, Client, call, prove_permission
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each

_DESCRIPTION = "Temporary SSH access to appliances, lent for the renewal of their certificates"

# EC2's default quota of security groups on an interface, which can only be raised. Below it the real one need not be asked for.
_SAFE_GROUPS = 5


@dataclass(frozen=True)
class Opened:
    """What was lent to one appliance.

    :ivar group_id: ``None`` in check mode, if the group would have to be created.
    """

    group_id: str | None
    changed: bool


@dataclass(frozen=True)
class Opening:
    """What became of all targets, in their order, and what the user should know though nothing failed."""

    outcomes: t.Sequence[Outcome[Target, Opened]]
    warnings: t.Sequence[str]


class _Provided(t.NamedTuple):
    group_id: str | None
    warnings: list[str]


def open_access(context: Context, access: Access, targets: t.Sequence[Target], *, close_expired: bool) -> Opening:
    """Let SSH in to each target; take back first what has expired in their regions."""
    surveyed = for_each(
        lambda region: lent_groups(context.clients, region), dict.fromkeys(target.region for target in targets), concurrency=context.concurrency
    )
    errors = {outcome.item: outcome.error for outcome in surveyed if outcome.error}
    lent = [group for outcome in surveyed for group in outcome.value or []]
    expired = [group for group in lent if group.access_id != access.id and group.expired(context.now)]
    warnings = _close_expired(context, expired) if close_expired else []
    own = {(group.region, group.vpc_id): group for group in lent if group.access_id == access.id}

    def check(target: Target) -> None:
        if target.region in errors:
            raise errors[target.region]
        if target.vpc not in own or own[target.vpc].id not in target.interface.group_ids:
            _check_room(context, target)

    # Checked before any group is made, so that none is made for nothing.
    checked = for_each(check, targets, concurrency=context.concurrency)
    one_of_each_vpc = {outcome.item.vpc: outcome.item for outcome in checked if outcome.error is None}
    made = for_each(lambda target: _provide(context, access, target, own.get(target.vpc)), one_of_each_vpc.values(), concurrency=context.concurrency)
    provided = {outcome.item.vpc: outcome for outcome in made}
    warnings += [warning for outcome in made if outcome.value for warning in outcome.value.warnings]

    def group_for(outcome: Outcome[Target, None]) -> str | None:
        outcome.result()
        return provided[outcome.item.vpc].result().group_id

    lending = for_each(group_for, checked, concurrency=1)
    attached = attach(context, [Lending(outcome.item.item, outcome.value) for outcome in lending if outcome.error is None])
    changed = {outcome.item.interface.id: outcome for outcome in attached}

    def opened(outcome: Outcome[Outcome[Target, None], str | None]) -> Opened:
        return Opened(outcome.result(), changed[outcome.item.item.interface.id].result())

    outcomes = for_each(opened, lending, concurrency=1)
    return Opening([Outcome(outcome.item.item.item, outcome.value, outcome.error) for outcome in outcomes], warnings)


def _close_expired(context: Context, expired: t.Sequence[LentGroup]) -> list[str]:
    closed = take_back(context, expired, expired_at=context.now)
    problems = [outcome.error for outcome in closed.returns if outcome.error] + list(closed.errors.values())
    return [f"SSH access that has expired could not be closed: {error}" for error in problems]


def _check_room(context: Context, target: Target) -> None:
    """:raises InputError: if the interface can have no further group."""
    held = len(target.interface.group_ids)
    if held < _SAFE_GROUPS:
        return
    try:
        answer = call(context.clients.ec2(target.region), "describe_account_attributes", AttributeNames=["vpc-max-security-groups-per-interface"])
    except AwsError:
        return  # Then EC2 itself says so when the group is attached, and nothing is lost.
    for attribute in answer["AccountAttributes"]:
        # Asked for one attribute, EC2 may still be generous.
        if attribute["AttributeName"] == "vpc-max-security-groups-per-interface" and held >= int(attribute["AttributeValues"][0]["AttributeValue"]):
            raise no_room(target, held)


def _provide(context: Context, access: Access, target: Target, group: LentGroup | None) -> _Provided:
    """The group to lend in the target's VPC, made as it should be; in check mode only the proof that it could be."""
    client = context.clients.ec2(target.region)
    tags = [{"Key": key, "Value": value} for key, value in access.tags(context.now).items()]
    creation = {
        "GroupName": access.group_name,
        "Description": _DESCRIPTION,
        "VpcId": target.interface.vpc_id,
        "TagSpecifications": [{"ResourceType": "security-group", "Tags": tags}],
    }
    if context.check_mode:
        if group is None:
            prove_permission(client, "create_security_group", **creation)
        return _Provided(group.id if group else None, _unproven(client, access, target, group))
    group = group or _create(client, target.region, creation)
    # A group that lets nothing in yet is new, or was left so by a call that could not prove it.
    if not group.ingress:
        _prove_deletable(client, group)
    _set_rules(context, client, group, access)
    return _Provided(group.id, [])


def _create(client: Client, region: str, creation: t.Mapping[str, t.Any]) -> LentGroup:
    try:
        search: dict[str, t.Any] = {"GroupIds": [call(client, "create_security_group", **creation)["GroupId"]]}
    except AwsError as error:
        if error.code != "InvalidGroup.Duplicate":
            raise
        # The same run made it a moment ago, and EC2 did not list it yet.
        filters = {"group-name": creation["GroupName"], "vpc-id": creation["VpcId"]}
        search = {"Filters": [{"Name": name, "Values": [value]} for name, value in filters.items()]}
    answers = patiently({"InvalidGroup.NotFound"}, lambda: call(client, "describe_security_groups", **search)["SecurityGroups"])
    group = LentGroup.from_aws(answers[0], region) if answers else None
    if group is None:
        problem = f"there is a security group {creation['GroupName']} in {creation['VpcId']} without the tag {ACCESS_TAG}"
        raise InputError(f"SSH cannot be opened: {problem}. Delete that group, or choose another access_id.")
    return group


def _prove_deletable(client: Client, group: LentGroup) -> None:
    """Prove that the group may be deleted, before it lets anything in: access that cannot be taken back is not to be given.

    :raises AwsError: if EC2 would not permit it.
    """
    try:
        patiently({"InvalidGroup.NotFound"}, lambda: prove_permission(client, "delete_security_group", GroupId=group.id))
    except AwsError as error:
        left = f"SSH was not opened, since it might stay open. Left over is the security group {group.id}, which lets nothing in: delete it."
        raise AwsError(f"{error} {left}", operation=error.operation, code=error.code) from error


def _set_rules(context: Context, client: Client, group: LentGroup, access: Access) -> None:
    to_add, to_remove = rule_changes(group, access)
    for method, permissions in (
        ("revoke_security_group_egress", default_egress(group)),
        ("revoke_security_group_ingress", to_remove),
        ("authorize_security_group_ingress", to_add),
    ):
        if permissions:
            _change_rules(client, method, group.id, permissions)
    if to_prolong(group, access, context.now):
        call(client, "create_tags", Resources=[group.id], Tags=[{"Key": EXPIRY_TAG, "Value": access.tags(context.now)[EXPIRY_TAG]}])


def _change_rules(client: Client, method: str, group_id: str, permissions: list[Permission]) -> None:
    try:
        patiently({"InvalidGroup.NotFound"}, lambda: call(client, method, GroupId=group_id, IpPermissions=permissions))
    except AwsError as error:
        # Somebody was quicker: the rule is there, or gone, already.
        if error.code not in {"InvalidPermission.Duplicate", "InvalidPermission.NotFound"}:
            raise


def _unproven(client: Client, access: Access, target: Target, group: LentGroup | None) -> list[str]:
    """Prove the permissions that concern the group itself, and say which of them could not be proved.

    A careful policy allows them only on groups with the tag. While there is no such group, one of the interface's own has to stand for it, and
    a refusal then means nothing.
    """
    group_id = group.id if group else target.interface.group_ids[0]
    warnings = []
    for method, arguments in (
        ("authorize_security_group_ingress", {"IpPermissions": access.permissions()}),
        ("revoke_security_group_egress", {"IpPermissions": [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]}),
        ("delete_security_group", {}),
    ):
        try:
            prove_permission(client, method, GroupId=group_id, **arguments)
        except AwsError as error:
            if group or error.code not in DENIED:
                raise
            warnings.append(
                f"Whether AWS would permit {error.operation} on the group to be lent cannot be told before there is one: it does not permit it on "
                f"{group_id}, which is as it should be if your policy allows it only on groups with the tag {ACCESS_TAG}."
            )
    return warnings
