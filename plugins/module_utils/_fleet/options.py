# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user asks for: the options of the inventory, checked before anything is asked."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate import margin
from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import aws_spec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.model import Way

Params = t.Mapping[str, t.Any]
Filter = t.Mapping[str, tuple[str, ...]]

# The one thing that the vendor's own template lets EC2 tell an appliance by.
TEMPLATE_FILTERS: tuple[Params, ...] = ({"network-interface.description": ["Network Security Mgmt Port"]},)

_ACCOUNT_KEYS = frozenset({"assume_role_arn", "assume_role_external_id", "profile", "regions"})
_KEYS = ("access_key", "secret_key", "session_token")


@dataclass(frozen=True)
class Query:
    """What to look for, and where.

    :ivar ways: into the AWS accounts to search.
    :ivar unregistered_filters: filters of ``DescribeInstances``; an instance that one of them finds is an appliance. Empty: look for none that the
        API does not list.
    :ivar registration_tag: key of the tag that says when an appliance registered.
    :ivar concurrency: how many requests are made at the same time.
    """

    ways: tuple[Way, ...]
    unregistered_filters: tuple[Filter, ...]
    registration_tag: str
    renew_before: timedelta
    hosted_instance_ids: frozenset[str]
    concurrency: int


def read_query(params: Params) -> Query:
    """Read the inventory's options.

    :raises InputError: one that cannot be used.
    """
    if params["concurrency"] < 1:
        raise InputError(f"concurrency must be at least 1, it is {params['concurrency']}.")
    return Query(
        ways=tuple(_ways(params)),
        unregistered_filters=tuple(_filter(wanted) for wanted in params["unregistered_filters"]),
        registration_tag=params["registration_tag"],
        renew_before=margin(params["renew_before"]),
        hosted_instance_ids=frozenset(params["hosted_instance_ids"]),
        concurrency=params["concurrency"],
    )


def _ways(params: Params) -> t.Iterator[Way]:
    common = {name: params.get(name) for name in aws_spec()}
    regions = tuple(params["regions"])
    if not params["accounts"]:
        yield Way(common, regions)
        return
    if common["assume_role_arn"] or common["assume_role_external_id"]:
        raise InputError("With accounts, each role stands in its account: move assume_role_arn and assume_role_external_id there.")
    for account in params["accounts"]:
        if not isinstance(account, dict) or not account.keys() <= _ACCOUNT_KEYS:
            raise InputError(f"An element of accounts is a dictionary with some of the keys {', '.join(sorted(_ACCOUNT_KEYS))}. This one is not: {account}.")
        own: dict[str, t.Any] = {name: account.get(name) for name in ("assume_role_arn", "assume_role_external_id")}
        if account.get("profile"):
            # Keys would win over a profile.
            own.update(dict.fromkeys(_KEYS), profile=account["profile"])
        yield Way({**common, **own}, _texts("regions of an account", account.get("regions") or []) or regions)


def _filter(wanted: t.Any) -> Filter:
    """Read one element of ``unregistered_filters``."""
    if not isinstance(wanted, dict) or not wanted or not all(isinstance(name, str) for name in wanted):
        raise InputError(f"An element of unregistered_filters is a dictionary of names and values of filters of DescribeInstances. This one is not: {wanted}.")
    return {name: _texts(f"the filter {name}", values) for name, values in wanted.items()}


def _texts(what: str, values: t.Any) -> tuple[str, ...]:
    texts = [values] if isinstance(values, str) else values
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"A list of texts is needed for {what}, not {values!r}.")
    return tuple(texts)
