# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring log groups to what is wanted."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, Client, call, pages
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.group_plan import PresentGroup, WantedGroup, describe, foreseen, plan, steps

Json = dict[str, t.Any]


@dataclass(frozen=True)
class GroupChange:
    """What was done about one log group, or in check mode would be.

    :ivar before: ``None`` if there was no such log group.
    :ivar error: what prevented the rest; what is said to have changed has changed all the same.
    """

    region: str
    name: str
    before: PresentGroup | None
    after: PresentGroup
    created: bool
    changed: bool
    error: AwsError | None = None

    def as_result(self) -> Json:
        return {
            "changed": self.changed,
            "region": self.region,
            "name": self.name,
            "arn": self.after.arn,
            "retention_days": self.after.retention_days,
            "kms_key_arn": self.after.kms_key_arn,
            "created": self.created,
            **({"failed": True, "msg": str(self.error)} if self.error else {}),
        }

    def diff(self) -> dict[str, str]:
        header = f"{self.region}:{self.name}"
        return {"before_header": header, "after_header": header, "before": describe(self.before), "after": describe(self.after)}


def ensure(clients: AwsClients, region: str, wanted: WantedGroup, *, check_mode: bool) -> GroupChange:
    """Create a log group, or change what differs.

    :raises AwsError: nothing could be read, or nothing was changed.
    """
    client = clients.client("logs", region)
    try:
        return _bring(client, wanted, read(client, wanted), check_mode=check_mode)
    except AwsError as error:
        if error.code != "ResourceAlreadyExistsException":
            raise
    # Another run was faster, or an appliance: they create what they stream to.
    return _bring(client, wanted, read(client, wanted), check_mode=check_mode)


def _bring(client: Client, wanted: WantedGroup, before: PresentGroup | None, *, check_mode: bool) -> GroupChange:
    region = client.meta.region_name
    planned = plan(wanted, before)
    if not planned.changed or check_mode:
        return GroupChange(region, wanted.name, before, foreseen(before, planned), planned.create, planned.changed)
    done, error = _carry_out(client, steps(wanted, before, planned))
    if error and not done:
        raise error
    # What was just created may not be listed yet.
    after = read(client, wanted) or foreseen(before, planned)
    return GroupChange(region, wanted.name, before, after, planned.create, True, error)


def read(client: Client, wanted: WantedGroup) -> PresentGroup | None:
    """The log group as it is, with its tags if tags are wanted; ``None`` if there is none."""
    listed = pages(client, "describe_log_groups", "logGroups", logGroupNamePrefix=wanted.name)
    for answer in listed:
        if answer["logGroupName"] == wanted.name:
            group = PresentGroup.from_aws(answer)
            return replace(group, tags=call(client, "list_tags_for_resource", resourceArn=group.arn)["tags"]) if wanted.tags else group
    return None


def _carry_out(client: Client, todo: t.Iterable[tuple[str, Json]]) -> tuple[int, AwsError | None]:
    """Do one step after the other.

    :returns: how many were done, and the error that prevented the next one.
    """
    done = 0
    for method, arguments in todo:
        try:
            call(client, method, **arguments)
        except AwsError as error:
            return done, _with_hint(error, client, arguments)
        done += 1
    return done, None


def _with_hint(error: AwsError, client: Client, arguments: Json) -> AwsError:
    # A key that does not exist, and one that may not be used, come with several codes, that of a missing permission among them.
    if "kmsKeyId" not in arguments or "KMS" not in str(error):
        return error
    principal = f"logs.{client.meta.region_name}.amazonaws.com"
    hint = f"Check that the KMS key {arguments['kmsKeyId']} exists and is enabled, and that its policy allows {principal} to use it."
    return AwsError(f"{error} {hint}", operation=error.operation, code=error.code)
