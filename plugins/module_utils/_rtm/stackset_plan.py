# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about a stack set: what stands and what is wanted give the next step. Pure."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.drift import differing_parameters, differing_tags, in_words
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import template_mismatch
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_model import (
    INOPERABLE,
    SERVICE_MANAGED,
    Instance,
    ObservedSet,
    Pair,
    StackSet,
    WantedSet,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import Json, template, template_body

# CloudFormation takes at most this many units in one operation.
MOST_UNITS = 50


class SetAction(StrEnum):
    """What is done about a stack set, as users see it."""

    NONE = "none"
    WAIT = "wait"
    CREATE = "create"
    UPDATE = "update"
    RETRY = "retry"
    EXTEND = "extend"
    DELETE = "delete"
    BLOCKED = "blocked"


class SetStep(StrEnum):
    """One write."""

    CREATE_SET = "create the stack set"
    UPDATE_SET = "update the stack set"
    CREATE_INSTANCES = "create stack instances"
    DELETE_INSTANCES = "delete stack instances"
    DELETE_SET = "delete the stack set"


@dataclass(frozen=True)
class Batch:
    """Instances that one operation is about.

    :ivar accounts: if not empty, only these of the accounts in the units.
    """

    units: tuple[str, ...]
    regions: tuple[str, ...]
    accounts: tuple[str, ...] = ()

    @property
    def pairs(self) -> frozenset[Pair]:
        return frozenset((unit, region) for unit in self.units for region in self.regions)


@dataclass(frozen=True)
class SetPlan:
    """What to do next. When the step is done, look and plan again: more may be left to do.

    :ivar batch: what the step is about; the whole set if ``None``.
    :ivar reason: why, in words; may be empty where there is nothing to do.
    """

    action: SetAction
    step: SetStep | None = None
    reason: str = ""
    batch: Batch | None = None


def plan_set(observed: ObservedSet, wanted: WantedSet, handed_over: frozenset[Pair] = frozenset()) -> SetPlan:
    """What to do next about a stack set.

    :param handed_over: units and regions on whose instances CloudFormation has worked for this run. What is not up to date there is not
        tried once more.
    """
    found = observed.found
    if found is None:
        return _plan_create(observed, wanted)
    refusal = _refusal(found)
    if refusal:
        return SetPlan(SetAction.BLOCKED, reason=refusal)
    if found.operation:
        return SetPlan(SetAction.WAIT, reason=f"The operation {found.operation.id} ({found.operation.action}) is {found.operation.status}.")
    return _plan_present(found, wanted, handed_over) if wanted.rtm.present else _plan_absent(found)


def worked_on(plan: SetPlan, observed: ObservedSet) -> frozenset[Pair]:
    """The units and regions on whose instances CloudFormation works when it carries out the step of a plan."""
    if plan.step is SetStep.UPDATE_SET and observed.found:
        return frozenset(instance.pair for instance in observed.found.instances)
    return plan.batch.pairs if plan.batch else frozenset()


def differences(found: StackSet, wanted: WantedSet) -> dict[str, str]:
    """In what the set itself differs: what, and that in words. Parameters and tags of which the user says nothing are not looked at.

    Nobody can look at the rules in all the accounts, so the template stands for them. What counts in it are its resources. What is
    behind a URL is not known here.
    """
    found_differences = {}
    if wanted.rtm.template_url is None and _resources(found.template) != template()["Resources"]:
        found_differences["template"] = "the stack set has another template"
    parameters = differing_parameters(found.parameters, wanted.rtm)
    if parameters:
        found_differences["parameters"] = f"the stack set has other values for the parameters {', '.join(parameters)}"
    tags = differing_tags(found.tags, wanted.rtm)
    if tags:
        found_differences["tags"] = f"the stack set has other values for the tags {', '.join(tags)}"
    if found.auto_deployment != wanted.auto_deployment:
        found_differences["auto_deployment"] = "auto-deployment is set otherwise"
    return found_differences


def unfinished(found: StackSet, wanted: WantedSet) -> list[Instance]:
    """The instances that are not as they are wanted to be, by account and region."""
    return [
        instance
        for instance in sorted(found.instances, key=lambda instance: (instance.account_id, instance.region))
        if not wanted.rtm.present or (instance.pair in wanted.pairs and instance.needs_work)
    ]


def expected(found: StackSet | None, wanted: WantedSet) -> StackSet | None:
    """What will stand when everything there is to do has been done."""
    if not wanted.rtm.present:
        return None
    own_template = wanted.rtm.template_url or template_body()
    if found is None:
        found = StackSet(wanted.rtm.stack_name, "", "ACTIVE", SERVICE_MANAGED, own_template)
    differing = differences(found, wanted)
    todo = unfinished(found, wanted)
    return dataclasses.replace(
        found,
        template=own_template if "template" in differing else found.template,
        parameters={**found.parameters, **wanted.rtm.parameters} if "parameters" in differing else found.parameters,
        tags={**found.tags, **wanted.rtm.tags},
        auto_deployment=wanted.auto_deployment,
        targets=found.covered | wanted.pairs,
        instances=tuple(dataclasses.replace(instance, status="CURRENT") if instance in todo else instance for instance in found.instances),
    )


def _plan_create(observed: ObservedSet, wanted: WantedSet) -> SetPlan:
    if not wanted.rtm.present:
        return SetPlan(SetAction.NONE)
    if not observed.trusted:
        return SetPlan(
            SetAction.BLOCKED,
            reason="CloudFormation StackSets have no trusted access to the organization. Nothing was changed. Activate it once, in the management "
            "account: aws cloudformation activate-organizations-access, or in the console under CloudFormation, StackSets.",
        )
    return SetPlan(SetAction.CREATE, SetStep.CREATE_SET, f"There is no stack set {wanted.rtm.stack_name}.")


def _refusal(found: StackSet) -> str | None:
    """Why the set must not be touched."""
    if found.permission_model != SERVICE_MANAGED:
        return (
            f"The stack set {found.name} is {found.permission_model}, and this module is for {SERVICE_MANAGED} ones. "
            "Nothing was changed; delete it, or choose another stack_set_name."
        )
    mismatch = template_mismatch(found.template)
    return f"The stack set {found.name} is not one of RTM: {mismatch}. Nothing was changed; check stack_set_name." if mismatch else None


def _plan_present(found: StackSet, wanted: WantedSet, handed_over: frozenset[Pair]) -> SetPlan:
    differing = differences(found, wanted)
    if differing:
        return SetPlan(SetAction.UPDATE, SetStep.UPDATE_SET, in_words(differing))
    todo = unfinished(found, wanted)
    untried = [instance for instance in todo if instance.status != INOPERABLE and instance.pair not in handed_over]
    if untried:
        return _plan_retry(untried)
    missing = found.lacks(wanted.pairs) - handed_over
    if missing:
        batch = _first_batch(missing)
        where = f"{', '.join(batch.units)} in {', '.join(batch.regions)}"
        return SetPlan(SetAction.EXTEND, SetStep.CREATE_INSTANCES, f"The stack set does not cover {where}.", batch)
    if any(instance.under_way for instance in todo):
        return SetPlan(SetAction.WAIT, reason="The list of stack instances is not up to date yet.")
    return SetPlan(SetAction.NONE)


def _plan_retry(untried: t.Sequence[Instance]) -> SetPlan:
    batch = _first_batch({instance.pair for instance in untried})
    these = [instance for instance in untried if instance.pair in batch.pairs]
    batch = dataclasses.replace(batch, accounts=tuple(sorted({instance.account_id for instance in these})))
    names = ", ".join(f"{instance.account_id} in {instance.region}" for instance in these)
    return SetPlan(SetAction.RETRY, SetStep.CREATE_INSTANCES, f"Not up to date: {names}.", batch)


def _plan_absent(found: StackSet) -> SetPlan:
    if found.instances:
        batch = _first_batch({instance.pair for instance in found.instances})
        return SetPlan(SetAction.DELETE, SetStep.DELETE_INSTANCES, batch=batch)
    return SetPlan(SetAction.DELETE, SetStep.DELETE_SET)


def _first_batch(pairs: t.Collection[Pair]) -> Batch:
    """Pairs for one operation, which is about all of its units in all of its regions: the units that lack the same regions."""
    regions: dict[str, list[str]] = defaultdict(list)
    for unit, region in sorted(pairs):
        regions[unit].append(region)
    first = min(regions)
    units = [unit for unit, those in regions.items() if those == regions[first]]
    return Batch(tuple(units[:MOST_UNITS]), tuple(regions[first]))


def _resources(text: str | None) -> t.Any:
    """The resources of a template in JSON; ``None`` of any other."""
    try:
        parsed: Json = json.loads(text or "")
    except ValueError:
        return None
    return parsed.get("Resources") if isinstance(parsed, dict) else None
