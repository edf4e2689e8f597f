# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a play is: which hosts are done, failed, running or left, and how that is told.

All times are seconds of a clock that only goes forward. The caller gives them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._estimate import Evidence, batch_sizes, waves

NAME_LENGTH = 100


@dataclass
class Step:
    """The task that runs.

    :ivar number: its number among the play's tasks; None if it is none of them (a handler, or the gathering of facts).
    :ivar hosts: how many hosts it runs on; None if that cannot be counted, or if it is one call for all of them.
    :ivar ended: for how many of them it ended.
    :ivar worked: on how many of these it was not skipped.
    """

    key: str
    name: str
    number: int | None
    hosts: int | None
    began: float
    ended: int = 0
    worked: int = 0


class PlayProgress:
    """One play, from its first batch to its last.

    :param name: the play's name.
    :param hosts: how many hosts it has in all batches.
    :param serial: the wanted sizes of its batches, see :func:`batch_sizes`.
    :param steps: keys of its tasks in their order; None if tasks may be included while it runs, so that nobody knows them yet.
    :param forks: how many hosts are worked on at the same time.
    """

    def __init__(self, name: str, *, hosts: int, serial: Sequence[int], steps: Sequence[str] | None, forks: int, now: float) -> None:
        self.name = one_line(name)
        self.hosts = hosts
        self.done = 0
        self.done_changed = 0
        self.failed: set[str] = set()
        self._sizes = batch_sizes(hosts, serial)
        self._forks = max(forks, 1)
        self._evidence = Evidence()
        self._began = now
        self._numbers = None if steps is None else {key: number for number, key in enumerate(steps, 1)}
        self._last_step = steps[-1] if steps else None
        # Of the batch that runs.
        self.batch = 0
        self.running: set[str] = set()
        self._step: Step | None = None
        self._batch_began = now
        self._batch_seconds = 0.0
        self._batch_waves = 0
        self._later_waves = sum(waves(size, self._forks) for size in self._sizes)
        self._changed: set[str] = set()
        self._seen: dict[str, int] = {}
        self._done_before = 0
        self._broken_off = False

    @property
    def left(self) -> int:
        """How many hosts are neither done nor failed nor running."""
        return self.hosts - self.done - len(self.failed) - len(self.running)

    def begin_batch(self, hosts: Iterable[str], lost: Collection[str], now: float) -> None:
        """A batch begins.

        :param lost: hosts that failed in a play before. Ansible does nothing more with them.
        """
        names = set(hosts)
        self.batch += 1
        self.failed |= {name for name in names if name in lost}
        self.running = names - self.failed
        self._step = None
        self._batch_began = now
        self._batch_waves = waves(len(names), self._forks)
        self._later_waves = max(self._later_waves - self._batch_waves, 0)
        self._changed = set()
        self._seen = {}
        self._done_before = self.done
        self._broken_off = False

    def begin_step(self, key: str, name: str, *, countable: bool, handler: bool, now: float) -> None:
        """A task begins, or (as strategies without lockstep tell it) begins on one more host.

        :param key: what tells the task apart from others.
        :param countable: whether it is at work on each host of the batch at this time, so that it can be told for how many it ended.
        """
        if self._step and self._step.key == key:
            return
        if not handler:
            self._seen.setdefault(key, len(self._seen) + 1)
        numbers = self._seen if self._numbers is None else self._numbers
        self._step = Step(key, one_line(name), numbers.get(key), len(self.running) if countable else None, now)

    def end_step(self, key: str, host: str, *, changed: bool = False, skipped: bool = False) -> None:
        """A task ended on a host, and the host goes on."""
        if self._step and self._step.key == key:
            self._step.ended += 1
            self._step.worked += not skipped
        if changed:
            self._changed.add(host)
        if key == self._last_step and host in self.running:
            self._finish(host)

    def fail(self, host: str) -> None:
        """A host failed, or could not be reached, and leaves the play."""
        if host in self.running:
            self.running.remove(host)
            self.failed.add(host)

    def break_off(self) -> None:
        """The hosts of this batch that are not done yet will not be."""
        self._broken_off = True

    def end_batch(self, now: float) -> None:
        """The batch ended, and with it all hosts that still ran."""
        if not self._broken_off:
            for host in self.running:
                self._finish_one(host)
        self.running = set()
        self._step = None
        self._batch_seconds = now - self._batch_began
        # Of failures alone nobody learns how long the others take.
        if self.done > self._done_before:
            self._evidence.add(self._batch_waves, self._batch_seconds)

    def seconds_left(self, now: float) -> float | None:
        """How long the play still takes.

        :returns: None without evidence, or if the batch that runs already took longer than the evidence has it.
        """
        later = self._evidence.expect(len(self._sizes) - self.batch, self._later_waves)
        this = self._evidence.expect(1, self._batch_waves)
        if later is None or this is None or not self.running:
            return later
        rest = self._batch_began + this - now
        return later + rest if rest > 0 else None

    def tell(self, now: float, wall: datetime) -> str:
        """How far the play is.

        :param wall: the time of day.
        """
        return "; ".join(filter(None, [f"{self._counts()}, {len(self.running)} running, {self.left} left", self._where(now), self._when(now, wall)]))

    def tell_batch(self, now: float, wall: datetime) -> str:
        """What the batch came to that just ended."""
        ended = f"batch {self.batch} of {len(self._sizes)} ended after {duration(self._batch_seconds)}"
        return f"{self._counts()}, {self.left} left; {ended}; {self._when(now, wall)}"

    def tell_end(self, now: float) -> str:
        """What the play came to."""
        return f"{self._counts()}, {self.left} left; ended after {duration(now - self._began)}"

    def _finish(self, host: str) -> None:
        self.running.remove(host)
        self._finish_one(host)

    def _finish_one(self, host: str) -> None:
        self.done += 1
        self.done_changed += host in self._changed

    def _counts(self) -> str:
        changed = f" ({self.done_changed} changed)" if self.done_changed else ""
        return f"{self.name}: {self.done} of {self.hosts} done{changed}, {len(self.failed)} failed"

    def _where(self, now: float) -> str:
        batch = [f"batch {self.batch} of {len(self._sizes)}"] if len(self._sizes) > 1 else []
        step = self._step
        if not step:
            return ", ".join(batch)
        number = "" if step.number is None else f" {step.number}"
        total = f" of {len(self._numbers)}" if self._numbers is not None and step.number is not None else ""
        return ", ".join([*batch, f"step{number}{total}: {step.name}{self._inside(step, now)}"])

    def _inside(self, step: Step, now: float) -> str:
        """How far one step is."""
        if step.hosts is None or not 0 < step.ended <= step.hosts:
            return ""
        more = ""
        # A whole wave is the least that tells what the others take. That a host skips the step is no evidence.
        if step.worked >= self._forks and step.ended < step.hosts:
            more = f", about {duration((now - step.began) / step.worked * (step.hosts - step.ended))} more"
        return f" ({step.ended} of {step.hosts} hosts{more})"

    def _when(self, now: float, wall: datetime) -> str:
        elapsed = f"{duration(now - self._began)} elapsed"
        seconds = self.seconds_left(now)
        # With no host left there is no end to wait for.
        if seconds is None or not (self.running or self.left):
            return elapsed
        end = wall + timedelta(seconds=seconds)
        return f"{elapsed}, ends about {end:%H:%M}" if end.date() == wall.date() else f"{elapsed}, ends about {end:%Y-%m-%d %H:%M}"


def duration(seconds: float) -> str:
    """``2:41`` for minutes and seconds, ``1:02:41`` from an hour on."""
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def one_line(text: str) -> str:
    """A name as a part of a line: without line breaks and control characters, and not too long."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= NAME_LENGTH else line[: NAME_LENGTH - 1] + "…"
