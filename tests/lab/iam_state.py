# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role, user or group of moto's may do at this moment. Callers hold :attr:`lab.aws.Aws.lock`."""

from __future__ import annotations

from moto.iam.models import Group, IAMBackend, ManagedPolicy, Role, User

from lab.iam_policies import Policy, Rights

Entity = Role | User | Group


def find_entity(iam: IAMBackend, arn: str) -> Entity | None:
    """Return the role, user or group of an ARN."""
    entities: list[Entity] = [*iam.roles.values(), *iam.users.values(), *iam.groups.values()]
    return next((entity for entity in entities if entity.arn == arn), None)


def rights_of(iam: IAMBackend, entity: Entity) -> Rights:
    """Return what decides what an entity may: its policies, inline and attached, of a user those of the groups too, and its boundary."""
    groups = iam.get_groups_for_user(entity.name) if isinstance(entity, User) else []
    policies = [policy for one in (entity, *groups) for policy in _policies(one)]
    boundary = entity.permissions_boundary_arn if isinstance(entity, Role) else None
    return Rights(tuple(policies), _managed(iam.managed_policies[boundary]) if boundary else None)


def _policies(entity: Entity) -> list[Policy]:
    kind = type(entity).__name__.lower()
    own = [Policy(f"{kind}_{entity.name}_{name}", kind, document) for name, document in entity.policies.items()]
    return own + [_managed(policy) for policy in entity.managed_policies.values()]


def _managed(policy: ManagedPolicy) -> Policy:
    """Return the version of a managed policy that is in force."""
    version = next(version for version in policy.versions if version.is_default)
    return Policy(policy.name, "aws-managed" if ":aws:policy/" in policy.arn else "user-managed", version.document)
