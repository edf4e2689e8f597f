# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation's stack sets in an organization, with every call on record.

Operations take time: one ends when it has been looked at so many times.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

import botocore.client
import pytest
from botocore.stub import validate_parameters  # type: ignore[attr-defined]

from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import EVENT_BUS_SOURCES, parameters, template_body
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.rtm_world import ACCOUNT, CONFORMITY, OFF, refuse

Json = dict[str, t.Any]
Hook = t.Callable[["SetWorld", Json], None]

NAME = "CloudConformityMonitoring"
PROD, TEST, EMPTY = "ou-abcd-11111111", "ou-abcd-22222222", "ou-abcd-33333333"
FIRST, SECOND, THIRD = "222222222222", "333333333333", "444444444444"
REGIONS = ("us-east-1", "eu-central-1", *OFF)


@dataclass
class FakeOperation:
    id: str
    action: str
    status: str
    looks_left: int
    ending: t.Callable[[], str]


@dataclass
class FakeSet:
    template: str = field(default_factory=template_body)
    parameters: dict[str, str] = field(default_factory=lambda: parameters(CONFORMITY, EVENT_BUS_SOURCES))
    tags: dict[str, str] = field(default_factory=dict)
    auto: Json = field(default_factory=lambda: {"Enabled": True, "RetainStacksOnAccountRemoval": False})
    model: str = "SERVICE_MANAGED"
    targets: set[tuple[str, str]] = field(default_factory=set)
    instances: dict[tuple[str, str], Json] = field(default_factory=dict)
    operations: list[FakeOperation] = field(default_factory=list)


class SetWorld:
    """An organization. Its private methods are operations of AWS."""

    def __init__(self) -> None:
        self.units = {PROD: [FIRST, SECOND], TEST: [THIRD], EMPTY: []}
        self.found: FakeSet | None = None
        self.trusted = True
        self.looks = 1
        self.failing: dict[tuple[str, str], str] = {}  # accounts and regions in which an operation fails, and why
        self.hooks: dict[str, list[Hook]] = {}
        self.calls: list[tuple[str, Json]] = []

    @property
    def writes(self) -> list[str]:
        return [operation for operation, _arguments in self.calls if not operation.startswith(("Describe", "Get", "List"))]

    @property
    def set(self) -> FakeSet:
        assert self.found is not None
        return self.found

    def last(self, operation: str) -> Json:
        return [arguments for name, arguments in self.calls if name == operation][-1]

    def have(self, *units: str, regions: t.Sequence[str] = ("us-east-1", "eu-central-1"), **fields: t.Any) -> FakeSet:
        """Have a stack set that covers units."""
        self.found = FakeSet(**fields)
        self.found.targets = {(unit, region) for unit in units for region in regions}
        for unit in units:
            for account in self.units[unit]:
                for region in regions:
                    self.instance(account, region, unit)
        return self.found

    def instance(self, account: str, region: str, unit: str, status: str = "CURRENT", detailed: str = "SUCCEEDED", reason: str = "") -> None:
        """Have an instance in a state."""
        state = {"Status": status, "StackInstanceStatus": {"DetailedStatus": detailed}, "StatusReason": reason}
        self.set.instances[account, region] = {"Account": account, "Region": region, "OrganizationalUnitId": unit, **state}

    def on(self, operation: str, hook: Hook, *, times: int = 1) -> None:
        """Let something happen just before an operation."""
        self.hooks.setdefault(operation, []).extend([hook] * times)

    def fail(self, operation: str, code: str, message: str = "no", *, times: int = 1) -> None:
        self.on(operation, lambda _world, _arguments: refuse(operation, code, message), times=times)

    def begin(self, action: str, ending: t.Callable[[], str] = lambda: "SUCCEEDED") -> str:
        """Begin an operation, which ends with the status that ``ending`` returns."""
        operation = FakeOperation(f"operation-{len(self.set.operations) + 1}", action, "RUNNING", self.looks, ending)
        self.set.operations.append(operation)
        return operation.id

    def answer(self, operation: str, arguments: Json) -> Json:
        self.calls.append((operation, arguments))
        if self.hooks.get(operation):
            self.hooks[operation].pop(0)(self, arguments)
        answer: Json = getattr(self, f"_{operation}")(arguments)
        return answer

    def _GetCallerIdentity(self, _arguments: Json) -> Json:
        return {"Account": ACCOUNT}

    def _DescribeRegions(self, _arguments: Json) -> Json:
        return {"Regions": [{"RegionName": name, "OptInStatus": "not-opted-in" if name == OFF[0] else "opted-in"} for name in REGIONS]}

    def _DescribeOrganizationsAccess(self, _arguments: Json) -> Json:
        return {"Status": "ENABLED" if self.trusted else "DISABLED"}

    def _look(self, operation: str, arguments: Json) -> FakeSet:
        if self.found is None:
            refuse(operation, "StackSetNotFoundException", f"StackSet {arguments['StackSetName']} not found")
        return self.found

    def _idle(self, operation: str, arguments: Json) -> FakeSet:
        found = self._look(operation, arguments)
        if any(one.status == "RUNNING" for one in found.operations):
            refuse(operation, "OperationInProgressException", "Another Operation on StackSet is in progress.")
        return found

    def _DescribeStackSet(self, arguments: Json) -> Json:
        found = self._look("DescribeStackSet", arguments)
        stack_set = {
            "StackSetName": NAME,
            "StackSetId": f"{NAME}:1",
            "Status": "ACTIVE",
            "TemplateBody": found.template,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in found.parameters.items()],
            "Tags": [{"Key": key, "Value": value} for key, value in found.tags.items()],
            "PermissionModel": found.model,
            "OrganizationalUnitIds": sorted({unit for unit, _region in found.targets}),
        }
        return {"StackSet": {**stack_set, **({"AutoDeployment": found.auto} if found.auto else {})}}

    def _ListStackInstances(self, arguments: Json) -> Json:
        """In pages of two."""
        instances, start = list(self._look("ListStackInstances", arguments).instances.values()), int(arguments.get("NextToken", 0))
        more = {"NextToken": str(start + 2)} if start + 2 < len(instances) else {}
        return {"Summaries": instances[start : start + 2], **more}

    def _ListStackSetAutoDeploymentTargets(self, arguments: Json) -> Json:
        found = self._look("ListStackSetAutoDeploymentTargets", arguments)
        targets = found.targets if found.auto.get("Enabled") else set()
        return {"Summaries": [{"OrganizationalUnitId": unit, "Regions": [region]} for unit, region in sorted(targets)]}

    def _ListStackSetOperations(self, arguments: Json) -> Json:
        found = self._look("ListStackSetOperations", arguments)
        return {"Summaries": [{"OperationId": one.id, "Action": one.action, "Status": one.status} for one in reversed(found.operations)]}

    def _DescribeStackSetOperation(self, arguments: Json) -> Json:
        [operation] = [one for one in self.set.operations if one.id == arguments["OperationId"]]
        if operation.status == "RUNNING":
            if operation.looks_left == 0:
                operation.status = operation.ending()
            operation.looks_left -= 1
        reason = {"StatusReason": "Out of luck"} if operation.status == "FAILED" else {}
        return {"StackSetOperation": {"OperationId": operation.id, "Action": operation.action, "Status": operation.status, **reason}}

    def _CreateStackSet(self, arguments: Json) -> Json:
        if self.found is not None:
            refuse("CreateStackSet", "NameAlreadyExistsException", "The name is in use")
        self.found = FakeSet(model=arguments["PermissionModel"])
        self._define(arguments)
        return {"StackSetId": f"{NAME}:1"}

    def _UpdateStackSet(self, arguments: Json) -> Json:
        found = self._idle("UpdateStackSet", arguments)
        self._define(arguments)
        return {"OperationId": self._work("UPDATE", {key: instance["OrganizationalUnitId"] for key, instance in found.instances.items()})}

    def _define(self, arguments: Json) -> None:
        found = self.set
        found.template = arguments.get("TemplateBody") or f"# {arguments['TemplateURL']}\nResources: {{{NAME}: {{Type: AWS::Events::Rule}}}}\n"
        found.parameters = {one["ParameterKey"]: one["ParameterValue"] for one in arguments["Parameters"]}
        found.auto = arguments["AutoDeployment"]
        if "Tags" in arguments:
            found.tags = {tag["Key"]: tag["Value"] for tag in arguments["Tags"]}

    def _chosen(self, arguments: Json) -> dict[tuple[str, str], str]:
        """Accounts and regions that a call is about, and their units."""
        targets = arguments["DeploymentTargets"]
        named = targets.get("Accounts")
        assert named is None or targets["AccountFilterType"] == "INTERSECTION"
        return {
            (account, region): unit
            for unit in targets["OrganizationalUnitIds"]
            for account in self.units[unit]
            for region in arguments["Regions"]
            if named is None or account in named
        }

    def _CreateStackInstances(self, arguments: Json) -> Json:
        self._idle("CreateStackInstances", arguments)
        if "Accounts" not in arguments["DeploymentTargets"]:
            self.set.targets |= {(unit, region) for unit in arguments["DeploymentTargets"]["OrganizationalUnitIds"] for region in arguments["Regions"]}
        return {"OperationId": self._work("CREATE", self._chosen(arguments))}

    def _DeleteStackInstances(self, arguments: Json) -> Json:
        found = self._idle("DeleteStackInstances", arguments)
        chosen = [key for key in self._chosen(arguments) if key in found.instances]

        def end() -> str:
            for key in chosen:
                if key in self.failing:
                    self.instance(*key, found.instances[key]["OrganizationalUnitId"], "INOPERABLE", "INOPERABLE", self.failing[key])
                else:
                    del found.instances[key]
            return "FAILED" if any(key in self.failing for key in chosen) else "SUCCEEDED"

        return {"OperationId": self.begin("DELETE", end)}

    def _DeleteStackSet(self, arguments: Json) -> Json:
        if self._idle("DeleteStackSet", arguments).instances:
            refuse("DeleteStackSet", "StackSetNotEmptyException", "StackSet is not empty")
        self.found = None
        return {}

    def _work(self, action: str, chosen: t.Mapping[tuple[str, str], str]) -> str:
        for (account, region), unit in chosen.items():
            self.instance(account, region, unit, "OUTDATED", "PENDING")

        def end() -> str:
            for (account, region), unit in chosen.items():
                reason = self.failing.get((account, region))
                self.instance(account, region, unit, *(("OUTDATED", "FAILED", reason) if reason else ("CURRENT", "SUCCEEDED", "")))
            return "SUCCEEDED"

        return self.begin(action, end)


def put_in_place(monkeypatch: pytest.MonkeyPatch) -> SetWorld:
    """Put an organization in the place of AWS."""
    world = SetWorld()

    def make_api_call(client: t.Any, operation: str, arguments: Json) -> Json:
        validate_parameters(arguments, client.meta.service_model.operation_model(operation).input_shape)
        if "StackSet" in operation or "StackInstance" in operation:
            assert client.meta.region_name == "us-east-1"
        return world.answer(operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", make_api_call)
    return world
