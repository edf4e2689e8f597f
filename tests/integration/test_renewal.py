# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a renewal does when nothing goes wrong, and the ways in which a user may want it done."""

from __future__ import annotations

import typing as t
from pathlib import Path

from conftest import Site

EXPIRED = {"name": "expired", "registered_days_ago": 745}
VALID = {"name": "valid", "registered_days_ago": 100}
BLOCK_EVENTS = {"ipsBlock": {"group": "network-security-block-events"}}

StartSite = t.Callable[..., Site]


def steps(site: Site) -> list[str]:
    """Everything asked of the lab in the order in which it was: requests, AWS operations that were no dry run, command lines."""
    return [_step(call) for call in site.lab.control.calls() if not call.get("dry_run")]


def _step(call: dict[str, t.Any]) -> str:
    if call["target"] == "api":
        return f"{call['method']} {call['path']}"
    return str(call["operation"] if call["target"] == "aws" else call["call"])


def writes(site: Site) -> list[str]:
    """Those of the steps that change something."""
    reading = ("GET ", "POST /appliances/search", "ec2:Describe", "sts:Get", "login", "show ")
    return [step for step in steps(site) if not step.startswith(reading)]


def test_check_mode_shows_the_plan_and_touches_nothing(start_site: StartSite) -> None:
    site = start_site(EXPIRED, VALID)
    before = site.lab.control.world()["appliances"]
    run = site.renew("--check", "--diff")
    assert run.returncode == 0
    assert "would be renewed" in run.output
    assert "not due" in run.output
    assert writes(site) == []
    assert site.lab.control.calls("cli") == []
    assert site.lab.control.world()["appliances"] == before


def test_an_appliance_keeps_its_settings_though_registration_loses_them(start_site: StartSite) -> None:
    site = start_site(
        {**EXPIRED, "log_types": BLOCK_EVENTS, "profile": "Strict", "registration_loses": ["log_types", "profile"], "registration_delay": 1},
        profiles=[{"id": 1, "name": "Default-Profile"}, {"id": 7, "name": "Strict"}],
    )
    before = site.appliance("expired")
    assert site.renew().returncode == 0
    after = site.appliance("expired")
    assert after["renewed"]
    assert after["log_types"] == before["log_types"]
    assert after["profile_id"] == before["profile_id"] == 7
    assert site.events_go_on("expired")
    assert not after["ssh"]["left_open"]
    assert [key for key in after["tags"] if key.startswith("trendmicro.cloudone")] == ["trendmicro.cloudone:registered-at"]


def test_the_vendors_steps_happen_in_the_safe_order(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    registered_as = site.appliance("expired")["api_ids"][0]
    site.renew()
    assert writes(site) == [
        "ec2:CreateSecurityGroup",
        "ec2:RevokeSecurityGroupEgress",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:ModifyNetworkInterfaceAttribute",
        "ec2:CreateTags",
        "POST /deploymenttokens",
        f"DELETE /appliances/{registered_as}",
        "cloudone unregister",
        "cloudone register ***",
        "ec2:ModifyNetworkInterfaceAttribute",
        "ec2:DeleteSecurityGroup",
        "ec2:CreateTags",
        "POST /appliancedistributions",
        "ec2:DeleteTags",
    ]
    everything = steps(site)
    proof = everything.index("show log-file system search sslv3 alert certificate")
    assert everything.index("ec2:ModifyNetworkInterfaceAttribute") < proof < everything.index(f"DELETE /appliances/{registered_as}")


def test_a_second_run_changes_nothing(start_site: StartSite) -> None:
    site = start_site(EXPIRED, VALID)
    assert site.renew().changed() > 0
    site.lab.control.clear_calls()
    run = site.renew()
    assert run.returncode == 0
    assert run.changed() == 0
    assert writes(site) == []


def test_limit_and_growing_batches(start_site: StartSite) -> None:
    site = start_site(*({**EXPIRED, "name": f"expired-{number}"} for number in range(3)))
    ids = [site.id_of("expired-0"), site.id_of("expired-2")]
    run = site.renew("--limit", ",".join(ids), netsec_serial=[1, "100%"], netsec_report_dir=str(site.reports))
    assert run.returncode == 0
    assert run.output.count("PLAY [Renew appliance certificates]") == 2
    assert [site.appliance(f"expired-{number}")["renewed"] for number in range(3)] == [True, False, True]
    report = site.report("renewal")
    assert report["headline"] == "2 of 2 certificates were renewed."
    assert {change["subject"] for change in report["changes"]} == set(ids)
    for row in report["tables"][0]["rows"]:
        assert (row["result"], row["credential"], row["seconds"] > 0) == ("renewed", "token", True)
        assert row["expires_before"] < row["expires_at"]


def test_a_report_that_cannot_be_written_stops_no_batch(start_site: StartSite) -> None:
    site = start_site(*({**EXPIRED, "name": f"expired-{number}"} for number in range(2)))
    site.reports.write_text("a file stands where the folder should", encoding="utf-8")
    run = site.renew(netsec_serial=1, netsec_report_dir=str(site.reports))
    assert run.returncode != 0
    assert "Name a folder in dest that this user may write to." in run.output
    assert run.failed() == {site.id_of("expired-1")}, "only the last batch fails"
    assert [site.appliance(f"expired-{number}")["renewed"] for number in range(2)] == [True, True]


def test_the_tag_assess_only_looks(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    run = site.renew("--tags", "assess")
    assert run.returncode == 0
    assert "expired on" in run.output
    assert writes(site) == []


def test_ssh_may_be_left_to_the_user(start_site: StartSite) -> None:
    site = start_site({**EXPIRED, "ssh_standing_rule": True})
    run = site.renew(netsec_certificate_manage_ssh_access=False)
    assert run.returncode == 0
    assert site.appliance("expired")["renewed"]
    assert not any("SecurityGroup" in what or "NetworkInterface" in what for what in writes(site))


def test_without_any_aws_rights(start_site: StartSite) -> None:
    site = start_site({**EXPIRED, "ssh_standing_rule": True}, {**VALID, "ssh_standing_rule": True}, aws={"denied_actions": ["*"]})
    run = site.renew(
        "-i",
        str(site.lab.state_dir.addressed_inventory),
        "--limit",
        site.id_of("expired"),
        netsec_certificate_use_aws=False,
        netsec_certificate_manage_ssh_access=False,
        netsec_certificate_force=True,
    )
    assert run.returncode == 0, run.output
    assert site.appliance("expired")["renewed"]
    assert site.lab.control.calls("aws") == []
    assert "No renewal date was recorded" in run.output


def test_a_token_of_the_users_own(start_site: StartSite) -> None:
    site = start_site(EXPIRED, api={"deployment_tokens": {"path": None}})
    token = site.lab.control.issue_token()
    run = site.renew(netsec_certificate_token=token)
    assert run.returncode == 0, run.output
    assert site.appliance("expired")["registrations"][-1]["credential"] == "token"
    assert token not in run.output


def test_a_token_endpoint_that_differs_from_the_guess(start_site: StartSite) -> None:
    site = start_site(EXPIRED, api={"deployment_tokens": {"path": "/tokens", "token_field": "value", "body_fields": ["name"]}})
    request = {"path": "/tokens", "token_field": "value", "body": {"name": "renewal"}}
    assert site.renew(netsec_certificate_token_request=request).returncode == 0
    assert site.appliance("expired")["registrations"][-1]["credential"] == "token"


def test_nobody_knows_the_profile(start_site: StartSite) -> None:
    site = start_site({**EXPIRED, "profile": None})
    run = site.renew()
    assert run.returncode == 0
    assert "redistribute its policies by hand" in run.output
    assert "POST /appliancedistributions" not in writes(site)


def test_the_user_names_the_profile(start_site: StartSite) -> None:
    site = start_site({**EXPIRED, "profile": None}, profiles=[{"id": 9, "name": "Ours"}])
    assert site.renew(netsec_certificate_profile="Ours").returncode == 0
    assert site.appliance("expired")["profile_id"] == 9


def test_an_appliance_found_unregistered_is_taken_up(start_site: StartSite) -> None:
    site = start_site({"name": "lost", "registered": False, "registered_days_ago": 740})
    run = site.renew()
    assert run.returncode == 0
    assert site.appliance("lost")["renewed"]


def test_a_hosted_appliance_is_skipped_with_a_note(start_site: StartSite) -> None:
    site = start_site({"name": "hosted", "deployment": "hosted", "registered_days_ago": 800}, VALID)
    run = site.renew(netsec_report_dir=str(site.reports))
    assert run.returncode == 0
    assert "the vendor renews the appliances that it hosts" in run.output
    assert writes(site) == []
    assert {row["instance_id"]: row["result"] for row in site.report("renewal")["tables"][0]["rows"]} == {
        site.id_of("hosted"): "hosted",
        site.id_of("valid"): "not_due",
    }


def test_the_playbook_of_an_installed_collection(start_site: StartSite, installed: Path) -> None:
    site = start_site(EXPIRED)
    run = site.play("trendmicro.cloudone.renew_certs", environment={"ANSIBLE_COLLECTIONS_PATH": str(installed)}, netsec_report_dir=str(site.reports))
    assert run.returncode == 0, run.output
    assert site.appliance("expired")["renewed"]
    assert site.report("renewal")["headline"] == "1 of 1 certificate was renewed."


def test_raw_commands_over_the_connection(start_site: StartSite) -> None:
    site = start_site({**VALID, "ssh_standing_rule": True, "pager": 2, "colours": True, "banner": "Authorised {users} only"})
    run = site.run(["ansible", "-i", str(site.lab.state_dir.addressed_inventory), "all", "-m", "ansible.builtin.raw", "-a", "show version"])
    assert run.returncode == 0, run.output
    assert "2023.6.0.12190" in run.output
    assert "\x1b" not in run.output
    assert site.lab.control.world()["bastion_logins"] == 1
