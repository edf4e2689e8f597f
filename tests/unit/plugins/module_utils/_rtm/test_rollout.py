# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import dataclasses
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import BROKEN, USABLE, Observed, Stack, Wanted
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.observe import observe
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.operations import first_failure
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.plan import Action, plan, status
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.report import Report, expected, view
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.rollout import Context, roll_out
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import EVENT_BUS_SOURCES, RULE_NAME
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.rtm_world import ACCOUNT, CONFORMITY, DEFAULTS, OLDER, VENDOR, Clients, Region

PRESENT = Wanted(present=True, stack_name=RULE_NAME, conformity_account_id=CONFORMITY, sources=EVENT_BUS_SOURCES)
ABSENT = dataclasses.replace(PRESENT, present=False)
STACK_SET = "StackSet-rtm-5b0e3d0e"
NAME = "eu-west-1"


def run(region: Region, wanted: Wanted = PRESENT, *, check_mode: bool = False, timeout: float = 60) -> Report:
    region.calls.clear()
    return roll_out(Context(t.cast(t.Any, Clients(region)), ACCOUNT, wanted, timeout, check_mode), NAME)


def see(region: Region, wanted: Wanted = PRESENT) -> Observed:
    return observe(t.cast(t.Any, Clients(region)), NAME, account_id=ACCOUNT, stack_name=wanted.stack_name)


@pytest.fixture
def region(pauses: list[float]) -> Region:
    return Region(NAME)


@st.composite
def regions(draw: st.DrawFn) -> Region:
    """A region in any state in which nothing is under way."""
    region = Region(NAME)
    region.looks = draw(st.integers(0, 1))
    has_rule = draw(st.booleans())
    if draw(st.booleans()):
        state = draw(st.sampled_from(sorted(USABLE | BROKEN)))
        body = draw(st.sampled_from([None, VENDOR, OLDER]))
        values = draw(st.sampled_from([DEFAULTS, {**DEFAULTS, "CloudConformityAccountId": "105579776292"}, {"Old": "1"}]))
        region.have(body, rule=False, status=state, parameters=dict(values), protected=draw(st.booleans()))
        region.stacks[0].tags = draw(st.sampled_from([{}, {"Version": "6", "LastUpdatedTime": "Mon"}, {"Owner": "me"}]))
        usable = state in USABLE
    else:
        usable = False
    if has_rule:
        owner = RULE_NAME if usable else draw(st.sampled_from([STACK_SET, None, *([RULE_NAME] if region.stacks else [])]))
        if owner == STACK_SET:
            region.have(owner=STACK_SET)
        else:
            region.have(owner="x")
            region.stacks.pop()
        assert region.rule is not None
        region.rule.owner = owner
        region.rule.state = draw(st.sampled_from(["ENABLED", "DISABLED"]))
        for change in draw(st.sets(st.sampled_from(["older", "edited", "no target", "other target", "second target"]))):
            if change == "older":
                region.rule.pattern.pop("detail", None)
            elif change == "edited":
                region.rule.pattern["source"] = ["aws.s3"]
            elif change == "no target":
                region.rule.targets = []
            elif change == "other target":
                region.rule.targets = [{"Id": "CloudConformityBus", "Arn": "arn:aws:events:eu-west-1:105579776292:event-bus/default"}]
            else:
                region.rule.targets.append({"Id": "mine", "Arn": "arn:aws:sns:eu-west-1:1:mine"})
    if draw(st.booleans()):
        region.denied.add("DescribeStackResources")
    return region


wishes = st.builds(
    dataclasses.replace,
    st.sampled_from([PRESENT, ABSENT]),
    tags=st.sampled_from([{}, {"Owner": "security"}]),
    protection=st.sampled_from([None, True, False]),
    template_url=st.sampled_from([None, "https://bucket.s3.amazonaws.com/vendor.yml"]),
)


@pytest.fixture(scope="module", autouse=True)
def _no_pauses() -> t.Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", lambda _seconds: None)
        yield


def is_settled(region: Region, wanted: Wanted, report: Report) -> bool:
    """Whether the world really is as wanted, told without the planner."""
    stack, rule = next((one for one in region.stacks if one.name == RULE_NAME and one.status != "DELETE_COMPLETE"), None), region.rule
    if not wanted.present:
        return stack is None and (rule is None or rule.owner != RULE_NAME)
    if rule is not None and rule.owner != RULE_NAME:
        return not report.changed or stack is None
    if stack is None or rule is None:
        return False
    target = next((one for one in rule.targets if one["Id"] == "CloudConformityBus"), None)
    return (
        stack.status in USABLE
        and {**stack.parameters, **DEFAULTS} == stack.parameters
        and {**stack.tags, **wanted.tags} == stack.tags
        and wanted.protection in (None, stack.protected)
        and rule.state == "ENABLED"
        and rule.pattern["source"] == list(EVENT_BUS_SOURCES)
        and (bool(wanted.template_url) or rule.pattern.get("detail") == {"eventCategory": ["Management"]})
        and target is not None
        and target["Arn"] == wanted.target_arn(NAME)
    )


class TestAnyState:
    @given(regions(), wishes)
    def test_ends_as_wanted_and_is_left_alone_from_then_on(self, region: Region, wanted: Wanted) -> None:
        report = run(region, wanted)
        if report.action is Action.BLOCKED:
            assert not region.writes
            assert report.error and "termination protection" in report.error
            return
        assert report.error is None
        assert is_settled(region, wanted, report)
        assert report.changed == bool(region.writes)
        again = run(region, wanted)
        assert (again.error, again.changed, again.action, region.writes) == (None, False, Action.NONE, [])

    @given(regions(), wishes)
    def test_needs_each_step_once(self, region: Region, wanted: Wanted) -> None:
        run(region, wanted)
        assert len(region.writes) == len(set(region.writes))

    @given(regions(), wishes)
    def test_a_rule_of_another_is_never_written(self, region: Region, wanted: Wanted) -> None:
        rule = region.rule
        if rule is not None and rule.owner != RULE_NAME:
            before = copy.deepcopy(rule)
            run(region, wanted)
            assert region.rule is rule
            assert rule == before
            assert not [write for write in region.writes if write not in ("DeleteStack", "UpdateTerminationProtection")]

    @given(regions(), wishes)
    def test_check_mode_writes_nothing_and_tells_the_truth(self, region: Region, wanted: Wanted) -> None:
        told = run(region, wanted, check_mode=True)
        assert region.writes == []
        done = run(region, wanted)
        assert (told.changed, bool(told.error)) == (done.changed, bool(done.error))
        # A template behind a URL, or in YAML, cannot be compared: only CloudFormation knows whether it has anything to update.
        assert told.action == done.action or (told.action, done.action) == (Action.UPDATE, Action.REPAIR)

    @given(regions(), wishes)
    def test_what_check_mode_shows_is_what_comes(self, region: Region, wanted: Wanted) -> None:
        seen = see(region)
        report = run(region, wanted)
        unknown_owner = "DescribeStackResources" in region.denied and seen.rule is not None and seen.rule.owner is None
        if report.error is None and report.changed and not unknown_owner and wanted.template_url is None:
            assert report.last is not None
            coming, came = view(expected(seen, wanted)), view(report.last)
            for shown in (coming, came):
                shown.get("stack", {}).get("parameters", {}).pop("Old", None)
            assert coming.get("rule") == came.get("rule")
            assert coming.get("stack") == came.get("stack")

    @given(regions(), wishes)
    def test_what_is_as_wanted_needs_no_plan(self, region: Region, wanted: Wanted) -> None:
        if run(region, wanted).error is None:
            planned = plan(see(region), wanted)
            assert (planned.action, planned.steps) == (Action.NONE, ())


@pytest.mark.parametrize("state", ["CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "DELETE_IN_PROGRESS"])
@pytest.mark.parametrize("wanted", [PRESENT, ABSENT])
def test_work_under_way_is_waited_for(state: str, wanted: Wanted) -> None:
    planned = plan(Observed(ACCOUNT, NAME, Stack(RULE_NAME, "id", state), None), wanted)
    assert (planned.action, planned.steps) == (Action.WAIT, ())


@pytest.mark.parametrize("wanted", [PRESENT, ABSENT])
def test_a_state_that_nobody_knows(wanted: Wanted) -> None:
    planned = plan(Observed(ACCOUNT, NAME, Stack(RULE_NAME, "id", "CHANGED_BY_MAGIC"), None), wanted)
    assert planned.action is (Action.BLOCKED if wanted.present else Action.DELETE)


class TestRollout:
    def test_creates(self, region: Region, pauses: list[float]) -> None:
        region.looks = 3
        report = run(region)
        assert (report.action, report.changed, report.error) == (Action.CREATE, True, None)
        assert region.writes == ["CreateStack"]
        assert pauses == pytest.approx([1, 1.2, 1.44, 1.728])

    def test_asks_nothing_twice(self, region: Region) -> None:
        region.looks = 1
        run(region)
        before, waiting, after = ["DescribeStacks", "DescribeRule"], ["DescribeStacks"] * 2, ["GetTemplate", "DescribeRule", "ListTargetsByRule"]
        assert [operation for operation, _arguments in region.calls] == [*before, "CreateStack", *waiting, *after]

    def test_all_that_is_asked_where_nothing_is_to_be_done(self, region: Region) -> None:
        region.have()
        run(region)
        assert [operation for operation, _arguments in region.calls] == ["DescribeStacks", "GetTemplate", "DescribeRule", "ListTargetsByRule"]

    def test_create_needs_no_capability_and_sends_the_template(self, region: Region) -> None:
        run(region, dataclasses.replace(PRESENT, tags={"A": "1"}))
        [arguments] = [arguments for operation, arguments in region.calls if operation == "CreateStack"]
        assert set(arguments) == {"StackName", "Tags", "TemplateBody", "Parameters"}
        assert arguments["Tags"] == [{"Key": "A", "Value": "1"}]

    def test_protects_what_it_has_created(self, region: Region) -> None:
        run(region, dataclasses.replace(PRESENT, protection=True))
        assert region.writes == ["CreateStack", "UpdateTerminationProtection"]
        assert region.stacks[0].protected

    def test_a_failed_creation_names_the_first_reason(self, region: Region) -> None:
        region.failing["create"] = "Rate exceeded"
        report = run(region)
        assert report.error == f"The stack {RULE_NAME} in eu-west-1 is ROLLBACK_COMPLETE: {RULE_NAME}: Rate exceeded"
        assert (report.changed, report.action) == (True, Action.CREATE)
        result = report.result(PRESENT)
        assert (result["status"], result["stack_status"]) == ("failed", "ROLLBACK_COMPLETE")
        assert result["stack_id"] == region.stacks[0].id
        del region.failing["create"]
        again = run(region)
        assert (again.action, again.error, region.writes) == (Action.RECREATE, None, ["DeleteStack", "CreateStack"])

    def test_a_failed_update(self, region: Region) -> None:
        region.have(parameters={})
        region.failing["update"] = "no"
        report = run(region)
        assert report.error and report.error.endswith(f"is UPDATE_ROLLBACK_COMPLETE: {RULE_NAME}: no")
        assert region.writes == ["UpdateStack"]

    def test_a_failed_deletion_is_tried_again_once(self, region: Region) -> None:
        region.have()
        region.failing["delete"] = "Rule can't be deleted since it has targets."
        report = run(region, ABSENT)
        assert region.writes == ["DeleteStack", "DeleteStack"]
        assert report.error and "is DELETE_FAILED" in report.error and "has targets" in report.error
        assert report.changed

    def test_a_deletion_that_works_the_second_time(self, region: Region) -> None:
        region.have()
        region.failing["delete"] = "busy"
        region.on("DescribeStackEvents", lambda region, _arguments: region.failing.clear())
        report = run(region, ABSENT)
        assert (report.error, report.changed, region.rule) == (None, True, None)

    def test_without_the_events_the_reason_is_what_the_stack_says(self, region: Region) -> None:
        region.failing["create"] = "x"
        region.denied.add("DescribeStackEvents")
        report = run(region)
        assert report.error and "Allow the IAM action cloudformation:DescribeStackEvents" in report.error

    @pytest.mark.parametrize("operation", ["DescribeStacks", "GetTemplate", "DescribeRule", "ListTargetsByRule"])
    @pytest.mark.parametrize("code", ["AccessDenied", "Throttling", "ValidationError", "InvalidClientTokenId"])
    @pytest.mark.parametrize("wanted", [PRESENT, ABSENT])
    def test_what_cannot_be_read_is_not_taken_for_missing(self, region: Region, operation: str, code: str, wanted: Wanted) -> None:
        region.have()
        region.fail(operation, code)
        report = run(region, wanted)
        assert report.error and code in report.error
        assert region.writes == []
        assert report.result(wanted)["status"] == "failed"

    @pytest.mark.parametrize("wanted", [PRESENT, ABSENT])
    def test_an_owner_that_cannot_be_asked_for_is_an_error_unless_it_is_denied(self, region: Region, wanted: Wanted) -> None:
        region.have(owner=STACK_SET)
        region.fail("DescribeStackResources", "Throttling")
        report = run(region, wanted)
        assert report.error and "throttling" in report.error
        region.denied.add("DescribeStackResources")
        report = run(region, wanted)
        assert (report.error, report.changed) == (None, False)
        assert "cloudformation:DescribeStackResources" in report.reasons[0]

    def test_a_rule_of_a_stack_set(self, region: Region) -> None:
        region.have(owner=STACK_SET)
        report = run(region)
        assert (report.action, report.reasons) == (Action.NONE, [f"The rule {RULE_NAME} belongs to the stack {STACK_SET} and is left alone."])
        result = report.result(PRESENT)
        assert (result["status"], result["owner"], result["drift"]) == ("foreign", STACK_SET, [])

    def test_a_broken_stack_beside_a_rule_of_a_stack_set_goes_only_when_all_is_to_go(self, region: Region) -> None:
        region.have(rule=False, status="ROLLBACK_COMPLETE")
        region.have(owner=STACK_SET)
        run(region)
        assert region.writes == []
        report = run(region, ABSENT)
        assert region.writes == ["DeleteStack"]
        assert report.reasons == [f"The rule {RULE_NAME} belongs to the stack {STACK_SET} and is left alone."]
        assert region.rule is not None

    @pytest.mark.parametrize("wanted", [dataclasses.replace(PRESENT, tags={"A": "1"}), ABSENT])
    def test_a_stack_of_something_else_is_not_touched(self, region: Region, wanted: Wanted) -> None:
        region.have("Resources:\n  CloudConformityMonitoring:\n    Type: AWS::Events::Rule\n  Data:\n    Type: AWS::RDS::DBInstance\n")
        report = run(region, wanted)
        assert report.action is Action.BLOCKED
        assert report.error and "AWS::RDS::DBInstance" in report.error and "check stack_name" in report.error
        assert region.writes == []

    def test_a_rule_is_not_added_beside_a_stack_of_something_else(self, region: Region) -> None:
        region.have('{"Resources": {"Other": {"Type": "AWS::Events::Rule"}}}', rule=False)
        assert run(region).action is Action.BLOCKED
        assert region.writes == []

    def test_a_stack_of_the_vendors_script_is_left_as_it_is(self, region: Region) -> None:
        region.have(VENDOR, tags={"Version": "6", "LastUpdatedTime": "Mon"})
        assert run(region).changed is False

    def test_tags_are_added_to_those_of_the_vendors_script(self, region: Region) -> None:
        region.have(VENDOR, tags={"Version": "6"})
        run(region, dataclasses.replace(PRESENT, tags={"A": "1"}))
        assert region.stacks[0].tags == {"Version": "6", "A": "1"}

    def test_an_update_for_another_reason_keeps_all_tags(self, region: Region) -> None:
        region.have(tags={"Version": "6"}, parameters={})
        run(region)
        assert (region.writes, region.stacks[0].tags) == (["UpdateStack"], {"Version": "6"})

    def test_the_older_template_is_replaced(self, region: Region) -> None:
        region.have(OLDER)
        report = run(region)
        assert (report.action, region.writes) == (Action.UPDATE, ["UpdateStack"])
        assert report.reasons == ["The rule has the older event pattern without detail.eventCategory."]

    def test_an_edited_pattern_is_put_right_behind_cloudformations_back(self, region: Region) -> None:
        region.have(VENDOR)
        assert region.rule is not None
        region.rule.pattern["source"] = ["aws.s3"]
        report = run(region)
        assert (report.action, report.error, region.writes) == (Action.REPAIR, None, ["UpdateStack", "PutRule"])
        [put] = [arguments for operation, arguments in region.calls if operation == "PutRule"]
        assert (put["Description"], put["State"]) == ("described", "ENABLED")

    def test_a_rule_that_gets_more_events_keeps_doing_so(self, region: Region) -> None:
        region.have()
        assert region.rule is not None
        region.rule.pattern, region.rule.state = {}, "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        run(region)
        assert (region.writes, region.rule.state) == (["PutRule"], "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")

    def test_a_deleted_rule_is_written_again(self, region: Region) -> None:
        region.have(rule=False)
        report = run(region)
        assert (report.action, region.writes) == (Action.REPAIR, ["PutRule", "PutTargets"])
        assert region.rule is not None and region.rule.state == "ENABLED"

    def test_a_target_that_eventbridge_does_not_take(self, region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
        region.have()
        assert region.rule is not None
        region.rule.targets = []
        entry = {"TargetId": "CloudConformityBus", "ErrorCode": "LimitExceeded", "ErrorMessage": "too many"}
        monkeypatch.setattr(region, "_PutTargets", lambda _arguments: {"FailedEntryCount": 1, "FailedEntries": [entry]})
        report = run(region)
        assert report.error and "LimitExceeded" in report.error and "too many" in report.error

    def test_what_does_not_help_is_not_done_for_ever(self, region: Region, monkeypatch: pytest.MonkeyPatch) -> None:
        region.have()
        assert region.rule is not None
        region.rule.state = "DISABLED"
        monkeypatch.setattr(region, "_EnableRule", lambda _arguments: {})
        report = run(region)
        assert region.writes == ["EnableRule"] * 2
        assert report.error and report.error.startswith("To enable the rule did not help")

    def test_protection_ends_first_where_the_user_says_so(self, region: Region) -> None:
        region.have(protected=True)
        report = run(region, ABSENT)
        assert (report.action, region.writes) == (Action.BLOCKED, [])
        assert report.error and "termination_protection: false" in report.error
        run(region, dataclasses.replace(ABSENT, protection=False))
        assert region.writes == ["UpdateTerminationProtection", "DeleteStack"]


class TestWaiting:
    def test_the_time_is_bounded_and_what_is_half_done_is_named(self, region: Region) -> None:
        region.looks = 1000
        report = run(region, timeout=0)
        assert report.error and "still CREATE_IN_PROGRESS" in report.error and "wait_timeout" in report.error
        assert (report.changed, report.result(PRESENT)["stack_status"]) == (True, "CREATE_IN_PROGRESS")
        region.stacks[0].looks_left = 2
        again = run(region)
        assert (again.error, again.changed, region.writes) == (None, False, [])
        assert again.reasons == [f"The stack {RULE_NAME} is CREATE_IN_PROGRESS."]
        assert again.result(PRESENT)["status"] == "present"

    def test_the_time_is_over_just_when_it_has_ended(self, region: Region) -> None:
        region.looks = 0
        assert run(region, timeout=0).error is None

    def test_pauses_grow_up_to_a_limit(self, region: Region, pauses: list[float]) -> None:
        region.looks = 12
        run(region)
        assert pauses[0] == 1 and max(pauses) == 5

    def test_a_run_that_was_killed_while_it_created_again(self, region: Region) -> None:
        """Killed after the deletion began, and then once more while the new stack rolled back."""
        stack = region.have(status="ROLLBACK_COMPLETE", rule=False)
        region.answer("DeleteStack", {"StackName": stack.id})
        region.failing["create"] = "no"
        assert run(region).error
        region.failing.clear()
        report = run(region)
        assert (report.error, region.writes) == (None, ["DeleteStack", "CreateStack"])

    def test_check_mode_does_not_wait(self, region: Region, pauses: list[float]) -> None:
        region.looks = 5
        region.answer("CreateStack", {"StackName": RULE_NAME, "TemplateBody": VENDOR, "Parameters": []})
        report = run(region, check_mode=True)
        assert (report.action, report.changed, report.error, pauses) == (Action.WAIT, False, None, [])
        assert report.result(PRESENT)["status"] == "in_progress"


class TestTwoRunsAtOnce:
    def test_another_run_creates_first(self, region: Region) -> None:
        def other(region: Region, arguments: dict[str, t.Any]) -> None:
            region.answer("CreateStack", dict(arguments))
            region.calls.pop()

        region.on("CreateStack", other)
        report = run(region)
        assert (report.error, report.changed) == (None, False)
        assert [one.status for one in region.stacks] == ["CREATE_COMPLETE"]

    def test_another_run_updates_first(self, region: Region) -> None:
        region.have(parameters={})

        def other(region: Region, arguments: dict[str, t.Any]) -> None:
            region.answer("UpdateStack", dict(arguments))
            region.calls.pop()

        region.on("UpdateStack", other)
        report = run(region)
        assert (report.error, report.changed, report.result(PRESENT)["status"]) == (None, False, "present")

    def test_another_run_deletes_first(self, region: Region) -> None:
        region.have(parameters={})

        def gone(region: Region, _arguments: dict[str, t.Any]) -> None:
            region.stacks.clear()
            region.rule = None

        region.on("UpdateStack", gone)
        report = run(region)
        assert (report.error, region.writes) == (None, ["UpdateStack", "CreateStack"])

    def test_another_run_deletes_what_is_being_created(self, region: Region) -> None:
        def gone(region: Region, _arguments: dict[str, t.Any]) -> None:
            region.on("DescribeStacks", lambda region, _arguments: region.stacks.clear())

        region.on("CreateStack", gone)
        report = run(region)
        assert (report.error, region.writes) == (None, ["CreateStack", "CreateStack"])

    def test_another_error_is_one(self, region: Region) -> None:
        region.fail("CreateStack", "LimitExceededException", "Limit for stacks has been exceeded")
        report = run(region)
        assert report.error and "LimitExceededException" in report.error
        assert report.changed is False
        region.have(parameters={})
        region.fail("UpdateStack", "InsufficientCapabilitiesException")
        assert "InsufficientCapabilities" in str(run(region).error)


def test_failures_of_earlier_operations_are_not_the_reason() -> None:
    own = {"LogicalResourceId": "S", "PhysicalResourceId": "id"}
    rule = {"LogicalResourceId": "R", "PhysicalResourceId": "r"}
    events = [
        {**own, "ResourceStatus": "UPDATE_ROLLBACK_COMPLETE"},
        {**rule, "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "cancelled"},
        {**rule, "ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "new"},
        {**own, "ResourceStatus": "UPDATE_IN_PROGRESS"},
        {**rule, "ResourceStatus": "CREATE_FAILED", "ResourceStatusReason": "old"},
    ]
    assert first_failure(events, "id") == "R: new"
    assert first_failure(events[3:], "id") is None


def test_status_while_work_is_under_way() -> None:
    assert status(Observed(ACCOUNT, NAME, Stack(RULE_NAME, "id", "UPDATE_IN_PROGRESS"), None), PRESENT) == "in_progress"
