# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan subscription filters, which forward the events of log groups: what is, what should be, what to do. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_streaming import group_name_fault
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

Json = dict[str, t.Any]

LONGEST_PATTERN = 1024
# A role with which CloudWatch Logs writes is needed for these destinations, and not taken for Lambda, which has permissions of its own.
ROLE_NEEDED = ("firehose", "kinesis")

_DESTINATION_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>firehose|kinesis|lambda|logs):(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):"
    r"(?:deliverystream/|stream/|function:|destination:)[^*\s]+"
)
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+")
_FILTER_NAME = re.compile(r"[^:*]{1,512}")
# What a subscription filter can have besides, and keeps.
_KEPT = ("distribution", "applyOnTransformedLogs", "fieldSelectionCriteria", "emitSystemFields")


@dataclass(frozen=True)
class Subscription:
    """A subscription filter: where the events go that match.

    :ivar pattern: of events; empty: all.
    """

    destination_arn: str
    pattern: str
    role_arn: str | None

    @classmethod
    def from_aws(cls, answer: Json) -> Subscription:
        """Read an element of ``DescribeSubscriptionFilters``' ``subscriptionFilters``."""
        return cls(answer["destinationArn"], answer.get("filterPattern") or "", answer.get("roleArn") or None)

    def __str__(self) -> str:
        return f"destination: {self.destination_arn}\npattern: {self.pattern or 'all events'}\nrole: {self.role_arn or '-'}\n"


@dataclass(frozen=True)
class Place:
    """Where a subscription filter is."""

    region: str
    log_group: str
    name: str

    def __str__(self) -> str:
        return f"{self.region}:{self.log_group}:{self.name}"


def read_option(option: t.Mapping[str, t.Any], default_region: t.Callable[[], str]) -> tuple[Place, Subscription | None]:
    """Read one element of a module's ``subscriptions``.

    :param default_region: tells the region where no destination does.
    :returns: where it is, and what it should be, ``None`` if it should not be.
    :raises InputError: CloudWatch Logs would refuse it.
    """
    fault = _fault(option)
    if fault:
        raise InputError(f"{option['log_group']}, {option['name']}: {fault}")
    destination = option["destination_arn"]
    region = arn_part(destination, "region") if destination else default_region()
    wanted = Subscription(destination, option["filter_pattern"], option["role_arn"]) if option["state"] == "present" else None
    return Place(region, option["log_group"], option["name"]), wanted


def arn_part(destination_arn: str, part: str) -> str:
    """``partition``, ``service``, ``region`` or ``account`` of a destination.

    :raises InputError: events cannot be forwarded to that.
    """
    arn = _DESTINATION_ARN.fullmatch(destination_arn)
    if not arn:
        raise InputError(f"{destination_arn!r} is no ARN of a Firehose or Kinesis stream, a Lambda function, or a destination of CloudWatch Logs.")
    return arn[part]


def plan(place: Place, wanted: Subscription | None, present: Json | None) -> tuple[str, Json] | None:
    """Compare.

    :param present: an element of ``subscriptionFilters``; ``None`` if there is no such filter.
    :returns: what to ask of CloudWatch Logs, a method of the client with its arguments; ``None`` if nothing is to be done.
    """
    name = {"logGroupName": place.log_group, "filterName": place.name}
    if wanted is None:
        return ("delete_subscription_filter", name) if present else None
    if present and Subscription.from_aws(present) == wanted:
        return None
    kept = {field: value for field, value in (present or {}).items() if field in _KEPT and value}
    role = {"roleArn": wanted.role_arn} if wanted.role_arn else {}
    return "put_subscription_filter", {**kept, **name, "filterPattern": wanted.pattern, "destinationArn": wanted.destination_arn, **role}


def refusal_hint(place: Place, wanted: Subscription) -> str:
    """What to do if CloudWatch Logs cannot write to a destination."""
    service, partition, account = (arn_part(wanted.destination_arn, part) for part in ("service", "partition", "account"))
    if service == "lambda":
        return (
            f"Allow CloudWatch Logs to call the function: aws lambda add-permission --region {place.region} --function-name {wanted.destination_arn} "
            f"--statement-id cloudwatch-logs --action lambda:InvokeFunction --principal logs.{place.region}.amazonaws.com "
            f"--source-arn 'arn:{partition}:logs:{place.region}:{account}:log-group:{place.log_group}:*'"
        )
    if service in ROLE_NEEDED:
        return (
            f"Check that {wanted.destination_arn} exists and is active, that the role {wanted.role_arn} trusts logs.amazonaws.com, and that it allows "
            f"{service}:PutRecord and {service}:PutRecord{'Batch' if service == 'firehose' else 's'}. A new role needs a minute until it is known everywhere."
        )
    return f"Check that {wanted.destination_arn} exists, and that its access policy allows this account."


def _fault(option: t.Mapping[str, t.Any]) -> str | None:
    fault = group_name_fault(option["log_group"])
    if fault:
        return fault
    if not _FILTER_NAME.fullmatch(option["name"]):
        return f"{option['name']!r} cannot be the name of a subscription filter. Allowed are 1 to 512 characters other than : and *."
    if len(option["filter_pattern"]) > LONGEST_PATTERN:
        return f"filter_pattern may have {LONGEST_PATTERN} characters, it has {len(option['filter_pattern'])}."
    if option["state"] == "absent":
        return None
    service, role_arn = arn_part(option["destination_arn"], "service"), option["role_arn"]
    if service in ROLE_NEEDED and not role_arn:
        return f"CloudWatch Logs writes to {option['destination_arn']} with a role: give its role_arn."
    if service == "lambda" and role_arn:
        return "CloudWatch Logs calls a Lambda function without a role: leave out role_arn, and let the function's own policy allow the call."
    if role_arn and not _ROLE_ARN.fullmatch(role_arn):
        return f"role_arn must be the ARN of a role, arn:aws:iam::ACCOUNT:role/NAME, not {role_arn!r}."
    return None
