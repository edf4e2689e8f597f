# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The full rule for a certificate's date: what errors in the system log change about it."""

from __future__ import annotations

import itertools
import typing as t
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate import Assessment, Facts, assess, expiry, log_matters_since
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate_log import (
    TOLERANCE,
    LogEvidence,
    errors_after,
    errors_are_over,
    silence_to_prove,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import Settings, tags_to_start
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import EPOCH, to_text

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TAG = "trendmicro.cloudone:registered-at"
DAY = timedelta(days=1)
LISTED = Appliance(1, "i-1", account_id="123456789012", region="eu-west-1")

ages = st.floats(min_value=0.001, max_value=1500).map(lambda days: NOW - timedelta(days=days))
errors_lists = st.lists(ages, max_size=8).map(lambda times: tuple(sorted(times)))


def facts(*, attached: datetime | None = None, tagged: datetime | None = None, log: LogEvidence | None = None, state: str = "running", **tags: str) -> Facts:
    all_tags = {TAG: to_text(tagged)} if tagged else {}
    instance = Instance("i-1", "eu-west-1", "123456789012", state, attached, all_tags | tags, (), None)
    return Facts("i-1", LISTED, instance, ["eu-west-1"], log=log or LogEvidence())


def judge(evidence: Facts) -> Assessment:
    return assess(evidence, registration_tag=TAG, renew_before=30 * DAY, now=NOW)


def source_of(found: Assessment) -> str | None:
    return found.registration.source if found.registration else None


def every(hours: float, *, since: timedelta, until: timedelta = timedelta(0)) -> tuple[datetime, ...]:
    """Times from so long ago until so long ago."""
    count = int((since - until) / timedelta(hours=hours))
    return tuple(NOW - since + number * timedelta(hours=hours) for number in range(count))


def quiet(errors: tuple[datetime, ...]) -> LogEvidence:
    """A log that went on without errors since."""
    return LogEvidence("searched", errors=errors, lines_since=every(1, since=200 * DAY))


class TestSilence:
    def test_frequent_errors_are_over_after_a_week_of_other_lines(self) -> None:
        errors = every(6, since=20 * DAY, until=8 * DAY)
        parts = silence_to_prove(errors, NOW)
        assert [end - begin for begin, end in parts] == [DAY] * 7
        assert (parts[0][1], parts[-1][0]) == (NOW, NOW - 7 * DAY)
        assert errors_are_over(quiet(errors), errors, NOW)

    def test_rare_errors_need_more_time(self) -> None:
        errors = tuple(NOW - days * DAY for days in (60, 53, 46))
        assert not silence_to_prove(errors, NOW)  # they may come once a week: ten of them would have to be missing
        old = tuple(error - 25 * DAY for error in errors)
        assert silence_to_prove(old, NOW)[-1][0] == NOW - 70 * DAY

    @pytest.mark.parametrize("errors", [(), (NOW - 100 * DAY,)])
    def test_nothing_is_concluded_from_fewer_than_two_errors(self, errors: tuple[datetime, ...]) -> None:
        assert not errors_are_over(quiet(errors), errors, NOW)

    def test_a_log_that_was_interrupted_proves_nothing(self) -> None:
        errors = every(6, since=20 * DAY, until=10 * DAY)
        lines = tuple(line for line in every(1, since=9 * DAY) if not NOW - 4 * DAY <= line < NOW - 3 * DAY)
        assert not errors_are_over(LogEvidence("searched", errors=errors, lines_since=lines), errors, NOW)

    @given(errors_lists, st.lists(ages, max_size=30))
    def test_errors_are_never_over_within_a_week_or_ten_of_their_gaps(self, errors: tuple[datetime, ...], lines: list[datetime]) -> None:
        log = LogEvidence("searched", errors=errors, lines_since=tuple(lines))
        if errors_are_over(log, errors, NOW):
            gaps = [after - before for before, after in itertools.pairwise(errors)]
            assert NOW - errors[-1] > max(7 * DAY, 10 * max(gaps))
            assert len([line for line in lines if line > errors[-1]]) >= 7


class TestTagged:
    """The registration is known."""

    def test_a_newer_error_tells_that_the_certificate_expired_whatever_the_date_says(self) -> None:
        found = judge(facts(tagged=NOW - 100 * DAY, log=LogEvidence("searched", errors=(NOW - 3 * DAY, NOW - 2 * DAY))))
        assert (found.status, found.due, source_of(found), found.days_left) == ("expired", True, "log_evidence", -3)
        assert found.registration is not None
        assert (found.registration.at, found.registration.expires_at, found.registration.estimated) == (NOW - 100 * DAY, NOW - 3 * DAY, True)
        assert found.reason == (
            "expired by 2026-02-26: the system log has certificate errors from 2026-02-26T12:00:00Z to 2026-02-27T12:00:00Z, "
            "though the appliance registered on 2025-11-21 by its tag: the tag, a clock or the certificate is wrong"
        )

    def test_older_errors_are_of_the_certificate_before(self) -> None:
        log = LogEvidence("searched", errors=every(6, since=150 * DAY, until=100 * DAY))
        found = judge(facts(tagged=NOW - 100 * DAY, log=log))
        assert (found.status, source_of(found), found.errors) == ("valid", "registration_tag", ())

    def test_an_expired_date_stays_exact_and_is_confirmed(self) -> None:
        found = judge(facts(tagged=NOW - 800 * DAY, log=LogEvidence("searched", errors=(NOW - DAY,))))
        assert (found.status, source_of(found)) == ("expired", "registration_tag")
        assert found.registration is not None and not found.registration.estimated
        assert found.reason.endswith("; the system log has certificate errors from 2026-02-28T12:00:00Z to 2026-02-28T12:00:00Z")

    @given(ages, errors_lists, st.booleans())
    def test_expired_exactly_if_the_date_is_over_or_an_error_is_newer(self, tagged: datetime, errors: tuple[datetime, ...], goes_on: bool) -> None:
        tagged = tagged.replace(microsecond=0)
        log = LogEvidence("searched", errors=errors, lines_since=every(1, since=60 * DAY) if goes_on else ())
        found = judge(facts(tagged=tagged, attached=NOW - 3000 * DAY, log=log))
        newer = any(error > tagged + TOLERANCE for error in errors)
        assert (found.status == "expired") is (newer or expiry(tagged) <= NOW)

    @given(ages, errors_lists)
    def test_errors_until_the_registration_change_nothing(self, tagged: datetime, errors: tuple[datetime, ...]) -> None:
        old = tuple(error for error in errors if error <= tagged)
        assert judge(facts(tagged=tagged, log=LogEvidence("searched", errors=old))) == judge(facts(tagged=tagged, log=LogEvidence("searched")))


class TestEstimated:
    """Only the root volume is known, or not even that."""

    @pytest.mark.parametrize("age", [300, 900])
    def test_errors_that_go_on(self, age: int) -> None:
        errors = every(6, since=20 * DAY)
        found = judge(facts(attached=NOW - age * DAY, log=LogEvidence("searched", errors=errors)))
        assert (found.status, source_of(found)) == ("expired", "log_evidence")
        assert found.registration is not None
        assert found.registration.expires_at == errors[0] and found.registration.estimated
        assert "expired, on 2026-02-09 at the latest" in found.reason
        assert ("probably expired on" in found.reason) is (age == 900)

    def test_errors_that_are_over_tell_of_a_renewal_by_hand(self) -> None:
        errors = every(6, since=25 * DAY, until=15 * DAY)
        found = judge(facts(attached=NOW - 760 * DAY, log=quiet(errors)))
        assert (found.status, found.due, source_of(found)) == ("valid", False, "log_evidence")
        assert found.registration is not None and found.registration.estimated
        assert (found.registration.at, found.registration.expires_at) == (errors[-1], expiry(errors[-1]))
        assert found.reason.startswith("probably expires on 2028-02-14 or later: ")
        assert "registered anew after 2026-02-14" in found.reason

    def test_errors_of_a_certificate_that_should_have_been_good_are_no_renewal(self) -> None:
        """They may have had another reason, so the earlier date stays."""
        attached = NOW - 720 * DAY
        found = judge(facts(attached=attached, log=quiet(every(6, since=25 * DAY, until=15 * DAY))))
        assert (found.status, source_of(found)) == ("expiring", "root_volume")
        assert found.reason.endswith("and goes on without")

    def test_errors_that_stopped_in_a_log_that_stopped_too(self) -> None:
        errors = every(6, since=25 * DAY, until=15 * DAY)
        found = judge(facts(attached=NOW - 760 * DAY, state="stopped", log=LogEvidence("searched", errors=errors)))
        assert (found.status, found.due, source_of(found)) == ("expired", False, "log_evidence")
        assert found.reason.endswith("the EC2 instance is stopped: start it, then renew")

    def test_a_log_without_errors_does_not_undo_an_estimate(self) -> None:
        log = LogEvidence("searched", searched_from=NOW - 30 * DAY, last_line_at=NOW)
        found = judge(facts(attached=NOW - 800 * DAY, log=log))
        assert (found.status, found.due, source_of(found)) == ("expired", True, "root_volume")
        assert found.reason.endswith(
            "; its system log, which has lines until 2026-03-01, has no certificate error since 2026-01-30, so it may have been renewed by hand"
        )

    @pytest.mark.parametrize("state", ["not_streamed", "missing", "denied", "failed", "not_asked"])
    def test_a_log_that_was_not_searched_is_not_said_to_have_no_errors(self, state: t.Any) -> None:
        assert "system log" not in judge(facts(attached=NOW - 800 * DAY, log=LogEvidence(state))).reason

    def test_errors_are_evidence_where_there_is_nothing_else(self) -> None:
        going_on = judge(facts(log=LogEvidence("searched", errors=(NOW - 2 * DAY, NOW - DAY))))
        assert (going_on.status, source_of(going_on)) == ("expired", "log_evidence")
        assert going_on.registration is not None and going_on.registration.at == datetime(2024, 2, 27, 12, tzinfo=UTC)
        over = judge(facts(log=quiet(every(6, since=25 * DAY, until=15 * DAY))))
        assert (over.status, source_of(over)) == ("valid", "log_evidence")

    def test_a_renewal_that_was_interrupted_is_an_estimate(self) -> None:
        record = tags_to_start({}, Settings(7, None, ()), NOW - 10 * DAY)
        found = judge(facts(attached=NOW - 900 * DAY, **record))
        assert found.registration is not None
        assert (found.status, found.registration.source, found.registration.estimated) == ("valid", "renewal_record", True)
        assert found.reason == (
            "probably expires on 2028-02-19, 2 years after a renewal that was interrupted began on 2026-02-19, in which the appliance registered"
        )

    @given(st.none() | ages, errors_lists, st.lists(ages, max_size=40))
    def test_never_valid_while_errors_may_go_on(self, attached: datetime | None, errors: tuple[datetime, ...], lines: list[datetime]) -> None:
        log = LogEvidence("searched", errors=errors, lines_since=tuple(lines))
        found = judge(facts(attached=attached, log=log))
        counted = errors_after(errors, attached) if attached else errors
        if counted and not errors_are_over(log, counted, NOW):
            assert (found.status, source_of(found)) == ("expired", "log_evidence")
        if found.registration:
            assert found.registration.estimated

    @given(st.floats(min_value=8, max_value=29), st.floats(min_value=731, max_value=1400), st.floats(min_value=1, max_value=12))
    def test_a_renewal_by_hand_is_never_dated_too_late(self, renewed: float, deployed: float, hours: float) -> None:
        """Whatever the true time is, it is after the last error."""
        renewed_at = NOW - renewed * DAY
        errors = tuple(error for error in every(hours, since=30 * DAY) if error < renewed_at)
        found = judge(facts(attached=NOW - deployed * DAY, log=quiet(errors)))
        assert found.registration is not None
        assert found.registration.expires_at <= expiry(renewed_at)


class TestWhichLogsMatter:
    @pytest.mark.parametrize(
        ("evidence", "since"),
        [
            (facts(tagged=NOW - 100 * DAY), NOW - 100 * DAY),
            (facts(tagged=NOW - 800 * DAY), None),  # expired for certain
            (facts(attached=NOW - 800 * DAY), NOW - 800 * DAY),
            (facts(attached=NOW - 800 * DAY, state="stopped"), NOW - 800 * DAY),
            (facts(attached=NOW - 800 * DAY, state="terminated"), None),
            (facts(), EPOCH),
            (facts(**{"trendmicro.cloudone:renewal-1": "rubbish"}), None),
            (Facts("i-1", LISTED, named_hosted=True), None),
            (Facts("i-1", LISTED), None),
            (Facts("i-1", None, facts().instance), None),
        ],
    )
    def test_those_that_can_change_the_judgement(self, evidence: Facts, since: datetime | None) -> None:
        assert log_matters_since(evidence, registration_tag=TAG, now=NOW) == since

    @given(ages, st.booleans(), errors_lists)
    def test_no_other_changes_it(self, registered: datetime, tagged: bool, errors: tuple[datetime, ...]) -> None:
        evidence = facts(**{"tagged" if tagged else "attached": registered})
        if log_matters_since(evidence, registration_tag=TAG, now=NOW) is None:
            with_log = facts(**{"tagged" if tagged else "attached": registered}, log=LogEvidence("searched", errors=errors))
            assert (judge(with_log).status, judge(with_log).registration) == (judge(evidence).status, judge(evidence).registration)


def test_errors_of_the_command_line_join_those_of_cloudwatch() -> None:
    log = LogEvidence("searched", errors=(NOW - 2 * DAY,)).with_cli([NOW - DAY, NOW - 2 * DAY, NOW + DAY], NOW)
    assert log.errors == (NOW - 2 * DAY, NOW - DAY, NOW)
    assert LogEvidence().with_cli([], NOW).known and not LogEvidence().known and not LogEvidence("denied").known


def test_times_may_have_any_zone() -> None:
    tokyo = timezone(timedelta(hours=9))
    tagged = facts(tagged=datetime(2024, 3, 1, 23, tzinfo=tokyo))  # 14:00 in UTC
    assert (judge(tagged).status, judge(tagged).days_left) == ("expiring", 0)
    log = LogEvidence("searched", errors=(datetime(2025, 6, 1, 20, tzinfo=tokyo),))  # 11:00 in UTC
    assert judge(facts(tagged=datetime(2025, 6, 1, 9, 59, tzinfo=UTC), log=log)).status == "expired"
    assert judge(facts(tagged=datetime(2025, 6, 1, 10, 1, tzinfo=UTC), log=log)).status == "valid"  # the tolerance
