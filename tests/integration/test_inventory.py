# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory as users ask for it: ``ansible-inventory`` beside a lab with two accounts of AWS."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from conftest import Json, Run, Site

StartSite = t.Callable[..., Site]

OTHER = "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/conformity-rtm"
WEST = "us-west-2"

APPLIANCES: tuple[Json, ...] = (
    {"name": "valid", "tags": {"Team": "net work"}},
    {"name": "expired", "registered_days_ago": 745, "deployment": "gateway_load_balancer", "region": WEST},
    {"name": "expiring", "registered_days_ago": 715, "account": OTHER},
    {"name": "renewed", "registered_days_ago": 10, "deployed_days_ago": 900, "registration_tag": True, "account": OTHER},
    {"name": "unregistered", "registered": False},
    {"name": "gone", "instance_state": "gone"},
    {"name": "hosted", "deployment": "hosted"},
)


class Inventories:
    """Inventory files of a user, and what Ansible makes of them."""

    def __init__(self, site: Site, folder: Path) -> None:
        self._site, self._folder = site, folder

    def write(self, name: str, **options: t.Any) -> Path:
        path = self._folder / f"{name}.netsec.yml"
        path.write_text(yaml.safe_dump({"plugin": "trendmicro.cloudone.netsec", **options}), encoding="utf-8")
        return path

    def run(self, path: Path, *arguments: str) -> Run:
        return self._site.run(["ansible-inventory", "-i", str(path), *arguments], environment={"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"})

    def read(self, path: Path) -> tuple[dict[str, set[str]], dict[str, Json], str]:
        """The groups, the variables of each host, and what was shown. Names of appliances stand for instance IDs."""
        output = self._folder / "inventory.json"
        run = self.run(path, "--list", "--output", str(output))
        assert run.returncode == 0, run.output
        answer = plain(json.loads(output.read_text(encoding="utf-8")))
        names = {spec.instance_id: spec.name for spec in self._site.lab.fleet.appliances}
        groups = {group: {names.get(host, host) for host in content["hosts"]} for group, content in answer.items() if content.get("hosts")}
        return groups, {names.get(host, host): variables for host, variables in answer["_meta"]["hostvars"].items()}, run.output


def plain(value: t.Any) -> t.Any:
    """Some versions of Ansible write text that must not be taken for a template as an object."""
    if isinstance(value, dict):
        return value["__ansible_unsafe"] if value.keys() == {"__ansible_unsafe"} else {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


@pytest.fixture
def site(start_site: StartSite, tmp_path: Path) -> Site:
    trap = {"name": "hostile", "tags": {"Trap": f"{{{{ lookup('ansible.builtin.pipe', 'touch {tmp_path}/trap') }}}}"}}
    return start_site(*APPLIANCES, trap, aws={"accounts": [{"id": OTHER}]})


def test_a_fleet_in_two_accounts(site: Site, tmp_path: Path) -> None:
    inventories = Inventories(site, tmp_path)
    everything = inventories.write(
        "fleet",
        accounts=[{}, {"assume_role_arn": ROLE}],
        strict=True,
        keyed_groups=[{"key": "netsec_tags.Team | default([])", "prefix": "team"}, {"key": "netsec_tags.Trap | default([])", "prefix": "trap"}],
        compose={"copied": "netsec_tags.Trap | default('')"},
        cache=True,
        cache_plugin="ansible.builtin.jsonfile",
        cache_connection=str(tmp_path / "cache"),
    )
    groups, hosts, output = inventories.read(everything)
    trapped = {name for name in groups if name.startswith("trap_")}
    assert {name: found for name, found in groups.items() if name not in trapped} == {
        "netsec_appliances": {spec["name"] for spec in APPLIANCES} | {"hostile"},
        "netsec_valid": {"valid", "renewed", "hostile"},
        "netsec_expired": {"expired"},
        "netsec_expiring": {"expiring"},
        "netsec_unregistered": {"unregistered"},
        "netsec_orphaned": {"gone"},
        "netsec_unknown": {"gone"},
        "netsec_hosted": {"hosted"},
        "team_net_work": {"valid"},
    }
    assert "WARNING" not in output
    for name in ("valid", "expired", "expiring", "renewed", "unregistered", "hostile"):
        placement = site.lab.aws.placements[site.id_of(name)]
        assert (hosts[name]["netsec_management_interface"], hosts[name]["ansible_host"]) == (placement.interface_id, placement.address)
        assert (hosts[name]["netsec_account_id"], hosts[name]["netsec_region"]) == (placement.account_id, placement.region)
        assert hosts[name]["ansible_connection"] == "trendmicro.cloudone.nsva"
    assert (hosts["expired"]["netsec_deployment"], hosts["hosted"]["netsec_deployment"]) == ("gateway_load_balancer", "hosted")
    assert (hosts["renewed"]["netsec_evidence"], hosts["renewed"]["netsec_assume_role_arn"]) == ("registration_tag", ROLE)
    # What was in a tag is nothing but text, in every place.
    assert "lookup" in hosts["hostile"]["netsec_tags"]["Trap"] and "lookup" in hosts["hostile"]["copied"]
    shown = site.run(["ansible", "-i", str(everything), site.id_of("hostile"), "-m", "ansible.builtin.debug", "-a", "msg={{ netsec_tags.Trap }}"])
    assert shown.returncode == 0 and "lookup" in shown.output
    assert len(trapped) == 1 and not (tmp_path / "trap").exists()

    # The second run asked nothing; nor does the third.
    asked = len(site.lab.control.calls())
    assert inventories.read(everything)[:2] == (groups, hosts)
    graph = inventories.run(everything, "--graph", "netsec_expired")
    assert graph.output.split() == ["@netsec_expired:", "|--" + site.id_of("expired")]
    assert len(site.lab.control.calls()) == asked
    (cached,) = (tmp_path / "cache").iterdir()
    secrets = [site.lab.environment[name] for name in ("CLOUDONE_API_KEY", "AWS_SECRET_ACCESS_KEY")]
    assert not [secret for secret in secrets if secret in cached.name + cached.read_text(encoding="utf-8") + output]

    # An account less: what is in it looks like the vendor's, and has to be named.
    groups, _hosts, _output = inventories.read(inventories.write("own"))
    assert groups["netsec_hosted"] == {"hosted", "expiring", "renewed"}


def test_what_cannot_be_asked(site: Site, tmp_path: Path) -> None:
    inventories = Inventories(site, tmp_path)
    accounts = [{}, {"assume_role_arn": ROLE}]
    site.lab.control.add_fault("aws", {"code": "UnauthorizedOperation"}, match={"operation": "ec2:DescribeInstances", "region": WEST}, times=None)
    site.lab.control.add_fault("aws", {"code": "AccessDenied"}, match={"operation": "sts:AssumeRole"}, times=None)
    groups, hosts, output = inventories.read(inventories.write("fleet", accounts=accounts))
    assert groups["netsec_unknown"] == {"expired", "expiring", "renewed", "gone"}
    assert groups["netsec_orphaned"] == {"gone"}
    assert "it could not be looked for: the region us-west-2" in hosts["expired"]["netsec_reason"]
    warned = " ".join(output.split())
    assert "The region us-west-2 of the AWS account 123456789012 could not be searched: AWS refused ec2:DescribeInstances" in warned
    assert f"The AWS account of the role {ROLE} could not be searched: AWS refused sts:AssumeRole" in warned
    run = inventories.run(inventories.write("strict", accounts=accounts, strict=True), "--list")
    assert run.returncode != 0
    assert "could not be searched" in run.output
