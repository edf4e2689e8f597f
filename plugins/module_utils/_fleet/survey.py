# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out about a whole fleet: the API and all AWS accounts are asked together, and what fails takes only itself down."""

from __future__ import annotations

import contextlib
import gc
import typing as t
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Json
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import GONE, Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interface_search import find_management_interfaces
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interfaces import ManagementInterface
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import STS_REGION, AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.hosts import host_variables
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.join import Places, join, read_listed
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.model import LostAccount, SearchedAccount, Way
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.options import Query
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.search import Found, search_region
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import for_each


@dataclass(frozen=True)
class Survey:
    """A fleet.

    :ivar hosts: the variables of each appliance, see :func:`host_variables`.
    :ivar warnings: about what the API lists, each a sentence or more.
    :ivar errors: what could not be asked, where, and what to do.
    """

    hosts: list[Json]
    warnings: list[str]
    errors: list[str]


@dataclass
class _Account:
    """An account that lets itself be asked."""

    id: str
    way: Way
    clients: AwsClients
    instances: dict[str, Instance] = field(default_factory=dict)
    regions: list[str] = field(default_factory=list)
    failed_regions: dict[str, str] = field(default_factory=dict)


def survey(api: NetsecApi, query: Query, now: datetime) -> Survey:
    """Find out about every appliance.

    :raises ApiError: the API does not list the appliances.
    """
    with _without_collector():
        return _survey(api, query, now)


@contextlib.contextmanager
def _without_collector() -> t.Iterator[None]:
    """Keep Python from looking for garbage: what answers are made of is hardly any, and looking through it takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _survey(api: NetsecApi, query: Query, now: datetime) -> Survey:
    asks: list[t.Callable[[], t.Any]] = [api.list_entries, *(lambda way=way: _enter(way, query.concurrency) for way in query.ways)]
    listing, *entrances = for_each(lambda ask: ask(), asks, concurrency=query.concurrency)
    appliances, warnings = read_listed(listing.result())
    errors: list[str] = []
    accounts: dict[str, _Account] = {}
    lost = []
    for way, entrance in zip(query.ways, entrances, strict=True):
        if entrance.error:
            lost.append(LostAccount(way.role.account_id, way, f"{way.name} could not be searched: {entrance.error}"))
            errors.append(f"{_capital(lost[-1].reason)}")
        elif entrance.result().id in accounts:
            errors.append(f"{_capital(way.name)} is {entrance.result().id}, which is searched already: name each account once.")
        else:
            accounts[entrance.result().id] = entrance.result()
    errors += _search(list(accounts.values()), Places(appliances), query)
    searched = []
    for account in accounts.values():
        interfaces, problems = _management_interfaces(account, query.concurrency)
        errors += problems
        searched.append(SearchedAccount(account.id, account.way, account.instances, interfaces, tuple(account.regions), account.failed_regions))
    entries = join(appliances, searched, lost, query.hosted_instance_ids)
    hosts = [host_variables(entry, registration_tag=query.registration_tag, renew_before=query.renew_before, now=now) for entry in entries]
    return Survey(hosts, warnings, errors)


def _enter(way: Way, concurrency: int) -> _Account:
    """Find out whose account it is, which also proves that the credentials and the role are good."""
    clients = AwsClients(way.params, concurrency=concurrency)
    return _Account(clients.account_id(_first_region(clients, way)), way, clients)


def _first_region(clients: AwsClients, way: Way) -> str:
    try:
        return clients.regions(way.regions)[0]
    except InputError:
        return STS_REGION


def _search(accounts: t.Sequence[_Account], places: Places, query: Query) -> list[str]:
    """Search all regions of all accounts; what could not be searched is returned."""
    errors = []
    tasks = []
    for account in accounts:
        regions = list(dict.fromkeys([*places.regions(account.id), *account.way.regions]))
        try:
            tasks += [(account, region) for region in account.clients.regions(regions)]
        except InputError:
            errors.append(f"In the AWS account {account.id} no region could be searched: the API names none for it. Set regions.")

    def search(task: tuple[_Account, str]) -> Found:
        account, region = task
        return search_region(account.clients, region, places.instance_ids(account.id, region), query.unregistered_filters, query.registration_tag)

    for outcome in for_each(search, tasks, concurrency=query.concurrency):
        account, region = outcome.item
        if outcome.error:
            account.failed_regions[region] = f"the region {region} of the AWS account {account.id} could not be searched: {outcome.error}"
            errors.append(_capital(account.failed_regions[region]))
            continue
        found = outcome.result()
        account.regions.append(region)
        account.instances.update(found.instances)
        errors += [f"In {region} of the AWS account {account.id}, appliances that the API does not list may be missing: {one}" for one in found.warnings]
    return errors


def _management_interfaces(account: _Account, concurrency: int) -> tuple[dict[str, ManagementInterface], list[str]]:
    """The interfaces of an account's instances as far as they can be told, and what could not be asked."""
    instances = [instance for instance in account.instances.values() if instance.interfaces and instance.state not in GONE]
    answers = find_management_interfaces(account.clients, instances, {}, concurrency=concurrency)
    failures = Counter(str(answer) for answer in answers.values() if isinstance(answer, AwsError))
    errors = [f"In the AWS account {account.id}, the management interface of {number} appliances is not known: {reason}" for reason, number in failures.items()]
    return {instance_id: answer for instance_id, answer in answers.items() if isinstance(answer, ManagementInterface)}, errors


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
