# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on Conformity Real-Time Threat Monitoring in accounts and their regions. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.fields import Entry, flag, moment, sections, text, texts
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import Action, Column, Document, Figure, Item, Table, Value, Word, words
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.phrases import action, count, minute

STATUS = words(
    ("failed", "Failed", "bad"),
    ("broken", "Broken", "bad", "⊘"),
    ("drifted", "Differs", "warn", "≠"),
    ("in_progress", "In progress", "warn", "…"),
    ("absent", "Off", "warn", "○"),
    ("foreign", "Another stack's", "warn", "◇"),
    ("present", "On", "good"),
    ("skipped", "Region is off", "plain"),
)
# Where RTM is to be removed, being off is what is wanted.
REMOVED = words(
    ("failed", "Failed", "bad"),
    ("broken", "Broken", "bad", "⊘"),
    ("drifted", "Differs", "warn", "≠"),
    ("in_progress", "In progress", "warn", "…"),
    ("present", "On", "warn", "●"),
    ("foreign", "Another stack's", "warn", "◇"),
    ("absent", "Off", "good"),
    ("skipped", "Region is off", "plain"),
)
DONE = {"create": "created", "update": "updated", "repair": "repaired", "recreate": "recreated", "delete": "deleted"}


@dataclass(frozen=True)
class Region:
    """What became of one region of an account.

    :ivar done: what was done, or would be; ``None`` if nothing.
    :ivar recorded: whether a trail of CloudTrail records what RTM forwards.
    """

    account_id: str
    name: str
    status: str
    done: str | None
    recorded: bool | None
    last_event_at: datetime | None
    reason: str

    def row(self) -> tuple[Value, ...]:
        """The row of the table."""
        return (self.status, self.account_id, self.name, self.done, self.recorded, minute(self.last_event_at), self.reason)


@dataclass(frozen=True)
class Account:
    """What the report takes from an entry of the role conformity_rtm."""

    account_id: str
    name: str | None
    wanted: str
    check_mode: bool
    regions: tuple[Region, ...]
    failures: tuple[str, ...]
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, entry: Entry) -> Account:
        """Read an entry."""
        account_id = text(entry, "account_id") or "unknown"
        check_mode = flag(entry, "check_mode") or False
        looks, trails = _by_region(entry, "looks"), _by_region(entry, "trails")
        changes = _by_region(entry, "changes")
        regions = tuple(
            _region(account_id, name, changes.get(name, {}), looks.get(name, {}), trails.get(name, {}), check_mode) for name in {**changes, **looks}
        )
        unrecorded = [f"Nothing will arrive from {name}. {text(trail, 'reason') or ''}".strip() for name, trail in trails.items() if _unrecorded(trail)]
        return cls(
            account_id=account_id,
            name=text(entry, "name"),
            wanted=text(entry, "wanted") or "present",
            check_mode=check_mode,
            regions=regions,
            failures=tuple(texts(entry, "failures")),
            warnings=(*texts(entry, "warnings"), *unrecorded),
        )


def _by_region(entry: Entry, name: str) -> dict[str, Entry]:
    return {text(region, "region") or "unknown": region for region in sections(entry, name)}


def _unrecorded(trail: Entry) -> bool:
    return flag(trail, "recorded") is False


def _region(account_id: str, name: str, change: Entry, look: Entry, trail: Entry, check_mode: bool) -> Region:
    """Join what was changed in a region with what was found there afterwards."""
    failed = next((each for each in (change, look) if flag(each, "failed")), None)
    done = DONE.get(text(change, "action") or "") if flag(change, "changed") else None
    return Region(
        account_id=account_id,
        name=name,
        status="failed" if failed else text(look, "status") or text(change, "status") or "unknown",
        done=f"would be {done}" if done and check_mode else done,
        recorded=flag(trail, "recorded"),
        last_event_at=moment(look, "last_event_at"),
        reason=(text(failed, "msg") if failed else text(change, "reason") or text(look, "reason")) or "",
    )


def rtm(entries: Sequence[Entry], now: datetime) -> Document:
    """Make the report.

    :param entries: as the role conformity_rtm makes them, one for each account.
    """
    accounts = sorted((Account.of(entry) for entry in entries), key=lambda account: account.account_id)
    removing = bool(accounts) and all(account.wanted == "absent" for account in accounts)
    vocabulary = REMOVED if removing else STATUS
    regions = [region for account in accounts for region in account.regions]
    counts = Counter(region.status for region in regions)
    changed = [region for region in regions if region.done]
    columns = (
        Column("status", "Status", "status", filter=True, words=vocabulary),
        Column("account_id", "Account", filter=True),
        Column("region", "Region", filter=True),
        Column("done", "Done"),
        Column("recorded", "CloudTrail records", filter=True),
        Column("last_event_at", "Last event (UTC)"),
        Column("reason", "Why", "long"),
    )
    by_urgency = sorted(regions, key=lambda region: (vocabulary[region.status].rank if region.status in vocabulary else 0, region.account_id, region.name))
    return Document(
        kind="rtm",
        title="Real-Time Threat Monitoring",
        generated_at=now,
        headline=_headline(accounts, regions, counts, removing),
        figures=(
            Figure("accounts", "Accounts", len(accounts)),
            Figure("regions", "Regions", len(regions)),
            *(Figure(name, word.label, counts[name], word.level) for name, word in vocabulary.items()),
            Figure("changed", "Changed", len(changed)),
        ),
        actions=_actions(accounts),
        charts=(),
        tables=(
            _map(accounts, vocabulary),
            Table("regions", "All regions", columns, tuple(region.row() for region in by_urgency)),
        ),
        changes=tuple(Item(_subject(region), f"{(region.done or '').capitalize()}. {region.reason}".strip()) for region in changed),
        notes=("Check mode: nothing was changed.",) if any(account.check_mode for account in accounts) else (),
    )


def _map(accounts: Sequence[Account], vocabulary: Mapping[str, Word]) -> Table:
    """Accounts by regions."""
    names = sorted({region.name for account in accounts for region in account.regions})
    columns = (Column("account_id", "Account"), Column("name", "Name"), *(Column(name, name, "status", words=vocabulary) for name in names))

    def row(account: Account) -> tuple[Value, ...]:
        status = {region.name: region.status for region in account.regions}
        return (account.account_id, account.name, *(status.get(name) for name in names))

    return Table("map", "Accounts and regions", columns, tuple(row(account) for account in accounts), compact=True)


def _subject(region: Region) -> str:
    return f"{region.account_id} {region.name}"


def _headline(accounts: Sequence[Account], regions: Sequence[Region], counts: Counter[str], removing: bool) -> str:
    if not accounts:
        return "There are no accounts."
    wanted, state = ("absent", "off") if removing else ("present", "on")
    of_all = f"of {count(len(regions) - counts['skipped'], 'region')} in {count(len(accounts), 'account')}"
    first = f"Monitoring is {state} in {counts[wanted]} {of_all}"
    failed = sum(bool(account.failures) for account in accounts)
    return f"{first}; {count(failed, 'account')} failed." if failed else f"{first}."


def _actions(accounts: Sequence[Account]) -> tuple[Action, ...]:
    failed = [Item(account.account_id, failure) for account in accounts for failure in account.failures]
    warned = [Item(account.account_id, warning) for account in accounts for warning in account.warnings]
    return (
        *action(
            f"{count(sum(bool(account.failures) for account in accounts), 'account is', 'accounts are')} not as wanted",
            "Remove the cause that is named, then run the playbook again.",
            "bad",
            failed,
        ),
        *action(
            f"{count(len(warned), 'warning')} about events that do not arrive, or of which that is not known",
            "See what is said of each account.",
            "warn",
            warned,
        ),
    )
