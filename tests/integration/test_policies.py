# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented policies: each playbook passes with its own, and nothing in it is superfluous."""

from __future__ import annotations

import copy
import json
import re
import typing as t
from dataclasses import dataclass, field

import pytest
from conftest import ROOT, Json, Run, Site
from documented_policies import actions_of, listed, policy_document
from users_aws import UsersAws

from lab.aws import ACCOUNT_ID
from lab.aws_accounts import TRAIL
from lab.aws_needs import Need
from lab.iam_policies import Policy, Rights, decide

StartSite = t.Callable[..., Site]
REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "ap-northeast-3"]
OF_ANOTHER_STACK = {"stack_name": "StackSet-rtm-5b0e3d0e"}
BLOCKS = "network-security-block-events"
# That its errors are over takes all that can be asked about a log.
RENEWED_BY_HAND = {
    "name": "inline",
    "registered_days_ago": 10,
    "deployed_days_ago": 745,
    "log_types": {"system": {"group": "network-security-system", "streamed_days": 30}},
}


@dataclass(frozen=True)
class Scenario:
    """What a playbook is run over, so that it needs all of its policy.

    :ivar policy: name of the file in ``docs/policies``.
    :ivar prepare: makes, with all rights, what the fleet file cannot say; returns further variables.
    :ivar play: runs the playbook, with those variables, and looks at what became of it.
    :ivar beside: further policies that the same credentials have.
    """

    policy: str
    play: t.Callable[[Site, Json], None]
    fleet: Json = field(default_factory=dict)
    appliances: tuple[Json, ...] = ()
    prepare: t.Callable[[Site], Json] = lambda _site: {}
    beside: tuple[str, ...] = ()


def hide_the_management_interface(site: Site) -> Json:
    """Leave the interfaces of the appliances without a description, so that it takes a load balancer to tell which one is for management."""
    aws, user = site.lab.aws, UsersAws(site)
    for instance_id, placement in aws.placements.items():
        with aws.lock:
            instance = aws.backend(placement.account_id, placement.region).get_instance(instance_id)
            instance.user_data = None
            for interface in instance.nics.values():
                interface.description = ""
                for group in interface.group_set:
                    group.ingress_rules = [rule for rule in group.ingress_rules if str(rule.from_port) != "6081"]
        balancers = user.client("elbv2", placement.region)
        group = balancers.create_target_group(Name=f"nsva-{instance_id[-6:]}", Protocol="GENEVE", Port=6081, VpcId=placement.vpc_id, TargetType="instance")
        balancers.register_targets(TargetGroupArn=group["TargetGroups"][0]["TargetGroupArn"], Targets=[{"Id": instance_id}])
    return {}


def renew(site: Site, _variables: Json) -> None:
    """Of three appliances, one has as many security groups as it may have, for which its account is asked."""
    plan, run = site.renew("--check"), site.renew(netsec_max_fail_percentage=100)
    assert plan.output.count("cannot be told before there is one") == 3
    assert run.failed() == {site.id_of("full")}
    assert "the account's quota allows no more" in run.output
    assert site.appliance("expired")["renewed"]


def audit(site: Site, _variables: Json) -> None:
    run = site.play("audit_certs.yml")
    assert run.returncode == 0, run.output
    assert site.id_of("expired") in run.output


def take_stock(site: Site, _variables: Json) -> None:
    """Where anything is refused, the inventory is an error."""
    path = site.folder / "fleet.netsec.yml"
    path.write_text("plugin: trendmicro.cloudone.netsec\nstrict: true\n", encoding="utf-8")
    run = site.run(["ansible-inventory", "-i", str(path), "--graph", "netsec_expired"])
    assert site.id_of("expired") in run.output, run.output


def prepare_logs(site: Site) -> Json:
    user = UsersAws(site)
    role = user.role("logs-to-firehose", "logs.us-east-1.amazonaws.com", "firehose:*")
    groups = user.client("logs")
    for name in ("kept", "encrypted", "labelled"):
        groups.create_log_group(logGroupName=name)
    groups.put_retention_policy(logGroupName="kept", retentionInDays=7)
    groups.put_subscription_filter(logGroupName="kept", filterName="old", filterPattern="", roleArn=role, destinationArn=user.firehose_to("old"))
    return {
        "netsec_cloudwatch_logs_types": [{"name": "ipsBlock", "group": BLOCKS}],
        "netsec_cloudwatch_logs_groups": [
            {"name": BLOCKS, "retention_days": 30, "tags": {"team": "network"}},
            {"name": "kept", "retention_days": 0},
            {"name": "encrypted", "kms_key_arns": [user.key("us-east-1")]},
            {"name": "labelled", "tags": {"team": "network"}},
        ],
        "netsec_cloudwatch_logs_subscriptions": [
            {"log_group": BLOCKS, "name": "new", "destination_arn": user.firehose_to("new"), "role_arn": role},
            {"log_group": "kept", "name": "old", "state": "absent"},
        ],
    }


def stream_logs(site: Site, variables: Json) -> None:
    """Of an appliance without traffic the log stream tells no last event, so that it is looked for."""
    run = site.stream_logs(netsec_cloudwatch_logs_proof_timeout=5, **variables)
    assert run.returncode == 0, run.output


def prepare_trail(site: Site) -> Json:
    selectors = [{"ReadWriteType": "All", "IncludeManagementEvents": True}]
    UsersAws(site).client("cloudtrail").put_event_selectors(TrailName=TRAIL, EventSelectors=selectors)
    return {}


def roll_out(site: Site, playbook: str, fault: Json, **variables: t.Any) -> Run:
    site.lab.control.clear_faults()
    if fault:
        site.lab.control.add_fault("aws", {"stack_fails": "Not now."}, match=fault, times=None)
    return site.play(playbook, "-i", f"{ACCOUNT_ID},", conformity_rtm_hosts="all", conformity_rtm_regions=REGIONS, **variables)


def enable(site: Site, _variables: Json) -> None:
    """In one region the stack fails at first, and CloudFormation's events tell why."""
    run = roll_out(site, "enable_rtm.yml", {"operation": "cloudformation:CreateStack", "region": "us-west-2"})
    assert re.findall(r"FAILED: (.*: Not now)", run.output), run.output
    run = roll_out(site, "enable_rtm.yml", {}, conformity_rtm_confirm=True, conformity_rtm_confirm_timeout=30, conformity_rtm_tags={"Owner": "security"})
    assert run.returncode == 0, run.output


def disable(site: Site, _variables: Json) -> None:
    fault = {"operation": "cloudformation:DeleteStack", "region": "us-west-2"}
    run = roll_out(site, "disable_rtm.yml", fault, conformity_rtm_termination_protection=False)
    assert re.findall(r"FAILED: (us-west-2: .*: Not now)", run.output), run.output
    run = roll_out(site, "disable_rtm.yml", {}, conformity_rtm_termination_protection=False)
    assert run.returncode == 0, run.output


def find_root(site: Site) -> Json:
    root = UsersAws(site).client("organizations").list_roots()["Roots"][0]["Id"]
    return {"conformity_rtm_organizational_units": [root], "conformity_rtm_regions": REGIONS[:2]}


def cover_an_organization(site: Site, variables: Json) -> None:
    """The stack set is made, changed and deleted; the management account is covered by a stack of its own, for which the other policies are."""
    tags = {"conformity_rtm_tags": {"Owner": "security"}}
    for playbook, more in (("enable_rtm.yml", tags), ("enable_rtm.yml", {**tags, "conformity_rtm_event_bus_sources": ["aws.s3"]}), ("disable_rtm.yml", {})):
        run = site.play(playbook, **variables, **more)
        assert run.returncode == 0, run.output


# What asks for further evidence or further rights has a row here, or a field in one of these.
SCENARIOS = (
    Scenario(
        "renew_certs",
        renew,
        appliances=(
            {"name": "expired", "deployment": "gateway_load_balancer", "registered_days_ago": 745},
            RENEWED_BY_HAND,
            {"name": "full", "deployment": "gateway_load_balancer", "registered_days_ago": 745, "extra_security_groups": 4},
        ),
        prepare=hide_the_management_interface,
    ),
    Scenario(
        "audit_certs",
        audit,
        appliances=({"name": "expired", "deployment": "gateway_load_balancer", "registered_days_ago": 745}, RENEWED_BY_HAND),
        prepare=hide_the_management_interface,
    ),
    Scenario(
        "inventory",
        take_stock,
        appliances=({"name": "expired", "deployment": "gateway_load_balancer", "registered_days_ago": 745},),
        prepare=hide_the_management_interface,
    ),
    Scenario("configure_cloudwatch_logs", stream_logs, appliances=({"name": "one"}, {"name": "quiet", "traffic": False}), prepare=prepare_logs),
    Scenario(
        "enable_rtm",
        enable,
        fleet={
            "aws": {
                "trail": "multi_region",
                "rtm": {"us-east-1": {"rule": "disabled"}, "eu-west-1": {"target": "missing"}, "ap-northeast-3": OF_ANOTHER_STACK},
            },
            "conformity": {"accounts": [{"name": "main", "aws_account_id": ACCOUNT_ID}]},
        },
        prepare=prepare_trail,
    ),
    Scenario(
        "disable_rtm",
        disable,
        fleet={"aws": {"rtm": {"us-east-1": {"termination_protection": True}, "us-west-2": {}, "ap-northeast-3": OF_ANOTHER_STACK}}},
    ),
    Scenario(
        "rtm_organization",
        cover_an_organization,
        fleet={"aws": {"accounts": [{"id": "222222222222"}], "organization": {"units": {"prod": ["222222222222"]}}}},
        prepare=find_root,
        beside=("enable_rtm", "disable_rtm"),
    ),
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.policy)
def test_a_playbook_passes_with_its_policy_and_needs_all_of_it(start_site: StartSite, scenario: Scenario) -> None:
    site = start_site(*scenario.appliances, **scenario.fleet)
    variables = scenario.prepare(site)
    document = policy_document(scenario.policy)
    together = [document, *map(policy_document, scenario.beside)]
    site.lab.policies.set(ACCOUNT_ID, {**document, "Statement": [statement for one in together for statement in one["Statement"]]})
    scenario.play(site, variables)
    asked = list(site.lab.policies.asked)
    assert {need.action for need in asked if allows(document, need)} == actions_of(document)
    for name, poorer in without_one_part(document):
        assert [need for need in asked if allows(document, need) and not allows(poorer, need)], f"nothing needs {name}"


def allows(document: Json, need: Need) -> bool:
    rights = Rights((Policy("policy", "user", json.dumps(document)),))
    return decide(rights, need.action, need.resource, dict(need.context)).decision == "allowed"


def without_one_part(document: Json) -> t.Iterator[tuple[str, Json]]:
    """The policy without one action or one resource of one statement, for each of them; a statement with a single one is left out whole."""
    for index, statement in enumerate(document["Statement"]):
        for element in ("Action", "Resource"):
            for part in listed(statement[element]):
                poorer = copy.deepcopy(document)
                rest = [one for one in listed(statement[element]) if one != part]
                if rest:
                    poorer["Statement"][index][element] = rest
                else:
                    del poorer["Statement"][index]
                yield f"{part} in {statement['Sid']}", poorer


def test_every_policy_is_judged_and_linked() -> None:
    """A policy that no playbook is run with, or that users are not told of, is a mistake; that of the rulebooks is judged where they are tested."""
    names = {path.stem for path in (ROOT / "docs" / "policies").glob("*.json")}
    assert names == {scenario.policy for scenario in SCENARIOS} | {"appliance_role", "event_driven"}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {name for name in names if f"docs/policies/{name}.json" in readme} == names
