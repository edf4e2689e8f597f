# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the matrix knows of each playbook: fleets, how it is run, and what must be true afterwards."""

from __future__ import annotations

import typing as t

from faults.model import Json, Run
from faults.scenarios.audit import Audit
from faults.scenarios.logs import LogStreaming
from faults.scenarios.renewal import Renewal
from faults.scenarios.rtm import DisableRtm, EnableRtm
from lab.lab import Lab


class Scenario(t.Protocol):
    """One playbook.

    :ivar playbook: its name.
    :ivar fleets: fleet files by name. ``small`` is for what hits the whole run.
    """

    playbook: str
    fleets: t.Mapping[str, Json]

    def arguments(self) -> list[str]:
        """The command line after the playbook."""

    def variables(self, lab: Lab) -> Json:
        """The extra variables."""

    def unreported(self, lab: Lab, run: Run) -> list[str]:
        """What is not as it should be after a run with faults, although the run does not say so."""

    def unfinished(self, lab: Lab) -> list[str]:
        """What is not as wanted after a run without faults."""

    def let_leases_lapse(self, lab: Lab) -> bool:
        """Let the time pass after which any run takes back what a killed one has left, where that harms nobody; false if nothing is left."""

    def hosts(self, lab: Lab) -> list[str]:
        """The hosts of the play, of which two slices are made."""

    def secrets(self) -> Json:
        """What the user typed in and must not be shown, besides the lab's own secrets."""


SCENARIOS: dict[str, Scenario] = {scenario.playbook: scenario for scenario in (Renewal(), Audit(), LogStreaming(), EnableRtm(), DisableRtm())}
