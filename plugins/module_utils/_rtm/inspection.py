# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How RTM stands: what AWS says of one region, and which events Conformity has received from there. Only reads."""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import Account, ConformityApi, Event
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.drift import in_words
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import Wanted
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.observe import observe
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.plan import drift, is_foreign, whose
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.report import Report


def inspect(clients: AwsClients, account_id: str, wanted: Wanted, region: str) -> Report:
    """Look at one region. An expected failure is in the report."""
    report = Report(region)
    try:
        observed = observe(clients, region, account_id=account_id, stack_name=wanted.stack_name)
    except CloudOneError as error:
        report.error = str(error)
        return report
    report.observed(observed)
    if observed.rule is not None and is_foreign(observed):
        report.reasons.append(whose(observed.rule))
    differences = in_words(drift(observed, wanted))
    if differences:
        report.reasons.append(differences)
    return report


def accounts_of(api: ConformityApi, account_id: str) -> list[Account]:
    """The accounts of Conformity that are an AWS account. It may list one more than once.

    :raises InputError: it lists none.
    :raises ApiError: the accounts cannot be listed.
    """
    found = [account for account in api.accounts() if account.aws_account_id == account_id]
    if not found:
        raise InputError(f"Conformity lists no account for the AWS account {account_id}. Add it there, or give the API key access to it.")
    return found


def last_event(api: ConformityApi, accounts: t.Iterable[Account], region: str, *, since: datetime) -> Event | None:
    """The last event that Conformity received from a region.

    :param accounts: one AWS account, as often as Conformity lists it.
    :param since: what happened before is not looked for.
    :raises ApiError: it cannot be asked.
    """
    events = (api.last_event(account.id, region, since=since) for account in accounts)
    return max((event for event in events if event), key=lambda event: event.time, default=None)
