# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of the matrix hand to each other."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

Json = dict[str, t.Any]
Target = t.Literal["api", "conformity", "aws", "cli"]

# What a fault hits: one appliance, one region of an account, one account, or everything that the run does.
Scope = t.Literal["appliance", "region", "account", "run"]


@dataclass(frozen=True)
class Step:
    """An outside call of a clean run.

    :ivar call: what is asked: ``DELETE /appliances/*``, ``ec2:CreateTags``, ``command:show version``.
    :ivar subject: who or what the call is about; empty for the whole run.
    :ivar ordinal: how many equal calls about this subject came before.
    :ivar match: facts by which the lab tells such a call.
    :ivar write: whether it changes something.
    :ivar connections: how many connections the subject's SSH had taken by then.
    """

    target: Target
    call: str
    scope: Scope
    subject: str
    ordinal: int
    match: tuple[tuple[str, str], ...]
    write: bool = False
    connections: int = 0

    @property
    def name(self) -> str:
        """The step whatever the subject."""
        return f"{self.target} {self.call} #{self.ordinal + 1}"


@dataclass(frozen=True)
class Kind:
    """One way in which a call fails.

    :ivar name: as the report counts it.
    :ivar effect: what the lab does, see ``docs/lab.md``.
    :ivar times: how many such calls are hit from the step on; ``None`` for all that follow in the run.
    :ivar calls: patterns of the calls for which this can happen; empty for all.
    :ivar down_for: so many connections of an appliance's SSH fail afterwards: it reboots.
    """

    name: str
    target: Target
    effect: t.Mapping[str, t.Any] = field(hash=False)
    times: int | None = None
    calls: tuple[str, ...] = ()
    down_for: int = 0


@dataclass(frozen=True)
class Fault:
    """One fault of one run: a kind at a step.

    :ivar orders: what to order from the lab; it fired if the first one did.
    :ivar act: what else is done while the lab holds the call: a process killed, a disk full.
    """

    kind: str
    step: str
    subject: str
    orders: tuple[Json, ...] = field(hash=False)
    act: str = ""


@dataclass(frozen=True)
class Round:
    """One run of a playbook with its faults, each on a subject of its own, then a plain run, and one that must change nothing.

    :ivar fleet: which of the scenario's fleets.
    :ivar check: whether the faulted run is in check mode.
    :ivar special: a way of running that is no single fault at a call: two runs at once, a full disk.
    """

    playbook: str
    fleet: str
    faults: tuple[Fault, ...]
    check: bool = False
    special: str = ""

    @property
    def title(self) -> str:
        what = ", ".join(sorted({f"{fault.kind} at {fault.step}" for fault in self.faults})[:2]) or self.special
        return f"{self.playbook} [{self.fleet}{', check' if self.check else ''}] {what}{' …' if len(self.faults) > 2 else ''}"


@dataclass(frozen=True)
class Run:
    """What one run of a playbook came to.

    :ivar failed: hosts that the recap counts as failed or unreachable.
    :ivar killed: whether the matrix itself ended it.
    """

    returncode: int
    output: str
    changed: int
    failed: frozenset[str]
    killed: bool = False


@dataclass
class Result:
    """What became of a round.

    :ivar fired: for each fault, how often the lab's fault hit a call.
    :ivar broken: the invariants that did not hold, in words.
    :ivar secrets: where a secret was found.
    """

    round: Round
    fired: list[int] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    seconds: float = 0.0
    log: str = ""
