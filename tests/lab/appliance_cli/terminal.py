# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal side of a session: keys, echo, line editing, pager. It knows neither SSH nor commands."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence

MORE = b"\x1b[7m--More--\x1b[0m"
MORE_PLAIN = b"--More--"

CTRL_C, CTRL_D, BACKSPACE, LF, CR, CTRL_U, DELETE, SPACE = 0x03, 0x04, 0x08, 0x0A, 0x0D, 0x15, 0x7F, 0x20


class HungUp(Exception):
    """No more keys will come."""


class Terminal:
    """Reads keys and lines from, and writes output to, the other end.

    :param write: takes output bytes.
    :param wrap_echo: whether an echo that reaches the terminal's last column is broken there.
    :param colours: whether the pager's prompt is shown in reverse video.
    :ivar echo: whether typed characters are written back.
    :ivar width: columns of the client's terminal; 0 when unknown.
    """

    def __init__(self, write: Callable[[bytes], None], *, wrap_echo: bool = False, colours: bool = False) -> None:
        self.echo = False
        self.width = 0
        self._write = write
        self._wrap_echo = wrap_echo
        self._more = MORE if colours else MORE_PLAIN
        self._keys: asyncio.Queue[int | None] = asyncio.Queue()
        self._after_cr = False

    def feed(self, data: bytes) -> None:
        """Take bytes that the client sent."""
        for key in data:
            self._keys.put_nowait(key)

    def hang_up(self) -> None:
        """Note that the client will send nothing more."""
        self._keys.put_nowait(None)

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        self._write(data)

    def write_lines(self, lines: Sequence[str]) -> None:
        """Write lines, each ended by CR LF."""
        if lines:
            self._write("".join(f"{line}\r\n" for line in lines).encode())

    async def read_key(self) -> int:
        """The next byte the client sends; the LF of a CR LF is passed over.

        :raises HungUp: there is none.
        """
        while True:
            key = await self._keys.get()
            if key is None:
                self.hang_up()  # for whoever asks next
                raise HungUp
            if not (key == LF and self._after_cr):
                self._after_cr = key == CR
                return key
            self._after_cr = False

    async def read_line(self, prompt: str) -> str:
        """Ask for a line, with backspace, Ctrl-U and Ctrl-C.

        :raises HungUp: the client ended its input or typed Ctrl-D at the start of the line.
        """
        self._write(prompt.encode())
        column = _visible_length(prompt)
        typed = bytearray()
        while True:
            key = await self.read_key()
            if key in (CR, LF):
                self._write(b"\r\n" if self.echo else b"")
                return typed.decode(errors="replace")
            if key == CTRL_D and not typed:
                self._write(b"\r\n")
                raise HungUp
            if key == CTRL_C:
                self._write(b"^C\r\n")
                return ""
            if key in (BACKSPACE, DELETE):
                self._erase(typed, 1)
            elif key == CTRL_U:
                self._erase(typed, len(typed))
            elif key >= SPACE:
                typed.append(key)
                if self.echo:
                    at_edge = self._wrap_echo and self.width and (column + len(typed)) % self.width == 0
                    self._write(bytes([key]) + (b" \r" if at_edge else b""))

    async def confirm(self, question: str) -> bool:
        """Ask until the answer is ``y`` or ``n``, ended by Enter."""
        while True:
            answer = (await self.read_line(question)).strip().lower()
            if answer in ("y", "yes", "n", "no"):
                return answer.startswith("y")

    async def page(self, lines: Sequence[str], page_length: int) -> None:
        """Write lines, stopping after each ``page_length`` of them (0: never) for Space (page), Enter (line) or q (end)."""
        shown = 0
        step = page_length or len(lines)
        while shown < len(lines):
            self.write_lines(lines[shown : shown + step])
            shown += step
            if shown < len(lines):
                self._write(self._more)
                step = await self._more_key(page_length)
                # Erased by overwriting, as terminals without "clear to end of line" need it.
                self._write(b"\r" + b" " * len(MORE_PLAIN) + b"\r")
                if not step:
                    return

    async def _more_key(self, page_length: int) -> int:
        """How many lines to show next."""
        steps = {SPACE: page_length, CR: 1, LF: 1, ord("q"): 0, ord("Q"): 0, CTRL_C: 0}
        while True:
            key = await self.read_key()
            if key in steps:
                return steps[key]

    def _erase(self, typed: bytearray, count: int) -> None:
        count = min(count, len(typed))
        del typed[len(typed) - count :]
        if self.echo:
            self._write(b"\b \b" * count)


def _visible_length(prompt: str) -> int:
    """Columns that a prompt takes: colour sequences take none."""
    return len(re.sub(r"\x1b\[[0-9;]*m", "", prompt))
