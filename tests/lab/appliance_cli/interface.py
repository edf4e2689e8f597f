# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the appliances' command line asks of the world behind it.

The server calls every backend method in a worker thread, so a method may wait for a lock; it must be thread-safe.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field

FaultKind = t.Literal["drop", "hang", "garbage", "no_prompt", "refuse", "changed_host_key"]

# (peer address, peer port) of an accepted connection -> the address that the appliance's security groups see.
# Called in a worker thread.
SourceOf = Callable[[str, int], str]


@dataclass(frozen=True)
class Registration:
    """An accepted ``cloudone register``.

    :ivar seconds: how long the registration takes.
    :ivar blocks: whether the command returns only after that time; otherwise it returns at once.
    """

    seconds: float = 0.0
    blocks: bool = False


class RegistrationRefused(Exception):
    """``cloudone register`` fails; ``str()`` is what the appliance prints after ``Error: ``."""


class NotRegistered(Exception):
    """``cloudone unregister`` on an appliance that holds no registration."""


@dataclass(frozen=True)
class CliFault:
    """Something that goes wrong at one moment.

    =================  ==============================  ===================================  ==========================================
    kind               moment ``connect``              moment ``login``                     moments ``command:…`` and ``answer:…``
    =================  ==============================  ===================================  ==========================================
    drop               closed before the SSH banner    connection cut before the first      connection cut
                                                       prompt
    hang               silent before the SSH banner    silent before the first prompt       silent
    garbage            bytes that are no SSH, closed   bytes before the first prompt        bytes before the command's own output
    no_prompt          (as hang)                       banner, but never a prompt           output, but never again a prompt
    refuse             connection reset                a message, session closed            an error message instead of the command
    changed_host_key   another host key is shown       (ignored)                            (ignored)
    =================  ==============================  ===================================  ==========================================

    :ivar seconds: ``drop``: how long to wait first. ``hang``: how long to be silent before going on; 0 means for good.
    """

    kind: FaultKind
    seconds: float = 0.0


class ApplianceBackend(t.Protocol):
    """One appliance as the world knows it."""

    def ssh_allowed(self, source_address: str) -> bool:
        """Whether the security groups on the management interface let ``source_address`` reach tcp/22."""

    def register(self, credential: str) -> Registration:
        """Start a registration with a deployment token or an API key.

        :raises RegistrationRefused: the credential is not accepted, or the appliance is registered already.
        """

    def unregister(self) -> None:
        """Forget the registration.

        :raises NotRegistered: there is none.
        """

    def registered(self) -> bool:
        """Whether the appliance itself believes that it is registered."""

    def system_log(self) -> list[str]:
        """The lines of the system log, oldest first."""

    def fault(self, moment: str) -> CliFault | None:
        """The fault that is due at this moment, counted as fired; each moment is asked for once.

        Moments: ``connect`` (TCP connection let in by the security groups), ``login`` (the shell was opened),
        ``command:<line>`` (before a line is carried out), ``answer:<line>`` (it was carried out, nothing of its answer has been
        printed). Lines are stripped, with single spaces; of ``cloudone register SECRET`` only ``cloudone register`` is passed.
        """

    def record(self, call: str) -> None:
        """Count what reached the appliance: ``login``, ``login refused: <why>``, or a command line (a secret is ``***``)."""


@dataclass
class CliAppliance:
    """How one appliance's command line looks and where it listens.

    :ivar address: loopback address (``127.x.y.z``) on which its SSH listens.
    :ivar host_name: what stands before the braces of the prompt.
    :ivar banner: text printed before the first prompt, lines separated by LF; may be empty.
    :ivar pager: lines after which output stops and waits for a key; 0 switches it off.
    :ivar confirmations: whether ``cloudone register`` and ``unregister`` ask ``(y/n)`` first.
    :ivar colours: whether prompt, errors and search hits carry ANSI sequences.
    :ivar versions: what ``show version`` prints, label to value.
    :ivar wrap_echo: whether the echo of a long line is broken at the terminal's width, as line editors do (``SPACE CR``).
    """

    instance_id: str
    address: str
    host_name: str
    backend: ApplianceBackend
    banner: str = ""
    pager: int = 0
    confirmations: bool = False
    colours: bool = False
    versions: dict[str, str] = field(default_factory=dict)
    wrap_echo: bool = False
