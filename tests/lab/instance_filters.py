# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of ``DescribeInstances`` that moto does not know."""

from __future__ import annotations

from moto.ec2.models.instances import Instance
from moto.ec2.utils import filter_dict_attribute_mapping


def teach_moto() -> None:
    """Let moto know the filter by descriptions of interfaces."""
    Instance.interface_descriptions = property(_interface_descriptions)
    filter_dict_attribute_mapping["network-interface.description"] = "interface_descriptions"


def _interface_descriptions(instance: Instance) -> list[str]:
    return [interface.description or "" for interface in instance.nics.values()]
