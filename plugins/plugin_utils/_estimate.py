# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the rest of a play takes, judged by the batches that are done.

Ansible works on the hosts of a batch in waves, as many hosts at a time as it has forks. What a batch takes has a part for each wave and a part that does
not depend on the number of hosts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


def batch_sizes(hosts: int, serial: Sequence[int]) -> list[int]:
    """How many hosts each batch of a play has.

    :param serial: the wanted sizes. The last one holds for all further batches; 0 or less takes all hosts that are left, and so does an empty list.
    """
    sizes: list[int] = []
    while hosts > 0:
        wanted = serial[min(len(sizes), len(serial) - 1)] if serial else 0
        sizes.append(min(wanted, hosts) if wanted > 0 else hosts)
        hosts -= sizes[-1]
    return sizes


def waves(hosts: int, forks: int) -> int:
    """In how many waves Ansible works on a batch."""
    return -(-hosts // forks)


@dataclass
class Evidence:
    """What batches took, as sums, so that a thousandth batch costs no more than the first.

    :ivar seconds: of all these batches.
    """

    batches: int = 0
    waves: int = 0
    seconds: float = 0.0
    _waves_squared: int = 0
    _waves_times_seconds: float = 0.0

    def add(self, batch_waves: int, seconds: float) -> None:
        """Count a batch that is done."""
        self.batches += 1
        self.waves += batch_waves
        self.seconds += seconds
        self._waves_squared += batch_waves**2
        self._waves_times_seconds += batch_waves * seconds

    def expect(self, batches: int, batch_waves: int) -> float | None:
        """How many seconds further batches will take.

        :param batch_waves: the waves of all these batches together.
        :returns: None as long as there is no evidence.
        """
        if not self.batches:
            return None
        per_batch, per_wave = self._costs()
        return per_batch * batches + per_wave * batch_waves

    def _costs(self) -> tuple[float, float]:
        """Seconds for each batch and for each wave: the line of least squares, neither below zero."""
        proportional = 0.0, self.seconds / self.waves
        spread = self.batches * self._waves_squared - self.waves**2
        if not spread:
            # All of the same size: nothing tells the two parts apart.
            return proportional
        per_wave = (self.batches * self._waves_times_seconds - self.waves * self.seconds) / spread
        if per_wave < 0:
            return self.seconds / self.batches, 0.0
        per_batch = (self.seconds - per_wave * self.waves) / self.batches
        return (per_batch, per_wave) if per_batch >= 0 else proportional
