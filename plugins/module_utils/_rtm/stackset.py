# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rolling RTM out, or back, over an organisation: look, plan, do, and look again until nothing is left to do."""

from __future__ import annotations

from collections import Counter

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.account import Account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.operations import OvertakenError, Patience
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_model import ObservedSet, Pair, WantedSet
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_operations import SetOperator
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_plan import Batch, SetAction, SetPlan, SetStep, plan_set, worked_on
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_report import SetReport

# How often one step is carried out in one run: deleting is tried again once, and another run may undo what this one did once.
TRIES = 2

# How often the list of instances is looked at until it knows of the end of an operation. It may be a little behind.
LOOKS_TO_SETTLE = 10


def roll_out_set(clients: AwsClients, wanted: WantedSet, *, region: str, wait_timeout: float, check_mode: bool) -> SetReport:
    """Bring a stack set to what is wanted. An expected failure is in the report, with what was done before it.

    :param region: the region in which the set is kept.
    :param wait_timeout: seconds that may be waited altogether.
    """
    report = SetReport()
    try:
        operator = SetOperator(clients, region, wanted, Patience(wait_timeout))
        try:
            _Rollout(wanted, operator, report, check_mode=check_mode).run()
        finally:
            report.changed = report.changed or operator.changed
            report.operations = list(operator.operations.values())
    except CloudOneError as error:
        report.error = str(error)
    return report


def refuse_regions_off(account: Account, wanted: WantedSet) -> None:
    """Check that the management account has all regions on, as far as that can be seen: stack sets cannot deploy where it has not.

    :param account: the account that the credentials belong to.
    :raises InputError: it has not.
    """
    off = [region for region in wanted.regions if region not in account.regions_on]
    if off and wanted.rtm.present and wanted.call_as == "SELF":
        raise InputError(
            f"Regions that are switched off in the management account {account.id}, where stack sets cannot deploy: {', '.join(off)}. "
            "Nothing was changed; switch them on there, or leave them out of regions."
        )


class _Rollout:
    def __init__(self, wanted: WantedSet, operator: SetOperator, report: SetReport, *, check_mode: bool) -> None:
        self._wanted = wanted
        self._operator = operator
        self._report = report
        self._check_mode = check_mode
        self._tries: Counter[tuple[SetStep, Batch | None]] = Counter()
        self._handed_over: frozenset[Pair] = frozenset()
        self._settling = 0

    def run(self) -> None:
        while True:
            observed = self._operator.observe()
            self._report.observed(observed)
            plan = plan_set(observed, self._wanted, self._handed_over)
            self._report.planned(plan)
            if plan.action is SetAction.BLOCKED:
                raise CloudOneError(plan.reason)
            if self._check_mode:
                self._report.changed = plan.step is not None
                return
            if observed.found and observed.found.operation:
                self._operator.await_end(observed.found.operation.id)
            elif plan.step is not None:
                self._carry_out(plan, plan.step, observed)
            elif plan.action is SetAction.WAIT and self._settling < LOOKS_TO_SETTLE:
                self._settling += 1
                self._operator.pause(plan.reason.rstrip("."))
            else:
                return self._check_coverage(observed)

    def _carry_out(self, plan: SetPlan, step: SetStep, observed: ObservedSet) -> None:
        self._tries[step, plan.batch] += 1
        if self._tries[step, plan.batch] > TRIES:
            raise CloudOneError(f"To {step.value} did not help, or something changes the stack set at the same time. {plan.reason}".rstrip())
        try:
            self._operator.carry_out(plan, observed)
        except OvertakenError as error:
            self._tries[step, plan.batch] -= 1
            self._operator.pause(f"{str(error).rstrip('.')}, and that is still so")
            return
        self._handed_over |= worked_on(plan, observed)

    def _check_coverage(self, observed: ObservedSet) -> None:
        """An operation may fail as a whole, without an instance that could tell why."""
        if not self._wanted.rtm.present or observed.found is None or not observed.found.lacks(self._wanted.pairs):
            return
        for operation in self._operator.operations.values():
            if operation.status != "SUCCEEDED":
                reason = operation.reason or "CloudFormation gives no reason."
                raise CloudOneError(f"The operation {operation.id} ({operation.action}) on the stack set ended as {operation.status}: {reason}")
