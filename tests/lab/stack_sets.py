# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFormation's operations on stack sets whose permissions the organization gives; sets of another kind are moto's business."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable
from datetime import UTC, datetime

from lab.aws_answer import AwsAnswer, Content
from lab.aws_call import AwsCall
from lab.aws_errors import AwsFailure
from lab.cloudformation import Refusal, call_parameters, call_tags, call_template
from lab.organization import accounts_below, has_unit, organization_of
from lab.stack_life import Wanted
from lab.stack_set_life import Instance, Operation, Preferences, StackSet, StackSetLife
from lab.stack_template import TemplateRefused, complete_parameters, parse_template

PAGE = 100
_NAME = re.compile(r"^[a-zA-Z][-a-zA-Z0-9]{0,127}$")
MOST_UNITS = 50
_UNITS = "DeploymentTargets.OrganizationalUnitIds.member"
_ACCOUNTS = "DeploymentTargets.Accounts.member"


class StackSets:
    """Answers for all managing accounts and regions. Whoever calls holds moto's lock.

    :param trusted: whether StackSets have trusted access to the organization.
    """

    def __init__(self, life: StackSetLife, *, trusted: bool) -> None:
        self._life = life
        self._trusted = trusted
        self._sets: dict[tuple[str, str, str], StackSet] = {}
        self._operations: dict[str, Callable[[StackSet, AwsCall], AwsAnswer]] = {
            "DescribeStackSet": self._describe,
            "UpdateStackSet": self._update,
            "DeleteStackSet": self._delete,
            "CreateStackInstances": self._create_instances,
            "DeleteStackInstances": self._delete_instances,
            "ListStackInstances": self._list_instances,
            "DescribeStackInstance": self._describe_instance,
            "DescribeStackSetOperation": self._describe_operation,
            "ListStackSetOperations": self._list_operations,
            "ListStackSetOperationResults": self._list_results,
            "ListStackSetAutoDeploymentTargets": self._list_auto_deployment,
        }

    def answer(self, account_id: str, call: AwsCall) -> AwsAnswer | AwsFailure | None:
        """Answer a call; ``None`` if that is moto's business."""
        try:
            if call.action == "DescribeOrganizationsAccess":
                return AwsAnswer({"Status": "ENABLED" if self._trusted else "DISABLED"})
            if call.action == "ActivateOrganizationsAccess":
                self._trusted = True
                return AwsAnswer({})
            if call.action == "CreateStackSet" and call.form.get("PermissionModel") == "SERVICE_MANAGED":
                return self._create(account_id, call)
            if call.action == "ListStackSets":
                return self._list(account_id, call)
            stack_set = self._find(account_id, call)
            operation = self._operations.get(call.action)
            if operation is None or stack_set is None:
                return None
            stack_set.settle()
            return operation(stack_set, call)
        except Refusal as error:
            return error.failure
        except TemplateRefused as error:
            return AwsFailure("ValidationError", str(error))

    def _find(self, account_id: str, call: AwsCall) -> StackSet | None:
        """Return the set that a call names, by its name or id."""
        wanted = call.form.get("StackSetName", "")
        return next((one for one in self._here(account_id, call) if wanted in (one.name, one.id)), None)

    def _here(self, account_id: str, call: AwsCall) -> list[StackSet]:
        """Return the sets that the caller has in the region of the call."""
        return [one for (manager_id, region, _name), one in self._sets.items() if (manager_id, region) == (account_id, call.region)]

    def _create(self, account_id: str, call: AwsCall) -> AwsAnswer:
        name, organization = call.form.get("StackSetName", ""), organization_of(account_id).org
        if not _NAME.match(name):
            raise Refusal(f"1 validation error detected: Value '{name}' at 'stackSetName' failed to satisfy constraint")
        if organization is None or organization.master_account_id != account_id or not self._trusted:
            raise Refusal("You must enable organizations access to operate a service managed stack set")
        if (account_id, call.region, name) in self._sets:
            raise Refusal("The specified name is already in use", "NameAlreadyExistsException")
        auto_deployment = _auto_deployment(call)
        if auto_deployment is None:
            raise Refusal("AutoDeployment must be specified for stack sets with SERVICE_MANAGED permission model")
        wanted = _wanted(account_id, call, None)
        stack_set = StackSet(name, account_id, call.region, wanted, call.form.get("Description", ""), auto_deployment)
        self._sets[account_id, call.region, name] = stack_set
        return AwsAnswer({"StackSetId": stack_set.id})

    def _list(self, account_id: str, call: AwsCall) -> AwsAnswer:
        sets = self._here(account_id, call) if call.form.get("Status", "ACTIVE") == "ACTIVE" else []
        return _page(call, [{"StackSetName": one.name, "StackSetId": one.id, "Description": one.description, **_kind(one)} for one in sets])

    @staticmethod
    def _describe(stack_set: StackSet, _call: AwsCall) -> AwsAnswer:
        parameters: list[Content] = [{"ParameterKey": name, "ParameterValue": value} for name, value in stack_set.wanted.parameters.items()]
        tags: list[Content] = [{"Key": key, "Value": value} for key, value in (stack_set.wanted.tags or {}).items()]
        shown: dict[str, Content] = {
            "StackSetName": stack_set.name,
            "StackSetId": stack_set.id,
            "StackSetARN": stack_set.arn,
            "Description": stack_set.description,
            "TemplateBody": stack_set.wanted.template,
            "Parameters": parameters,
            "Tags": tags,
            "OrganizationalUnitIds": sorted({unit for unit, _region in stack_set.targets}),
            "Regions": sorted({instance.region for instance in stack_set.instances.values()}),
            **_kind(stack_set),
        }
        return AwsAnswer({"StackSet": shown})

    def _update(self, stack_set: StackSet, call: AwsCall) -> AwsAnswer:
        _check_idle(stack_set)
        wanted = _wanted(stack_set.manager_id, call, stack_set.wanted)
        instances = list(stack_set.instances.values())
        if call.values(_UNITS) or call.values("Regions.member"):
            if _auto_deployment(call) is not None:
                raise Refusal("AutoDeployment cannot be specified together with DeploymentTargets or Regions")
            targets = _targets(stack_set, call)
            instances = [instance for instance in instances if (instance.account_id, instance.region) in targets]
        stack_set.wanted = wanted
        stack_set.description = call.form.get("Description", stack_set.description)
        stack_set.auto_deployment = _auto_deployment(call) or stack_set.auto_deployment
        operation = self._life.start(stack_set, "UPDATE", instances, _preferences(call), operation_id=call.form.get("OperationId", ""))
        return AwsAnswer({"OperationId": operation.id})

    def _delete(self, stack_set: StackSet, _call: AwsCall) -> AwsAnswer:
        _check_idle(stack_set)
        if stack_set.instances:
            raise Refusal("StackSet is not empty", "StackSetNotEmptyException")
        del self._sets[stack_set.manager_id, stack_set.region, stack_set.name]
        return AwsAnswer({})

    def _create_instances(self, stack_set: StackSet, call: AwsCall) -> AwsAnswer:
        _check_idle(stack_set)
        overrides, _kept = call_parameters(call, "ParameterOverrides")
        instances = []
        for (account_id, region), unit_id in _targets(stack_set, call).items():
            instance = stack_set.instances.setdefault((account_id, region), Instance(account_id, region, unit_id))
            instance.overrides = overrides
            instances.append(instance)
        if not call.values(_ACCOUNTS):
            stack_set.targets |= _pairs(call)
        operation = self._life.start(stack_set, "CREATE", instances, _preferences(call), operation_id=call.form.get("OperationId", ""))
        return AwsAnswer({"OperationId": operation.id})

    def _delete_instances(self, stack_set: StackSet, call: AwsCall) -> AwsAnswer:
        _check_idle(stack_set)
        if "RetainStacks" not in call.form:
            raise Refusal("1 validation error detected: Value null at 'retainStacks' failed to satisfy constraint: Member must not be null")
        instances = [stack_set.instances[target] for target in _targets(stack_set, call) if target in stack_set.instances]
        retain = call.form["RetainStacks"].lower() == "true"
        if not call.values(_ACCOUNTS):
            stack_set.targets -= _pairs(call)
        operation = self._life.start(stack_set, "DELETE", instances, _preferences(call), operation_id=call.form.get("OperationId", ""), retain=retain)
        return AwsAnswer({"OperationId": operation.id})

    @staticmethod
    def _list_instances(stack_set: StackSet, call: AwsCall) -> AwsAnswer:
        account_id, region = call.form.get("StackInstanceAccount"), call.form.get("StackInstanceRegion")
        shown = [
            _instance(stack_set, instance)
            for instance in stack_set.instances.values()
            if account_id in (None, instance.account_id) and region in (None, instance.region)
        ]
        return _page(call, shown)

    @staticmethod
    def _describe_instance(stack_set: StackSet, call: AwsCall) -> AwsAnswer:
        instance = stack_set.instances.get((call.form.get("StackInstanceAccount", ""), call.form.get("StackInstanceRegion", "")))
        if instance is None:
            raise Refusal("The specified stack instance doesn't exist.", "StackInstanceNotFoundException")
        overrides: list[Content] = [{"ParameterKey": name, "ParameterValue": value} for name, value in instance.overrides.items()]
        return AwsAnswer({"StackInstance": {**_instance(stack_set, instance), "ParameterOverrides": overrides}})

    @staticmethod
    def _describe_operation(stack_set: StackSet, call: AwsCall) -> AwsAnswer:
        return AwsAnswer({"StackSetOperation": {"StackSetId": stack_set.id, **_operation(_named_operation(stack_set, call))}})

    @staticmethod
    def _list_operations(stack_set: StackSet, call: AwsCall) -> AwsAnswer:
        return _page(call, [_operation(operation) for operation in reversed(stack_set.operations)])

    @staticmethod
    def _list_results(stack_set: StackSet, call: AwsCall) -> AwsAnswer:
        operation = _named_operation(stack_set, call)
        results = [
            {"Account": one.account_id, "Region": one.region, "Status": one.state, "OrganizationalUnitId": one.unit_id, "StatusReason": one.reason}
            for one in operation.instances
        ]
        return _page(call, results)

    @staticmethod
    def _list_auto_deployment(stack_set: StackSet, call: AwsCall) -> AwsAnswer:
        targets = sorted(stack_set.targets) if stack_set.auto_deployment["Enabled"] else []
        units = sorted({unit for unit, _region in targets})
        return _page(call, [{"OrganizationalUnitId": one, "Regions": [region for unit, region in targets if unit == one]} for one in units])


def _wanted(account_id: str, call: AwsCall, before: Wanted | None) -> Wanted:
    """Return template, parameters and tags of a set after a call."""
    previous = before is not None and call.form.get("UsePreviousTemplate", "").lower() == "true"
    body = before.template if before is not None and previous else call_template(account_id, call)
    if body is None:
        raise Refusal("Either Template URL or Template Body must be specified.")
    given, kept = call_parameters(call)
    tags = call_tags(call)
    if tags is None and before is not None:
        tags = before.tags
    return Wanted(body, complete_parameters(parse_template(body), given, before.parameters if before is not None else {}, kept), tags or {})


def _auto_deployment(call: AwsCall) -> dict[str, bool] | None:
    """Return the auto-deployment of a call, if it speaks of it."""
    if "AutoDeployment.Enabled" not in call.form:
        return None
    enabled = call.form["AutoDeployment.Enabled"].lower() == "true"
    retain = call.form.get("AutoDeployment.RetainStacksOnAccountRemoval")
    if (retain is not None) != enabled:
        raise Refusal("RetainStacksOnAccountRemoval must be specified if, and only if, AutoDeployment is enabled")
    return {"Enabled": enabled, **({"RetainStacksOnAccountRemoval": retain.lower() == "true"} if retain is not None else {})}


def _preferences(call: AwsCall) -> Preferences:
    def number(name: str) -> int | None:
        value = call.form.get(f"OperationPreferences.{name}")
        return int(value) if value is not None else None

    for kind in ("FailureTolerance", "MaxConcurrent"):
        if number(f"{kind}Count") is not None and number(f"{kind}Percentage") is not None:
            raise Refusal(f"{kind}Count and {kind}Percentage cannot be specified together")
    return Preferences(
        tolerance_percentage=number("FailureTolerancePercentage"),
        tolerance_count=number("FailureToleranceCount") or 0,
        concurrent_percentage=number("MaxConcurrentPercentage"),
        concurrent_count=number("MaxConcurrentCount") or 1,
        parallel_regions=call.form.get("OperationPreferences.RegionConcurrencyType") == "PARALLEL",
    )


def _targets(stack_set: StackSet, call: AwsCall) -> dict[tuple[str, str], str]:
    """Return accounts and regions that a call is about, by region, with the unit that each account is in."""
    units, regions = call.values(_UNITS), call.values("Regions.member")
    if call.values("Accounts.member") or not units:
        raise Refusal("StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target")
    if not regions:
        raise Refusal("1 validation error detected: Value '[]' at 'regions' failed to satisfy constraint: Member must not be empty")
    if len(units) > MOST_UNITS:
        raise Refusal(f"{len(units)} organizational units are more than the {MOST_UNITS} of one operation", "LimitExceededException")
    unknown = [unit for unit in units if not has_unit(stack_set.manager_id, unit)]
    if unknown:
        raise Refusal(f"Organizational unit {unknown[0]} does not exist in the organization")
    accounts = {account_id: unit for unit in units for account_id in accounts_below(stack_set.manager_id, unit)}
    named, kind = set(call.values(_ACCOUNTS)), call.form.get("DeploymentTargets.AccountFilterType", "NONE")
    if named and kind not in ("INTERSECTION", "DIFFERENCE"):
        raise Refusal(f"Accounts cannot be given with the AccountFilterType {kind}")
    if named:
        accounts = {account_id: unit for account_id, unit in accounts.items() if (account_id in named) == (kind == "INTERSECTION")}
    return {(account_id, region): unit for region in regions for account_id, unit in accounts.items()}


def _pairs(call: AwsCall) -> set[tuple[str, str]]:
    """Return the units and regions that a call names."""
    return {(unit, region) for unit in call.values(_UNITS) for region in call.values("Regions.member")}


def _check_idle(stack_set: StackSet) -> None:
    running = stack_set.running
    if running is not None:
        raise Refusal(f"Another Operation on StackSet {stack_set.arn} is in progress: {running.id}", "OperationInProgressException", 409)


def _named_operation(stack_set: StackSet, call: AwsCall) -> Operation:
    wanted = call.form.get("OperationId", "")
    found = next((operation for operation in stack_set.operations if operation.id == wanted), None)
    if found is None:
        raise Refusal(f"Operation {wanted} not found", "OperationNotFoundException", 404)
    return found


def _kind(stack_set: StackSet) -> dict[str, Content]:
    return {"Status": "ACTIVE", "PermissionModel": "SERVICE_MANAGED", "AutoDeployment": t.cast(Content, stack_set.auto_deployment)}


def _instance(stack_set: StackSet, instance: Instance) -> dict[str, Content]:
    shown: dict[str, Content] = {
        "StackSetId": stack_set.id,
        "Account": instance.account_id,
        "Region": instance.region,
        "OrganizationalUnitId": instance.unit_id,
        "Status": "CURRENT" if instance.state == "SUCCEEDED" else "OUTDATED",
        "StackInstanceStatus": {"DetailedStatus": instance.state},
        "StatusReason": instance.reason if instance.state == "FAILED" else "",
    }
    return {**shown, "StackId": instance.stack.stack_id} if instance.stack is not None else shown


def _operation(operation: Operation) -> dict[str, Content]:
    began_at = datetime.fromtimestamp(operation.began_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"OperationId": operation.id, "Action": operation.action, "Status": operation.status, "CreationTimestamp": began_at}


def _page(call: AwsCall, items: t.Sequence[t.Mapping[str, Content]]) -> AwsAnswer:
    """Return one page of a list."""
    start, size = int(call.form.get("NextToken", 0)), min(PAGE, int(call.form.get("MaxResults", PAGE)))
    result: dict[str, Content] = {"Summaries": items[start : start + size]}
    return AwsAnswer({**result, "NextToken": str(start + size)} if start + size < len(items) else result)
