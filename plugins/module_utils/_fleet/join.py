# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Join what the API lists with what EC2 says: one entry for each appliance. Nothing is asked here."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate import Facts
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance, Json, ListedRepeatedly
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import GONE, Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interfaces import ManagementInterface
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.model import LostAccount, SearchedAccount


@dataclass(frozen=True)
class Entry:
    """One appliance.

    :ivar obstacle: why nothing can be said about its certificate, although it may be there: where it would be could not be searched.
    :ivar account: the account that it is in or belongs to, searched or not.
    """

    facts: Facts
    obstacle: str | None = None
    account: SearchedAccount | LostAccount | None = None
    management_interface: ManagementInterface | None = None


def read_listed(entries: t.Iterable[Json]) -> tuple[list[Appliance], list[str]]:
    """Read what the API lists.

    :returns: the appliances, each instance ID once, and warnings about what is no use as it is.
    """
    listed: dict[str, list[Appliance]] = defaultdict(list)
    warnings = []
    for entry in entries:
        try:
            appliance = Appliance.from_api(entry)
        except ValueError as error:
            warnings.append(f"The API lists something that cannot be used, which is left out: {error} (instance ID {entry.get('instanceId')!r}).")
            continue
        if appliance.instance_id.strip():
            listed[appliance.instance_id].append(appliance)
        else:
            warnings.append(f"The API lists an appliance without instance ID, which is left out: ID {appliance.id}, host name {appliance.host_name!r}.")
    for instance_id, same in listed.items():
        if len(same) > 1:
            fact = ListedRepeatedly(same).fact
            warnings.append(f"{instance_id} {fact}; the highest is taken. Unregister the stale ones in Network > Appliances.")
    return [max(same, key=lambda appliance: appliance.id) for same in listed.values()], warnings


class Places:
    """In which regions of which accounts to look for the appliances that the API lists; and which are looked for there."""

    def __init__(self, appliances: t.Iterable[Appliance]) -> None:
        self._everywhere: list[str] = []
        self._of_region: dict[str, list[str]] = defaultdict(list)
        self._of_account: dict[str, list[str]] = defaultdict(list)
        self._of_both: dict[tuple[str, str], list[str]] = defaultdict(list)
        self._regions: dict[str, dict[str, None]] = defaultdict(dict)
        for appliance in appliances:
            instance_id, account_id, region = appliance.instance_id, appliance.account_id, appliance.region
            if account_id and region:
                self._of_both[account_id, region].append(instance_id)
                self._regions[account_id][region] = None
            elif account_id:
                self._of_account[account_id].append(instance_id)
            elif region:
                self._of_region[region].append(instance_id)
            else:
                self._everywhere.append(instance_id)

    def regions(self, account_id: str) -> list[str]:
        """The regions in which the API says that an account has appliances."""
        return list(self._regions.get(account_id, ()))

    def instance_ids(self, account_id: str, region: str) -> list[str]:
        """The instances that may be in a region of an account."""
        known = self._of_both.get((account_id, region), [])
        return [*known, *self._of_account.get(account_id, ()), *self._of_region.get(region, ()), *self._everywhere]


def join(
    appliances: t.Sequence[Appliance], accounts: t.Sequence[SearchedAccount], lost: t.Sequence[LostAccount], hosted_instance_ids: t.Container[str]
) -> list[Entry]:
    """One entry for each appliance that the API lists, in its order, then for each that only EC2 knows.

    What could not be searched is never taken for empty: an appliance that may be there has an obstacle.

    :param hosted_instance_ids: those that the user names as hosted by the vendor.
    """
    searched = _Searched(accounts, lost)
    entries = [searched.entry(appliance, named_hosted=appliance.instance_id in hosted_instance_ids) for appliance in appliances]
    listed = {appliance.instance_id for appliance in appliances}
    for account in accounts:
        for instance in account.instances.values():
            if instance.id not in listed and instance.state not in GONE:
                facts = Facts(instance.id, None, instance, account.regions, [account.id], instance.id in hosted_instance_ids)
                entries.append(Entry(facts, None, account, account.interfaces.get(instance.id)))
    return entries


class _Searched:
    """All that was searched and could not be."""

    def __init__(self, accounts: t.Sequence[SearchedAccount], lost: t.Sequence[LostAccount]) -> None:
        self._by_id = {account.id: account for account in accounts}
        self._found: dict[str, tuple[SearchedAccount, Instance]] = {
            instance_id: (account, instance) for account in accounts for instance_id, instance in account.instances.items()
        }
        self._lost = {account.id: account for account in lost}
        self._failures = [account.reason for account in lost] + [reason for account in accounts for reason in account.failed_regions.values()]
        self._regions = tuple(dict.fromkeys(region for account in accounts for region in account.regions))

    def entry(self, appliance: Appliance, *, named_hosted: bool) -> Entry:
        account, instance = self._found.get(appliance.instance_id, (None, None))
        owner = account or self._by_id.get(appliance.account_id or "")
        regions = owner.regions if owner else self._regions
        # Whose instance belongs to somebody else is hosted, wherever was searched.
        facts = Facts(appliance.instance_id, appliance, instance, regions or (appliance.region or "no region",), list(self._by_id), named_hosted)
        obstacle = None if instance or named_hosted else self._obstacle(appliance)
        # What is done with an appliance of an account that could not be searched has to fail there too, not to look for it elsewhere.
        belongs_to = owner or (self._lost.get(appliance.account_id) if appliance.account_id else None)
        return Entry(facts, obstacle, belongs_to, account.interfaces.get(appliance.instance_id) if account else None)

    def _obstacle(self, appliance: Appliance) -> str | None:
        """Why it is no wonder that the instance was not found; ``None`` if it is one."""
        owner_id = appliance.account_id
        if owner_id is None:
            return next(iter(self._failures), None)
        owner = self._by_id.get(owner_id)
        if owner is None:
            # An account of which not even the number is known may be this one.
            lost = self._lost.get(owner_id) or self._lost.get(None)
            return lost.reason if lost else None
        if appliance.region is None:
            return next(iter(owner.failed_regions.values()), None)
        return owner.failed_regions.get(appliance.region)
