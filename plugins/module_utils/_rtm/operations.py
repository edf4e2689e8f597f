# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes of a roll-out in one region, and waiting for CloudFormation to have carried them out."""

from __future__ import annotations

import json
import time
import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, Client, Response, call
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import Observed, Stack, Wanted
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.observe import is_missing, read_stack
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.plan import Step
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import RULE_DESCRIPTION, RULE_NAME, TARGET_ID, template_body

# No operation takes less than a second or two, most take several.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 5.0
LONGER = 1.2

# With one of these on the stack itself an operation begins.
BEGINNINGS = ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS")


class NothingToUpdateError(CloudOneError):
    """CloudFormation finds that the stack is as it should be."""


class StackError(CloudOneError):
    """CloudFormation has ended an operation otherwise than well, or has not ended it in time.

    :ivar stack: the stack as it is now.
    """

    def __init__(self, stack: Stack, message: str) -> None:
        super().__init__(message)
        self.stack = stack


class OvertakenError(CloudOneError):
    """Another run was faster: look again, and plan again."""


class Patience:
    """The time that there is for waiting in one region, over all its waits.

    :param seconds: how long.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def looks(self) -> t.Iterator[None]:
        """Moments to look: after pauses, longer each time, until the time is over; at least one."""
        pause = FIRST_PAUSE
        while True:
            left = self._end - time.monotonic()
            time.sleep(max(0.0, min(pause, left)))
            yield
            if left <= pause:
                return
            pause = min(pause * LONGER, LONGEST_PAUSE)


class Operator:
    """Carries out the steps of plans in one region.

    :param patience: how long all of it may take.
    :ivar changed: whether AWS has accepted a write.
    """

    def __init__(self, clients: AwsClients, region: str, wanted: Wanted, patience: Patience) -> None:
        self._cloudformation = clients.client("cloudformation", region)
        self._events = clients.client("events", region)
        self._region = region
        self._wanted = wanted
        self._patience = patience
        self.changed = False

    def carry_out(self, step: Step, observed: Observed) -> Stack | None:
        """Do one step; of a stack, wait until it has ended.

        :returns: the stack as it is then, if that is known and there is one.
        :raises NothingToUpdateError: there was nothing to change.
        :raises OvertakenError: the stack was changed by another run in between; nothing was done.
        :raises AwsError: AWS refused it.
        :raises StackError: CloudFormation failed, or has not finished in time.
        """
        if step is Step.CREATE_STACK:
            return self._create()
        if step is Step.PUT_RULE:
            self._put_rule(observed)
        elif step is Step.PUT_TARGET:
            self._put_target()
        elif step is Step.ENABLE_RULE:
            self._write(self._events, "enable_rule", Name=RULE_NAME)
        elif observed.stack is not None:
            return self._change(step, observed.stack)
        return None

    def await_settled(self, stack: Stack) -> Stack | None:
        """Wait until CloudFormation has nothing under way for a stack.

        :returns: the stack as it is then; ``None`` if it has been deleted.
        :raises StackError: the time is over.
        """
        for _look in self._patience.looks():
            now = read_stack(self._cloudformation, stack.id)
            if now is None or not now.in_progress:
                return now
            stack = now
        raise StackError(
            stack,
            f"The stack {stack.name} in {self._region} is still {stack.status} when the time for waiting (wait_timeout) is over. "
            "CloudFormation goes on with it; run again to have the rest done.",
        )

    def _write(self, client: Client, method: str, **arguments: t.Any) -> Response:
        answer = call(client, method, **arguments)
        self.changed = True
        return answer

    def _create(self) -> Stack | None:
        name = self._wanted.stack_name
        tags = [{"Key": key, "Value": value} for key, value in self._wanted.tags.items()]
        try:
            answer = self._write(self._cloudformation, "create_stack", StackName=name, Tags=tags, **self._template())
        except AwsError as error:
            if error.code == "AlreadyExistsException":
                raise OvertakenError(str(error)) from error
            raise
        return self._expect(Stack(name, answer["StackId"], "CREATE_IN_PROGRESS"), "CREATE_COMPLETE")

    def _change(self, step: Step, stack: Stack) -> Stack | None:
        try:
            if step is Step.UPDATE_STACK:
                return self._update(stack)
            if step is Step.DELETE_STACK:
                return self._delete(stack)
            protect = step is Step.PROTECT
            self._write(self._cloudformation, "update_termination_protection", StackName=stack.id, EnableTerminationProtection=protect)
            return None
        except AwsError as error:
            # CloudFormation has no error codes of their own for these.
            if (error.code == "ValidationError" and "_IN_PROGRESS" in str(error)) or is_missing(error):
                raise OvertakenError(str(error)) from error
            raise

    def _update(self, stack: Stack) -> Stack | None:
        # All tags are replaced by those that are named; without any, all stay.
        tags = {**stack.tags, **self._wanted.tags} if self._wanted.tags else {}
        arguments = {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]} if tags else {}
        try:
            self._write(self._cloudformation, "update_stack", StackName=stack.id, **arguments, **self._template())
        except AwsError as error:
            if error.code == "ValidationError" and "No updates are to be performed" in str(error):
                raise NothingToUpdateError(str(error)) from error
            raise
        return self._expect(stack, "UPDATE_COMPLETE")

    def _delete(self, stack: Stack) -> Stack | None:
        self._write(self._cloudformation, "delete_stack", StackName=stack.id)
        return self._expect(stack, None)

    def _expect(self, stack: Stack, wanted: str | None) -> Stack | None:
        """Wait for the end of what was begun, which must be the state ``wanted``; ``None``: that the stack is gone."""
        ended = self.await_settled(stack)
        if ended is None and wanted is None:
            return None
        if ended is None:
            raise OvertakenError(f"The stack {stack.name} in {self._region} was deleted in the meantime.")
        if ended.status != wanted:
            raise StackError(ended, f"The stack {stack.name} in {self._region} is {ended.status}: {self._failure(ended)}")
        return ended

    def _failure(self, stack: Stack) -> str:
        """The reason of the first failure since the operation that just ended has begun."""
        try:
            events = call(self._cloudformation, "describe_stack_events", StackName=stack.id)["StackEvents"]
        except AwsError as error:
            return stack.reason or str(error)
        return first_failure(events, stack.id) or stack.reason or "CloudFormation gives no reason."

    def _template(self) -> dict[str, t.Any]:
        wanted = self._wanted
        source = {"TemplateURL": wanted.template_url} if wanted.template_url else {"TemplateBody": template_body()}
        return {**source, "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in wanted.parameters.items()]}

    def _put_rule(self, observed: Observed) -> None:
        """Write the whole rule: what PutRule is not given, it removes."""
        rule = observed.rule
        pattern = self._wanted.pattern(observed.account_id, rule.pattern if rule else None)
        self._write(
            self._events,
            "put_rule",
            Name=RULE_NAME,
            Description=(rule and rule.description) or RULE_DESCRIPTION,
            EventPattern=json.dumps(pattern),
            State=rule.state if rule and rule.state != "DISABLED" else "ENABLED",
        )

    def _put_target(self) -> None:
        target = {"Id": TARGET_ID, "Arn": self._wanted.target_arn(self._region)}
        answer = self._write(self._events, "put_targets", Rule=RULE_NAME, Targets=[target])
        for entry in answer.get("FailedEntries", []):
            message = f"events:PutTargets in {self._region} did not take {target['Arn']} ({entry.get('ErrorCode')}): {entry.get('ErrorMessage')}"
            raise AwsError(message, operation="events:PutTargets", code=entry.get("ErrorCode"))


def first_failure(events: t.Iterable[t.Mapping[str, t.Any]], stack_id: str) -> str | None:
    """The reason of the first failure in the operation that a stack had last.

    :param events: the stack's events, the newest first, as CloudFormation lists them.
    """
    reason = None
    for event in events:
        status = event.get("ResourceStatus", "")
        if status.endswith("_FAILED") and event.get("ResourceStatusReason"):
            reason = f"{event.get('LogicalResourceId')}: {event['ResourceStatusReason']}"
        if event.get("PhysicalResourceId") == stack_id and status in BEGINNINGS:
            break
    return reason
