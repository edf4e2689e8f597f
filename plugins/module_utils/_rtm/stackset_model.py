# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RTM over an organisation: a stack set as it stands, and as it is wanted. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import Wanted

# An organizational unit, or the root, and a region: what a stack set is told to cover.
Pair = tuple[str, str]

# Why an instance can stay as it is though it is not up to date.
SUSPENDED = "SKIPPED_SUSPENDED_ACCOUNT"
# What CloudFormation leaves alone, since deleting it has failed.
INOPERABLE = "INOPERABLE"
SERVICE_MANAGED = "SERVICE_MANAGED"


@dataclass(frozen=True)
class AutoDeployment:
    """What happens when accounts join and leave the units.

    :ivar enabled: whether those that join get the stacks, and those that leave lose them.
    :ivar retain: whether the stacks stay in accounts that leave.
    """

    enabled: bool
    retain: bool = False


@dataclass(frozen=True)
class Instance:
    """The stack of a set in one account and region.

    :ivar unit_id: the unit, or the root, by which the account was reached.
    :ivar status: ``CURRENT``, ``OUTDATED`` or ``INOPERABLE``.
    :ivar detailed_status: what became of the last operation on it: ``PENDING``, ``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``CANCELLED``, ...
    :ivar reason: why it is in that state, if CloudFormation says so.
    """

    account_id: str
    region: str
    unit_id: str
    status: str
    detailed_status: str | None = None
    reason: str | None = None

    @property
    def pair(self) -> Pair:
        return (self.unit_id, self.region)

    @property
    def needs_work(self) -> bool:
        """Whether it is not up to date, and could be."""
        return self.status != "CURRENT" and self.detailed_status != SUSPENDED

    @property
    def under_way(self) -> bool:
        """Whether its turn in an operation has yet to come, or to end."""
        return self.status != "CURRENT" and self.detailed_status in ("PENDING", "RUNNING")


@dataclass(frozen=True)
class Operation:
    """Work of CloudFormation on a stack set.

    :ivar action: ``CREATE``, ``UPDATE``, ``DELETE`` (of instances) or ``DETECT_DRIFT``.
    :ivar status: ``QUEUED``, ``RUNNING``, ``STOPPING``, ``SUCCEEDED``, ``FAILED`` or ``STOPPED``.
    """

    id: str
    action: str
    status: str
    reason: str | None = None

    @property
    def in_progress(self) -> bool:
        return self.status in ("QUEUED", "RUNNING", "STOPPING")


@dataclass(frozen=True)
class StackSet:
    """A stack set.

    :ivar status: ``ACTIVE``.
    :ivar permission_model: ``SERVICE_MANAGED`` or ``SELF_MANAGED``.
    :ivar template: its text in JSON or YAML.
    :ivar units: the units that it was told to cover, in whatever regions.
    :ivar targets: the units and regions to which accounts that join are deployed.
    :ivar operation: the one under way, if there is one.
    """

    name: str
    id: str
    status: str
    permission_model: str
    template: str | None
    parameters: t.Mapping[str, str] = field(default_factory=dict)
    tags: t.Mapping[str, str] = field(default_factory=dict)
    auto_deployment: AutoDeployment = AutoDeployment(enabled=False)
    units: frozenset[str] = frozenset()
    targets: frozenset[Pair] = frozenset()
    instances: tuple[Instance, ...] = ()
    operation: Operation | None = None

    @property
    def covered(self) -> frozenset[Pair]:
        """The units and regions that it covers: with auto-deployment, CloudFormation keeps account of them; without, there are instances."""
        return self.targets if self.auto_deployment.enabled else frozenset(instance.pair for instance in self.instances)

    def lacks(self, pairs: frozenset[Pair]) -> frozenset[Pair]:
        """Those of the units and regions that it does not cover. Without auto-deployment, a unit without accounts lacks nothing."""
        empty = frozenset() if self.auto_deployment.enabled else self.units - {instance.unit_id for instance in self.instances}
        return frozenset(pair for pair in pairs - self.covered if pair[0] not in empty)


@dataclass(frozen=True)
class WantedSet:
    """What the user wants.

    :ivar rtm: the stack in each account and region; its name is that of the set.
    :ivar preferences: how operations go through accounts and regions, as CloudFormation takes it.
    :ivar retain_stacks: whether the stacks stay when the set is deleted.
    :ivar call_as: ``SELF`` or ``DELEGATED_ADMIN``.
    """

    rtm: Wanted
    units: tuple[str, ...]
    regions: tuple[str, ...]
    auto_deployment: AutoDeployment
    preferences: t.Mapping[str, t.Any]
    retain_stacks: bool
    call_as: str

    @property
    def pairs(self) -> frozenset[Pair]:
        return frozenset((unit, region) for unit in self.units for region in self.regions)


@dataclass(frozen=True)
class ObservedSet:
    """What stands.

    :ivar trusted: whether CloudFormation may work in the organisation; only asked where there is no stack set.
    """

    found: StackSet | None
    trusted: bool = True
