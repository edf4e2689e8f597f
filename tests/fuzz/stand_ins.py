# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever answers the collection, and answers what it is told to: an API, an appliance's terminal, an SSH server."""

from __future__ import annotations

import socket
import threading
import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._json import read_json
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_route import Hop, Route
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_transport import SshConnection


class Answers:
    """An HTTP client: every request gets the same document."""

    def __init__(self, document: bytes) -> None:
        self._text = document.decode("utf-8", errors="replace")

    def request_json(self, *_arguments: t.Any, **_options: t.Any) -> t.Any:
        return read_json(self._text)


class Body:
    """What urllib3 reads a body from, in pieces; endless where ``piece`` is repeated."""

    def __init__(self, content: bytes, *, endless: bool = False) -> None:
        self._content = content
        self._endless = endless
        self._at = 0
        self.given = 0

    def read1(self, amount: int, decode_content: bool) -> bytes:
        assert not decode_content
        piece = self._content[:amount] if self._endless else self._content[self._at : self._at + amount]
        self._at += len(piece)
        self.given += len(piece)
        return piece

    read = read1


class Terminal:
    """A channel that gives what is in a script, then nothing more.

    :param pieces: ``None`` for a pause.

    :ivar given: how much it has given.
    :ivar typed: what was sent to it.
    """

    def __init__(self, pieces: t.Iterable[bytes | None]) -> None:
        self._pieces = iter(pieces)
        self.given = 0
        self.typed = b""

    def settimeout(self, timeout: float | None) -> None:
        pass

    def recv(self, nbytes: int) -> bytes:
        piece = next(self._pieces, None)
        if piece is None:
            raise TimeoutError
        self.given += len(piece)
        return piece

    def sendall(self, s: bytes) -> None:
        self.typed += s

    def close(self) -> None:
        pass


class Greeted(SshConnection):
    """A connection to a server that sends something and hangs up.

    :param data: what it sends.
    """

    def __init__(self, data: bytes, *, timeout: float) -> None:
        self._data = data
        super().__init__(Route((Hop("192.0.2.1", 22, "admin", "192.0.2.1", ("/dev/null",)),)), timeout=timeout)

    def _first_stream(self, hop: Hop) -> t.Any:
        ours, theirs = socket.socketpair()

        def serve() -> None:
            with theirs:
                try:
                    theirs.sendall(self._data)
                    theirs.shutdown(socket.SHUT_WR)
                    while theirs.recv(4096):
                        pass
                except OSError:
                    pass

        threading.Thread(target=serve, daemon=True).start()
        return ours
