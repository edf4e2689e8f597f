# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input and faults: a clear message, nothing lost, SSH closed, and a plain second run that finishes the work."""

from __future__ import annotations

import subprocess
import typing as t
from pathlib import Path

import pytest
from conftest import Site

StartSite = t.Callable[..., Site]
EXPIRED = {"name": "expired", "registered_days_ago": 745}


def assert_untouched(site: Site, name: str = "expired") -> None:
    """Nothing was unregistered, and nothing was left open."""
    appliance = site.appliance(name)
    assert appliance["api_ids"]
    assert appliance["unregistered_in_api_at"] == appliance["unregistered_on_appliance_at"] == []
    assert not appliance["ssh"]["left_open"]


def assert_a_second_run_finishes(site: Site, names: t.Iterable[str] = ("expired",)) -> None:
    site.lab.control.clear_faults()
    run = site.renew()
    assert run.returncode == 0, run.output
    assert all(site.appliance(name)["renewed"] for name in names)
    totals = site.totals()
    assert totals["ssh_left_open"] == totals["groups_left"] == totals["listed_twice"] == 0
    assert site.renew().changed() == 0


# The Network Security API


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        ({"status": 400, "body": {"details": "searchCriteria is wrong"}}, "searchCriteria is wrong"),
        ({"status": 503}, "run again later"),
        ({"status": 429, "headers": {"Retry-After": "0"}}, "Too many requests"),
        ({"status": 200, "body": "<html>login</html>"}, "no JSON"),
        ({"status": 200, "body": {"next": "again", "appliances": []}}, "pages do not end"),
    ],
)
def test_an_api_that_does_not_answer_as_documented(start_site: StartSite, effect: dict[str, t.Any], said: str) -> None:
    site = start_site(EXPIRED)
    site.lab.control.add_fault("api", effect, match={"path": "/appliances/search"}, times=None)
    run = site.renew()
    assert run.returncode != 0
    assert said in run.output
    assert_untouched(site)


def test_a_wrong_key(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    run = site.renew(environment={"CLOUDONE_API_KEY": "wrong-key-of-this-test"})
    assert run.returncode != 0
    assert "HTTP 401" in run.output
    assert "Check that the API key is valid" in run.output
    assert "wrong-key-of-this-test" not in run.output
    assert_untouched(site)


def test_a_key_that_may_only_read(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    key = site.lab.state_dir.read_description()["read_only_api_key"]
    run = site.renew(environment={"CLOUDONE_API_KEY": key})
    assert run.returncode != 0
    assert "HTTP 403" in run.output
    assert "lacks the right" in run.output
    assert_untouched(site)
    assert_a_second_run_finishes(site)


def test_an_outage_that_passes_is_waited_for(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    site.lab.control.add_fault("api", {"status": 503, "headers": {"Retry-After": "1"}}, match={"path": "/appliances/search"}, times=2)
    site.lab.control.add_fault("api", {"status": 429}, match={"method": "DELETE"}, times=2)
    assert site.renew().returncode == 0
    assert [fault["fired"] for fault in site.lab.control.faults()] == [2, 2]
    assert site.appliance("expired")["renewed"]


def test_no_endpoint_for_tokens(start_site: StartSite) -> None:
    site = start_site(EXPIRED, api={"deployment_tokens": {"path": None}})
    run = site.renew()
    assert run.returncode != 0
    assert "The endpoint for deployment tokens is not documented" in run.output
    assert_untouched(site)


def test_a_lost_answer_to_the_unregistering(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    site.lab.control.add_fault("api", {"drop": True}, match={"method": "DELETE", "path": "/appliances/*"})
    run = site.renew()
    assert run.returncode != 0
    assert not site.appliance("expired")["ssh"]["left_open"]
    assert_a_second_run_finishes(site)


def test_policies_that_cannot_be_distributed_are_by_the_next_run(start_site: StartSite) -> None:
    site = start_site({**EXPIRED, "registration_loses": ["profile"]})
    site.lab.control.add_fault("api", {"status": 400, "body": {"details": "busy"}}, match={"method": "POST", "path": "/appliancedistributions"})
    run = site.renew()
    assert run.returncode != 0
    assert "busy" in run.output
    registered = site.appliance("expired")["registrations"]
    assert site.renew().returncode == 0
    after = site.appliance("expired")
    assert after["registrations"] == registered, "it was renewed twice"
    assert after["profile_id"] == 1
    assert site.renew().changed() == 0


# What the user names


def test_ids_that_are_wrong(start_site: StartSite, tmp_path: Path) -> None:
    site = start_site(EXPIRED, {"name": "twice", "registered_days_ago": 745, "listed_twice": True})
    inventory = tmp_path / "more.yml"
    inventory.write_text("netsec_appliances: {hosts: {i-0123456789abcdef0: {}}}\n", encoding="utf-8")
    run = site.renew("-i", str(site.lab.state_dir.inventory), "-i", str(inventory), netsec_max_fail_percentage=100)
    assert run.failed() == {"i-0123456789abcdef0", site.id_of("twice")}
    assert "i-0123456789abcdef0 is known neither to the Network Security API nor to EC2" in run.output
    assert site.appliance("expired")["renewed"]


def test_one_instance_named_by_two_hosts(start_site: StartSite, tmp_path: Path) -> None:
    site = start_site(EXPIRED)
    inventory = tmp_path / "more.yml"
    inventory.write_text(f"netsec_appliances: {{hosts: {{alias: {{netsec_certificate_instance_id: {site.id_of('expired')}}}}}}}\n", encoding="utf-8")
    run = site.renew("-i", str(site.lab.state_dir.inventory), "-i", str(inventory))
    assert run.returncode != 0
    assert site.id_of("expired") in run.output
    assert_untouched(site)


def test_ssh_from_everywhere_is_refused_unless_said(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    run = site.renew(netsec_certificate_ssh_source_cidrs=["0.0.0.0/0"])
    assert run.returncode != 0
    assert "0.0.0.0/0" in run.output
    assert_untouched(site)
    assert site.renew(netsec_certificate_ssh_source_cidrs=["0.0.0.0/0"], netsec_certificate_ssh_allow_any_source=True).returncode == 0


def test_no_source_of_ssh(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    run = site.renew(netsec_certificate_ssh_source_cidrs=[])
    assert run.returncode != 0
    assert "netsec_certificate_ssh_source_cidrs is empty" in run.output
    assert_untouched(site)


def test_an_expired_token(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    token = site.lab.control.issue_token(lifetime=0.001)
    run = site.renew(netsec_certificate_token=token)
    assert run.returncode != 0
    assert "expired" in run.output
    assert "Run the playbook again" in run.output
    assert token not in run.output
    assert not site.appliance("expired")["ssh"]["left_open"]
    assert_a_second_run_finishes(site)


def test_an_appliance_that_refuses_tokens_needs_a_key(start_site: StartSite) -> None:
    site = start_site({**EXPIRED, "supports_tokens": False})
    run = site.renew(netsec_certificate_registration_api_key="")
    assert run.returncode != 0
    assert "netsec_certificate_registration_api_key" in run.output
    assert site.renew(netsec_certificate_registration_api_key=site.lab.environment["CLOUDONE_API_KEY"]).returncode == 0
    assert site.appliance("expired")["registrations"][-1]["credential"] == "api_key"


# AWS


@pytest.mark.parametrize(
    "action",
    [
        "ec2:DescribeInstances",
        "ec2:CreateSecurityGroup",
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:ModifyNetworkInterfaceAttribute",
        "ec2:DeleteSecurityGroup",
        "ec2:CreateTags",
        "ec2:DeleteTags",
    ],
)
def test_a_denied_action_is_found_before_anything_is_unregistered(start_site: StartSite, action: str) -> None:
    site = start_site(EXPIRED, aws={"denied_actions": [action]})
    run = site.renew()
    assert run.returncode != 0
    assert action in run.output
    appliance = site.appliance("expired")
    assert appliance["api_ids"]
    assert appliance["unregistered_in_api_at"] == appliance["unregistered_on_appliance_at"] == []


def test_what_cannot_be_closed_is_never_silent(start_site: StartSite) -> None:
    site = start_site({"name": "valid", "registered_days_ago": 100})
    site.lab.control.add_fault("aws", {"code": "UnauthorizedOperation"}, match={"operation": "ec2:DescribeSecurityGroups"}, after=1, times=None)
    run = site.renew()
    assert run.returncode != 0
    assert run.failed() == {site.id_of("valid")}
    assert "ec2:DescribeSecurityGroups" in run.output


def test_ssh_that_is_closed_at_the_second_try_costs_nothing(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    refused = {"code": "UnauthorizedOperation", "message": "You are not authorized."}
    # The first one is but the proof that the group may be deleted.
    site.lab.control.add_fault("aws", refused, match={"operation": "ec2:DeleteSecurityGroup"}, after=1)
    run = site.renew()
    assert run.returncode == 0, run.output
    assert site.lab.control.faults()[0]["fired"] == 1
    assert site.totals()["ssh_left_open"] == 0
    assert set(site.appliance("expired")["tags"]) == {"Name", "trendmicro.cloudone:registered-at"}
    assert site.renew().changed() == 0


def test_an_interface_at_its_group_limit(start_site: StartSite) -> None:
    site = start_site({**EXPIRED, "extra_security_groups": 4})
    run = site.renew()
    assert run.returncode != 0
    assert "security group" in run.output
    assert_untouched(site)


# SSH


def test_appliances_that_cannot_be_reached(start_site: StartSite) -> None:
    kinds = ["drop", "hang", "garbage", "refuse", "changed_host_key"]
    moments = {"login": ["drop", "garbage", "no_prompt"], "connect": kinds}
    faults = {f"{moment}-{kind}".replace("_", "-"): (moment, kind) for moment, each in moments.items() for kind in each}
    site = start_site(EXPIRED, *({"name": name, "registered_days_ago": 745} for name in faults))
    for name, (moment, kind) in faults.items():
        site.lab.control.add_fault("cli", {"kind": kind}, match={"name": name, "moment": moment}, times=None)
    run = site.renew("-f", "10", ansible_connect_timeout=5, ansible_command_timeout=5, netsec_certificate_ssh_attempts=1)
    expected = set(faults) - {"login-garbage"}  # Some noise before the prompt does no harm.
    assert run.failed() == {site.id_of(name) for name in expected}
    for name in expected:
        assert_untouched(site, name)
    assert site.appliance("expired")["renewed"]
    assert site.appliance("login-garbage")["renewed"]
    assert_a_second_run_finishes(site, faults)


def test_sessions_that_break_between_unregister_and_register(start_site: StartSite) -> None:
    moments = {
        "before-unregister": "command:cloudone unregister",
        "after-unregister": "answer:cloudone unregister",
        "before-register": "command:cloudone register",
        "after-register": "answer:cloudone register",
    }
    site = start_site(*({"name": name, "registered_days_ago": 745} for name in moments))
    for name, moment in moments.items():
        site.lab.control.add_fault("cli", {"kind": "drop"}, match={"name": name, "moment": moment})
    run = site.renew(netsec_certificate_registration_timeout=5)
    assert all(fault["fired"] == 1 for fault in site.lab.control.faults())
    assert site.totals()["ssh_left_open"] == 0
    for name in moments:
        appliance = site.appliance(name)
        assert appliance["renewed"] or site.id_of(name) in run.failed(), name
    assert_a_second_run_finishes(site, moments)


def test_a_registration_that_never_answers_is_judged_by_the_api(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    site.lab.control.add_fault("cli", {"kind": "hang"}, match={"moment": "answer:cloudone register"})
    run = site.renew(netsec_certificate_register_timeout=5)
    assert run.returncode == 0, run.output
    assert site.lab.control.faults()[0]["fired"] == 1
    assert site.appliance("expired")["renewed"]
    assert_a_second_run_finishes(site)


def test_a_wrong_key_file(start_site: StartSite, tmp_path: Path) -> None:
    site = start_site(EXPIRED)
    wrong = tmp_path / "wrong.pem"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-m", "PEM", "-N", "", "-f", str(wrong)], check=True)
    run = site.renew(ansible_ssh_private_key_file=str(wrong))
    assert run.returncode != 0
    assert str(wrong) in run.output
    assert_untouched(site)


def test_an_unknown_host_key(start_site: StartSite, tmp_path: Path) -> None:
    site = start_site(EXPIRED)
    known_hosts = tmp_path / "known_hosts"
    bastion_only = [line for line in site.lab.state_dir.known_hosts.read_text(encoding="utf-8").splitlines() if line.startswith("[127.0.0.1]")]
    known_hosts.write_text("\n".join(bastion_only) + "\n", encoding="utf-8")
    run = site.renew(ansible_nsva_known_hosts_file=str(known_hosts))
    assert run.returncode != 0
    assert "host key" in run.output
    assert_untouched(site)
    assert site.renew(ansible_nsva_known_hosts_file=str(known_hosts), ansible_nsva_host_key_policy="accept-new").returncode == 0
    assert len(known_hosts.read_text(encoding="utf-8").splitlines()) == len(bastion_only) + 1


def test_a_bastion_that_is_down(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    run = site.renew(ansible_nsva_bastion_port=1, netsec_certificate_ssh_attempts=1)
    assert run.returncode != 0
    assert "ump host" in run.output
    assert_untouched(site)
    assert site.lab.control.calls("cli") == []


# Killed


def test_killed_between_unregister_and_register(start_site: StartSite) -> None:
    site = start_site({**EXPIRED, "registration_loses": ["log_types", "profile"], "log_types": {"ipsBlock": {"group": "block-events"}}})
    before = site.appliance("expired")
    site.lab.control.add_fault("cli", {"kind": "hang"}, match={"moment": "command:cloudone register"})
    site.renew_until(lambda: bool(site.appliance("expired")["unregistered_on_appliance_at"]))
    killed = site.appliance("expired")
    assert killed["api_ids"] == []
    assert killed["ssh"]["left_open"]
    assert_a_second_run_finishes(site)
    after = site.appliance("expired")
    assert after["log_types"] == before["log_types"]
    assert after["profile_id"] == before["profile_id"]


def test_two_renewals_at_the_same_time_that_registered_it_twice(start_site: StartSite) -> None:
    loses = {"registration_loses": ["log_types", "profile"], "log_types": {"ipsBlock": {"group": "block-events"}}}
    site = start_site({**EXPIRED, **loses, "ssh_standing_rule": True})
    before = site.appliance("expired")
    site.lab.control.add_fault("api", {"delay": 30}, match={"method": "POST", "path": "*/cloudwatchlogconfig"})
    site.renew_until(lambda: bool(site.lab.control.faults()[0]["fired"]))
    # What the other one does, if it had unregistered the appliance in the API before.
    inventory, key = site.lab.state_dir.addressed_inventory, site.lab.environment["CLOUDONE_API_KEY"]
    other = site.run(["ansible", "-i", str(inventory), "all", "-m", "trendmicro.cloudone.nsva_registration", "-a", f"api_key={key}"])
    assert other.returncode == 0, other.output
    assert site.totals()["listed_twice"] == 1
    assert_a_second_run_finishes(site)
    after = site.appliance("expired")
    assert (after["log_types"], after["profile_id"]) == (before["log_types"], before["profile_id"])


def test_killed_before_ssh_is_closed(start_site: StartSite) -> None:
    site = start_site(EXPIRED)
    site.lab.control.add_fault("aws", {"delay": 30}, match={"operation": "ec2:ModifyNetworkInterfaceAttribute"}, after=1)
    site.renew_until(lambda: bool(site.lab.control.faults()[0]["fired"]))
    killed = site.appliance("expired")
    assert killed["ssh"]["left_open"]
    assert_a_second_run_finishes(site)
    assert site.appliance("expired")["registrations"] == killed["registrations"], "it was renewed twice"


def test_killed_before_the_settings_are_restored(start_site: StartSite) -> None:
    site = start_site({**EXPIRED, "registration_loses": ["log_types"], "log_types": {"ipsBlock": {"group": "block-events"}}})
    before = site.appliance("expired")
    site.lab.control.add_fault("api", {"delay": 30}, match={"method": "POST", "path": "*/cloudwatchlogconfig"})
    site.renew_until(lambda: bool(site.lab.control.faults()[0]["fired"]))
    assert not site.appliance("expired")["ssh"]["left_open"]
    registrations = site.appliance("expired")["registrations"]
    assert_a_second_run_finishes(site)
    after = site.appliance("expired")
    assert after["registrations"] == registrations, "it was renewed twice"
    assert after["log_types"] == before["log_types"]
