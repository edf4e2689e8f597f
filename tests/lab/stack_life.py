# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks that take time, fail and roll back. What a stack makes is moto's doing; when, and whether at all, is decided here.

A stack's resources come into being when its creation ends, change when its update ends, and are gone when its deletion ends.
"""

from __future__ import annotations

import heapq
import itertools
import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from unittest import mock

from moto.cloudformation import parsing
from moto.cloudformation.models import CloudFormationBackend, Event, Stack, cloudformation_backends
from moto.cloudformation.utils import generate_stack_id
from moto.events.models import Rule, events_backends

from lab.stack_template import Json, parse_template, references

RULE = "AWS::Events::Rule"
OnFailure = t.Literal["ROLLBACK", "DELETE", "DO_NOTHING"]


@dataclass(frozen=True)
class Course:
    """How an operation on a stack goes.

    :ivar seconds: how long it takes; a rollback takes as long again.
    :ivar fails: why it fails, as ``StackStatusReason`` and the event of the resource say.
    :ivar rollback_fails: whether the rollback then fails as well.
    """

    seconds: float = 0
    fails: str | None = None
    rollback_fails: bool = False


@dataclass(frozen=True)
class Wanted:
    """What a stack is to become.

    :ivar tags: ``None`` to keep those that it has.
    """

    template: str
    parameters: dict[str, str]
    tags: dict[str, str] | None = None
    token: str | None = None


class TimedStack(Stack):
    """A stack of moto whose resources are there only once they have been made, and which says why it is in its state."""

    def __init__(self, *, name: str, wanted: Wanted, account_id: str, region_name: str, termination_protection: bool = False) -> None:
        super().__init__(
            generate_stack_id(name, region_name, account_id),
            name,
            wanted.template,
            dict(wanted.parameters),
            account_id,
            region_name,
            tags=dict(wanted.tags or {}),
            enable_termination_protection=termination_protection,
        )
        self.stack_status_reason: str | None = None
        self.last_updated_time: datetime | None = None
        self.token: str | None = wanted.token
        self.operation = 0

    @staticmethod
    def parse_template(template: str) -> Json:
        return parse_template(template)

    @property
    def parameter_list(self) -> list[Json]:
        """The parameters as they were given: moto would show its own idea of lists."""
        return [{"ParameterKey": name, "ParameterValue": value} for name, value in self.parameters.items()]

    @property
    def stack_resources(self) -> list[t.Any]:
        """The resources that exist. moto would make those that do not when it is asked for them."""
        made = self.resource_map._parsed_resources
        return [made[name] for name in self.template_dict["Resources"] if made.get(name) is not None]

    @property
    def outputs(self) -> list[Json] | None:
        """The outputs, of a stack that has its resources."""
        return super().outputs if self.stack_resources else None

    @property
    def in_progress(self) -> bool:
        """Whether an operation is under way."""
        return str(self.status).endswith("_IN_PROGRESS")

    def enter(self, status: str, at: float, reason: str | None = None) -> None:
        """Go into a state.

        :param at: seconds since the epoch.
        """
        self.status = status
        self.stack_status_reason = reason
        self._note(self.name, self.stack_id, "AWS::CloudFormation::Stack", status, at, reason)

    def note_resources(self, status: str, at: float, reason: str | None = None) -> None:
        """Add an event for each resource of the template."""
        for name, resource in self.template_dict["Resources"].items():
            made = self.resource_map._parsed_resources.get(name)
            self._note(name, getattr(made, "physical_resource_id", ""), resource["Type"], status, at, reason)

    def _note(self, logical_id: str, physical_id: str, resource_type: str, status: str, at: float, reason: str | None) -> None:
        event = Event(self.stack_id, self.name, logical_id, physical_id, resource_type, status, reason, None)
        event.timestamp = _naive(at)
        event.client_request_token = t.cast(t.Any, self.token)
        self.events.append(event)

    def rule_name(self, logical_id: str) -> str | None:
        """Return the name that the template gives to a rule; ``None`` for other resources and for names that CloudFormation makes up."""
        resource = self.template_dict["Resources"][logical_id]
        if resource["Type"] != RULE or "Name" not in (resource.get("Properties") or {}):
            return None
        return str(parsing.clean_json(resource["Properties"]["Name"], self.resource_map))

    def take_up_rules(self) -> None:
        """Look at the rules as they are now: whoever changed one directly gave moto another object."""
        made = self.resource_map._parsed_resources
        for name, resource in list(made.items()):
            if isinstance(resource, Rule):
                now = rules_of(self.account_id, self.region_name).get(resource.name)
                if now is not None and now is not resource:
                    now.cf_resource_type, now.logical_resource_id = RULE, name  # type: ignore[attr-defined]
                    made[name] = now

    def change(self, wanted: Wanted) -> None:
        """Become what is wanted, at once."""
        self.take_up_rules()
        self.template = wanted.template
        self._parse_template()
        self.description = self.template_dict.get("Description")
        with mock.patch.object(parsing, "get_references_from_template", references):  # moto's knows no Fn::Sub
            self.resource_map.update(parse_template(wanted.template), dict(wanted.parameters))
        self.parameters = dict(wanted.parameters)
        self.output_map = self._create_output_map()
        if wanted.tags is not None:
            self.tags = dict(wanted.tags)

    def delete(self) -> None:
        """Remove the resources."""
        self.take_up_rules()
        self.resource_map.delete()


def _naive(at: float) -> datetime:
    """Return a time as moto keeps it: in UTC without a time zone."""
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)


def rules_of(account_id: str, region: str) -> dict[str, Rule]:
    """Return the rules on the default event bus by name."""
    return events_backends[account_id][region]._get_event_bus("default").rules


def backend_of(account_id: str, region: str) -> CloudFormationBackend:
    """Return moto's CloudFormation of a region."""
    return cloudformation_backends[account_id][region]


def owner_of(account_id: str, region: str, physical_id: str) -> Stack | None:
    """Return the stack that made a resource."""
    for stack in list(backend_of(account_id, region).stacks.values()):
        if any(getattr(resource, "physical_resource_id", None) == physical_id for resource in stack.stack_resources):
            return stack
    return None


def _resource_error(stack: TimedStack, logical_ids: t.Iterable[str], *, missing: bool) -> str | None:
    """Return why CloudFormation cannot create rules of a stack (they exist), or cannot update them (``missing``)."""
    rules = rules_of(stack.account_id, stack.region_name)
    for logical_id in logical_ids:
        name = stack.rule_name(logical_id)
        if name is None or (name in rules) is missing:
            continue
        if missing:
            return f'Resource handler returned message: "Rule {name} does not exist on EventBus default." (HandlerErrorCode: NotFound)'
        owner = owner_of(stack.account_id, stack.region_name, name)
        return f"{name} already exists" + (f" in stack {owner.stack_id}" if owner is not None else "")
    return None


@dataclass(order=True)
class _Step:
    """Something that happens at a time; if it happens to a stack, unless another operation on it has begun."""

    due: float
    number: int
    run: Callable[[float], None] = field(compare=False)
    stack: TimedStack | None = field(default=None, compare=False)
    operation: int = field(default=0, compare=False)


class StackLife:
    """Carries out operations on stacks, each in its time.

    Nothing runs by itself: :meth:`advance` does everything that is due, and whoever looks at stacks, rules or events calls it first.
    Whoever calls holds moto's lock.

    :param clock: returns seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._steps: list[_Step] = []
        self._numbers = itertools.count()
        self._now: float | None = None

    def advance(self) -> None:
        """Do what is due."""
        now = self.clock()
        while self._steps and self._steps[0].due <= now:
            step = heapq.heappop(self._steps)
            if step.stack is None or step.operation == step.stack.operation:
                self._now = step.due
                step.run(step.due)
        self._now = None

    def at(self, due: float, run: Callable[[float], None]) -> None:
        """Do something at a time, given in seconds since the epoch."""
        heapq.heappush(self._steps, _Step(due, next(self._numbers), run))

    def now(self) -> float:
        """Return the time: while something is done late, the time when it was due."""
        return self.clock() if self._now is None else self._now

    def _then(self, stack: TimedStack, due: float, run: Callable[[float], None]) -> None:
        heapq.heappush(self._steps, _Step(due, next(self._numbers), run, stack, stack.operation))

    def _begin(self, stack: TimedStack, status: str, token: str | None) -> float:
        """Begin an operation; return the time."""
        now = self.now()
        stack.operation += 1
        stack.token = token
        stack.enter(status, now, "User Initiated")
        return now

    def create(self, stack: TimedStack, course: Course, on_failure: OnFailure = "ROLLBACK") -> None:
        """Begin to create a stack that :class:`TimedStack` made."""
        backend_of(stack.account_id, stack.region_name).stacks[stack.stack_id] = stack
        stack.disable_rollback = on_failure == "DO_NOTHING"
        now = self._begin(stack, "CREATE_IN_PROGRESS", stack.token)
        stack.note_resources("CREATE_IN_PROGRESS", now)
        self._then(stack, now + course.seconds, lambda at: self._finish_create(stack, course, on_failure, at))

    def _finish_create(self, stack: TimedStack, course: Course, on_failure: OnFailure, at: float) -> None:
        resources = stack.template_dict["Resources"]
        reason = course.fails or _resource_error(stack, resources, missing=False)
        if reason is None:
            stack.resource_map.create(parse_template(stack.template))  # type: ignore[arg-type]
            stack.note_resources("CREATE_COMPLETE", at)
            stack.enter("CREATE_COMPLETE", at)
            return
        stack.note_resources("CREATE_FAILED", at, reason)
        summary = f"The following resource(s) failed to create: [{', '.join(resources)}]. "
        if on_failure == "DO_NOTHING":
            stack.enter("CREATE_FAILED", at, summary)
        elif on_failure == "DELETE":
            stack.enter("DELETE_IN_PROGRESS", at, summary + "Delete requested by user.")
            self._then(stack, at + course.seconds, lambda later: self._finish_delete(stack, Course(), later))
        else:
            stack.enter("ROLLBACK_IN_PROGRESS", at, summary + "Rollback requested by user.")
            end = "ROLLBACK_FAILED" if course.rollback_fails else "ROLLBACK_COMPLETE"
            self._then(stack, at + course.seconds, lambda later: stack.enter(end, later))

    def update(self, stack: TimedStack, wanted: Wanted, course: Course) -> None:
        """Begin to update a stack."""
        now = self._begin(stack, "UPDATE_IN_PROGRESS", wanted.token)
        stack.last_updated_time = _naive(now)
        self._then(stack, now + course.seconds, lambda at: self._finish_update(stack, wanted, course, at))

    def _finish_update(self, stack: TimedStack, wanted: Wanted, course: Course, at: float) -> None:
        with mock.patch.object(parsing, "get_references_from_template", references):
            changes = stack.resource_map.build_resource_diff(parse_template(wanted.template), wanted.parameters)
        reason = course.fails or _resource_error(stack, changes["Modify"], missing=True)
        if reason is None:
            stack.change(wanted)
            stack.enter("UPDATE_COMPLETE", at)
            return
        stack.note_resources("UPDATE_FAILED", at, reason)
        failed = ", ".join(changes["Modify"] or stack.template_dict["Resources"])
        stack.enter("UPDATE_ROLLBACK_IN_PROGRESS", at, f"The following resource(s) failed to update: [{failed}]. ")
        end = "UPDATE_ROLLBACK_FAILED" if course.rollback_fails else "UPDATE_ROLLBACK_COMPLETE"
        self._then(stack, at + course.seconds, lambda later: stack.enter(end, later))

    def delete(self, stack: TimedStack, course: Course, *, token: str | None = None, retain: t.Collection[str] = ()) -> None:
        """Begin to delete a stack.

        :param retain: logical ids of resources that are to stay.
        """
        now = self._begin(stack, "DELETE_IN_PROGRESS", token)
        for name in retain:
            stack.resource_map._parsed_resources.pop(name, None)
        self._then(stack, now + course.seconds, lambda at: self._finish_delete(stack, course, at))

    def _finish_delete(self, stack: TimedStack, course: Course, at: float) -> None:
        resources = ", ".join(stack.template_dict["Resources"])
        if course.fails is not None:
            stack.note_resources("DELETE_FAILED", at, course.fails)
            stack.enter("DELETE_FAILED", at, f"The following resource(s) failed to delete: [{resources}]. ")
            return
        backend_of(stack.account_id, stack.region_name).delete_stack(stack.stack_id)
        stack.enter("DELETE_COMPLETE", at)

    def adopt(self, stack: TimedStack, status: str, *, then: str | None = None, after: float = 0) -> None:
        """Take over a stack in a state of which no call is the origin, as a fleet file says it.

        :param then: the state that follows.
        :param after: seconds until then.
        """
        backend_of(stack.account_id, stack.region_name).stacks[stack.stack_id] = stack
        now = self.clock()
        stack.enter(status, now, "User Initiated" if status.endswith("_IN_PROGRESS") else None)
        if then == "DELETE_COMPLETE":
            self._then(stack, now + after, lambda at: self._finish_delete(stack, Course(), at))
        elif then == "CREATE_COMPLETE":
            self._then(stack, now + after, lambda at: self._finish_create(stack, Course(), "ROLLBACK", at))
        elif then is not None:
            self._then(stack, now + after, lambda at: stack.enter(then, at))
