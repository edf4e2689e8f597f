# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import typing as t
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import psutil
import pytest
from cli_world import Backend, Typist, appliance, in_loop, serving

from lab import bastion as bastion_module
from lab.bastion import Bastion, BastionError, end_leftover
from lab.keys import make_key_pair

BASTION_ADDRESS = "127.20.0.5"


@pytest.fixture
def bastion(tmp_path: Path) -> Iterator[Bastion]:
    # The name is one that a configuration file must quote.
    folder = tmp_path / "state of 100%h"
    folder.mkdir()
    host = Bastion(folder, make_key_pair(tmp_path / "bastion.pem"))
    host.start()
    try:
        yield host
    finally:
        host.stop()


def login(bastion: Bastion, folder: Path, key: str = "bastion.pem") -> t.Any:
    """A login, to be awaited or entered."""
    known_hosts = asyncssh.import_known_hosts(bastion.host_key_line)
    return asyncssh.connect(bastion.host, bastion.port, username=bastion.user, client_keys=[str(folder / key)], known_hosts=known_hosts, config=None)


@in_loop
async def test_it_lets_its_key_in_and_counts_the_logins(bastion: Bastion, tmp_path: Path) -> None:
    make_key_pair(tmp_path / "other.pem")
    assert bastion.logins() == 0
    for count in (1, 2):
        async with login(bastion, tmp_path):
            assert bastion.logins() == count
    for _attempt in range(6):  # nobody is locked out by another's mistakes
        with pytest.raises(asyncssh.PermissionDenied):
            await login(bastion, tmp_path, "other.pem")
    async with login(bastion, tmp_path):
        assert bastion.logins() == 3


@in_loop
async def test_it_knows_the_connections_that_it_forwards(bastion: Bastion, tmp_path: Path) -> None:
    peers: asyncio.Queue[tuple[str, int]] = asyncio.Queue()

    async def tell_peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.put_nowait(writer.get_extra_info("peername"))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(tell_peer, "127.10.0.4", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, login(bastion, tmp_path) as first, login(bastion, tmp_path) as second:
        for connection in (first, second):
            _reader, writer = await connection.open_connection("127.10.0.4", port)
            forwarded = await peers.get()
            assert bastion.owns_connection(*forwarded)
            writer.close()
        _reader, direct = await asyncio.open_connection("127.10.0.4", port)
        assert not bastion.owns_connection(*await peers.get())
        assert not bastion.owns_connection("127.0.0.77", forwarded[1])
        direct.close()
    bastion.stop()
    assert not bastion.owns_connection(*forwarded)


@in_loop
async def test_stopping_ends_the_logins_too(bastion: Bastion, tmp_path: Path) -> None:
    connection = await login(bastion, tmp_path)
    bastion.stop()
    await asyncio.wait_for(connection.wait_closed(), 5)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((bastion.host, bastion.port), timeout=1)
    bastion.stop()  # once more does no harm


def test_a_restart_keeps_the_host_key(bastion: Bastion) -> None:
    key = bastion.host_key_line.split()[1:]
    bastion.stop()
    bastion.start()
    assert bastion.host_key_line.split()[1:] == key
    assert bastion.logins() == 0


def test_what_an_earlier_run_left_is_ended(bastion: Bastion, tmp_path: Path) -> None:
    folder = bastion._state_dir
    left = psutil.Process(int((folder / "sshd.pid").read_text()))
    end_leftover(folder)
    assert psutil.wait_procs([left], timeout=5) == ([left], [])
    # A process id that belongs to somebody else by now is left alone.
    (folder / "sshd.pid").write_text(str(os.getpid()))
    end_leftover(folder)
    (folder / "sshd.pid").write_text("")
    end_leftover(folder)
    end_leftover(tmp_path)


def test_a_missing_sshd_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bastion_module, "SEARCH_PATH", str(tmp_path))
    with pytest.raises(BastionError, match="openssh-server"):
        Bastion(tmp_path, "ssh-ed25519 AAAA").start()


def test_an_sshd_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bastion_module, "_quoted", lambda path: "/nowhere")
    with pytest.raises(BastionError, match=r"(?s)ended at once: .*/nowhere"):
        Bastion(tmp_path, "ssh-ed25519 AAAA").start()


def test_an_sshd_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silent = tmp_path / "sshd"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    monkeypatch.setattr(bastion_module, "SEARCH_PATH", str(tmp_path))
    monkeypatch.setattr(bastion_module, "START_SECONDS", 0.3)
    # The check of the configuration would wait for it too.
    monkeypatch.setattr(Bastion, "_write_config", lambda self, sshd: tmp_path / "sshd_config")
    bastion = Bastion(tmp_path, "ssh-ed25519 AAAA")
    with pytest.raises(BastionError, match="did not answer"):
        bastion.start()
    assert bastion._process is None


def test_a_user_without_a_name_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000)
    with pytest.raises(BastionError, match="4000000"):
        Bastion(tmp_path, "").user  # noqa: B018


def test_processes_are_also_found_where_the_kernel_lists_no_children(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise FileNotFoundError

    child = subprocess.Popen(["sleep", "60"])
    try:
        assert child.pid in bastion_module._descendants(os.getpid())
        monkeypatch.setattr(bastion_module, "open", refuse, raising=False)
        assert child.pid in bastion_module._descendants(os.getpid())
    finally:
        child.kill()
        child.wait()


def test_a_locked_password_is_noticed_where_it_may_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda self: "root:!*:1::\nops:x:1::\n")
    assert bastion_module._password_locked("root")
    assert not bastion_module._password_locked("ops")


def source_of(bastion: Bastion, address: str, port: int) -> str:
    return BASTION_ADDRESS if bastion.owns_connection(address, port) else address


@in_loop
async def test_the_openssh_client_reaches_an_appliance_only_through_the_bastion(bastion: Bastion, tmp_path: Path) -> None:
    backend = Backend(allowed={BASTION_ADDRESS})
    async with serving(tmp_path, appliance(backend), source_of=lambda *peer: source_of(bastion, *peer)) as server:
        with (tmp_path / "known_hosts").open("a") as known_hosts:
            known_hosts.write(bastion.host_key_line + "\n")
        (tmp_path / "ssh_config").write_text(
            f"Host *\n UserKnownHostsFile {tmp_path}/known_hosts\n StrictHostKeyChecking yes\n IdentitiesOnly yes\n ConnectTimeout 2\n"
            f"Host {bastion.host}\n Port {bastion.port}\n User {bastion.user}\n IdentityFile {tmp_path}/bastion.pem\n"
            f"Host 127.10.*\n Port {server.port}\n User admin\n IdentityFile {tmp_path}/appliance.pem\n"
        )
        through = ["-J", bastion.host]
        for way, status, logins in ((through, 0, 1), ([], 255, 1)):
            ssh = await asyncio.create_subprocess_exec(
                "ssh", "-F", str(tmp_path / "ssh_config"), *way, "-tt", "127.10.0.4", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            output, _errors = await ssh.communicate(b"exit\n")
            assert (ssh.returncode, bastion.logins()) == (status, logins)
            assert output == (b"nsva-1{}exit\r\n" if status == 0 else b"")
    assert backend.calls == ["login", "exit"]


@in_loop
async def test_sixty_appliances_at_once_through_the_bastion(bastion: Bastion, tmp_path: Path) -> None:
    fleet = [appliance(Backend(allowed={BASTION_ADDRESS}), instance_id=f"i-{n}", address=f"127.10.1.{n}", host_name=f"nsva-{n}") for n in range(1, 61)]
    async with serving(tmp_path, *fleet, source_of=lambda *peer: source_of(bastion, *peer)) as server:

        async def version(number: int) -> str:
            async with (
                login(bastion, tmp_path) as tunnel,
                tunnel.connect_ssh(
                    f"127.10.1.{number}",
                    server.port,
                    username="admin",
                    client_keys=[str(tmp_path / "appliance.pem")],
                    known_hosts=str(tmp_path / "known_hosts"),
                    config=None,
                ) as connection,
            ):
                typist = Typist(await connection.create_process(term_type="vt100", encoding=None))
                await typist.until(f"nsva-{number}{{}}")
                return await typist.ask("show version", f"nsva-{number}{{}}")

        answers = await asyncio.gather(*map(version, range(1, 61)))
    assert answers == [f"Host name: nsva-{number}\r\n" for number in range(1, 61)]
    assert bastion.logins() == 60
