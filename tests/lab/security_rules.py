# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation of security group rules, as far as a connection from an address is concerned."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

ALL_PROTOCOLS = "-1"
TCP = frozenset({"tcp", "6", ALL_PROTOCOLS})


@dataclass(frozen=True)
class Rule:
    """One ingress rule for one range of addresses.

    :ivar protocol: name, number, or ``-1`` for all.
    :ivar first_port: ``None`` for all ports.
    :ivar cidr: IPv4 or IPv6 network.
    """

    protocol: str
    first_port: int | None
    last_port: int | None
    cidr: str

    def covers_tcp(self, port: int) -> bool:
        """Whether the rule is about this TCP port."""
        if self.protocol not in TCP:
            return False
        if self.protocol == ALL_PROTOCOLS or self.first_port is None or self.last_port is None:
            return True
        return self.first_port <= port <= self.last_port

    def admits(self, source_address: str, port: int) -> bool:
        """Whether the rule lets this address reach this TCP port."""
        return self.covers_tcp(port) and ip_address(source_address) in ip_network(self.cidr, strict=False)


def admits(rules: t.Iterable[Rule], source_address: str, port: int) -> bool:
    """Whether any rule lets this address reach this TCP port: rules only ever allow."""
    return any(rule.admits(source_address, port) for rule in rules)
