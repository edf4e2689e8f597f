# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge whether the IAM role of an appliance's instance lets it stream logs. IAM is asked once for each role, not for each appliance."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.roles import denials, role_of_profile
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import DENIED, AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import for_each

# What the vendor's own template allows to an appliance, on all resources.
STREAMING_ACTIONS = (
    "cloudwatch:PutMetricData",
    "logs:DescribeLogStreams",
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "ec2:DescribeTags",
)

_ATTACH = "Attach an instance profile with a role that allows the needed actions."
_ADD_ROLE = "Add a role that allows the needed actions."


@dataclass(frozen=True)
class RoleVerdict:
    """What the role of one instance is good for.

    :ivar role_arn: ``None`` if there is no role, or it may not be asked for.
    :ivar allowed: whether all actions are; ``None`` if IAM may not be asked.
    :ivar missing_actions: those that are known not to be allowed.
    :ivar reason: a sentence, with what to do unless all is well.
    """

    instance_profile_arn: str | None
    role_arn: str | None
    allowed: bool | None
    missing_actions: list[str]
    reason: str

    def as_result(self) -> dict[str, t.Any]:
        return dataclasses.asdict(self)


def check_roles(clients: AwsClients, instances: t.Collection[Instance], actions: t.Sequence[str], *, concurrency: int) -> t.Callable[[Instance], RoleVerdict]:
    """Ask IAM about the roles of all instances.

    :param actions: what the roles have to allow, in IAM's notation.
    :returns: a function that judges one of ``instances``, and raises :class:`AwsError` if IAM did not answer.
    """
    # IAM is global: of the regions in which a profile is used, any will do.
    regions = {instance.profile_arn: instance.region for instance in instances if instance.profile_arn}
    found = for_each(lambda profile_arn: role_of_profile(clients, profile_arn, regions[profile_arn]), regions, concurrency=concurrency)
    role_of = {outcome.item: outcome for outcome in found}
    used = dict.fromkeys((role_of[instance.profile_arn].value, instance.region) for instance in instances if instance.profile_arn)
    asked = for_each(lambda role: denials(clients, role[0], actions, role[1]), [(arn, region) for arn, region in used if arn], concurrency=concurrency)
    denied_of = {outcome.item: outcome for outcome in asked}

    def judge(instance: Instance) -> RoleVerdict:
        profile_arn = instance.profile_arn
        if profile_arn is None:
            return RoleVerdict(None, None, False, list(actions), f"The EC2 instance has no instance profile. {_ATTACH}")
        role_arn = None
        try:
            role_arn = role_of[profile_arn].result()
            if role_arn is None:
                return RoleVerdict(profile_arn, None, False, list(actions), f"There is no role in the instance profile {profile_arn}. {_ADD_ROLE}")
            return verdict(profile_arn, role_arn, denied_of[role_arn, instance.region].result())
        except AwsError as error:
            if error.code == "NoSuchEntity":
                reason = f"The instance profile {profile_arn} or its role does not exist any more. {_ATTACH}"
                return RoleVerdict(profile_arn, None, False, list(actions), reason)
            if error.code not in DENIED:
                raise
            return RoleVerdict(profile_arn, role_arn, None, [], f"It is not known what the role of the EC2 instance allows. {error}")

    return judge


def verdict(profile_arn: str, role_arn: str, denied: t.Mapping[str, str]) -> RoleVerdict:
    """Judge a role by what IAM said.

    :param denied: the actions that the role does not allow, with the reasons.
    """
    if not denied:
        return RoleVerdict(profile_arn, role_arn, True, [], f"The role {role_arn} allows all that is needed.")
    lacking = ", ".join(f"{action} ({reason})" for action, reason in denied.items())
    return RoleVerdict(profile_arn, role_arn, False, list(denied), f"The role {role_arn} does not allow {lacking}. Allow this to the role, on all resources.")
