# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``iam:SimulatePrincipalPolicy``, which moto lacks."""

from __future__ import annotations

import re

from moto.iam.models import iam_backends

from lab.aws_answer import AwsAnswer, Content
from lab.aws_call import AwsCall
from lab.aws_errors import AwsFailure
from lab.iam_conditions import NotEvaluated
from lab.iam_policies import Verdict, decide
from lab.iam_state import find_entity, rights_of

MOST_RESULTS = 100  # in one answer, unless asked for more or fewer

_ENTITY_ARN = re.compile(r"arn:aws:iam::\d{12}:(role|user|group)/.+")
_ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9]+")
_EVALUATED = re.compile(r"(Action|Version|PolicySourceArn|MaxItems|Marker|(ActionNames|ResourceArns)\.member\.\d+|ContextEntries\.member\..+)")


def simulate_principal_policy(account_id: str, call: AwsCall) -> AwsAnswer | AwsFailure:
    """Answer the call. Without ``ResourceArns``, AWS simulates the resource ``*``, which policies about single resources do not cover."""
    arn, actions, resources = call.form.get("PolicySourceArn", ""), call.values("ActionNames.member"), call.values("ResourceArns.member") or ["*"]
    refused = _refused(call, arn, actions)
    if refused:
        return AwsFailure("InvalidInput", refused)
    iam = iam_backends[account_id]["aws"]
    entity = find_entity(iam, arn)
    if entity is None:
        return AwsFailure("NoSuchEntity", f"The entity {arn} cannot be found.", 404)
    rights, context = rights_of(iam, entity), _context(call)
    questions = [(action, resource) for action in actions for resource in resources]
    start, most = int(call.form.get("Marker", "0")), int(call.form.get("MaxItems", MOST_RESULTS))
    shown, left = questions[start : start + most], questions[start + most :]
    try:
        results = [_result(action, resource, decide(rights, action, resource, context)) for action, resource in shown]
    except NotEvaluated as error:
        return AwsFailure("PolicyEvaluation", f"The lab does not evaluate conditions with {error}.", 500)
    return AwsAnswer({"EvaluationResults": results, "IsTruncated": bool(left), **({"Marker": str(start + most)} if left else {})})


def _refused(call: AwsCall, arn: str, actions: list[str]) -> str | None:
    """Return why the request cannot be answered."""
    if not _ENTITY_ARN.fullmatch(arn):
        return f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
    wrong = [action for action in actions if not _ACTION.fullmatch(action)]
    if wrong or not actions:
        return f"ActionNames takes names like iam:CreateUser, without wildcards. Given: {', '.join(wrong) or 'none'}."
    unknown = sorted(name for name in call.form if not _EVALUATED.fullmatch(name))
    if unknown:
        return f"The lab does not evaluate {', '.join(unknown)}."
    if not call.form.get("Marker", "0").isdecimal():
        return "Invalid Marker."
    return None


def _context(call: AwsCall) -> dict[str, list[str]]:
    """Return the values of context keys; their types do not matter here."""
    names = {key.removesuffix(".ContextKeyName"): name for key, name in call.form.items() if key.endswith(".ContextKeyName")}
    return {name.lower(): call.values(f"{entry}.ContextKeyValues.member") for entry, name in names.items()}


def _result(action: str, resource: str, verdict: Verdict) -> Content:
    within = verdict.allowed_by_boundary
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": verdict.decision,
        "MatchedStatements": [{"SourcePolicyId": policy.id, "SourcePolicyType": policy.kind} for policy in verdict.decided_by],
        "MissingContextValues": list(verdict.missing_keys),
        **({} if within is None else {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": within}}),
    }
