# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that streams the logs of a fleet to CloudWatch: what a user may want, and what may stand in the way."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import yaml
from conftest import ROOT, Json, Run, Site
from documented_policies import actions_of, policy_document
from users_aws import UsersAws

from lab.fleet import RoleAction

StartSite = t.Callable[..., Site]

README = ROOT / "README.md"
EXAMPLE = ("-e", "@playbooks/vars/cloudwatch_logs_example.yml")
BLOCKS, ALERTS, SYSTEM = "network-security-block-events", "network-security-alert-events", "network-security-system"
STREAM_BLOCKS = [{"name": "ipsBlock", "group": BLOCKS}]
STREAM_SYSTEM = [{"name": "system", "group": SYSTEM}]
QUICK_PROOF = {"netsec_cloudwatch_logs_proof_timeout": 5}


def writes(site: Site) -> list[str]:
    """What the lab was asked to change: requests to the API, and operations of AWS."""
    requests = [
        f"{call['method']} {call['path']}" for call in site.lab.control.calls("api") if call["method"] != "GET" and call["path"] != "/appliances/search"
    ]
    return requests + [call["operation"] for call in site.lab.control.aws_writes()]


def streamed(site: Site, name: str) -> dict[str, str]:
    """The log types that the API has as switched on for an appliance, with their log groups."""
    return {entry["logName"]: entry["logGroupName"] for entry in site.appliance(name)["log_types"] if entry["enable"]}


def arrived(site: Site, name: str) -> dict[tuple[str, str], int]:
    """How many events of an appliance are in CloudWatch, by log group and stream."""
    groups = site.appliance(name)["log_streams"]
    return {(group, stream): count for group, streams in groups.items() for stream, count in streams.items()}


def summary_of(run: Run, instance_id: str) -> str:
    """What the summary says about one appliance: its line, and the lines below it that are set in."""
    lines = iter(run.output[run.output.index("Show the summary") :].splitlines())
    found = [next(line for line in lines if line.strip().startswith(f'"{instance_id}: '))]
    for line in lines:
        if not line.strip().startswith('"    '):
            break
        found.append(line)
    return "\n".join(found)


def operations(site: Site) -> set[str]:
    """The operations of AWS that were asked for."""
    return {call["operation"] for call in site.lab.control.calls("aws")}


def test_the_readme_shows_the_vendors_example_and_the_policy_of_its_template() -> None:
    example = (ROOT / EXAMPLE[1].removeprefix("@")).read_text(encoding="utf-8")
    assert yaml.safe_load(example) in [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)]
    assert actions_of(policy_document("appliance_role")) == set(t.get_args(RoleAction))


def test_the_vendors_example_on_every_managed_appliance(start_site: StartSite) -> None:
    # More than the ten that the API answers at once, of two regions and of all versions that are new enough.
    others = [{"name": f"other-{number}"} for number in range(8)]
    site = start_site(
        {"name": "frankfurt", "region": "eu-central-1", "deployment": "gateway_load_balancer"},
        {"name": "first-that-can", "tos_version": "2020.10.0.10899"},
        {"name": "of-2021", "tos_version": "2021.1.0.11235", "offers_ssl_inspection": False},
        {"name": "quiet", "traffic": False},
        *others,
    )
    names = [spec.name for spec in site.lab.fleet.appliances]
    del site.environment["ANSIBLE_INVENTORY"]

    run = site.stream_logs(*EXAMPLE, "--check", "--diff")
    assert run.returncode == 0, run.output
    assert writes(site) == []
    for name in names:
        assert f"+++ after: {site.id_of(name)}" in run.output
        assert "would be configured" in summary_of(run, site.id_of(name))
    assert run.output.count("-ipsBlock: off, group -, stream ipsBlock_{instance_id}\n") == len(names)
    assert run.output.count(f"+ipsBlock: on, group {BLOCKS}, stream ipsBlock_{{instance_id}}\n") == len(names)

    run = site.stream_logs(*EXAMPLE, **QUICK_PROOF)
    assert run.returncode == 0, run.output
    for name in names:
        assert streamed(site, name) == {"ipsBlock": BLOCKS, "ipsAlert": ALERTS}
        assert set(arrived(site, name)) == {(BLOCKS, f"ipsBlock_{site.id_of(name)}"), (ALERTS, f"ipsAlert_{site.id_of(name)}")}
        assert any(arrived(site, name).values()) == (name != "quiet")
    assert "Events arrive of: ipsAlert, ipsBlock" in summary_of(run, site.id_of("frankfurt"))
    assert "no fault if there was nothing to report: ipsAlert, ipsBlock" in summary_of(run, site.id_of("quiet"))

    site.lab.control.clear_calls()
    run = site.stream_logs(*EXAMPLE)
    assert run.returncode == 0, run.output
    assert run.changed() == 0
    assert writes(site) == []


def test_an_account_without_appliances(start_site: StartSite) -> None:
    site = start_site()
    run = site.stream_logs(*EXAMPLE)
    assert run.returncode == 0, run.output
    assert run.output.count("The account has no appliance yet: deploy one first.") == 2, "as a warning and in the summary"


def test_each_host_gets_what_its_variables_say_or_a_reason_why_not(start_site: StartSite, tmp_path: Path) -> None:
    site = start_site(
        {"name": "virginia", "log_types": {"audit": {"group": "set-by-hand"}}},
        {"name": "frankfurt", "region": "eu-central-1", "traffic": False},
        {"name": "old", "tos_version": "5.5.0.10625"},
        {"name": "without-ssl", "offers_ssl_inspection": False},
        {"name": "without-role", "instance_role": False},
        {"name": "role-lacks-one", "instance_role_lacks": ["logs:PutLogEvents"]},
        {"name": "without-variable"},
    )
    ssl = [*STREAM_BLOCKS, {"name": "sslInspection", "group": "ssl"}]
    wanted = {
        "virginia": [*STREAM_SYSTEM, {"name": "ipsBlock", "group": BLOCKS, "stream": "blocked/{instance_id}"}],
        "frankfurt": STREAM_SYSTEM,
        "old": STREAM_SYSTEM,
        "without-ssl": ssl,
        "without-role": STREAM_SYSTEM,
        "role-lacks-one": STREAM_SYSTEM,
    }
    fleet = tmp_path / "fleet.yml"
    hosts: Json = {site.id_of(name): {"netsec_cloudwatch_logs_types": types} for name, types in wanted.items()}
    fleet.write_text(yaml.safe_dump({"netsec_appliances": {"hosts": {**hosts, site.id_of("without-variable"): None}}}), encoding="utf-8")
    user = UsersAws(site)
    keys = {region: user.key(region) for region in ("us-east-1", "eu-central-1")}
    groups = [{"name": SYSTEM, "retention_days": 30, "kms_key_arns": list(keys.values())}, {"name": BLOCKS, "retention_days": 365, "tags": {"team": "network"}}]
    before = {name: site.appliance(name)["log_types"] for name in wanted}
    site.lab.control.clear_calls()

    run = site.stream_logs("-i", str(fleet), netsec_cloudwatch_logs_groups=groups, netsec_report_dir=str(site.reports))
    reasons = {
        "old": "has version 5.5.0.10625; streaming logs to CloudWatch needs 2020.10.0 or later",
        "without-ssl": "does not have the log types sslInspection",
        "without-role": "has no instance profile",
        "role-lacks-one": "does not allow logs:PutLogEvents",
    }
    assert run.returncode != 0
    assert run.failed() == {site.id_of(name) for name in [*reasons, "without-variable"]}
    assert "missing required arguments: netsec_cloudwatch_logs_types" in run.output
    for name, reason in reasons.items():
        assert site.appliance(name)["log_types"] == before[name]
        assert reason in summary_of(run, site.id_of(name))
        assert "Nothing was changed for it." in summary_of(run, site.id_of(name))
    report = site.report("log_streaming")
    rows = {row["instance_id"]: row for row in report["tables"][1]["rows"]}
    assert {name for name in wanted if rows[site.id_of(name)]["result"] == "failed"} == set(reasons)
    assert all(reasons[name] in rows[site.id_of(name)]["reason"] for name in reasons)
    assert {change["subject"] for change in report["changes"]} == {site.id_of("virginia"), site.id_of("frankfurt")}
    assert [rows[site.id_of(name)]["arrival"] for name in ("virginia", "frankfurt", "old")] == ["arriving", "arriving", "not_checked"]
    assert streamed(site, "virginia") == {"system": SYSTEM, "ipsBlock": BLOCKS, "audit": "set-by-hand"}
    assert streamed(site, "frankfurt") == {"system": SYSTEM}
    assert arrived(site, "virginia")[BLOCKS, f"blocked/{site.id_of('virginia')}"]
    assert arrived(site, "frankfurt")[SYSTEM, f"system_{site.id_of('frankfurt')}"]
    for region, key in keys.items():
        found = user.groups(region)
        assert (found[SYSTEM]["retentionInDays"], found[SYSTEM]["kmsKeyId"]) == (30, key)
        assert found[BLOCKS]["retentionInDays"] == 365
    assert operations(site) <= actions_of(policy_document("configure_cloudwatch_logs"))
    # Whatever can be refused was, before the first write.
    asked = [call["operation"] if call["target"] == "aws" else f"{call['method']} {call['path']}" for call in site.lab.control.calls()]
    first_write = asked.index("logs:CreateLogGroup")
    assert max(index for index, what in enumerate(asked) if what == "iam:SimulatePrincipalPolicy") < first_write
    assert min(index for index, what in enumerate(asked) if what.startswith("POST ") and what.endswith("/cloudwatchlogconfig")) > first_write

    run = site.stream_logs(
        "-i",
        str(fleet),
        "--limit",
        f"{site.id_of('without-ssl')},{site.id_of('virginia')}",
        netsec_cloudwatch_logs_types=ssl,
        netsec_cloudwatch_logs_ignore_unavailable=True,
        netsec_cloudwatch_logs_purge=True,
    )
    assert run.returncode == 0, run.output
    assert f"[WARNING]: {site.id_of('without-ssl')} does not have the log types sslInspection; they were left out." in run.unwrapped()
    assert streamed(site, "without-ssl") == {"ipsBlock": BLOCKS}
    assert streamed(site, "virginia") == {"ipsBlock": BLOCKS, "sslInspection": "ssl"}
    assert streamed(site, "frankfurt") == {"system": SYSTEM}, "it was outside of the limit"


def test_faults_cost_no_more_than_they_must(start_site: StartSite) -> None:
    site = start_site({"name": "one"}, {"name": "two"})
    control = site.lab.control
    broken = {"method": "POST", "path": f"/appliances/{site.appliance('two')['api_ids'][0]}/cloudwatchlogconfig"}
    variables = {"netsec_cloudwatch_logs_types": STREAM_BLOCKS, "netsec_cloudwatch_logs_groups": [{"name": BLOCKS, "retention_days": 7}]}

    run = site.stream_logs(environment={"CLOUDONE_API_KEY": "wrong-key-of-this-test"}, **variables)
    assert run.returncode != 0
    assert "HTTP 401" in run.output
    assert "Check that the API key is valid" in run.output
    assert "wrong-key-of-this-test" not in run.output
    assert writes(site) == []

    control.add_fault("aws", {"code": "AccessDeniedException"}, match={"operation": "logs:CreateLogGroup"})
    run = site.stream_logs(**variables)
    assert run.returncode != 0
    assert "Allow the IAM action logs:CreateLogGroup" in run.output
    assert writes(site) == ["logs:CreateLogGroup"], "no appliance was configured"
    assert streamed(site, "one") == streamed(site, "two") == {}

    control.add_fault("api", {"status": 500, "body": {"message": "broken in this test"}}, match=broken, times=None)
    control.add_fault("aws", {"code": "AccessDenied"}, match={"operation": "iam:SimulatePrincipalPolicy"})
    run = site.stream_logs(**variables)
    assert run.failed() == {site.id_of("two")}
    assert "broken in this test" in summary_of(run, site.id_of("two"))
    assert streamed(site, "one") == {"ipsBlock": BLOCKS}
    assert "It is not known what the role of the EC2 instance allows." in summary_of(run, site.id_of("one"))
    assert "Events arrive of: ipsBlock" in summary_of(run, site.id_of("one"))

    control.clear_faults()
    control.add_fault("aws", {"code": "AccessDeniedException"}, match={"operation": "logs:DescribeLogStreams"}, times=None)
    run = site.stream_logs(**variables)
    assert run.failed() == {site.id_of("one"), site.id_of("two")}
    assert streamed(site, "two") == {"ipsBlock": BLOCKS}
    assert "whether logs arrive could not be found out: AWS refused logs:DescribeLogStreams" in summary_of(run, site.id_of("two"))


def test_a_system_log_that_does_not_arrive_is_a_failure_that_says_what_to_do(start_site: StartSite) -> None:
    mute = {
        "cannot-write": {"instance_role_lacks": ["logs:PutLogEvents"]},
        "cannot-create": {"instance_role": False},
        "does-not-communicate": {"registered_days_ago": 745},
    }
    site = start_site({"name": "fine", "traffic": False}, *({"name": name, **spec} for name, spec in mute.items()))
    run = site.stream_logs(netsec_cloudwatch_logs_types=STREAM_SYSTEM + STREAM_BLOCKS, netsec_cloudwatch_logs_check_instance_role=False, **QUICK_PROOF)
    assert run.failed() == {site.id_of(name) for name in mute}
    for name in mute:
        said = summary_of(run, site.id_of(name))
        assert "It is configured, but not all that it should write arrives." in said
        assert "Check the role of the instance" in said
        assert "certificate expired" in said
        assert not any(arrived(site, name).values())
    assert "no event since" in summary_of(run, site.id_of("cannot-write"))
    assert f"there is no log stream system_{site.id_of('cannot-create')}" in summary_of(run, site.id_of("cannot-create"))
    assert "Events arrive of: system" in summary_of(run, site.id_of("fine"))
    assert "no fault if there was nothing to report: ipsBlock" in summary_of(run, site.id_of("fine"))


def test_events_are_forwarded_to_s3_and_to_a_function(start_site: StartSite) -> None:
    site = start_site({"name": "one"})
    user = UsersAws(site)
    function, role = user.function("slack"), user.role("to-firehose", "logs.us-east-1.amazonaws.com", "firehose:*")
    to_s3 = {"log_group": BLOCKS, "name": "to-s3", "destination_arn": user.firehose_to("archive"), "role_arn": role}
    to_slack = {"log_group": ALERTS, "name": "to-slack", "destination_arn": function}
    variables: Json = {
        "netsec_cloudwatch_logs_types": [*STREAM_BLOCKS, {"name": "ipsAlert", "group": ALERTS}],
        "netsec_cloudwatch_logs_subscriptions": [to_s3, to_slack],
    }

    run = site.stream_logs(**variables)
    assert run.returncode != 0
    assert f"aws lambda add-permission --region us-east-1 --function-name {function}" in run.output
    assert streamed(site, "one") == {"ipsBlock": BLOCKS, "ipsAlert": ALERTS}

    user.let_cloudwatch_call("slack")
    assert site.stream_logs(**variables).returncode == 0
    assert site.events_go_on("one")
    assert any("action=block" in message for message in user.events_in("archive"))
    assert site.lab.control.world()["lambda_events"][function]

    site.lab.control.clear_calls()
    run = site.stream_logs(**variables)
    assert (run.returncode, run.changed(), writes(site)) == (0, 0, [])

    variables["netsec_cloudwatch_logs_subscriptions"] = [{**to_s3, "state": "absent"}, {**to_slack, "state": "absent"}]
    run = site.stream_logs("--check", "--diff", **variables)
    assert run.returncode == 0, run.output
    assert f"-destination: {function}" in run.output
    assert writes(site) == []
    assert site.stream_logs(**variables).returncode == 0
    assert writes(site) == ["logs:DeleteSubscriptionFilter"] * 2
    assert operations(site) <= actions_of(policy_document("configure_cloudwatch_logs"))


def test_a_renewal_does_not_end_the_streaming(start_site: StartSite) -> None:
    log_types = {"system": {"group": SYSTEM}, "ipsBlock": {"group": BLOCKS}}
    site = start_site({"name": "expired", "registered_days_ago": 745, "log_types": log_types, "registration_loses": ["log_types"]})
    instance_id = site.id_of("expired")
    assert site.events_go_on("expired")
    # An appliance writes to AWS by itself, so its certificate errors arrive although it cannot talk to Cloud One.
    logs = UsersAws(site).client("logs")
    lines = [event["message"] for event in logs.get_log_events(logGroupName=SYSTEM, logStreamName=f"system_{instance_id}", startFromHead=True)["events"]]
    assert any("sslv3 alert certificate" in line for line in lines)

    assert site.renew().returncode == 0
    appliance = site.appliance("expired")
    assert appliance["renewed"]
    before = arrived(site, "expired")
    assert streamed(site, "expired") == {"system": SYSTEM, "ipsBlock": BLOCKS}
    run = site.stream_logs(netsec_cloudwatch_logs_types=[*STREAM_SYSTEM, *STREAM_BLOCKS])
    assert (run.returncode, run.changed()) == (0, 0)
    assert "Events arrive of: system, ipsBlock" in summary_of(run, instance_id)
    after = arrived(site, "expired")
    assert after.keys() == before.keys()
    assert all(after[stream] > before[stream] for stream in before)


def test_hosted_appliances(start_site: StartSite) -> None:
    site = start_site({"name": "ours"}, {"name": "hosted", "deployment": "hosted", "region": "us-west-2"})
    variables: Json = {"netsec_cloudwatch_logs_groups": [{"name": BLOCKS, "retention_days": 7}]}
    run = site.stream_logs(*EXAMPLE, **variables)
    assert run.returncode != 0
    assert "There is no EC2 instance" in summary_of(run, site.id_of("hosted"))
    assert "netsec_cloudwatch_logs_hosted_instance_ids" in summary_of(run, site.id_of("hosted"))
    assert streamed(site, "hosted") == {}
    assert streamed(site, "ours")

    run = site.stream_logs(*EXAMPLE, netsec_cloudwatch_logs_hosted_instance_ids=[site.id_of("hosted")], **variables)
    assert run.returncode == 0, run.output
    assert streamed(site, "hosted") == {"ipsBlock": BLOCKS, "ipsAlert": ALERTS}
    assert "whether its logs arrive cannot be seen" in summary_of(run, site.id_of("hosted"))
    assert UsersAws(site).groups("us-west-2") == {}


def test_the_playbook_of_an_installed_collection_without_any_aws_rights(start_site: StartSite, installed: Path) -> None:
    site = start_site({"name": "one"}, aws={"denied_actions": ["*"]})
    run = site.play(
        "trendmicro.cloudone.configure_cloudwatch_logs",
        "-e",
        f"@{installed / 'ansible_collections/trendmicro/cloudone/playbooks/vars/cloudwatch_logs_example.yml'}",
        environment={"ANSIBLE_COLLECTIONS_PATH": str(installed)},
        netsec_cloudwatch_logs_check_instance_role=False,
        netsec_cloudwatch_logs_prove=False,
    )
    assert run.returncode == 0, run.output
    assert streamed(site, "one") == {"ipsBlock": BLOCKS, "ipsAlert": ALERTS}
    assert site.lab.control.calls("aws") == []
