# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of one region, and how that is told. Pure."""

from __future__ import annotations

import dataclasses
import typing as t
from dataclasses import dataclass, field

from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.drift import PATTERN_DRIFTS, Drift
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import USABLE, Observed, Rule, Stack, Wanted
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.plan import Action, Plan, Status, drift, is_foreign, status
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import TARGET_ID

Result = dict[str, t.Any]


@dataclass
class Report:
    """What became of one region so far.

    :ivar first: what stood there in the beginning, ``None`` if that could not be read.
    :ivar last: what stands there now, as far as it is known.
    :ivar action: the first thing that was done.
    :ivar changed: whether anything was written, or in check mode would be.
    :ivar error: why the region failed.
    """

    region: str
    first: Observed | None = None
    last: Observed | None = None
    action: Action = Action.NONE
    reasons: list[str] = field(default_factory=list)
    changed: bool = False
    error: str | None = None

    def observed(self, observed: Observed) -> None:
        """Take note of what stands there now."""
        self.first = self.first or observed
        self.last = observed

    def planned(self, plan: Plan) -> None:
        """Take note of a plan that is going to be carried out. The first plan that is no waiting names the action."""
        if self.action in (Action.NONE, Action.WAIT):
            self.action = plan.action
        creates_again = self.action is Action.RECREATE and plan.action is Action.CREATE
        if plan.reason and plan.reason not in self.reasons and not creates_again:
            self.reasons.append(plan.reason)

    def result(self, wanted: Wanted) -> Result:
        """The region's entry in the module's result; ``None`` stands for what is not there or not known."""
        stack = self.last.stack if self.last else None
        rule = self.last.rule if self.last else None
        return {
            "region": self.region,
            "action": self.action.value,
            "status": self._status(wanted).value,
            "reason": " ".join(self.reasons) or None,
            "stack_id": stack.id if stack else None,
            "stack_status": stack.status if stack else None,
            "rule_arn": rule.arn if rule else None,
            "rule_state": rule.state if rule else None,
            "owner": rule.owner if rule else None,
            "drift": [kind.value for kind in drift(self.last, wanted)] if self.last else [],
            "changed": self.changed,
            "failed": self.error is not None,
            **({"msg": self.error} if self.error else {}),
        }

    def _status(self, wanted: Wanted) -> Status:
        if self.action is Action.SKIP:
            return Status.SKIPPED
        return Status.FAILED if self.error or self.last is None else status(self.last, wanted)

    def difference(self, wanted: Wanted, *, check_mode: bool) -> Result | None:
        """The entry in the module's diff, ``None`` if there is no difference."""
        if self.first is None or self.last is None:
            return None
        before, after = view(self.first), view(expected(self.first, wanted) if check_mode and self.changed else self.last)
        return None if before == after else {"before_header": self.region, "after_header": self.region, "before": before, "after": after}


def view(observed: Observed) -> Result:
    """What stands in a region, as a person wants to see it in a difference."""
    return {
        **({"stack": _stack_view(observed.stack)} if observed.stack else {}),
        **({"rule": _rule_view(observed.rule)} if observed.rule else {}),
    }


def expected(observed: Observed, wanted: Wanted) -> Observed:
    """What will stand in a region when everything there is to do has been done."""
    foreign = is_foreign(observed)
    if not wanted.present:
        return dataclasses.replace(observed, stack=None, rule=observed.rule if foreign else None)
    drifts = drift(observed, wanted)
    usable = observed.stack if observed.stack and observed.stack.status in USABLE else None
    stack = Stack(
        name=wanted.stack_name,
        id="",
        status="CREATE_COMPLETE",
        parameters=usable.parameters if usable and Drift.PARAMETERS not in drifts else wanted.parameters,
        tags={**(usable.tags if usable else {}), **wanted.tags},
        protected=bool(usable and usable.protected) if wanted.protection is None else wanted.protection,
    )
    rule = observed.rule if usable else None
    target = {"Id": TARGET_ID, "Arn": wanted.target_arn(observed.region)}
    others = tuple(target for target in rule.targets if target["Id"] != TARGET_ID) if rule else ()
    return dataclasses.replace(
        observed,
        stack=stack,
        rule=Rule(
            arn="",
            state=rule.state if rule and Drift.DISABLED not in drifts else "ENABLED",
            pattern=rule.pattern if rule and not drifts.keys() & PATTERN_DRIFTS else wanted.pattern(observed.account_id, rule.pattern if rule else None),
            targets=rule.targets if rule and Drift.TARGET not in drifts else (*others, target),
            owner=stack.name,
        ),
    )


def _stack_view(stack: Stack) -> Result:
    shown: Result = {"name": stack.name, "parameters": dict(stack.parameters), "tags": dict(stack.tags), "termination_protection": stack.protected}
    if stack.status not in USABLE:
        shown["status"] = stack.status
    return shown


def _rule_view(rule: Rule) -> Result:
    # EventBridge lists targets in no order that means something: a diff must not show one.
    return {"state": rule.state, "event_pattern": rule.pattern, "targets": sorted(str(target["Arn"]) for target in rule.targets)}
