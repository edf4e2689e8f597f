# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is true of one appliance, and of its entries in the API."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import datetime

from lab.certificate import Certificate
from lab.fleet import ApplianceSpec
from lab.placement import Placement

CredentialKind = t.Literal["initial", "token", "api_key"]


@dataclass
class LogType:
    """Streaming of one log type, named as in the API."""

    logName: str
    logGroupName: str = ""
    logStreamName: str = ""
    enable: bool = False

    def __post_init__(self) -> None:
        """The stream's default name holds the placeholder literally; the appliance fills it in."""
        self.logStreamName = self.logStreamName or default_stream(self.logName)


def default_stream(log_name: str) -> str:
    """Return the name of a log stream that nobody named."""
    return f"{log_name}_{{instance_id}}"


@dataclass
class RegistrationEvent:
    """A registration that the appliance carried out.

    :ivar listed_at: when the API lists it.
    """

    at: datetime
    listed_at: datetime
    credential: CredentialKind
    api_id: int


@dataclass
class ApiEntry:
    """An entry in the API's list of appliances, visible from ``listed_at`` on."""

    id: int
    instance_id: str
    listed_at: datetime


@dataclass
class Distribution:
    """A profile sent to an appliance; ``pending`` for as long as the appliance does not communicate."""

    id: int
    api_id: int
    profile_id: int
    at: datetime
    state: t.Literal["pending", "distributed"]


@dataclass
class ApplianceState:
    """One appliance as it really is.

    :ivar registered: what the appliance itself believes.
    :ivar certificates: all it ever had, the present one last.
    :ivar log_types: the log streaming as the API has it, a new dictionary after each change.
    :ivar profile_id: the profile in force on the appliance.
    :ivar entries: the API's entries of this appliance, those to come included.
    """

    spec: ApplianceSpec
    placement: Placement
    registered: bool
    certificates: list[Certificate]
    log_types: dict[str, LogType]
    profile_id: int | None
    entries: list[ApiEntry] = field(default_factory=list)
    registrations: list[RegistrationEvent] = field(default_factory=list)
    unregistered_in_api_at: list[datetime] = field(default_factory=list)
    unregistered_on_appliance_at: list[datetime] = field(default_factory=list)

    @property
    def instance_id(self) -> str:
        """EC2 instance id."""
        return self.spec.instance_id

    @property
    def certificate(self) -> Certificate:
        """The certificate in use, or the last one that was."""
        return self.certificates[-1]


def default_log_types(spec: ApplianceSpec) -> dict[str, LogType]:
    """Return the streaming of an appliance that nobody configured: every type offered, all off."""
    return {name: LogType(name) for name in spec.offered_log_types}


def configured_log_types(spec: ApplianceSpec) -> dict[str, LogType]:
    """Return the streaming as the fleet file says."""
    log_types = default_log_types(spec)
    for name, wanted in spec.log_types.items():
        log_types[name] = LogType(name, wanted.group, wanted.stream or "", wanted.enabled)
    return log_types
