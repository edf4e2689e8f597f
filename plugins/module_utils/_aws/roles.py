# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IAM says about the role of an instance: which it is, and what its policies allow."""

from __future__ import annotations

import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, call, pages


def role_of_profile(clients: AwsClients, profile_arn: str, region: str) -> str | None:
    """ARN of the role in an instance profile; ``None`` if there is none in it.

    :param region: any of the partition, since IAM is global.
    :raises AwsError: code ``NoSuchEntity`` if there is no such profile.
    """
    name = profile_arn.rpartition("/")[2]
    roles = call(clients.client("iam", region), "get_instance_profile", InstanceProfileName=name)["InstanceProfile"]["Roles"]
    return str(roles[0]["Arn"]) if roles else None


def denials(clients: AwsClients, role_arn: str, actions: t.Sequence[str], region: str) -> dict[str, str]:
    """Ask IAM which actions a role may not do, on all resources.

    :param region: where the role acts, since policies often depend on that.
    :returns: for each of ``actions`` that is not allowed the reason, in their order.
    :raises AwsError: if IAM does not answer.
    """
    results = pages(
        clients.client("iam", region),
        "simulate_principal_policy",
        "EvaluationResults",
        PolicySourceArn=role_arn,
        ActionNames=list(actions),
        ContextEntries=[{"ContextKeyName": "aws:RequestedRegion", "ContextKeyValues": [region], "ContextKeyType": "string"}],
    )
    results_of = {result["EvalActionName"].lower(): result for result in results}
    reasons = {action: _denial(results_of.get(action.lower(), {})) for action in actions}
    return {action: reason for action, reason in reasons.items() if reason}


def _denial(result: t.Mapping[str, t.Any]) -> str | None:
    """Why one element of ``EvaluationResults`` does not allow its action; ``None`` if it does."""
    if result.get("EvalDecision") == "allowed":
        return None
    if result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations") is False:
        return "a service control policy of the organization forbids it"
    if result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary") is False:
        return "the permissions boundary of the role forbids it"
    return "a policy denies it" if result.get("EvalDecision") == "explicitDeny" else "no policy allows it"
