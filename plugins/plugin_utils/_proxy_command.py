# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program whose standard input and output are a connection. paramiko has one, too, which does not notice when the program ends."""

from __future__ import annotations

import socket
import subprocess
import tempfile


class ProxyCommand:
    """Starts a shell command; close it after use.

    :ivar socket: the connection; reads nothing more once the program has ended.
    """

    def __init__(self, command: str) -> None:
        self._command = command
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        self.socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(f"exec {command}", shell=True, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=self._stderr)

    def complaint(self) -> str:
        """The command with what it wrote to standard error, for an error message."""
        self._stderr.seek(0)
        text = self._stderr.read(2000).decode(errors="replace").strip()
        return f"ProxyCommand {self._command!r} wrote: {text or 'nothing'}"

    def close(self) -> None:
        """End the connection and the program."""
        self.socket.close()
        self._process.terminate()
        self._process.wait()
        self._stderr.close()
