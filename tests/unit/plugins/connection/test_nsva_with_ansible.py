# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection plugin as users meet it: the ``ansible`` command, at its most talkative."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from ansible_collections.trendmicro.cloudone.plugins.connection import nsva
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.plugin_utils.ssh_servers import Appliance, JumpHost, Servers, known_hosts_line

TOKEN = "token-0123456789abcdef"

Ansible = Callable[[str, str], subprocess.CompletedProcess[str]]


@pytest.fixture
def appliance() -> Appliance:
    return Appliance(
        login=[b"** {authorized} use only **\r\n"],
        replies={
            "show version": ["TOS 2024.1 caf\u00e9\r\n".encode()],
            "shw": [b"Valid entries at this position are:\r\n  show\r\n"],
            f"cloudone register {TOKEN}": [f"Error: {TOKEN} is invalid\r\n".encode()],
        },
    )


@pytest.fixture
def jump_host() -> JumpHost:
    return JumpHost()


@pytest.fixture
def ansible(appliance: Appliance, jump_host: JumpHost, servers: Servers, host_key: asyncssh.SSHKey, home: Path) -> Ansible:
    """Runs a module on the appliance, behind the jump host."""
    key = servers.folder / "client"
    ports = servers.appliance(appliance, host_key), servers.jump_host(jump_host, host_key)
    (home / ".ssh" / "known_hosts").write_text("".join(known_hosts_line(port, host_key) for port in ports))
    (home / "inventory.ini").write_text(
        f"i-0abc ansible_connection=trendmicro.cloudone.nsva ansible_host=127.0.0.1 ansible_port={ports[0]} ansible_ssh_private_key_file={key} "
        f"ansible_nsva_bastion_host=127.0.0.1 ansible_nsva_bastion_port={ports[1]} ansible_nsva_bastion_private_key_file={key} token={TOKEN}\n"
    )
    collections = Path(nsva.__file__).parents[5]

    def run(module: str, arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "ansible", "adhoc", "-i", "inventory.ini", "all", "-vvvv", "-m", module, "-a", arguments],
            cwd=home,
            env=os.environ | {"ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_raw(ansible: Ansible, jump_host: JumpHost) -> None:
    result = ansible("ansible.builtin.raw", "show version")
    assert result.returncode == 0
    assert "i-0abc | CHANGED | rc=0 >>\nTOS 2024.1 caf\u00e9\n" in result.stdout
    assert jump_host.logins == ["operator"]
    assert len(jump_host.forwards) == 1


def test_raw_with_a_line_that_is_refused(ansible: Ansible) -> None:
    result = ansible("ansible.builtin.raw", "shw")
    assert result.returncode == 2
    assert "i-0abc | FAILED | rc=1 >>\nValid entries at this position are:" in result.stdout


def test_no_credential_is_shown(ansible: Ansible, appliance: Appliance) -> None:
    result = ansible("trendmicro.cloudone.nsva_registration", "token={{ token }}")
    assert result.returncode == 2
    assert "refuses to register: with the token it answered: Error: ******** is invalid" in result.stdout
    assert "CLI: cloudone register ********" in result.stdout
    assert TOKEN[:8] not in result.stdout + result.stderr
    assert appliance.typed == ["cloudone unregister", f"cloudone register {TOKEN}"]
