# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rolling RTM out as a user does it: one account in whatever state, many accounts, and everything that may go wrong on the way."""

from __future__ import annotations

import re
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from conftest import Run, Site
from documented_policies import policy_document

from lab.aws import ACCOUNT_ID
from lab.fleet import RTM_REGIONS

OFF = ("me-south-1", "ap-east-1", "af-south-1", "eu-south-1")
ON = tuple(region for region in RTM_REGIONS if region not in OFF)
ELSEWHERE = "105579776292"
NAME = "CloudConformityMonitoring"
STACK_SET = "StackSet-rtm-5b0e3d0e"
WEBHOOK = "https://hooks.slack.example/services/T0/B0/OnlyForTheChannel"

Json = dict[str, t.Any]
StartSite = t.Callable[..., Site]

_ROW = re.compile(r'"([a-z]+-[a-z]+-\d) +(-|to [a-z]+|[a-z]+) +([a-z_]+) *(.*?)",?$', re.MULTILINE)


def play(site: Site, *arguments: str, playbook: str = "enable_rtm.yml", environment: dict[str, str] | None = None, **variables: t.Any) -> Run:
    """Run a playbook for the account that the lab's user is in, unless the variables say otherwise."""
    return site.run(command(site, *arguments, playbook=playbook, **variables), environment=environment)


def command(site: Site, *arguments: str, playbook: str = "enable_rtm.yml", **variables: t.Any) -> list[str]:
    inventory = () if "-i" in arguments else ("-i", f"{ACCOUNT_ID},")
    return site.command(playbook, *inventory, *arguments, **{"conformity_rtm_hosts": "all", **variables})


def table(run: Run) -> dict[str, tuple[str, str, str]]:
    """The summary: action, status and what is said, by region."""
    return {region: (action, status, words) for region, action, status, words in _ROW.findall(run.output)}


def regions(site: Site, account_id: str = ACCOUNT_ID) -> dict[str, Json]:
    """The truth about each region of an account."""
    return t.cast(dict[str, Json], site.lab.control.world()["rtm"][account_id]["regions"])


def monitored(site: Site, account_id: str = ACCOUNT_ID) -> set[str]:
    return {name for name, region in regions(site, account_id).items() if region["monitored"]}


def writes(site: Site) -> list[tuple[str, str]]:
    """What was to be changed in AWS, and where."""
    return [(call["operation"], call["region"]) for call in site.lab.control.aws_writes()]


def may(site: Site, policy: str, *, only_look: bool = False) -> None:
    """Give the lab's user a documented policy; of it, if wanted, only the statements that look."""
    document = policy_document(policy)
    statements = [statement for statement in document["Statement"] if not only_look or statement["Sid"].startswith("Look")]
    site.lab.policies.set(ACCOUNT_ID, {**document, "Statement": statements})


# What stands in each region, and what is to become of it.
STANDING: dict[str, tuple[Json | None, str]] = {
    "us-east-1": (None, "created"),
    "us-east-2": ({}, "-"),  # as the vendor's script left it, on another day
    "us-west-1": ({"rule": "disabled"}, "repaired"),
    "us-west-2": ({"target": "other"}, "repaired"),
    "ap-south-1": ({"target": "missing", "rule": "disabled"}, "repaired"),
    "ap-northeast-2": ({"pattern": "other"}, "updated"),
    "ap-southeast-1": ({"template": "older"}, "updated"),
    "ap-southeast-2": ({"rule": "missing"}, "repaired"),
    "ap-northeast-1": ({"stack": "ROLLBACK_COMPLETE"}, "recreated"),
    "eu-central-1": ({"stack": "CREATE_FAILED"}, "recreated"),
    "eu-west-1": ({"stack": "ROLLBACK_FAILED"}, "recreated"),
    "eu-west-2": ({"stack": "CREATE_IN_PROGRESS", "then": "ROLLBACK_COMPLETE", "stack_seconds": 8}, "recreated"),
    "eu-west-3": ({"stack": "UPDATE_ROLLBACK_COMPLETE", "event_bus_account_id": ELSEWHERE}, "updated"),
    "eu-north-1": ({"stack": "DELETE_FAILED"}, "recreated"),
    "sa-east-1": ({"stack": "UPDATE_IN_PROGRESS", "then": "UPDATE_COMPLETE", "stack_seconds": 8, "event_bus_sources": ["aws.s3"]}, "updated"),
    "ca-central-1": ({"termination_protection": True, "rule": "disabled"}, "repaired"),
    "ap-northeast-3": ({"stack_name": STACK_SET}, "-"),
}


def test_whatever_stands_there(start_site: StartSite) -> None:
    """Read-only rights for check mode, every state of a stack, all kinds of drift, a second run, and removal."""
    assert set(STANDING) == set(ON)
    standing = {region: spec for region, (spec, _action) in STANDING.items() if spec is not None}
    site = start_site(aws={"regions_off": list(OFF), "trail": "multi_region", "rtm": standing})
    site.variables = {}

    before = regions(site)
    may(site, "enable_rtm", only_look=True)
    plan = play(site, "--check", "--diff", conformity_rtm_ask_conformity=False)
    assert plan.returncode == 0, plan.output
    assert writes(site) == []
    assert {name: region["rule"] for name, region in regions(site).items()} == {name: region["rule"] for name, region in before.items()}
    assert plan.changed() > 0
    assert "--- before: us-west-1" in plan.output
    assert '-        "state": "DISABLED",' in plan.output
    shown = table(plan)
    assert shown["us-east-1"] == ("to create", "absent", f"Found: There is no stack {NAME}.")
    assert shown["us-west-1"] == ("to repair", "drifted", "Found: The rule is disabled.")
    assert shown["ap-northeast-1"][:2] == ("to recreate", "broken")
    assert "nothing was changed: check mode" in plan.output
    assert site.lab.control.calls("conformity") == []

    may(site, "enable_rtm")
    run = play(site)
    assert run.returncode == 0, run.output
    shown = table(run)
    assert {region: shown[region][0] for region in ON} == {region: action for region, (_spec, action) in STANDING.items()}
    assert {region: shown[region][1] for region in RTM_REGIONS} == {
        **dict.fromkeys(ON, "present"),
        **dict.fromkeys(OFF, "skipped"),
        "ap-northeast-3": "foreign",
    }
    assert monitored(site) == set(ON)
    assert f"belongs to the stack {STACK_SET} and is left alone" in shown["ap-northeast-3"][2]
    touched = {region for _operation, region in writes(site)}
    assert touched == set(ON) - {"us-east-2", "ap-northeast-3"}, "what is right, and what belongs to another, is not touched"
    assert all(region["stacks"].get(NAME) in ("CREATE_COMPLETE", "UPDATE_COMPLETE") for name, region in regions(site).items() if name in touched)

    site.lab.control.clear_calls()
    again = play(site)
    assert (again.returncode, again.changed(), writes(site)) == (0, 0, [])
    assert {action for action, _status, _words in table(again).values()} == {"-"}

    may(site, "disable_rtm")
    protected = play(site, playbook="disable_rtm.yml")
    assert protected.failed() == {ACCOUNT_ID}
    assert "ca-central-1: The stack CloudConformityMonitoring has termination protection" in protected.output
    assert monitored(site) == {"ca-central-1", "ap-northeast-3"}
    gone = play(site, playbook="disable_rtm.yml", conformity_rtm_termination_protection=False)
    assert gone.returncode == 0, gone.output
    assert monitored(site) == {"ap-northeast-3"}
    assert [name for name, region in regions(site).items() if region["rule"]] == ["ap-northeast-3"]
    assert {status for _action, status, _words in table(gone).values()} == {"absent", "foreign", "skipped"}


def test_regions_that_fail_do_not_stop_the_others(start_site: StartSite) -> None:
    """One throttles, one denies, one's stack fails, one is protected: they are named, and a further run does only these."""
    here = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "sa-east-1", "ap-south-1"]
    site = start_site(aws={"trail": "multi_region", "rtm": {"eu-central-1": {"stack": "ROLLBACK_COMPLETE", "termination_protection": True}}})
    site.variables = {"conformity_rtm_regions": here}
    throttled = {"operation": "cloudformation:DescribeStacks", "region": "eu-west-1"}
    site.lab.control.add_fault("aws", {"code": "Throttling", "message": "Rate exceeded"}, match=throttled, times=6)
    site.lab.control.add_fault("aws", {"code": "AccessDenied"}, match={"operation": "cloudformation:CreateStack", "region": "us-west-2"})
    site.lab.control.add_fault("aws", {"stack_fails": "No more rules allowed."}, match={"operation": "cloudformation:CreateStack", "region": "sa-east-1"})
    run = play(site)
    assert (run.returncode, run.failed()) == (2, {ACCOUNT_ID})
    failures = dict(re.findall(r'"FAILED: ([a-z0-9-]+): (.*)"', run.output))
    assert set(failures) == {"us-west-2", "eu-west-1", "eu-central-1", "sa-east-1"}
    assert "AWS is throttling" in failures["eu-west-1"]
    assert "Allow the IAM action cloudformation:CreateStack" in failures["us-west-2"]
    assert "is ROLLBACK_COMPLETE: CloudConformityMonitoring: No more rules allowed." in failures["sa-east-1"]
    assert "set termination_protection: false" in failures["eu-central-1"]
    assert table(run)["us-west-2"] == ("-", "failed", "FAILED, see below.")
    assert monitored(site) == {"us-east-1", "ap-south-1"}

    site.lab.control.clear_calls()
    again = play(site, conformity_rtm_termination_protection=False)
    assert again.returncode == 0, again.output
    assert monitored(site) == set(here)
    assert {region for _operation, region in writes(site)} == set(failures)


def test_killed_and_run_again_and_two_runs_at_once(start_site: StartSite, tmp_path: Path) -> None:
    here = list(ON[:8])
    site = start_site(aws={"trail": "multi_region", "cloudformation": {"operation_seconds": 1.5}})
    site.variables = {"conformity_rtm_regions": here}
    site.kill_when(lambda: len(writes(site)) >= 4, command(site))
    assert len(monitored(site)) < len(here), "it was killed in the middle"
    run = play(site)
    assert run.returncode == 0, run.output
    assert monitored(site) == set(here)
    assert sorted(writes(site)) == sorted(("cloudformation:CreateStack", region) for region in here), "no stack was made twice"

    neighbour = Site(site.lab, tmp_path / "neighbour")
    neighbour.folder.mkdir()
    neighbour.variables = site.variables
    for playbook, there in (("disable_rtm.yml", set()), ("enable_rtm.yml", set(here))):
        with ThreadPoolExecutor(2) as both:
            runs = list(both.map(lambda one, playbook=playbook: play(one, playbook=playbook), (site, neighbour)))
        assert [run.returncode for run in runs] == [0, 0], runs[0].output + runs[1].output
        assert monitored(site) == there
    stacks = [stack for region in regions(site).values() for stack in region["stacks"]]
    assert stacks == [NAME] * len(here)


def test_many_accounts(start_site: StartSite, tmp_path: Path) -> None:
    """By a list of roles, and by an inventory; another account than the expected one is not touched."""
    first, second, third = "111122223333", "222233334444", "333344445555"
    others = [{"id": one, "trail": "multi_region", "regions_off": [*OFF[1:]]} for one in (first, second, third)]
    # Sessions of the global STS endpoint are not known in me-south-1, which is on in these accounts.
    site = start_site(aws={"accounts": others, "sts_us_east_1": "regional"})
    here = ["us-east-1", "me-south-1", "af-south-1"]
    site.variables = {"conformity_rtm_regions": here, "conformity_rtm_report_dir": str(site.reports)}
    roles = {one: f"arn:aws:iam::{one}:role/conformity-rtm" for one in (first, second, third)}
    run = play(site, "-i", "localhost,", conformity_rtm_hosts="conformity_rtm_accounts", conformity_rtm_role_arns=[roles[first], roles[second]])
    assert run.returncode == 0, run.output
    assert set(run.recap) - {"localhost"} == {first, second}
    for account_id in (first, second):
        assert monitored(site, account_id) == {"us-east-1", "me-south-1"}
        assert f"AWS account {account_id}: 2 present, 1 skipped" in run.output
    assert monitored(site, third) == monitored(site, ACCOUNT_ID) == set()
    report = site.report("rtm")
    assert report["headline"] == "Monitoring is on in 4 of 4 regions in 2 accounts."
    assert [(row["account_id"], [row[region] for region in here]) for row in report["tables"][0]["rows"]] == [
        (account_id, ["present", "present", "skipped"]) for account_id in (first, second)
    ]
    assert {change["subject"] for change in report["changes"]} == {f"{one} {region}" for one in (first, second) for region in ("us-east-1", "me-south-1")}

    hosts = {"production": {"conformity_rtm_account_id": third}, "999999999999": {"conformity_rtm_role_arn": roles[third]}, first: {}}
    variables = {"conformity_rtm_role_arn": "arn:aws:iam::{{ conformity_rtm_account_id }}:role/conformity-rtm"}
    inventory = tmp_path / "accounts.yml"
    inventory.write_text(yaml.safe_dump({"conformity_rtm_accounts": {"hosts": hosts, "vars": variables}}), encoding="utf-8")
    site.lab.control.clear_calls()
    wrong = play(site, "-i", str(inventory), "--limit", f"999999999999,{first}", conformity_rtm_hosts="conformity_rtm_accounts")
    assert (wrong.failed(), wrong.changed(), writes(site)) == ({"999999999999"}, 0, [])
    assert f"The AWS credentials belong to the account {third}, not to 999999999999" in wrong.output
    report = site.report("rtm")
    assert report["headline"] == "Monitoring is on in 2 of 2 regions in 2 accounts; 1 account failed."
    assert [(item["subject"], third in item["detail"]) for item in report["actions"][0]["items"]] == [("999999999999", True)]
    right = play(site, "-i", str(inventory), "--limit", "production", conformity_rtm_hosts="conformity_rtm_accounts")
    assert right.returncode == 0, right.output
    assert monitored(site, third) == {"us-east-1", "me-south-1"}
    assert {call["account"] for call in site.lab.control.aws_writes()} == {third}

    nothing = play(site, "-i", "localhost,", conformity_rtm_hosts="conformity_rtm_accounts")
    assert nothing.returncode == 2
    assert "No host is an account to work on." in nothing.output
    own = play(site, "-i", "localhost,", "--tags", "assess", conformity_rtm_hosts="localhost")
    assert own.returncode == 0, own.output
    assert f"AWS account {ACCOUNT_ID}: 3 absent" in own.output, "without a name for the account it is that of the credentials"
    assert monitored(site, ACCOUNT_ID) == set()


def test_events_are_confirmed_or_it_is_said_why_not(start_site: StartSite) -> None:
    """The date moves; a subscription that is too small, an account that Conformity does not know, and trails that record nothing are named."""
    small, unknown, unrecorded = "111122223333", "222233334444", "333344445555"
    accounts = [
        {"id": small, "trail": "multi_region"},
        {"id": unknown, "trail": "multi_region"},
        {"id": unrecorded, "trail": "single_region"},
    ]
    known = [
        {"name": "main", "id": "main", "aws_account_id": ACCOUNT_ID, "last_event_days_ago": 30},
        {"name": "small", "aws_account_id": small, "subscription": "essentials", "sample": "older"},
        {"name": "unrecorded", "aws_account_id": unrecorded},
    ]
    site = start_site(aws={"trail": "multi_region", "accounts": accounts, "rtm": {"us-east-1": {}}}, conformity={"accounts": known})
    site.variables = {
        "conformity_rtm_regions": ["us-east-1", "eu-west-1"],
        "conformity_rtm_confirm": True,
        "conformity_rtm_confirm_timeout": 30,
    }
    slack = {"conformity_rtm_slack_url": WEBHOOK, "conformity_rtm_slack_channel": "#security", "conformity_rtm_slack_risk_levels": ["EXTREME"]}
    began = time.time()
    run = play(site, "-vvv", "--diff", **slack)
    assert run.returncode == 0, run.output
    assert "have arrived from 2 of 2 regions" in run.output
    assert (site.lab.conformity.last_event_at("main") or 0) >= began
    assert all(regions(site)[region]["events_seen"] for region in ("us-east-1", "eu-west-1"))
    assert [region for operation, region in writes(site) if operation == "cloudformation:CreateStack"] == ["eu-west-1"]
    assert "Slack: set." in run.output

    site.lab.control.clear_calls()
    again = play(site, "-vvv", "--diff", **slack)
    assert (again.returncode, again.changed(), writes(site)) == (0, 0, [])
    assert "Last event at 2" in table(again)["us-east-1"][2]
    assert "Slack: as wanted before." in again.output
    [setting] = site.lab.conformity.settings("main")
    assert setting.attributes["configuration"] == {**setting.attributes["configuration"], "url": WEBHOOK, "channel": "#security"}
    assert setting.attributes["filter"]["riskLevels"] == ["EXTREME"]
    for output in (run.output, again.output):
        assert WEBHOOK.rpartition("/")[2] not in output.replace("\n", "")

    roles = [f"arn:aws:iam::{account['id']}:role/conformity-rtm" for account in accounts]
    run = play(site, "-i", "localhost,", conformity_rtm_hosts="conformity_rtm_accounts", conformity_rtm_role_arns=roles)
    assert run.failed() == {small, unknown, unrecorded}
    assert "does not include Real-Time Threat Monitoring, so Conformity takes no events: small (essentials). Change the subscription" in run.output
    assert f"Conformity lists no account for the AWS account {unknown}. Add it there" in run.output
    assert "WARNING: nothing will arrive from eu-west-1: the rule matches only what CloudTrail records." in run.output
    assert "[WARNING]: Real-Time Threat Monitoring gets no events from eu-west-1" in run.unwrapped()
    assert "FAILED: eu-west-1: It is not confirmed that events arrive, and none will" in run.output
    assert "FAILED: us-east-1" not in run.output, "the trail of one region is in us-east-1"
    for account_id in (small, unknown, unrecorded):
        assert {name for name, region in regions(site, account_id).items() if region["rule"]} == {"us-east-1", "eu-west-1"}, "rolled out all the same"


def test_an_event_that_never_arrives(start_site: StartSite) -> None:
    """The time is bounded, and the roll-out is done all the same; without asking for a confirmation nothing is provoked."""
    site = start_site(
        aws={"trail": "multi_region"}, conformity={"event_delay": 3600, "accounts": [{"name": "main", "aws_account_id": ACCOUNT_ID, "sample": "newer"}]}
    )
    site.variables = {"conformity_rtm_regions": ["us-east-1", "eu-west-1"]}
    run = play(site)
    assert run.returncode == 0, run.output
    assert "Its last event: none so far." in run.output
    assert {operation for operation, _region in writes(site)} == {"cloudformation:CreateStack"}
    run = play(site, "--tags", "confirm", conformity_rtm_confirm=True, conformity_rtm_confirm_timeout=2)
    assert (run.returncode, run.changed()) == (2, 0)
    assert "us-east-1: It is not confirmed that events arrive. Conformity has listed no new event of the region within 2 seconds." in run.output
    assert monitored(site) == {"us-east-1", "eu-west-1"}
    site.lab.control.clear_calls()
    run = play(site, environment={"CLOUDONE_API_KEY": ""})
    assert (run.returncode, writes(site), site.lab.control.calls("conformity")) == (0, [], [])
    assert "Conformity was not asked whether events arrive: there is no API key." in run.output
