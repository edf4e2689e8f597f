# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import asyncio
import errno
import logging
import socket
import subprocess
import time
from pathlib import Path

import asyncssh
import pytest
from cli_world import TOKEN, Backend, appliance, connect, in_loop, serving, session

from lab.appliance_cli import server as server_module
from lab.appliance_cli.interface import CliFault, FaultKind, Registration
from lab.appliance_cli.session import GARBAGE
from lab.keys import make_key_pair

PROMPT = "nsva-1{}"


@in_loop
async def test_a_session_from_banner_to_exit(tmp_path: Path) -> None:
    backend = Backend()
    host = appliance(backend, banner="Welcome to {production}\nBe careful", versions={"TOS": "5.5"})
    async with serving(tmp_path, host) as server, session(server, tmp_path) as typist:
        assert await typist.until(PROMPT) == f"Welcome to {{production}}\r\nBe careful\r\n{PROMPT}"
        assert await typist.ask("show version") == "Host name: nsva-1\r\nTOS:       5.5\r\n"
        await typist.ask("edit", "nsva-1{running}")
        await typist.ask("exit")
        typist.type("\r")
        assert await typist.until(PROMPT) == f"\r\n{PROMPT}"
        typist.type("exit\r")
        assert await typist.rest() == "exit\r\n"
        assert typist.process.exit_status == 0
    assert backend.calls == ["login", "show version", "edit", "exit", "exit"]
    assert backend.moments[:4] == ["connect", "login", "command:show version", "answer:show version"]


@in_loop
async def test_registration_asks_takes_its_time_and_masks_the_secret(tmp_path: Path) -> None:
    backend = Backend(registration=Registration(seconds=0.3, blocks=True))
    async with serving(tmp_path, appliance(backend, confirmations=True)) as server, session(server, tmp_path) as typist:
        await typist.until(PROMPT)
        await typist.ask("cloudone unregister", "(y/n) ")
        assert await typist.ask("n") == ""
        assert backend.is_registered
        await typist.ask("cloudone unregister", "(y/n) ")
        assert await typist.ask("y") == "The registration was removed.\r\n"
        await typist.ask(f"cloudone register {TOKEN}", "(y/n) ")
        started = time.monotonic()
        assert await typist.ask("y") == "Registering with Trend Cloud One...\r\nRegistration complete.\r\n"
        assert time.monotonic() - started >= 0.3
    assert backend.calls == ["login", "cloudone unregister", "cloudone unregister", "cloudone register ***"]
    assert TOKEN not in str(backend.moments)


@in_loop
async def test_long_output_stops_at_the_pager(tmp_path: Path) -> None:
    log = [f"line {number} é" for number in range(5)]
    async with serving(tmp_path, appliance(Backend(log=log), pager=3)) as server, session(server, tmp_path) as typist:
        await typist.until(PROMPT)
        assert await typist.ask("show log-file system", "--More--") == "line 0 é\r\nline 1 é\r\nline 2 é\r\n"
        typist.type(" ")
        assert await typist.until(PROMPT) == f"\r        \rline 3 é\r\nline 4 é\r\n{PROMPT}"


@in_loop
async def test_commands_and_subsystems_without_a_shell_are_refused(tmp_path: Path) -> None:
    backend = Backend()
    async with serving(tmp_path, appliance(backend)) as server, connect(server, tmp_path) as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.run("show version")
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.start_sftp_client()
    assert backend.calls == []


@in_loop
async def test_without_a_terminal_nothing_is_echoed_and_the_end_of_input_ends_the_session(tmp_path: Path) -> None:
    async with serving(tmp_path, appliance(Backend())) as server, connect(server, tmp_path) as connection:
        result = await connection.run(input="show version\n", request_pty=False)
        assert result.stdout == f"{PROMPT}Host name: nsva-1\r\n{PROMPT}"


@in_loop
async def test_one_session_at_a_time(tmp_path: Path) -> None:
    async with serving(tmp_path, appliance(Backend())) as server:
        async with session(server, tmp_path) as first:
            await first.until(PROMPT)
            async with session(server, tmp_path) as second:
                assert await second.rest() == "Error: another session is open on this appliance; only one is allowed at a time.\r\n"
                assert second.process.exit_status == 1
            assert await first.ask("edit", "nsva-1{running}") == ""
        async with session(server, tmp_path) as third:
            assert await third.until(PROMPT) == PROMPT


@pytest.mark.parametrize(("user", "key", "why"), [("root", "appliance.pem", "unknown user"), ("admin", "other.pem", "unknown key")])
@in_loop
async def test_a_wrong_user_or_key_is_refused(tmp_path: Path, user: str, key: str, why: str) -> None:
    backend = Backend()
    make_key_pair(tmp_path / "other.pem")
    async with serving(tmp_path, appliance(backend)) as server:
        with pytest.raises(asyncssh.PermissionDenied):
            await connect(server, tmp_path, username=user, client_keys=[str(tmp_path / key)])
        await asyncio.sleep(0.05)  # the call is counted beside the login
    assert backend.calls == [f"login refused: {why}"]


@in_loop
async def test_a_closed_security_group_leaves_a_connection_unanswered_until_it_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "SYN_RETRIES", (0.2, 0.2, 0.2))
    backend = Backend(allowed=set())
    async with serving(tmp_path, appliance(backend)) as server:
        reader, writer = await asyncio.open_connection("127.10.0.4", server.port)
        started = time.monotonic()
        assert await reader.read() == b""
        assert time.monotonic() - started >= 0.6
        writer.close()
        assert backend.moments == []

        reader, writer = await asyncio.open_connection("127.10.0.4", server.port)
        backend.allowed.add("127.0.0.1")
        assert (await reader.readline()).startswith(b"SSH-2.0-")
        writer.close()


@in_loop
async def test_the_security_groups_see_the_source_that_is_told(tmp_path: Path) -> None:
    asked: list[tuple[str, int]] = []

    def source_of(address: str, port: int) -> str:
        asked.append((address, port))
        return "127.20.0.5"

    async with serving(tmp_path, appliance(Backend(allowed={"127.20.0.5"})), source_of=source_of) as server:
        _reader, writer = await asyncio.open_connection("127.10.0.4", server.port, local_addr=("127.0.0.9", 0))
        local = writer.get_extra_info("sockname")
        async with session(server, tmp_path) as typist:
            await typist.until(PROMPT)
        writer.close()
    assert local in asked


@pytest.mark.parametrize(
    ("kind", "received"),
    [("drop", b""), ("garbage", GARBAGE), ("refuse", ConnectionResetError), ("hang", TimeoutError), ("no_prompt", TimeoutError)],
)
@in_loop
async def test_faults_before_the_ssh_banner(tmp_path: Path, kind: FaultKind, received: bytes | type[Exception]) -> None:
    async with serving(tmp_path, appliance(Backend(faults={"connect": CliFault(kind)}))) as server:
        reader, writer = await asyncio.open_connection("127.10.0.4", server.port)
        try:
            seen: bytes | type[Exception] = await asyncio.wait_for(reader.read(), 0.3)
        except (OSError, TimeoutError) as error:
            seen = type(error)
        writer.close()
        assert seen == received
        async with session(server, tmp_path) as typist:
            assert await typist.until(PROMPT) == PROMPT


@in_loop
async def test_a_hang_before_the_ssh_banner_may_end(tmp_path: Path) -> None:
    async with serving(tmp_path, appliance(Backend(faults={"connect": CliFault("hang", 0.2)}))) as server:
        started = time.monotonic()
        async with session(server, tmp_path) as typist:
            await typist.until(PROMPT)
        assert time.monotonic() - started >= 0.2


@in_loop
async def test_a_changed_host_key_is_noticed_by_the_client(tmp_path: Path) -> None:
    async with serving(tmp_path, appliance(Backend(faults={"connect": CliFault("changed_host_key")}))) as server:
        with pytest.raises(asyncssh.HostKeyNotVerifiable):
            await connect(server, tmp_path)
        await connect(server, tmp_path)


@in_loop
async def test_faults_before_the_first_prompt(tmp_path: Path) -> None:
    backend = Backend()
    async with serving(tmp_path, appliance(backend, banner="Hello")) as server:
        backend.faults["login"] = CliFault("drop")
        with pytest.raises((asyncssh.ConnectionLost, asyncio.IncompleteReadError)):
            async with session(server, tmp_path) as typist:
                await typist.until(PROMPT)

        backend.faults["login"] = CliFault("hang")
        async with session(server, tmp_path) as typist:
            assert await typist.silent()

        backend.faults["login"] = CliFault("hang", 0.2)
        async with session(server, tmp_path) as typist:
            assert await typist.until(PROMPT) == f"Hello\r\n{PROMPT}"

        backend.faults["login"] = CliFault("no_prompt")
        async with session(server, tmp_path) as typist:
            assert await typist.until("\r\n") == "Hello\r\n"
            assert await typist.silent()

        backend.faults["login"] = CliFault("garbage")
        async with session(server, tmp_path) as typist:
            seen = await typist.process.stdout.readuntil(PROMPT.encode())
            assert seen == GARBAGE + f"Hello\r\n{PROMPT}".encode()

        backend.faults["login"] = CliFault("refuse")
        async with session(server, tmp_path) as typist:
            assert await typist.rest() == "Error: the system is not ready, try again later.\r\n"
            assert typist.process.exit_status == 1


@in_loop
async def test_faults_of_a_command(tmp_path: Path) -> None:
    backend = Backend()
    async with serving(tmp_path, appliance(backend)) as server:
        async with session(server, tmp_path) as typist:
            await typist.until(PROMPT)
            backend.faults["command:cloudone unregister"] = CliFault("refuse")
            assert await typist.ask("cloudone unregister") == "Error: the command failed, try again later.\r\n"
            assert backend.is_registered

            backend.faults["answer:cloudone unregister"] = CliFault("refuse")
            assert await typist.ask("cloudone unregister") == "Error: the command failed, try again later.\r\n"
            assert not backend.is_registered

            backend.faults["command:show version"] = CliFault("garbage")
            typist.type("show version\r")
            seen = await typist.process.stdout.readuntil(PROMPT.encode())
            assert seen == b"show version\r\n" + GARBAGE + f"Host name: nsva-1\r\n{PROMPT}".encode()

            backend.faults["command:show version"] = CliFault("no_prompt")
            typist.type("show version\r")
            await typist.until("Host name: nsva-1\r\n")
            assert await typist.silent()

        async with session(server, tmp_path) as typist:
            await typist.until(PROMPT)
            backend.faults["command:show version"] = CliFault("hang")
            typist.type("show version\r")
            await typist.until("show version\r\n")
            assert await typist.silent()


@pytest.mark.parametrize(("moment", "registered"), [("command:cloudone register", False), ("answer:cloudone register", True)])
@in_loop
async def test_a_session_dropped_around_a_registration(tmp_path: Path, moment: str, registered: bool) -> None:
    backend = Backend(is_registered=False, faults={moment: CliFault("drop", 0.05)})
    async with serving(tmp_path, appliance(backend)) as server:
        with pytest.raises((asyncssh.ConnectionLost, asyncio.IncompleteReadError)):
            async with session(server, tmp_path) as typist:
                await typist.until(PROMPT)
                await typist.ask(f"cloudone register {TOKEN}")
        assert backend.is_registered is registered
        async with session(server, tmp_path) as typist:  # the lost session holds no place
            await typist.until(PROMPT)


@in_loop
async def test_an_error_of_the_lab_ends_the_session_and_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    backend = Backend()
    backend.system_log = lambda: 1 / 0  # type: ignore[assignment, return-value]
    async with serving(tmp_path, appliance(backend)) as server, session(server, tmp_path) as typist:
        with caplog.at_level(logging.ERROR):
            typist.type("show log-file system\r")
            await typist.rest()
        assert typist.process.exit_status == 1
    assert "ZeroDivisionError" in caplog.text


@in_loop
async def test_a_hundred_appliances_share_a_port_and_keep_their_host_keys(tmp_path: Path) -> None:
    fleet = [appliance(Backend(), instance_id=f"i-{n}", address=f"127.10.1.{n}", host_name=f"nsva-{n}") for n in range(1, 101)]
    async with serving(tmp_path, *fleet) as server:
        lines = server.known_hosts_lines()
        assert len({line.split()[2] for line in lines}) == 100
        assert lines[0].startswith(f"[127.10.1.1]:{server.port} ssh-ed25519 ")
        for number in (1, 50, 100):
            async with session(server, tmp_path, f"127.10.1.{number}") as typist:
                await typist.until(f"nsva-{number}{{}}")
        port = server.port
    async with serving(tmp_path, *fleet, port=port) as server:
        assert server.known_hosts_lines() == lines


@in_loop
async def test_a_port_that_is_taken_is_an_error_and_another_is_chosen_when_free_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = [appliance(Backend(), instance_id=f"i-{n}", address=f"127.10.1.{n}") for n in (1, 2)]
    with socket.create_server(("127.10.1.2", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError) as caught:
            async with serving(tmp_path, *fleet, port=port):
                pass
        assert caught.value.errno == errno.EADDRINUSE
        with socket.create_server(("127.10.1.1", port)):
            pass  # the address that was free has been let go

        listen, first = server_module._listen, [port]
        monkeypatch.setattr(server_module, "_listen", lambda address, port: listen(address, port or (first.pop() if first else 0)))
        async with serving(tmp_path, *fleet) as server:
            assert server.port != port


@in_loop
async def test_stopping_ends_open_sessions(tmp_path: Path) -> None:
    async with serving(tmp_path, appliance(Backend())) as server:
        connection = await connect(server, tmp_path)
        await connection.create_process(term_type="vt100")
    await asyncio.wait_for(connection.wait_closed(), 5)
    with pytest.raises(ConnectionRefusedError):
        await connect(server, tmp_path)


@in_loop
async def test_the_openssh_client_gets_along_with_it(tmp_path: Path) -> None:
    async with serving(tmp_path, appliance(Backend(), banner="Welcome")) as server:
        command = ["ssh", "-F", "none", "-i", str(tmp_path / "appliance.pem"), "-o", f"UserKnownHostsFile={tmp_path}/known_hosts"]
        command += ["-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes", "-p", str(server.port), "-tt", "admin@127.10.0.4"]
        ssh = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output, _errors = await ssh.communicate(b"show version\nexit\n")
        assert output.decode() == f"Welcome\r\n{PROMPT}show version\r\nHost name: nsva-1\r\n{PROMPT}exit\r\n"
        assert ssh.returncode == 0

        ssh = await asyncio.create_subprocess_exec(*command, "show version", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output, errors = await ssh.communicate()
        assert (output, ssh.returncode) == (b"", 255)
        assert b"request failed" in errors
