# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the appliances' command line share: a small world behind it, and a client that types."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import typing as t
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

from lab.appliance_cli.interface import CliAppliance, CliFault, NotRegistered, Registration, RegistrationRefused
from lab.appliance_cli.server import ApplianceCliServer
from lab.keys import make_key_pair

TOKEN = "token-of-tests"
SECONDS = 10.0


@dataclass
class Backend:
    """One appliance that takes one token."""

    allowed: set[str] = field(default_factory=lambda: {"127.0.0.1"})
    is_registered: bool = True
    registration: Registration = field(default_factory=Registration)
    log: list[str] = field(default_factory=list)
    faults: dict[str, CliFault] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    moments: list[str] = field(default_factory=list)

    def ssh_allowed(self, source_address: str) -> bool:
        return source_address in self.allowed

    def register(self, credential: str) -> Registration:
        if credential != TOKEN:
            raise RegistrationRefused("the credential was not accepted.")
        self.is_registered = True
        return self.registration

    def unregister(self) -> None:
        if not self.is_registered:
            raise NotRegistered
        self.is_registered = False

    def registered(self) -> bool:
        return self.is_registered

    def system_log(self) -> list[str]:
        return self.log

    def fault(self, moment: str) -> CliFault | None:
        self.moments.append(moment)
        return self.faults.pop(moment, None)

    def record(self, call: str) -> None:
        self.calls.append(call)


def appliance(backend: Backend, **how: t.Any) -> CliAppliance:
    """An appliance with a plain terminal, unless told otherwise."""
    return CliAppliance(**{"instance_id": "i-1", "address": "127.10.0.4", "host_name": "nsva-1", "backend": backend, **how})


def in_loop(test: Callable[..., t.Coroutine[t.Any, t.Any, None]]) -> Callable[..., None]:
    """Run a test that is a coroutine."""

    @functools.wraps(test)
    def run(*arguments: t.Any, **named: t.Any) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **named), 30))

    run.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]  # pytest finds the fixtures by it
    return run


@contextlib.asynccontextmanager
async def serving(folder: Path, *appliances: CliAppliance, **how: t.Any) -> AsyncIterator[ApplianceCliServer]:
    """Serve appliances that the key ``appliance.pem`` in the folder opens."""
    options = {"authorized_key": make_key_pair(folder / "appliance.pem"), "host_keys_dir": folder / "host_keys", "source_of": lambda address, _: address}
    server = ApplianceCliServer(appliances, **{**options, **how})
    await server.start()
    (folder / "known_hosts").write_text("".join(f"{line}\n" for line in server.known_hosts_lines()))
    try:
        yield server
    finally:
        await server.stop()


def connect(server: ApplianceCliServer, folder: Path, address: str = "127.10.0.4", **how: t.Any) -> t.Any:
    """An SSH connection to an appliance."""
    options = {"username": "admin", "client_keys": [str(folder / "appliance.pem")], "known_hosts": str(folder / "known_hosts"), "config": None}
    return asyncssh.connect(address, server.port, **{**options, **how})


class Typist:
    """Types into a shell and reads what appears."""

    def __init__(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self.process = process

    def type(self, text: str) -> None:
        self.process.stdin.write(text.encode())

    async def until(self, end: str) -> str:
        """All that appears up to and with ``end``."""
        return (await asyncio.wait_for(self.process.stdout.readuntil(end.encode()), SECONDS)).decode()

    async def rest(self) -> str:
        """All that appears until the session ends."""
        return (await asyncio.wait_for(self.process.stdout.read(), SECONDS)).decode(errors="replace")

    async def silent(self, seconds: float = 0.2) -> bool:
        """Whether nothing appears for some time."""
        try:
            await asyncio.wait_for(self.process.stdout.readexactly(1), seconds)
        except TimeoutError:
            return True
        return False

    async def ask(self, line: str, prompt: str = "nsva-1{}") -> str:
        """Type a line and return its answer, without echo and prompt."""
        self.type(line + "\r")
        assert await self.until(f"{line}\r\n") == f"{line}\r\n"
        return (await self.until(prompt)).removesuffix(prompt)


@contextlib.asynccontextmanager
async def session(server: ApplianceCliServer, folder: Path, address: str = "127.10.0.4", **how: t.Any) -> AsyncIterator[Typist]:
    """An open shell with a terminal."""
    async with connect(server, folder, address, **how) as connection:
        yield Typist(await connection.create_process(term_type="vt100", term_size=(80, 24), encoding=None))
