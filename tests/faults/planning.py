# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which fault meets which step, and which faults share a run (pure)."""

from __future__ import annotations

import itertools
import typing as t
from collections import defaultdict

from faults.catalogue import ACTS, KILL_RUN, OUTAGES, kinds_for
from faults.model import Fault, Json, Kind, Round, Step

# Seconds that the lab holds a call back while something is done to the run; shorter than the run's own patience.
HOLD = 1.5

# Equal calls about one subject that count as steps of their own. What waits for something asks more often the slower the machine is.
REPEATS = 4


def thinned(rounds: t.Sequence[Round], sample: int) -> list[Round]:
    """Of the rounds that are for a single subject, or the run as a whole, keep each ``sample``-th."""
    alone = itertools.count()
    return [one for one in rounds if one.fleet != "small" or next(alone) % sample == 0]


def fault_at(step: Step, kind: Kind) -> Fault:
    """Order a kind at a step."""
    orders: list[Json] = [{"target": step.target, "match": dict(step.match), "effect": dict(kind.effect), "after": step.ordinal, "times": kind.times}]
    if kind.down_for:
        connect = {**dict(step.match), "moment": "connect"}
        orders.append({"target": step.target, "match": connect, "effect": {"kind": "drop"}, "after": step.connections, "times": kind.down_for})
    return Fault(kind.name, step.name, step.subject, tuple(orders))


def crossed(playbook: str, fleet: str, steps: t.Sequence[Step], scope: str, *, kinds_per_step: int | None = None, check: bool = False) -> list[Round]:
    """Cross the steps of one scope with the kinds, each fault on a subject of its own.

    Steps of the scope ``run`` have no subjects, so each fault is a run.

    :param steps: of a clean run over the same fleet.
    :param kinds_per_step: so many kinds at each step, others at the next one; all of them if not given.
    :param check: for runs in check mode.
    """
    where: dict[str, dict[str, Step]] = defaultdict(dict)
    for step in steps:
        if step.scope == scope and step.ordinal < REPEATS:
            where[step.name][step.subject] = step
    rounds: list[list[tuple[str, Fault]]] = []
    offset = 0
    for candidates in where.values():
        kinds = kinds_for(next(iter(candidates.values())))
        count = len(kinds) if kinds_per_step is None else min(kinds_per_step, len(kinds))
        for kind in itertools.islice(itertools.cycle(kinds), offset, offset + count):
            _put(rounds, candidates, kind)
        offset += 0 if kinds_per_step is None else count
    return [Round(playbook, fleet, tuple(fault for _subject, fault in each), check) for each in rounds]


def _put(rounds: list[list[tuple[str, Fault]]], candidates: t.Mapping[str, Step], kind: Kind) -> None:
    """Put a kind into the first round that has a subject left for it."""
    for one in rounds:
        taken = {subject for subject, _fault in one}
        free = next((subject for subject in candidates if subject not in taken), None)
        if free is not None:
            one.append((free, fault_at(candidates[free], kind)))
            return
    subject, step = next(iter(candidates.items()))
    rounds.append([(subject, fault_at(step, kind))])


def outages(playbook: str, fleet: str, steps: t.Sequence[Step], *, every: int = 1) -> list[Round]:
    """What begins at a call and lasts: each kind from every call on, or from each ``every``-th one, the kinds taking turns."""
    rounds = []
    for target, kinds in OUTAGES.items():
        positions = [number for number, step in enumerate([step for step in steps if step.target == target])]
        for turn, position in enumerate(positions[::every]):
            if kinds:
                kind = kinds[turn % len(kinds)]
                order = {"target": target, "match": {}, "effect": dict(kind.effect), "after": position, "times": None}
                rounds.append(Round(playbook, fleet, (Fault(kind.name, f"{target} call {position + 1}", "", (order,)),)))
    return rounds


def acted(playbook: str, fleet: str, steps: t.Sequence[Step], acts: t.Sequence[str] = ACTS) -> list[Round]:
    """Something is done to the run while it waits for the answer to a call: at each step that differs from the one before, the acts taking turns.

    At writes the run is also killed, and the write that is under way is carried out all the same.
    """
    held = [step for step in steps if step.call != "connect"]
    # Of calls like each other in a row, and of those about several subjects at the same time, the first one stands for all.
    firsts = {step.name: step for step in reversed([next(same) for _call, same in itertools.groupby(held, key=lambda step: (step.target, step.call))])}
    rounds = []
    for turn, step in enumerate(reversed(firsts.values())):
        rounds.append(_held(playbook, fleet, step, acts[turn % len(acts)], lost=True))
        if step.write and step.target != "cli":
            rounds.append(_held(playbook, fleet, step, KILL_RUN, lost=False))
    return rounds


def _held(playbook: str, fleet: str, step: Step, act: str, *, lost: bool) -> Round:
    """One act at one step.

    :param lost: whether the call that is held is not carried out in the end.
    """
    held = {"kind": "hang", "seconds": HOLD} if step.target == "cli" else {"delay": HOLD, "drop": lost and act == KILL_RUN}
    order = {"target": step.target, "match": dict(step.match), "effect": held, "after": step.ordinal, "times": 1}
    return Round(playbook, fleet, (Fault(act, step.name, step.subject, (order,), act),))
