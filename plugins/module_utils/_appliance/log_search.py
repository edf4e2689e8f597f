# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search the system logs of many appliances in CloudWatch Logs for certificate errors, with few and bounded queries.

Nothing here fails: what prevents the search of a log becomes the state of its evidence.
"""

from __future__ import annotations

import itertools
import threading
import typing as t
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate import Facts, log_matters_since
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate_log import (
    LogEvidence,
    State,
    errors_after,
    silence_to_prove,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_streaming import read_log_types, stream_name
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.log_streams import (
    STREAMS_PER_SEARCH,
    last_events,
    newest_event,
    search,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import DENIED, AwsClients, Client
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.system_log import SEARCH_WORDS, is_certificate_error
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError, CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._pool import Outcome, for_each

# The newest part of the log is searched first: it says most, and a search that has to be given up has had it.
_PARTS = (timedelta(days=2), timedelta(days=14))
# AWS may answer one page for each megabyte or so of log, whether something is found in it or not.
MOST_PAGES = 20


LogReader = t.Callable[[AwsClients, t.Sequence[Facts]], dict[str, LogEvidence]]


@dataclass(frozen=True)
class _Log:
    """The system log of an appliance, in CloudWatch.

    :ivar since: no line before this time says anything, as the appliance registered then.
    :ivar last_line_at: as far as known.
    """

    instance_id: str
    region: str
    group: str
    stream: str
    since: datetime
    last_line_at: datetime | None = None


@dataclass
class _Found:
    """What a search has found.

    :ivar errors: by log stream, in no order.
    :ivar searched_from: how far it came back; ``None``: not even through the newest part.
    """

    errors: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    searched_from: datetime | None = None


def log_reader(api: NetsecApi, *, registration_tag: str, window: timedelta, now: datetime, concurrency: int) -> LogReader:
    """What searches the system logs of appliances whose instances are in one AWS account, as far as that can change the judgement on a certificate.

    :param registration_tag: key of the instance tag that a renewal writes.
    :param window: how far to look back.
    :returns: a function that takes the clients of that account and the facts of the appliances, and gives the evidence by instance ID.
    """

    # Accounts are asked at the same time, but there is one API for all of them.
    api_calls = threading.BoundedSemaphore(concurrency)

    def locate(facts: Facts, since: datetime | None) -> _Log | State:
        with api_calls:
            return _locate(api, facts, since)

    def read(clients: AwsClients, facts: t.Sequence[Facts]) -> dict[str, LogEvidence]:
        since = {one.instance_id: log_matters_since(one, registration_tag=registration_tag, now=now) for one in facts}
        located = for_each(lambda one: locate(one, since[one.instance_id]), facts, concurrency=concurrency)
        evidence = {outcome.item.instance_id: _without_log(outcome) for outcome in located if not isinstance(outcome.value, _Log)}
        evidence |= _search(clients, [outcome.value for outcome in located if isinstance(outcome.value, _Log)], now - window, now, concurrency)
        return evidence

    return read


def _locate(api: NetsecApi, facts: Facts, since: datetime | None) -> _Log | State:
    """Where an appliance's system log is, or why it is not searched.

    :raises ApiError: the API does not tell.
    """
    if facts.appliance is None or facts.instance is None or since is None:
        return "not_asked"
    for log_type in read_log_types(api.log_types(facts.appliance.id)):
        if log_type.name == "system" and log_type.enabled and log_type.group:
            return _Log(facts.instance_id, facts.instance.region, log_type.group, stream_name(log_type.stream, facts.instance_id), since)
    return "not_streamed"


def _without_log(located: Outcome[Facts, _Log | State]) -> LogEvidence:
    if located.error:
        return LogEvidence("failed", f"Whether the system log is streamed is not known. {located.error}")
    if located.value == "not_streamed":
        return LogEvidence("not_streamed", "The system log is not streamed to CloudWatch.")
    return LogEvidence()


def _search(clients: AwsClients, logs: t.Iterable[_Log], oldest: datetime, now: datetime, concurrency: int) -> dict[str, LogEvidence]:
    """Search all of them, group by group."""
    groups: dict[tuple[str, str], list[_Log]] = defaultdict(list)
    for log in logs:
        groups[log.region, log.group].append(log)

    def describe(place: tuple[str, str]) -> dict[str, datetime | None]:
        return last_events(clients.client("logs", place[0]), place[1], [log.stream for log in groups[place]])

    evidence: dict[str, LogEvidence] = {}
    portions: list[list[_Log]] = []
    for described in for_each(describe, groups, concurrency=concurrency):
        missing = LogEvidence("missing", f"There is no such log stream in the log group {described.item[1]} in {described.item[0]}.")
        streams = described.value or {}
        evidence |= {log.instance_id: _unsearched(described.error) if described.error else missing for log in groups[described.item]}
        there = [replace(log, last_line_at=streams[log.stream]) for log in groups[described.item] if log.stream in streams]
        # Those of about the same age together, so that none is searched for longer than need be.
        there.sort(key=lambda log: log.since)
        portions += [there[start : start + STREAMS_PER_SEARCH] for start in range(0, len(there), STREAMS_PER_SEARCH)]

    for searched in for_each(lambda portion: _search_portion(clients, portion, oldest, now), portions, concurrency=concurrency):
        evidence |= searched.value or {log.instance_id: _unsearched(searched.error) for log in searched.item}

    proved = for_each(lambda log: _with_lines(clients, log, evidence[log.instance_id], now), itertools.chain(*portions), concurrency=concurrency)
    return evidence | {outcome.item.instance_id: outcome.value for outcome in proved if outcome.value}


def _unsearched(error: CloudOneError | None) -> LogEvidence:
    denied = isinstance(error, AwsError) and error.code in DENIED
    return LogEvidence("denied" if denied else "failed", str(error))


def _search_portion(clients: AwsClients, portion: t.Sequence[_Log], oldest: datetime, now: datetime) -> dict[str, LogEvidence]:
    """Search logs of one group, as many as one query takes.

    :raises AwsError: they cannot be searched.
    """
    region, group = portion[0].region, portion[0].group
    found = _search_back(clients.client("logs", region), group, [log.stream for log in portion], max(oldest, portion[0].since), now)
    note = None if found.searched_from else f"The log group {group} in {region} is too large: {MOST_PAGES} pages of answers do not cover two days."

    def evidence_of(log: _Log) -> LogEvidence:
        errors = tuple(sorted(found.errors[log.stream]))
        last_line_at = max((*errors, *([log.last_line_at] if log.last_line_at else [])), default=None)
        return LogEvidence("failed" if note else "searched", note, found.searched_from, last_line_at, errors_after(errors, log.since))

    return {log.instance_id: evidence_of(log) for log in portion}


def _search_back(client: Client, group: str, names: t.Sequence[str], oldest: datetime, now: datetime) -> _Found:
    """Search from now back to ``oldest``, or as far as :data:`MOST_PAGES` reach."""
    found = _Found()
    pages_left = MOST_PAGES
    until: datetime | None = None
    for part in (*_PARTS, now - oldest):
        since = max(oldest, now - part)
        events, pages_read = search(client, group, names, SEARCH_WORDS, since, until, most_pages=pages_left)
        for event in events:
            if is_certificate_error(event.message):
                found.errors[event.stream].append(event.at)
        if pages_read is None:
            break
        found.searched_from = until = since
        pages_left -= pages_read
        if since == oldest or pages_left == 0:
            break
    return found


def _with_lines(clients: AwsClients, log: _Log, evidence: LogEvidence, now: datetime) -> LogEvidence:
    """Look for lines that prove that the errors are over, where that can be proved."""
    parts = silence_to_prove(evidence.errors, now)
    if evidence.state != "searched" or not parts:
        return evidence
    client = clients.client("logs", log.region)
    lines: list[datetime] = []
    # The oldest part first: if one has no line, nothing is proved.
    for begin, end in reversed(parts):
        line = newest_event(client, log.group, log.stream, begin, end)
        if line is None:
            break
        lines.append(line)
    return replace(evidence, lines_since=tuple(lines), last_line_at=max((*lines, evidence.last_line_at or begin)))
