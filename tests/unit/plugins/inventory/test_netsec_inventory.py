# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory plugin, loaded and given options as Ansible does it, between a stand-in for AWS and a script of the API."""

from __future__ import annotations

import importlib
import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.vars.manager import VariableManager

from ansible_collections.trendmicro.cloudone.plugins.inventory import netsec
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import ACCOUNT, NOW, REGION, Calls, World
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import API_KEY, Json, Script, appliance

OWN = "trendmicro.cloudone."
HOSTILE = "{{ lookup('ansible.builtin.pipe', 'touch " + "%s" + "') }}"


def documented_options() -> Json:
    """The plugin's options, its own and those of fragments, merged as Ansible merges them."""
    documentation = yaml.safe_load(netsec.DOCUMENTATION)
    options: Json = documentation["options"]
    for name in documentation["extends_documentation_fragment"]:
        folder = "ansible_collections.trendmicro.cloudone.plugins" if name.startswith(OWN) else "ansible.plugins"
        module, _dot, part = name.removeprefix(OWN).partition(".")
        text = getattr(importlib.import_module(f"{folder}.doc_fragments.{module}").ModuleDocFragment, (part or "documentation").upper())
        for option, described in yaml.safe_load(text)["options"].items():
            options[option] = described | options.get(option, {})
    return options


class Inventory:
    """What came of a file."""

    def __init__(self, manager: InventoryManager, loader: DataLoader) -> None:
        self._manager = manager
        self._variables = VariableManager(loader=loader, inventory=manager)

    def groups(self) -> dict[str, list[str]]:
        return {name: sorted(hosts) for name, hosts in self._manager.get_groups_dict().items() if hosts and name not in ("all", "ungrouped")}

    def hosts(self) -> list[str]:
        return sorted(host.name for host in self._manager.get_hosts())

    def variables(self, name: str) -> Json:
        host = self._manager.get_host(name)
        assert host is not None
        return t.cast(Json, self._variables.get_vars(host=host))


Load = t.Callable[..., Inventory]


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    shown: list[str] = []
    monkeypatch.setattr("ansible.utils.display.Display.warning", lambda _display, msg, *rest, **more: shown.append(str(msg)))
    return shown


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warnings: list[str]) -> Load:
    """Returns a function that reads an inventory file with the given options."""
    constants.config.initialize_plugin_configuration_definitions("inventory", "netsec", documented_options())
    monkeypatch.setenv("CLOUDONE_API_KEY", API_KEY)
    monkeypatch.delenv("CLOUDONE_NETSEC_URL", raising=False)
    monkeypatch.setattr("ansible_collections.trendmicro.cloudone.plugins.module_utils._times.utc_now", lambda: NOW)

    def read(refresh: bool = False, **options: t.Any) -> Inventory:
        path = tmp_path / "fleet.netsec.yml"
        path.write_text(yaml.safe_dump({"plugin": "trendmicro.cloudone.netsec", "concurrency": 1, **options}))
        plugin = netsec.InventoryModule()
        plugin._load_name = "netsec"
        plugin._redirected_names = ["trendmicro.cloudone.netsec"]
        assert plugin.verify_file(str(path))
        loader = DataLoader()
        manager = InventoryManager(loader=loader, parse=False)
        plugin.parse(manager._inventory, loader, str(path), cache=not refresh)
        if plugin.get_option("cache"):
            plugin.update_cache_if_changed()
        manager._inventory.reconcile_inventory()
        return Inventory(manager, loader)

    return read


@pytest.fixture
def script() -> t.Iterator[Script]:
    with Script() as calls:
        yield calls


def listed(number: int, instance_id: str, account: str = ACCOUNT, **changes: t.Any) -> Json:
    metadata = [{"key": "region", "value": REGION}, {"key": "accountId", "value": account}]
    return appliance(number, instance_id, providerMetadata=metadata, **changes)


def test_a_fleet(aws: World, script: Script, load: Load, warnings: list[str]) -> None:
    valid = aws.appliance(aws.vpc(), tags={"Name": "first"})
    expired = aws.appliance(aws.vpc(), tags={"trendmicro.cloudone:registered-at": "2024-01-01T00:00:00Z"})
    expiring = aws.appliance(aws.vpc(), tags={"trendmicro.cloudone:registered-at": "2024-03-15T00:00:00Z"})
    unregistered = aws.appliance(aws.vpc())
    hosted, orphaned = "i-00000000000000008", "i-00000000000000009"
    script.expect_list(listed(1, valid), listed(2, expired), listed(3, expiring), listed(4, hosted, "999999999999"), listed(5, orphaned))
    inventory = load()
    assert inventory.groups() == {
        "netsec_appliances": sorted([valid, expired, expiring, unregistered, hosted, orphaned]),
        "netsec_valid": [valid],
        "netsec_expired": [expired],
        "netsec_expiring": [expiring],
        "netsec_unregistered": [unregistered],
        "netsec_hosted": [hosted],
        "netsec_orphaned": [orphaned],
        "netsec_unknown": [orphaned],
    }
    variables = inventory.variables(valid)
    assert variables["ansible_host"] == aws.interface(valid)["PrivateIpAddress"]
    assert (variables["ansible_connection"], variables["ansible_user"]) == ("trendmicro.cloudone.nsva", "admin")
    assert (variables["netsec_tags"], variables["netsec_status"], variables["netsec_appliance_id"]) == ({"Name": "first"}, "valid", 1)
    assert "netsec_assume_role_arn" not in variables
    assert "ansible_host" not in inventory.variables(orphaned)
    assert warnings == []


def test_constructed(aws: World, script: Script, load: Load) -> None:
    first = aws.appliance(aws.vpc(), tags={"Name": "first", "Team": "Net & Co"})
    second = aws.appliance(aws.vpc(), tags={"Name": "se cond"})
    script.expect_list(listed(1, first), listed(2, second))
    inventory = load(
        strict=True,
        hostnames=["name"],
        compose={"short": "netsec_region[:2]", "ansible_host": "netsec_instance_id ~ '.example.com'"},
        groups={"quarter": "netsec_days_left is not none and netsec_days_left <= 731"},
        keyed_groups=[{"key": "netsec_region", "prefix": "region"}, {"key": "netsec_tags.Team | default('')", "prefix": "", "default_value": "nobody"}],
        leading_separator=False,
    )
    assert inventory.hosts() == sorted(["first", second])
    groups = inventory.groups()
    assert groups["region_eu_central_1"] == groups["quarter"] == sorted(["first", second])
    assert (groups["Net___Co"], groups["nobody"]) == (["first"], [second])
    variables = inventory.variables("first")
    assert (variables["short"], variables["ansible_host"]) == ("eu", f"{first}.example.com")


def test_text_from_outside_is_never_a_template(aws: World, script: Script, load: Load, tmp_path: Path) -> None:
    from ansible.template import Templar

    trap = tmp_path / "trap"
    hostile = HOSTILE % trap
    instance_id = aws.appliance(aws.vpc(), tags={"Name": hostile, "Team": hostile})
    bad = "{{ 7 * 6 }}"
    script.expect_list(listed(1, instance_id, hostName=hostile, tosVersion=hostile), listed(2, bad))
    inventory = load(
        hostnames=["name", "host_name"], keyed_groups=[{"key": "netsec_name", "prefix": "name"}], compose={"twice": "netsec_name ~ netsec_host_name"}
    )
    assert inventory.hosts() == [instance_id]
    variables = inventory.variables(instance_id)
    assert (variables["netsec_name"], variables["netsec_tags"]["Team"], variables["netsec_host_name"]) == (hostile, hostile, hostile)
    assert variables["twice"] == hostile * 2
    (group,) = set(inventory.groups()) - {"netsec_appliances", "netsec_valid"}
    assert group.startswith("name_") and group.replace("_", "").isalnum()
    templar = Templar(loader=DataLoader(), variables=variables)
    for value in ("netsec_name", "netsec_tags", "netsec_tos_version", "twice"):
        assert "pipe" in str(templar.template(variables[value]))
    assert not trap.exists()


def test_an_instance_id_that_is_no_host_name_is_told(aws: World, script: Script, load: Load, warnings: list[str]) -> None:
    script.expect_list(listed(1, "a b"))
    assert load().hosts() == []
    assert warnings == ["An appliance is left out, since its instance ID cannot be the name of a host: 'a b'."]


def test_a_name_never_becomes_that_of_a_group(aws: World, script: Script, load: Load) -> None:
    instance_id = aws.appliance(aws.vpc(), tags={"Name": "netsec_appliances"})
    script.expect_list(listed(1, instance_id))
    assert load(hostnames=["name"]).hosts() == [instance_id]


def test_the_cache(aws: World, script: Script, load: Load, tmp_path: Path, warnings: list[str]) -> None:
    instance_id = aws.appliance(aws.vpc(), tags={"Name": "first"})
    script.expect_list(listed(1, instance_id))
    script.expect_list(listed(1, instance_id))
    options = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "cache")}
    fresh = load(**options, secret_key="aws-secret", access_key="AKIAEXAMPLE")
    cached = load(**options, secret_key="aws-secret", access_key="AKIAEXAMPLE", keyed_groups=[{"key": "netsec_status", "prefix": "is"}])
    assert (warnings, len(script.calls)) == ([], 1)
    assert cached.variables(instance_id)["netsec_tags"] == fresh.variables(instance_id)["netsec_tags"] == {"Name": "first"}
    assert cached.groups() == fresh.groups() | {"is_valid": [instance_id]}
    load(refresh=True, **options, secret_key="aws-secret", access_key="AKIAEXAMPLE")
    assert len(script.calls) == 2
    (file,) = (tmp_path / "cache").iterdir()
    for text in (file.name, file.read_text()):
        assert "SecretPart" not in text and "aws-secret" not in text


def test_what_was_found_with_errors_is_not_kept(
    aws: World, script: Script, load: Load, tmp_path: Path, warnings: list[str], record_calls: t.Callable[[], Calls]
) -> None:
    instance_id = aws.appliance(aws.vpc())
    script.expect_list(listed(1, instance_id))
    script.expect_list(listed(1, instance_id))
    options = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "cache")}
    record_calls().fail("DescribeInstances", "UnauthorizedOperation", times=2)
    assert load(**options).groups()["netsec_unknown"] == [instance_id]
    assert [f"The region {REGION} of the AWS account {ACCOUNT} could not be searched" in warning for warning in warnings] == [True]
    assert load(**options).groups()["netsec_valid"] == [instance_id]


def test_strict(aws: World, script: Script, load: Load, record_calls: t.Callable[[], Calls]) -> None:
    script.expect_list(listed(1, aws.appliance(aws.vpc())))
    record_calls().fail("DescribeInstances", "UnauthorizedOperation", times=2)
    with pytest.raises(AnsibleParserError, match=f"The region {REGION} of the AWS account {ACCOUNT} could not be searched"):
        load(strict=True)


def test_what_the_api_lists_in_vain_is_a_warning(aws: World, script: Script, load: Load, warnings: list[str]) -> None:
    script.expect_list(listed(1, ""))
    assert load(strict=True).hosts() == []
    assert "an appliance without instance ID, which is left out: ID 1" in warnings[0]


def test_options_can_be_templates(aws: World, script: Script, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_KEY", API_KEY)
    monkeypatch.delenv("CLOUDONE_API_KEY")
    script.expect_list()
    assert load(api_key="{{ lookup('env', 'OTHER_KEY') }}").hosts() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hostnames": ["ip"]}, "hostnames knows"),
        ({"renew_before": -1}, "renew_before must be between"),
        ({"accounts": [{"role": "x"}]}, "An element of accounts"),
        ({"api_key": " "}, "api_key is empty"),
    ],
)
def test_bad_options(load: Load, options: Json, message: str) -> None:
    with pytest.raises(AnsibleParserError, match=message):
        load(**options)


def test_the_api_key_is_needed(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOUDONE_API_KEY")
    with pytest.raises(AnsibleError, match="api_key"):
        load()


def test_an_api_that_refuses(aws: World, script: Script, load: Load) -> None:
    script.expect("GET", "/appliances", {"message": "Authorization Required"}, status=401, query={"cursor": "", "limit": 1000})
    with pytest.raises(AnsibleParserError, match="HTTP 401: Authorization Required. Check that the API key is valid"):
        load()


def test_a_missing_library(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(netsec.importlib, "import_module", missing)
    with pytest.raises(AnsibleError, match=r"\(requests\)"):
        load()


def test_names_of_files(tmp_path: Path) -> None:
    plugin = netsec.InventoryModule()
    for name in ("a.netsec.yml", "a.netsec.yaml", "a.yml"):
        (tmp_path / name).write_text("plugin: x\n")
    assert plugin.verify_file(str(tmp_path / "a.netsec.yml")) and plugin.verify_file(str(tmp_path / "a.netsec.yaml"))
    assert not plugin.verify_file(str(tmp_path / "a.yml"))
    assert not plugin.verify_file(str(tmp_path / "missing.netsec.yml"))


def test_documentation_names_every_option_of_the_fragments_code() -> None:
    options = documented_options()
    assert set(netsec._REACH) | set(netsec._QUESTION) <= set(options)
    assert options["api_key"]["env"] == [{"name": "CLOUDONE_API_KEY"}] and options["api_key"]["required"]
    assert json.dumps(options["unregistered_filters"]["default"]) == json.dumps([{"network-interface.description": ["Network Security Mgmt Port"]}])


def test_examples_are_inventories() -> None:
    options = documented_options()
    examples = list(yaml.safe_load_all(netsec.EXAMPLES))
    assert len(examples) == 3
    for example in examples:
        assert example["plugin"] == netsec.InventoryModule.NAME
        assert set(example) <= set(options)
