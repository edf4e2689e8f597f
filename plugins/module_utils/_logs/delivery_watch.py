# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look, and look again, for events in many log streams, with few calls."""

from __future__ import annotations

import time
import typing as t
from collections import defaultdict
from dataclasses import replace

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.log_streams import NOT_FOUND, last_events, newest_event
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import THROTTLED, AwsClients, Client, refuse_bad_credentials
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.delivery import Sighting, Stream
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each

Sightings = dict[Stream, Outcome[Stream, Sighting]]


def await_events(clients: AwsClients, streams: t.Collection[Stream], *, timeout: float, interval: float, concurrency: int) -> Sightings:
    """Look until each stream has received an event that counts, or the time is over.

    :param timeout: in seconds; 0: look once.
    :param interval: seconds from one look to the next. Looks again only for what is still missing.
    :returns: by stream what was seen of it last, or the :class:`AwsError` that prevented it.
    :raises InputError: ``interval`` is not positive.
    :raises AwsCredentialsError: AWS does not accept the credentials for any of the streams.
    """
    if interval <= 0:
        raise InputError(f"wait_interval must be more than 0 seconds, it is {interval:g}.")
    start = time.monotonic()
    seen: Sightings = {}
    missing = list(dict.fromkeys(streams))
    while True:
        before = {stream: seen[stream].value or Sighting() if stream in seen else Sighting() for stream in missing}
        outcomes = _look(clients, before, concurrency)
        refuse_bad_credentials(outcomes)
        elapsed = time.monotonic() - start
        waited = round(elapsed, 1)
        for outcome in outcomes:
            sighting = replace(outcome.value, waited=waited) if outcome.value else None
            seen[outcome.item] = Outcome(outcome.item, sighting, outcome.error)
        missing = [stream for stream in missing if _worth_waiting(seen[stream])]
        if not missing or elapsed >= timeout:
            return seen
        # The last look is at the end of the time.
        time.sleep(min(interval, timeout - elapsed))


def _worth_waiting(outcome: Outcome[Stream, Sighting]) -> bool:
    """Whether another look may tell more."""
    if outcome.value is not None:
        return not outcome.value.receives(outcome.item)
    return isinstance(outcome.error, AwsError) and outcome.error.code in THROTTLED


def _look(clients: AwsClients, before: t.Mapping[Stream, Sighting], concurrency: int) -> list[Outcome[Stream, Sighting]]:
    """Look once.

    :param before: the streams, and what was seen of each before.
    """
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for stream, sighting in before.items():
        if not sighting.exists:
            groups[stream.region, stream.group].append(stream.name)
    asked = for_each(lambda group: _describe(clients.client("logs", group[0]), group[1], groups[group]), groups, concurrency=concurrency)
    described = {outcome.item: outcome for outcome in asked}

    def look(stream: Stream) -> Sighting:
        sighting = before[stream] if before[stream].exists else described[stream.region, stream.group].result().get(stream.name, Sighting())
        # A description may be an hour behind: it can prove that there is an event, but not that there is none.
        if not sighting.exists or sighting.receives(stream):
            return sighting
        return _newest_event(clients.client("logs", stream.region), stream, sighting)

    return for_each(look, before, concurrency=concurrency)


def _describe(client: Client, group: str, names: t.Sequence[str]) -> dict[str, Sighting]:
    """What the descriptions of a group's streams tell, at least of those that are named; nothing if there is no such group."""
    return {name: Sighting(True, last_event_at) for name, last_event_at in last_events(client, group, names).items()}


def _newest_event(client: Client, stream: Stream, described: Sighting) -> Sighting:
    """Look for the newest event that counts."""
    try:
        newest = newest_event(client, stream.group, stream.name, stream.since)
    except AwsError as error:
        if error.code == NOT_FOUND:  # deleted since it was described
            return Sighting()
        raise
    return Sighting(True, newest) if newest else described
