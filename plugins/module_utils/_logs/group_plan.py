# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan a log group: what is, what should be, what to do. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_streaming import group_name_fault
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

Json = dict[str, t.Any]

# The days that CloudWatch Logs can keep events. 0 stands for ever.
RETENTION_DAYS = (0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)

_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+")


@dataclass(frozen=True)
class WantedGroup:
    """A log group as it should be. What is ``None`` stays as it is, and so do tags that are not named."""

    name: str
    retention_days: int | None
    kms_key_arn: str | None
    tags: t.Mapping[str, str]

    @classmethod
    def from_option(cls, option: t.Mapping[str, t.Any], region: str) -> WantedGroup:
        """Read one element of a module's ``log_groups``.

        :param region: in which there should be that log group.
        :raises InputError: CloudWatch would refuse it.
        """
        fault = group_name_fault(option["name"])
        if fault:
            raise InputError(fault)
        tags = {key: str(value) for key, value in (option["tags"] or {}).items()}
        return cls(option["name"], option["retention_days"], _key_in(region, option["kms_key_arns"]), tags)


@dataclass(frozen=True)
class PresentGroup:
    """A log group as it is.

    :ivar arn: without the ``:*`` that stands for its streams.
    :ivar retention_days: 0 for ever.
    :ivar tags: empty if they were not asked for.
    """

    arn: str | None
    retention_days: int = 0
    kms_key_arn: str | None = None
    tags: t.Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_aws(cls, answer: t.Mapping[str, t.Any]) -> PresentGroup:
        """Read an element of ``DescribeLogGroups``' ``logGroups``."""
        return cls(answer["arn"].removesuffix(":*"), answer.get("retentionInDays", 0), answer.get("kmsKeyId"))


@dataclass(frozen=True)
class GroupPlan:
    """What to do about one log group; ``None`` or empty: nothing.

    :ivar tags: those to set; the others stay.
    """

    create: bool = False
    retention_days: int | None = None
    kms_key_arn: str | None = None
    tags: t.Mapping[str, str] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return self.create or self.retention_days is not None or self.kms_key_arn is not None or bool(self.tags)


def plan(wanted: WantedGroup, present: PresentGroup | None) -> GroupPlan:
    """Compare.

    :param present: ``None`` if there is no such log group.
    """
    before = present or PresentGroup(None)
    return GroupPlan(
        create=present is None,
        retention_days=wanted.retention_days if wanted.retention_days != before.retention_days else None,
        kms_key_arn=wanted.kms_key_arn if wanted.kms_key_arn != before.kms_key_arn else None,
        tags={key: value for key, value in wanted.tags.items() if before.tags.get(key) != value},
    )


def steps(wanted: WantedGroup, present: PresentGroup | None, planned: GroupPlan) -> list[tuple[str, Json]]:
    """What to ask of CloudWatch Logs, in this order: methods of the client, with their arguments."""
    name = {"logGroupName": wanted.name}
    key = {"kmsKeyId": planned.kms_key_arn} if planned.kms_key_arn else {}
    tags = {"tags": dict(planned.tags)} if planned.tags else {}
    made: list[tuple[str, Json]] = []
    if present is None:
        made.append(("create_log_group", {**name, **key, **tags}))
    else:
        made += [("associate_kms_key", {**name, **key})] if key else []
        made += [("tag_resource", {"resourceArn": present.arn, **tags})] if tags else []
    if planned.retention_days:
        made.append(("put_retention_policy", {**name, "retentionInDays": planned.retention_days}))
    elif planned.retention_days == 0:
        made.append(("delete_retention_policy", name))
    return made


def foreseen(present: PresentGroup | None, planned: GroupPlan) -> PresentGroup:
    """The log group as it will be when the plan has been carried out."""
    before = present or PresentGroup(None)
    return PresentGroup(
        arn=before.arn,
        retention_days=before.retention_days if planned.retention_days is None else planned.retention_days,
        kms_key_arn=planned.kms_key_arn or before.kms_key_arn,
        tags={**before.tags, **planned.tags},
    )


def describe(group: PresentGroup | None) -> str:
    """A log group in lines, for a difference that people read."""
    if group is None:
        return ""
    lines = [
        f"retention: {f'{group.retention_days} days' if group.retention_days else 'for ever'}",
        f"KMS key: {group.kms_key_arn or '-'}",
        *(f"tag {key}: {value}" for key, value in sorted(group.tags.items())),
    ]
    return "".join(f"{line}\n" for line in lines)


def _key_in(region: str, arns: t.Sequence[str] | None) -> str | None:
    """The key of a region; a key encrypts only in its own."""
    if not arns:
        return None
    keys = {arn: _KEY_ARN.fullmatch(arn) for arn in arns}
    for arn, key in keys.items():
        if not key:
            raise InputError(f"kms_key_arns takes ARNs of keys, arn:aws:kms:REGION:ACCOUNT:key/ID, not {arn!r}. CloudWatch Logs takes no alias.")
    found = [arn for arn, key in keys.items() if key and key["region"] == region]
    if len(found) != 1:
        has = ", ".join(found) or "none"
        raise InputError(f"kms_key_arns must have exactly one key in {region}, since a key encrypts only in its own region. It has: {has}.")
    return found[0]
