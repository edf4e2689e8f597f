# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from messages, and that nothing in one does any harm."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import random
import typing as t
from datetime import UTC, datetime

import pytest
from log_event_messages import AN_ID, ANOTHER_ID, ERROR, document, of_destination, of_event_bus, of_function, of_pipe, of_topic, packed

from ansible_collections.trendmicro.cloudone.extensions.eda.plugins.module_utils.log_messages import (
    LARGEST_DOCUMENT,
    LONGEST_TEXT,
    CertificateErrors,
    Reading,
    UnfitMessage,
    read_message,
)

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def read(body: object) -> Reading:
    return read_message(body, NOW)


def one(body: object) -> CertificateErrors:
    [found] = read(body).found
    return found


@pytest.mark.parametrize("wrap", [of_function, of_pipe, of_event_bus, of_destination, of_topic, packed, json.dumps])
def test_every_wrapping_is_understood(wrap: t.Callable[[t.Any], str]) -> None:
    assert one(wrap(document())) == CertificateErrors(
        instance_id=AN_ID,
        count=1,
        last_at=datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC),
        text=ERROR,
        log_group="network-security-system",
        log_stream=f"system_{AN_ID}",
        account_id="123456789012",
    )


def test_other_lines_are_no_errors() -> None:
    lines = ["sysd[402]: health state 1 reported", "user=admin cmd=show log-file system search sslv3 alert certificate"]
    assert read(of_function(document(lines=lines))) == Reading()


def test_several_errors_of_one_appliance_are_one_entry_with_the_last_of_them() -> None:
    found = one(of_function(document(lines=["first " + ERROR, "health", "last " + ERROR])))
    assert (found.count, found.text) == (2, "last " + ERROR)


def test_the_line_names_the_appliance_where_the_stream_does_not() -> None:
    found = read(json.dumps(document(lines=[f"{AN_ID} {ERROR}", f"{ANOTHER_ID} {ERROR}", ERROR], logStream="all")))
    assert [entry.instance_id for entry in found.found] == [AN_ID, ANOTHER_ID]
    assert found.nameless == 1


def test_the_stream_goes_before_what_a_line_claims() -> None:
    assert one(json.dumps(document(lines=[f"{ANOTHER_ID} {ERROR}"]))).instance_id == AN_ID


@pytest.mark.parametrize("stream", [f"{AN_ID}_{ANOTHER_ID}", "system_i-0123", f"system_{AN_ID}0", "system_{instance_id}", None, 5, [AN_ID]])
def test_what_names_no_single_appliance_is_no_name(stream: object) -> None:
    assert read(json.dumps(document(logStream=stream))) == Reading(nameless=1)


def test_the_line_tells_the_time_where_the_event_does_not() -> None:
    event = {"message": f"2026-11-28T10:00:00Z {ERROR}", "timestamp": "soon"}
    assert one(json.dumps(document(logEvents=[event]))).last_at == datetime(2026, 11, 28, 10, tzinfo=UTC)


def test_a_check_of_the_destination_says_nothing() -> None:
    assert read(of_pipe(document(messageType="CONTROL_MESSAGE", lines=["CWL CONTROL MESSAGE: Checking health of destination"]))) == Reading()


def test_texts_can_neither_steer_a_terminal_nor_be_templates() -> None:
    hostile = "\x1b]0;owned\x07{{ lookup('pipe', 'id') }} {% raw %}\u202e\nnext line " + ERROR + " x" * 1000
    found = one(json.dumps(document(lines=[hostile], logGroup="{{ group }}", owner="\x1b[2J")))
    for text in (found.text, found.log_group, found.account_id):
        assert not set(text) & set("{}\x1b\x07\u202e\n")
        assert len(text) <= LONGEST_TEXT + len("...")


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "hello",
        "{",
        "{}",
        "[]",
        "null",
        '{"data": 5}',
        '{"detail": {"detail": {"detail": {"detail": {"detail": {"detail": {"logEvents": []}}}}}}}',
        '{"logEvents": {}}',
        '{"Message": "' + "A" * 8 + '"}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"logEvents": ' + "9" * 10_000 + "}",
        base64.b64encode(b"no gzip").decode(),
        base64.b64encode(gzip.compress(b"\xff\xfe")).decode(),
        base64.b64encode(gzip.compress(b"x" * 100)[:-9]).decode(),
        base64.b64encode(gzip.compress(b" " * (LARGEST_DOCUMENT + 1))).decode(),
        "\ud800",
        "ä" * 10,
    ],
)
def test_garbage_is_refused_in_words_of_our_own(body: object) -> None:
    with pytest.raises(UnfitMessage) as refusal:
        read(body)
    assert str(refusal.value).startswith("it")


@pytest.mark.parametrize("event", [None, 5, "text", [], {}, {"message": None}, {"message": {"a": 1}}, {"message": ""}])
def test_events_that_are_none_are_passed_over(event: object) -> None:
    assert one(json.dumps(document(logEvents=[event, {"message": ERROR, "timestamp": 1e300}]))).last_at is None


def test_changed_messages_are_read_or_refused() -> None:
    chance = random.Random(1)
    for wrap in (of_function, of_pipe, of_event_bus, of_topic, packed, json.dumps):
        whole = wrap(document())
        for _change in range(300):
            text = list(whole)
            for _place in range(chance.randint(1, 6)):
                text[chance.randrange(len(text))] = chance.choice('{}[]",:\\0aA=\x00\ud800é')
            with contextlib.suppress(UnfitMessage):
                read("".join(text))
