# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which events are handed on: each appliance once in a while, and not too many appliances at a time. Pure: the time is an argument."""

from __future__ import annotations

from dataclasses import dataclass

# Whoever may write into the queue could invent appliances without end.
MOST_WAITING = 10_000


@dataclass(frozen=True)
class HandOn:
    """The event is due. Whoever hands it on calls :meth:`Gate.handed_on` then."""


@dataclass(frozen=True)
class Duplicate:
    """The appliance's event was handed on a short time ago."""


@dataclass(frozen=True)
class Deferred:
    """Too many others were handed on.

    :ivar seconds: how long to wait.
    :ivar first: whether this is new, and has to be told.
    """

    seconds: float
    first: bool


class Gate:
    """Remembers what was handed on. It is not kept: after a new start all may be handed on again, which the playbook finds nothing to do for.

    :param window: seconds in which further events of an appliance are duplicates.
    :param limit: how many appliances are handed on within ``period`` seconds.
    """

    def __init__(self, *, window: float, limit: int, period: float) -> None:
        self._window = window
        self._limit = limit
        self._period = period
        self._last: dict[str, float] = {}
        self._recent: list[float] = []
        self._waiting: dict[str, float] = {}

    def judge(self, instance_id: str, now: float) -> HandOn | Duplicate | Deferred:
        """What to do with an event of an appliance.

        :param now: seconds from whatever beginning, never going back.
        """
        self._forget(now)
        if instance_id in self._last:
            return Duplicate()
        if len(self._recent) < self._limit:
            return HandOn()
        first = instance_id not in self._waiting
        turn = self._turn(instance_id, now)
        if len(self._waiting) < MOST_WAITING or not first:
            self._waiting[instance_id] = turn
        return Deferred(turn - now, first)

    def handed_on(self, instance_id: str, now: float) -> None:
        """Note that an appliance's event was handed on."""
        self._last[instance_id] = now
        self._recent.append(now)
        self._waiting.pop(instance_id, None)

    def _turn(self, instance_id: str, now: float) -> float:
        """When it is an appliance's turn, which stays so if it comes too early, behind those that wait already."""
        turn = self._waiting.get(instance_id, now)
        if turn > now:
            return turn
        rounds, place = divmod(len(self._waiting.keys() - {instance_id}), self._limit)
        return self._recent[place] + (rounds + 1) * self._period

    def _forget(self, now: float) -> None:
        self._last = {instance_id: at for instance_id, at in self._last.items() if now - at < self._window}
        self._recent = [at for at in self._recent if now - at < self._period]
        # Who has not come in spite of its turn may have been deleted from the queue.
        self._waiting = {instance_id: turn for instance_id, turn in self._waiting.items() if now - turn < self._period}
