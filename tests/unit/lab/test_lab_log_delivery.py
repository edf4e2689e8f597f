# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the appliances' logs get into CloudWatch: whose, when, by what right, and what CloudWatch takes."""

from __future__ import annotations

import time
import typing as t
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from lab_world import API_KEY
from log_account import LogAccount, document, log_account

from lab.appliance_state import LogType
from lab.aws import ROLE_NAME
from lab.fleet import LOG_NAMES, FleetError, parse_fleet
from lab.system_log import MOST_ERRORS

BLOCKS = {"ipsBlock": {"group": "blocks"}}
SYSTEM = {"system": {"group": "system-logs"}}
ERROR = "sslv3 alert certificate"


def set_log_type(account: LogAccount, name: str, *log_types: LogType) -> None:
    """Change the configuration as the API's POST does."""
    account.world.set_log_types(account.world.api_ids(account.id(name))[0], log_types)


def renew(account: LogAccount, name: str) -> None:
    account.world.unregister_in_api(account.world.api_ids(account.id(name))[0])
    account.world.unregister_on_appliance(account.id(name))
    account.world.register(account.id(name), API_KEY)


def test_the_appliance_makes_group_and_stream_and_goes_on_writing() -> None:
    with log_account({"name": "a", "log_types": BLOCKS, "region": "eu-central-1"}) as account:
        assert account.streams("a") == {}
        account.deliver()
        assert account.streams("a") == {"blocks": {f"ipsBlock_{account.id('a')}": 1}}
        account.deliver(after=10)
        account.deliver()
        assert account.streams("a") == {"blocks": {f"ipsBlock_{account.id('a')}": 6}}
        [line, *_rest] = account.messages("blocks", f"ipsBlock_{account.id('a')}", "eu-central-1")
        assert "action=block" in line and line.split()[1] == account.id("a")
        assert account.client("logs").describe_log_groups()["logGroups"] == [], "in the instance's region only"
        assert account.calls.list("aws")[0]["operation"] == "logs:GetLogEvents", "what appliances do is no call from outside"


def test_every_log_type_can_be_streamed() -> None:
    log_types = {name: {"group": "all", "stream": f"{name}/{{instance_id}}/{name}"} for name in LOG_NAMES}
    with log_account({"name": "a", "log_types": log_types}) as account:
        account.deliver(after=2)
        counts = account.streams("a")["all"]
        assert set(counts) == {f"{name}/{account.id('a')}/{name}" for name in LOG_NAMES}
        assert all(counts.values())


def test_without_traffic_only_the_appliances_own_doings_are_logged() -> None:
    log_types = {name: {"group": "all", "stream": name} for name in LOG_NAMES}
    with log_account({"name": "a", "log_types": log_types, "traffic": False}) as account:
        account.deliver(after=10)
        assert {name for name, count in account.streams("a")["all"].items() if count} == {"system", "audit", "host"}
        assert len(account.streams("a")["all"]) == len(LOG_NAMES), "the streams are there all the same"


def test_a_stream_can_come_with_the_first_event_only() -> None:
    appliances = ({"name": "quiet", "log_types": BLOCKS, "traffic": False}, {"name": "busy", "log_types": BLOCKS})
    with log_account(*appliances, aws={"log_stream_created": "first_event"}) as account:
        account.deliver()
        assert account.streams("quiet") == {}
        assert account.streams("busy") == {"blocks": {f"ipsBlock_{account.id('busy')}": 1}}


def test_the_system_log_is_that_of_the_command_line_each_line_once() -> None:
    with log_account({"name": "a", "registered_days_ago": 735, "log_types": SYSTEM}) as account:
        stream = f"system_{account.id('a')}"
        account.deliver()
        account.deliver()
        account.deliver(after=60)
        shown = account.world.system_log(account.id("a"))
        # The registration, two years ago, is too old for CloudWatch.
        assert account.messages("system-logs", stream) == [line for line in shown if "registered with" not in line]
        errors = [line for line in shown if ERROR in line]
        assert len(errors) == MOST_ERRORS
        found = account.client("logs").filter_log_events(logGroupName="system-logs", filterPattern=f'"{ERROR}"')["events"]
        assert [event["message"] for event in found] == errors
        moments = [time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(event["timestamp"] / 1000)) for event in found]
        assert moments == [line[:19] for line in errors], "the event's time is the line's"


def test_cloudwatch_takes_no_events_older_than_two_weeks_or_than_the_groups_retention() -> None:
    appliance = {"name": "a", "registered_days_ago": 100, "deployed_days_ago": 100 + 730 + 15, "log_types": SYSTEM}
    hand_renewed = {"name": "b", "registered_days_ago": 13, "deployed_days_ago": 13 + 730 + 3, "log_types": {"system": {"group": "short"}}}
    kept = {"name": "c", "registered_days_ago": 13, "deployed_days_ago": 13 + 730 + 3, "log_types": {"system": {"group": "unlimited"}}}
    with log_account(appliance, hand_renewed, kept) as account:
        logs = account.client("logs")
        logs.create_log_group(logGroupName="short")
        logs.put_retention_policy(logGroupName="short", retentionInDays=7)
        account.deliver()
        assert not any(ERROR in line for line in account.messages("system-logs", f"system_{account.id('a')}"))
        assert not any("registered with" in line for line in account.messages("short", f"system_{account.id('b')}"))
        assert any("registered with" in line for line in account.messages("unlimited", f"system_{account.id('c')}"))


def test_a_healthy_system_log_grows_and_an_expired_certificate_shows_in_it_without_stopping_it() -> None:
    with log_account({"name": "a", "registered_days_ago": 730 - 1 / 24, "log_types": SYSTEM}) as account:
        stream = f"system_{account.id('a')}"
        account.deliver()
        before = account.messages("system-logs", stream)
        account.deliver(after=60)
        grown = account.messages("system-logs", stream)
        assert len(grown) > len(before) and not any(ERROR in line for line in grown)
        account.deliver(after=3600)
        assert account.world.certificate_expired(account.id("a"))
        assert sum(ERROR in line for line in account.messages("system-logs", stream)) == 1


def test_a_new_configuration_reaches_an_appliance_only_while_it_talks_to_cloud_one() -> None:
    with log_account({"name": "a", "registered_days_ago": 735, "log_types": BLOCKS}) as account:
        account.deliver()
        set_log_type(account, "a", LogType("ipsBlock", "elsewhere", enable=True))
        account.deliver(after=10)
        assert set(account.streams("a")) == {"blocks"}, "the API has it, the appliance does not"
        renew(account, "a")
        account.deliver(after=2)
        assert set(account.streams("a")) == {"blocks", "elsewhere"}


def test_an_appliance_that_is_not_registered_goes_on_with_what_it_has() -> None:
    with log_account({"name": "a", "registered": False, "log_types": BLOCKS}) as account:
        account.deliver(after=2)
        assert account.streams("a")["blocks"]


def test_a_configuration_that_registration_loses_ends_the_delivery() -> None:
    settings = {"registered_days_ago": 735, "log_types": BLOCKS}
    with log_account({"name": "forgetful", "registration_loses": ["log_types"], **settings}, {"name": "faithful", **settings}) as account:
        account.deliver()
        for name in ("forgetful", "faithful"):
            renew(account, name)
        account.deliver()
        before = {name: account.streams(name) for name in ("forgetful", "faithful")}
        account.deliver(after=30)
        assert account.streams("forgetful") == before["forgetful"]
        assert account.streams("faithful") != before["faithful"]
        set_log_type(account, "forgetful", LogType("ipsBlock", "blocks", enable=True))
        account.deliver()
        assert account.streams("forgetful") != before["forgetful"]


def test_switching_a_log_type_off_ends_its_delivery() -> None:
    with log_account({"name": "a", "log_types": BLOCKS}) as account:
        account.deliver()
        set_log_type(account, "a", LogType("ipsBlock", "blocks", enable=False))
        account.deliver(after=30)
        assert account.streams("a") == {"blocks": {f"ipsBlock_{account.id('a')}": 1}}


@pytest.mark.parametrize("action", ["stop_instances", "terminate_instances"])
def test_an_instance_that_does_not_run_writes_nothing(action: str) -> None:
    with log_account({"name": "a", "log_types": BLOCKS}) as account:
        account.deliver()
        getattr(account.client("ec2"), action)(InstanceIds=[account.id("a")])
        account.deliver(after=30)
        assert account.streams("a") == {"blocks": {f"ipsBlock_{account.id('a')}": 1}}


def test_a_hosted_appliance_writes_nothing_into_the_users_account() -> None:
    with log_account({"name": "a", "deployment": "hosted", "log_types": BLOCKS}) as account:
        account.deliver(after=30)
        assert account.streams("a") == {}
        assert account.client("logs").describe_log_groups()["logGroups"] == []


def groups(account: LogAccount) -> dict[str, int]:
    """Return the log groups with their number of streams."""
    logs = account.client("logs")
    names = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    return {name: len(logs.describe_log_streams(logGroupName=name)["logStreams"]) for name in names}


@pytest.mark.parametrize(
    ("lacks", "created"),
    [
        (["logs:CreateLogGroup"], {}),
        (["logs:CreateLogStream"], {"blocks": 0}),
        (["logs:PutLogEvents"], {"blocks": 1}),
        (["logs:DescribeLogStreams", "cloudwatch:PutMetricData", "ec2:DescribeTags"], {"blocks": 1}),
    ],
)
def test_the_role_decides(lacks: list[str], created: dict[str, int]) -> None:
    with log_account({"name": "a", "log_types": BLOCKS, "instance_role_lacks": lacks}, {"name": "b"}) as account:
        account.deliver(after=10)
        assert groups(account) == created
        events = sum(count for group in account.streams("a").values() for count in group.values())
        assert bool(events) == ("logs:DescribeLogStreams" in lacks)


def test_without_a_role_nothing_arrives() -> None:
    with log_account({"name": "a", "log_types": BLOCKS, "instance_role": False}) as account:
        account.deliver(after=10)
        assert groups(account) == {}
        profile = account.client("iam").get_instance_profile(InstanceProfileName=ROLE_NAME)["InstanceProfile"]["Arn"]
        account.client("ec2").associate_iam_instance_profile(InstanceId=account.id("a"), IamInstanceProfile={"Arn": profile})
        account.deliver()
        assert account.streams("a")["blocks"], "what could not be written before is written now"


def test_creating_groups_is_no_right_that_an_existing_group_needs() -> None:
    with log_account({"name": "a", "log_types": BLOCKS, "instance_role_lacks": ["logs:CreateLogGroup"]}) as account:
        account.client("logs").create_log_group(logGroupName="blocks")
        account.deliver()
        assert account.streams("a")["blocks"]


def test_a_change_of_the_role_counts_at_once() -> None:
    with log_account({"name": "a", "log_types": BLOCKS}) as account:
        iam = account.client("iam")
        account.deliver()
        deny = {"Effect": "Deny", "Action": "logs:*", "Resource": "arn:aws:logs:*:*:log-group:blocks:*"}
        arn = iam.create_policy(PolicyName="no-logs", PolicyDocument=document(deny))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=ROLE_NAME, PolicyArn=arn)
        account.deliver(after=10)
        assert account.streams("a") == {"blocks": {f"ipsBlock_{account.id('a')}": 1}}
        iam.detach_role_policy(RoleName=ROLE_NAME, PolicyArn=arn)
        account.deliver()
        assert account.streams("a") == {"blocks": {f"ipsBlock_{account.id('a')}": 6}}


def test_the_region_is_known_to_conditions() -> None:
    appliances = ({"name": "us", "log_types": BLOCKS}, {"name": "eu", "region": "eu-west-1", "log_types": BLOCKS})
    with log_account(*appliances) as account:
        condition = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
        deny = {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*", "Condition": condition}
        account.client("iam").put_role_policy(RoleName=ROLE_NAME, PolicyName="region", PolicyDocument=document(deny))
        account.deliver()
        assert account.streams("us") == {}
        assert account.streams("eu")["blocks"]


def test_a_deleted_group_is_made_again() -> None:
    with log_account({"name": "a", "log_types": BLOCKS}) as account:
        account.deliver()
        account.client("logs").delete_log_group(logGroupName="blocks")
        assert account.streams("a") == {}
        account.deliver(after=2)
        assert account.streams("a") == {"blocks": {f"ipsBlock_{account.id('a')}": 1}}


def test_one_appliance_that_cannot_write_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    with log_account({"name": "a", "log_types": BLOCKS}, {"name": "b", "log_types": BLOCKS}) as account:
        account.deliver()
        account.client("iam").put_role_policy(
            RoleName=ROLE_NAME, PolicyName="odd", PolicyDocument=document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
        )
        broken = account.aws.instance_rights

        def fail_for_a(instance_id: str) -> t.Any:
            if instance_id == account.id("a"):
                raise RuntimeError("odd")
            return broken(instance_id)

        account.aws.instance_rights = fail_for_a  # type: ignore[method-assign]
        account.deliver(after=10)
        assert account.streams("b")["blocks"][f"ipsBlock_{account.id('b')}"] == 6
        assert "a could not write its ipsBlock log" in caplog.text


def test_the_thread_delivers_by_itself_until_it_is_stopped() -> None:
    with log_account({"name": "a", "log_types": BLOCKS}, aws={"log_delivery_interval": 0.02}) as account:
        account.delivery.start()
        deadline = time.monotonic() + 10
        while not account.streams("a") and time.monotonic() < deadline:
            time.sleep(0.02)
        account.delivery.stop()
        assert account.streams("a") == {"blocks": {f"ipsBlock_{account.id('a')}": 1}}
        account.clock.now += timedelta(seconds=30)
        time.sleep(0.1)
        assert account.streams("a") == {"blocks": {f"ipsBlock_{account.id('a')}": 1}}


def test_appliances_that_stream_nothing_cost_next_to_nothing() -> None:
    """Far below what is noticeable every 0.2 s, however slow the machine."""
    hosted = [{"name": f"h{number}", "deployment": "hosted", "log_types": BLOCKS} for number in range(1000)]
    silent = [{"name": f"s{number}"} for number in range(50)]
    with log_account(*hosted, *silent) as account:
        started = time.process_time()
        for _round in range(100):
            account.deliver()
        assert (time.process_time() - started) / 100 < 0.002


# The past ------------------------------------------------------------------------------------------------------------


def past(account: LogAccount, name: str = "a") -> list[t.Any]:
    """The events of a system log, oldest first, with both of their times."""
    stream = f"system_{account.id(name)}"
    return t.cast(list[t.Any], account.client("logs").filter_log_events(logGroupName="system-logs", logStreamNames=[stream])["events"])


def days_ago(account: LogAccount, milliseconds: int) -> float:
    return (account.world.started_at.timestamp() - milliseconds / 1000) / 86400


def streamed(days: float, **more: t.Any) -> dict[str, t.Any]:
    return {"name": "a", "log_types": {"system": {"group": "system-logs", "streamed_days": days}}, **more}


def test_a_log_that_has_been_streamed_for_long_holds_all_of_that_time() -> None:
    with log_account(streamed(40, registered_days_ago=760)) as account:
        events = past(account)
        errors = [event for event in events if ERROR in event["message"]]
        assert len(errors) == 121 > MOST_ERRORS, "four a day for 30 days, though the appliance itself keeps fewer"
        assert days_ago(account, errors[0]["timestamp"]) == pytest.approx(30, abs=0.01)
        assert days_ago(account, events[0]["timestamp"]) == pytest.approx(54, abs=0.4), "what was 14 days old when streaming began"
        assert days_ago(account, events[0]["ingestionTime"]) == pytest.approx(40, abs=0.01)
        assert all(event["ingestionTime"] // 1000 == event["timestamp"] // 1000 for event in errors)
        account.deliver(after=10)
        assert len(past(account)) == len(events) + 5, "it goes on, and nothing comes twice"


def test_errors_of_the_past_end_with_a_renewal_by_hand_while_the_log_goes_on() -> None:
    with log_account(streamed(40, registered_days_ago=10, deployed_days_ago=750)) as account:
        events = past(account)
        errors = [days_ago(account, event["timestamp"]) for event in events if ERROR in event["message"]]
        assert max(errors) == pytest.approx(20, abs=0.01) and min(errors) >= 10
        assert sum(days_ago(account, event["timestamp"]) < 10 for event in events) >= 30


@pytest.mark.parametrize("state", ["stopped", "terminated"])
def test_an_instance_that_was_stopped_wrote_nothing_since(state: str) -> None:
    with log_account(streamed(40, registered_days_ago=740, instance_state=state, stopped_days_ago=3)) as account:
        events = past(account)
        assert min(days_ago(account, event["timestamp"]) for event in events) >= 3
        account.deliver(after=10)
        assert len(past(account)) == len(events)


def test_when_it_is_started_again_it_goes_on_without_what_it_never_wrote() -> None:
    with log_account(streamed(40, registered_days_ago=740, instance_state="stopped", stopped_days_ago=3)) as account:
        before = len(past(account))
        account.client("ec2").start_instances(InstanceIds=[account.id("a")])
        account.deliver(after=10)
        assert len(past(account)) == before + 5
        assert not [line for line in account.world.system_log(account.id("a")) if "saved by admin" in line], "two hours before the lab started"


@pytest.mark.parametrize("lacks", [["logs:PutLogEvents"], ["logs:CreateLogStream"], ["logs:CreateLogGroup"]])
def test_a_role_that_could_not_write_has_no_past(lacks: list[str]) -> None:
    with log_account(streamed(40, instance_role_lacks=lacks)) as account:
        assert account.streams("a") == {}


@pytest.mark.parametrize("hours", [1.5, -5])
def test_lines_have_the_time_of_the_appliances_clock(hours: float) -> None:
    with log_account(streamed(5, registered_days_ago=740, clock_ahead_hours=hours)) as account:
        account.deliver(after=4)
        events = past(account)
        at_once = [event for event in events if event["ingestionTime"] > events[0]["ingestionTime"]]
        assert len(at_once) > 30, "all but what was old when streaming began"
        assert all((event["timestamp"] - event["ingestionTime"]) / 3_600_000 == pytest.approx(hours, abs=0.1) for event in at_once)
        [last] = account.world.system_log(account.id("a"))[-1:]
        assert last == events[-1]["message"], "the command line shows the same"


def test_cloudwatch_refuses_what_is_more_than_two_hours_ahead() -> None:
    with log_account(streamed(5, clock_ahead_hours=2.5)) as account:
        account.deliver(after=4)
        assert {round(days_ago(account, event["ingestionTime"]), 2) for event in past(account)} == {5.0}, "what was old when streaming began"


def test_only_the_system_log_has_a_past() -> None:
    with pytest.raises(FleetError, match="streamed_days is for the log type system only"):
        parse_fleet({"appliances": [{"name": "a", "log_types": {"ipsBlock": {"group": "g", "streamed_days": 1}}}]})


# Searches ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"logStreamNames": ["missing"]}, "ResourceNotFoundException"),
        ({"logStreamNames": [f"s{number}" for number in range(101)]}, "InvalidParameterException"),
        ({"logStreamNames": ["s"], "logStreamNamePrefix": "s"}, "InvalidParameterException"),
        ({"logGroupName": "missing"}, "ResourceNotFoundException"),
    ],
)
def test_a_search_names_streams_that_exist(more: dict[str, t.Any], code: str) -> None:
    with log_account(streamed(1)) as account:
        logs = account.client("logs")

        with pytest.raises(ClientError, match=code):
            logs.filter_log_events(**{"logGroupName": "system-logs", **more})
