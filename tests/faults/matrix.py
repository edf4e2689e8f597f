# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole matrix: which rounds there are, and running them side by side."""

from __future__ import annotations

import multiprocessing
import re
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from faults.catalogue import KILL_BASTION, REPLACE
from faults.model import Fault, Result, Round, Step
from faults.planning import acted, crossed, outages
from faults.running import play_round, record

WHOLE_RUN = "the whole run"


@dataclass(frozen=True)
class Part:
    """One part of the matrix: the steps of one scope, from a clean run over one fleet.

    :ivar scope: of the steps that are crossed with the kinds; ``outages`` and ``acts`` for what hits the whole run, ``ways`` for the
        way to an appliance.
    :ivar most: so many kinds at each step, taking turns; all if not given.
    """

    playbook: str
    fleet: str
    scope: str
    most: int | None = None
    check: bool = False

    @property
    def title(self) -> str:
        return f"{self.playbook} {self.fleet} {self.scope}{' check' if self.check else ''}"

    def rounds(self, steps: t.Sequence[Step]) -> list[Round]:
        """Return the rounds for the steps of the clean run."""
        if self.scope == "outages":
            return outages(self.playbook, self.fleet, steps, every=self.most or 1)
        if self.scope == "acts":
            return acted(self.playbook, self.fleet, steps)
        if self.scope == "ways":
            return rounds_at_appliances(steps)
        return crossed(self.playbook, self.fleet, steps, self.scope, kinds_per_step=self.most, check=self.check)


# What hits an appliance or a region costs little, since many share a run. What hits the run costs a run each, so the kinds take turns there.
PARTS = (
    Part("renew_certs", "appliances", "appliance"),
    Part("renew_certs", "regions", "region", 8),
    Part("renew_certs", "small", "run", 2),
    Part("renew_certs", "small", "outages", 5),
    Part("renew_certs", "small", "acts"),
    Part("renew_certs", "small", "ways"),
    Part("renew_certs", "regions", "region", 8, check=True),
    Part("audit_certs", "regions", "region"),
    Part("audit_certs", "small", "run", 6),
    Part("audit_certs", "small", "outages", 2),
    Part("audit_certs", "small", "acts"),
    Part("configure_cloudwatch_logs", "appliances", "appliance"),
    Part("configure_cloudwatch_logs", "regions", "region", 8),
    Part("configure_cloudwatch_logs", "small", "run", 3),
    Part("configure_cloudwatch_logs", "small", "outages", 3),
    Part("configure_cloudwatch_logs", "small", "acts"),
    Part("configure_cloudwatch_logs", "regions", "region", 4, check=True),
    Part("enable_rtm", "regions", "region"),
    Part("enable_rtm", "accounts", "account", 6),
    Part("enable_rtm", "small", "run", 4),
    Part("enable_rtm", "small", "outages", 5),
    Part("enable_rtm", "small", "acts"),
    Part("enable_rtm", "regions", "region", 4, check=True),
    Part("disable_rtm", "regions", "region"),
    Part("disable_rtm", "accounts", "account", 6),
    Part("disable_rtm", "small", "outages", 3),
    Part("disable_rtm", "small", "acts"),
)

_CLOCKS = ("clock two days ahead", "clock two days behind", "clock that runs away")
_EVERYWHERE = ("home cannot be written to", "disk full from the start", "remote files are kept", *_CLOCKS, "two runs at once")
_TLS_OF_APPLIANCES = ("AWS without TLS", "AWS with a wrong certificate", "API without TLS", "API with a wrong certificate")
_TLS_OF_RTM = ("AWS without TLS", "AWS with a wrong certificate", "Conformity without TLS", "Conformity with a wrong certificate")
OF_THE_RUN = {
    "renew_certs": (*_EVERYWHERE, "two slices", *_TLS_OF_APPLIANCES),
    "audit_certs": (*_EVERYWHERE, *_TLS_OF_APPLIANCES),
    "configure_cloudwatch_logs": (*_EVERYWHERE, "two slices", *_TLS_OF_APPLIANCES),
    "enable_rtm": (*_EVERYWHERE, *_TLS_OF_RTM),
    "disable_rtm": (*_EVERYWHERE, *_TLS_OF_RTM[:2]),
}


def whole_rounds(playbook: str) -> list[Round]:
    """What goes wrong with runs as a whole, whatever they ask for."""
    return [Round(playbook, "small", (Fault(name, WHOLE_RUN, "", ()),), special=name) for name in OF_THE_RUN[playbook]]


def rounds_at_appliances(steps: t.Sequence[Step]) -> list[Round]:
    """What happens to the way to an appliance, and to the appliance itself, while it is renewed."""
    of_one = next(step.subject for step in steps if step.target == "cli")
    on_it = [step for step in steps if step.target == "cli" and step.subject == of_one]
    return acted("renew_certs", "small", on_it, (KILL_BASTION,)) + acted("renew_certs", "small", on_it, (REPLACE,))


def _recorded(part: tuple[str, str, bool, Path]) -> tuple[str, str, bool, list[Step]]:
    playbook, fleet, check, folder = part
    return playbook, fleet, check, record(playbook, fleet, folder / f"{playbook}-{fleet}-{check}", check=check)


def plan(folder: Path, wanted: str, run: Callable[..., t.Iterable[t.Any]]) -> list[Round]:
    """Record the clean runs that are needed and return the rounds.

    :param wanted: regular expression; the parts whose title it matches.
    :param run: maps a function over items, as ``Pool.imap`` does.
    """
    parts = [part for part in PARTS if re.search(wanted, part.title)]
    fleets = sorted({(part.playbook, part.fleet, part.check) for part in parts})
    recorded = {(playbook, fleet, check): steps for playbook, fleet, check, steps in run(_recorded, [(*each, folder) for each in fleets])}
    rounds = [one for part in parts for one in part.rounds(recorded[part.playbook, part.fleet, part.check])]
    return rounds + [one for playbook in OF_THE_RUN if re.search(wanted, f"{playbook} small whole") for one in whole_rounds(playbook)]


def _played(job: tuple[int, Round, Path]) -> Result:
    number, one, folder = job
    return play_round(one, folder / f"round-{number:04d}")


def run_rounds(rounds: t.Sequence[Round], folder: Path, run: Callable[..., t.Iterable[t.Any]]) -> Iterator[Result]:
    """Run rounds; return the results as they come."""
    yield from run(_played, [(number, one, folder) for number, one in enumerate(rounds)])


def pool(workers: int) -> t.Any:
    """Processes that take one round after the other; each has one lab at a time, since moto's state is the process's own."""
    return multiprocessing.get_context("spawn").Pool(workers)
