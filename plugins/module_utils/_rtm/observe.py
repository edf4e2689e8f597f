# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what stands in one region. Nothing is written, and an error is never taken for "there is nothing"."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import DENIED, AwsClients, Client, Response, call
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._json import read_json
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import USABLE, Observed, Rule, Stack
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import RULE_NAME, RULE_TYPE, Json


def observe(clients: AwsClients, region: str, *, account_id: str, stack_name: str, stack: Stack | None = None) -> Observed:
    """What stands in a region. While CloudFormation is at work on the stack, there is no point in looking at more than that.

    :param stack: the stack, if it has just been read.
    :raises AwsError: it cannot be read.
    """
    cloudformation = clients.client("cloudformation", region)
    stack = stack or read_stack(cloudformation, stack_name)
    if stack is not None and stack.in_progress:
        return Observed(account_id, region, stack, rule=None)
    if stack is not None:
        template = _if_there(cloudformation, "get_template", StackName=stack.id)
        stack = dataclasses.replace(stack, template=template["TemplateBody"] if template else None)
    return Observed(account_id, region, stack, _read_rule(clients.client("events", region), cloudformation, stack))


def read_stack(cloudformation: Client, name_or_id: str) -> Stack | None:
    """A stack without its template, or ``None`` if there is none, or it was deleted.

    :raises AwsError: it cannot be read.
    """
    answer = _if_there(cloudformation, "describe_stacks", StackName=name_or_id)
    if answer is None or answer["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE":
        return None
    found = answer["Stacks"][0]
    return Stack(
        name=found["StackName"],
        id=found["StackId"],
        status=found["StackStatus"],
        reason=found.get("StackStatusReason"),
        parameters={parameter["ParameterKey"]: parameter.get("ParameterValue", "") for parameter in found.get("Parameters", [])},
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
        protected=bool(found.get("EnableTerminationProtection")),
    )


def _read_rule(events: Client, cloudformation: Client, stack: Stack | None) -> Rule | None:
    found = _if_there(events, "describe_rule", Name=RULE_NAME)
    if found is None:
        return None
    targets = _if_there(events, "list_targets_by_rule", Rule=RULE_NAME)
    owner, owner_known = _owner(cloudformation, stack)
    return Rule(
        arn=found["Arn"],
        state=found["State"],
        pattern=read_pattern(found.get("EventPattern")),
        targets=tuple(targets["Targets"]) if targets else (),
        owner=owner,
        owner_known=owner_known,
        description=found.get("Description"),
    )


def read_pattern(text: str | None) -> Json:
    """An event pattern; an empty one, which is another than any that is wanted, if there is none or it cannot be read."""
    try:
        pattern = read_json(text or "{}")
    except ValueError:
        return {}
    return pattern if isinstance(pattern, dict) else {}


def _owner(cloudformation: Client, stack: Stack | None) -> tuple[str | None, bool]:
    """The name of the stack that holds the rule, and whether that is known.

    No two stacks can hold a rule of one name, so a stack of ours that is complete holds it.
    """
    if stack is not None and stack.status in USABLE and stack.mismatch is None:
        return stack.name, True
    try:
        answer = _if_there(cloudformation, "describe_stack_resources", PhysicalResourceId=RULE_NAME)
    except AwsError as error:
        if error.code in DENIED:
            return None, False
        raise
    for resource in answer["StackResources"] if answer else []:
        # All resources of the stack are listed, those of a stack that was deleted as well.
        if (resource.get("PhysicalResourceId"), resource["ResourceType"]) == (RULE_NAME, RULE_TYPE) and resource["ResourceStatus"] != "DELETE_COMPLETE":
            return resource["StackName"], True
    return None, True


def _if_there(client: Client, method: str, **arguments: t.Any) -> Response | None:
    """The answer to a question for one thing, ``None`` if AWS says that it does not exist.

    :raises AwsError: any other refusal.
    """
    try:
        return call(client, method, **arguments)
    except AwsError as error:
        if error.code == "ResourceNotFoundException" or is_missing(error):
            return None
        raise


def is_missing(error: AwsError) -> bool:
    """Whether CloudFormation says that there is no such stack. It has no error code of its own for that."""
    return error.code == "ValidationError" and "does not exist" in str(error)
