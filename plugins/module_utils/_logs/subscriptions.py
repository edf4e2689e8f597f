# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring the subscription filters of log groups to what is wanted."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, Client, call, pages, refuse_bad_credentials
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.subscription_plan import Place, Subscription, plan, refusal_hint
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each

Json = dict[str, t.Any]


@dataclass(frozen=True)
class SubscriptionChange:
    """What was done about one subscription filter, or in check mode would be.

    :ivar before: ``None`` if there was none, as ``after`` if there is none now.
    :ivar without_group: there is no such log group yet. (Only in check mode, where nothing can have created it.)
    """

    place: Place
    before: Subscription | None
    after: Subscription | None
    without_group: bool = False

    @property
    def changed(self) -> bool:
        return self.before != self.after

    def as_result(self) -> Json:
        place = {"region": self.place.region, "log_group": self.place.log_group, "name": self.place.name}
        return {"changed": self.changed, **place, "state": "present" if self.after else "absent"}

    def diff(self) -> dict[str, str]:
        return {
            "before_header": str(self.place),
            "after_header": str(self.place),
            "before": str(self.before or ""),
            "after": str(self.after or ""),
        }


def subscribe(
    clients: AwsClients, wanted: t.Mapping[Place, Subscription | None], *, check_mode: bool, concurrency: int
) -> list[Outcome[Place, SubscriptionChange]]:
    """Create, change and remove subscription filters. Those of one log group one after the other: what is to be removed makes room.

    :param wanted: ``None`` for a filter that should not be.
    :returns: one outcome for each of ``wanted``, in their order.
    :raises AwsCredentialsError: AWS does not accept the credentials for any of them.
    """
    groups: dict[tuple[str, str], list[Place]] = defaultdict(list)
    for place in sorted(wanted, key=lambda place: wanted[place] is not None):
        groups[place.region, place.log_group].append(place)

    def subscribe_group(group: tuple[str, str]) -> list[Outcome[Place, SubscriptionChange]]:
        client = clients.client("logs", group[0])
        present = _read(client, group[1])
        return for_each(lambda place: _bring(client, place, wanted[place], present, check_mode=check_mode), groups[group], concurrency=1)

    outcomes = for_each(subscribe_group, groups, concurrency=concurrency)
    refuse_bad_credentials(outcomes)
    done: dict[Place, Outcome[Place, SubscriptionChange]] = {}
    for outcome in outcomes:
        done.update({place: Outcome(place, error=outcome.error) for place in groups[outcome.item]})
        done.update({one.item: one for one in outcome.value or []})
    return [done[place] for place in wanted]


def _read(client: Client, log_group: str) -> dict[str, Json] | None:
    """The subscription filters of a log group, by name; ``None`` if there is no such group."""
    try:
        answers = pages(client, "describe_subscription_filters", "subscriptionFilters", logGroupName=log_group)
    except AwsError as error:
        if error.code == "ResourceNotFoundException":
            return None
        raise
    return {answer["filterName"]: answer for answer in answers}


def _bring(client: Client, place: Place, wanted: Subscription | None, present: dict[str, Json] | None, *, check_mode: bool) -> SubscriptionChange:
    """Bring one subscription filter to what is wanted.

    :param present: the filters of the group, which are kept up to date here.
    :raises InputError: there is no such group.
    """
    if present is None:
        if wanted and not check_mode:
            raise InputError(f"There is no log group {place.log_group} in {place.region}. Create it first, for example with netsec_log_group.")
        return SubscriptionChange(place, None, wanted, without_group=wanted is not None)
    known = present.get(place.name)
    step = plan(place, wanted, known)
    if step and not check_mode:
        method, arguments = step
        try:
            call(client, method, **arguments)
        except AwsError as error:
            raise _with_hint(error, place, wanted, present) from error
        if wanted:
            present[place.name] = arguments
        else:
            del present[place.name]
    return SubscriptionChange(place, Subscription.from_aws(known) if known else None, wanted)


def _with_hint(error: AwsError, place: Place, wanted: Subscription | None, present: t.Iterable[str]) -> AwsError:
    if error.code == "LimitExceededException":
        names = ", ".join(present)
        hint = f"A log group can have two subscription filters. {place.log_group} has: {names}. Remove one of them (state=absent)."
    elif error.code == "InvalidParameterException" and wanted and "Could not" in str(error):
        # CloudWatch Logs has tried to write to the destination.
        hint = refusal_hint(place, wanted)
    else:
        return error
    return AwsError(f"{error} {hint}", operation=error.operation, code=error.code)
