# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof that Conformity receives events of a region: provoke one that changes nothing, and wait until Conformity has it."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, call
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import Account, ConformityApi, Event
from ansible_collections.trendmicro.cloudone.plugins.module_utils._conformity.accounts import includes_rtm
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.inspection import last_event
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import USABLE
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.observe import read_stack
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.operations import Patience
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import to_text, utc_now

# How far back an event is looked for where Conformity's account does not tell its last one. It allows for clocks that are wrong.
LOOK_BACK = timedelta(days=1)
# Events are compared by their milliseconds.
SHORTEST = timedelta(milliseconds=1)
# A rule that was just made takes a moment to be obeyed, and a single event may get lost: provoke it again after so many seconds.
AGAIN_AFTER = 60.0

Result = dict[str, t.Any]


@dataclass
class Proof:
    """What is known of one region.

    :ivar newer_than: when the last event happened that Conformity had before. Only a later one proves something.
    :ivar provoked: whether an event was provoked.
    :ivar event: the proof.
    :ivar obstacle: why none is provoked.
    :ivar error: what went wrong.
    """

    region: str
    newer_than: datetime
    provoked: bool = False
    event: Event | None = None
    obstacle: str | None = None
    error: CloudOneError | None = None

    @property
    def pending(self) -> bool:
        return self.event is None and self.error is None and self.obstacle is None


class Confirmation:
    """Provokes events, and looks for them.

    :param accounts: one AWS account, as often as Conformity lists it.
    :param stack_name: name of the stack of RTM.
    """

    def __init__(self, clients: AwsClients, api: ConformityApi, accounts: t.Sequence[Account], *, stack_name: str, concurrency: int) -> None:
        self._clients = clients
        self._api = api
        self._accounts = accounts
        self._stack_name = stack_name
        self._concurrency = concurrency

    def run(self, regions: t.Sequence[str], wait_timeout: float) -> list[Proof]:
        """Provoke an event in each region at the same time, and wait until Conformity has all of them.

        :param wait_timeout: for how many seconds.
        :returns: one for each region, in their order.
        """
        # Nothing tells in which order events are listed, but none that the accounts had before is newer than this.
        last = max((account.last_monitoring_event_at for account in self._accounts if account.last_monitoring_event_at), default=utc_now() - LOOK_BACK)
        proofs = [Proof(region, last) for region in regions]
        self._for_pending(self._look_before, proofs)
        provoked_at = None
        for _look in Patience(wait_timeout).looks():
            if provoked_at is None or time.monotonic() - provoked_at > AGAIN_AFTER:
                provoked_at = time.monotonic()
                self._for_pending(self._provoke, proofs)
            self._for_pending(self._look, proofs)
            if not any(proof.pending for proof in proofs):
                break
        return proofs

    def _for_pending(self, work: t.Callable[[Proof], None], proofs: t.Iterable[Proof]) -> None:
        for outcome in for_each(work, [proof for proof in proofs if proof.pending], concurrency=self._concurrency):
            outcome.item.error = outcome.error

    def _look_before(self, proof: Proof) -> None:
        event = last_event(self._api, self._accounts, proof.region, since=proof.newer_than)
        if event is not None:
            proof.newer_than = event.time

    def _look(self, proof: Proof) -> None:
        event = last_event(self._api, self._accounts, proof.region, since=proof.newer_than + SHORTEST)
        if event is not None and event.time > proof.newer_than:
            proof.event = event

    def _provoke(self, proof: Proof) -> None:
        """Write the stack's termination protection as it is: a call that changes something, as far as CloudTrail knows."""
        cloudformation = self._clients.client("cloudformation", proof.region)
        stack = read_stack(cloudformation, self._stack_name)
        if stack is None or stack.status not in USABLE:
            state = f"is {stack.status}" if stack else "is missing"
            proof.obstacle = f"No event was provoked: the stack {self._stack_name} {state}."
            return
        call(cloudformation, "update_termination_protection", StackName=stack.id, EnableTerminationProtection=stack.protected)
        proof.provoked = True


def able_to_confirm(accounts: t.Sequence[Account]) -> list[Account]:
    """Those of the accounts whose subscription may include RTM.

    :raises InputError: there is none, so no event will ever arrive.
    """
    able = [account for account in accounts if includes_rtm(account) is not False]
    if not able:
        names = ", ".join(f"{account.name or account.id} ({account.subscription_type or 'unknown subscription'})" for account in accounts)
        raise InputError(
            f"The subscription does not include Real-Time Threat Monitoring, so Conformity takes no events: {names}. "
            "Change the subscription of the account in Conformity to advanced."
        )
    return able


def as_result(proof: Proof, *, wait_timeout: float) -> Result:
    """The region's entry in the module's result."""
    reason = proof.obstacle
    if proof.pending:
        reason = f"Conformity has listed no new event of the region within {wait_timeout} seconds."
    return {
        "region": proof.region,
        "provoked": proof.provoked,
        "confirmed": proof.event is not None,
        "event_at": to_text(proof.event.time) if proof.event else None,
        "event_description": proof.event.description if proof.event else None,
        "reason": reason,
        "changed": False,
        "failed": proof.error is not None,
        **({"msg": str(proof.error)} if proof.error else {}),
    }
