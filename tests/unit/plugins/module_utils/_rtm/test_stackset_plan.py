# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import Wanted
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_model import (
    AutoDeployment,
    Instance,
    ObservedSet,
    Operation,
    StackSet,
    WantedSet,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_plan import (
    MOST_UNITS,
    SetAction,
    SetPlan,
    SetStep,
    expected,
    plan_set,
    unfinished,
    worked_on,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import CONFORMITY_ACCOUNT_ID, template_body

# An organization: units with their accounts. The last has none.
ACCOUNTS = {f"ou-{number}": tuple(f"{number}{account:011}" for account in range(number % 4)) for number in range(1, 5)}
REGIONS = ("us-east-1", "eu-west-1", "eu-west-2")
UNITS = st.lists(st.sampled_from(sorted(ACCOUNTS)), min_size=1, unique=True)
SOME_REGIONS = st.lists(st.sampled_from(REGIONS), min_size=1, unique=True)


@st.composite
def wanted_sets(draw: st.DrawFn) -> WantedSet:
    return WantedSet(
        rtm=Wanted(
            present=draw(st.booleans()),
            stack_name="rtm",
            conformity_account_id=CONFORMITY_ACCOUNT_ID,
            sources=draw(st.sampled_from([("aws.s3",), ("aws.s3", "aws.ec2")])),
            tags=draw(st.sampled_from([{}, {"Owner": "security"}])),
            template_url=draw(st.sampled_from([None, "https://bucket.s3.amazonaws.com/template.yml"])),
        ),
        units=tuple(draw(UNITS)),
        regions=tuple(draw(SOME_REGIONS)),
        auto_deployment=AutoDeployment(draw(st.booleans())),
        preferences={},
        retain_stacks=False,
        call_as="SELF",
    )


@st.composite
def stack_sets(draw: st.DrawFn) -> StackSet:
    """Stack sets of RTM in any state, not all of their instances up to date."""
    targets = frozenset(draw(st.lists(st.tuples(st.sampled_from(sorted(ACCOUNTS)), st.sampled_from(REGIONS)), unique=True)))
    states = st.sampled_from(["CURRENT SUCCEEDED", "OUTDATED FAILED", "OUTDATED CANCELLED", "OUTDATED PENDING", "OUTDATED SKIPPED_SUSPENDED_ACCOUNT"])
    auto_deployment = AutoDeployment(draw(st.booleans()))
    return StackSet(
        "rtm",
        "rtm:1",
        "ACTIVE",
        "SERVICE_MANAGED",
        draw(st.sampled_from([template_body(), "Resources: {CloudConformityMonitoring: {Type: AWS::Events::Rule}}"])),
        parameters=draw(st.sampled_from([{}, {"CloudConformityAccountId": CONFORMITY_ACCOUNT_ID, "EventBusSources": "aws.s3"}])),
        tags=draw(st.sampled_from([{}, {"Owner": "other", "Cost": "7"}])),
        auto_deployment=auto_deployment,
        units=frozenset(unit for unit, _region in targets),
        targets=targets if auto_deployment.enabled else frozenset(),
        instances=tuple(Instance(account, region, unit, *draw(states).split()) for unit, region in sorted(targets) for account in ACCOUNTS[unit]),
        operation=draw(st.sampled_from([None, None, Operation("1", "UPDATE", "RUNNING")])),
    )


def carry_out(plan: SetPlan, found: StackSet | None, wanted: WantedSet) -> StackSet | None:
    """What CloudFormation makes of a step, if nothing fails."""
    if plan.action is SetAction.WAIT and found:
        return dataclasses.replace(found, operation=None)
    if plan.step is SetStep.CREATE_SET:
        new = StackSet("rtm", "rtm:1", "ACTIVE", "SERVICE_MANAGED", template_body(), wanted.rtm.parameters, wanted.rtm.tags)
        return dataclasses.replace(new, auto_deployment=wanted.auto_deployment)
    assert found is not None
    if plan.step is SetStep.DELETE_SET:
        assert not found.instances
        return None
    if plan.step is SetStep.UPDATE_SET:
        changed = expected(found, wanted)
        assert changed is not None
        targets = frozenset(instance.pair for instance in found.instances) if wanted.auto_deployment.enabled else frozenset()
        return dataclasses.replace(changed, instances=tuple(map(done, found.instances)), targets=targets)
    assert plan.batch is not None
    assert len(plan.batch.units) <= MOST_UNITS
    chosen = {
        (account, region): unit for unit, region in plan.batch.pairs for account in ACCOUNTS[unit] if not plan.batch.accounts or account in plan.batch.accounts
    }
    rest = tuple(instance for instance in found.instances if (instance.account_id, instance.region) not in chosen)
    if plan.step is SetStep.DELETE_INSTANCES:
        return dataclasses.replace(found, instances=rest)
    units = found.units if plan.batch.accounts else found.units | set(plan.batch.units)
    new_targets = found.targets | plan.batch.pairs if found.auto_deployment.enabled and not plan.batch.accounts else found.targets
    made = tuple(done(Instance(account, region, unit, "OUTDATED")) for (account, region), unit in chosen.items())
    return dataclasses.replace(found, instances=rest + made, units=units, targets=new_targets)


def done(instance: Instance) -> Instance:
    return dataclasses.replace(instance, status="CURRENT", detailed_status="SUCCEEDED")


@given(st.none() | stack_sets(), wanted_sets())
def test_a_run_comes_to_what_is_wanted_and_the_next_one_finds_nothing_to_do(found: StackSet | None, wanted: WantedSet) -> None:
    handed_over: frozenset[tuple[str, str]] = frozenset()
    for _step in range(25):
        plan = plan_set(ObservedSet(found), wanted, handed_over)
        assert plan.action is not SetAction.BLOCKED
        if plan.action is SetAction.NONE:
            break
        handed_over |= worked_on(plan, ObservedSet(found))
        found = carry_out(plan, found, wanted)
    assert plan.action is SetAction.NONE
    if not wanted.rtm.present:
        assert found is None
        return
    assert found is not None
    assert unfinished(found, wanted) == []
    assert {(account, region) for unit, region in wanted.pairs for account in ACCOUNTS[unit]} <= {
        (instance.account_id, instance.region) for instance in found.instances
    }
    assert plan_set(ObservedSet(found), wanted).action is SetAction.NONE


@given(stack_sets(), wanted_sets())
def test_only_what_is_wanted_and_not_up_to_date_is_tried_again(found: StackSet, wanted: WantedSet) -> None:
    plan = plan_set(ObservedSet(found), wanted)
    if plan.action is not SetAction.RETRY or plan.batch is None:
        return
    assert plan.batch.pairs <= wanted.pairs
    these = [one for one in found.instances if one.pair in plan.batch.pairs and one.account_id in plan.batch.accounts]
    todo = unfinished(found, wanted)
    assert {one.pair for one in these if one in todo} == plan.batch.pairs
    assert {one.account_id for one in todo} >= set(plan.batch.accounts)


@given(stack_sets(), wanted_sets(), st.sampled_from([{"permission_model": "SELF_MANAGED"}, {"template": "Resources: {A: {Type: AWS::S3::Bucket}}"}]))
def test_what_is_not_ours_is_never_touched(found: StackSet, wanted: WantedSet, other: dict[str, str]) -> None:
    plan = plan_set(ObservedSet(dataclasses.replace(found, **other)), wanted)  # type: ignore[arg-type]
    assert (plan.action, plan.step) == (SetAction.BLOCKED, None)


@given(stack_sets(), wanted_sets())
def test_while_an_operation_runs_nothing_is_written(found: StackSet, wanted: WantedSet) -> None:
    plan = plan_set(ObservedSet(dataclasses.replace(found, operation=Operation("1", "CREATE", "QUEUED"))), wanted)
    assert (plan.action, plan.step) == (SetAction.WAIT, None)
