# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import re
import typing as t

import pytest
import yaml
from botocore.client import ClientCreator

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.regions import ALWAYS_ON
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.options import stack_set_spec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import template, template_body
from ansible_collections.trendmicro.cloudone.plugins.modules import conformity_rtm_stackset
from ansible_collections.trendmicro.cloudone.tests.unit.plugins import stackset_world
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.rtm_world import ACCOUNT, CONFORMITY, OFF
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.stackset_world import EMPTY, FIRST, NAME, PROD, SECOND, TEST, THIRD, SetWorld

if t.TYPE_CHECKING:
    from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import World

Json = dict[str, t.Any]
HERE = ["us-east-1", "eu-central-1"]
PARALLEL = {"RegionConcurrencyType": "PARALLEL", "FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100}


@pytest.fixture
def world(aws: World, pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> SetWorld:
    return stackset_world.put_in_place(monkeypatch)


def run(run_module: Runner, *, check_mode: bool = False, diff: bool = False, **options: t.Any) -> Json:
    return run_module(conformity_rtm_stackset.main, {"regions": HERE, "organizational_units": [PROD], **options}, check_mode=check_mode, diff=diff)


def failed(result: Json) -> list[tuple[str, str]]:
    return [(entry["account_id"], entry["region"]) for entry in result["instances"] if entry["failed"]]


def test_a_stack_set_for_units_and_never_again(world: SetWorld, run_module: Runner) -> None:
    result = run(run_module, organizational_units=[PROD, TEST, EMPTY, PROD], expected_account_id=ACCOUNT, tags={"Cost": 7})
    assert (result["failed"], result["changed"], result["action"], result["account_id"]) == (False, True, "create", ACCOUNT)
    assert result["reason"].startswith(f"There is no stack set {NAME}. The stack set does not cover {PROD}, {TEST}, {EMPTY} in")
    assert (result["stack_set_id"], result["stack_set_status"]) == (f"{NAME}:1", "ACTIVE")
    assert [(entry["account_id"], entry["region"]) for entry in result["instances"]] == [
        (account, region) for account in (FIRST, SECOND, THIRD) for region in sorted(HERE)
    ]
    assert result["instances"][0] == {
        "account_id": FIRST,
        "organizational_unit": PROD,
        "region": "eu-central-1",
        "status": "CURRENT",
        "detailed_status": "SUCCEEDED",
        "reason": None,
        "failed": False,
    }
    assert result["operations"] == [{"operation_id": "operation-1", "action": "CREATE", "status": "SUCCEEDED", "reason": None}]
    assert (result["management_account_covered"], "conformity_rtm" in result["management_account_hint"]) == (False, True)
    assert world.writes == ["CreateStackSet", "CreateStackInstances"]
    created = world.last("CreateStackSet")
    assert (created["PermissionModel"], created["CallAs"], json.loads(created["TemplateBody"])) == ("SERVICE_MANAGED", "SELF", template())
    assert created["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert (world.set.tags, world.set.parameters["CloudConformityAccountId"]) == ({"Cost": "7"}, CONFORMITY)
    assert world.last("CreateStackInstances")["OperationPreferences"] == PARALLEL
    again = run(run_module, organizational_units=[PROD, TEST, EMPTY], tags={"Cost": 7})
    assert (again["failed"], again["changed"], again["action"], again["reason"], again["operations"]) == (False, False, "none", None, [])
    assert len(world.writes) == 2


def test_options_reach_cloudformation(world: SetWorld, run_module: Runner) -> None:
    options: Json = {"call_as": "DELEGATED_ADMIN", "auto_deployment": False, "retain_stacks_on_account_removal": True, "event_bus_sources": ["aws.s3"]}
    options |= {"failure_tolerance_percentage": 0, "max_concurrent_percentage": 25, "template_url": "https://bucket.s3.amazonaws.com/template.yml"}
    result = run(run_module, **options, regions=["us-east-1", OFF[0]])
    assert not result["failed"], result
    assert all(arguments["CallAs"] == "DELEGATED_ADMIN" for operation, arguments in world.calls if "Stack" in operation or "Access" in operation)
    created = world.last("CreateStackSet")
    assert ("TemplateBody" in created, created["TemplateURL"], created["AutoDeployment"]) == (False, options["template_url"], {"Enabled": False})
    assert "Tags" not in created
    preferences = {"RegionConcurrencyType": "PARALLEL", "FailureTolerancePercentage": 0, "MaxConcurrentPercentage": 25}
    assert world.last("CreateStackInstances")["OperationPreferences"] == preferences
    assert run(run_module, **options, regions=["us-east-1", OFF[0]])["changed"] is False
    assert run(run_module, **{**options, "template_url": None}, regions=["us-east-1", OFF[0]])["action"] == "update"
    assert world.set.template == template_body()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expected_account_id": "999999999999"}, f"belong to the account {ACCOUNT}, not to 999999999999"),
        ({"organizational_units": []}, "at least one organizational unit"),
        ({"organizational_units": ["prod"]}, "'prod' is not the ID of an organizational unit"),
        ({"regions": ["us-moon-1"]}, "AWS knows no region us-moon-1"),
        ({"regions": ["us-east-1", OFF[0]]}, f"switched off in the management account {ACCOUNT}, where stack sets cannot deploy: {OFF[0]}"),
        ({"stack_set_name": "1"}, "stack_set_name: '1'"),
        ({"failure_tolerance_percentage": 101}, "failure_tolerance_percentage must be between 0 and 100, not 101"),
        ({"max_concurrent_percentage": 0}, "max_concurrent_percentage must be between 1 and 100"),
        ({"conformity_account_id": "x"}, "conformity_account_id"),
        ({"event_bus_sources": []}, "event_bus_sources"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(world: SetWorld, run_module: Runner, options: Json, message: str) -> None:
    result = run(run_module, **options)
    assert result["failed"]
    assert re.search(message, result["msg"])
    assert world.writes == []


def test_without_trusted_access_it_says_what_to_do(world: SetWorld, run_module: Runner) -> None:
    world.trusted = False
    for check_mode in (True, False):
        result = run(run_module, check_mode=check_mode)
        assert (result["failed"], result["changed"], result["action"]) == (True, False, "blocked")
        assert "aws cloudformation activate-organizations-access" in result["msg"]
    assert world.writes == []
    assert run(run_module, state="absent")["changed"] is False


OTHER = json.dumps({"Resources": {NAME: {"Type": "AWS::Events::Rule"}, "Topic": {"Type": "AWS::SNS::Topic"}}})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": "SELF_MANAGED", "auto": {}}, "SELF_MANAGED"),
        ({"template": OTHER}, "its template has AWS::SNS::Topic"),
        ({"template": '{"Resources": {"R": {"Type": "AWS::Events::Rule"}}}'}, "does not have the rule"),
    ],
)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_another_stack_set_of_the_name_is_left_alone(world: SetWorld, run_module: Runner, fields: Json, message: str, state: str) -> None:
    world.have(PROD, **fields)
    result = run(run_module, state=state)
    assert (result["failed"], result["changed"], result["action"]) == (True, False, "blocked")
    assert message in result["msg"] and "Nothing was changed" in result["msg"]
    assert world.writes == []


@pytest.mark.parametrize(
    ("fields", "options", "reason"),
    [
        ({}, {"event_bus_sources": ["aws.s3"]}, "other values for the parameters EventBusSources"),
        ({"tags": {"Owner": "x"}}, {"tags": {"Owner": "security"}}, "other values for the tags Owner"),
        ({}, {"auto_deployment": False}, "Auto-deployment is set otherwise"),
        ({}, {"retain_stacks_on_account_removal": True}, "Auto-deployment is set otherwise"),
        ({"template": f"Resources: {{{NAME}: {{Type: AWS::Events::Rule}}}}"}, {}, "another template"),
        ({"template": json.dumps({**template(), "Resources": {NAME: {"Type": "AWS::Events::Rule"}}})}, {}, "another template"),
        ({"template": f'["{NAME}"]'}, {}, "another template"),
    ],
)
def test_what_differs_is_updated_once(world: SetWorld, run_module: Runner, fields: Json, options: Json, reason: str) -> None:
    world.have(PROD, **fields)
    assert run(run_module, **options, check_mode=True)["action"] == "update"
    result = run(run_module, **options)
    assert (result["failed"], result["changed"], result["action"]) == (False, True, "update")
    assert reason in result["reason"]
    assert world.writes == ["UpdateStackSet"]
    assert "DeploymentTargets" not in world.last("UpdateStackSet")
    assert run(run_module, **options)["changed"] is False


@pytest.mark.parametrize(
    "fields",
    [
        {"template": json.dumps({**template(), "Description": "Other words"})},
        {"tags": {"Other": "stays"}},
        {"parameters": {**stackset_world.FakeSet().parameters, "EventBusSources": ", ".join(reversed(stackset_world.EVENT_BUS_SOURCES))}},
    ],
)
def test_what_comes_to_the_same_is_no_difference(world: SetWorld, run_module: Runner, fields: Json) -> None:
    world.have(PROD, **fields)
    assert run(run_module)["changed"] is False
    assert world.writes == []


def test_tags_of_others_stay(world: SetWorld, run_module: Runner) -> None:
    world.have(PROD, tags={"Other": "stays"})
    run(run_module, tags={"Owner": "security"})
    assert world.set.tags == {"Other": "stays", "Owner": "security"}


def test_units_and_regions_are_added_and_nothing_else_is_touched(world: SetWorld, run_module: Runner) -> None:
    world.have(PROD, regions=["us-east-1"])
    result = run(run_module, organizational_units=[PROD, TEST])
    assert (result["action"], result["changed"], len(result["operations"])) == ("extend", True, 2)
    about = [(one["DeploymentTargets"], one["Regions"]) for operation, one in world.calls if operation == "CreateStackInstances"]
    assert about == [({"OrganizationalUnitIds": [PROD]}, ["eu-central-1"]), ({"OrganizationalUnitIds": [TEST]}, ["eu-central-1", "us-east-1"])]
    assert run(run_module, organizational_units=[TEST], regions=["us-east-1"])["changed"] is False
    assert len(world.set.instances) == 6


def test_more_units_than_one_operation_takes(world: SetWorld, run_module: Runner) -> None:
    many = [f"ou-abcd-{number:08}" for number in range(51)]
    world.units |= {unit: [] for unit in many}
    result = run(run_module, organizational_units=many)
    assert (result["failed"], world.writes) == (False, ["CreateStackSet", "CreateStackInstances", "CreateStackInstances"])
    assert run(run_module, organizational_units=many)["changed"] is False


def test_a_failed_instance_is_named_and_only_that_is_tried_again(world: SetWorld, run_module: Runner) -> None:
    world.failing[SECOND, "eu-central-1"] = "The rule already exists"
    result = run(run_module)
    assert (result["failed"], result["changed"], failed(result)) == (True, True, [(SECOND, "eu-central-1")])
    assert result["msg"].startswith("1 of 4 stack instances failed; the others were done.\n333333333333 in eu-central-1: The stack instance is OUTDATED")
    assert "The rule already exists" in result["msg"]
    assert world.writes == ["CreateStackSet", "CreateStackInstances"]
    checked = run(run_module, check_mode=True)
    assert (checked["failed"], checked["changed"], checked["action"]) == (False, True, "retry")
    again = run(run_module)
    assert (again["failed"], again["action"], failed(again)) == (True, "retry", [(SECOND, "eu-central-1")])
    targets = world.last("CreateStackInstances")["DeploymentTargets"]
    assert targets == {"OrganizationalUnitIds": [PROD], "Accounts": [SECOND], "AccountFilterType": "INTERSECTION"}
    assert world.last("CreateStackInstances")["Regions"] == ["eu-central-1"]
    assert len(world.writes) == 3, "tried once in a run"
    world.failing.clear()
    healed = run(run_module)
    assert (healed["failed"], healed["changed"], healed["action"]) == (False, True, "retry")
    assert run(run_module)["changed"] is False


def test_instances_elsewhere_and_suspended_accounts_do_not_fail_it(world: SetWorld, run_module: Runner) -> None:
    world.have(PROD, TEST)
    world.instance(THIRD, "us-east-1", TEST, "OUTDATED", "FAILED", "not our business")
    world.instance(SECOND, "us-east-1", PROD, "OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT", "The account is suspended")
    result = run(run_module)
    assert (result["failed"], result["changed"], failed(result)) == (False, False, [])
    assert [entry["detailed_status"] for entry in result["instances"] if entry["account_id"] == SECOND][1] == "SKIPPED_SUSPENDED_ACCOUNT"


def test_an_instance_that_a_failed_deletion_left(world: SetWorld, run_module: Runner) -> None:
    world.have(PROD)
    world.instance(FIRST, "us-east-1", PROD, "INOPERABLE", "INOPERABLE")
    result = run(run_module)
    assert (result["failed"], result["changed"], failed(result)) == (True, False, [(FIRST, "us-east-1")])
    assert "is INOPERABLE" in result["msg"] and "Delete it from the stack set with RetainStacks" in result["msg"]
    assert world.writes == [], "CloudFormation would leave it out anyway"


def test_an_operation_in_progress_is_waited_for(world: SetWorld, run_module: Runner, pauses: list[float]) -> None:
    world.have(PROD, regions=["us-east-1"])
    world.looks = 12
    world.begin("UPDATE")
    checked = run(run_module, check_mode=True)
    assert (checked["action"], checked["changed"], pauses) == ("wait", False, [])
    result = run(run_module)
    assert (result["failed"], result["action"]) == (False, "extend")
    assert [operation["action"] for operation in result["operations"]] == ["UPDATE", "CREATE"]
    assert pauses[0] < pauses[5] <= max(pauses) == 5


def test_waiting_is_bounded(world: SetWorld, run_module: Runner) -> None:
    world.have(PROD)
    world.looks = 1000
    world.begin("UPDATE")
    result = run(run_module, wait_timeout=0)
    assert (result["failed"], result["changed"], result["action"]) == (True, False, "wait")
    assert "operation-1 (UPDATE) on the stack set is still RUNNING when the time for waiting (wait_timeout) is over" in result["msg"]
    assert result["operations"][0]["status"] == "RUNNING"
    assert world.writes == []


def test_an_operation_that_is_not_listed_yet(world: SetWorld, run_module: Runner) -> None:
    world.have(PROD, regions=["us-east-1"])
    world.fail("CreateStackInstances", "OperationInProgressException", times=4)
    assert run(run_module)["failed"] is False
    world.fail("CreateStackInstances", "OperationInProgressException", "Another operation is in progress.", times=3)
    result = run(run_module, organizational_units=[TEST], wait_timeout=0)
    assert result["failed"] and "Another operation is in progress, and that is still so when the time for waiting" in result["msg"]
    assert result["changed"] is False


def test_two_runs_at_the_same_time(world: SetWorld, run_module: Runner) -> None:
    """The other run creates the stack set just before this one, and begins to create its instances."""

    def other(_world: SetWorld, _arguments: Json) -> None:
        world.found = stackset_world.FakeSet()
        world._CreateStackInstances({"StackSetName": NAME, "DeploymentTargets": {"OrganizationalUnitIds": [PROD]}, "Regions": HERE})

    world.on("CreateStackSet", other)
    result = run(run_module)
    assert (result["failed"], result["changed"], len(result["instances"])) == (False, False, 4)
    assert world.writes == ["CreateStackSet"]


def test_a_list_that_is_a_little_behind(world: SetWorld, run_module: Runner, pauses: list[float]) -> None:
    world.have(PROD, regions=["us-east-1"])

    def behind(_world: SetWorld, _arguments: Json) -> None:
        state = ("OUTDATED", "RUNNING") if world.hooks["ListStackInstances"] else ("CURRENT", "SUCCEEDED")
        if world.writes:
            world.instance(FIRST, "eu-central-1", PROD, *state)

    world.on("ListStackInstances", behind, times=8)
    assert run(run_module)["failed"] is False
    world.instance(FIRST, "us-east-1", PROD, "OUTDATED", "RUNNING")
    world.failing[FIRST, "us-east-1"] = "x"
    world.on("ListStackInstances", lambda _world, _arguments: world.instance(FIRST, "us-east-1", PROD, "OUTDATED", "RUNNING"), times=100)
    result = run(run_module)
    assert (result["failed"], failed(result)) == (True, [(FIRST, "us-east-1")]), "it ends, whatever the list says"


def test_an_operation_that_fails_without_an_instance(world: SetWorld, run_module: Runner) -> None:
    world.have(PROD, regions=["us-east-1"])

    def fail(_world: SetWorld, _arguments: Json) -> None:
        world.set.operations[-1].ending = lambda: "FAILED"
        world.set.targets -= {(PROD, "eu-central-1")}
        world.set.instances = {key: one for key, one in world.set.instances.items() if key[1] == "us-east-1"}

    world.on("DescribeStackSetOperation", fail)
    result = run(run_module)
    assert (result["failed"], result["changed"]) == (True, True)
    assert "The operation operation-1 (CREATE) on the stack set ended as FAILED: Out of luck" in result["msg"]


def test_somebody_changes_it_back(world: SetWorld, run_module: Runner) -> None:
    world.have(PROD)
    world.on("DescribeStackSet", lambda _world, _arguments: world.set.parameters.update(EventBusSources="aws.iam"), times=100)
    result = run(run_module)
    assert result["failed"] and "To update the stack set did not help" in result["msg"]
    assert world.writes == ["UpdateStackSet"] * 2


@pytest.mark.parametrize("auto", [{}, {"Enabled": False}])
def test_without_auto_deployment_the_instances_tell_what_is_covered(world: SetWorld, run_module: Runner, auto: Json) -> None:
    world.have(PROD, auto=auto)
    assert run(run_module, auto_deployment=False)["changed"] is False
    assert run(run_module, auto_deployment=False, organizational_units=[PROD, EMPTY])["action"] == "extend"
    assert run(run_module, auto_deployment=False, organizational_units=[PROD, EMPTY])["action"] == "none"


def test_check_mode_and_diff(world: SetWorld, run_module: Runner) -> None:
    result = run(run_module, check_mode=True, diff=True)
    assert (result["changed"], result["action"], result["stack_set_id"], world.writes) == (True, "create", None, [])
    [diff] = result["diff"]
    assert (diff["before"], diff["before_header"]) == ({}, NAME)
    assert diff["after"]["organizational_units"] == {PROD: sorted(HERE)}
    assert diff["after"]["auto_deployment"] == {"enabled": True, "retain_stacks_on_account_removal": False}
    assert list(diff["after"]["template"]["Resources"]) == [NAME]
    assert run(run_module, diff=True)["diff"][0] == diff
    assert run(run_module, diff=True)["diff"] == []
    world.instance(FIRST, "us-east-1", PROD, "OUTDATED", "FAILED", "x")
    options: Json = {"event_bus_sources": ["aws.s3"], "auto_deployment": False, "template_url": "https://x.s3.amazonaws.com/y", "tags": {"A": "b"}}
    checked = run(run_module, check_mode=True, diff=True, **options)["diff"][0]
    assert (checked["before"]["not_up_to_date"], checked["after"]["not_up_to_date"]) == ([f"{FIRST} in us-east-1"], [])
    done = run(run_module, diff=True, **options)["diff"][0]
    assert {**done["after"], "template": None} == {**checked["after"], "template": None}
    assert isinstance(done["after"]["template"], str), "a template in YAML is shown as it is"


def test_without_the_right_to_look_nothing_is_guessed(world: SetWorld, run_module: Runner) -> None:
    world.fail("DescribeStackSet", "AccessDenied")
    result = run(run_module, diff=True)
    assert result["failed"] and "cloudformation:DescribeStackSet" in result["msg"]
    assert (result["diff"], result["instances"], result["stack_set_id"], world.writes) == ([], [], None, [])


def test_a_write_that_is_refused_is_told_with_what_was_done_before(world: SetWorld, run_module: Runner) -> None:
    world.fail("CreateStackInstances", "AccessDenied")
    result = run(run_module)
    assert (result["failed"], result["changed"], result["action"], result["stack_set_id"]) == (True, True, "create", f"{NAME}:1")
    assert "Allow the IAM action cloudformation:CreateStackInstances" in result["msg"]


def test_a_boto3_that_is_too_old(world: SetWorld, run_module: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    create = ClientCreator._create_methods

    def without(creator: t.Any, service_model: t.Any) -> Json:
        return {name: method for name, method in create(creator, service_model).items() if name != "list_stack_set_auto_deployment_targets"}

    monkeypatch.setattr(ClientCreator, "_create_methods", without)
    result = run(run_module)
    assert result["failed"] and "Install boto3 1.34.65 or later" in result["msg"]


def test_absent(world: SetWorld, run_module: Runner) -> None:
    world.have(PROD, TEST)
    checked = run(run_module, state="absent", organizational_units=[], check_mode=True, diff=True)
    assert (checked["changed"], checked["action"], checked["diff"][0]["after"], world.writes) == (True, "delete", {}, [])
    result = run(run_module, state="absent", organizational_units=[])
    assert (result["failed"], result["changed"], result["stack_set_id"], result["instances"]) == (False, True, None, [])
    assert world.writes == ["DeleteStackInstances", "DeleteStackSet"]
    assert world.last("DeleteStackInstances")["RetainStacks"] is False
    assert run(run_module, state="absent")["changed"] is False
    world.have(PROD)
    run(run_module, state="absent", retain_stacks=True)
    assert world.last("DeleteStackInstances")["RetainStacks"] is True


def test_what_cannot_be_deleted_is_named(world: SetWorld, run_module: Runner) -> None:
    world.have(PROD)
    world.failing[FIRST, "us-east-1"] = "Access denied in the account"
    result = run(run_module, state="absent")
    assert (result["failed"], failed(result)) == (True, [(FIRST, "us-east-1")])
    assert "To delete stack instances did not help" in result["msg"]
    assert "222222222222 in us-east-1: The stack instance is INOPERABLE" in result["msg"] and "Access denied in the account" in result["msg"]
    assert world.found is not None


def test_another_run_deletes_it_first(world: SetWorld, run_module: Runner) -> None:
    world.have(PROD)

    def gone(_world: SetWorld, _arguments: Json) -> None:
        world.found = None

    world.on("DeleteStackInstances", gone)
    result = run(run_module, state="absent")
    assert (result["failed"], result["changed"], result["stack_set_id"]) == (False, False, None)


def test_documentation_agrees_with_the_code() -> None:
    documented = yaml.safe_load(conformity_rtm_stackset.DOCUMENTATION)["options"]
    assert {name: option.get("default") for name, option in documented.items()} == {name: option.get("default") for name, option in stack_set_spec().items()}
    assert set(documented["regions"]["default"]) == set(ALWAYS_ON)
