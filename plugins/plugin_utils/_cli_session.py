# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One interactive session on an appliance's command line: one line in, its output out."""

from __future__ import annotations

import codecs
import time
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.masking import mask
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.text import (
    CONFIRMATIONS,
    PAGERS,
    Transcript,
    answer_to,
    compile_patterns,
    prompt_host,
    without_echo,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError


class Channel(t.Protocol):
    """What a session needs of a :class:`paramiko.Channel`."""

    def settimeout(self, timeout: float | None) -> None:
        """How long to wait for the appliance."""

    def recv(self, nbytes: int) -> bytes:
        """What has arrived; nothing if the session has ended."""

    def sendall(self, s: bytes) -> None:
        """Send all of it."""

    def close(self) -> None:
        """End the session."""


class SessionLost(CloudOneError):
    """The session ended or cannot be understood any more; it is closed.

    :ivar sent: whether the command line had been sent, so that the appliance may have carried it out.
    :ivar output: what the appliance had written by then, without the secret.
    """

    def __init__(self, message: str, *, sent: bool, output: str = "") -> None:
        super().__init__(message)
        self.sent = sent
        self.output = output


class SessionTimeout(SessionLost):
    """The prompt did not come (again) in time."""


class OutputTooLong(SessionLost):
    """The appliance wrote more than was allowed."""


@dataclass(frozen=True)
class Dialogue:
    """How to deal with what the appliance writes.

    :ivar pagers: pattern of a pager's prompt -> key to press.
    :ivar confirmations: pattern of a question -> line to answer with.
    :ivar max_output: characters that one command may write.
    :ivar settle: seconds without output after which a line that looks like a prompt or a question may be one.
    :ivar patience: seconds after which a prompt is believed although the appliance does not answer an empty line.
    """

    pagers: Mapping[str, str] = field(default_factory=lambda: PAGERS)
    confirmations: Mapping[str, str] = field(default_factory=lambda: CONFIRMATIONS)
    max_output: int = 32 * 1024 * 1024
    settle: float = 0.05
    patience: float = 2.0


class CliSession:
    """A session on ``channel``, an interactive shell; call :meth:`login` first.

    Text alone cannot tell a prompt from output that looks like one, of which the rest is still on its way. So what looks like a prompt
    is put to the test with an empty line: only a prompt is answered by the same prompt on a line of its own, and by nothing else.
    """

    def __init__(self, channel: Channel, dialogue: Dialogue | None = None) -> None:
        self._channel = channel
        self._dialogue = dialogue or Dialogue()
        self._pagers = compile_patterns(self._dialogue.pagers, "ansible_nsva_pagers")
        self._confirmations = compile_patterns(self._dialogue.confirmations, "ansible_nsva_confirmations")
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._transcript = Transcript()
        self.host_name = ""

    def login(self, timeout: float) -> None:
        """Wait for the first prompt and learn the appliance's ``host_name`` from it.

        :raises SessionLost: no prompt within ``timeout`` seconds.
        """
        try:
            self._await_prompt(time.monotonic() + timeout)
        except SessionLost as lost:
            self.close()
            seen = f" The appliance wrote: {lost.output[-400:]!r}" if lost.output else " The appliance wrote nothing."
            raise type(lost)(f"No prompt such as HOST{{}}: {lost}.{seen}", sent=False, output=lost.output) from lost
        self.host_name = prompt_host(self._transcript.current()) or ""

    def run(self, line: str, *, timeout: float, secret: str | None = None) -> str:
        """Run one command line.

        :param timeout: seconds until the prompt has to be back.
        :param secret: part of ``line`` that must not appear anywhere: not in the output, and not in an exception.
        :returns: the output without echo, control sequences and pager prompts; lines end in ``\\n``, the last one has no end.
        :raises InputError: ``line`` is more than one line.
        :raises SessionLost: see there; the session is closed.
        """
        secrets = [secret] if secret else []
        if not line.isprintable():
            raise InputError(f"A command has to be one line of printable characters: {mask(line, secrets)!r}.")
        sent = False
        try:
            self._transcript = Transcript()
            self._drain()
            self._transcript = Transcript()
            self._send(line + "\n")
            sent = True
            prompts = self._await_prompt(time.monotonic() + timeout)
        except SessionLost as lost:
            self.close()
            output = mask("\n".join(without_echo(lost.output.split("\n"), line)).strip(), secrets)
            when = f"after {mask(line, secrets)!r} was sent" if sent else f"before {mask(line, secrets)!r} was sent"
            seen = f" The last output was: {output[-400:]!r}" if output else ""
            raise type(lost)(f"{lost} {when}.{seen}", sent=sent, output=output) from None
        lines = without_echo(self._transcript.lines(leave_out=prompts), line)
        return mask("\n".join(lines).strip("\n"), secrets)

    def close(self) -> None:
        """End the session."""
        self._channel.close()

    def _await_prompt(self, deadline: float) -> int:
        """Read until the appliance waits for a command.

        :returns: how many prompts, the one and those that answer empty lines, stand at the end of the transcript.
        """
        tests = 0
        tested_at = asked_at = -1
        transcript = self._transcript
        while True:
            line = transcript.current()
            if self._is_prompt(line):
                if transcript.size > tested_at >= 0 and transcript.repeated(2) > 1:
                    if not self._receive(deadline, self._dialogue.settle):
                        return transcript.repeated(tests + 1)
                elif transcript.size == tested_at:
                    if not self._receive(deadline, self._dialogue.patience):
                        return 1
                elif not self._receive(deadline, self._dialogue.settle):
                    self._send("\n")
                    tests += 1
                    tested_at = transcript.size
            elif (key := answer_to(line, self._pagers)) is not None:
                transcript.drop_current()
                self._send(key)
            elif transcript.size != asked_at and (answer := answer_to(line, self._confirmations)) is not None:
                if not self._receive(deadline, self._dialogue.settle):
                    asked_at = transcript.size
                    self._send(answer + "\n")
            elif not self._receive(deadline):
                raise SessionTimeout("The time limit was reached", sent=False, output=self._written())

    def _is_prompt(self, line: str) -> bool:
        host = prompt_host(line)
        return host is not None and self.host_name in ("", host)

    def _receive(self, deadline: float, wait: float | None = None) -> bool:
        """Take what comes within ``wait`` seconds; false if nothing does.

        :raises SessionTimeout: ``deadline`` is over.
        """
        left = deadline - time.monotonic()
        if left <= 0:
            raise SessionTimeout("The time limit was reached", sent=False, output=self._written())
        self._channel.settimeout(left if wait is None else min(wait, left))
        try:
            data = self._channel.recv(65536)
        except TimeoutError:
            return False
        if not data:
            raise SessionLost("The session was ended by the other side", sent=False, output=self._written())
        self._transcript.feed(self._decoder.decode(data))
        if self._transcript.size > self._dialogue.max_output:
            raise OutputTooLong(f"The output is longer than {self._dialogue.max_output} characters (ansible_nsva_max_output)", sent=False)
        return True

    def _drain(self) -> None:
        """Take what has come since the last prompt; notice here that the session has ended, before the next line is sent."""
        deadline = time.monotonic() + self._dialogue.patience
        while self._receive(deadline, 0.0):
            pass

    def _send(self, text: str) -> None:
        self._channel.settimeout(self._dialogue.patience)
        try:
            self._channel.sendall(text.encode())
        except OSError as error:
            raise SessionLost(f"The session was ended by the other side ({error})", sent=False, output=self._written()) from error

    def _written(self) -> str:
        return "\n".join(self._transcript.lines()).strip()
