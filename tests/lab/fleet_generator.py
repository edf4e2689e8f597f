# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of any size, for benchmarks and scale tests."""

from __future__ import annotations

import typing as t

from lab.fleet import Fleet, parse_fleet


def generate_fleet(
    count: int,
    *,
    registered_days_ago: float = 760,
    registration_delay: float = 5,
    registration_blocks: bool = True,
    regions: t.Sequence[str] = ("us-east-1",),
    api_delay: float = 0,
) -> Fleet:
    """Make a fleet of alike appliances, inline and behind a Gateway Load Balancer in turn, spread over the regions.

    :param registered_days_ago: age of all certificates; they are valid for 730 days.
    :param registration_delay: seconds that each registration takes.
    :param registration_blocks: whether ``cloudone register`` returns only when it is done.
    :param api_delay: seconds that each answer of the Network Security API takes.
    :raises lab.fleet.FleetError: if an argument is out of range.
    """
    appliances = [
        {
            "name": f"appliance-{number:04d}",
            "deployment": "gateway_load_balancer" if number % 2 else "inline",
            "region": regions[number % len(regions)],
            "registered_days_ago": registered_days_ago,
            "registration_delay": registration_delay,
            "registration_blocks": registration_blocks,
            "registration_loses": ["profile"],
            "log_types": {"ipsBlock": {"group": "network-security-block-events"}},
        }
        for number in range(count)
    ]
    return parse_fleet({"api": {"delay": api_delay}, "appliances": appliances})
