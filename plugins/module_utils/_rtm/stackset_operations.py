# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation's stack sets: reading one, writing it, and waiting for its operations."""

from __future__ import annotations

import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, Client, Response, call, pages
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.operations import OvertakenError, Patience
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_model import (
    SERVICE_MANAGED,
    AutoDeployment,
    Instance,
    ObservedSet,
    Operation,
    Pair,
    StackSet,
    WantedSet,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_plan import Batch, SetPlan, SetStep
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import template_body

# Another run was faster.
_OVERTAKEN = {
    "NameAlreadyExistsException",
    "OperationInProgressException",
    "StackSetNotEmptyException",
    "StackSetNotFoundException",
    "StaleRequestException",
}


class SetOperator:
    """One stack set in AWS.

    :param region: the region in which the set is kept.
    :param patience: how long all waiting may take.
    :ivar operations: those that were begun or waited for, by their ids, as they were last.
    :ivar changed: whether AWS has accepted a write.
    """

    def __init__(self, clients: AwsClients, region: str, wanted: WantedSet, patience: Patience) -> None:
        """
        :raises InputError: boto3 is too old.
        """
        self._client: Client = clients.client("cloudformation", region)
        if not hasattr(self._client, "list_stack_set_auto_deployment_targets"):
            raise InputError("boto3 is too old: it does not know cloudformation:ListStackSetAutoDeploymentTargets. Install boto3 1.34.65 or later.")
        self._region = region
        self._wanted = wanted
        self._looks = patience.looks()
        self._named = {"StackSetName": wanted.rtm.stack_name, "CallAs": wanted.call_as}
        self.operations: dict[str, Operation] = {}
        self.changed = False

    def observe(self) -> ObservedSet:
        """What stands. Nothing is written.

        :raises AwsError: it cannot be read.
        """
        try:
            found = call(self._client, "describe_stack_set", **self._named)["StackSet"]
        except AwsError as error:
            if error.code != "StackSetNotFoundException":
                raise
            return ObservedSet(None, trusted=self._is_trusted() if self._wanted.rtm.present else True)
        managed = found.get("PermissionModel") == SERVICE_MANAGED
        auto_deployment = found.get("AutoDeployment") or {}
        return ObservedSet(
            StackSet(
                name=found["StackSetName"],
                id=found["StackSetId"],
                status=found["Status"],
                permission_model=found.get("PermissionModel", "SELF_MANAGED"),
                template=found.get("TemplateBody"),
                parameters={parameter["ParameterKey"]: parameter.get("ParameterValue", "") for parameter in found.get("Parameters", [])},
                tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
                auto_deployment=AutoDeployment(bool(auto_deployment.get("Enabled")), bool(auto_deployment.get("RetainStacksOnAccountRemoval"))),
                units=frozenset(found.get("OrganizationalUnitIds", [])),
                targets=self._auto_deployed() if managed else frozenset(),
                instances=self._instances() if managed else (),
                operation=self._operation_under_way() if managed else None,
            )
        )

    def carry_out(self, plan: SetPlan, observed: ObservedSet) -> None:
        """Do the step of a plan, and wait until CloudFormation has done it.

        :raises OvertakenError: the set was changed by another run in between; nothing was done.
        :raises AwsError: AWS refused it.
        :raises CloudOneError: CloudFormation has not finished in time.
        """
        try:
            answer = self._write(plan, observed)
        except AwsError as error:
            if error.code in _OVERTAKEN:
                raise OvertakenError(str(error)) from error
            raise
        self.changed = True
        if answer.get("OperationId"):
            self.await_end(answer["OperationId"])

    def await_end(self, operation_id: str) -> None:
        """Wait for the end of an operation, whatever comes of it.

        :raises AwsError: it cannot be read.
        :raises CloudOneError: the time is over.
        """
        while True:
            found = call(self._client, "describe_stack_set_operation", **self._named, OperationId=operation_id)["StackSetOperation"]
            operation = _operation(found)
            self.operations[operation_id] = operation
            if not operation.in_progress:
                return
            self.pause(f"The operation {operation.id} ({operation.action}) on the stack set is still {operation.status}")

    def pause(self, why: str) -> None:
        """Let some time go by, longer each time.

        :raises CloudOneError: there is no more time; ``why`` says what for.
        """
        try:
            next(self._looks)
        except StopIteration:
            raise CloudOneError(
                f"{why} when the time for waiting (wait_timeout) is over. CloudFormation goes on with what it has begun; run again to have the rest done."
            ) from None

    def _write(self, plan: SetPlan, observed: ObservedSet) -> Response:
        wanted = self._wanted
        if plan.step is SetStep.CREATE_SET:
            return call(self._client, "create_stack_set", **self._named, **self._definition({}), PermissionModel=SERVICE_MANAGED)
        if plan.step is SetStep.UPDATE_SET:
            definition = self._definition(observed.found.tags if observed.found else {})
            return call(self._client, "update_stack_set", **self._named, **definition, OperationPreferences=wanted.preferences)
        if plan.batch is None:
            return call(self._client, "delete_stack_set", **self._named)
        about = {"DeploymentTargets": _targets(plan.batch), "Regions": list(plan.batch.regions), "OperationPreferences": wanted.preferences}
        if plan.step is SetStep.CREATE_INSTANCES:
            return call(self._client, "create_stack_instances", **self._named, **about)
        return call(self._client, "delete_stack_instances", **self._named, **about, RetainStacks=wanted.retain_stacks)

    def _definition(self, present_tags: t.Mapping[str, str]) -> dict[str, t.Any]:
        """What makes the set what it is. Tags that are named replace all that there are; without any, all stay."""
        wanted = self._wanted
        rtm, auto = wanted.rtm, wanted.auto_deployment
        tags = {**present_tags, **rtm.tags} if rtm.tags else {}
        return {
            **({"TemplateURL": rtm.template_url} if rtm.template_url else {"TemplateBody": template_body()}),
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in rtm.parameters.items()],
            "AutoDeployment": {"Enabled": auto.enabled, **({"RetainStacksOnAccountRemoval": auto.retain} if auto.enabled else {})},
            **({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]} if tags else {}),
        }

    def _is_trusted(self) -> bool:
        answer = call(self._client, "describe_organizations_access", CallAs=self._wanted.call_as)
        return bool(answer.get("Status") == "ENABLED")

    def _auto_deployed(self) -> frozenset[Pair]:
        targets = pages(self._client, "list_stack_set_auto_deployment_targets", "Summaries", **self._named)
        return frozenset((target["OrganizationalUnitId"], region) for target in targets for region in target.get("Regions", []))

    def _instances(self) -> tuple[Instance, ...]:
        return tuple(
            Instance(
                account_id=found["Account"],
                region=found["Region"],
                unit_id=found.get("OrganizationalUnitId", ""),
                status=found["Status"],
                detailed_status=found.get("StackInstanceStatus", {}).get("DetailedStatus"),
                reason=found.get("StatusReason") or None,
            )
            for found in pages(self._client, "list_stack_instances", "Summaries", **self._named)
        )

    def _operation_under_way(self) -> Operation | None:
        """The list may be a little behind: an operation whose end was seen has ended."""
        for found in pages(self._client, "list_stack_set_operations", "Summaries", **self._named):
            operation = _operation(found)
            ended = operation.id in self.operations and not self.operations[operation.id].in_progress
            if operation.in_progress and not ended:
                return operation
        return None


def _operation(found: t.Mapping[str, t.Any]) -> Operation:
    return Operation(found["OperationId"], found["Action"], found["Status"], found.get("StatusReason") or None)


def _targets(batch: Batch) -> dict[str, t.Any]:
    accounts = {"Accounts": list(batch.accounts), "AccountFilterType": "INTERSECTION"} if batch.accounts else {}
    return {"OrganizationalUnitIds": list(batch.units), **accounts}
