# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate import Assessment, Facts, assess, expiry, registration
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance, ListedRepeatedly
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import Settings, tags_to_start
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TAG = "trendmicro.cloudone:registered-at"
OWN, OTHER = "123456789012", "999999999999"
REGISTERED = Appliance(1, "i-1", account_id=OWN, region="eu-west-1")
TWICE = ListedRepeatedly([REGISTERED, Appliance(2, "i-1", account_id=OWN, region="eu-west-1")])


def instance(*, attached_at: datetime | None = None, state: str = "running", tag: str | None = None) -> Instance:
    return Instance("i-1", "eu-west-1", OWN, state, attached_at, {TAG: tag} if tag is not None else {}, (), None)


def judge(*, appliance: Appliance | None = REGISTERED, regions: t.Sequence[str] = ("eu-west-1",), renew_before: int = 30, **facts: t.Any) -> Assessment:
    return assess(
        Facts("i-1", appliance, regions=regions, account_ids=[OWN], **facts), registration_tag=TAG, renew_before=timedelta(days=renew_before), now=NOW
    )


class TestExpiry:
    @pytest.mark.parametrize(
        ("registered_at", "wanted"),
        [
            ("2024-03-01T12:00:00", "2026-03-01T12:00:00"),
            ("2022-03-01T00:00:00", "2024-03-01T00:00:00"),
            ("2024-02-28T23:59:59", "2026-02-28T23:59:59"),
            ("2024-02-29T08:30:00", "2026-02-28T08:30:00"),
            ("2022-12-31T23:59:59", "2024-12-31T23:59:59"),
        ],
    )
    def test_is_the_same_date_two_years_on(self, registered_at: str, wanted: str) -> None:
        assert expiry(datetime.fromisoformat(registered_at)) == datetime.fromisoformat(wanted)

    @given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1), timezones=st.just(UTC)))
    def test_is_two_years_later_with_and_without_leap_days(self, registered_at: datetime) -> None:
        expires_at = expiry(registered_at)
        assert timedelta(days=730) <= expires_at - registered_at <= timedelta(days=731)
        assert (expires_at.year, expires_at.month, expires_at.timetz()) == (registered_at.year + 2, registered_at.month, registered_at.timetz())
        assert expires_at.day == registered_at.day or (registered_at.month, registered_at.day, expires_at.day) == (2, 29, 28)

    @given(st.lists(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9000, 1, 1)), min_size=2, max_size=2).map(sorted))
    def test_who_registers_later_expires_no_earlier_by_date(self, moments: list[datetime]) -> None:
        assert expiry(moments[0]).date() <= expiry(moments[1]).date()


class TestRegistration:
    def test_the_tag_is_better_than_the_root_volume(self) -> None:
        found = registration(instance(attached_at=datetime(2020, 1, 1, tzinfo=UTC), tag="2025-06-01T00:00:00Z"), 1, TAG, NOW)
        assert found is not None
        assert (found.at, found.source) == (datetime(2025, 6, 1, tzinfo=UTC), "registration_tag")

    @pytest.mark.parametrize("tag", [None, "", "tomorrow", "2026-03-03T00:00:00Z"])
    def test_the_root_volume_stands_in_for_a_tag_that_is_missing_unreadable_or_in_the_future(self, tag: str | None) -> None:
        found = registration(instance(attached_at=datetime(2020, 1, 1, tzinfo=UTC), tag=tag), 1, TAG, NOW)
        assert found is not None
        assert (found.at, found.source) == (datetime(2020, 1, 1, tzinfo=UTC), "root_volume")

    def test_clocks_may_differ_a_little(self) -> None:
        found = registration(instance(tag="2026-03-01T12:05:00Z"), 1, TAG, NOW)
        assert found is not None and found.source == "registration_tag"

    @pytest.mark.parametrize(
        ("recorded_id", "tag", "source"),
        [
            (7, None, "renewal_record"),  # registered since, and killed before the tag was written
            (7, "2024-02-01T00:00:00Z", "renewal_record"),  # that tag is of the registration before
            (7, "2026-02-21T00:00:00Z", "registration_tag"),
            (1, None, "root_volume"),  # not registered since
            (None, None, "root_volume"),  # found unregistered, so nobody knows
        ],
    )
    def test_a_new_number_in_the_api_tells_that_an_interrupted_renewal_got_as_far_as_registering(
        self, recorded_id: int | None, tag: str | None, source: str
    ) -> None:
        record = tags_to_start({}, Settings(recorded_id, None, ()), datetime(2026, 2, 20, tzinfo=UTC))
        tags = record | ({TAG: tag} if tag else {})
        found = registration(Instance("i-1", "eu-west-1", OWN, "running", datetime(2020, 1, 1, tzinfo=UTC), tags, (), None), 1, TAG, NOW)
        assert found is not None
        assert found.source == source

    def test_there_may_be_no_evidence(self) -> None:
        assert registration(instance(), 1, TAG, NOW) is None


class TestDated:
    @pytest.mark.parametrize(
        ("tag", "status", "due", "days_left"),
        [
            ("2024-03-01T12:00:00Z", "expired", True, 0),
            ("2024-03-01T11:59:59Z", "expired", True, -1),
            ("2024-03-01T12:00:01Z", "expiring", True, 0),
            ("2024-03-31T12:00:00Z", "expiring", True, 30),
            ("2024-03-31T12:00:01Z", "valid", False, 30),
            ("2026-03-01T11:00:00Z", "valid", False, 730),
        ],
    )
    def test_boundaries(self, tag: str, status: str, due: bool, days_left: int) -> None:
        found = judge(instance=instance(tag=tag))
        assert (found.status, found.due, found.days_left) == (status, due, days_left)

    def test_reason_of_a_known_date(self) -> None:
        assert judge(instance=instance(tag="2024-03-10T00:00:00Z")).reason == "expires on 2026-03-10, 2 years after the appliance registered on 2024-03-10"

    def test_reason_of_an_estimate_says_so(self) -> None:
        found = judge(instance=instance(attached_at=datetime(2023, 3, 10, tzinfo=UTC)))
        assert found.status == "expired"
        assert found.reason == "probably expired on 2025-03-10, 2 years after the root volume was attached on 2023-03-10"

    def test_no_evidence(self) -> None:
        found = judge(instance=instance())
        assert (found.status, found.due) == ("unknown", False)
        assert "no registration tag and no root volume" in found.reason

    def test_a_stopped_instance_cannot_be_renewed(self) -> None:
        found = judge(instance=instance(tag="2023-01-01T00:00:00Z", state="stopped"))
        assert (found.status, found.due) == ("expired", False)
        assert found.reason.endswith("the EC2 instance is stopped: start it, then renew")

    def test_a_stopped_instance_with_a_valid_certificate_is_valid(self) -> None:
        found = judge(instance=instance(tag="2026-01-01T00:00:00Z", state="stopped"))
        assert (found.status, found.due) == ("valid", False)

    @given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2026, 3, 1), timezones=st.just(UTC)), st.integers(0, 730))
    def test_due_exactly_when_it_expires_within_the_given_days(self, registered_at: datetime, renew_before: int) -> None:
        found = judge(instance=instance(attached_at=registered_at), renew_before=renew_before)
        assert found.registration is not None
        left = found.registration.expires_at - NOW
        assert found.due is (left <= timedelta(days=renew_before))
        assert (found.status == "expired") is (left <= timedelta(0))
        assert found.days_left is not None
        assert timedelta(days=found.days_left) <= left < timedelta(days=found.days_left + 1)


class TestOthers:
    def test_not_listed_but_running_is_due(self) -> None:
        found = judge(appliance=None, instance=instance())
        assert (found.status, found.due) == ("unregistered", True)

    def test_not_listed_and_stopped_is_not(self) -> None:
        found = judge(appliance=None, instance=instance(state="stopped"))
        assert (found.status, found.due) == ("unregistered", False)
        assert "start it" in found.reason

    @pytest.mark.parametrize(("appliance", "hint"), [(REGISTERED, True), (None, False)])
    def test_terminated(self, appliance: Appliance | None, hint: bool) -> None:
        found = judge(appliance=appliance, instance=instance(state="terminated", tag="2020-01-01T00:00:00Z"))
        assert (found.status, found.due) == ("unknown", False)
        assert ("unregister it" in found.reason, found.orphaned) == (hint, hint)

    def test_named_as_hosted_by_the_user(self) -> None:
        found = judge(instance=instance(tag="2020-01-01T00:00:00Z"), named_hosted=True)
        assert (found.status, found.due) == ("hosted", False)

    def test_in_another_account_is_hosted(self) -> None:
        found = judge(appliance=Appliance(1, "i-1", account_id=OTHER, region="eu-west-1"))
        assert (found.status, found.due) == ("hosted", False)
        assert OTHER in found.reason and OWN in found.reason
        assert not found.orphaned

    def test_gone_from_its_own_account_is_orphaned(self) -> None:
        found = judge()
        assert (found.status, found.due) == ("unknown", False)
        assert "orphaned" in found.reason and "unregister" in found.reason
        assert found.orphaned

    def test_all_accounts_that_were_searched_are_named(self) -> None:
        facts = Facts("i-1", Appliance(1, "i-1", account_id=OTHER, region="eu-west-1"), regions=["eu-west-1"], account_ids=[OWN, "210987654321"])
        found = assess(facts, registration_tag=TAG, renew_before=timedelta(days=30), now=NOW)
        assert found.status == "hosted"
        assert f"belongs to the AWS account {OTHER}, not to the AWS accounts {OWN}, 210987654321" in found.reason

    def test_not_found_where_it_was_not_searched(self) -> None:
        found = judge(regions=["us-east-1"])
        assert (found.status, found.due) == ("unknown", False)
        assert "add the region" in found.reason

    def test_the_api_does_not_tell_the_account(self) -> None:
        found = judge(appliance=Appliance(1, "i-1"))
        assert (found.status, found.due) == ("unknown", False)
        assert "does not tell which account" in found.reason

    def test_nobody_knows_it(self) -> None:
        with pytest.raises(InputError, match="i-1 is known neither to the Network Security API nor to EC2 in eu-west-1"):
            judge(appliance=None)

    @pytest.mark.parametrize(("state", "due"), [("running", True), ("stopped", False)])
    def test_listed_twice_with_a_record_it_registers_anew(self, state: str, due: bool) -> None:
        record = tags_to_start({}, Settings(1, None, ()), NOW)
        found = judge(instance=Instance("i-1", "eu-west-1", OWN, state, None, record, (), None), repeated=TWICE)
        assert (found.status, found.due) == ("unknown", due)
        assert found.reason.startswith("it is listed 2 times, with the IDs 1, 2, as renewals at the same time leave it: all are unregistered")
        assert found.reason.endswith("and it registers anew" if due else "; the EC2 instance is stopped: start it, then renew")

    @pytest.mark.parametrize("instance", [None, instance(), instance(state="terminated")])
    def test_listed_twice_without_a_record_nobody_knows_what_it_had(self, instance: Instance | None) -> None:
        with pytest.raises(ListedRepeatedly, match="otherwise unregister the stale ones"):
            judge(instance=instance, repeated=TWICE)

    def test_a_hosted_one_may_be_listed_as_often_as_it_likes(self) -> None:
        assert judge(named_hosted=True, repeated=TWICE).status == "hosted"

    @pytest.mark.parametrize(("appliance", "status", "due"), [(REGISTERED, "unknown", False), (None, "unregistered", True)])
    def test_without_ec2(self, appliance: Appliance | None, status: str, due: bool) -> None:
        found = judge(appliance=appliance, regions=())
        assert (found.status, found.due) == (status, due)


class TestHostile:
    """Tags that anybody may have written, who may write tags."""

    def test_a_renewal_that_began_in_the_future_is_no_evidence(self) -> None:
        earlier = tags_to_start({}, Settings(2, None, ()), datetime(9999, 12, 31, tzinfo=UTC))
        found = Instance("i-1", "eu-west-1", OWN, "running", NOW - timedelta(days=800), earlier, (), None)
        judged = judge(instance=found)
        assert judged.status == "expired"
        assert judged.registration
        assert judged.registration.source == "root_volume"

    def test_no_date_is_too_late_to_expire(self) -> None:
        assert expiry(datetime(9999, 2, 1, tzinfo=UTC)).year == 9999
