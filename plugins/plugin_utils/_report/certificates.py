# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report on when certificates expire. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.fields import Entry, flag, moment, number, section, text
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import (
    APPLIANCE,
    Action,
    Bar,
    Chart,
    Column,
    Document,
    Figure,
    Item,
    Table,
    words,
)
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.phrases import action, count, day

MONTHS = 24

STATUS = words(
    ("expired", "Expired", "bad"),
    ("failed", "Failed", "bad"),
    ("expiring", "Expires soon", "warn"),
    ("unregistered", "Not registered", "warn"),
    ("unknown", "Not known", "warn"),
    ("orphaned", "Orphaned", "warn"),
    ("valid", "Valid", "good"),
    ("hosted", "Hosted by Trend", "plain"),
)
EVIDENCE = words(
    ("registration_tag", "tag of a renewal", "plain"),
    ("renewal_record", "record of a renewal", "plain"),
    ("log_evidence", "errors in logs", "plain"),
    ("root_volume", "age of the root volume", "plain"),
)
COLUMNS = (
    Column("status", "Status", "status", filter=True, words=STATUS),
    *APPLIANCE,
    Column("expires_at", "Expires on"),
    Column("days_left", "Days left", "number"),
    Column("estimated", "Estimate", filter=True),
    Column("evidence", "Known from", words=EVIDENCE),
    Column("certificate_errors", "Errors in its log", "number"),
    Column("reason", "Why", "long"),
)


@dataclass(frozen=True)
class Certificate:
    """What the report takes from an entry of ``netsec_certificate_info``.

    :ivar status: the entry's, or ``failed`` or ``orphaned``.
    :ivar reason: why the status is what it is, or why nothing could be found out.
    :ivar log_problem: why the system log, which might have told more, could not be searched.
    """

    instance_id: str
    name: str | None
    status: str
    reason: str
    unfinished: bool
    account_id: str | None
    region: str | None
    expires_at: datetime | None
    days_left: int | None
    evidence: str | None
    estimated: bool | None
    certificate_errors: int | None
    log_problem: str | None

    @classmethod
    def of(cls, entry: Entry) -> Certificate:
        """Read an entry."""
        log = section(entry, "log_search")
        expires_at, evidence, estimated = moment(entry, "expires_at"), text(entry, "evidence"), flag(entry, "estimated")
        return cls(
            instance_id=text(entry, "instance_id") or "unknown",
            name=text(entry, "name") or text(section(entry, "appliance"), "host_name"),
            status="failed" if flag(entry, "failed") else "orphaned" if flag(entry, "orphaned") else text(entry, "status") or "unknown",
            reason=(text(entry, "msg") if flag(entry, "failed") else text(entry, "reason")) or "",
            unfinished=flag(entry, "unfinished") or False,
            account_id=text(entry, "account_id"),
            region=text(entry, "region"),
            expires_at=expires_at,
            days_left=number(entry, "days_left"),
            evidence=evidence,
            estimated=None if expires_at is None else evidence != "registration_tag" if estimated is None else estimated,
            certificate_errors=number(section(entry, "certificate_errors"), "count"),
            log_problem=text(log, "note") or "" if text(log, "state") in ("denied", "failed") else None,
        )


def certificates(entries: Sequence[Entry], now: datetime) -> Document:
    """Make the report.

    :param entries: ``appliances`` of ``netsec_certificate_info``.
    """
    found = sorted((Certificate.of(entry) for entry in entries), key=_urgency)
    counts = Counter(certificate.status for certificate in found)
    estimates = sum(certificate.estimated is True for certificate in found)
    return Document(
        kind="certificates",
        title="Network Security certificates",
        generated_at=now,
        headline=_headline(found, counts),
        figures=(Figure("appliances", "Appliances", len(found)), *(Figure(name, word.label, counts[name], word.level) for name, word in STATUS.items())),
        actions=_actions(found),
        charts=(_runway(found, now),) if found else (),
        tables=(Table("appliances", "All appliances", COLUMNS, tuple(_row(certificate) for certificate in found)),),
        changes=(),
        notes=_notes(estimates),
    )


def _urgency(certificate: Certificate) -> tuple[int, bool, str, str]:
    rank = STATUS[certificate.status].rank if certificate.status in STATUS else len(STATUS)
    return rank, certificate.expires_at is None, day(certificate.expires_at) or "", certificate.instance_id


def _row(found: Certificate) -> tuple[str | int | bool | None, ...]:
    date = day(found.expires_at)
    place = (found.account_id, found.region)
    known = (date, found.days_left, found.estimated, found.evidence, found.certificate_errors)
    return (found.status, found.instance_id, found.name, *place, *known, found.reason)


def _headline(found: Sequence[Certificate], counts: Counter[str]) -> str:
    if not found:
        return "There are no appliances."
    expired, expiring, unknown = counts["expired"], counts["expiring"], counts["unknown"] + counts["failed"] + counts["orphaned"]
    of_all = f"of {count(len(found), 'certificate')}"
    parts = [f"{expired or 'None'} {of_all} {'have' if expired > 1 else 'has'} expired"]
    if expiring:
        # Those that expire soon are the ones with the fewest days left.
        days = [certificate.days_left for certificate in found if certificate.status == "expiring" and certificate.days_left is not None]
        verb = "ends" if expiring == 1 else "end"
        parts.append(f"{expiring} {verb} within {count(max(days) + 1, 'day')}" if days else f"{expiring} {verb} soon")
    if counts["unregistered"]:
        parts.append(f"{count(counts['unregistered'], 'appliance is', 'appliances are')} not registered")
    if unknown:
        parts.append(f"{unknown} {'is' if unknown == 1 else 'are'} not known")
    return ", ".join(parts) + "."


def _actions(found: Sequence[Certificate]) -> tuple[Action, ...]:
    def items(status: str) -> list[Item]:
        return [Item(certificate.instance_id, certificate.reason) for certificate in found if certificate.status == status]

    expired, failed, expiring, unregistered, unknown, orphaned = (
        items(status) for status in ("expired", "failed", "expiring", "unregistered", "unknown", "orphaned")
    )
    unfinished = [Item(certificate.instance_id, certificate.reason) for certificate in found if certificate.unfinished]
    unsearched = [Item(certificate.instance_id, certificate.log_problem) for certificate in found if certificate.log_problem is not None]
    renew = "Renew with ansible-playbook trendmicro.cloudone.renew_certs."
    return (
        *action(f"{count(len(expired), 'certificate has', 'certificates have')} expired", renew, "bad", expired),
        *action(
            f"Nothing could be found out about {count(len(failed), 'appliance')}",
            "Remove the cause that is named, then make this report again.",
            "bad",
            failed,
        ),
        *action(f"{count(len(expiring), 'certificate ends', 'certificates end')} soon", renew, "warn", expiring),
        *action(
            f"{count(len(unfinished), 'renewal was', 'renewals were')} interrupted",
            "Run ansible-playbook trendmicro.cloudone.renew_certs again. It finishes what was begun.",
            "warn",
            unfinished,
        ),
        *action(
            f"{count(len(unregistered), 'appliance is', 'appliances are')} not registered",
            "Register with ansible-playbook trendmicro.cloudone.renew_certs, or remove the appliance if nobody needs it.",
            "warn",
            unregistered,
        ),
        *action(
            f"It is not known when {count(len(unknown), 'certificate expires', 'certificates expire')}",
            "See the reason. The date of a renewal by ansible-playbook trendmicro.cloudone.renew_certs is recorded, and then known.",
            "warn",
            unknown,
        ),
        *action(
            f"{count(len(orphaned), 'appliance is', 'appliances are')} listed by Trend Cloud One, but gone from EC2",
            "Unregister them, for example with the module trendmicro.cloudone.netsec_appliance and state: absent.",
            "warn",
            orphaned,
        ),
        *action(
            f"The {'log' if len(unsearched) == 1 else 'logs'} of {count(len(unsearched), 'appliance')} could not be searched for certificate errors",
            "Remove the cause that is named. Without the logs a certificate that was estimated wrongly is not noticed.",
            "warn",
            unsearched,
        ),
    )


def _runway(found: Sequence[Certificate], now: datetime) -> Chart:
    """How many certificates end in which month: in this one and the next 24, of which a certificate that was renewed today reaches the last."""
    first = _month(now)
    # A certificate that is seen to have expired counts so, even if its date is only estimated.
    ahead = [certificate for certificate in found if certificate.expires_at and certificate.status not in ("expired", "hosted")]
    months = Counter(max(_month(certificate.expires_at) - first, 0) for certificate in ahead if certificate.expires_at)
    soon = {max(_month(certificate.expires_at) - first, 0) for certificate in ahead if certificate.expires_at and certificate.status == "expiring"}
    expired = sum(certificate.status == "expired" for certificate in found)
    later = sum(number for month, number in months.items() if month > MONTHS)
    bars = [Bar("Expired", expired, "bad")]
    bars += [Bar(_label(first + month), months[month], "warn" if month in soon else "good") for month in range(MONTHS + 1)]
    bars += [Bar("Later", later, "good")] if later else []
    busiest = max(bars[1:], key=lambda each: each.count)
    summary = f"{count(expired, 'certificate has', 'certificates have')} expired."
    summary += f" Most others end in {busiest.label}: {busiest.count:,} of {len(ahead):,}." if ahead else " No other date is known."
    return Chart("runway", f"When certificates end, in the next {MONTHS} months", summary, tuple(bars))


def _month(moment: datetime) -> int:
    """Months since year 0."""
    moment = moment.astimezone(UTC)
    return moment.year * 12 + moment.month - 1


def _label(month: int) -> str:
    return f"{month // 12}-{month % 12 + 1:02}"


def _notes(estimates: int) -> tuple[str, ...]:
    ours = "This report only looks: nothing was changed."
    if not estimates:
        return (ours,)
    date = count(estimates, "date is an estimate", "dates are estimates")
    return (ours, f"{date}: without the record of a renewal a date is told from traces, and the certificate may have been renewed by hand since.")
