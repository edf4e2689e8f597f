# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection plugin, loaded and given options as Ansible does it."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncssh
import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import become_loader

from ansible_collections.trendmicro.cloudone.plugins.connection import nsva
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.plugin_utils.ssh_servers import (
    DROP,
    END,
    LINE,
    NO_PROMPT,
    Appliance,
    JumpHost,
    Servers,
    known_hosts_line,
)

TOKEN = "token-0123456789abcdef"

Connect = Callable[..., t.Any]


@pytest.fixture
def connect(servers: Servers, host_key: asyncssh.SSHKey, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Makes a connection to an appliance; ``host_key`` is known."""
    # What Ansible's plugin loader does.
    options = yaml.safe_load(nsva.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("connection", nsva.Connection.transport, options)
    monkeypatch.setattr(nsva, "RETRY_PAUSE_SECONDS", 0.01)
    connections = []

    def connect(appliance: Appliance | None = None, **variables: t.Any) -> t.Any:
        port = servers.appliance(appliance or Appliance(), host_key)
        with (home / ".ssh" / "known_hosts").open("a") as file:
            file.write(known_hosts_line(port, host_key))
        connection = nsva.Connection(PlayContext())
        connection._load_name = nsva.Connection.transport
        given = {"ansible_host": "127.0.0.1", "ansible_port": port, "ansible_ssh_private_key_file": str(servers.folder / "client"), "ansible_ssh_retries": 0}
        connection.set_options(var_options=given | variables)
        connections.append(connection)
        return connection

    yield connect
    for connection in connections:
        connection.close()


def test_older_algorithms_have_to_be_named(connect: Connect) -> None:
    with pytest.raises(AnsibleError, match="not rot13"):
        connect(ansible_nsva_legacy_algorithms=["rot13"]).run("show version")
    assert connect(ansible_nsva_legacy_algorithms=["aes256-cbc"]).run("show version") == ""


def test_exec_command(connect: Connect) -> None:
    appliance = Appliance(replies={"show version": ["TOS 2024.1 é\r\n".encode()]})
    connection = connect(appliance)
    assert not connection.connected
    assert connection.exec_command("show version") == (0, "TOS 2024.1 é".encode(), b"")
    assert connection.exec_command(b"show version")[0] == 0
    assert connection.connected
    assert appliance.sessions == 1
    connection.close()
    assert not connection.connected
    assert connection.exec_command("show version")[0] == 0
    assert appliance.sessions == 2
    connection.reset()
    assert connection.run("show version") == "TOS 2024.1 é"
    assert appliance.sessions == 3


def test_a_line_that_is_refused(connect: Connect) -> None:
    connection = connect(Appliance(replies={"shw": [b"Valid entries at this position are:\r\n  show\r\n"]}))
    assert connection.exec_command("shw") == (1, b"", b"Valid entries at this position are:\n  show")


def test_a_credential_is_shown_nowhere(connect: Connect, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    line = f"cloudone register {TOKEN}"
    connection = connect(Appliance(replies={line: [f"Registering {TOKEN}\r\n".encode()]}))
    monkeypatch.setattr(nsva.display, "verbosity", 5)
    assert connection.exec_command(line) == (0, b"Registering ********", b"")
    shown = "".join(capsys.readouterr())
    assert "CLI: cloudone register ********" in shown
    assert "CONNECT TO APPLIANCE: admin@127.0.0.1" in shown
    assert TOKEN[:8] not in shown


def test_session_lost(connect: Connect) -> None:
    appliance = Appliance(replies={"show log": [b"1\r\n", DROP], "show version": [b"1\r\n"]})
    connection = connect(appliance)
    with pytest.raises(AnsibleConnectionFailure, match="after 'show log' was sent"):
        connection.exec_command("show log")
    assert not connection.connected
    assert connection.exec_command("show version") == (0, b"1", b"")
    assert appliance.sessions == 2


def test_command_timeout(connect: Connect) -> None:
    connection = connect(Appliance(replies={"show log": [NO_PROMPT]}), ansible_command_timeout=1)
    with pytest.raises(AnsibleConnectionFailure, match="The time limit was reached"):
        connection.exec_command("show log")


def test_never_a_prompt(connect: Connect) -> None:
    with pytest.raises(AnsibleConnectionFailure, match=r"No prompt such as HOST\{\}"):
        connect(Appliance(login=[NO_PROMPT]), ansible_connect_timeout=1).exec_command("show version")


def test_connecting_again(connect: Connect) -> None:
    appliance = Appliance(login=[b"Error: another session is open.\r\n", END])
    with pytest.raises(AnsibleConnectionFailure, match="another session is open"):
        connect(appliance, ansible_ssh_retries=2).exec_command("show version")
    assert appliance.sessions == 3


def test_no_second_try_with_a_key_that_is_refused(connect: Connect, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.make_key("stranger")
    connection = connect(ansible_ssh_private_key_file=str(servers.folder / "stranger"), ansible_ssh_retries=5)
    monkeypatch.setattr(nsva.time, "sleep", lambda seconds: pytest.fail("it tries again"))
    with pytest.raises(AnsibleAuthenticationFailure, match="stranger was refused"):
        connection.exec_command("show version")


def test_host_keys(connect: Connect, home: Path) -> None:
    connection = connect()
    known_hosts = home / ".ssh" / "known_hosts"
    known_hosts.write_text("")
    with pytest.raises(AnsibleConnectionFailure, match="host key that is not known"):
        connection.exec_command("show version")
    other = connect(ansible_nsva_host_key_policy="accept-new", ansible_nsva_known_hosts_file=str(home / "mine"))
    assert other.exec_command("show version")[0] == 0
    assert "ssh-ed25519" in (home / "mine").read_text()
    unchecked = connect(ansible_host_key_checking=False, ansible_nsva_known_hosts_file=str(home / "none"))
    assert unchecked.exec_command("show version")[0] == 0


@pytest.fixture
def jump(servers: Servers, host_key: asyncssh.SSHKey, home: Path) -> tuple[JumpHost, int]:
    jump_host = JumpHost()
    port = servers.jump_host(jump_host, host_key)
    (home / ".ssh" / "known_hosts").write_text(known_hosts_line(port, host_key))
    return jump_host, port


def test_bastion(connect: Connect, jump: tuple[JumpHost, int], servers: Servers) -> None:
    jump_host, port = jump
    variables = {"host": "127.0.0.1", "port": port, "user": "jumper", "private_key_file": str(servers.folder / "client")}
    connection = connect(**{f"ansible_nsva_bastion_{name}": value for name, value in variables.items()})
    assert connection.exec_command("show version")[0] == 0
    assert (jump_host.logins, len(jump_host.forwards)) == (["jumper"], 1)


def test_jump_hosts_of_the_ssh_configuration_and_arguments(connect: Connect, jump: tuple[JumpHost, int], servers: Servers, home: Path) -> None:
    jump_host, port = jump
    (home / "config").write_text(f"Host jump\n HostName 127.0.0.1\n Port {port}\n User jumper\n IdentityFile {servers.folder / 'client'}\n")
    (home / ".ssh" / "config").write_text("Include ~/config\nHost via\n HostName 127.0.0.1\n ProxyJump jump\n")
    assert connect(ansible_host="via").exec_command("show version")[0] == 0
    assert connect(ansible_ssh_common_args="-J jump").exec_command("show version")[0] == 0
    assert connect(ansible_ssh_extra_args=f"-F {home / 'config'} -o ProxyJump=jump", ansible_ssh_common_args="").exec_command("show version")[0] == 0
    assert (jump_host.logins, len(jump_host.forwards)) == (["jumper"] * 3, 3)


def test_a_jump_host_that_is_down_is_not_gone_round(connect: Connect) -> None:
    appliance = Appliance()
    with pytest.raises(AnsibleConnectionFailure, match="Jump host .* cannot be reached"):
        connect(appliance, ansible_nsva_bastion_host="127.0.0.1", ansible_nsva_bastion_port=1).exec_command("show version")
    assert appliance.sessions == 0


def test_no_jump_host(connect: Connect) -> None:
    connection = connect(ansible_nsva_bastion_host="", ansible_nsva_bastion_user="ec2-user")
    assert connection.exec_command("show version")[0] == 0


def test_settings_that_cannot_be_honoured(connect: Connect) -> None:
    for variables in (
        {"ansible_ssh_common_args": "-o ControlMaster=auto"},
        {"ansible_ssh_extra_args": "-J a", "ansible_nsva_bastion_host": "b"},
        {"ansible_nsva_pagers": {"(": " "}},
        {"ansible_nsva_bastion_user": "ec2-user"},
    ):
        with pytest.raises(AnsibleError) as caught:
            connect(**variables).exec_command("show version")
        assert not isinstance(caught.value, AnsibleConnectionFailure)


def test_own_answers(connect: Connect) -> None:
    appliance = Appliance(replies={"reboot": [b"Really? ", LINE]})
    connect(appliance, ansible_nsva_confirmations={r"really\?": "of course"}).exec_command("reboot")
    assert appliance.typed == ["reboot", "of course"]


def test_a_command_is_one_line(connect: Connect) -> None:
    with pytest.raises(AnsibleError, match="one line"):
        connect().exec_command("show\nversion")


def test_what_an_appliance_cannot_do(connect: Connect) -> None:
    appliance = Appliance()
    connection = connect(appliance)
    with pytest.raises(AnsibleError, match="runs no Ansible modules"):
        connection.exec_command("/bin/sh -c 'echo ~ && sleep 0'")
    with pytest.raises(AnsibleError, match="runs no Ansible modules"):
        connection.exec_command("python3", in_data=b"print()")
    with pytest.raises(AnsibleError, match="cannot be copied"):
        connection.put_file("a", "b")
    with pytest.raises(AnsibleError, match="cannot be fetched"):
        connection.fetch_file("a", "b")
    connection.set_become_plugin(become_loader.get("sudo"))
    with pytest.raises(AnsibleError, match="set become to false"):
        connection.exec_command("show version")
    assert appliance.sessions == 0


def test_without_paramiko(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nsva, "PARAMIKO_IMPORT_ERROR", ImportError("No module named 'paramiko'"))
    with pytest.raises(AnsibleError, match="needs the Python library paramiko"):
        connect().exec_command("show version")
