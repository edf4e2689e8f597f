# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CloudWatch Logs says about log streams and the events in them."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta
from itertools import takewhile

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import Client, call, pages
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import EPOCH, from_milliseconds

# One search for each stream up to here; for more of them, the pages of the log group cost less.
MOST_SEARCHES = 10
# How many streams one FilterLogEvents takes.
STREAMS_PER_SEARCH = 100
# So many pages without an event are looked through.
MOST_EMPTY_PAGES = 1000

NOT_FOUND = "ResourceNotFoundException"

_MILLISECOND = timedelta(milliseconds=1)


class Event(t.NamedTuple):
    """A log event.

    :ivar at: when it was logged; the earlier of the writer's time and the time at which CloudWatch took it, so a writer's clock
        that is ahead does not make it newer than it is.
    """

    stream: str
    at: datetime
    message: str


def last_events(client: Client, group: str, names: t.Sequence[str]) -> dict[str, datetime | None]:
    """The streams of a log group, at least those that are named and exist, each with the time of its last event. That may be an hour behind.

    :returns: nothing if there is no such group.
    :raises AwsError: the streams cannot be described.
    """
    prefixes = list(dict.fromkeys(names)) if len(names) <= MOST_SEARCHES else [common_prefix(names)]
    found: dict[str, datetime | None] = {}
    for prefix in prefixes:
        narrowed = {"logStreamNamePrefix": prefix} if prefix else {}
        try:
            answers = pages(client, "describe_log_streams", "logStreams", logGroupName=group, **narrowed)
        except AwsError as error:
            if error.code == NOT_FOUND:
                return {}
            raise
        found.update({answer["logStreamName"]: from_milliseconds(answer.get("lastEventTimestamp")) for answer in answers})
    return found


def common_prefix(names: t.Sequence[str]) -> str:
    """What all names begin with: what the first and the last by the alphabet have in common."""
    return "".join(one for one, _other in takewhile(lambda pair: pair[0] == pair[1], zip(min(names), max(names), strict=False)))


def newest_event(client: Client, group: str, name: str, since: datetime, until: datetime | None = None) -> datetime | None:
    """The time of the newest event of a stream that is not before ``since``, and is before ``until``. ``None`` if there is none.

    :raises AwsError: the stream cannot be read, or its empty pages do not end; with the code :data:`NOT_FOUND` if there is none.
    """
    arguments = {"logGroupName": group, "logStreamName": name, "startTime": _milliseconds(since), "startFromHead": False, "limit": 1}
    if until is not None:
        arguments["endTime"] = _milliseconds(until) - 1
    # An empty page is not the end; a marker that comes back is.
    for _page in range(MOST_EMPTY_PAGES):
        answer = call(client, "get_log_events", **arguments)
        if answer["events"]:
            return from_milliseconds(answer["events"][-1]["timestamp"])
        if answer["nextBackwardToken"] == arguments.get("nextToken"):
            return None
        arguments["nextToken"] = answer["nextBackwardToken"]
    problem = f"The log stream {name} of {group} in {client.meta.region_name} has more than {MOST_EMPTY_PAGES} pages without an event. Run again."
    raise AwsError(problem, operation="logs:GetLogEvents")


def search(
    client: Client, group: str, names: t.Sequence[str], phrase: str, since: datetime, until: datetime | None, *, most_pages: int
) -> tuple[list[Event], int | None]:
    """Search streams for events that contain a phrase, oldest first.

    :param names: at most :data:`STREAMS_PER_SEARCH`; all of them exist.
    :param until: events of this time and later are left out.
    :param most_pages: how many pages to read at most. AWS may return many empty ones, one for each part of the log that it went through.
    :returns: the events, and how many pages were read; ``None`` if there are more.
    :raises AwsError: they cannot be searched; with the code :data:`NOT_FOUND` if one of them does not exist (any more).
    """
    arguments: dict[str, t.Any] = {"logGroupName": group, "logStreamNames": list(names), "filterPattern": f'"{phrase}"', "startTime": _milliseconds(since)}
    if until is not None:
        arguments["endTime"] = _milliseconds(until) - 1
    events: list[Event] = []
    for page in range(1, most_pages + 1):
        answer = call(client, "filter_log_events", **arguments)
        events += [_event(event) for event in answer.get("events", [])]
        if not answer.get("nextToken"):
            return events, page
        arguments["nextToken"] = answer["nextToken"]
    return events, None


def _event(answer: t.Mapping[str, t.Any]) -> Event:
    # Without a time that can be, it is older than all that counts.
    at = min(answer["timestamp"], answer.get("ingestionTime", answer["timestamp"]))
    return Event(answer["logStreamName"], from_milliseconds(at) or EPOCH, answer["message"])


def _milliseconds(moment: datetime) -> int:
    """Rounded up, so that no event before ``moment`` counts."""
    return -((EPOCH - moment) // _MILLISECOND)
