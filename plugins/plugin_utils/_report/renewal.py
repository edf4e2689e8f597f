# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on what a renewal did. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.fields import Entry, moment, seconds, text, texts
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import APPLIANCE, Action, Column, Document, Figure, Item, Table, words
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.phrases import action, count, day

RESULT = words(
    ("failed", "Failed", "bad"),
    ("would_renew", "Would be renewed", "warn"),
    ("would_finish", "Would be finished", "warn"),
    ("renewed", "Renewed", "good"),
    ("finished", "Finished", "good"),
    ("not_due", "Not due", "plain"),
    ("hosted", "Skipped, hosted", "plain"),
)
COLUMNS = (
    Column("result", "Result", "status", filter=True, words=RESULT),
    *APPLIANCE,
    Column("expires_before", "Expired on (before)"),
    Column("expires_at", "Expires on (now)"),
    Column("credential", "Registered with"),
    Column("seconds", "Seconds", "number"),
    Column("reason", "Why", "long"),
)


@dataclass(frozen=True)
class Renewal:
    """What the report takes from an entry of the role netsec_certificate.

    :ivar expires_before: when the certificate was to expire, or did, before the run.
    :ivar expires_at: when it expires after the run.
    :ivar reason: why the certificate was due or not, or why the renewal failed.
    :ivar hints: what is left to be done by hand.
    """

    instance_id: str
    name: str | None
    result: str
    account_id: str | None
    region: str | None
    expires_before: datetime | None
    expires_at: datetime | None
    credential: str | None
    seconds: float | None
    reason: str
    hints: tuple[str, ...]

    @classmethod
    def of(cls, entry: Entry) -> Renewal:
        """Read an entry."""
        result = text(entry, "result") or "failed"
        return cls(
            instance_id=text(entry, "instance_id") or "unknown",
            name=text(entry, "name"),
            result=result,
            account_id=text(entry, "account_id"),
            region=text(entry, "region"),
            expires_before=moment(entry, "expires_before"),
            expires_at=moment(entry, "expires_at"),
            credential=text(entry, "credential"),
            seconds=seconds(entry, "seconds"),
            reason=(text(entry, "msg") if result == "failed" else text(entry, "reason")) or "",
            hints=tuple(texts(entry, "hints")),
        )

    def change(self) -> Item:
        """What was done, as a sentence."""
        done = RESULT[self.result].label
        how = f" with its {self.credential}" if self.credential else ""
        took = f" in {self.seconds:.0f} s" if self.seconds is not None else ""
        until = f". The certificate expires on {day(self.expires_at)} now" if self.expires_at and self.result in ("renewed", "finished") else ""
        return Item(self.instance_id, f"{done}{how}{took}{until}.")


def renewal(entries: Sequence[Entry], now: datetime) -> Document:
    """Make the report.

    :param entries: as the role netsec_certificate makes them, of all batches so far.
    """
    found = sorted((Renewal.of(entry) for entry in entries), key=lambda each: (RESULT[each.result].rank if each.result in RESULT else 0, each.instance_id))
    counts = Counter(each.result for each in found)
    return Document(
        kind="renewal",
        title="Renewal of Network Security certificates",
        generated_at=now,
        headline=_headline(len(found), counts),
        figures=(Figure("appliances", "Appliances", len(found)), *(Figure(name, word.label, counts[name], word.level) for name, word in RESULT.items())),
        actions=_actions(found),
        charts=(),
        tables=(Table("appliances", "All appliances", COLUMNS, tuple(_row(each) for each in found)),),
        changes=tuple(each.change() for each in found if each.result in ("renewed", "finished", "would_renew", "would_finish")),
        notes=("Check mode: nothing was changed.",) if counts["would_renew"] or counts["would_finish"] else (),
    )


def _row(found: Renewal) -> tuple[str | float | None, ...]:
    dates = (day(found.expires_before), day(found.expires_at))
    return (found.result, found.instance_id, found.name, found.account_id, found.region, *dates, found.credential, found.seconds, found.reason)


def _headline(total: int, counts: Counter[str]) -> str:
    done, planned = counts["renewed"] + counts["finished"], counts["would_renew"] + counts["would_finish"]
    if not total:
        return "There are no appliances."
    of_all = f"of {count(total, 'certificate')}"
    if planned:
        first = f"{planned} {of_all} would be renewed"
    elif done:
        first = f"{done} {of_all} {'was' if done == 1 else 'were'} renewed"
    else:
        first = f"None {of_all} {'was renewed' if counts['failed'] else 'had to be renewed'}"
    return f"{first}, {counts['failed']} failed." if counts["failed"] else f"{first}."


def _actions(found: Sequence[Renewal]) -> tuple[Action, ...]:
    failed = [Item(each.instance_id, each.reason) for each in found if each.result == "failed"]
    by_hand = [Item(each.instance_id, hint) for each in found for hint in each.hints]
    return (
        *action(
            f"{count(len(failed), 'renewal')} failed",
            "Remove the cause that is named, then run the playbook again: it takes each appliance up where it stands.",
            "bad",
            failed,
        ),
        *action(f"{count(len(by_hand), 'thing is', 'things are')} left to be done by hand", "See what is said of each appliance.", "warn", by_hand),
    )
