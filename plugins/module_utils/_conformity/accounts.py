# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of Conformity's accounts are meant. Pure."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import Account, aws_account_id
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import to_text

# Which field of an account each option is compared with.
SELECTORS = {"account_ids": "id", "aws_account_ids": "aws_account_id", "names": "name"}


@dataclass(frozen=True)
class Match:
    """What was asked for, and one account that is it.

    :ivar asked_for: as the user wrote it; the account's ID where no account in particular was asked for.
    :ivar account: ``None`` if there is no such account.
    """

    asked_for: str
    account: Account | None


def aws_account_option(value: str) -> str:
    """The ID of an AWS account from an option, as 12 digits.

    :raises InputError: it is none.
    """
    account_id = aws_account_id(value)
    if account_id is None:
        raise InputError(f"The ID of an AWS account has 12 digits, {value!r} is none.")
    return account_id


def for_aws_account(accounts: t.Iterable[Account], option: str) -> Account:
    """The one account of Conformity that is this AWS account.

    :raises InputError: there is none, or more than one.
    """
    wanted = aws_account_option(option)
    found = [account for account in accounts if account.aws_account_id == wanted]
    if not found:
        raise InputError(f"The AWS account {wanted} is {unknown_account()}")
    if len(found) > 1:
        ids = ", ".join(f"{account.id} ({account.name})" for account in found)
        raise InputError(f"Conformity lists the AWS account {wanted} {len(found)} times: {ids}. Name the one that is meant by its account_id.")
    return found[0]


def select(accounts: t.Sequence[Account], params: t.Mapping[str, t.Any]) -> list[Match]:
    """Pick the accounts that are asked for, each once.

    :param params: lists ``account_ids``, ``aws_account_ids`` and ``names``, ``None`` where not given; without any, every account is meant.
    :raises InputError: an ID of an AWS account that is none.
    """
    if all(params[option] is None for option in SELECTORS):
        return [Match(account.id, account) for account in accounts]
    matches: list[Match] = []
    for option, field in SELECTORS.items():
        for asked_for in dict.fromkeys(params[option] or ()):
            value = aws_account_option(asked_for) if option == "aws_account_ids" else asked_for
            found = [account for account in accounts if getattr(account, field) == value]
            taken = [match.account for match in matches]
            matches += [Match(asked_for, account) for account in found or (None,) if account is None or account not in taken]
    return matches


def includes_rtm(account: Account) -> bool | None:
    """Whether the subscription of an account includes Real-Time Threat Monitoring. ``None`` if the API does not say."""
    if account.has_real_time_monitoring is not None:
        return account.has_real_time_monitoring
    return {"advanced": True, "essentials": False}.get(account.subscription_type or "")


def as_result(account: Account) -> dict[str, t.Any]:
    """What modules return of an account."""
    last_event = account.last_monitoring_event_at
    return {**dataclasses.asdict(account), "last_monitoring_event_at": to_text(last_event) if last_event else None}


def unknown_account() -> str:
    """The rest of a sentence that begins with what was looked for."""
    return "no account that Conformity shows to this API key: add it in Conformity, or give the role of the key access to it."
