# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connecting over real SSH: host keys, keys, agent, jump hosts, proxy commands, time limits."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import subprocess
import threading
import time
import typing as t
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh
import paramiko
import pytest
from fuzz.stand_ins import Greeted

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils import _ssh_transport
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_route import Hop, Route
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_transport import ConnectError, HostKeyError, LoginError, SshConnection
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.plugin_utils.ssh_servers import Appliance, JumpHost, Servers, known_hosts_line

TIMEOUT = 10.0


@dataclass
class World:
    """One appliance and one jump host, and what leads to them."""

    servers: Servers
    known_hosts: Path
    appliance: Hop
    jump: Hop
    jump_host: JumpHost
    host_key: asyncssh.SSHKey

    def learn(self, port: int, key: asyncssh.SSHKey) -> None:
        with self.known_hosts.open("a") as file:
            file.write(known_hosts_line(port, key))

    def hop(self, port: int) -> Hop:
        return replace(self.appliance, port=port, known_as=f"[127.0.0.1]:{port}")


@pytest.fixture
def world(servers: Servers, host_key: asyncssh.SSHKey, tmp_path: Path) -> World:
    known_hosts = tmp_path / "known_hosts"
    known_hosts.touch()
    jump_host = JumpHost()
    ports = servers.appliance(Appliance(), host_key), servers.jump_host(jump_host, host_key)
    hops = [Hop("127.0.0.1", port, "admin", f"[127.0.0.1]:{port}", (str(known_hosts),), key_files=(str(servers.folder / "client"),)) for port in ports]
    built = World(servers, known_hosts, hops[0], replace(hops[1], user="jumper"), jump_host, host_key)
    for port in ports:
        built.learn(port, host_key)
    return built


def log_in(*hops: Hop, proxy_command: str | None = None, timeout: float = TIMEOUT, **options: t.Any) -> str:
    """Connect, open a shell and read its first bytes."""
    connection = SshConnection(Route(hops, proxy_command), timeout=timeout, **options)
    try:
        shell = connection.open_shell()
        return shell.recv(100).decode()
    finally:
        connection.close()


def test_direct(world: World) -> None:
    assert log_in(world.appliance) == "nsva-1{}"


@dataclass
class Offer:
    """What a client offers: the lists of names in its first packet, KEXINIT, as it comes over the wire."""

    kex: list[str]
    host_keys: list[str]
    ciphers: list[str]
    macs: list[str]
    compression: list[str]


def offer(**options: t.Any) -> Offer:
    """Let a client connect to a server that only listens."""
    packets: list[bytes] = []

    def listen(server: socket.socket) -> None:
        connection, _address = server.accept()
        with connection, connection.makefile("rb") as stream:
            connection.sendall(b"SSH-2.0-listener\r\n")
            assert stream.readline().startswith(b"SSH-2.0-")
            length = int.from_bytes(stream.read(4), "big")
            packets.append(stream.read(length))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=listen, args=(server,))
        thread.start()
        hop = Hop("127.0.0.1", server.getsockname()[1], "admin", "listener", ("/nonexistent",))
        with pytest.raises(ConnectError, match="does not answer as an SSH server"):
            SshConnection(Route((hop,)), timeout=TIMEOUT, **options)
        thread.join()
    # Length of the padding, type of the message, 16 bytes of a cookie, and then the lists; those of both directions are given twice.
    message = paramiko.Message(packets[0][1:])
    assert message.get_byte() == b"\x14"
    message.get_bytes(16)
    lists = [message.get_list() for _number in range(8)]
    assert lists[2::2] == lists[3::2]
    return Offer(lists[0], lists[1], lists[2], lists[4], lists[6])


WEAK = re.compile(r"cbc|3des|arcfour|blowfish|cast|md5|sha1|dss|^ssh-rsa|group1-|^none$", re.IGNORECASE)


def test_only_strong_algorithms_are_offered() -> None:
    offered = offer()
    names = {*offered.kex, *offered.host_keys, *offered.ciphers, *offered.macs}
    assert {"aes256-ctr", "hmac-sha2-256", "ssh-ed25519", "rsa-sha2-512", "curve25519-sha256@libssh.org"} <= names
    assert "kex-strict-c-v00@openssh.com" in names, "against prefix truncation (Terrapin)"
    assert [name for name in names if WEAK.search(name)] == []
    assert offered.compression == ["none"]


def test_keys_of_the_client_sign_with_nothing_weak(world: World) -> None:
    connection = SshConnection(Route((world.appliance,)), timeout=TIMEOUT)
    signatures = connection._transports[0].preferred_pubkeys
    connection.close()
    assert "rsa-sha2-512" in signatures
    assert [name for name in signatures if WEAK.search(name)] == []


def test_older_algorithms_are_offered_if_they_are_named() -> None:
    assert [name for name in offer(legacy_algorithms=["aes256-cbc"]).ciphers if WEAK.search(name)] == ["aes256-cbc"]


def test_a_server_with_weak_algorithms_only(world: World) -> None:
    port = world.servers.appliance(Appliance(), world.host_key, encryption_algs=["aes256-cbc"], mac_algs=["hmac-sha1"])
    world.learn(port, world.host_key)
    with pytest.raises(ConnectError, match="none of the algorithms that are considered strong.*ansible_nsva_legacy_algorithms") as caught:
        log_in(world.hop(port))
    assert not caught.value.again
    assert log_in(world.hop(port), legacy_algorithms=["aes256-cbc", "hmac-sha1"]) == "nsva-1{}"


def test_a_jump_host_is_offered_nothing_weak(world: World) -> None:
    port = world.servers.jump_host(world.jump_host, world.host_key, encryption_algs=["aes256-cbc"])
    world.learn(port, world.host_key)
    with pytest.raises(ConnectError, match="Jump host .* knows none of the algorithms"):
        log_in(replace(world.jump, port=port, known_as=f"[127.0.0.1]:{port}"), world.appliance, legacy_algorithms=["aes256-cbc"])


@pytest.mark.parametrize(
    ("name", "said"), [("none", r"takes 3des-cbc, .*; not none\."), ("blowfish-cbc", r"paramiko [\d.]+ does not know blowfish-cbc any more")]
)
def test_algorithms_that_cannot_be_offered(world: World, name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        log_in(world.appliance, legacy_algorithms=[name])


def test_neither_agent_nor_display_are_forwarded(world: World) -> None:
    asked: list[str | None] = []

    def look(process: asyncssh.SSHServerProcess[str]) -> None:
        asked.extend((process.channel.get_agent_path(), process.channel.get_x11_display()))
        process.stdout.write("nsva-1{}")

    options = {"process_factory": look, "agent_forwarding": True, "x11_forwarding": True}
    port = world.servers.start(world.host_key, **options)
    world.learn(port, world.host_key)
    assert log_in(world.hop(port)) == "nsva-1{}"
    assert asked == [None, None]


# Host keys.


def test_unknown_host_key(world: World) -> None:
    world.known_hosts.write_text("")
    with pytest.raises(HostKeyError, match="shows a host key that is not known: ssh-ed25519 SHA256:.*accept-new") as caught:
        log_in(world.appliance)
    assert not caught.value.again
    assert world.known_hosts.read_text() == ""


def test_accept_new_records_the_key(world: World) -> None:
    world.known_hosts.write_text("")
    hop = replace(world.appliance, host_key_policy="accept-new")
    log_in(hop)
    assert world.known_hosts.read_text() == known_hosts_line(hop.port, world.host_key)
    log_in(hop)
    log_in(world.appliance)
    assert world.known_hosts.read_text() == known_hosts_line(hop.port, world.host_key)


def test_a_key_that_cannot_be_recorded_is_not_accepted(world: World, tmp_path: Path) -> None:
    with pytest.raises(HostKeyError, match="cannot be recorded"):
        log_in(replace(world.appliance, host_key_policy="accept-new", known_hosts_files=("/dev/null/known_hosts",)))


@pytest.mark.parametrize("policy", ["strict", "accept-new"])
def test_changed_host_key(world: World, policy: str) -> None:
    world.known_hosts.write_text("")
    world.learn(world.appliance.port, world.servers.client_key)
    before = world.known_hosts.read_text()
    with pytest.raises(HostKeyError, match="shows another host key than the known one.*ssh-keygen -f .* -R"):
        log_in(replace(world.appliance, host_key_policy=policy))  # type: ignore[arg-type]
    assert world.known_hosts.read_text() == before


def test_revoked_host_key(world: World) -> None:
    world.known_hosts.write_text(f"@revoked * {world.host_key.export_public_key().decode()}")
    with pytest.raises(HostKeyError, match="marked as revoked"):
        log_in(replace(world.appliance, host_key_policy="accept-new"))


def test_no_check(world: World) -> None:
    world.known_hosts.write_text("")
    world.learn(world.appliance.port, world.servers.client_key)
    assert log_in(replace(world.appliance, host_key_policy="off")) == "nsva-1{}"


def test_unreadable_known_hosts(world: World, tmp_path: Path) -> None:
    with pytest.raises(HostKeyError, match="cannot be read"):
        log_in(replace(world.appliance, known_hosts_files=(str(tmp_path),)))


def test_the_known_one_of_several_host_keys_is_asked_for(servers: Servers, world: World) -> None:
    keys = {name: asyncssh.generate_private_key(name) for name in ("ssh-ed25519", "ecdsa-sha2-nistp256")}
    keys["ssh-rsa"] = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    port = servers.appliance(Appliance(), *keys.values())
    for key in keys.values():
        world.known_hosts.write_text(known_hosts_line(port, key))
        assert log_in(world.hop(port)) == "nsva-1{}"


def test_a_jump_host_has_its_own_key(world: World) -> None:
    world.known_hosts.write_text(known_hosts_line(world.appliance.port, world.host_key))
    with pytest.raises(HostKeyError, match=rf"Jump host 127\.0\.0\.1:{world.jump.port} \(known as"):
        log_in(world.jump, world.appliance)
    assert world.jump_host.logins == []


# Keys of the user.


def test_wrong_key(world: World) -> None:
    world.servers.make_key("stranger")
    hop = replace(world.appliance, key_files=(str(world.servers.folder / "stranger"),))
    with pytest.raises(LoginError, match=r"does not let user admin in: .*stranger was refused\. An appliance takes the key pair") as caught:
        log_in(hop)
    assert not caught.value.again


def test_no_key(world: World) -> None:
    with pytest.raises(LoginError, match="no key was found"):
        log_in(replace(world.appliance, key_files=()))


def test_unusable_key_files(world: World, tmp_path: Path) -> None:
    (tmp_path / "rubbish").write_text("rubbish")
    (tmp_path / "broken").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
    hop = replace(world.appliance, key_files=tuple(str(tmp_path / name) for name in ("missing", "rubbish", "broken")))
    with pytest.raises(LoginError, match=r"missing cannot be read \(No such file or directory\); .*rubbish is not a private key.*; .*broken is not a private"):
        log_in(hop)


@pytest.mark.parametrize(
    ("algorithm", "form"),
    [
        *(("ssh-ed25519", form) for form in ("openssh", "pkcs8-pem")),
        *((algorithm, form) for algorithm in ("ssh-rsa", "ecdsa-sha2-nistp256") for form in ("openssh", "pkcs8-pem", "pkcs1-pem")),
    ],
)
def test_kinds_of_keys(world: World, tmp_path: Path, algorithm: str, form: str) -> None:
    key = asyncssh.generate_private_key(algorithm, **({"key_size": 2048} if algorithm == "ssh-rsa" else {}))
    authorized = asyncssh.import_authorized_keys(key.export_public_key().decode())
    port = world.servers.appliance(Appliance(), world.host_key, authorized_client_keys=authorized)
    world.learn(port, world.host_key)
    key.write_private_key(tmp_path / "key", form)
    assert log_in(replace(world.hop(port), key_files=(str(tmp_path / "key"),))) == "nsva-1{}"


@pytest.mark.parametrize("form", ["openssh", "pkcs8-pem"])
def test_encrypted_key(world: World, tmp_path: Path, form: str) -> None:
    world.servers.client_key.write_private_key(tmp_path / "key", form, passphrase="correct horse", **({"rounds": 16} if form == "openssh" else {}))
    hop = replace(world.appliance, key_files=(str(tmp_path / "key"),))
    with pytest.raises(LoginError, match="key is encrypted: set ansible_nsva_private_key_passphrase, or add the key to an SSH agent"):
        log_in(hop)
    with pytest.raises(LoginError, match="or the passphrase is wrong") as caught:
        log_in(hop, passphrase="battery staple")
    assert "battery" not in str(caught.value)
    assert log_in(hop, passphrase="correct horse") == "nsva-1{}"
    # It does no harm where there is no passphrase.
    assert log_in(world.appliance, passphrase="correct horse") == "nsva-1{}"


def test_the_usual_key_files_are_found(world: World, home: Path) -> None:
    world.servers.client_key.write_private_key(home / ".ssh" / "id_ed25519")
    assert log_in(replace(world.appliance, key_files=())) == "nsva-1{}"


def test_a_certificate_lies_beside_the_key(world: World, tmp_path: Path) -> None:
    authority = asyncssh.generate_private_key("ssh-ed25519")
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(tmp_path / "key")
    authority.generate_user_certificate(key, "operator", principals=["admin"]).write_certificate(tmp_path / "key-cert.pub")
    trusted = asyncssh.import_authorized_keys(f"cert-authority {authority.export_public_key().decode()}")
    port = world.servers.appliance(Appliance(), world.host_key, authorized_client_keys=trusted)
    world.learn(port, world.host_key)
    assert log_in(replace(world.hop(port), key_files=(str(tmp_path / "key"),))) == "nsva-1{}"


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """OpenSSH's agent, without keys."""
    path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    while not path.exists():
        time.sleep(0.01)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(path))
    yield
    process.terminate()
    process.wait()


def add_to_agent(path: Path) -> None:
    subprocess.run(["ssh-add", "-q", str(path)], check=True)


@pytest.mark.usefixtures("agent")
def test_agent(world: World) -> None:
    world.servers.make_key("unused")
    add_to_agent(world.servers.folder / "unused")
    without_files = replace(world.appliance, key_files=())
    with pytest.raises(LoginError, match="the SSH agent's .* was refused"):
        log_in(without_files)
    subprocess.run(["ssh-add", "-q", "-D"], check=True)
    add_to_agent(world.servers.folder / "client")
    assert log_in(without_files) == "nsva-1{}"


@pytest.mark.usefixtures("agent")
def test_an_encrypted_key_in_the_agent(world: World, tmp_path: Path) -> None:
    world.servers.client_key.write_private_key(tmp_path / "key", passphrase="correct horse", rounds=16)
    world.servers.client_key.write_public_key(tmp_path / "key.pub")
    world.servers.make_key("unused")
    add_to_agent(world.servers.folder / "unused")
    add_to_agent(world.servers.folder / "client")
    hop = replace(world.appliance, key_files=(str(tmp_path / "key"),), identities_only=True)
    assert log_in(hop) == "nsva-1{}"
    with pytest.raises(LoginError) as caught:
        log_in(replace(hop, key_files=(str(world.servers.folder / "unused"),)))
    assert "agent's client" not in str(caught.value)


def test_a_broken_agent(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(agent: paramiko.Agent) -> None:
        raise paramiko.SSHException("no agent")

    monkeypatch.setattr(paramiko.Agent, "__init__", fail)
    with pytest.raises(LoginError, match=r"the SSH agent cannot be used \(no agent\)"):
        log_in(replace(world.appliance, key_files=()))


def test_a_server_that_wants_a_password(world: World) -> None:
    class PasswordOnly(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

    port = world.servers.appliance(Appliance(), world.host_key, server_factory=PasswordOnly, authorized_client_keys=None, public_key_auth=False)
    world.learn(port, world.host_key)
    with pytest.raises(LoginError, match="lets user admin in by keyboard-interactive, password only, not with a key"):
        log_in(world.hop(port))


def test_a_server_that_ends_after_some_keys(world: World) -> None:
    class Strict(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            self.connection = conn

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
            self.connection.abort()
            return False

    world.servers.make_key("second")
    port = world.servers.appliance(Appliance(), world.host_key, server_factory=Strict, authorized_client_keys=None)
    world.learn(port, world.host_key)
    hop = replace(world.hop(port), key_files=tuple(str(world.servers.folder / name) for name in ("client", "second")))
    with pytest.raises(LoginError, match="client .*then the connection was ended") as caught:
        log_in(hop)
    assert "second" not in str(caught.value)


# Ways to the appliance.


def test_through_a_jump_host(world: World) -> None:
    assert log_in(world.jump, world.appliance) == "nsva-1{}"
    assert world.jump_host.logins == ["jumper"]
    assert world.jump_host.forwards == [("127.0.0.1", world.appliance.port)]


def test_through_two_jump_hosts(world: World) -> None:
    second = JumpHost()
    port = world.servers.jump_host(second, world.host_key)
    world.learn(port, world.host_key)
    assert log_in(world.jump, replace(world.jump, port=port, known_as=f"[127.0.0.1]:{port}"), world.appliance) == "nsva-1{}"
    assert (world.jump_host.forwards, second.forwards) == ([("127.0.0.1", port)], [("127.0.0.1", world.appliance.port)])


def test_a_jump_host_that_is_down(world: World) -> None:
    down = replace(world.jump, port=1)
    with pytest.raises(ConnectError, match=r"Jump host 127\.0\.0\.1:1 cannot be reached: .*refused\. Is it up") as caught:
        log_in(down, world.appliance)
    assert caught.value.again


def test_a_jump_host_that_does_not_forward(world: World) -> None:
    world.jump_host.forwarding = False
    with pytest.raises(ConnectError, match=r"Jump host .* refuses to forward to .*: Administratively prohibited \(AllowTcpForwarding"):
        log_in(world.jump, world.appliance)


def test_an_appliance_that_the_jump_host_cannot_reach(world: World) -> None:
    with pytest.raises(ConnectError, match=r"Jump host .* cannot reach 127\.0\.0\.1:1: .*security group") as caught:
        log_in(world.jump, replace(world.appliance, port=1))
    assert caught.value.again


def test_a_jump_host_that_refuses_the_key(world: World) -> None:
    world.servers.make_key("stranger")
    jump = replace(world.jump, key_files=(str(world.servers.folder / "stranger"),))
    with pytest.raises(LoginError, match="Jump host .* does not let user jumper in: .*stranger was refused") as caught:
        log_in(jump, world.appliance)
    assert "EC2" not in str(caught.value)


RELAY = """
import os, socket, sys, threading
peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def up():
    while data := os.read(0, 65536):
        peer.sendall(data)
threading.Thread(target=up, daemon=True).start()
while data := peer.recv(65536):
    os.write(1, data)
"""


def test_proxy_command(world: World, tmp_path: Path) -> None:
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY)
    assert log_in(world.appliance, proxy_command=f"python3 {relay} {world.appliance.port}") == "nsva-1{}"
    assert log_in(world.jump, world.appliance, proxy_command=f"python3 {relay} {world.jump.port} 2>/dev/null") == "nsva-1{}"
    assert world.jump_host.forwards == [("127.0.0.1", world.appliance.port)]


def test_a_proxy_command_that_fails(world: World) -> None:
    started = time.monotonic()
    with pytest.raises(ConnectError, match="ProxyCommand .* wrote: proxy says no") as caught:
        log_in(world.appliance, proxy_command="sh -c 'echo proxy says no >&2; exit 1'")
    assert caught.value.again
    assert time.monotonic() - started < 5
    with pytest.raises(ConnectError, match="not found"):
        log_in(world.appliance, proxy_command="no-such-program")


def test_nothing_is_left_running(world: World, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with pytest.raises(ConnectError):
        log_in(world.appliance, proxy_command=f"sh -c 'echo $$ > {pid_file}; exec sleep 60'", timeout=0.5)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


# Time limits and servers that are none.


@pytest.mark.parametrize("through_jump_host", [False, True])
def test_a_server_that_says_nothing(world: World, through_jump_host: bool) -> None:
    hop = world.hop(world.servers.silent())
    started = time.monotonic()
    with pytest.raises(ConnectError, match="Appliance .* does not answer as an SSH server: .*security group") as caught:
        log_in(*([world.jump, hop] if through_jump_host else [hop]), timeout=0.6)
    assert caught.value.again
    assert 0.5 < time.monotonic() - started < 3


def test_a_server_that_says_no_more_than_what_it_is(world: World) -> None:
    with pytest.raises(ConnectError, match="SSH server: the handshake took longer than ansible_connect_timeout.* security group") as caught:
        log_in(world.hop(world.servers.silent(greeting=b"SSH-2.0-OpenSSH_9.9\r\n")), timeout=0.6)
    assert caught.value.again


def test_a_server_that_hangs_up(world: World) -> None:
    with pytest.raises(ConnectError, match="does not answer as an SSH server") as caught:
        log_in(world.hop(world.servers.silent(hang_up=True)))
    assert caught.value.again


def test_a_connection_that_is_not_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(address: object, timeout: float) -> None:
        assert timeout <= TIMEOUT
        raise TimeoutError("timed out")

    monkeypatch.setattr(_ssh_transport.socket, "create_connection", never)
    with pytest.raises(ConnectError, match="cannot be reached: no answer in time") as caught:
        log_in(world.appliance)
    assert caught.value.again


def test_a_name_that_does_not_exist(world: World) -> None:
    with pytest.raises(ConnectError, match=r"i-0abc\.invalid:.* cannot be found: .*ansible_host") as caught:
        log_in(replace(world.appliance, host="i-0abc.invalid"))
    assert not caught.value.again


def test_a_server_without_a_shell(world: World) -> None:
    with pytest.raises(ConnectError, match="gives no interactive shell"):
        log_in(world.jump)


def test_paramiko_writes_into_no_log_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    log_file = logging.Handler()
    monkeypatch.setattr(log_file, "emit", lambda record: written.append(record.name))
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [log_file])
    monkeypatch.setattr(root, "level", logging.DEBUG)
    log_in(world.appliance)
    assert [name for name in written if name.startswith("paramiko")] == []


def test_paramiko_prints_nothing(world: World, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConnectError):
        log_in(world.hop(world.servers.silent(hang_up=True)))
    assert capfd.readouterr() == ("", "")


# Hostile servers.


@pytest.mark.parametrize("line", [b"Keep off\r\n", b"x" * 64])
def test_a_banner_that_never_ends(world: World, line: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _address = listener.accept()
            with client, contextlib.suppress(OSError):
                while True:
                    client.sendall(line * 100)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        started = time.monotonic()
        with pytest.raises(ConnectError, match="does not answer as an SSH server: (the handshake took longer than|Indecipherable)") as caught:
            log_in(world.hop(listener.getsockname()[1]), timeout=0.5)
        thread.join(10)
    assert not thread.is_alive(), "the connection is closed"
    assert time.monotonic() - started < 10
    assert len(str(caught.value)) < 1000
    assert caught.value.again


@pytest.mark.parametrize(
    "packet",
    [
        b"\0\0\0\x2c\x0a\x14" + b"\xff" * 42,  # lists of algorithms of impossible length
        b"\0\0\0\x2c\x0a\x14" + bytes(16) + b"\0\0\0\2\xff\xfe" + bytes(20),  # a list that is no text
        b"\xff\xff\xff\xfc\x0a\x14",  # a packet of 4 GB
        b"\0\0\0\x0c\xff\x14" + bytes(20),  # more padding than packet
    ],
)
def test_a_handshake_of_another_form(packet: bytes) -> None:
    with pytest.raises(ConnectError, match="does not answer as an SSH server"):
        Greeted(b"SSH-2.0-x\r\n" + packet, timeout=3)


@pytest.mark.parametrize("host", ["a..b", "\u00e9" * 80])
def test_a_name_that_no_host_can_have(world: World, host: str) -> None:
    with pytest.raises(ConnectError, match="is no name that a host can have. Set its address in the inventory"):
        log_in(replace(world.appliance, host=host))


def test_a_certificate_that_cannot_be_read(world: World, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(Path(world.appliance.key_files[0]).read_bytes())
    Path(f"{key}-cert.pub").mkdir()
    with pytest.raises(LoginError, match="is not a private key that can be used"):
        log_in(replace(world.appliance, key_files=(str(key),), identities_only=True))
