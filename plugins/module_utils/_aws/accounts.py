# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on appliances of several AWS accounts in one call: those of each account by the role that is named with them."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each

Item = t.TypeVar("Item")
Value = t.TypeVar("Value")
Params = t.Mapping[str, t.Any]

# Each of them is asked with as many threads as the option concurrency says: AWS counts requests by account.
ACCOUNTS_AT_ONCE = 10


class Role(t.NamedTuple):
    """An IAM role to work with.

    :ivar arn: ``None`` for what the module's own AWS options say.
    """

    arn: str | None = None
    external_id: str | None = None

    @classmethod
    def of(cls, params: Params) -> Role:
        """The role that options name; empty texts name none.

        :param params: a dictionary with options of ``role_spec()``.
        """
        return cls(params.get("assume_role_arn") or None, params.get("assume_role_external_id") or None)

    @property
    def account_id(self) -> str | None:
        """The account that the role is in; ``None`` if there is no role, or its ARN is none."""
        found = re.match(r"arn:[^:]+:iam::([0-9]{12}):role/", self.arn or "")
        return found[1] if found else None

    def options(self, params: Params) -> Params:
        """Module parameters as in ``aws_spec()``, with this role if there is one."""
        return {**params, "assume_role_arn": self.arn, "assume_role_external_id": self.external_id} if any(self) else params

    def as_options(self) -> dict[str, str]:
        """What names the role in an element of option ``appliances``."""
        named = {"assume_role_arn": self.arn, "assume_role_external_id": self.external_id}
        return {option: value for option, value in named.items() if value}


def in_each_account(
    params: Params,
    items: t.Sequence[Item],
    work: t.Callable[[AwsClients, list[Item]], t.Sequence[Outcome[t.Any, Value]]],
    *,
    role_of: t.Callable[[Item], Role],
) -> list[Outcome[Item, Value]]:
    """Part the items by role, and call ``work`` once for each part, with clients of that role.

    :param params: module parameters as in ``aws_spec()`` and ``concurrency_spec()``.
    :param work: returns one outcome for each item that it gets, in their order.
    :returns: one outcome for each item, in their order. What fails for one of several parts is the error of that part's items.
    :raises CloudOneError: what fails, if there is only one part.
    """
    positions: dict[Role, list[int]] = {}
    for position, item in enumerate(items):
        positions.setdefault(role_of(item), []).append(position)

    def ask(role: Role) -> t.Sequence[Outcome[t.Any, Value]]:
        return work(AwsClients(role.options(params), concurrency=params["concurrency"]), [items[position] for position in positions[role]])

    if len(positions) == 1:
        return [Outcome(item, outcome.value, outcome.error) for item, outcome in zip(items, ask(*positions), strict=True)]
    outcomes: dict[int, Outcome[Item, Value]] = {}
    for part in for_each(ask, positions, concurrency=ACCOUNTS_AT_ONCE):
        here = positions[part.item]
        for position, outcome in zip(here, part.value or [Outcome[t.Any, Value](None, error=part.error)] * len(here), strict=True):
            outcomes[position] = Outcome(items[position], outcome.value, outcome.error)
    return [outcomes[position] for position in range(len(items))]


def appliances_in_each_account(
    params: Params, work: t.Callable[[AwsClients, list[dict[str, t.Any]]], t.Sequence[Outcome[t.Any, Value]]]
) -> list[Outcome[str, Value]]:
    """The same for a module's option ``appliances``; the outcomes are by instance id."""
    outcomes = in_each_account(params, params["appliances"], work, role_of=Role.of)
    return [Outcome(outcome.item["instance_id"], outcome.value, outcome.error) for outcome in outcomes]
