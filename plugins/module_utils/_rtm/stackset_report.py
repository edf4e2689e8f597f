# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a stack set, and how that is told. Pure."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.trendmicro.cloudone.plugins.module_utils._results import failure_summary
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_model import INOPERABLE, Instance, ObservedSet, Operation, StackSet, WantedSet
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_plan import SetAction, SetPlan, expected, unfinished

Result = dict[str, t.Any]

MANAGEMENT_HINT = "Stack sets never deploy into the organization's management account. Cover it with the module conformity_rtm."
_LEFT_BY_DELETION = "Delete it from the stack set with RetainStacks, and then the stack itself in the account."


@dataclass
class SetReport:
    """What became of a stack set so far.

    :ivar first: what stood in the beginning, ``None`` if that could not be read.
    :ivar last: what stands now, as far as it is known.
    :ivar action: the first thing that was done.
    :ivar changed: whether anything was written, or in check mode would be.
    :ivar operations: of CloudFormation, that were begun or waited for.
    :ivar error: why it failed, other than by its instances.
    """

    first: ObservedSet | None = None
    last: ObservedSet | None = None
    action: SetAction = SetAction.NONE
    reasons: list[str] = field(default_factory=list)
    changed: bool = False
    operations: t.Sequence[Operation] = ()
    error: str | None = None

    def observed(self, observed: ObservedSet) -> None:
        """Take note of what stands now."""
        self.first = self.first or observed
        self.last = observed

    def planned(self, plan: SetPlan) -> None:
        """Take note of a plan that is going to be carried out. The first plan that is no waiting names the action."""
        if self.action in (SetAction.NONE, SetAction.WAIT):
            self.action = plan.action
        if plan.reason and plan.reason not in self.reasons:
            self.reasons.append(plan.reason)

    def result(self, wanted: WantedSet, *, check_mode: bool) -> Result:
        """The module's return values, without ``msg``; ``None`` stands for what is not there or not known."""
        found = self.last.found if self.last else None
        failed = [] if check_mode or found is None else unfinished(found, wanted)
        instances = sorted(found.instances, key=lambda instance: (instance.account_id, instance.region)) if found else []
        return {
            "changed": self.changed,
            "action": self.action.value,
            "reason": " ".join(self.reasons) or None,
            "stack_set_id": found.id if found else None,
            "stack_set_status": found.status if found else None,
            "instances": [_instance(instance, failed=instance in failed) for instance in instances],
            "operations": [
                {"operation_id": operation.id, "action": operation.action, "status": operation.status, "reason": operation.reason}
                for operation in self.operations
            ],
            "management_account_covered": False,
            "management_account_hint": MANAGEMENT_HINT,
        }

    def failure(self, result: Result) -> str:
        """Why the module fails, with the name of each failed instance; empty if it does not."""
        named = [{**entry, "name": f"{entry['account_id']} in {entry['region']}"} for entry in result["instances"]]
        summary = failure_summary(named, of="stack_instances", key="name")
        return "\n".join(part for part in (self.error, summary) if part)

    def difference(self, wanted: WantedSet, *, check_mode: bool) -> list[Result]:
        """The module's diff: one entry, or none if there is no difference."""
        if self.first is None or self.last is None:
            return []
        before = view(self.first.found)
        after = view(expected(self.first.found, wanted) if check_mode and self.changed else self.last.found)
        name = wanted.rtm.stack_name
        return [] if before == after else [{"before_header": name, "after_header": name, "before": before, "after": after}]


def view(found: StackSet | None) -> Result:
    """A stack set as a person wants to see it in a difference."""
    if found is None:
        return {}
    regions: dict[str, list[str]] = {}
    for unit, region in sorted(found.covered | found.targets):
        regions.setdefault(unit, []).append(region)
    auto = found.auto_deployment
    return {
        "name": found.name,
        "template": _readable(found.template),
        "parameters": dict(found.parameters),
        "tags": dict(found.tags),
        "auto_deployment": {"enabled": auto.enabled, **({"retain_stacks_on_account_removal": auto.retain} if auto.enabled else {})},
        "organizational_units": regions,
        "not_up_to_date": sorted(f"{instance.account_id} in {instance.region}" for instance in found.instances if instance.needs_work),
    }


def _readable(template: str | None) -> t.Any:
    """A template in JSON as the data that it is."""
    try:
        return json.loads(template or "")
    except ValueError:
        return template


def _instance(instance: Instance, *, failed: bool) -> Result:
    entry: Result = {
        "account_id": instance.account_id,
        "organizational_unit": instance.unit_id,
        "region": instance.region,
        "status": instance.status,
        "detailed_status": instance.detailed_status,
        "reason": instance.reason,
        "failed": failed,
    }
    if failed:
        state = f"{instance.status}, {instance.detailed_status}" if instance.detailed_status else instance.status
        text = f"The stack instance is {state}: {instance.reason or 'CloudFormation gives no reason.'}"
        entry["msg"] = f"{text} {_LEFT_BY_DELETION}" if instance.status == INOPERABLE else text
    return entry
