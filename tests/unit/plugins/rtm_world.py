# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation, EventBridge and CloudTrail as RTM sees them: every state of a stack, drift behind its back, and every call on record.

Stacks take time: an operation ends when the stack has been looked at so many times.
"""

from __future__ import annotations

import copy
import json
import threading
import typing as t
import uuid
from dataclasses import dataclass, field
from types import SimpleNamespace

import botocore.client
import pytest
from botocore.exceptions import ClientError
from botocore.stub import validate_parameters  # type: ignore[attr-defined]

from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import EVENT_BUS_SOURCES, RULE_NAME, parameters, template

ACCOUNT = "123456789012"
CONFORMITY = "717210094962"
DEFAULTS = parameters(CONFORMITY, EVENT_BUS_SOURCES)
OFF = ("me-south-1", "ap-east-1", "af-south-1", "eu-south-1")
REGIONS = ("us-east-1", "us-east-2", "eu-central-1", "eu-west-1", "ap-northeast-3", *OFF)

# Templates in YAML, which CloudFormation gives back as text. Their content is that of the own one; the older lacks detail.
VENDOR = f"Parameters: {{A: {{Type: String}}}}\nResources:\n  {RULE_NAME}:\n    Type: AWS::Events::Rule\n"
OLDER = f"{VENDOR}    # older\n"

Json = dict[str, t.Any]
Hook = t.Callable[["Region", Json], None]


def refuse(operation: str, code: str, message: str) -> t.NoReturn:
    raise ClientError({"Error": {"Code": code, "Message": message}}, operation)


@dataclass
class FakeStack:
    name: str
    id: str
    template: str
    parameters: dict[str, str]
    status: str = "CREATE_COMPLETE"
    tags: dict[str, str] = field(default_factory=dict)
    protected: bool = False
    looks_left: int = 0
    ending: t.Callable[[], None] | None = None
    events: list[Json] = field(default_factory=list)  # the newest first


@dataclass
class FakeRule:
    pattern: Json
    targets: list[Json]
    owner: str | None
    state: str = "ENABLED"


@dataclass
class FakeTrail:
    name: str
    home: str
    multi_region: bool = True
    logging: bool = True
    selectors: Json | None = None  # its own ones

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudtrail:{self.home}:{ACCOUNT}:trail/{self.name}"


class Region:
    """One region. Its methods are operations of AWS."""

    def __init__(self, name: str, account: str = ACCOUNT) -> None:
        self.name = name
        self.account = account
        self.stacks: list[FakeStack] = []
        self.rule: FakeRule | None = None
        self.trails: list[FakeTrail] = []
        self.looks = 1
        self.failing: dict[str, str] = {}  # the operation of CloudFormation (create, update, delete) that fails, and why
        self.hooks: dict[str, list[Hook]] = {}
        self.denied: set[str] = set()
        self.calls: list[tuple[str, Json]] = []

    # What tests look at and prepare.

    @property
    def writes(self) -> list[str]:
        return [operation for operation, _parameters in self.calls if not operation.startswith(("Describe", "Get", "List"))]

    @property
    def stack(self) -> FakeStack | None:
        return next((stack for stack in self.stacks if stack.status != "DELETE_COMPLETE"), None)

    def render(self, body: str, values: t.Mapping[str, str]) -> tuple[Json, list[Json]]:
        """Event pattern and targets that a template makes."""
        properties = (json.loads(body) if body.startswith("{") else template())["Resources"][RULE_NAME]["Properties"]

        def resolved(value: t.Any) -> t.Any:
            if isinstance(value, list):
                return [resolved(one) for one in value]
            if not isinstance(value, dict):
                return value
            if "Ref" in value:
                return {**DEFAULTS, **values, "AWS::AccountId": self.account, "AWS::Region": self.name}[value["Ref"]]
            if "Fn::Split" in value:
                return resolved(value["Fn::Split"][1]).split(value["Fn::Split"][0])
            if "Fn::Sub" in value:
                text = value["Fn::Sub"].replace("${AWS::Region}", self.name)
                for name, one in {**DEFAULTS, **values}.items():
                    text = text.replace(f"${{{name}}}", one)
                return text
            return {key: resolved(one) for key, one in value.items()}

        pattern = resolved(properties["EventPattern"])
        if body == OLDER:
            del pattern["detail"]
        return pattern, resolved(properties["Targets"])

    def have(self, body: str | None = None, *, owner: str = RULE_NAME, rule: bool = True, **fields: t.Any) -> FakeStack:
        """Have a stack, and with it the rule."""
        body = body or json.dumps(template())
        stack = FakeStack(owner, f"arn:aws:cloudformation:{self.name}:{self.account}:stack/{owner}/{uuid.uuid4()}", body, dict(DEFAULTS))
        for name, value in fields.items():
            setattr(stack, name, value)
        self.stacks.append(stack)
        if rule:
            self.rule = FakeRule(*self.render(body, stack.parameters), owner)
        return stack

    def on(self, operation: str, hook: Hook, *, times: int = 1) -> None:
        """Let something happen just before an operation."""
        self.hooks.setdefault(operation, []).extend([hook] * times)

    def fail(self, operation: str, code: str, message: str = "no", *, times: int = 1) -> None:
        self.on(operation, lambda _region, _parameters: refuse(operation, code, message), times=times)

    def answer(self, operation: str, arguments: Json) -> Json:
        self.calls.append((operation, arguments))
        if self.hooks.get(operation):
            self.hooks[operation].pop(0)(self, arguments)
        if operation in self.denied:
            refuse(operation, "AccessDenied", f"User is not authorized to perform {operation}")
        answer: Json = getattr(self, f"_{operation}")(arguments)
        return answer

    # CloudFormation.

    def _find(self, operation: str, name_or_id: str) -> FakeStack:
        for stack in self.stacks:
            if name_or_id == stack.id or (name_or_id == stack.name and stack.status != "DELETE_COMPLETE"):
                return stack
        refuse(operation, "ValidationError", f"Stack with id {name_or_id} does not exist")

    def _begin(self, stack: FakeStack, status: str, ending: t.Callable[[], None]) -> None:
        stack.status, stack.looks_left, stack.ending = status, self.looks, ending
        self._event(stack, status, "User Initiated")

    def _event(self, stack: FakeStack, status: str, reason: str | None = None, *, of_rule: bool = False) -> None:
        resource = {"LogicalResourceId": RULE_NAME, "PhysicalResourceId": ""} if of_rule else {"LogicalResourceId": stack.name, "PhysicalResourceId": stack.id}
        event = {"StackId": stack.id, "StackName": stack.name, "EventId": str(uuid.uuid4()), "Timestamp": 0, "ResourceStatus": status, **resource}
        stack.events.insert(0, {**event, **({"ResourceStatusReason": reason} if reason else {})})

    def _end(self, stack: FakeStack, status: str) -> None:
        stack.status = status
        self._event(stack, status)

    def _fails(self, stack: FakeStack, what: str) -> bool:
        reason = self.failing.get(what)
        if what == "create" and self.rule is not None and reason is None:
            reason = f"{RULE_NAME} already exists in another stack"
        if reason:
            self._event(stack, f"{what.upper()}_FAILED", reason, of_rule=True)
            self._event(stack, f"{what.upper()}_FAILED", "Resource creation cancelled", of_rule=True)
        return bool(reason)

    def _DescribeStacks(self, arguments: Json) -> Json:
        stack = self._find("DescribeStacks", arguments["StackName"])
        if stack.ending is not None:
            if stack.looks_left == 0:
                ending, stack.ending = stack.ending, None
                ending()
                if stack.status == "DELETE_COMPLETE" and arguments["StackName"] == stack.name:
                    refuse("DescribeStacks", "ValidationError", f"Stack with id {stack.name} does not exist")
            else:
                stack.looks_left -= 1
        found = {
            "StackName": stack.name,
            "StackId": stack.id,
            "StackStatus": stack.status,
            "CreationTime": 0,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
            "EnableTerminationProtection": stack.protected,
        }
        return {"Stacks": [found]}

    def _GetTemplate(self, arguments: Json) -> Json:
        stack = self._find("GetTemplate", arguments["StackName"])
        if stack.status == "REVIEW_IN_PROGRESS":
            refuse("GetTemplate", "ValidationError", f"Template for stack {stack.name} does not exist")
        # boto3 turns a template in JSON into a dictionary.
        return {"TemplateBody": json.loads(stack.template) if stack.template.startswith("{") else stack.template}

    def _DescribeStackResources(self, arguments: Json) -> Json:
        physical_id = arguments["PhysicalResourceId"]
        if self.rule is None or self.rule.owner is None:
            refuse("DescribeStackResources", "ValidationError", f"Stack for {physical_id} does not exist")
        common = {"StackName": self.rule.owner, "Timestamp": 0, "ResourceStatus": "CREATE_COMPLETE"}
        topic = {**common, "LogicalResourceId": "Topic", "PhysicalResourceId": RULE_NAME, "ResourceType": "AWS::SNS::Topic"}
        gone = {**common, "StackName": "gone", "LogicalResourceId": "R", "PhysicalResourceId": RULE_NAME, "ResourceType": "AWS::Events::Rule"}
        rule = {**common, "LogicalResourceId": "R", "PhysicalResourceId": RULE_NAME, "ResourceType": "AWS::Events::Rule"}
        return {"StackResources": [topic, {**gone, "ResourceStatus": "DELETE_COMPLETE"}, rule]}

    def _DescribeStackEvents(self, arguments: Json) -> Json:
        return {"StackEvents": self._find("DescribeStackEvents", arguments["StackName"]).events}

    def _CreateStack(self, arguments: Json) -> Json:
        if self.stack is not None and any(stack.name == arguments["StackName"] and stack.status != "DELETE_COMPLETE" for stack in self.stacks):
            refuse("CreateStack", "AlreadyExistsException", f"Stack [{arguments['StackName']}] already exists")
        stack = self.have(_body(arguments), owner=arguments["StackName"], rule=False, parameters=_parameters(arguments), tags=_tags(arguments))

        def end() -> None:
            if self._fails(stack, "create"):
                self._event(stack, "ROLLBACK_IN_PROGRESS")
                return self._end(stack, "ROLLBACK_COMPLETE")
            self.rule = FakeRule(*self.render(stack.template, stack.parameters), stack.name)
            return self._end(stack, "CREATE_COMPLETE")

        self._begin(stack, "CREATE_IN_PROGRESS", end)
        return {"StackId": stack.id}

    def _UpdateStack(self, arguments: Json) -> Json:
        stack = self._find("UpdateStack", arguments["StackName"])
        if stack.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"):
            refuse("UpdateStack", "ValidationError", f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        body, values = _body(arguments), _parameters(arguments)
        tags = _tags(arguments) if "Tags" in arguments else stack.tags
        before, after = self.render(stack.template, stack.parameters), self.render(body, values)
        if (before, stack.parameters, stack.tags) == (after, values, tags):
            refuse("UpdateStack", "ValidationError", "No updates are to be performed.")

        def end() -> None:
            if self._fails(stack, "update"):
                return self._end(stack, "UPDATE_ROLLBACK_COMPLETE")
            if before != after:
                # Targets of which the template does not know stay.
                others = [target for target in (self.rule.targets if self.rule else []) if target["Id"] not in {one["Id"] for one in after[1]}]
                self.rule = FakeRule(after[0], others + after[1], stack.name)
            stack.template, stack.parameters, stack.tags = body, values, tags
            return self._end(stack, "UPDATE_COMPLETE")

        self._begin(stack, "UPDATE_IN_PROGRESS", end)
        return {"StackId": stack.id}

    def _DeleteStack(self, arguments: Json) -> Json:
        stack = self._find("DeleteStack", arguments["StackName"])
        if stack.protected:
            refuse("DeleteStack", "ValidationError", f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")

        def end() -> None:
            if self._fails(stack, "delete"):
                return self._end(stack, "DELETE_FAILED")
            if self.rule is not None and self.rule.owner == stack.name:
                self.rule = None
            return self._end(stack, "DELETE_COMPLETE")

        self._begin(stack, "DELETE_IN_PROGRESS", end)
        return {}

    def _UpdateTerminationProtection(self, arguments: Json) -> Json:
        stack = self._find("UpdateTerminationProtection", arguments["StackName"])
        stack.protected = arguments["EnableTerminationProtection"]
        return {"StackId": stack.id}

    # EventBridge.

    def _rule(self, operation: str) -> FakeRule:
        return self.rule or refuse(operation, "ResourceNotFoundException", f"Rule {RULE_NAME} does not exist on EventBus default.")

    def _DescribeRule(self, _arguments: Json) -> Json:
        rule = self._rule("DescribeRule")
        arn = f"arn:aws:events:{self.name}:{self.account}:rule/{RULE_NAME}"
        return {"Name": RULE_NAME, "Arn": arn, "EventPattern": json.dumps(rule.pattern), "State": rule.state, "Description": "described"}

    def _ListTargetsByRule(self, _arguments: Json) -> Json:
        return {"Targets": copy.deepcopy(self._rule("ListTargetsByRule").targets)}

    def _EnableRule(self, _arguments: Json) -> Json:
        self._rule("EnableRule").state = "ENABLED"
        return {}

    def _PutRule(self, arguments: Json) -> Json:
        self.rule = self.rule or FakeRule({}, [], self.stack.name if self.stack else None)
        self.rule.pattern, self.rule.state = json.loads(arguments["EventPattern"]), arguments["State"]
        return {"RuleArn": f"arn:aws:events:{self.name}:{self.account}:rule/{RULE_NAME}"}

    def _PutTargets(self, arguments: Json) -> Json:
        rule = self._rule("PutTargets")
        new = arguments["Targets"]
        rule.targets = [target for target in rule.targets if target["Id"] not in {one["Id"] for one in new}] + new
        return {"FailedEntryCount": 0, "FailedEntries": []}

    # CloudTrail.

    def _trail(self, operation: str, arn: str) -> FakeTrail:
        for trail in self.trails:
            if trail.arn == arn:
                return trail
        refuse(operation, "TrailNotFoundException", f"Unknown trail: {arn}")

    def _DescribeTrails(self, _arguments: Json) -> Json:
        described = [
            {"Name": trail.name, "TrailARN": trail.arn, "HomeRegion": trail.home, "IsMultiRegionTrail": trail.multi_region}
            | {"HasCustomEventSelectors": trail.selectors is not None}
            for trail in self.trails
        ]
        return {"trailList": described}

    def _GetTrailStatus(self, arguments: Json) -> Json:
        return {"IsLogging": self._trail("GetTrailStatus", arguments["Name"]).logging}

    def _GetEventSelectors(self, arguments: Json) -> Json:
        return self._trail("GetEventSelectors", arguments["TrailName"]).selectors or {}

    # What every account has.

    def _GetCallerIdentity(self, _arguments: Json) -> Json:
        return {"Account": self.account, "Arn": f"arn:aws:iam::{self.account}:user/test", "UserId": "AIDAEXAMPLE"}

    def _DescribeRegions(self, arguments: Json) -> Json:
        def opt_in(region: str) -> str:
            return "not-opted-in" if region in OFF[1:] else "opted-in" if region == OFF[0] else "opt-in-not-required"

        return {"Regions": [{"RegionName": region, "OptInStatus": opt_in(region)} for region in REGIONS if arguments["AllRegions"]]}


class Clients:
    """Clients of the regions, without boto3: for tests that make many calls."""

    def __init__(self, *regions: Region) -> None:
        self._regions = {region.name: region for region in regions}

    def client(self, service: str, region: str) -> t.Any:
        return _Client(service, self._regions[region])


class _Client:
    def __init__(self, service: str, region: Region) -> None:
        self._region = region
        self.meta = SimpleNamespace(service_model=SimpleNamespace(signing_name=service), region_name=region.name, method_to_api_mapping=_Operations())

    def __getattr__(self, method: str) -> t.Callable[..., Json]:
        return lambda **arguments: self._region.answer(_Operations()[method], arguments)


class _Operations(dict[str, str]):
    def __missing__(self, method: str) -> str:
        return "".join(word.title() for word in method.split("_"))


class RtmWorld:
    """All regions, behind boto3."""

    def __init__(self) -> None:
        self.regions = {name: Region(name) for name in REGIONS}
        self._lock = threading.Lock()

    def __getitem__(self, region: str) -> Region:
        return self.regions[region]

    @property
    def writes(self) -> list[str]:
        return [write for region in self.regions.values() for write in region.writes]

    def have_trail(self, home: str = "us-east-1", **fields: t.Any) -> FakeTrail:
        """Have a trail; one for all regions is seen in all."""
        trail = FakeTrail("management", home, **fields)
        for region in self.regions.values():
            if trail.multi_region or region.name == home:
                region.trails.append(trail)
        return trail

    def answer(self, client: t.Any, operation: str, arguments: Json) -> Json:
        model = client.meta.service_model.operation_model(operation)
        validate_parameters(arguments, model.input_shape)
        region = self.regions[client.meta.region_name]
        if region.name in OFF[1:]:
            refuse(operation, "InvalidClientTokenId", "The security token included in the request is invalid.")
        with self._lock:
            return region.answer(operation, arguments)


def put_in_place(monkeypatch: pytest.MonkeyPatch) -> RtmWorld:
    """Put a world in the place of AWS."""
    world = RtmWorld()

    def make_api_call(client: t.Any, operation: str, arguments: Json) -> Json:
        return world.answer(client, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", make_api_call)
    return world


def _body(arguments: Json) -> str:
    # Behind any URL is the vendor's template.
    return VENDOR if "TemplateURL" in arguments else str(arguments["TemplateBody"])


def _parameters(arguments: Json) -> dict[str, str]:
    return {one["ParameterKey"]: one["ParameterValue"] for one in arguments["Parameters"]}


def _tags(arguments: Json) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in arguments.get("Tags", [])}
