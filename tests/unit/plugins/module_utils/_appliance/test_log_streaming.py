# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning the log streaming of an appliance."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_streaming import (
    LogType,
    plan,
    read_log_types,
    read_options,
    refuse_old_version,
    stream_name,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import log_type

NAMES = ("system", "audit", "host", "ipsAlert", "ipsBlock", "reputationBlock", "reputationAlert", "quarantine", "sslInspection")
GROUPS = st.sampled_from(["ips", "network-security-block-events", "a/b.c#d"])
STREAMS = st.sampled_from(["system_{instance_id}", "other"])
CURRENT = st.lists(
    st.builds(
        log_type,
        st.sampled_from([*NAMES, "newOne"]),
        group=st.none() | st.just("") | GROUPS,
        stream=st.none() | STREAMS,
        enable=st.booleans(),
    ),
    unique_by=lambda entry: entry["logName"],
)
WANTED = st.lists(st.builds(LogType, st.sampled_from(NAMES), GROUPS, STREAMS, st.booleans()), unique_by=lambda log_type: log_type.name)


def option(name: str, group: str | None = None, stream: str | None = None, enabled: bool = True) -> dict[str, t.Any]:
    return {"name": name, "group": group, "stream": stream, "enabled": enabled}


def test_the_documented_example() -> None:
    current = [log_type("system"), log_type("ipsBlock", enable=False), log_type("quarantine", enable=True)]
    made = plan(current, read_options([option("ipsBlock", "network-security-block-events")]))
    assert made.changed
    assert made.unavailable == []
    assert made.payload == [
        log_type("system"),
        {"logGroupName": "network-security-block-events", "logName": "ipsBlock", "logStreamName": "ipsBlock_{instance_id}", "enable": True},
        log_type("quarantine", enable=True),
    ]
    assert str(made.after[1]) == "ipsBlock: on, group network-security-block-events, stream ipsBlock_{instance_id}"


def test_without_a_group_the_present_one_stays() -> None:
    made = plan([log_type("audit", group="mine", enable=False)], read_options([option("audit")]))
    assert made.after == [LogType("audit", "mine", "audit_{instance_id}", True)]


def test_a_log_type_without_any_group_cannot_be_enabled() -> None:
    with pytest.raises(InputError, match="audit is to be streamed, but has no log group"):
        plan([log_type("audit", group="")], read_options([option("audit")]))


def test_a_disabled_log_type_needs_no_group() -> None:
    assert plan([log_type("audit", group="", enable=True)], read_options([option("audit", enabled=False)])).payload[0]["enable"] is False


def test_purge_switches_the_others_off() -> None:
    current = [log_type("system", enable=True), log_type("audit", group="mine", enable=True), log_type("host")]
    made = plan(current, read_options([option("system", "ips")]), purge=True)
    assert made.payload == [log_type("system", enable=True), log_type("audit", group="mine", enable=False), log_type("host")]


def test_log_types_that_the_appliance_lacks() -> None:
    made = plan([log_type("system", enable=True)], read_options([option("system", "ips"), option("sslInspection", "ips")]))
    assert made.unavailable == ["sslInspection"]
    assert not made.changed


def test_unknown_fields_and_entries_go_back_as_they_came_without_nulls() -> None:
    current = [{**log_type("system"), "retention": 3, "logStreamName": None}, {"other": 1}]
    made = plan(current, read_options([option("system", "new")]))
    assert made.payload == [{**log_type("system", group="new", enable=True), "retention": 3}, {"other": 1}]


def test_an_appliance_without_stated_stream_uses_the_default_one() -> None:
    assert not plan([{**log_type("system", enable=True), "logStreamName": None}], read_options([option("system", "ips")])).changed


@given(CURRENT, WANTED, st.booleans())
def test_a_plan_reaches_what_is_wanted_and_is_then_done(current: list[dict[str, t.Any]], wanted: list[LogType], purge: bool) -> None:
    made = plan(current, wanted, purge=purge)
    assert [entry["logName"] for entry in made.payload] == [entry["logName"] for entry in current]
    by_name = {log_type.name: log_type for log_type in made.after}
    for asked in wanted:
        assert asked.name in made.unavailable or by_name[asked.name] == asked
    named = {asked.name for asked in wanted}
    for before, after in zip(made.before, made.after, strict=True):
        if before.name not in named:
            assert (after.group, after.stream) == (before.group, before.stream)
            assert after.enabled == (before.enabled and not purge)
    again = plan(made.payload, wanted, purge=purge)
    assert not again.changed
    assert again.before == made.after


@given(CURRENT)
def test_what_is_read_can_be_wanted(current: list[dict[str, t.Any]]) -> None:
    """So a configuration that was saved can be restored."""
    saved = [log_type.as_result() for log_type in read_log_types(current) if log_type.group or not log_type.enabled]
    assert not plan(current, read_options(saved)).changed


@pytest.mark.parametrize("group", ["with space", "aws/mine", "ä", "x" * 513, "a:b", "a*", "trailing\n"])
def test_group_names_that_cloudwatch_refuses(group: str) -> None:
    with pytest.raises(InputError, match="system: .* cannot be the name of a log group"):
        read_options([option("system", group)])


@pytest.mark.parametrize("stream", ["a:b", "a*", "x" * 513, "{instance_id}" + "x" * 494])
def test_stream_names_that_cloudwatch_refuses(stream: str) -> None:
    with pytest.raises(InputError, match="system: .* cannot be the name of a log stream"):
        read_options([option("system", "ips", stream)])


def test_the_longest_names() -> None:
    longest = "{instance_id}" + "x" * 493
    (log_type,) = read_options([option("system", "g" * 512, longest)])
    assert (log_type.group, log_type.stream) == ("g" * 512, longest)
    assert len(stream_name(longest, "i-0123456789abcdef0")) == 512


@pytest.mark.parametrize(
    ("stream", "name"), [("system_{instance_id}", "system_i-1"), ("{instance_id}/{instance_id}", "i-1/i-1"), ("{host}_{}", "{host}_{}"), ("mine", "mine")]
)
def test_the_instance_id_is_the_only_placeholder(stream: str, name: str) -> None:
    assert stream_name(stream, "i-1") == name


def test_a_log_type_is_named_once() -> None:
    with pytest.raises(InputError, match="Given more than once: host"):
        read_options([option("host"), option("system"), option("host")])


@pytest.mark.parametrize(
    ("version", "refused"), [("5.5.0.10625", True), ("2020.9.9", True), ("2020.10.0", False), ("2021.1", False), (None, False), ("x", False)]
)
def test_old_appliances_are_refused(version: str | None, refused: bool) -> None:
    appliance = Appliance(1, "i-1", tos_version=version)
    if not refused:
        return refuse_old_version(appliance)
    with pytest.raises(InputError, match=f"i-1 has version {version}; .* needs 2020.10.0"):
        refuse_old_version(appliance)


def test_names_of_another_type() -> None:
    entry = {"logName": 1, "logGroupName": ["g"], "logStreamName": 5, "enable": "yes"}
    assert LogType.from_api(entry) == LogType("1", "['g']", "5", enabled=True)
