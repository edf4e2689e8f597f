# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judging whether logs arrive."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.log_streaming import LogType
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.log_streams import common_prefix
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._logs.delivery import Sighting, Stream, read_enabled, report, streams_of
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import NOW

BLOCK = LogType("ipsBlock", "block", "ipsBlock_{instance_id}", True)
SYSTEM = LogType("system", "logs", "mine", True)


def option(name: str, group: str | None = "g", stream: str | None = None, enabled: bool = True) -> dict[str, t.Any]:
    return {"name": name, "group": group, "stream": stream, "enabled": enabled}


def test_only_enabled_log_types_count_and_only_they_need_a_group() -> None:
    assert read_enabled("i-1", [option("system"), option("host", group=None, enabled=False), option("bad", "a b", enabled=False)]) == [
        LogType("system", "g", "system_{instance_id}", True)
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([option("system", group=None), option("host", group="")], "i-1: give the log group .* Without one are: system, host"),
        ([option("system"), option("system")], "Given more than once: system"),
        ([option("system", "a b")], "cannot be the name of a log group"),
        ([option("system", stream="a:b")], "cannot be the name of a log stream"),
    ],
)
def test_options_that_cannot_be_used(options: list[dict[str, t.Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_enabled("i-1", options)


def test_the_instance_id_is_put_into_the_name_of_the_stream() -> None:
    assert streams_of("i-1", "eu-west-1", [BLOCK, SYSTEM], NOW) == {
        "ipsBlock": Stream("eu-west-1", "block", "ipsBlock_i-1", NOW),
        "system": Stream("eu-west-1", "logs", "mine", NOW),
    }


def test_an_event_counts_from_its_time_on() -> None:
    stream = Stream("eu-west-1", "g", "s", NOW)
    assert Sighting(True, NOW).receives(stream)
    assert not Sighting(True, NOW - timedelta(milliseconds=1)).receives(stream)
    assert not Sighting(True).receives(stream)


def test_a_report_says_what_does_not_arrive_and_what_to_check() -> None:
    silent = LogType("host", "logs", "host_{instance_id}", True)
    streams = streams_of("i-1", "eu-west-1", [BLOCK, SYSTEM, silent], NOW)
    sightings = {
        streams["ipsBlock"]: Sighting(waited=3.5),
        streams["system"]: Sighting(True, NOW + timedelta(seconds=1), 1.5),
        streams["host"]: Sighting(True, NOW - timedelta(days=1), 3.5),
    }
    made = report("eu-west-1", streams, sightings)
    assert (made["region"], made["receiving"]) == ("eu-west-1", False)
    assert made["reason"].startswith(
        "ipsBlock: there is no log stream ipsBlock_i-1 in the log group block in eu-west-1. "
        "host: no event since 2026-03-01T12:00:00Z in the log stream host_i-1 of logs in eu-west-1, the last one is of 2026-02-28T12:00:00Z. "
        "Check the role of the instance"
    )
    assert made["streams"] == [
        {
            "name": "ipsBlock",
            "group": "block",
            "stream": "ipsBlock_i-1",
            "exists": False,
            "last_event_at": None,
            "receiving": False,
            "waited": 3.5,
        },
        {
            "name": "system",
            "group": "logs",
            "stream": "mine",
            "exists": True,
            "last_event_at": "2026-03-01T12:00:01Z",
            "receiving": True,
            "waited": 1.5,
        },
        {
            "name": "host",
            "group": "logs",
            "stream": "host_i-1",
            "exists": True,
            "last_event_at": "2026-02-28T12:00:00Z",
            "receiving": False,
            "waited": 3.5,
        },
    ]


def test_a_report_of_what_is_well() -> None:
    streams = streams_of("i-1", "eu-west-1", [BLOCK], NOW)
    assert report("eu-west-1", streams, {streams["ipsBlock"]: Sighting(True, NOW)})["reason"] == "Every log stream receives events."
    nothing = report("eu-west-1", {}, {})
    assert (nothing["receiving"], nothing["reason"]) == (True, "No log type is enabled, so nothing is to arrive.")


@given(st.lists(st.text(st.characters(codec="ascii"), max_size=5), min_size=1))
def test_a_common_prefix_is_the_longest(names: list[str]) -> None:
    prefix = common_prefix(names)
    assert all(name.startswith(prefix) for name in names)
    longer = min(names)[: len(prefix) + 1]
    assert longer == prefix or not all(name.startswith(longer) for name in names)
