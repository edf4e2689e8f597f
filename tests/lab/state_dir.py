# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files with which people and tools find a running lab."""

from __future__ import annotations

import json
import os
import shlex
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lab.appliance_state import ApplianceState

GROUP = "netsec_appliances"


@dataclass(frozen=True)
class StateDir:
    """The folder of one lab."""

    path: Path

    def create(self) -> None:
        """Make the folder; only its owner may look into it."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def appliance_key(self) -> Path:
        """Private key for the appliances."""
        return self.path / "appliance.pem"

    @property
    def bastion_key(self) -> Path:
        """Private key for the bastion."""
        return self.path / "bastion.pem"

    @property
    def known_hosts(self) -> Path:
        """Host keys of the appliances and the bastion."""
        return self.path / "known_hosts"

    @property
    def ssh_config(self) -> Path:
        """Configuration for OpenSSH: ``ssh -F ssh_config <instance id>``."""
        return self.path / "ssh_config"

    @property
    def inventory(self) -> Path:
        """Inventory without addresses: finding them is the collection's job."""
        return self.path / "inventory.yml"

    @property
    def plugin_inventory(self) -> Path:
        """Folder of the inventory that asks the API and AWS which appliances there are."""
        return self.path / "inventory"

    @property
    def addressed_inventory(self) -> Path:
        """Inventory with addresses, for raw commands on appliances whose SSH is open."""
        return self.path / "inventory_with_addresses.yml"

    @property
    def environment_file(self) -> Path:
        """Environment variables, to be sourced by a shell."""
        return self.path / "environment.sh"

    @property
    def description(self) -> Path:
        """Everything about the running lab as JSON; there only while the lab runs."""
        return self.path / "lab.json"

    def read_description(self) -> dict[str, t.Any]:
        """Return the content of ``lab.json``.

        :raises FileNotFoundError: if no lab runs here.
        """
        return t.cast(dict[str, t.Any], json.loads(self.description.read_text(encoding="utf-8")))

    def write_environment(self, environment: dict[str, str]) -> None:
        """Write ``environment.sh``. A profile or session token of the user's own would win over the lab's credentials."""
        lines = ["# Source this file: . environment.sh", "unset AWS_PROFILE AWS_SESSION_TOKEN"]
        lines += [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
        write_private(self.environment_file, "\n".join(lines) + "\n")

    def write_description(self, description: dict[str, t.Any]) -> None:
        """Write ``lab.json``, whole or not at all."""
        draft = self.description.with_suffix(".new")
        write_private(draft, json.dumps(description, indent=2) + "\n")
        draft.replace(self.description)


@dataclass(frozen=True)
class SshAccess:
    """How SSH reaches the appliances.

    :ivar port: stands for port 22 on every appliance; 0 if none listens.
    :ivar source_cidr: the bastion as the appliances' security groups see it.
    """

    port: int
    bastion_host: str
    bastion_port: int
    bastion_user: str
    source_cidr: str
    host_keys: list[str] = field(default_factory=list)


def write_ssh_files(state_dir: StateDir, appliances: t.Iterable[ApplianceState], access: SshAccess) -> None:
    """Write ``known_hosts``, ``ssh_config`` and both inventories."""
    reachable = [appliance for appliance in appliances if appliance.placement.address and access.port]
    everyone = list(appliances)
    write_private(state_dir.known_hosts, "".join(f"{line}\n" for line in access.host_keys))
    write_private(state_dir.ssh_config, _ssh_config(state_dir, reachable, access))
    write_private(state_dir.inventory, _inventory(state_dir, everyone, access, with_addresses=False))
    write_private(state_dir.addressed_inventory, _inventory(state_dir, reachable, access, with_addresses=True))


def _inventory(state_dir: StateDir, appliances: list[ApplianceState], access: SshAccess, *, with_addresses: bool) -> str:
    """Return an inventory of one group."""
    hosts = {appliance.instance_id: _host_variables(appliance, with_addresses=with_addresses) for appliance in appliances}
    variables = {"ansible_connection": "trendmicro.cloudone.nsva", "ansible_user": "admin", **ssh_variables(state_dir, access)}
    inventory: str = yaml.safe_dump({GROUP: {"hosts": hosts, "vars": variables}}, sort_keys=False, explicit_start=True)
    return inventory


def ssh_variables(state_dir: StateDir, access: SshAccess) -> dict[str, t.Any]:
    """Return what an inventory says of all appliances: how SSH gets to them."""
    return {
        "ansible_port": access.port,
        "ansible_ssh_private_key_file": str(state_dir.appliance_key),
        "ansible_nsva_known_hosts_file": str(state_dir.known_hosts),
        "ansible_nsva_bastion_host": access.bastion_host,
        "ansible_nsva_bastion_port": access.bastion_port,
        "ansible_nsva_bastion_user": access.bastion_user,
        "ansible_nsva_bastion_private_key_file": str(state_dir.bastion_key),
        "netsec_certificate_ssh_source_cidrs": [access.source_cidr],
    }


def registration_variables(appliance: ApplianceState) -> dict[str, str]:
    """Return what the user has to say of an appliance that refuses tokens: which API key may be typed into it. Here it is that of environment.sh."""
    if appliance.spec.supports_tokens:
        return {}
    return {"netsec_certificate_registration_api_key": "{{ lookup('ansible.builtin.env', 'CLOUDONE_API_KEY') }}"}


def _host_variables(appliance: ApplianceState, *, with_addresses: bool) -> dict[str, str]:
    """Return what an inventory says of one appliance."""
    address = {"ansible_host": appliance.placement.address} if with_addresses else {}
    return {"lab_name": appliance.spec.name, **registration_variables(appliance), **address}


def _ssh_config(state_dir: StateDir, appliances: list[ApplianceState], access: SshAccess) -> str:
    """Return a configuration for OpenSSH with one alias per instance id, and ``bastion``."""
    blocks = [
        {
            "Host": "bastion",
            "HostName": access.bastion_host,
            "Port": access.bastion_port,
            "User": access.bastion_user,
            "IdentityFile": f'"{state_dir.bastion_key}"',
        }
    ]
    for appliance in appliances:
        blocks.append(
            {
                "Host": f"{appliance.instance_id} {appliance.spec.name}",
                "HostName": appliance.placement.address,
                "Port": access.port,
                "User": "admin",
                "IdentityFile": f'"{state_dir.appliance_key}"',
                "ProxyJump": "bastion",
            }
        )
    common = {"UserKnownHostsFile": f'"{state_dir.known_hosts}"', "StrictHostKeyChecking": "yes", "IdentitiesOnly": "yes"}
    return "\n".join("\n    ".join(f"{name} {value}" for name, value in {**block, **common}.items()) + "\n" for block in blocks)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read: some of them hold keys."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
