# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS account that RTM is for, and its regions."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.regions import OFF, home_region, opt_in_statuses
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import account_number
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.plan import Action
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.report import Report


@dataclass(frozen=True)
class Account:
    """The account to work in.

    :ivar id: 12 digits.
    :ivar regions: each wanted region once, in the wanted order, with why it is skipped, or ``None``.
    """

    id: str
    regions: t.Mapping[str, str | None]

    @property
    def regions_on(self) -> list[str]:
        """Those that are not skipped."""
        return [region for region, reason in self.regions.items() if reason is None]

    def in_each_region(self, work: t.Callable[[str], Report], *, concurrency: int) -> list[Report]:
        """Work in all regions that are on at the same time.

        :param work: fails for no expected reason.
        :returns: one report for each region, in their order.
        """
        done = {outcome.item: outcome.result() for outcome in for_each(work, self.regions_on, concurrency=concurrency)}
        return [done[region] if reason is None else Report(region, action=Action.SKIP, reasons=[reason]) for region, reason in self.regions.items()]


def find_account(clients: AwsClients, params: t.Mapping[str, t.Any]) -> Account:
    """Ask AWS whose account this is, and which of the regions are on.

    :raises InputError: it is not the expected account, or AWS knows no such region.
    :raises AwsError: AWS does not tell.
    """
    wanted = list(dict.fromkeys(params["regions"]))
    if not wanted:
        raise InputError("regions is empty: name at least one region, or leave it out for all that the vendor supports.")
    expected = account_number(params["expected_account_id"], "expected_account_id") if params["expected_account_id"] else None
    account_id = clients.account_id(home_region(wanted))
    if expected not in (None, account_id):
        raise InputError(f"The AWS credentials belong to the account {account_id}, not to {expected} (expected_account_id). Nothing was changed.")
    statuses = opt_in_statuses(clients, wanted)
    return Account(account_id, {region: f"The region is switched off for the account ({OFF})." if statuses[region] == OFF else None for region in wanted})
