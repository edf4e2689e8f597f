# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single rounds, for the tests that show one thing; the matrix plans its own."""

from __future__ import annotations

from pathlib import Path

from faults.catalogue import KILL_RUN, KINDS, OUTAGES
from faults.matrix import WHOLE_RUN
from faults.model import Fault, Json, Round, Target
from faults.planning import HOLD
from faults.running import play_round
from faults.scenarios import SCENARIOS
from lab.fleet import parse_fleet


def instance(playbook: str, number: int) -> str:
    """Return the id of an appliance of the small fleet."""
    return parse_fleet(SCENARIOS[playbook].fleets["small"]).appliances[number].instance_id


def fault(kind: str, target: Target, match: Json) -> Fault:
    """A kind at the first call of that sort.

    :param match: facts of the call, as in ``docs/lab.md``.
    """
    found = next(each for each in KINDS[target] if each.name == kind)
    order = {"target": target, "match": match, "effect": dict(found.effect), "after": 0, "times": found.times}
    return Fault(kind, str(match), "", (order,))


def outage(kind: str, target: Target, after: int) -> Fault:
    """What lasts from the call with this number on, counted over everything."""
    found = next(each for each in OUTAGES[target] if each.name == kind)
    order = {"target": target, "match": {}, "effect": dict(found.effect), "after": after, "times": None}
    return Fault(kind, f"{target} call {after + 1}", "", (order,))


def done_at(act: str, target: Target, match: Json) -> Fault:
    """An act while a call is under way: the lab holds it back so long. If it is the run that is killed, the call is not carried out."""
    effect = {"kind": "hang", "seconds": HOLD} if target == "cli" else {"delay": HOLD, "drop": act == KILL_RUN}
    order = {"target": target, "match": match, "effect": effect, "after": 0, "times": 1}
    return Fault(act, str(match), match.get("instance_id", ""), (order,), act)


def small(playbook: str, *faults: Fault) -> Round:
    """A round over the small fleet."""
    return Round(playbook, "small", faults)


def special(playbook: str, name: str) -> Round:
    """What goes wrong with a run as a whole."""
    return Round(playbook, "small", (Fault(name, WHOLE_RUN, "", ()),), special=name)


def assert_all_invariants_hold(one: Round, folder: Path) -> None:
    """Play a round, each fault of which must fire.

    :param folder: for the lab and the control node.
    """
    result = play_round(one, folder)
    assert result.broken == [], "\n".join([*result.broken, result.log])
    assert result.secrets == [], result.secrets
    assert all(result.fired), result.fired
