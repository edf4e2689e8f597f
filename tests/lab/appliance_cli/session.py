# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One interactive session: joins a terminal with the commands, and lets things go wrong where told."""

from __future__ import annotations

import asyncio
import random
import typing as t
from collections.abc import Awaitable, Callable

import asyncssh

from lab.appliance_cli.interface import CliAppliance, CliFault
from lab.appliance_cli.shell import Answer, Shell, masked, without_secret
from lab.appliance_cli.terminal import HungUp, Terminal

# Calls a backend's method without holding up the event loop.
InWorker = Callable[..., Awaitable[t.Any]]
Spawn = Callable[[t.Coroutine[t.Any, t.Any, None]], "asyncio.Task[None]"]

# The same bytes every time: not valid UTF-8, with escape sequences begun and never ended, and with braces.
GARBAGE = random.Random(7).randbytes(600) + b"\x1b[ \x1b]0;{}\xff\xfe{running}\r\n"


class Session(asyncssh.SSHServerSession[bytes]):
    """A shell channel; commands given to the exec channel and subsystems are refused.

    :param sessions: the appliance's sessions by instance id, shared by all connections: an appliance takes one at a time.
    :param in_worker: runs a blocking function elsewhere.
    :param spawn: starts a task that the server looks after.
    """

    def __init__(self, appliance: CliAppliance, sessions: dict[str, Session], in_worker: InWorker, spawn: Spawn) -> None:
        self._appliance = appliance
        self._backend = appliance.backend
        self._sessions = sessions
        self._in_worker = in_worker
        self._spawn = spawn
        self._shell = Shell(appliance)
        self._prompts = True
        self._task: asyncio.Task[None] | None = None

    # What asyncssh calls, in this order.

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan
        self._terminal = Terminal(chan.write, wrap_echo=self._appliance.wrap_echo, colours=self._appliance.colours)

    def pty_requested(self, term_type: str, term_size: tuple[int, int, int, int], term_modes: t.Mapping[int, int]) -> bool:
        self._terminal.echo = True
        self._terminal.width = term_size[0]
        return True

    def shell_requested(self) -> bool:
        return True

    def session_started(self) -> None:
        self._task = self._spawn(self._run())

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        self._terminal.feed(data)

    def eof_received(self) -> bool:
        self._terminal.hang_up()
        return True  # the output side stays open until the commands already sent are done

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave()
        if self._task:
            self._task.cancel()

    # The session itself.

    async def _run(self) -> None:
        status = 1
        try:
            if self._sessions.setdefault(self._appliance.instance_id, self) is not self:
                self._terminal.write_lines(self._shell.error("another session is open on this appliance; only one is allowed at a time."))
            elif await self._login():
                while await self._carry_out(await self._read_line()):
                    pass
                status = 0
        except HungUp:
            status = 0
        finally:
            self._leave()
            self._channel.exit(status)

    def _leave(self) -> None:
        """Make room for the next session, if this one has the room."""
        if self._sessions.get(self._appliance.instance_id) is self:
            del self._sessions[self._appliance.instance_id]

    async def _login(self) -> bool:
        """Whether the user gets in."""
        await self._in_worker(self._backend.record, "login")
        fault = await self._trouble("login")
        if fault and fault.kind == "refuse":
            self._terminal.write_lines(self._shell.error("the system is not ready, try again later."))
            return False
        self._terminal.write_lines(self._appliance.banner.splitlines())
        return True

    async def _read_line(self) -> str:
        return await self._terminal.read_line(self._shell.prompt if self._prompts else "")

    async def _carry_out(self, line: str) -> bool:
        """Answer one line; false when the session is to end."""
        if not line.split():
            return True
        await self._in_worker(self._backend.record, masked(line))
        question = self._shell.question(line)
        if question and not await self._terminal.confirm(question):
            return True
        if await self._refused(f"command:{without_secret(line)}"):
            return True
        answer: Answer = await self._in_worker(self._shell.execute, line)
        if await self._refused(f"answer:{without_secret(line)}"):
            return True
        self._terminal.write_lines(answer.started)
        await asyncio.sleep(answer.seconds)
        await self._terminal.page(answer.lines, self._appliance.pager)
        return not answer.closes

    async def _refused(self, moment: str) -> bool:
        """Whether the command ends here with an error."""
        fault = await self._trouble(moment)
        if fault and fault.kind == "refuse":
            self._terminal.write_lines(self._shell.error("the command failed, try again later."))
            return True
        return False

    async def _trouble(self, moment: str) -> CliFault | None:
        """Let happen what is to go wrong at this moment."""
        fault: CliFault | None = await self._in_worker(self._backend.fault, moment)
        if fault is None:
            return None
        if fault.kind == "drop":
            await asyncio.sleep(fault.seconds)
            self._channel.get_connection().abort()
            raise HungUp
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds or float("inf"))
        elif fault.kind == "garbage":
            self._terminal.write(GARBAGE)
        elif fault.kind == "no_prompt":
            self._prompts = False
        return fault
