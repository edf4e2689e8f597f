# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS's rules for what policies allow. Pure.

An explicit deny wins, an allow is needed, and everything else is denied. moto's own evaluation is of no use here: it compares actions
case-sensitively and knows no ``NotResource``.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

from lab.iam_conditions import Context, Json, keys_of, listed, met, wildcards

Decision = t.Literal["allowed", "explicitDeny", "implicitDeny"]

# Denials first: they win.
_BY_EFFECT: dict[str, Decision] = {"Deny": "explicitDeny", "Allow": "allowed"}


@dataclass(frozen=True)
class Policy:
    """A policy document and where it comes from.

    :ivar id: its name, as a simulation shows it.
    :ivar kind: ``role``, ``user``, ``group`` (inline), ``user-managed``, ``aws-managed``.
    :ivar document: JSON.
    """

    id: str
    kind: str
    document: str


@dataclass(frozen=True)
class Rights:
    """What decides what somebody may do.

    :ivar boundary: permissions boundary: what it does not allow too is denied.
    """

    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None


@dataclass(frozen=True)
class Verdict:
    """What somebody's rights say about one action on one resource.

    :ivar decided_by: the policies of the statements that decide, one for each statement.
    :ivar missing_keys: context keys that a condition asks for and nobody gave.
    :ivar allowed_by_boundary: ``None`` without a boundary.
    """

    decision: Decision
    decided_by: tuple[Policy, ...]
    missing_keys: tuple[str, ...]
    allowed_by_boundary: bool | None = None


def decide(rights: Rights, action: str, resource: str, context: Context = MappingProxyType({})) -> Verdict:
    """Judge one action on one resource.

    :param action: like ``logs:PutLogEvents``.
    :param resource: an ARN, or ``*`` for any resource, which only statements about ``*`` cover.
    :raises lab.iam_conditions.NotEvaluated: for a condition that is not known here.
    """
    verdict = _decide(rights.policies, action, resource, context)
    if rights.boundary is None:
        return verdict
    limit = _decide([rights.boundary], action, resource, context)
    within = limit.decision == "allowed"
    if verdict.decision == "explicitDeny" or (verdict.decision == "allowed" and within):
        return replace(verdict, allowed_by_boundary=within)
    if limit.decision == "explicitDeny":
        return replace(limit, allowed_by_boundary=False)
    return replace(verdict, decision="implicitDeny", decided_by=(), allowed_by_boundary=within)


def _decide(policies: t.Iterable[Policy], action: str, resource: str, context: Context) -> Verdict:
    concerned = [
        (policy, statement, statement.get("Condition", {}))
        for policy in policies
        for statement in _statements(policy.document)
        if _covers(statement, "Action", action, re.IGNORECASE) and _covers(statement, "Resource", resource)
    ]
    missing = tuple(sorted({key for _policy, _statement, condition in concerned for key in keys_of(condition) if key.lower() not in context}))
    for effect, decision in _BY_EFFECT.items():
        deciding = tuple(policy for policy, statement, condition in concerned if statement["Effect"] == effect and met(condition, context))
        if deciding:
            return Verdict(decision, deciding, missing)
    return Verdict("implicitDeny", (), missing)


def trusts(document: str, services: t.Collection[str], action: str) -> bool:
    """Whether a policy of a resource (a key, a function, a role's trust) lets one of these services do this.

    Its conditions are taken as met: they usually say on whose behalf the service has to act.
    """
    return any(
        statement["Effect"] == "Allow" and _covers(statement, "Action", action, re.IGNORECASE) and _names(statement.get("Principal"), services)
        for statement in _statements(document)
    )


@lru_cache(maxsize=1024)
def _statements(document: str) -> list[Json]:
    return listed(json.loads(document)["Statement"])


def _names(principal: str | Json | None, services: t.Collection[str]) -> bool:
    """Whether a statement's principal is one of the services."""
    if not isinstance(principal, dict):
        return principal == "*"
    return any(service in services for service in listed(principal.get("Service", [])))


def _covers(statement: Json, element: t.Literal["Action", "Resource"], value: str, flags: int = 0) -> bool:
    """Whether ``Action`` or ``Resource``, or the opposite by ``NotAction`` or ``NotResource``, is about this."""
    negated = f"Not{element}" in statement
    patterns = listed(statement[f"Not{element}" if negated else element])
    return any(wildcards(pattern, flags).fullmatch(value) for pattern in patterns) != negated
