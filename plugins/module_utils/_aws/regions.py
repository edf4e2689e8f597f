# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which regions are switched on for an account.

A region that is off answers as if the credentials were wrong, and so does one that is on but does not know the session token.
So that is never told by an error, but by asking a region that is always on.
"""

from __future__ import annotations

import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, call
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

# No account can switch these off.
ALWAYS_ON = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
)

OFF = "not-opted-in"


def home_region(wanted: t.Collection[str]) -> str:
    """A region that is always on, for questions about the whole account: if possible one that is wanted anyway, as others may be denied."""
    return next((region for region in ALWAYS_ON if region in wanted), ALWAYS_ON[0])


def opt_in_statuses(clients: AwsClients, wanted: t.Sequence[str]) -> dict[str, str]:
    """How each wanted region stands: ``opt-in-not-required``, ``opted-in`` or ``not-opted-in``, in the order asked for.

    :raises InputError: AWS does not know one of them.
    :raises AwsError: AWS does not tell; it takes ``ec2:DescribeRegions``.
    """
    answer = call(clients.ec2(home_region(wanted)), "describe_regions", AllRegions=True)
    known = {region["RegionName"]: region["OptInStatus"] for region in answer["Regions"]}
    unknown = [region for region in wanted if region not in known]
    if unknown:
        raise InputError(f"AWS knows no region {', '.join(unknown)}. It knows: {', '.join(sorted(known))}.")
    return {region: known[region] for region in wanted}
