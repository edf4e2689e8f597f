# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""StackSets with permissions that the organization gives (``SERVICE_MANAGED``): the sets, their instances, their operations.

Each instance is a real stack of its account and region, with the time it takes and the ways in which it can fail.
"""

from __future__ import annotations

import functools
import typing as t
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from moto.cloudformation.utils import generate_stackset_arn

from lab.stack_life import Course, StackLife, TimedStack, Wanted, backend_of

Action = t.Literal["CREATE", "UPDATE", "DELETE"]
_BROKEN = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_COMPLETE")
_DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


@dataclass(frozen=True)
class Preferences:
    """How an operation goes through accounts and regions; AWS's defaults are one at a time, and no failure.

    :ivar tolerance: share, or number, of accounts that may fail in each region.
    """

    tolerance_percentage: int | None = None
    tolerance_count: int = 0
    concurrent_percentage: int | None = None
    concurrent_count: int = 1
    parallel_regions: bool = False

    def tolerance(self, accounts: int) -> int:
        """Return how many of so many accounts may fail."""
        return self.tolerance_count if self.tolerance_percentage is None else accounts * self.tolerance_percentage // 100

    def concurrency(self, accounts: int) -> int:
        """Return in how many accounts at once it works: never in more than may fail, and one."""
        wanted = self.concurrent_count if self.concurrent_percentage is None else max(1, accounts * self.concurrent_percentage // 100)
        return max(1, min(wanted, self.tolerance(accounts) + 1))


@dataclass
class Instance:
    """A stack set's stack in one account and region.

    :ivar waiting: its turn in the operation has not come.
    :ivar refused: why there is no stack.
    """

    account_id: str
    region: str
    unit_id: str
    overrides: dict[str, str] = field(default_factory=dict)
    stack: TimedStack | None = None
    waiting: bool = False
    refused: str | None = None

    @property
    def state(self) -> t.Literal["RUNNING", "SUCCEEDED", "FAILED"]:
        """What became of the last operation on it."""
        if self.waiting or (self.stack is not None and self.stack.in_progress):
            return "RUNNING"
        gone = self.stack is not None and self.stack.status == "DELETE_COMPLETE"
        return "SUCCEEDED" if gone or (self.stack is not None and self.stack.status in _DONE) else "FAILED"

    @property
    def reason(self) -> str:
        """Why it failed."""
        if self.refused is not None:
            return self.refused
        failures = [event for event in self.stack.events if str(event.resource_status).endswith("_FAILED")] if self.stack is not None else []
        return f"ResourceLogicalId:{failures[-1].logical_resource_id}, ResourceStatusReason:{failures[-1].resource_status_reason}." if failures else ""


@dataclass
class Operation:
    """Work on instances of a set."""

    id: str
    action: Action
    began_at: float
    preferences: Preferences
    instances: list[Instance]
    retain: bool = False

    @property
    def status(self) -> str:
        """What became of it."""
        if any(instance.state == "RUNNING" for instance in self.instances):
            return "RUNNING"
        failed: dict[str, int] = {}
        for instance in self.instances:
            failed[instance.region] = failed.get(instance.region, 0) + (instance.state == "FAILED")
        accounts = len({instance.account_id for instance in self.instances})
        return "FAILED" if any(count > self.preferences.tolerance(accounts) for count in failed.values()) else "SUCCEEDED"


@dataclass
class StackSet:
    """A set.

    :ivar targets: the units and regions that it was told to cover.
    """

    name: str
    manager_id: str
    region: str
    wanted: Wanted
    description: str
    auto_deployment: dict[str, bool]
    id: str = ""
    instances: dict[tuple[str, str], Instance] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    targets: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.id = self.id or f"{self.name}:{uuid.uuid4()}"

    @property
    def arn(self) -> str:
        return generate_stackset_arn(self.id, self.region, self.manager_id)

    @property
    def running(self) -> Operation | None:
        """The operation that is under way."""
        return next((operation for operation in self.operations if operation.status == "RUNNING"), None)

    def settle(self) -> None:
        """Forget the instances whose deletion has come to its end."""
        for operation in self.operations:
            if operation.action == "DELETE":
                for instance in operation.instances:
                    gone = operation.retain or (instance.stack is None or instance.stack.status == "DELETE_COMPLETE")
                    if gone and not instance.waiting and self.instances.get((instance.account_id, instance.region)) is instance:
                        del self.instances[instance.account_id, instance.region]


class StackSetLife:
    """Carries out operations on sets, in their time.

    :param seconds: returns how long an operation on a stack takes in a region.
    :param off: returns the regions that are off in an account.
    """

    def __init__(self, life: StackLife, seconds: Callable[[str], float], off: Callable[[str], t.Collection[str]]) -> None:
        self._life = life
        self._seconds = seconds
        self._off = off

    def start(
        self, stack_set: StackSet, action: Action, instances: list[Instance], preferences: Preferences, *, operation_id: str = "", retain: bool = False
    ) -> Operation:
        """Begin an operation on instances; regions and accounts have their turns in the order of the list.

        :param operation_id: made up if empty.
        :param retain: whether a deletion leaves the stacks.
        """
        now = self._life.now()
        operation = Operation(operation_id or str(uuid.uuid4()), action, now, preferences, instances, retain)
        stack_set.operations.append(operation)
        begins_at = now
        for region in dict.fromkeys(instance.region for instance in instances):
            here = [instance for instance in instances if instance.region == region]
            step = preferences.concurrency(len(here))
            for number, instance in enumerate(here):
                instance.waiting = True
                turn = begins_at + number // step * self._seconds(region)
                self._life.at(turn, functools.partial(self._begin, stack_set, operation, instance))
            if not preferences.parallel_regions:
                begins_at += -(-len(here) // step) * self._seconds(region)
        self._life.advance()
        return operation

    def _begin(self, stack_set: StackSet, operation: Operation, instance: Instance, _at: float) -> None:
        """Begin what is to be done with one instance."""
        instance.waiting = False
        instance.refused = None
        course = Course(self._seconds(instance.region))
        if operation.action == "DELETE":
            if instance.stack is not None and not operation.retain:
                self._life.delete(instance.stack, course)
        elif instance.region in self._off(instance.account_id):
            instance.refused = f"Account {instance.account_id} has not enabled the region {instance.region}"
        else:
            self._bring_up(stack_set, instance, course)

    def _bring_up(self, stack_set: StackSet, instance: Instance, course: Course) -> None:
        """Create or update the stack of an instance; one that never came to be is made anew."""
        wanted = replace(stack_set.wanted, parameters={**stack_set.wanted.parameters, **instance.overrides})
        stack = instance.stack
        if stack is not None and stack.status not in _BROKEN:
            if (stack.template, stack.parameters, stack.tags) != (wanted.template, wanted.parameters, wanted.tags):
                self._life.update(stack, wanted, course)
            return
        if stack is not None:
            backend_of(instance.account_id, instance.region).stacks.pop(stack.stack_id, None)
        name = f"StackSet-{stack_set.name}-{uuid.uuid4()}"
        instance.stack = TimedStack(name=name, wanted=wanted, account_id=instance.account_id, region_name=instance.region)
        self._life.create(instance.stack, course)
