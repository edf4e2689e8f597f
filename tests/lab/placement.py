# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an appliance's instance is, and who may reach it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from lab.fleet import ApplianceSpec

VENDOR_ACCOUNT_ID = "999988887777"


@dataclass(frozen=True)
class Placement:
    """An instance's place in AWS.

    :ivar interface_id: management interface; empty for an instance outside the user's account.
    :ivar address: its private address, on which the appliance's SSH listens.
    """

    account_id: str
    region: str
    availability_zone: str
    vpc_id: str
    interface_id: str = ""
    address: str = ""


class Network(t.Protocol):
    """What decides whether a connection reaches an appliance."""

    def admits(self, instance_id: str, source_address: str, port: int) -> bool:
        """Whether the security groups of the instance's management interface let the source reach this TCP port."""


def unknown_placement(spec: ApplianceSpec) -> Placement:
    """Return the place of an appliance whose instance no account of the user's has: on the vendor's infrastructure, or gone."""
    account_id = VENDOR_ACCOUNT_ID if spec.deployment == "hosted" else spec.account
    return Placement(account_id, spec.region, f"{spec.region}a", "vpc-0" + spec.instance_id.removeprefix("i-")[:16])
