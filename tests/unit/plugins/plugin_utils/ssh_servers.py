# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH servers for tests, on loopback, in a thread of this process: an appliance that follows a script, and a jump host."""

from __future__ import annotations

import asyncio
import threading
import typing as t
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh

# What an appliance does next: write bytes, wait so many seconds, or one of KEY, LINE, DROP, END and NO_PROMPT.
Step = bytes | float | str
KEY = "wait for a key"
LINE = "wait for a line"
DROP = "cut the connection"
END = "end the session"
NO_PROMPT = "show no prompt"


@dataclass
class Appliance:
    """A command line that does what its script says.

    :ivar login: steps before the first prompt.
    :ivar replies: line -> steps; lines that are not in it write nothing.
    :ivar typed: lines, keys and answers received.
    """

    prompt: bytes = b"nsva-1{}"
    login: Sequence[Step] = ()
    replies: Mapping[str, Sequence[Step]] = field(default_factory=dict)
    echo: bool = True
    answers_empty_lines: bool = True
    typed: list[str] = field(default_factory=list)
    sessions: int = 0
    terminal_width: int = 0

    async def serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """Run one session."""
        self.sessions += 1
        self.terminal_width = process.term_size[0]
        try:
            prompts = await self._act(process, self.login)
            while True:
                if prompts:
                    process.stdout.write(self.prompt)
                line = await self._line(process)
                while not line and not self.answers_empty_lines:
                    line = await self._line(process)
                if line:
                    self.typed.append(line)
                prompts = await self._act(process, self.replies.get(line, ())) and prompts
        except (EOFError, asyncssh.Error, ConnectionError):
            process.exit(0)

    async def _act(self, process: asyncssh.SSHServerProcess[bytes], steps: Sequence[Step]) -> bool:
        for step in steps:
            if isinstance(step, bytes):
                process.stdout.write(step)
                await process.stdout.drain()
            elif isinstance(step, float):
                await asyncio.sleep(step)
            elif step == KEY:
                self.typed.append(repr((await self._read(process)).decode()))
            elif step == LINE:
                self.typed.append(await self._line(process))
            elif step == NO_PROMPT:
                return False
            elif step == DROP:
                process.channel.get_connection().abort()
                raise EOFError
            elif step == END:
                raise EOFError
        return True

    async def _line(self, process: asyncssh.SSHServerProcess[bytes]) -> str:
        line = b""
        while (key := await self._read(process)) != b"\n":
            line += key
            if self.echo:
                process.stdout.write(key)
        if self.echo:
            process.stdout.write(b"\r\n")
        return line.decode()

    @staticmethod
    async def _read(process: asyncssh.SSHServerProcess[bytes]) -> bytes:
        key = await process.stdin.read(1)
        if not key:
            raise EOFError
        return key


class JumpHost(asyncssh.SSHServer):
    """Forwards where it is asked to, and counts.

    :ivar logins: users that logged in.
    :ivar forwards: (host, port) that connections were forwarded to.
    """

    def __init__(self, *, forwarding: bool = True) -> None:
        self.forwarding = forwarding
        self.logins: list[str] = []
        self.forwards: list[tuple[str, int]] = []

    def begin_auth(self, username: str) -> bool:
        self._user = username
        return True

    def auth_completed(self) -> None:
        self.logins.append(self._user)

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        if not self.forwarding:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED, "forwarding is off")
        self.forwards.append((dest_host, dest_port))
        return True


class Servers:
    """An event loop in a thread, and the servers that run in it. All of them have ports on 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.client_key = self.make_key("client")

    def make_key(self, name: str, algorithm: str = "ssh-ed25519", **options: t.Any) -> asyncssh.SSHKey:
        """A new key pair in the files ``name`` and ``name.pub``."""
        key = asyncssh.generate_private_key(algorithm, **options)
        key.write_private_key(self.folder / name)
        (self.folder / name).chmod(0o600)
        key.write_public_key(self.folder / f"{name}.pub")
        return key

    def appliance(self, appliance: Appliance, *host_keys: asyncssh.SSHKey, **options: t.Any) -> int:
        """Start an appliance; returns its port."""
        return self.start(*host_keys, process_factory=appliance.serve, encoding=None, line_editor=False, **options)

    def jump_host(self, jump_host: JumpHost, host_key: asyncssh.SSHKey, **options: t.Any) -> int:
        """Start a jump host; returns its port."""
        return self.start(host_key, server_factory=lambda: jump_host, **options)

    def silent(self, *, hang_up: bool = False, greeting: bytes = b"") -> int:
        """A port that accepts connections and says nothing but its greeting, or closes them at once."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(greeting)
            if not hang_up:
                await reader.read()
            writer.close()

        async def start() -> asyncio.Server:
            return await asyncio.start_server(serve, "127.0.0.1", 0)

        return int(self._run(start()).sockets[0].getsockname()[1])

    def stop(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def start(self, *host_keys: asyncssh.SSHKey, **options: t.Any) -> int:
        """Start a server with asyncssh's options; returns its port."""

        async def start() -> asyncssh.SSHAcceptor:
            options.setdefault("authorized_client_keys", asyncssh.import_authorized_keys(self.client_key.export_public_key().decode()))
            return await asyncssh.listen("127.0.0.1", 0, server_host_keys=list(host_keys), **options)

        return self._run(start()).get_port()

    def _run(self, coroutine: Coroutine[t.Any, t.Any, t.Any]) -> t.Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)


def known_hosts_line(port: int, key: asyncssh.SSHKey) -> str:
    """What a ``known_hosts`` file says about a server here."""
    return f"[127.0.0.1]:{port} {key.export_public_key().decode().strip()}\n"
