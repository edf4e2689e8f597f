# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rolling RTM out, or back, in one region: look, plan, do, and look again until nothing is left to do."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import Observed, Stack, Wanted
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.observe import observe
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.operations import (
    NothingToUpdateError,
    Operator,
    OvertakenError,
    Patience,
    StackError,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.plan import Action, Plan, Step, plan
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.report import Report

# How often one step is done in one run: deleting is tried again once, and another run may have been faster once.
TRIES = 2


@dataclass(frozen=True)
class Context:
    """What a roll-out needs to know besides the region.

    :ivar wait_timeout: seconds that may be waited in each region.
    """

    clients: AwsClients
    account_id: str
    wanted: Wanted
    wait_timeout: float
    check_mode: bool


def roll_out(context: Context, region: str) -> Report:
    """Bring one region to what is wanted. An expected failure is in the report, with what was done before it."""
    report = Report(region)
    try:
        operator = Operator(context.clients, region, context.wanted, Patience(context.wait_timeout))
        try:
            _Rollout(context, report, operator).run()
        finally:
            report.changed = report.changed or operator.changed
    except CloudOneError as error:
        report.error = str(error)
    return report


class _Rollout:
    def __init__(self, context: Context, report: Report, operator: Operator) -> None:
        self._context = context
        self._report = report
        self._operator = operator
        self._tries: Counter[Step] = Counter()
        self._template_applied = False

    def run(self) -> None:
        settled: Stack | None = None
        while True:
            observed = self._observe(settled)
            planned = plan(observed, self._context.wanted, template_applied=self._template_applied)
            self._report.planned(planned)
            if planned.action is Action.BLOCKED:
                raise CloudOneError(planned.reason)
            if self._context.check_mode:
                self._report.changed = bool(planned.steps)
                return
            if planned.action is Action.WAIT and observed.stack:
                settled = self._operator.await_settled(observed.stack)
            elif planned.steps:
                settled = self._carry_out(planned, observed)
            else:
                return

    def _observe(self, settled: Stack | None) -> Observed:
        context = self._context
        observed = observe(context.clients, self._report.region, account_id=context.account_id, stack_name=context.wanted.stack_name, stack=settled)
        self._report.observed(observed)
        return observed

    def _carry_out(self, planned: Plan, observed: Observed) -> Stack | None:
        """Do the steps of one plan. Where one turns out otherwise, leave the rest to the next plan.

        :returns: the stack as it is now, if that is known and there is one.
        """
        settled = None
        for step in planned.steps:
            self._tries[step] += 1
            if self._tries[step] > TRIES:
                raise CloudOneError(f"To {step.value} did not help, or something changes it at the same time. {planned.reason} Run again later.")
            try:
                settled = self._operator.carry_out(step, observed)
            except OvertakenError:
                return None
            except NothingToUpdateError:
                self._template_applied = True
                self._report.action = Action.NONE
                return None
            except StackError as error:
                self._report.observed(dataclasses.replace(observed, stack=error.stack))
                if error.stack.status == "DELETE_FAILED" and self._tries[step] < TRIES:
                    return None
                raise
            self._template_applied = self._template_applied or step in (Step.CREATE_STACK, Step.UPDATE_STACK)
        return settled
