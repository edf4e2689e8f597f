# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the trails of AWS CloudTrail that are for a region. Only reads."""

from __future__ import annotations

import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.regions import home_region
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, Response, call
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.trails import EVERYTHING, Coverage, Selection, Trail, coverage, selection


def find_coverage(clients: AwsClients, regions: t.Sequence[str], *, concurrency: int) -> list[Outcome[str, Coverage]]:
    """How far the events of each region are recorded.

    :param regions: regions that are on.
    """
    try:
        everywhere = _trails_everywhere(clients, home_region(regions))
    except AwsError as error:
        return [Outcome(region, error=error) for region in regions]
    if any(trail.records for trail in everywhere):
        return [Outcome(region, value=coverage(everywhere)) for region in regions]
    return for_each(lambda region: coverage([*everywhere, *_trails_of_region(clients, region)]), regions, concurrency=concurrency)


def _trails_everywhere(clients: AwsClients, region: str) -> list[Trail]:
    """The trails for all regions, those of the organization included: every region shows them."""
    answer = call(clients.client("cloudtrail", region), "describe_trails", includeShadowTrails=True)
    return [_read(clients, trail) for trail in answer["trailList"] if trail.get("IsMultiRegionTrail")]


def _trails_of_region(clients: AwsClients, region: str) -> list[Trail]:
    """The trails for one region alone."""
    answer = call(clients.client("cloudtrail", region), "describe_trails", includeShadowTrails=True)
    return [_read(clients, trail) for trail in answer["trailList"] if not trail.get("IsMultiRegionTrail") and trail["HomeRegion"] == region]


def _read(clients: AwsClients, described: Response) -> Trail:
    """Ask how a trail is set. What AWS refuses is unknown, as it may be of an organization's trail."""
    client = clients.client("cloudtrail", described["HomeRegion"])
    logging: bool | None = None
    selected: Selection | None = None
    problem = None
    try:
        logging = call(client, "get_trail_status", Name=described["TrailARN"])["IsLogging"]
        # Without selectors of its own it records all management events.
        own = described.get("HasCustomEventSelectors")
        selected = selection(call(client, "get_event_selectors", TrailName=described["TrailARN"])) if own else EVERYTHING
    except AwsError as error:
        problem = str(error)
    return Trail(described["Name"], logging, selected, problem)
