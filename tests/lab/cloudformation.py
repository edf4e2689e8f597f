# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation's operations that change stacks, with the checks, errors and times of the real one; all reading is moto's."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from pathlib import Path

from moto.cloudformation.models import Stack
from moto.cloudformation.utils import get_stack_from_s3_url
from moto.core.utils import iso_8601_datetime_with_milliseconds

from lab.aws_answer import AwsAnswer, Content
from lab.aws_call import AwsCall
from lab.aws_errors import AwsFailure
from lab.faults import AwsEffect
from lab.fleet import CloudFormationSpec
from lab.stack_life import Course, OnFailure, StackLife, TimedStack, Wanted, backend_of, owner_of
from lab.stack_template import TemplateRefused, complete_parameters, parse_template, same_resources

TEMPLATES = Path(__file__).parent / "templates"
# The one object outside the user's buckets that a template may be taken from: what the vendor publishes.
VENDOR_TEMPLATE_URL = "https://s3-us-west-2.amazonaws.com/cloud-conformity-public-us-west-2/monitoring/event-bus-template.yml"

UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE")
# While one of these is under way, a stack may be deleted.
_ENDED_BY_DELETE = ("CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "REVIEW_IN_PROGRESS")
_NAME = re.compile(r"^[a-zA-Z][-a-zA-Z0-9]{0,127}$")
_TAG_LIMIT = 50


class Refusal(Exception):
    """The call is answered with an error."""

    def __init__(self, message: str, code: str = "ValidationError", status: int | None = None) -> None:
        super().__init__(message)
        self.failure = AwsFailure(code, message, status)


def vendor_template(name: str = "event_bus") -> str:
    """Return a template with the vendor's resource: ``event_bus``, or ``event_bus_older``, which matches all events."""
    return (TEMPLATES / f"{name}.template").read_text(encoding="utf-8")


class CloudFormation:
    """Answers for all accounts and regions. Whoever calls holds moto's lock."""

    def __init__(self, spec: CloudFormationSpec, life: StackLife) -> None:
        self._spec = spec
        self._life = life
        self._tokens: dict[tuple[str, str, str], tuple[dict[str, str], AwsAnswer]] = {}
        self._operations: dict[str, Callable[[str, AwsCall, Course], AwsAnswer | None]] = {
            "CreateStack": self._create,
            "UpdateStack": self._update,
            "DeleteStack": self._delete,
            "UpdateTerminationProtection": self._protect,
            "DescribeStackResources": self._describe_resources,
        }

    def answer(self, account_id: str, call: AwsCall, effect: AwsEffect | None) -> AwsAnswer | AwsFailure | None:
        """Answer a call; ``None`` if that is moto's business."""
        operation = self._operations.get(call.action)
        if operation is None:
            return None
        token = (account_id, call.region, call.form.get("ClientRequestToken", ""))
        if token[2] and token in self._tokens:
            form, before = self._tokens[token]
            return before if form == call.form else AwsFailure("TokenAlreadyExistsException", "A client request token already exists.")
        try:
            answer = operation(account_id, call, self._course(call.region, effect))
        except Refusal as error:
            return error.failure
        except TemplateRefused as error:
            return AwsFailure("ValidationError", str(error))
        if token[2] and answer is not None:
            self._tokens[token] = (call.form, answer)
        return answer

    def _course(self, region: str, effect: AwsEffect | None) -> Course:
        """Return how an operation goes: as the fleet file says, or a fault."""
        usual = self._spec.seconds(region)
        if effect is None:
            return Course(usual)
        return Course(usual if effect.stack_seconds is None else effect.stack_seconds, effect.stack_fails, effect.rollback_fails)

    def _create(self, account_id: str, call: AwsCall, course: Course) -> AwsAnswer:
        name = call.form.get("StackName", "")
        if not _NAME.match(name):
            limit = "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
            raise Refusal(f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: {limit}")
        if any(stack.name == name for stack in backend_of(account_id, call.region).stacks.values()):
            raise Refusal(f"Stack [{name}] already exists", "AlreadyExistsException")
        on_failure = call.form.get("OnFailure")
        if on_failure and "DisableRollback" in call.form:
            raise Refusal("You can specify either DisableRollback or OnFailure, but not both.")
        if call.form.get("DisableRollback", "").lower() == "true":
            on_failure = "DO_NOTHING"
        body = call_template(account_id, call)
        if body is None:
            raise Refusal("Either Template URL or Template Body must be specified.")
        given, kept = call_parameters(call)
        stack = TimedStack(
            name=name,
            wanted=Wanted(body, complete_parameters(parse_template(body), given, {}, kept), call_tags(call), call.form.get("ClientRequestToken")),
            account_id=account_id,
            region_name=call.region,
            termination_protection=call.form.get("EnableTerminationProtection", "").lower() == "true",
        )
        self._life.create(stack, course, t.cast(OnFailure, on_failure or "ROLLBACK"))
        return AwsAnswer({"StackId": stack.stack_id})

    def _update(self, account_id: str, call: AwsCall, course: Course) -> AwsAnswer | None:
        stack = _find(account_id, call)
        if stack is None:
            raise Refusal(f"Stack [{call.form.get('StackName')}] does not exist")
        if not isinstance(stack, TimedStack):  # made by a change set, of which all is moto's
            return None
        if stack.status not in UPDATABLE:
            raise Refusal(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
        previous = call.form.get("UsePreviousTemplate", "").lower() == "true"
        body = t.cast(str, stack.template) if previous else call_template(account_id, call)
        if body is None:
            raise Refusal("Either Template URL or Template Body must be specified.")
        template, tags = parse_template(body), call_tags(call)
        given, kept = call_parameters(call)
        parameters = complete_parameters(template, given, stack.parameters, kept)
        if tags in (None, stack.tags) and same_resources(parse_template(t.cast(str, stack.template)), stack.parameters, template, parameters):
            raise Refusal("No updates are to be performed.")
        self._life.update(stack, Wanted(body, parameters, tags, call.form.get("ClientRequestToken")), course)
        return AwsAnswer({"StackId": stack.stack_id})

    def _delete(self, account_id: str, call: AwsCall, course: Course) -> AwsAnswer | None:
        stack = _find(account_id, call)
        if stack is None or stack.status == "DELETE_IN_PROGRESS":
            return AwsAnswer({})
        if not isinstance(stack, TimedStack):
            return None
        if stack.enable_termination_protection:
            raise Refusal(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        if stack.in_progress and stack.status not in _ENDED_BY_DELETE:
            raise Refusal(f"Stack [{stack.name}] cannot be deleted while in status {stack.status}")
        retain = call.values("RetainResources.member")
        if retain and stack.status != "DELETE_FAILED":
            raise Refusal("Retained resources are allowed only for stacks in DELETE_FAILED state.")
        self._life.delete(stack, course, token=call.form.get("ClientRequestToken"), retain=retain)
        return AwsAnswer({})

    @staticmethod
    def _protect(account_id: str, call: AwsCall, _course: Course) -> AwsAnswer:
        stack = _find(account_id, call)
        if stack is None:
            raise Refusal(f"Stack [{call.form.get('StackName')}] does not exist")
        if stack.status.startswith("DELETE_IN"):
            raise Refusal(f"Stack [{stack.name}] cannot be changed while in status {stack.status}")
        stack.enable_termination_protection = call.form.get("EnableTerminationProtection", "").lower() == "true"
        return AwsAnswer({"StackId": stack.stack_id})

    @staticmethod
    def _describe_resources(account_id: str, call: AwsCall, _course: Course) -> AwsAnswer | None:
        """Find the stack of a resource; asked for by a stack's name it is moto's business."""
        physical_id = call.form.get("PhysicalResourceId")
        if not physical_id:
            return None
        if "StackName" in call.form:
            raise Refusal("You must specify either StackName or PhysicalResourceId, but not both.")
        owner = owner_of(account_id, call.region, physical_id)
        if owner is None:
            raise Refusal(f"Stack for {physical_id} does not exist")
        resources: list[Content] = [
            {
                "StackName": owner.name,
                "StackId": owner.stack_id,
                "LogicalResourceId": resource.logical_resource_id,
                "PhysicalResourceId": resource.physical_resource_id,
                "ResourceType": resource.cf_resource_type,
                "Timestamp": iso_8601_datetime_with_milliseconds(owner.creation_time),
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for resource in t.cast("list[t.Any]", owner.stack_resources)
        ]
        return AwsAnswer({"StackResources": resources})


def call_template(account_id: str, call: AwsCall) -> str | None:
    """Return the template that a call brings.

    :raises Refusal: if it cannot be had.
    """
    body, url = call.form.get("TemplateBody"), call.form.get("TemplateURL")
    if body and url:
        raise Refusal("You can specify either TemplateBody or TemplateURL, but not both.")
    if not url:
        return body
    if url == VENDOR_TEMPLATE_URL:
        return vendor_template()
    try:
        return get_stack_from_s3_url(url, account_id, "aws")
    except Exception as error:
        raise Refusal("S3 error: Access Denied") from error


def _find(account_id: str, call: AwsCall) -> Stack | None:
    """Return the stack that a call names, by its name or id."""
    wanted = call.form.get("StackName", "")
    return next((stack for stack in backend_of(account_id, call.region).stacks.values() if wanted in (stack.name, stack.stack_id)), None)


def call_parameters(call: AwsCall, kind: str = "Parameters") -> tuple[dict[str, str], list[str]]:
    """Return the parameters of a call: those with a value, and the names of those that keep theirs.

    :raises Refusal: if one has a value and keeps it, too.
    """
    given, kept = {}, []
    for key, name in call.form.items():
        match = re.fullmatch(rf"{kind}\.member\.(\d+)\.ParameterKey", key)
        if match is None:
            continue
        prefix = f"{kind}.member.{match[1]}"
        if call.form.get(f"{prefix}.UsePreviousValue", "").lower() == "true":
            if call.form.get(f"{prefix}.ParameterValue"):
                text = "Cannot specify usePreviousValue as true and non empty value for a parameter"
                raise Refusal(f"Invalid input for parameter key {name}. {text}")
            kept.append(name)
        else:
            given[name] = call.form.get(f"{prefix}.ParameterValue", "")
    return given, kept


def call_tags(call: AwsCall) -> dict[str, str] | None:
    """Return the tags of a call; ``None`` if it does not speak of tags.

    :raises Refusal: if there are too many, or AWS keeps one for itself.
    """
    if not any(key.startswith("Tags") for key in call.form):
        return None
    tags = call.tags(r"Tags\.member")
    if len(tags) > _TAG_LIMIT or any(key.lower().startswith("aws:") for key in tags):
        raise Refusal(f"A stack has at most {_TAG_LIMIT} tags, and their keys must not start with aws:")
    return tags
