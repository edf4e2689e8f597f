# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fleets of any size, for benchmarks and scale tests."""

from __future__ import annotations

import random
import typing as t
from collections.abc import Callable

from lab.fleet import OWN_ACCOUNT_ID, Fleet, parse_fleet

Json = dict[str, t.Any]

OLDEST_DAYS = 900
SYSTEM_LOG_GROUP = "network-security-system"
# Looking for new lines all the time is work too, with thousands of logs.
LOG_DELIVERY_INTERVAL = 30

# What can have happened to an appliance whose certificate is so many days old, and how many of a hundred it happened to.
_HISTORIES: tuple[tuple[int, Callable[[float], Json]], ...] = (
    (40, lambda age: {}),  # registered when it was deployed, and never again
    (15, lambda age: {"deployed_days_ago": age + 700, "registration_tag": True}),  # renewed by the collection
    (15, lambda age: {"deployed_days_ago": age + 700}),  # renewed by hand
    (14, lambda age: {"restarted_days_ago": age / 3}),  # stopped, and started again
    (5, lambda age: {"instance_state": "stopped"}),
    (5, lambda age: {"instance_state": "gone"}),  # replaced: the API lists the old instance still
    (3, lambda age: {"registered": False}),
    (3, lambda age: {"deployment": "hosted"}),
)


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


def generate_mixed_fleet(
    count: int,
    *,
    accounts: int = 1,
    regions: t.Sequence[str] = ("us-east-1",),
    ssh: bool = True,
    api_delay: float = 0,
    aws_delay: float = 0,
) -> Fleet:
    """Make a fleet of mixed age and history; every third appliance streams its system log. The same arguments make the same fleet.

    :param accounts: how many AWS accounts it is spread over, the lab's own included.
    :param ssh: whether the appliances' SSH runs.
    :param aws_delay: seconds that each answer of AWS takes.
    :raises lab.fleet.FleetError: if an argument is out of range.
    """
    dice = random.Random(count)
    further = [str(200_000_000_000 + number) for number in range(1, accounts)]
    places = [(account, region) for account in (OWN_ACCOUNT_ID, *further) for region in regions]
    return parse_fleet(
        {
            "ssh": ssh,
            "api": {"delay": api_delay},
            "aws": {
                "delay": aws_delay,
                "log_delivery_interval": LOG_DELIVERY_INTERVAL,
                "accounts": [{"id": account, "role": "network-security-audit"} for account in further],
            },
            "appliances": [_mixed_appliance(number, *places[number % len(places)], dice) for number in range(count)],
        }
    )


def _mixed_appliance(number: int, account: str, region: str, dice: random.Random) -> Json:
    age = round(dice.uniform(0, OLDEST_DAYS), 3)
    [history] = dice.choices([change for _share, change in _HISTORIES], [share for share, _change in _HISTORIES])
    appliance = {
        "name": f"appliance-{number:04d}",
        "account": account,
        "deployment": dice.choice(["inline", "gateway_load_balancer"]),
        "region": region,
        "registered_days_ago": age,
        "log_types": {"system": {"group": SYSTEM_LOG_GROUP}} if number % 3 == 0 else {},
        **history(age),
    }
    if appliance["deployment"] == "hosted":
        del appliance["account"]
    return appliance
