# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS organization of the fleet file, in moto: the lab's own account manages it."""

from __future__ import annotations

from unittest import mock

from moto.organizations import utils
from moto.organizations.models import OrganizationsBackend, organizations_backends

from lab.fleet import OrganizationSpec


def organization_of(account_id: str) -> OrganizationsBackend:
    """Return moto's Organizations as the manager of an organization sees it."""
    return organizations_backends[account_id]["aws"]


def build_organization(spec: OrganizationSpec, own_id: str) -> None:
    """Make the organization, its units and accounts."""
    backend = organization_of(own_id)
    backend.create_organization("us-east-1")
    assert backend.org is not None
    for name, accounts in spec.units.items():
        unit = backend.create_organizational_unit(ParentId=backend.org.root_id, Name=name)["OrganizationalUnit"]
        for account_id in accounts:
            with mock.patch.object(utils, "make_random_account_id", lambda account_id=account_id: account_id):
                backend.create_account(AccountName=account_id, Email=f"{account_id}@example.com")
            backend.move_account(AccountId=account_id, SourceParentId=backend.org.root_id, DestinationParentId=unit["Id"])


def accounts_below(manager_id: str, parent_id: str) -> list[str]:
    """Return the accounts in a unit, or the root, and the units below it; StackSets never reach the managing account."""
    backend = organization_of(manager_id)
    parents = {parent_id}
    while more := {unit.id for unit in backend.ou if unit.parent_id in parents} - parents:
        parents |= more
    return [account.id for account in backend.accounts if account.parent_id in parents and account.id != manager_id]


def has_unit(manager_id: str, unit_id: str) -> bool:
    """Whether an organization has a unit, or a root, of this id."""
    return any(unit.id == unit_id for unit in organization_of(manager_id).ou)
