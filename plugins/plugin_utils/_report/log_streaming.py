# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on which logs appliances stream, and whether they arrive. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.fields import Entry, flag, moment, sections, text
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import APPLIANCE, Action, Column, Document, Figure, Item, Table, Value, words
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.phrases import action, count, minute

RESULT = words(
    ("failed", "Failed", "bad"),
    ("would_configure", "Would be configured", "warn"),
    ("configured", "Configured", "good"),
    ("unchanged", "As wanted before", "plain"),
)
ARRIVAL = words(
    ("silent", "Some are silent", "warn"),
    ("not_checked", "Not looked for", "plain"),
    ("hosted", "Hosted by Trend", "plain"),
    ("arriving", "All arrive", "good"),
)
COLUMNS = (
    Column("result", "Result", "status", filter=True, words=RESULT),
    *APPLIANCE,
    Column("arrival", "Events", "status", filter=True, words=ARRIVAL),
    Column("last_event_at", "Last event (UTC)"),
    Column("streams", "Streams", "long"),
    Column("silent", "Silent"),
    Column("reason", "Why", "long"),
)
LOG_TYPES = (
    Column("log_type", "Log type", "code"),
    Column("log_groups", "Log groups"),
    Column("appliances", "Appliances", "number"),
    Column("receiving", "Events arrive from", "number"),
    Column("silent", "Silent", "number"),
)


@dataclass(frozen=True)
class Stream:
    """One log type that an appliance streams.

    :ivar receiving: whether events arrive; ``None`` if nobody looked.
    """

    name: str
    group: str
    receiving: bool | None
    last_event_at: datetime | None

    @classmethod
    def of(cls, entry: Entry) -> Stream:
        """Read an entry."""
        return cls(text(entry, "name") or "unknown", text(entry, "group") or "", flag(entry, "receiving"), moment(entry, "last_event_at"))


@dataclass(frozen=True)
class Streaming:
    """What the report takes from an entry of the role netsec_cloudwatch_logs."""

    instance_id: str
    name: str | None
    result: str
    account_id: str | None
    region: str | None
    hosted: bool
    streams: tuple[Stream, ...]
    before: tuple[str, ...]
    reason: str

    @classmethod
    def of(cls, entry: Entry) -> Streaming:
        """Read an entry."""
        result = text(entry, "result") or "failed"
        return cls(
            instance_id=text(entry, "instance_id") or "unknown",
            name=text(entry, "name"),
            result=result,
            account_id=text(entry, "account_id"),
            region=text(entry, "region"),
            hosted=flag(entry, "hosted") or False,
            streams=tuple(Stream.of(stream) for stream in sections(entry, "streams")),
            before=tuple(text(log_type, "name") or "unknown" for log_type in sections(entry, "before")),
            reason=(text(entry, "msg") if result == "failed" else text(entry, "reason")) or "",
        )

    @property
    def silent(self) -> list[str]:
        """The log types of which nothing arrives."""
        return [stream.name for stream in self.streams if stream.receiving is False]

    @property
    def arrival(self) -> str:
        """Whether events arrive."""
        if self.hosted:
            return "hosted"
        if not any(stream.receiving is not None for stream in self.streams):
            return "not_checked"
        return "silent" if self.silent else "arriving"

    def told(self) -> str:
        """Which log type goes where."""
        return ", ".join(f"{stream.name} to {stream.group}" for stream in self.streams) or ("" if self.result == "failed" else "nothing")

    def row(self) -> tuple[Value, ...]:
        """The row of the table."""
        last = max((stream.last_event_at for stream in self.streams if stream.last_event_at), default=None)
        place = (self.name, self.account_id, self.region)
        return (self.result, self.instance_id, *place, self.arrival, minute(last), self.told(), ", ".join(self.silent) or None, self.reason)


def log_streaming(entries: Sequence[Entry], now: datetime) -> Document:
    """Make the report.

    :param entries: as the role netsec_cloudwatch_logs makes them.
    """
    found = sorted((Streaming.of(entry) for entry in entries), key=lambda each: (RESULT[each.result].rank if each.result in RESULT else 0, each.instance_id))
    counts = Counter(each.result for each in found)
    arrivals = Counter(each.arrival for each in found if each.result != "failed")
    changed = [each for each in found if each.result in ("configured", "would_configure")]
    return Document(
        kind="log_streaming",
        title="Log streaming of Network Security appliances",
        generated_at=now,
        headline=_headline(len(found), counts, arrivals),
        figures=(
            Figure("appliances", "Appliances", len(found)),
            *(Figure(name, word.label, counts[name], word.level) for name, word in RESULT.items()),
            *(Figure(name, ARRIVAL[name].label, arrivals[name], ARRIVAL[name].level) for name in ("arriving", "silent")),
        ),
        actions=_actions(found),
        charts=(),
        tables=(
            Table("log_types", "Log types", LOG_TYPES, _log_types(found)),
            Table("appliances", "All appliances", COLUMNS, tuple(each.row() for each in found)),
        ),
        changes=tuple(Item(each.instance_id, f"{RESULT[each.result].label}: {', '.join(each.before)}.") for each in changed),
        notes=("Check mode: nothing was changed.",) if counts["would_configure"] else (),
    )


def _headline(total: int, counts: Counter[str], arrivals: Counter[str]) -> str:
    if not total:
        return "There are no appliances."
    good = total - counts["failed"] - counts["would_configure"]
    parts = [f"{good} of {count(total, 'appliance')} {'streams' if good == 1 else 'stream'} logs as wanted"]
    if counts["would_configure"]:
        parts.append(f"{counts['would_configure']} would be configured")
    if counts["failed"]:
        parts.append(f"{counts['failed']} failed")
    if arrivals["arriving"] or arrivals["silent"]:
        seen = arrivals["arriving"] + arrivals["silent"]
        parts.append(f"all logs arrive from {arrivals['arriving']} of the {seen} that were looked at")
    return ", ".join(parts) + "."


def _log_types(found: Sequence[Streaming]) -> tuple[tuple[Value, ...], ...]:
    streams = [stream for each in found for stream in each.streams]

    def row(name: str) -> tuple[Value, ...]:
        same = [stream for stream in streams if stream.name == name]
        arrivals = Counter(stream.receiving for stream in same)
        return (name, ", ".join(sorted({stream.group for stream in same})), len(same), arrivals[True], arrivals[False])

    return tuple(row(name) for name in sorted({stream.name for stream in streams}))


def _actions(found: Sequence[Streaming]) -> tuple[Action, ...]:
    failed = [Item(each.instance_id, each.reason) for each in found if each.result == "failed"]
    silent = [Item(each.instance_id, ", ".join(each.silent)) for each in found if each.result != "failed" and each.arrival == "silent"]
    return (
        *action(
            f"{count(len(failed), 'appliance does', 'appliances do')} not stream as wanted",
            "Remove the cause that is named, then run the playbook again.",
            "bad",
            failed,
        ),
        *action(
            f"{count(len(silent), 'appliance streams', 'appliances stream')} logs of which no event was seen",
            "No fault if there was nothing to report. Look again later, or after traffic that has to be logged.",
            "warn",
            silent,
        ),
    )
