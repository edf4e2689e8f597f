# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forecast's search of system logs: what is asked, within which bounds, and what becomes of everything that prevents it."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance import log_search
from ansible_collections.trendmicro.cloudone.plugins.modules import netsec_certificate_info
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import ACCOUNT, NOW, REGION, Call, Calls, World
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import OPTIONS, Script, appliance, log_config, log_type

Result = dict[str, t.Any]
Run = t.Callable[..., list[Result]]
Record = t.Callable[[], Calls]

TAG = "trendmicro.cloudone:registered-at"
ERROR = "tmcloud[1]: error:14094415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired"
DAY = timedelta(days=1)
SYSTEM = log_config(log_type("system", group="nsva-system", enable=True), log_type("ipsBlock", enable=True))
ESTIMATED = NOW - 300 * DAY


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netsec_certificate_info, "utc_now", lambda: NOW)


@pytest.fixture
def run(aws: World, run_module: t.Callable[..., Result]) -> Run:
    def run(*instance_ids: str, **options: t.Any) -> list[Result]:
        appliances = [{"instance_id": instance_id} for instance_id in instance_ids]
        return t.cast(list[Result], run_module(netsec_certificate_info.main, {**OPTIONS, "appliances": appliances, **options})["appliances"])

    return run


def listed(instance_id: str, *, number: int = 1, region: str = REGION) -> Result:
    metadata = [{"key": "region", "value": region}, {"key": "accountId", "value": ACCOUNT}]
    return appliance(number, instance_id, providerMetadata=metadata)


def stream_of(instance_id: str) -> str:
    return f"system_{instance_id}"


def expect(script: Script, *instance_ids: str, config: Result | None = None) -> None:
    """The calls of the API for a few appliances."""
    for number, instance_id in enumerate(instance_ids, start=1):
        script.expect_search(instance_id, listed(instance_id, number=number))
    for number, _instance_id in enumerate(instance_ids, start=1):
        script.expect("GET", f"/appliances/{number}/cloudwatchlogconfig", SYSTEM if config is None else config)


def expect_many(script: Script, instance_ids: t.Sequence[str], *, config: Result | None = None) -> None:
    """The calls of the API for many appliances."""
    script.expect_list(*(listed(instance_id, number=number) for number, instance_id in enumerate(instance_ids)))
    for number, _instance_id in enumerate(instance_ids):
        script.expect("GET", f"/appliances/{number}/cloudwatchlogconfig", SYSTEM if config is None else config)


def one(aws: World, *, attached_at: datetime = ESTIMATED, **more: t.Any) -> str:
    return aws.appliance(aws.vpc(), attached_at=attached_at, **more)


def test_errors_in_the_log_make_a_certificate_expired(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    instance_id = one(aws)
    aws.log_stream("nsva-system", stream_of(instance_id), NOW - 5 * DAY, NOW - DAY, message=ERROR)
    aws.log_stream("nsva-system", stream_of(instance_id), NOW - timedelta(hours=1), message="sysd: all is well")
    aws.log_stream("nsva-system", stream_of(instance_id), NOW, message="audit: admin typed show log-file system search sslv3 alert certificate")
    aws.log_stream("nsva-system", "system_of_another", NOW - 6 * DAY, message=ERROR)
    expect(script, instance_id)
    calls = record_calls()
    (entry,) = run(instance_id)
    assert (entry["status"], entry["due"], entry["evidence"], entry["estimated"]) == ("expired", True, "log_evidence", True)
    assert (entry["expires_at"], entry["days_left"]) == ("2026-02-24T12:00:00Z", -5)
    assert entry["certificate_errors"] == {"count": 2, "first": "2026-02-24T12:00:00Z", "last": "2026-02-28T12:00:00Z"}
    assert entry["log_search"] == {
        "state": "searched",
        "note": None,
        "searched_from": "2026-01-30T12:00:00Z",
        "last_line_at": "2026-03-01T12:00:00Z",
    }
    assert ERROR not in str(entry), "what others write does not come into results"
    assert [(call.region, call.operation) for call in calls.made][2:] == [(REGION, "DescribeLogStreams"), *[(REGION, "FilterLogEvents")] * 3]
    newest, middle, oldest = calls.of("FilterLogEvents")
    assert newest["filterPattern"] == '"sslv3 alert certificate"' and newest["logStreamNames"] == [stream_of(instance_id)]
    assert [asked["startTime"] for asked in (newest, middle, oldest)] == [milliseconds(NOW - days * DAY) for days in (2, 14, 30)]
    assert "endTime" not in newest, "the appliance's clock may be ahead"
    assert [asked["endTime"] + 1 for asked in (middle, oldest)] == [milliseconds(NOW - days * DAY) for days in (2, 14)]


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def test_a_renewal_by_hand_is_told_by_errors_that_are_over(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    instance_id = one(aws, attached_at=NOW - 800 * DAY)
    aws.log_stream("nsva-system", stream_of(instance_id), *(NOW - 20 * DAY + number * DAY / 4 for number in range(20)), message=ERROR)
    aws.log_stream("nsva-system", stream_of(instance_id), *(NOW - 20 * DAY + number * DAY / 2 for number in range(40)))
    expect(script, instance_id)
    calls = record_calls()
    (entry,) = run(instance_id)
    assert (entry["status"], entry["due"], entry["evidence"], entry["estimated"]) == ("valid", False, "log_evidence", True)
    assert (entry["registered_at"], entry["expires_at"]) == ("2026-02-14T06:00:00Z", "2028-02-14T06:00:00Z")
    assert len(calls.of("GetLogEvents")) == 7, "one for each day of the silence"


def test_a_silence_of_the_whole_log_proves_nothing(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    instance_id = one(aws, attached_at=NOW - 800 * DAY)
    aws.log_stream("nsva-system", stream_of(instance_id), *(NOW - 20 * DAY + number * DAY / 4 for number in range(20)), message=ERROR)
    aws.log_stream("nsva-system", stream_of(instance_id), NOW - timedelta(hours=1))
    expect(script, instance_id)
    calls = record_calls()
    (entry,) = run(instance_id)
    assert (entry["status"], entry["evidence"]) == ("expired", "log_evidence")
    assert len(calls.of("GetLogEvents")) == 2, "one look, and one more to see that there is no more"


def test_a_log_without_errors_is_told_beside_an_estimate(aws: World, run: Run, script: Script) -> None:
    instance_id = one(aws, attached_at=NOW - 800 * DAY)
    aws.log_stream("nsva-system", stream_of(instance_id), NOW)
    expect(script, instance_id)
    (entry,) = run(instance_id)
    assert (entry["status"], entry["evidence"], entry["certificate_errors"]) == ("expired", "root_volume", {"count": 0, "first": None, "last": None})
    assert "it may have been renewed by hand" in entry["reason"]


@pytest.mark.parametrize(
    ("hours_behind", "status"),
    [
        (timedelta(0), "expired"),
        (-timedelta(hours=3), "valid"),  # its clock is ahead: the error was before the registration
    ],
)
def test_the_appliances_clock_is_not_believed_where_it_is_ahead(aws: World, run: Run, script: Script, hours_behind: timedelta, status: str) -> None:
    instance_id = one(aws, tags={TAG: "2026-02-28T00:00:00Z"})
    aws.log_stream("nsva-system", stream_of(instance_id), datetime(2026, 2, 28, 2, tzinfo=UTC), message=ERROR, behind=hours_behind)
    expect(script, instance_id)
    assert run(instance_id)[0]["status"] == status


def test_no_log_is_searched_before_the_registration(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    instance_id = one(aws, tags={TAG: "2026-02-27T00:00:00Z"})
    aws.log_stream("nsva-system", stream_of(instance_id), NOW - 5 * DAY, message=ERROR)
    expect(script, instance_id)
    calls = record_calls()
    (entry,) = run(instance_id)
    assert (entry["status"], entry["estimated"], entry["certificate_errors"]["count"]) == ("valid", False, 0)
    assert [asked["startTime"] for asked in calls.of("FilterLogEvents")][-1] == milliseconds(datetime(2026, 2, 27, tzinfo=UTC))


def test_the_window_can_be_set(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    instance_id = one(aws)
    aws.log_stream("nsva-system", stream_of(instance_id), NOW - 60 * DAY, message=ERROR)
    expect(script, instance_id)
    calls = record_calls()
    (entry,) = run(instance_id, log_window=90)
    assert (entry["status"], entry["log_search"]["searched_from"]) == ("expired", "2025-12-01T12:00:00Z")
    assert len(calls.of("FilterLogEvents")) == 3


def test_a_certificate_that_is_expired_for_certain_needs_no_log(aws: World, run: Run, script: Script, record_calls: Record) -> None:
    instance_id = one(aws, tags={TAG: "2024-01-01T00:00:00Z"})
    script.expect_search(instance_id, listed(instance_id))
    calls = record_calls()
    (entry,) = run(instance_id)
    assert (entry["status"], entry["evidence"], entry["log_search"]["state"], entry["certificate_errors"]) == (
        "expired",
        "registration_tag",
        "not_asked",
        None,
    )
    assert "FilterLogEvents" not in calls.operations


class TestMany:
    def test_one_search_takes_a_hundred(self, aws: World, run: Run, script: Script, record_calls: Record) -> None:
        vpc_id = aws.vpc()
        group = aws.group(vpc_id, "shared")
        instance_ids = [aws.appliance(vpc_id, attached_at=ESTIMATED, interfaces=["Network Security Mgmt Port"], groups=[[group]]) for _number in range(101)]
        for instance_id in instance_ids:
            aws.log_stream("nsva-system", stream_of(instance_id), NOW - DAY, message=ERROR)
        expect_many(script, instance_ids)
        calls = record_calls()
        entries = run(*instance_ids)
        assert {(entry["status"], entry["certificate_errors"]["count"]) for entry in entries} == {("expired", 1)}
        assert sorted(len(asked["logStreamNames"]) for asked in calls.of("FilterLogEvents")) == [1, 1, 1, 100, 100, 100]
        assert calls.operations.count("DescribeLogStreams") == 3, "pages of 50"

    def test_a_search_has_an_end(self, aws: World, run: Run, script: Script, record_calls: Record) -> None:
        """AWS may answer page after empty page."""
        instance_id = one(aws)
        aws.log_stream("nsva-system", stream_of(instance_id), NOW)
        expect(script, instance_id)
        calls = record_calls()
        calls.answer("FilterLogEvents", lambda call: {"events": [], "nextToken": "more"})
        (entry,) = run(instance_id)
        assert (entry["failed"], entry["status"], entry["log_search"]["state"]) == (False, "valid", "failed")
        assert entry["log_search"]["note"] == f"The log group nsva-system in {REGION} is too large: 20 pages of answers do not cover two days."
        assert (entry["certificate_errors"], entry["log_search"]["searched_from"]) == (None, None)
        assert len(calls.of("FilterLogEvents")) == log_search.MOST_PAGES

    def test_a_search_that_is_given_up_has_had_the_newest(self, aws: World, run: Run, script: Script, record_calls: Record) -> None:
        instance_id = one(aws)
        aws.log_stream("nsva-system", stream_of(instance_id), NOW)
        expect(script, instance_id)
        calls = record_calls()
        old = {"logStreamName": stream_of(instance_id), "timestamp": milliseconds(NOW - 20 * DAY), "message": ERROR}

        def answer(call: Call) -> Result:
            if call.parameters["startTime"] == milliseconds(NOW - 30 * DAY):
                return {"events": [old], "nextToken": "more"}
            return {"events": []}

        calls.answer("FilterLogEvents", answer)
        (entry,) = run(instance_id)
        assert (entry["log_search"]["state"], entry["log_search"]["searched_from"]) == ("searched", "2026-02-15T12:00:00Z")
        assert entry["status"] == "expired", "an error counts though not all were seen"


class TestNotSearched:
    """Nothing of this stops the forecast, and none of it passes for a log without errors."""

    @pytest.mark.parametrize(
        "config",
        [
            log_config(log_type("ipsBlock", enable=True)),
            log_config(log_type("system", group="nsva-system", enable=False)),
            log_config(log_type("system", group="", enable=True)),
            log_config(),
        ],
    )
    def test_it_is_not_streamed(self, aws: World, run: Run, script: Script, record_calls: Record, config: Result) -> None:
        instance_id = one(aws)
        expect(script, instance_id, config=config)
        calls = record_calls()
        self.check(run(instance_id), "not_streamed", "The system log is not streamed to CloudWatch.")
        assert "DescribeLogStreams" not in calls.operations

    def test_the_api_does_not_tell(self, aws: World, run: Run, script: Script) -> None:
        instance_id = one(aws)
        script.expect_search(instance_id, listed(instance_id))
        script.expect("GET", "/appliances/1/cloudwatchlogconfig", {"message": "no"}, status=403)
        self.check(run(instance_id), "failed", "Whether the system log is streamed is not known. GET https://")

    @pytest.mark.parametrize("group_exists", [True, False])
    def test_there_is_no_stream(self, aws: World, run: Run, script: Script, group_exists: bool) -> None:
        instance_id = one(aws)
        if group_exists:
            aws.log_stream("nsva-system", "another", NOW)
        expect(script, instance_id)
        self.check(run(instance_id), "missing", f"There is no such log stream in the log group nsva-system in {REGION}.")

    @pytest.mark.parametrize("operation", ["DescribeLogStreams", "FilterLogEvents"])
    @pytest.mark.parametrize(
        ("code", "state", "note"), [("AccessDeniedException", "denied", "Allow the IAM action logs:"), ("ServiceUnavailable", "failed", "AWS refused logs:")]
    )
    def test_aws_refuses(self, aws: World, run: Run, script: Script, record_calls: Record, operation: str, code: str, state: str, note: str) -> None:
        instance_id = one(aws)
        aws.log_stream("nsva-system", stream_of(instance_id), NOW, message=ERROR)
        expect(script, instance_id)
        record_calls().fail(operation, code, times=5)
        self.check(run(instance_id), state, note)

    def test_one_region_fails(self, aws: World, run: Run, script: Script, record_calls: Record) -> None:
        there = World("us-west-2")
        good, bad = one(aws), one(there)
        aws.log_stream("nsva-system", stream_of(good), NOW - DAY, message=ERROR)
        there.log_stream("nsva-system", stream_of(bad), NOW - DAY, message=ERROR)
        script.expect_search(good, listed(good))
        script.expect_search(bad, listed(bad, number=2, region="us-west-2"))
        for number in (1, 2):
            script.expect("GET", f"/appliances/{number}/cloudwatchlogconfig", SYSTEM)
        record_calls().fail("DescribeLogStreams", "UnrecognizedClientException", region="us-west-2", times=5)
        first, second = run(good, bad)
        assert first["status"] == "expired"
        self.check([second], "failed", "UnrecognizedClientException")

    def test_the_proof_of_silence_is_denied(self, aws: World, run: Run, script: Script, record_calls: Record) -> None:
        instance_id = one(aws, attached_at=NOW - 800 * DAY)
        aws.log_stream("nsva-system", stream_of(instance_id), *(NOW - 20 * DAY + number * DAY / 4 for number in range(20)), message=ERROR)
        expect(script, instance_id)
        record_calls().fail("GetLogEvents", "AccessDeniedException", times=5)
        (entry,) = run(instance_id)
        assert (entry["status"], entry["evidence"], entry["log_search"]["state"]) == ("expired", "log_evidence", "searched")

    def test_a_record_that_cannot_be_read_fails_as_ever(self, aws: World, run: Run, script: Script) -> None:
        instance_id = one(aws, tags={"trendmicro.cloudone:renewal-1": "rubbish"})
        script.expect_search(instance_id, listed(instance_id))
        assert "delete these tags" in run(instance_id)[0]["msg"]

    @staticmethod
    def check(entries: list[Result], state: str, note: str) -> None:
        (entry,) = entries
        assert (entry["failed"], entry["status"], entry["evidence"]) == (False, "valid", "root_volume")
        assert (entry["log_search"]["state"], entry["certificate_errors"], entry["log_search"]["searched_from"]) == (state, None, None)
        assert note in entry["log_search"]["note"]


class TestCommandLine:
    def test_its_errors_count(self, aws: World, run: Run, script: Script) -> None:
        instance_id = one(aws, tags={TAG: "2026-01-01T00:00:00Z"})
        script.expect_search(instance_id, listed(instance_id))
        found = [{"time": "2025-12-31T00:00:00Z", "line": ERROR}, {"time": "2026-02-01T00:00:00Z", "line": ERROR}, {"time": None, "line": ERROR}]
        (entry,) = run(instance_id, use_logs=False, command_line_logs=[{"instance_id": instance_id, "certificate_errors": found}])
        assert (entry["status"], entry["evidence"], entry["expires_at"]) == ("expired", "log_evidence", "2026-02-01T00:00:00Z")
        assert entry["certificate_errors"]["count"] == 1
        assert ERROR not in str(entry)

    def test_none_is_something_else_than_nobody_looked(self, aws: World, run: Run, script: Script) -> None:
        instance_id = one(aws)
        script.expect_search(instance_id, listed(instance_id))
        (entry,) = run(instance_id, use_logs=False, command_line_logs=[{"instance_id": instance_id, "certificate_errors": []}])
        assert (entry["status"], entry["certificate_errors"]["count"], entry["log_search"]["state"]) == ("valid", 0, "not_asked")

    def test_without_aws_errors_date_nothing(self, aws: World, run: Run, script: Script) -> None:
        script.expect_search("i-1", listed("i-1"))
        found = [{"time": "2026-02-01T00:00:00Z"}]
        (entry,) = run("i-1", use_aws=False, command_line_logs=[{"instance_id": "i-1", "certificate_errors": found}])
        assert entry["status"] == "unknown"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log_window": 0}, "log_window must be at least 1 day"),
        ({"command_line_logs": [{"instance_id": "i-1", "certificate_errors": [{"time": "noon"}]}]}, "'noon' of i-1 is not a time"),
    ],
)
def test_what_cannot_be_used_is_refused(aws: World, run_module: t.Callable[..., Result], options: Result, message: str) -> None:
    result = run_module(netsec_certificate_info.main, {**OPTIONS, "appliances": [{"instance_id": "i-1"}], **options})
    assert result["failed"] and message in result["msg"]
