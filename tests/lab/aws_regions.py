# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which regions an account has enabled, as EC2 tells it. moto knows neither the filters nor the account's choice."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

import boto3

from lab.aws_answer import AwsAnswer
from lab.aws_call import AwsCall
from lab.aws_errors import AwsFailure

# Every account has these; all other regions are off until somebody opts in.
ALWAYS_ON = frozenset(
    (
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ap-south-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-southeast-1"),
        *("ap-southeast-2", "ca-central-1", "eu-central-1", "eu-west-1", "eu-west-2", "eu-west-3", "eu-north-1", "sa-east-1"),
    )
)
ALL_REGIONS: tuple[str, ...] = tuple(sorted(boto3.session.Session().get_available_regions("ec2")))
REGIONS = frozenset(ALL_REGIONS)

_FILTERS: dict[str, Callable[[dict[str, str]], str]] = {
    "endpoint": lambda region: region["regionEndpoint"],
    "opt-in-status": lambda region: region["optInStatus"],
    "region-name": lambda region: region["regionName"],
}


def opt_in_status(region: str, off: frozenset[str]) -> str:
    """Return a region's state in an account as EC2 writes it."""
    if region in off:
        return "not-opted-in"
    return "opt-in-not-required" if region in ALWAYS_ON else "opted-in"


def _filters(call: AwsCall) -> dict[str, list[str]]:
    """Return the filters: name and values."""
    numbers = sorted({key.split(".")[1] for key in call.form if key.startswith("Filter.")})
    return {call.form.get(f"Filter.{number}.Name", ""): call.values(f"Filter.{number}.Value") for number in numbers}


def describe_regions(call: AwsCall, off: frozenset[str]) -> AwsAnswer | AwsFailure:
    """Answer ``ec2:DescribeRegions``. Without names and without ``AllRegions`` only regions that are on are listed."""
    named, filters = call.values("RegionName"), _filters(call)
    unknown = sorted(set(named) - REGIONS)
    if unknown:
        return AwsFailure("InvalidParameterValue", f"Invalid region names [{', '.join(unknown)}]")
    unfit = sorted(set(filters) - set(_FILTERS))
    if unfit:
        return AwsFailure("InvalidParameterValue", f"The filter '{unfit[0]}' is invalid")
    every = bool(named) or call.form.get("AllRegions", "").lower() == "true"
    regions = [
        {"regionName": name, "regionEndpoint": f"ec2.{name}.amazonaws.com", "optInStatus": opt_in_status(name, off)}
        for name in named or ALL_REGIONS
        if every or name not in off
    ]
    shown = [
        region for region in regions if all(any(fnmatchcase(_FILTERS[name](region), pattern) for pattern in patterns) for name, patterns in filters.items())
    ]
    return AwsAnswer({"regionInfo": shown})
