# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS refuses and moto lets pass, for the calls that matter here."""

from __future__ import annotations

import re
from collections.abc import Callable

from moto.ec2.models import EC2Backend, ec2_backends

from lab.aws_call import AwsCall
from lab.aws_errors import AwsFailure

GROUPS_PER_INTERFACE = 5
LONGEST_TAG_KEY = 128
LONGEST_TAG_VALUE = 256
_GROUP_TEXT = re.compile(r"^[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}$")

Check = Callable[[EC2Backend, AwsCall], AwsFailure | None]


def _check_interface_groups(backend: EC2Backend, call: AwsCall) -> AwsFailure | None:
    """Groups of an interface must exist, belong to its VPC, and be at most five."""
    wanted = call.values("SecurityGroupId")
    if len(set(wanted)) > GROUPS_PER_INTERFACE:
        message = f"You've reached the limit on the number of security groups that you can assign to an interface: {GROUPS_PER_INTERFACE}."
        return AwsFailure("SecurityGroupsPerInterfaceLimitExceeded", message)
    interface = backend.enis.get(call.form.get("NetworkInterfaceId", ""))
    for group_id in wanted:
        group = backend.get_security_group_from_id(group_id)
        if group is None:
            return AwsFailure("InvalidGroup.NotFound", f"The security group '{group_id}' does not exist")
        if interface is not None and group.vpc_id != interface.vpc_id:
            return AwsFailure("InvalidParameter", f"Security group {group_id} and interface {interface.id} belong to different networks.")
    return None


def _check_group_unused(backend: EC2Backend, call: AwsCall) -> AwsFailure | None:
    """A group that is on an interface cannot be deleted."""
    group_id = call.form.get("GroupId", "")
    if any(group.id == group_id for interface in backend.enis.values() for group in interface.group_set):
        return AwsFailure("DependencyViolation", f"resource {group_id} has a dependent object")
    return None


def _check_group_texts(_backend: EC2Backend, call: AwsCall) -> AwsFailure | None:
    """Names and descriptions of groups take certain characters only."""
    name = call.form.get("GroupName", "")
    if not _GROUP_TEXT.match(name) or name.lower().startswith("sg-"):
        return AwsFailure("InvalidParameterValue", f"Value ({name}) for parameter GroupName is invalid.")
    if not _GROUP_TEXT.match(call.form.get("GroupDescription", "")):
        return AwsFailure("InvalidParameterValue", "Value for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.")
    return _check_tags(call.tags(r"TagSpecification\.\d+\.Tag"))


def _check_tags(tags: dict[str, str]) -> AwsFailure | None:
    """Tags have a longest key and a longest value, and AWS keeps a prefix for itself."""
    for key, value in tags.items():
        if not 1 <= len(key) <= LONGEST_TAG_KEY or key.lower().startswith("aws:"):
            return AwsFailure("InvalidParameterValue", f"Tag keys must be 1 to {LONGEST_TAG_KEY} characters long and must not start with 'aws:': {key}")
        if len(value) > LONGEST_TAG_VALUE:
            return AwsFailure("InvalidParameterValue", f"Tag value exceeds the maximum length of {LONGEST_TAG_VALUE} characters")
    return None


_CHECKS: dict[str, Check] = {
    "ec2:ModifyNetworkInterfaceAttribute": _check_interface_groups,
    "ec2:DeleteSecurityGroup": _check_group_unused,
    "ec2:CreateSecurityGroup": _check_group_texts,
    "ec2:CreateTags": lambda _backend, call: _check_tags(call.tags("Tag")),
}


def check(account_id: str, call: AwsCall) -> AwsFailure | None:
    """Return the error that AWS would answer and moto would not. A dry run is answered before anything is looked at."""
    rule = None if call.dry_run else _CHECKS.get(call.operation)
    return rule(ec2_backends[account_id][call.region], call) if rule else None
