# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do in one region: what stands there and what is wanted give the next steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.drift import PATTERN_DRIFTS, Drift, Drifts, in_words, rule_drift, stack_drift
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import BROKEN, OWNER_ACTION, USABLE, Observed, Rule, Stack, Wanted
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import RULE_NAME, template


class Action(StrEnum):
    """What is done about a region, as users see it."""

    NONE = "none"
    SKIP = "skip"
    WAIT = "wait"
    CREATE = "create"
    UPDATE = "update"
    REPAIR = "repair"
    RECREATE = "recreate"
    DELETE = "delete"
    BLOCKED = "blocked"


class Step(StrEnum):
    """One write."""

    CREATE_STACK = "create the stack"
    UPDATE_STACK = "update the stack"
    DELETE_STACK = "delete the stack"
    PROTECT = "switch termination protection on"
    UNPROTECT = "switch termination protection off"
    ENABLE_RULE = "enable the rule"
    PUT_RULE = "write the rule"
    PUT_TARGET = "write the rule's target"


@dataclass(frozen=True)
class Plan:
    """What to do next. When the steps are done, look and plan again: more may be left to do.

    :ivar reason: why, in words; may be empty where there is nothing to do.
    """

    action: Action
    steps: tuple[Step, ...]
    reason: str


class Status(StrEnum):
    """How a region stands, as users see it."""

    PRESENT = "present"
    DRIFTED = "drifted"
    BROKEN = "broken"
    IN_PROGRESS = "in_progress"
    ABSENT = "absent"
    FOREIGN = "foreign"
    SKIPPED = "skipped"
    FAILED = "failed"


def plan(observed: Observed, wanted: Wanted, *, template_applied: bool = False) -> Plan:
    """What to do next in a region.

    :param template_applied: whether CloudFormation has just been given the wanted template and has nothing more to change.
    """
    stack = observed.stack
    if stack is not None and stack.in_progress:
        return Plan(Action.WAIT, (), f"The stack {stack.name} is {stack.status}.")
    if not wanted.present:
        return _plan_absent(observed, wanted)
    if observed.rule is not None and is_foreign(observed):
        return _plan_foreign(observed, observed.rule, wanted)
    if stack is None:
        return Plan(Action.CREATE, (Step.CREATE_STACK,), f"There is no stack {wanted.stack_name}.")
    if stack.status in BROKEN:
        return _plan_delete(stack, wanted, Action.RECREATE, f"The stack is {stack.status}, from which it cannot be updated.")
    if stack.status not in USABLE:
        return _blocked(f"The stack {stack.name} is in a state that is not known here, {stack.status}. Nothing was changed; bring it into another state.")
    return _plan_repair(observed, stack, wanted, template_applied)


def status(observed: Observed, wanted: Wanted) -> Status:
    """How a region stands compared with RTM as it is wanted."""
    stack = observed.stack
    if stack is not None and stack.in_progress:
        return Status.IN_PROGRESS
    if is_foreign(observed):
        return Status.FOREIGN
    if stack is None:
        return Status.ABSENT
    if stack.status not in USABLE:
        return Status.BROKEN
    return Status.DRIFTED if drift(observed, wanted) else Status.PRESENT


def drift(observed: Observed, wanted: Wanted) -> Drifts:
    """In what a region differs that has a stack or a rule; where the rule is not ours, only the rule is looked at."""
    stack = observed.stack
    if stack is None:
        return rule_drift(observed, wanted) if observed.rule else {}
    if stack.in_progress:
        return {}
    of_stack = {} if is_foreign(observed) else stack_drift(stack, wanted)
    return {**of_stack, **rule_drift(observed, wanted)}


def is_foreign(observed: Observed) -> bool:
    """Whether the rule is there and not ours to change.

    A broken stack may or may not hold a rule whose owner is not known. Deleting that stack tells, and harms no rule of another.
    """
    stack, rule = observed.stack, observed.rule
    if rule is None:
        return False
    if rule.owner_known:
        return stack is None or rule.owner != stack.name
    return stack is None


def whose(rule: Rule) -> str:
    """Whom a rule that is not ours belongs to."""
    if rule.owner:
        return f"The rule {RULE_NAME} belongs to the stack {rule.owner} and is left alone."
    if rule.owner_known:
        return f"The rule {RULE_NAME} belongs to no stack and is left alone. Delete it to have one made by a stack."
    return f"The rule {RULE_NAME} is there and is left alone. Whose it is cannot be seen without the IAM action {OWNER_ACTION}."


def _plan_foreign(observed: Observed, rule: Rule, wanted: Wanted) -> Plan:
    return Plan(Action.NONE, (), f"{whose(rule)} {in_words(rule_drift(observed, wanted))}".strip())


def _plan_absent(observed: Observed, wanted: Wanted) -> Plan:
    if observed.stack is not None:
        return _plan_delete(observed.stack, wanted, Action.DELETE, "")
    return Plan(Action.NONE, (), whose(observed.rule) if observed.rule else "")


def _plan_delete(stack: Stack, wanted: Wanted, action: Action, reason: str) -> Plan:
    if stack.mismatch:
        return _not_ours(stack)
    if not stack.protected:
        return Plan(action, (Step.DELETE_STACK,), reason)
    if wanted.protection is False:
        return Plan(action, (Step.UNPROTECT, Step.DELETE_STACK), reason)
    protected = f"The stack {stack.name} has termination protection. Nothing was changed; to delete it all the same, set termination_protection: false."
    return _blocked(f"{reason} {protected}".strip())


def _plan_repair(observed: Observed, stack: Stack, wanted: Wanted, template_applied: bool) -> Plan:
    """CloudFormation brings right what it knows of; what was changed behind its back it does not see, so that is written directly."""
    drifts = drift(observed, wanted)
    if drifts and stack.mismatch:
        return _not_ours(stack)
    reason = in_words(drifts)
    own_template = template_applied or (wanted.template_url is None and stack.template == template())
    of_pattern = drifts.keys() & PATTERN_DRIFTS
    if drifts.keys() & {Drift.PARAMETERS, Drift.TAGS} or (of_pattern and not own_template):
        return Plan(Action.UPDATE, (Step.UPDATE_STACK,), reason)
    steps = []
    if of_pattern or Drift.NO_RULE in drifts:
        steps.append(Step.PUT_RULE)
    elif Drift.DISABLED in drifts:
        steps.append(Step.ENABLE_RULE)
    if drifts.keys() & {Drift.TARGET, Drift.NO_RULE}:
        steps.append(Step.PUT_TARGET)
    action = Action.REPAIR if steps else Action.NONE
    if Drift.PROTECTION in drifts:
        steps.append(Step.PROTECT if wanted.protection else Step.UNPROTECT)
        action = Action.UPDATE
    return Plan(action, tuple(steps), reason)


def _not_ours(stack: Stack) -> Plan:
    return _blocked(f"The stack {stack.name} is not one of RTM: {stack.mismatch}. Nothing was changed; check stack_name.")


def _blocked(reason: str) -> Plan:
    return Plan(Action.BLOCKED, (), reason)
