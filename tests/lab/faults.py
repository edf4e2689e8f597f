# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: what shall go wrong, where, after how many times, and how often."""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

Target = t.Literal["api", "conformity", "aws", "cli"]
Facts = t.Mapping[str, str | t.Sequence[str]]
Loss = t.Literal["answer", "half"]


class Effect(BaseModel):
    """Base of the effects."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ApiEffect(Effect):
    """What the Network Security API or the Conformity API does instead of answering.

    :ivar delay: seconds to wait first.
    :ivar status: answer with this status and ``body`` instead of the real answer.
    :ivar body: text as it is, anything else as JSON.
    :ivar merge: fields put into the real JSON answer.
    :ivar drop: close the connection without an answer; the request is not carried out.
    :ivar lose: carry the request out, and close the connection before the ``answer``, or after its first ``half``.
    :ivar truncate: carry the request out, and answer with the first half of the body as if it were all.
    """

    delay: float = Field(default=0, ge=0)
    status: int | None = Field(default=None, ge=100, le=599)
    headers: dict[str, str] = {}
    body: JsonValue = ""
    merge: dict[str, JsonValue] | None = None
    drop: bool = False
    lose: Loss | None = None
    truncate: bool = False


class AwsEffect(Effect):
    """What AWS does instead of answering.

    :ivar delay: seconds to wait first.
    :ivar code: answer with this AWS error code, for example ``UnauthorizedOperation`` or ``RequestLimitExceeded``.
    :ivar status: HTTP status of the error, where it is not the usual one of the code.
    :ivar drop, lose, truncate: as of an API.
    :ivar body: text to answer with, as a success, instead of the real answer.
    :ivar hide: leave out of the real answer, in XML, each list item with this text (a pattern) directly in it: what was just made is not visible yet.
    :ivar stack_seconds: how long the operation on a stack takes that the call begins.
    :ivar stack_fails: why that operation fails, after this time.
    :ivar rollback_fails: whether the rollback fails as well.
    """

    delay: float = Field(default=0, ge=0)
    code: str | None = None
    message: str | None = None
    status: int | None = Field(default=None, ge=400, le=599)
    drop: bool = False
    lose: Loss | None = None
    truncate: bool = False
    body: str | None = None
    hide: str | None = None
    stack_seconds: float | None = Field(default=None, ge=0)
    stack_fails: str | None = None
    rollback_fails: bool = False


class CliEffect(Effect):
    """What an appliance's SSH does; see :class:`lab.appliance_cli.interface.CliFault`."""

    kind: t.Literal["drop", "hang", "garbage", "no_prompt", "refuse", "changed_host_key"]
    seconds: float = Field(default=0, ge=0)


_EFFECTS: dict[Target, type[Effect]] = {"api": ApiEffect, "conformity": ApiEffect, "aws": AwsEffect, "cli": CliEffect}


class FaultSpec(BaseModel):
    """A fault as it is ordered.

    :ivar match: facts of a call that must all agree; values may be patterns with ``*`` and ``?``. What facts there are depends on the target.
    :ivar after: how many matching calls pass unharmed first.
    :ivar times: how many calls are then hit; ``None`` for all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Target
    match: dict[str, str] = {}
    effect: dict[str, JsonValue]
    after: int = Field(default=0, ge=0)
    times: int | None = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _check_effect(self) -> FaultSpec:
        """Refuse an effect that the target does not have."""
        self.parsed_effect()
        return self

    def parsed_effect(self) -> Effect:
        """Return the effect as the target's type."""
        return _EFFECTS[self.target].model_validate(self.effect)


def _values(fact: str | t.Sequence[str]) -> t.Sequence[str]:
    """Return the values of a fact."""
    return (fact,) if isinstance(fact, str) else fact


@dataclass
class Fault:
    """A fault and what became of it."""

    id: int
    spec: FaultSpec
    effect: Effect
    seen: int = 0
    fired: int = 0

    def matches(self, facts: Facts) -> bool:
        """Whether a call with these facts is meant; of a fact with several values, one has to agree."""
        return all(any(fnmatchcase(value, pattern) for value in _values(facts.get(name, ()))) for name, pattern in self.spec.match.items())

    def due(self) -> bool:
        """Count one matching call and say whether it is to be hit."""
        self.seen += 1
        if self.seen <= self.spec.after or (self.spec.times is not None and self.fired >= self.spec.times):
            return False
        self.fired += 1
        return True

    def as_json(self) -> dict[str, t.Any]:
        """Return the fault as the control endpoint shows it."""
        return {"id": self.id, "seen": self.seen, "fired": self.fired, **self.spec.model_dump()}


AnyEffect = t.TypeVar("AnyEffect", bound=Effect)


class Faults:
    """All faults of a lab. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._last_id = 0

    def add(self, spec: FaultSpec) -> Fault:
        """Order a fault; those ordered first are looked at first."""
        with self._lock:
            self._last_id += 1
            fault = Fault(self._last_id, spec, spec.parsed_effect())
            self._faults.append(fault)
            return fault

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def as_json(self) -> list[dict[str, t.Any]]:
        """Return all faults with how often each has fired."""
        with self._lock:
            return [fault.as_json() for fault in self._faults]

    def due(self, target: Target, effect_type: type[AnyEffect], facts: Facts) -> AnyEffect | None:
        """Return the effect of the first fault that hits this call, and count it; ``None`` if the call passes."""
        with self._lock:
            for fault in self._faults:
                if fault.spec.target == target and fault.matches(facts) and fault.due():
                    assert isinstance(fault.effect, effect_type)
                    return fault.effect
        return None
