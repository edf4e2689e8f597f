# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gather what is needed to judge the certificates of many appliances: from the Network Security API first, then from EC2, then from system logs."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate import Facts
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate_log import LogEvidence
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_search import LogReader
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.lookup import find_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance, ListedRepeatedly
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.accounts import Params, Role, in_each_account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import by_region, find_instances
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interface_search import find_management_interfaces
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interfaces import ManagementInterface
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each


@dataclass(frozen=True)
class Wanted:
    """An appliance as the user names it."""

    instance_id: str
    region: str | None = None
    management_interface: str | None = None
    hosted: bool = False
    assume_role_arn: str | None = None
    assume_role_external_id: str | None = None

    @property
    def role(self) -> Role:
        """The role with which to ask about it."""
        return Role(self.assume_role_arn or None, self.assume_role_external_id or None)


class _Known(t.NamedTuple):
    """An appliance, with what the API says of it."""

    wanted: Wanted
    appliance: Appliance | None
    repeated: ListedRepeatedly | None = None


@dataclass(frozen=True)
class Evidence:
    """Everything found out about one appliance.

    :ivar management_interface: the interface, or the error that says why it is not known; ``None`` where there is no instance.
    """

    facts: Facts
    management_interface: ManagementInterface | CloudOneError | None = None


def gather(
    api: NetsecApi,
    aws: Params | None,
    wanted: t.Sequence[Wanted],
    *,
    regions: t.Sequence[str],
    concurrency: int,
    read_logs: LogReader | None = None,
) -> list[Outcome[Wanted, Evidence]]:
    """Ask for all appliances together.

    :param aws: module parameters as in ``aws_spec()`` and ``concurrency_spec()``; ``None``: do not ask AWS.
    :param regions: AWS regions to search for instances whose region is not known; empty for the default one.
    :param read_logs: see :func:`log_reader`; ``None``: do not search the system logs.
    :returns: one outcome for each of ``wanted``, in their order.
    :raises CloudOneError: if nothing can be found out about any of them (a wrong API key, no AWS credentials), or one is named twice.
    """
    listed = {outcome.item: outcome for outcome in find_each(api, [one.instance_id for one in wanted], concurrency=concurrency)}
    if aws is None:
        return for_each(lambda one: _without_aws(one, listed[one.instance_id].result()), wanted, concurrency=1)

    def ask(clients: AwsClients, known: list[_Known]) -> list[Outcome[_Known, Evidence]]:
        tell = _ask_aws(clients, known, regions, concurrency)
        told = for_each(tell, known, concurrency=1)
        return _with_logs(told, read_logs(clients, [outcome.value.facts for outcome in told if outcome.value])) if read_logs else told

    known = for_each(lambda one: _known(one, listed[one.instance_id]), wanted, concurrency=1)
    asked = _refuse_misplaced(in_each_account(aws, [outcome.value for outcome in known if outcome.value], ask, role_of=lambda one: one.wanted.role))
    evidence = {outcome.item.wanted.instance_id: outcome for outcome in asked}
    answers = for_each(lambda outcome: evidence[outcome.result().wanted.instance_id].result(), known, concurrency=1)
    return [Outcome(outcome.item.item, outcome.value, outcome.error) for outcome in answers]


def _known(wanted: Wanted, listed: Outcome[str, Appliance | None]) -> _Known:
    """What the API says of an appliance.

    :raises CloudOneError: it could not be looked up.
    """
    if isinstance(listed.error, ListedRepeatedly):
        return _Known(wanted, listed.error.appliances[-1], listed.error)
    return _Known(wanted, listed.result())


def _with_logs(told: t.Sequence[Outcome[_Known, Evidence]], logs: t.Mapping[str, LogEvidence]) -> list[Outcome[_Known, Evidence]]:
    """Add what the system logs say."""

    def with_log(outcome: Outcome[_Known, Evidence]) -> Evidence:
        evidence = outcome.result()
        return replace(evidence, facts=replace(evidence.facts, log=logs[evidence.facts.instance_id]))

    return [Outcome(one.item.item, one.value, one.error) for one in for_each(with_log, told, concurrency=1)]


def _without_aws(one: Wanted, appliance: Appliance | None, /) -> Evidence:
    return Evidence(Facts(one.instance_id, appliance, named_hosted=one.hosted))


def _refuse_misplaced(asked: t.Sequence[Outcome[_Known, Evidence]]) -> list[Outcome[_Known, Evidence]]:
    """Make an error of each appliance that was looked for in another account than its own, though its own is among those asked.

    It would else pass for one that the vendor hosts, and be skipped.
    """
    found = [outcome.value.facts for outcome in asked if outcome.value]
    account_ids = {account_id for facts in found for account_id in facts.account_ids}
    account_ids |= {facts.instance.account_id for facts in found if facts.instance}
    account_ids |= {outcome.item.wanted.role.account_id for outcome in asked if outcome.item.wanted.role.account_id}

    def check(outcome: Outcome[_Known, Evidence]) -> Evidence:
        evidence = outcome.result()
        facts = evidence.facts
        owner = facts.appliance.account_id if facts.appliance else None
        if facts.regions and facts.instance is None and owner in account_ids and owner not in facts.account_ids:
            raise InputError(
                f"The EC2 instance belongs to the AWS account {owner}, as other appliances here do, but was looked for in {', '.join(facts.account_ids)}. "
                "Check assume_role_arn of this appliance."
            )
        return evidence

    return [Outcome(checked.item.item, checked.value, checked.error) for checked in for_each(check, asked, concurrency=1)]


def _ask_aws(clients: AwsClients, known: t.Sequence[_Known], regions: t.Sequence[str], concurrency: int) -> t.Callable[[_Known], Evidence]:
    """Ask AWS about all appliances, and return what tells the evidence of each or raises why there is none."""
    searched: dict[str, list[str]] = {}
    for one, appliance, _repeated in known:
        region = one.region or (appliance.region if appliance else None)
        searched[one.instance_id] = [] if one.hosted else clients.regions([region] if region else regions)
    search = find_instances(clients, by_region(searched), concurrency=concurrency)
    missing = [here[0] for instance_id, here in searched.items() if here and instance_id not in search.instances]
    account_id = _account_id(clients, missing[0]) if missing else None
    interfaces = find_management_interfaces(
        clients,
        [instance for instance in search.instances.values() if instance.interfaces],
        {each.wanted.instance_id: each.wanted.management_interface for each in known},
        concurrency=concurrency,
    )

    def evidence_of(known: _Known) -> Evidence:
        one = known.wanted
        here = searched[one.instance_id]
        instance = search.find(one.instance_id, here)
        if here and instance is None and isinstance(account_id, CloudOneError):
            raise account_id
        searched_accounts = [account_id] if isinstance(account_id, str) else []
        facts = Facts(one.instance_id, known.appliance, instance, here, searched_accounts, one.hosted, repeated=known.repeated)
        return Evidence(facts, interfaces.get(one.instance_id))

    return evidence_of


def _account_id(clients: AwsClients, region: str) -> str | CloudOneError:
    """The account that was searched, or why it is not known: that matters only for the appliances that were not found."""
    try:
        return clients.account_id(region)
    except CloudOneError as error:
        return error
