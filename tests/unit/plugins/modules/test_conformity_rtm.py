# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import typing as t

import boto3
import pytest
import yaml

from ansible_collections.trendmicro.cloudone.plugins.doc_fragments import rtm as rtm_fragment
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.options import rtm_spec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import REGIONS, RULE_NAME
from ansible_collections.trendmicro.cloudone.plugins.modules.conformity_rtm import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.rtm_world import ACCOUNT, CONFORMITY, RtmWorld

if t.TYPE_CHECKING:
    from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import Calls, World

HERE = ["us-east-1", "us-east-2", "eu-central-1", "eu-west-1"]
Json = dict[str, t.Any]


def run(run_module: Runner, *, check_mode: bool = False, diff: bool = False, **options: t.Any) -> Json:
    return run_module(main, {"regions": HERE, **options}, check_mode=check_mode, diff=diff)


def column(result: Json, name: str) -> list[t.Any]:
    return [entry[name] for entry in result["regions"]]


def test_every_region_at_once_and_never_again(rtm: RtmWorld, run_module: Runner) -> None:
    result = run(run_module, expected_account_id=ACCOUNT)
    assert (result["failed"], result["changed"], result["account_id"]) == (False, True, ACCOUNT)
    assert column(result, "region") == HERE
    assert result["regions"][3] == {
        "region": "eu-west-1",
        "action": "create",
        "status": "present",
        "reason": f"There is no stack {RULE_NAME}.",
        "stack_id": rtm["eu-west-1"].stacks[0].id,
        "stack_status": "CREATE_COMPLETE",
        "rule_arn": f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/{RULE_NAME}",
        "rule_state": "ENABLED",
        "owner": RULE_NAME,
        "drift": [],
        "changed": True,
        "failed": False,
    }
    assert rtm.writes == ["CreateStack"] * 4
    again = run(run_module, expected_account_id=ACCOUNT)
    assert (again["failed"], again["changed"], column(again, "action")) == (False, False, ["none"] * 4)
    assert rtm.writes == ["CreateStack"] * 4


def test_regions_that_are_off_are_skipped(rtm: RtmWorld, run_module: Runner) -> None:
    result = run(run_module, regions=["ap-east-1", "me-south-1", "us-east-1", "us-east-1"])
    assert column(result, "status") == ["skipped", "present", "present"]
    assert result["regions"][0]["reason"] == "The region is switched off for the account (not-opted-in)."
    assert (result["regions"][0]["action"], result["regions"][0]["changed"], result["failed"]) == ("skip", False, False)
    assert rtm["ap-east-1"].calls == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expected_account_id": "999999999999"}, f"belong to the account {ACCOUNT}, not to 999999999999 .*Nothing was changed"),
        ({"expected_account_id": "1"}, "not to 000000000001"),
        ({"expected_account_id": "prod"}, "12 digits"),
        ({"regions": ["us-east-1", "us-moon-1"]}, "AWS knows no region us-moon-1. It knows: .*us-east-2"),
        ({"regions": []}, "regions is empty"),
        ({"conformity_account_id": "x"}, "conformity_account_id"),
        ({"event_bus_sources": []}, "event_bus_sources"),
        ({"concurrency": 0}, "concurrency"),
        ({"assume_role_external_id": "x"}, "assume_role_arn"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(rtm: RtmWorld, run_module: Runner, options: Json, message: str) -> None:
    result = run(run_module, **options)
    assert result["failed"]
    assert re.search(message, result["msg"])
    assert rtm.writes == []


def test_an_account_id_written_as_a_number(rtm: RtmWorld, run_module: Runner) -> None:
    for region in rtm.regions.values():
        region.account = "012345678901"
    assert not run(run_module, expected_account_id=12345678901)["failed"]


def test_questions_about_the_account_go_to_a_region_that_is_always_on(rtm: RtmWorld, run_module: Runner) -> None:
    run(run_module, regions=["me-south-1", "eu-west-1"], check_mode=True)
    assert [operation for operation, _arguments in rtm["eu-west-1"].calls][:2] == ["GetCallerIdentity", "DescribeRegions"]
    run(run_module, regions=["me-south-1"], check_mode=True)
    assert [operation for operation, _arguments in rtm["us-east-1"].calls] == ["GetCallerIdentity", "DescribeRegions"]


def test_without_the_right_to_list_regions_nothing_is_guessed(rtm: RtmWorld, run_module: Runner) -> None:
    rtm["us-east-1"].denied.add("DescribeRegions")
    result = run(run_module)
    assert result["failed"] and "ec2:DescribeRegions" in result["msg"]
    assert rtm.writes == []


def test_one_region_never_stops_another(rtm: RtmWorld, run_module: Runner) -> None:
    rtm["us-east-1"].denied.add("CreateStack")
    rtm["us-east-2"].fail("DescribeStacks", "Throttling", "Rate exceeded")
    rtm["eu-central-1"].failing["create"] = "Out of luck"
    result = run(run_module)
    assert column(result, "status") == ["failed", "failed", "failed", "present"]
    assert column(result, "failed") == [True, True, True, False]
    assert column(result, "changed") == [False, False, True, True]
    assert result["changed"]
    assert result["msg"].startswith("3 of 4 regions failed; the others were done.\nus-east-1: AWS refused cloudformation:CreateStack in us-east-1")
    assert "us-east-2: AWS refused cloudformation:DescribeStacks" in result["msg"]
    assert "eu-central-1: The stack CloudConformityMonitoring in eu-central-1 is ROLLBACK_COMPLETE: CloudConformityMonitoring: Out of luck" in result["msg"]
    for region in rtm.regions.values():
        region.denied.clear()
        region.failing.clear()
        region.calls.clear()
    again = run(run_module)
    assert (again["failed"], column(again, "action")) == (False, ["create", "create", "recreate", "none"])
    assert rtm["eu-west-1"].writes == []


def test_check_mode_reads_only(rtm: RtmWorld, run_module: Runner) -> None:
    rtm["us-east-2"].have(status="ROLLBACK_COMPLETE", rule=False)
    disabled = rtm["eu-central-1"]
    disabled.have()
    assert disabled.rule is not None
    disabled.rule.state = "DISABLED"
    rtm["eu-west-1"].have()
    result = run(run_module, check_mode=True)
    assert (result["changed"], column(result, "action")) == (True, ["create", "recreate", "repair", "none"])
    assert column(result, "status") == ["absent", "broken", "drifted", "present"]
    assert column(result, "drift") == [[], ["rule_missing"], ["rule_disabled"], []]
    assert rtm.writes == []
    operations = {operation for region in rtm.regions.values() for operation, _arguments in region.calls}
    assert operations == {"GetCallerIdentity", "DescribeRegions", "DescribeStacks", "GetTemplate", "DescribeRule", "ListTargetsByRule"}


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_difference_names_each_region_that_changes(rtm: RtmWorld, run_module: Runner, check_mode: bool) -> None:
    disabled = rtm["eu-central-1"]
    disabled.have(tags={"Version": "6"})
    assert disabled.rule is not None
    disabled.rule.state = "DISABLED"
    rtm["eu-west-1"].have()
    result = run(run_module, regions=["us-east-1", "eu-central-1", "eu-west-1"], diff=True, check_mode=check_mode)
    assert [one["before_header"] for one in result["diff"]] == ["us-east-1", "eu-central-1"]
    created, enabled = result["diff"]
    assert created["before"] == {}
    assert created["after"]["rule"]["targets"] == [f"arn:aws:events:us-east-1:{CONFORMITY}:event-bus/default"]
    assert created["after"]["stack"]["parameters"]["CloudConformityAccountId"] == CONFORMITY
    assert enabled["before"]["stack"] == enabled["after"]["stack"]
    assert (enabled["before"]["rule"]["state"], enabled["after"]["rule"]["state"]) == ("DISABLED", "ENABLED")


def test_there_is_no_difference_where_none_is_asked_for(rtm: RtmWorld, run_module: Runner) -> None:
    assert "diff" not in run(run_module)


def test_a_difference_is_shown_only_of_what_could_be_read(rtm: RtmWorld, run_module: Runner) -> None:
    rtm["us-east-1"].denied.add("DescribeStacks")
    assert run(run_module, regions=["us-east-1"], diff=True)["diff"] == []


@pytest.mark.parametrize("check_mode", [False, True])
def test_absent(rtm: RtmWorld, run_module: Runner, check_mode: bool) -> None:
    rtm["us-east-1"].have()
    rtm["us-east-2"].have(status="DELETE_FAILED", rule=False)
    rtm["eu-central-1"].have(owner="StackSet-rtm-1")
    result = run(run_module, state="absent", check_mode=check_mode, diff=True)
    assert (result["failed"], result["changed"]) == (False, True)
    assert column(result, "action") == ["delete", "delete", "none", "none"]
    assert result["regions"][2]["owner"] == "StackSet-rtm-1"
    assert [one["after"] for one in result["diff"]] == [{}, {}]
    assert rtm.writes == ([] if check_mode else ["DeleteStack", "DeleteStack"])
    if not check_mode:
        assert column(result, "status") == ["absent", "absent", "foreign", "absent"]
        assert run(run_module, state="absent")["changed"] is False


def test_a_protected_stack(rtm: RtmWorld, run_module: Runner) -> None:
    rtm["us-east-1"].have(protected=True)
    rtm["us-east-2"].have()
    result = run(run_module, state="absent")
    assert result["failed"]
    assert (column(result, "action")[:2], column(result, "status")[:2]) == (["blocked", "delete"], ["failed", "absent"])
    assert not run(run_module, state="absent", termination_protection=False)["failed"]
    assert rtm["us-east-1"].writes == ["UpdateTerminationProtection", "DeleteStack"]


def test_a_rule_of_another_stack_that_does_not_forward_is_warned_about(rtm: RtmWorld, run_module: Runner) -> None:
    rtm["us-east-1"].have(owner="StackSet-rtm-1")
    rtm["us-east-2"].have(owner="StackSet-rtm-1")
    rule = rtm["us-east-1"].rule
    assert rule is not None
    rule.state = "DISABLED"
    result = run(run_module, regions=["us-east-1", "us-east-2"])
    assert (result["failed"], result["changed"], column(result, "status")) == (False, False, ["foreign", "foreign"])
    assert column(result, "drift") == [["rule_disabled"], []]
    assert result["warnings"] == [f"us-east-1: The rule {RULE_NAME} belongs to the stack StackSet-rtm-1 and is left alone. The rule is disabled."]
    assert "warnings" not in run(run_module, regions=["us-east-1"], state="absent")


def test_the_vendors_template(rtm: RtmWorld, run_module: Runner) -> None:
    url = "https://s3-us-west-2.amazonaws.com/cloud-conformity-public-us-west-2/monitoring/event-bus-template.yml"
    assert not run(run_module, regions=["us-east-1"], template_url=url)["failed"]
    [arguments] = [arguments for operation, arguments in rtm["us-east-1"].calls if operation == "CreateStack"]
    assert arguments["TemplateURL"] == url
    assert "TemplateBody" not in arguments
    assert [parameter["ParameterKey"] for parameter in arguments["Parameters"]] == ["CloudConformityAccountId", "EventBusSources"]
    assert run(run_module, regions=["us-east-1"], template_url=url)["changed"] is False


def test_options_of_the_stack(rtm: RtmWorld, run_module: Runner) -> None:
    options = {"stack_name": "mine", "tags": {"Cost": 7}, "event_bus_sources": ["aws.s3"], "conformity_account_id": "105579776292", "regions": ["eu-west-1"]}
    result = run(run_module, **options)
    [stack] = rtm["eu-west-1"].stacks
    assert (stack.name, stack.tags) == ("mine", {"Cost": "7"})
    assert stack.parameters == {"CloudConformityAccountId": "105579776292", "EventBusSources": "aws.s3"}
    assert column(result, "status") == ["present"]
    assert run(run_module, **options)["changed"] is False


def test_the_default_is_every_region_that_the_vendor_supports() -> None:
    fragment = rtm_fragment.ModuleDocFragment
    parts = [yaml.safe_load(part)["options"] for part in (fragment.DOCUMENTATION, fragment.REGIONS, fragment.EVENTS)]
    documented = {name: option for options in parts for name, option in options.items()}
    assert {name: option.get("default") for name, option in documented.items()} == {name: option.get("default") for name, option in rtm_spec().items()}
    assert documented["regions"]["default"] == list(REGIONS)


def test_with_a_whole_stand_in_of_aws(aws: World, record_calls: t.Callable[[], Calls], run_module: Runner) -> None:
    """Over the wire, as far as the stand-in goes: what is created is what EventBridge then has."""
    regions = ["us-east-1", "ap-northeast-3"]
    assert run(run_module, regions=regions)["changed"]
    events = boto3.client("events", region_name="ap-northeast-3")
    assert events.describe_rule(Name=RULE_NAME)["State"] == "ENABLED"
    [target] = events.list_targets_by_rule(Rule=RULE_NAME)["Targets"]
    assert target == {"Id": "CloudConformityBus", "Arn": f"arn:aws:events:ap-northeast-3:{CONFORMITY}:event-bus/default"}
    events.remove_targets(Rule=RULE_NAME, Ids=["CloudConformityBus"])
    events.disable_rule(Name=RULE_NAME)
    calls = record_calls()
    assert column(run(run_module, regions=regions), "action") == ["none", "repair"]
    assert [operation for operation in calls.operations if not operation.startswith(("Describe", "Get", "List"))] == ["EnableRule", "PutTargets"]
    assert column(run(run_module, regions=regions, event_bus_sources=["aws.s3"]), "action") == ["update", "update"]
    assert column(run(run_module, regions=regions, state="absent"), "status") == ["absent", "absent"]
    assert events.list_rules()["Rules"] == []
