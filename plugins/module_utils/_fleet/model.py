# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a search for a fleet deals in: accounts, what was found in them, and what could not be asked."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.accounts import Role
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interfaces import ManagementInterface


@dataclass(frozen=True)
class Way:
    """The way into an AWS account, as the user describes it.

    :ivar params: options of ``aws_spec()``.
    :ivar regions: AWS regions to search there, besides those in which the API says that the account has appliances.
    """

    params: t.Mapping[str, t.Any]
    regions: tuple[str, ...] = ()

    @property
    def role(self) -> Role:
        """The role with which the account is searched."""
        return Role.of(self.params)

    @property
    def name(self) -> str:
        """What to call the account as long as nothing else is known of it."""
        if self.role.arn:
            return f"the AWS account of the role {self.role.arn}"
        if self.params.get("profile"):
            return f"the AWS account of the profile {self.params['profile']}"
        return "the AWS account of the credentials"


@dataclass(frozen=True)
class SearchedAccount:
    """What was found in one AWS account.

    :ivar instances: the instances by ID.
    :ivar interfaces: management interfaces by instance ID, as far as they are known.
    :ivar regions: the regions that were searched.
    :ivar failed_regions: why each of the others could not be.
    """

    id: str
    way: Way
    instances: t.Mapping[str, Instance] = field(default_factory=dict)
    interfaces: t.Mapping[str, ManagementInterface] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    failed_regions: t.Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LostAccount:
    """An AWS account that could not be searched at all.

    :ivar id: its number, where the role tells it.
    """

    id: str | None
    way: Way
    reason: str
