# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the queue is read: what becomes of each message, and what of a queue that does not answer."""

from __future__ import annotations

import asyncio
import logging
import typing as t

import boto3
import pytest
from botocore.stub import Stubber
from log_event_messages import AN_ID, ANOTHER_ID, ERROR, document, of_function

from ansible_collections.trendmicro.cloudone.extensions.eda.plugins.module_utils import poller as poller_module
from ansible_collections.trendmicro.cloudone.extensions.eda.plugins.module_utils.options import Options
from ansible_collections.trendmicro.cloudone.extensions.eda.plugins.module_utils.poller import Event, Poller
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError

QUEUE = "https://sqs.eu-central-1.amazonaws.com/123456789012/errors"


class EnoughSeen(Exception):
    """Ends a loop that has no end."""


class Rules:
    """Stand in for ansible-rulebook.

    :ivar deaf: acknowledges nothing.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.acknowledgements: asyncio.Queue[Event] = asyncio.Queue()
        self.deaf = False

    async def put(self, event: Event) -> None:
        self.events.append(event)
        if not self.deaf:
            await self.acknowledgements.put(event)


@pytest.fixture
def sqs() -> t.Iterator[t.Any]:
    """A client whose answers are those that the test orders, each for the call that it expects."""
    client = boto3.client("sqs", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    with Stubber(client) as client.stubber:
        yield client
        client.stubber.assert_no_pending_responses()


def poller(sqs: t.Any, rules: Rules, **options: t.Any) -> Poller:
    return Poller(Options.from_arguments({"queue_url": QUEUE, "wait_seconds": 0, **options}), sqs, rules, rules.acknowledgements)


def expect_delete(sqs: t.Any, handle: str) -> None:
    sqs.stubber.add_response("delete_message", {}, {"QueueUrl": QUEUE, "ReceiptHandle": handle})


def expect_hiding(sqs: t.Any, handle: str, seconds: int) -> None:
    sqs.stubber.add_response("change_message_visibility", {}, {"QueueUrl": QUEUE, "ReceiptHandle": handle, "VisibilityTimeout": seconds})


def message(body: str, handle: str = "h") -> dict[str, str]:
    return {"MessageId": f"id of {handle}", "ReceiptHandle": handle, "Body": body}


def test_a_message_is_deleted_after_its_event_was_handed_on(sqs: t.Any) -> None:
    async def check() -> None:
        rules = Rules()
        expect_delete(sqs, "h")
        await poller(sqs, rules).handle(message(of_function(document())))
        [event] = rules.events
        assert event["meta"] == {"hosts": AN_ID}
        assert event["certificate_error"] == {
            "instance_id": AN_ID,
            "count": 1,
            "last_at": "2026-09-21T14:13:20Z",
            "text": ERROR,
            "log_group": "network-security-system",
            "log_stream": f"system_{AN_ID}",
            "account_id": "123456789012",
        }

    asyncio.run(check())


def test_a_duplicate_is_deleted_and_not_handed_on(sqs: t.Any) -> None:
    async def check() -> None:
        rules = Rules()
        source = poller(sqs, rules)
        for handle in ("1", "2", "3"):
            expect_delete(sqs, handle)
            await source.handle(message(of_function(document()), handle))
        assert len(rules.events) == 1

    asyncio.run(check())


def test_an_appliance_beyond_the_limit_is_reported_once_and_stays_in_the_queue(sqs: t.Any) -> None:
    async def check() -> None:
        rules = Rules()
        source = poller(sqs, rules, max_renewals=1, period=600)
        expect_delete(sqs, "1")
        await source.handle(message(of_function(document()), "1"))
        for handle in ("2", "3"):
            expect_hiding(sqs, handle, 600)
            await source.handle(message(of_function(document(ANOTHER_ID)), handle))
        assert [next(iter(event)) for event in rules.events] == ["certificate_error", "deferred"]
        assert rules.events[1]["deferred"]["instance_id"] == ANOTHER_ID

    asyncio.run(check())


def test_nothing_is_hidden_for_longer_than_sqs_takes(sqs: t.Any) -> None:
    async def check() -> None:
        source = poller(sqs, Rules(), max_renewals=1, period=14 * 24 * 3600)
        expect_delete(sqs, "1")
        await source.handle(message(of_function(document()), "1"))
        expect_hiding(sqs, "2", 11 * 3600)
        await source.handle(message(of_function(document(ANOTHER_ID)), "2"))

    asyncio.run(check())


@pytest.mark.parametrize(
    ("body", "reason"),
    [("garbage", "it is neither JSON nor Base64 of gzipped JSON"), (of_function(document("nobody")), "1 certificate errors in it name no appliance")],
)
def test_what_cannot_be_used_is_reported_and_deleted(sqs: t.Any, body: str, reason: str) -> None:
    async def check() -> None:
        rules = Rules()
        expect_delete(sqs, "h")
        await poller(sqs, rules).handle(message(body))
        assert rules.events == [{"unusable": {"message_id": "id of h", "reason": reason}}]

    asyncio.run(check())


def test_what_is_no_error_is_deleted_in_silence(sqs: t.Any) -> None:
    async def check() -> None:
        rules = Rules()
        expect_delete(sqs, "h")
        await poller(sqs, rules).handle(message(of_function(document(lines=["health"]))))
        assert rules.events == []

    asyncio.run(check())


def test_a_message_whose_event_was_not_acknowledged_stays_and_is_no_duplicate_later(sqs: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poller_module, "ACKNOWLEDGE_SECONDS", 0.01)

    async def check() -> None:
        rules = Rules()
        source = poller(sqs, rules)
        rules.deaf = True
        await source.handle(message(of_function(document()), "1"))
        rules.deaf = False
        await rules.acknowledgements.put({})  # the one that comes too late
        expect_delete(sqs, "2")
        await source.handle(message(of_function(document()), "2"))
        assert len(rules.events) == 2

    asyncio.run(check())


def test_a_message_that_cannot_be_deleted_stops_nothing(sqs: t.Any, caplog: pytest.LogCaptureFixture) -> None:
    sqs.stubber.add_client_error("delete_message", "AccessDenied", "not authorized to perform: sqs:DeleteMessage")
    asyncio.run(poller(sqs, Rules()).handle(message(of_function(document()))))
    assert "Allow the IAM action sqs:DeleteMessage" in caplog.text


def test_a_queue_that_cannot_be_read_at_the_start_is_an_error(sqs: t.Any) -> None:
    sqs.stubber.add_client_error("receive_message", "AWS.SimpleQueueService.NonExistentQueue", "no such queue")
    with pytest.raises(AwsError, match="no such queue"):
        asyncio.run(poller(sqs, Rules()).run())


def test_a_queue_that_fails_later_is_asked_again(sqs: t.Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    pauses: list[float] = []

    async def no_sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 5:
            raise EnoughSeen

    monkeypatch.setattr(poller_module.asyncio, "sleep", no_sleep)
    caplog.set_level(logging.ERROR)
    rules = Rules()
    sqs.stubber.add_response("receive_message", {})
    for _time in range(3):
        sqs.stubber.add_client_error("receive_message", "ServiceUnavailable", "later")
    sqs.stubber.add_response("receive_message", {"Messages": [message(of_function(document()))]})
    expect_delete(sqs, "h")
    with pytest.raises(EnoughSeen):
        asyncio.run(poller(sqs, rules).run())
    # The last one is for the answer that the stub does not have.
    assert pauses[1:] == [2, 4, 8, 2]
    assert len(rules.events) == 1
    assert caplog.text.count("Asking again") == 4
