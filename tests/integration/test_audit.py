# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit of a fleet in two AWS accounts: it tells what is so, fails where it shall, and changes nothing. Then the renewal of the same fleet."""

from __future__ import annotations

import json
import re
import typing as t
from collections import Counter
from pathlib import Path

import pytest
import yaml
from conftest import Json, Run, Site

from lab.fleet import parse_fleet
from lab.lab import Lab

OTHER_ACCOUNT = "210987654321"
THERE = {"account": OTHER_ACCOUNT, "region": "eu-central-1"}
FLEET: Json = {
    "aws": {"accounts": [{"id": OTHER_ACCOUNT, "role": "certificates", "external_id": "ours"}]},
    "appliances": [
        {"name": "expired", "registered_days_ago": 745},
        {"name": "expired-there", "registered_days_ago": 900, **THERE},
        {"name": "expiring", "registered_days_ago": 710},
        {"name": "unregistered-there", "registered": False, "registered_days_ago": 740, **THERE},
        {"name": "valid", "registered_days_ago": 100},
        {"name": "half-there", "registered_days_ago": 400, "deployment": "gateway_load_balancer", **THERE},
        {"name": "hosted", "registered_days_ago": 800, "deployment": "hosted"},
    ],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    folder = tmp_path_factory.mktemp("audit")
    with Lab(parse_fleet(FLEET), folder / "lab") as lab:
        yield Site(lab, folder)


def audit(site: Site, *arguments: str, inventory: Path | None = None, **variables: t.Any) -> Run:
    source = inventory or site.lab.state_dir.plugin_inventory
    return site.play("audit_certs.yml", "-i", str(source), *arguments, environment={"ANSIBLE_SHOW_CUSTOM_STATS": "1"}, **variables)


def stats(run: Run) -> Json:
    """What the run leaves to AWX."""
    shown = re.search(r"^CUSTOM STATS: \*+\n\s*RUN: (.*?)\n\n", run.output + "\n\n", re.M | re.S)
    assert shown, run.output
    return t.cast(Json, json.loads(shown[1])["netsec_audit"])


def truth(site: Site) -> Counter[str]:
    """How many appliances are in which state, as the lab itself knows it; days are counted from the registration."""

    def state(one: Json) -> str:
        if one["deployment"] == "hosted":
            return "hosted"
        if not one["api_ids"]:
            return "unregistered"
        return "expired" if one["certificate"]["expired"] else "expiring" if one["name"] == "expiring" else "valid"

    return Counter(state(one) for one in site.lab.control.world()["appliances"])


def static_inventory(site: Site, folder: Path, **hosts: Json) -> Path:
    """An inventory as a user writes it by hand."""
    path = folder / "fleet.yml"
    by_id = {site.id_of(name.replace("_", "-")): variables for name, variables in hosts.items()}
    path.write_text(yaml.safe_dump({"netsec_appliances": {"hosts": by_id}}), encoding="utf-8")
    return path


ROLE = {"netsec_certificate_assume_role_arn": f"arn:aws:iam::{OTHER_ACCOUNT}:role/certificates", "netsec_certificate_assume_role_external_id": "ours"}


def test_it_tells_what_is_so_and_changes_nothing(site: Site) -> None:
    before = site.lab.control.world()
    site.lab.control.clear_calls()
    run = audit(site)
    assert run.returncode == 0, run.output
    assert run.changed() == 0
    found = stats(run)
    assert Counter({status: number for status, number in found["counts"].items() if number}) == truth(site)
    assert found["instance_ids"]["expired"] == [site.id_of("expired-there"), site.id_of("expired")]
    assert found["instance_ids"]["unregistered"] == [site.id_of("unregistered-there")]
    assert found["next_expiry"][:10] == site.appliance("expiring")["certificate"]["expires_at"][:10]
    for said in ("7 appliances: 2 expired, 1 expiring", "Expired: 2", f"{site.id_of('expiring')}: probably expires on"):
        assert said in run.output

    assert site.lab.control.aws_writes() == []
    assert {call["method"] for call in site.lab.control.calls("api") if call["path"] != "/appliances/search"} == {"GET"}
    assert site.lab.control.calls("cli") == []
    after = site.lab.control.world()
    assert after["appliances"] == before["appliances"]


def test_check_mode_and_a_limit(site: Site) -> None:
    run = audit(site, "--check", "--limit", f"{site.id_of('valid')},{site.id_of('half-there')}", netsec_audit_fail_if_expiring_within=30)
    assert run.returncode == 0, run.output
    assert {status: number for status, number in stats(run)["counts"].items() if number} == {"valid": 2}


@pytest.mark.parametrize(
    ("days", "failing"),
    [
        (0, ["expired", "expired-there", "unregistered-there"]),
        (30, ["expired", "expired-there", "expiring", "unregistered-there"]),
        (400, ["expired", "expired-there", "expiring", "half-there", "unregistered-there"]),
    ],
)
def test_it_fails_if_asked_and_names_who_fails(site: Site, days: int, failing: list[str]) -> None:
    run = audit(site, netsec_audit_fail_if_expiring_within=days)
    assert run.returncode == 2
    _before, _heading, said = run.output.partition("TASK [Fail if that was asked for")
    assert sorted(set(re.findall(r"i-[0-9a-f]{17}(?=: )", said.partition("PLAY RECAP")[0].partition("=>")[2]))) == sorted(map(site.id_of, failing))
    assert stats(run)["counts"]["expired"] == 2


def test_without_an_inventory(site: Site) -> None:
    """Only what the API lists, and only in the account of the credentials: what is elsewhere is said to be so."""
    run = audit(site, inventory=Path("/dev/null"), netsec_audit_all_appliances=True)
    assert run.returncode == 0, run.output
    assert {status: number for status, number in stats(run)["counts"].items() if number} == {"expired": 1, "expiring": 1, "valid": 1, "hosted": 3}
    assert f"AWS account {OTHER_ACCOUNT}" in run.output


def test_without_any_appliance(site: Site) -> None:
    run = audit(site, inventory=Path("/dev/null"))
    assert run.returncode == 2
    assert "netsec_audit_all_appliances" in run.output


def test_an_account_that_cannot_be_reached(site: Site, tmp_path: Path) -> None:
    """Its appliances are in the inventory for all that, and fail the run in the end, with the others told first."""
    closed = tmp_path / "closed.netsec.yml"
    text = (site.lab.state_dir.plugin_inventory / "fleet.netsec.yml").read_text(encoding="utf-8")
    closed.write_text(text.replace("assume_role_external_id: ours", "assume_role_external_id: wrong"), encoding="utf-8")
    run = audit(site, inventory=closed)
    assert run.returncode == 2
    found = stats(run)
    # Which appliance is there without being registered, only EC2 could tell.
    assert {status: number for status, number in found["counts"].items() if number} == {"failed": 2, "expired": 1, "expiring": 1, "valid": 1, "hosted": 1}
    assert sorted(found["instance_ids"]["failed"]) == sorted([site.id_of("expired-there"), site.id_of("half-there")])
    assert "sts:AssumeRole" in run.output


def test_a_forgotten_role_is_no_hosted_appliance(site: Site, tmp_path: Path) -> None:
    run = audit(site, inventory=static_inventory(site, tmp_path, valid={}, expired_there={}, half_there=ROLE))
    assert run.returncode == 2
    assert stats(run)["instance_ids"]["failed"] == [site.id_of("expired-there")]
    assert "Check assume_role_arn of this appliance" in run.output


def test_the_fleet_of_both_accounts_is_renewed_in_one_run(site: Site) -> None:
    """Last, since it changes the fleet."""
    inventory = str(site.lab.state_dir.plugin_inventory)
    run = site.renew("-i", inventory)
    assert run.returncode == 0, run.output
    due = ["expired", "expired-there", "expiring", "unregistered-there"]
    assert sorted(one["name"] for one in site.lab.control.world()["appliances"] if one["renewed"]) == due
    assert site.totals()["ssh_left_open"] == 0
    assert "trendmicro.cloudone:registered-at" in site.appliance("expired-there")["tags"]
    again = site.renew("-i", inventory)
    assert (again.returncode, again.changed()) == (0, 0)
    assert audit(site, netsec_audit_fail_if_expiring_within=30).returncode == 0
