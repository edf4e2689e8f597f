# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSH servers of all appliances in one event loop: one address each, one port for all, a security group before each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
import typing as t
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncssh

from lab.appliance_cli.interface import CliAppliance, CliFault, SourceOf
from lab.appliance_cli.session import GARBAGE, Session
from lab.keys import known_hosts_line, make_key_pair, public_line

logger = logging.getLogger(__name__)

USER = "admin"

# When TCP sends a SYN again that nobody answered: a connection begun before a security group opened comes through after it did.
SYN_RETRIES = (1, 2, 4, 8, 16, 32)

# Backend calls wait for locks and never compute: more of them than cores are useful.
WORKERS = 32


class ApplianceCliServer:
    """Serves the command line of many appliances.

    :param appliances: the addresses must differ, and be usable on this machine.
    :param authorized_key: public key line that may log in as ``admin``, on all appliances.
    :param host_keys_dir: folder for the host keys (``<instance id>_host_key``); made if missing, keys in it are kept.
    :param port: TCP port on every appliance's address; 0 chooses one that is free on all.
    :param source_of: tells the address that an appliance's security groups see.
    :ivar port: the port, once started.
    """

    def __init__(self, appliances: Iterable[CliAppliance], *, authorized_key: str, host_keys_dir: Path, port: int = 0, source_of: SourceOf) -> None:
        self._appliances = list(appliances)
        self._authorized_key = asyncssh.import_public_key(authorized_key)
        self._host_keys_dir = host_keys_dir
        self._source_of = source_of
        self.port = port
        self._host_keys: dict[str, asyncssh.SSHKey] = {}
        self._other_host_key = asyncssh.generate_private_key("ssh-ed25519")
        self._listeners: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._sessions: dict[str, Session] = {}
        self._workers: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        """Listen on every address.

        :raises OSError: an address or the given port cannot be used.
        """
        self._host_keys_dir.mkdir(parents=True, exist_ok=True)
        for appliance in self._appliances:
            path = self._host_keys_dir / f"{appliance.instance_id}_host_key"
            make_key_pair(path)
            self._host_keys[appliance.instance_id] = asyncssh.read_private_key(path)
        self._listeners = _listen_on([appliance.address for appliance in self._appliances], self.port)
        if self._listeners:
            self.port = self._listeners[0].getsockname()[1]
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="appliance-cli")
        for appliance, listener in zip(self._appliances, self._listeners, strict=True):
            self._spawn(self._accept(appliance, listener))

    async def stop(self) -> None:
        """End all sessions and stop listening."""
        while self._tasks:  # ending a connection's task can start another's last words
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for listener in self._listeners:
            listener.close()
        self._listeners = []
        if self._workers:
            self._workers.shutdown(wait=False, cancel_futures=True)

    def known_hosts_lines(self) -> list[str]:
        """One line per appliance for a ``known_hosts`` file; the server must have been started."""
        return [known_hosts_line(appliance.address, self.port, public_line(self._host_keys[appliance.instance_id])) for appliance in self._appliances]

    def _spawn(self, work: t.Coroutine[t.Any, t.Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A connection ended by an error of the lab itself", exc_info=error)

    async def _in_worker(self, function: t.Callable[..., t.Any], *arguments: t.Any) -> t.Any:
        return await asyncio.get_running_loop().run_in_executor(self._workers, function, *arguments)

    async def _accept(self, appliance: CliAppliance, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, peer = await loop.sock_accept(listener)
            self._spawn(self._serve(appliance, connection, peer))

    async def _serve(self, appliance: CliAppliance, connection: socket.socket, peer: tuple[str, int]) -> None:
        """Serve one TCP connection to its end."""
        with contextlib.closing(connection):
            if not await self._let_in(appliance, peer):
                return
            fault: CliFault | None = await self._in_worker(appliance.backend.fault, "connect")
            if await _fails_to_connect(connection, fault):
                return
            changed = fault is not None and fault.kind == "changed_host_key"
            # A failed login is the client's business, not the server's.
            with contextlib.suppress(asyncssh.Error, OSError):
                server = await asyncssh.run_server(
                    connection,
                    server_factory=lambda: _Server(self._new_session(appliance), self._refuses(appliance)),
                    server_host_keys=[self._other_host_key if changed else self._host_keys[appliance.instance_id]],
                    server_version="NSVA",
                    encoding=None,
                    line_editor=False,
                    agent_forwarding=False,
                    compression_algs=None,
                )
                try:
                    await server.wait_closed()
                finally:
                    server.abort()
                    await server.wait_closed()

    async def _let_in(self, appliance: CliAppliance, peer: tuple[str, int]) -> bool:
        """Ask the security groups, and again whenever TCP would try again."""
        source = await self._in_worker(self._source_of, *peer)
        for seconds in SYN_RETRIES:
            if await self._in_worker(appliance.backend.ssh_allowed, source):
                return True
            await asyncio.sleep(seconds)
        return False

    def _new_session(self, appliance: CliAppliance) -> t.Callable[[], Session]:
        return lambda: Session(appliance, self._sessions, self._in_worker, self._spawn)

    def _refuses(self, appliance: CliAppliance) -> t.Callable[[str, asyncssh.SSHKey], str]:
        """A function that says why a login is refused, or nothing."""

        def why(user: str, key: asyncssh.SSHKey) -> str:
            reason = "unknown user" if user != USER else "unknown key" if key != self._authorized_key else ""
            if reason:
                self._spawn(self._in_worker(appliance.backend.record, f"login refused: {reason}"))
            return reason

        return why


class _Server(asyncssh.SSHServer):
    """Logs in with a key only."""

    def __init__(self, new_session: t.Callable[[], Session], refuses: t.Callable[[str, asyncssh.SSHKey], str]) -> None:
        self._new_session = new_session
        self._refuses = refuses

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return not self._refuses(username, key)

    def session_requested(self) -> Session:
        return self._new_session()


async def _fails_to_connect(connection: socket.socket, fault: CliFault | None) -> bool:
    """Let happen what is to go wrong before the SSH banner; true when the connection is over."""
    if fault is None or fault.kind == "changed_host_key":
        return False
    if fault.kind in ("hang", "no_prompt"):
        await asyncio.sleep(fault.seconds or float("inf"))
        return False
    if fault.kind == "drop":
        await asyncio.sleep(fault.seconds)
    elif fault.kind == "garbage":
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_sendall(connection, GARBAGE)
    elif fault.kind == "refuse":
        # No lingering: the client gets a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return True


def _listen_on(addresses: list[str], port: int) -> list[socket.socket]:
    """Listen on the same port of every address.

    :param port: 0 chooses one that is free on all of them.
    :raises OSError: an address is not usable, or the port is taken.
    """
    attempts = 1 if port else 20
    while True:
        attempts -= 1
        with contextlib.ExitStack() as opened:
            try:
                listeners: list[socket.socket] = []
                for address in addresses:
                    chosen = listeners[0].getsockname()[1] if listeners else port
                    listeners.append(opened.enter_context(_listen(address, chosen)))
            except OSError:
                if not attempts:
                    raise
            else:
                opened.pop_all()
                return listeners


def _listen(address: str, port: int) -> socket.socket:
    listener = socket.create_server((address, port), backlog=128)
    listener.setblocking(False)
    return listener
