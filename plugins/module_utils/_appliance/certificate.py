# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When does an appliance's certificate expire, and is it to be renewed? Nothing is asked here, everything is judged."""

from __future__ import annotations

import math
import typing as t
from dataclasses import dataclass, field
from datetime import MAXYEAR, datetime, timedelta

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate_log import LogEvidence, errors_after, errors_are_over
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance, ListedRepeatedly
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import decode, renewed_since
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import GONE, Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import EPOCH, from_text, to_text

Status = t.Literal["valid", "expiring", "expired", "unregistered", "hosted", "unknown"]
Source = t.Literal["registration_tag", "renewal_record", "log_evidence", "root_volume"]

LIFETIME_YEARS = 2
_LIFETIME_DAYS = 730
# A tag may be ahead of this machine's clock by so much; beyond that one of the two is wrong.
_CLOCK_SKEW = timedelta(days=1)


@dataclass(frozen=True)
class Facts:
    """What is known about one appliance.

    :ivar appliance: as the API lists it; ``None`` if it does not.
    :ivar repeated: that the API lists it more than once; ``appliance`` is one of the entries then.
    :ivar instance: as EC2 describes it; ``None`` if it was not found, or EC2 was not asked.
    :ivar regions: the AWS regions that were searched; empty if EC2 was not asked.
    :ivar account_ids: the AWS accounts that were searched; known where the instance was not found.
    :ivar named_hosted: the user says that the vendor runs this appliance.
    :ivar log: what its system log says.
    """

    instance_id: str
    appliance: Appliance | None
    instance: Instance | None = None
    regions: t.Sequence[str] = ()
    account_ids: t.Sequence[str] = ()
    named_hosted: bool = False
    log: LogEvidence = field(default_factory=LogEvidence)
    repeated: ListedRepeatedly | None = None


@dataclass(frozen=True)
class Registration:
    """When an appliance registered, and what says so.

    :ivar at: the time as it is known or estimated.
    :ivar expired_by: errors show that the certificate had expired by then, whatever the date says.
    """

    at: datetime
    source: Source
    expired_by: datetime | None = None

    @property
    def expires_at(self) -> datetime:
        """When the certificate that it then got expires."""
        return self.expired_by or expiry(self.at)

    @property
    def estimated(self) -> bool:
        """Whether the times are only estimates."""
        return self.source != "registration_tag"


@dataclass(frozen=True)
class Assessment:
    """The judgement on one certificate.

    :ivar due: whether it is to be renewed now.
    :ivar reason: a sentence for people.
    :ivar days_left: whole days until the expiry, negative after it.
    :ivar orphaned: the API lists the appliance, but its instance is gone.
    :ivar errors: the times of the certificate errors that count, in their order.
    """

    status: Status
    due: bool
    reason: str
    registration: Registration | None = None
    days_left: int | None = None
    orphaned: bool = False
    errors: tuple[datetime, ...] = ()


def margin(days: int) -> timedelta:
    """How long before its expiry a certificate is due, from the option ``renew_before``.

    :raises InputError: it is negative, or longer than a certificate is valid.
    """
    if not 0 <= days <= _LIFETIME_DAYS:
        raise InputError(f"renew_before must be between 0 and {_LIFETIME_DAYS}, the days that a certificate is valid; it is {days}.")
    return timedelta(days=days)


def expiry(registered_at: datetime) -> datetime:
    """The same date two years on. February 29 becomes February 28: rather a day early than late."""
    return _in_years(registered_at, LIFETIME_YEARS)


def _in_years(moment: datetime, years: int) -> datetime:
    year = min(moment.year + years, MAXYEAR)
    try:
        return moment.replace(year=year)
    except ValueError:
        return moment.replace(year=year, day=28)


def registration(instance: Instance, appliance_id: int, registration_tag: str, now: datetime) -> Registration | None:
    """The best evidence for when the appliance registered.

    The root volume is only an estimate: an appliance registers when it is deployed, but may have been renewed by hand since.

    :param appliance_id: the appliance's number in the API.
    :raises InputError: if there is a record of a renewal that cannot be read.
    """
    tagged = from_text(instance.tags.get(registration_tag, ""))
    if tagged and tagged > now + _CLOCK_SKEW:
        tagged = None
    # A run that was killed right after the registration could not write the tag any more.
    interrupted = renewed_since(instance.tags, appliance_id)
    if interrupted and interrupted > now + _CLOCK_SKEW:
        interrupted = None
    if interrupted and (tagged is None or tagged < interrupted):
        return Registration(interrupted, "renewal_record")
    if tagged:
        return Registration(tagged, "registration_tag")
    if instance.root_volume_attached_at:
        return Registration(instance.root_volume_attached_at, "root_volume")
    return None


def assess(facts: Facts, *, registration_tag: str, renew_before: timedelta, now: datetime) -> Assessment:
    """Judge one appliance's certificate.

    :param registration_tag: key of the instance tag that a renewal writes.
    :param renew_before: how long before its expiry a certificate is due.
    :raises InputError: if neither the API nor EC2 knows the instance.
    :raises ListedRepeatedly: if the API lists the appliance more than once, and no renewal has recorded what it had.
    """
    if facts.named_hosted:
        return Assessment("hosted", False, "named as hosted by the vendor, who renews its certificate")
    if facts.repeated:
        return _listed_repeatedly(facts, facts.repeated)
    if not facts.regions:
        return _without_ec2(facts)
    if facts.instance is None:
        return _not_in_ec2(facts)
    state = facts.instance.state
    if state in GONE:
        leftover = "; the API still lists the appliance: unregister it" if facts.appliance else ""
        return Assessment("unknown", False, f"the EC2 instance is {state}{leftover}", orphaned=facts.appliance is not None)
    if facts.appliance is None:
        if state != "running":
            return Assessment("unregistered", False, f"the API does not list the appliance, but its EC2 instance is {state}: start it, then renew")
        return Assessment("unregistered", True, "the EC2 instance runs, but the API does not list the appliance")
    found = registration(facts.instance, facts.appliance.id, registration_tag, now)
    return _dated(found, facts.log, state, renew_before, now)


def log_matters_since(facts: Facts, *, registration_tag: str, now: datetime) -> datetime | None:
    """From when on lines of the system log say something that dates do not. ``None`` if they cannot.

    They cannot where nothing is dated, and where a certificate has expired by a date that is no estimate.
    """
    if facts.named_hosted or facts.repeated or facts.appliance is None or facts.instance is None or facts.instance.state in GONE:
        return None
    try:
        found = registration(facts.instance, facts.appliance.id, registration_tag, now)
    except InputError:
        return None
    if found is None:
        return EPOCH
    return None if not found.estimated and found.expires_at <= now else found.at


def _dated(dated: Registration | None, log: LogEvidence, state: str, renew_before: timedelta, now: datetime) -> Assessment:
    errors = errors_after(log.errors, dated.at) if dated else log.errors
    found, reason = _from_log(dated, log, errors, now) if errors else _from_date(dated, log, now)
    if found is None:
        return Assessment("unknown", False, reason)
    left = found.expires_at - now
    status: Status = "expired" if left <= timedelta(0) else "expiring" if left <= renew_before else "valid"
    due = status != "valid"
    if due:
        due, reason = _if_running(state, reason)
    return Assessment(status, due, reason, found, math.floor(left / timedelta(days=1)), errors=errors)


def _from_date(dated: Registration | None, log: LogEvidence, now: datetime) -> tuple[Registration | None, str]:
    """Judge where no error in the log counts."""
    if dated is None:
        return None, "nothing tells when the appliance registered: there is no registration tag and no root volume"
    reason = _by_date(dated, now)
    if dated.estimated and dated.expires_at <= now and log.state == "searched" and log.searched_from and log.last_line_at:
        # No error is no proof: how often they come is not documented, and renewing once too often does less harm than not at all.
        reason += (
            f"; its system log, which has lines until {log.last_line_at:%Y-%m-%d}, has no certificate error since {log.searched_from:%Y-%m-%d}, "
            "so it may have been renewed by hand"
        )
    return dated, reason


def _from_log(dated: Registration | None, log: LogEvidence, errors: t.Sequence[datetime], now: datetime) -> tuple[Registration, str]:
    """Judge where errors in the log are newer than what is known or estimated of the registration."""
    first, last = errors[0], errors[-1]
    told = f"the system log has certificate errors from {to_text(first)} to {to_text(last)}"
    if dated is not None and not dated.estimated:
        if dated.expires_at <= now:
            return dated, f"{_by_date(dated, now)}; {told}"
        wrong = f"though the appliance registered on {dated.at:%Y-%m-%d} by its tag: the tag, a clock or the certificate is wrong"
        return Registration(dated.at, "log_evidence", expired_by=first), f"expired by {first:%Y-%m-%d}: {told}, {wrong}"
    if not errors_are_over(log, errors, now):
        estimate = f"; {_by_date(dated, now)}" if dated and dated.expires_at <= first else ""
        at = dated.at if dated else _in_years(first, -LIFETIME_YEARS)
        return Registration(at, "log_evidence", expired_by=first), f"expired, on {first:%Y-%m-%d} at the latest: {told}{estimate}"
    over = f"{told} and goes on without"
    if dated is not None and dated.expires_at > last:
        # Whatever the errors were, the certificate may be the one of that date.
        return dated, f"{_by_date(dated, now)}; {over}"
    renewed = Registration(last, "log_evidence")
    verb = "expired" if renewed.expires_at <= now else "expires"
    return renewed, (
        f"probably {verb} on {renewed.expires_at:%Y-%m-%d} or later: {over}, so the appliance registered anew after {last:%Y-%m-%d}, "
        f"and its certificate lives {LIFETIME_YEARS} years"
    )


def _by_date(dated: Registration, now: datetime) -> str:
    """Say when a certificate expires by the date alone."""
    expires = f"{'expired' if dated.expires_at <= now else 'expires'} on {dated.expires_at:%Y-%m-%d}, {LIFETIME_YEARS} years after"
    if dated.source == "root_volume":
        return f"probably {expires} the root volume was attached on {dated.at:%Y-%m-%d}"
    if dated.source == "renewal_record":
        return f"probably {expires} a renewal that was interrupted began on {dated.at:%Y-%m-%d}, in which the appliance registered"
    return f"{expires} the appliance registered on {dated.at:%Y-%m-%d}"


def _if_running(state: str, reason: str) -> tuple[bool, str]:
    """Whether what is due can be renewed now, and the reason, with what to do if it cannot."""
    return (True, reason) if state == "running" else (False, f"{reason}; the EC2 instance is {state}: start it, then renew")


def _listed_repeatedly(facts: Facts, repeated: ListedRepeatedly) -> Assessment:
    """Two renewals at the same time may leave that. What to restore when it registers anew is known only from the record of one of them."""
    instance = facts.instance
    if instance is None or instance.state in GONE or decode(instance.tags) is None:
        raise repeated
    due, reason = _if_running(instance.state, f"it {repeated.fact}, as renewals at the same time leave it: all are unregistered, and it registers anew")
    return Assessment("unknown", due, reason)


def _without_ec2(facts: Facts) -> Assessment:
    if facts.appliance is None:
        return Assessment("unregistered", True, "the API does not list the appliance")
    return Assessment("unknown", False, "the API does not tell when a certificate expires, and EC2 was not asked")


def _not_in_ec2(facts: Facts) -> Assessment:
    accounts = f"AWS account{'' if len(facts.account_ids) == 1 else 's'} {', '.join(facts.account_ids)}"
    searched = f"{', '.join(facts.regions)} of the {accounts}"
    if facts.appliance is None:
        raise InputError(f"{facts.instance_id} is known neither to the Network Security API nor to EC2 in {searched}. Check the instance id and the regions.")
    owner = facts.appliance.account_id
    if owner is None:
        return Assessment("unknown", False, f"the EC2 instance is not in {searched}, and the API does not tell which account it belongs to")
    if owner not in facts.account_ids:
        note = "the vendor renews the appliances that it hosts; if that account is yours, use its credentials"
        return Assessment("hosted", False, f"the EC2 instance belongs to the AWS account {owner}, not to the {accounts}: {note}")
    if facts.appliance.region not in facts.regions:
        return Assessment("unknown", False, f"the EC2 instance is not in {searched}: add the region that it is in")
    return Assessment("unknown", False, f"orphaned: the EC2 instance is gone from {searched}; unregister the appliance", orphaned=True)
