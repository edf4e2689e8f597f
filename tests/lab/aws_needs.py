# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call needs of a policy: actions, the resources on which, and the context that conditions look at.

As AWS's Service Authorization Reference has it for the calls that matter here. Every other action is judged on ``*``, which only statements
about all resources cover. Callers hold :attr:`lab.aws.Aws.lock`.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass

from moto.ec2.models import ec2_backends

from lab.aws_call import AwsCall

ContextItems = tuple[tuple[str, tuple[str, ...]], ...]

# Needs no permission at all, says AWS, not even where it is denied explicitly.
FREE = "sts:GetCallerIdentity"

# EC2's names for what an id of this prefix stands for.
_EC2_TYPES = {"i": "instance", "sg": "security-group", "eni": "network-interface", "vpc": "vpc", "vol": "volume", "subnet": "subnet"}


@dataclass(frozen=True)
class Need:
    """One action on one resource.

    :ivar resource: its ARN, or ``*``.
    :ivar context: values of context keys by name in lower case, as items in order, so that equal needs are equal.
    """

    action: str
    resource: str
    context: ContextItems


@dataclass(frozen=True)
class Target:
    """What an action is about.

    :ivar tags: those that it has, for conditions on ``aws:ResourceTag``.
    :ivar context: what else is known of the call as far as this resource is concerned.
    """

    arn: str = "*"
    tags: t.Mapping[str, str] | None = None
    context: t.Mapping[str, tuple[str, ...]] | None = None


def needs(account_id: str, call: AwsCall) -> list[Need]:
    """Return everything that must be allowed for a call to be carried out."""
    return [
        need(action, target, call)
        for action in call.required_actions()
        if action != FREE
        for target in _TARGETS.get(action, _TARGETS_OF_SERVICE.get(action.partition(":")[0], _anything))(account_id, call)
    ]


def need(action: str, target: Target, call: AwsCall) -> Need:
    """Put together what is asked of a policy."""
    context = {"aws:requestedregion": (call.region,), "aws:securetransport": ("true",), **(target.context or {})}
    for key, value in (target.tags or {}).items():
        context[f"aws:resourcetag/{key}".lower()] = context[f"ec2:resourcetag/{key}".lower()] = (value,)
    return Need(action, target.arn, tuple(sorted(context.items())))


def rule_arn(account_id: str, region: str, name: str) -> str:
    """Return the ARN of an EventBridge rule on the default bus."""
    return f"arn:aws:events:{region}:{account_id}:rule/{name}"


def _anything(_account_id: str, _call: AwsCall) -> list[Target]:
    return [Target()]


def _named(account_id: str, call: AwsCall, resource_id: str, context: t.Mapping[str, tuple[str, ...]] | None = None) -> Target:
    """Return one of EC2's resources."""
    arn = f"arn:aws:ec2:{call.region}:{account_id}:{_EC2_TYPES.get(resource_id.partition('-')[0], '*')}/{resource_id}"
    return Target(arn, ec2_backends[account_id][call.region].tags.get(resource_id, {}), context)


def _tags_of_request(tags: t.Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return what a condition sees of the tags in a request. A key without a value is only a key."""
    if not tags:
        return {}
    return {"aws:tagkeys": tuple(tags), **{f"aws:requesttag/{key}".lower(): (value,) for key, value in tags.items() if value}}


def _tagged(account_id: str, call: AwsCall) -> list[Target]:
    """Of ``CreateTags`` and ``DeleteTags`` the resources that are named; of a call that creates something with tags, what it creates."""
    if call.action in ("CreateTags", "DeleteTags"):
        return [_named(account_id, call, resource_id, _tags_of_request(call.tags("Tag"))) for resource_id in call.values("ResourceId")]
    return [
        Target(f"arn:aws:ec2:{call.region}:{account_id}:{kind}/*", context={**_tags_of_creation(call), "ec2:createaction": (call.action,)})
        for kind in dict.fromkeys(value for key, value in call.form.items() if key.startswith("TagSpecification.") and key.endswith(".ResourceType"))
    ]


def _tags_of_creation(call: AwsCall) -> dict[str, tuple[str, ...]]:
    return _tags_of_request(call.tags(r"TagSpecification\.\d+\.Tag"))


def _new_group(account_id: str, call: AwsCall) -> list[Target]:
    tags = _tags_of_creation(call)
    new = Target(f"arn:aws:ec2:{call.region}:{account_id}:security-group/*", context=tags)
    return [new, _named(account_id, call, call.form.get("VpcId", "vpc-default"), tags)]


def _group(account_id: str, call: AwsCall) -> list[Target]:
    return [_named(account_id, call, call.form.get("GroupId", ""))]


def _interface(account_id: str, call: AwsCall) -> list[Target]:
    """The interface, the instance that has it, and the groups that it is to have."""
    interface_id = call.form.get("NetworkInterfaceId", "")
    interface = ec2_backends[account_id][call.region].enis.get(interface_id)
    instance = [interface.instance.id] if interface is not None and interface.instance is not None else []
    return [_named(account_id, call, one) for one in dict.fromkeys([interface_id, *instance, *call.values("SecurityGroupId")])]


def _instance(account_id: str, call: AwsCall) -> list[Target]:
    return [_named(account_id, call, call.form.get("InstanceId", ""))]


def _log_group(account_id: str, call: AwsCall) -> list[Target]:
    """Groups and streams have one form of ARN, with an empty name for what is not named; tags are put on the ARN of the group alone."""
    named = call.form.get("resourceArn") or f"arn:aws:logs:{call.region}:{account_id}:log-group:{call.form.get('logGroupName', '')}"
    alone = "resourceArn" in call.form
    return [Target(named if alone else f"{named}:log-stream:{call.form.get('logStreamName', '')}")]


def _passed_role(_account_id: str, call: AwsCall) -> list[Target]:
    return [Target(call.form["roleArn"], context={"iam:passedtoservice": ("logs.amazonaws.com",)})]


def _stack(account_id: str, call: AwsCall) -> list[Target]:
    """A stack that is named by its name is any stack of that name."""
    name = call.form.get("StackName", "")
    if not name:
        return [Target()]
    return [Target(name if name.startswith("arn:") else f"arn:aws:cloudformation:{call.region}:{account_id}:stack/{name}/*")]


def _rule(account_id: str, call: AwsCall) -> list[Target]:
    return [Target(rule_arn(account_id, call.region, call.form.get("Name") or call.form.get("Rule", "*")))]


def _trail(account_id: str, call: AwsCall) -> list[Target]:
    name = call.form.get("Name") or call.form.get("TrailName", "")
    return [Target(name if name.startswith("arn:") else f"arn:aws:cloudtrail:{call.region}:{account_id}:trail/{name}")]


def _profile(account_id: str, call: AwsCall) -> list[Target]:
    return [Target(f"arn:aws:iam::{account_id}:instance-profile/{call.form.get('InstanceProfileName', '')}")]


_TARGETS: dict[str, Callable[[str, AwsCall], list[Target]]] = {
    "ec2:AuthorizeSecurityGroupIngress": _group,
    "ec2:CreateSecurityGroup": _new_group,
    "ec2:CreateTags": _tagged,
    "ec2:DeleteSecurityGroup": _group,
    "ec2:DeleteTags": _tagged,
    "ec2:DescribeInstanceAttribute": _instance,
    "ec2:ModifyNetworkInterfaceAttribute": _interface,
    "ec2:RevokeSecurityGroupEgress": _group,
    "ec2:RevokeSecurityGroupIngress": _group,
    "cloudtrail:GetEventSelectors": _trail,
    "cloudtrail:GetTrailStatus": _trail,
    "iam:GetInstanceProfile": _profile,
    "iam:PassRole": _passed_role,
    "iam:SimulatePrincipalPolicy": lambda _account_id, call: [Target(call.form.get("PolicySourceArn", ""))],
    "sts:AssumeRole": lambda _account_id, call: [Target(call.form.get("RoleArn", ""))],
}
# Services of which every call here is about one kind of thing.
_TARGETS_OF_SERVICE: dict[str, Callable[[str, AwsCall], list[Target]]] = {"cloudformation": _stack, "events": _rule, "logs": _log_group}
