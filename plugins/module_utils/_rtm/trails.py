# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What trails of AWS CloudTrail record of a region. RTM's rule matches nothing else. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Json = dict[str, t.Any]


@dataclass(frozen=True)
class Selection:
    """Which management events a trail records.

    :ivar writes: whether it records those of calls that change something. The others never reach an EventBridge rule.
    :ivar left_out: which of them it does not record, in words.
    """

    writes: bool
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Trail:
    """A trail.

    :ivar logging: whether it is switched on, ``None`` if that is not known.
    :ivar selection: ``None`` if it is not known.
    :ivar problem: why something is not known.
    """

    name: str
    logging: bool | None
    selection: Selection | None
    problem: str | None = None

    @property
    def records(self) -> bool | None:
        """Whether it records management events of calls that change something; ``None`` if that is not known."""
        if self.logging is False or (self.selection is not None and not self.selection.writes):
            return False
        return True if self.logging and self.selection is not None else None


@dataclass(frozen=True)
class Coverage:
    """How far the events of a region are recorded.

    :ivar recorded: whether a trail records them, ``None`` if that is not known.
    :ivar trails: names of the trails that do, or may.
    :ivar reason: why they are not recorded, or which of them are not; ``None`` if there is nothing to say.
    """

    recorded: bool | None
    trails: tuple[str, ...]
    reason: str | None


EVERYTHING = Selection(writes=True)


def coverage(trails: t.Sequence[Trail]) -> Coverage:
    """How far the events of a region are recorded.

    :param trails: all that are for this region.
    """
    recording = [trail for trail in trails if trail.records]
    if recording:
        left_out = frozenset.intersection(*(trail.selection.left_out for trail in recording if trail.selection))
        reason = f"CloudTrail leaves out: {', '.join(sorted(left_out))}." if left_out else None
        return Coverage(True, tuple(trail.name for trail in recording), reason)
    unclear = [trail for trail in trails if trail.records is None]
    if unclear:
        problems = " ".join(dict.fromkeys(trail.problem for trail in unclear if trail.problem))
        return Coverage(None, tuple(trail.name for trail in unclear), f"Whether a trail of CloudTrail records the region's events is not known. {problems}")
    return Coverage(False, (), " ".join(_why_not(trail) for trail in trails) or "There is no trail of CloudTrail for the region.")


def selection(answer: Json) -> Selection:
    """Read the event selectors of a trail, as CloudTrail answers."""
    chosen = [_basic(selector) for selector in answer.get("EventSelectors") or []]
    chosen += [_advanced(selector) for selector in answer.get("AdvancedEventSelectors") or []]
    left_out = [one for one in chosen if one is not None]
    # What one selector leaves out, another may record.
    return Selection(bool(left_out), frozenset.intersection(*left_out) if left_out else frozenset())


def _basic(selector: Json) -> frozenset[str] | None:
    """What a basic selector leaves out of the management events that change something; ``None`` if it selects none of them."""
    if not selector.get("IncludeManagementEvents", True) or selector.get("ReadWriteType", "All") == "ReadOnly":
        return None
    return frozenset(selector.get("ExcludeManagementEventSources") or [])


def _advanced(selector: Json) -> frozenset[str] | None:
    """The same of an advanced one, all of whose conditions must hold."""
    left_out: set[str] = set()
    management = False
    for condition in selector.get("FieldSelectors") or []:
        operators = {name: values for name, values in condition.items() if name != "Field" and values}
        if condition.get("Field") == "eventCategory":
            management = "Management" in operators.get("Equals", [])
        elif condition.get("Field") == "readOnly":
            if operators.get("Equals") == ["true"] or operators.get("NotEquals") == ["false"]:
                return None
        elif condition.get("Field") == "eventSource" and set(operators) == {"NotEquals"}:
            left_out.update(operators["NotEquals"])
        else:
            left_out.update(f"events without {condition.get('Field')} {name} {'/'.join(values)}" for name, values in operators.items())
    return frozenset(left_out) if management else None


def _why_not(trail: Trail) -> str:
    if trail.logging is False:
        return f"The trail {trail.name} is switched off."
    return f"The trail {trail.name} records no management events of calls that change something."
