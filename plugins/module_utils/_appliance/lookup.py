# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find appliances by instance ID, the one name that outlasts a registration."""

from __future__ import annotations

import typing as t
from collections import Counter, defaultdict

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance, ListedRepeatedly
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import ApiError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each

Found = t.TypeVar("Found")
Value = t.TypeVar("Value")

# One search for each appliance up to here; for more of them, the pages of the whole account cost less.
MOST_SEARCHES = 10


def find_one(api: NetsecApi, instance_id: str) -> Appliance | None:
    """Look one appliance up.

    :returns: ``None`` if it is not registered.
    :raises ListedRepeatedly: it is listed more than once.
    """
    return _only(api.find(instance_id))


def require(instance_id: str, appliance: Appliance | None) -> Appliance:
    """Return the appliance.

    :raises InputError: there is none.
    """
    if appliance is None:
        raise InputError(f"{instance_id} is no registered appliance of this account: check the instance ID, and the region of the API.")
    return appliance


def find_each(api: NetsecApi, instance_ids: t.Sequence[str] | None, *, concurrency: int) -> list[Outcome[str, Appliance | None]]:
    """Look many appliances up, with few requests.

    :param instance_ids: ``None``: all appliances of the account.
    :returns: one outcome for each instance ID, in their order; with :class:`ListedRepeatedly` where it is listed more than once.
    :raises InputError: an instance ID is given twice.
    :raises ApiError: the API key may not read appliances, or the list of a large number cannot be read.
    """
    if instance_ids is None:
        return [Outcome(appliance.instance_id, appliance) for appliance in api.list_appliances()]
    refuse_duplicates(instance_ids)
    if len(instance_ids) > MOST_SEARCHES:
        listed: dict[str, list[Appliance]] = defaultdict(list)
        for appliance in api.list_appliances():
            listed[appliance.instance_id].append(appliance)
        return for_each(lambda instance_id: _only(listed.get(instance_id, [])), instance_ids, concurrency=1)
    outcomes = for_each(lambda instance_id: find_one(api, instance_id), instance_ids, concurrency=concurrency)
    for outcome in outcomes:
        if isinstance(outcome.error, ApiError) and outcome.error.status in (401, 403):
            raise outcome.error
    return outcomes


def for_each_found(found: t.Iterable[Outcome[str, Found]], work: t.Callable[[str, Found], Value], *, concurrency: int) -> list[Outcome[str, Value]]:
    """Do something for each appliance that was looked up without error: ``work(instance_id, found)``.

    :param found: what :func:`find_each` returned, or anything else that was found out about each appliance.
    :returns: one outcome for each instance ID, in their order.
    """
    done = for_each(lambda outcome: work(outcome.item, outcome.result()), found, concurrency=concurrency)
    return [Outcome(outcome.item.item, outcome.value, outcome.error) for outcome in done]


def refuse_duplicates(instance_ids: t.Iterable[str]) -> None:
    """Check that every appliance is named once.

    :raises InputError: naming those that are not.
    """
    repeated = [instance_id for instance_id, times in Counter(instance_ids).items() if times > 1]
    if repeated:
        raise InputError(f"Each appliance can be given only once. Given more than once: {', '.join(repeated)}.")


def _only(found: t.Sequence[Appliance]) -> Appliance | None:
    if len(found) > 1:
        raise ListedRepeatedly(found)
    return found[0] if found else None
