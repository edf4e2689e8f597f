# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes messages from an SQS queue and hands on what they say of certificate errors. A message is deleted only when that is done."""

from __future__ import annotations

import asyncio
import logging
import time
import typing as t
from dataclasses import asdict
from datetime import timedelta

from ansible_collections.trendmicro.cloudone.extensions.eda.plugins.module_utils.gate import Deferred, Duplicate, Gate
from ansible_collections.trendmicro.cloudone.extensions.eda.plugins.module_utils.log_messages import CertificateErrors, Reading, UnfitMessage, read_message
from ansible_collections.trendmicro.cloudone.extensions.eda.plugins.module_utils.options import Options
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.session import AwsClients, Client, Response, call
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import AwsError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._times import to_text, utc_now

# What SQS gives in one answer at most, and how long it keeps these from others meanwhile.
MESSAGES = 10
INVISIBLE_SECONDS = 300
# SQS hides a message for at most 12 hours from its receipt.
LONGEST_HIDING = 11 * 3600
# ansible-rulebook acknowledges an event as soon as its rules have seen it.
ACKNOWLEDGE_SECONDS = 20
LONGEST_PAUSE = 60

Event = dict[str, t.Any]
logger = logging.getLogger("trendmicro.cloudone.sqs_certificate_errors")


class Sink(t.Protocol):
    """Where events go."""

    async def put(self, event: Event) -> None:
        """Hand one on."""


async def run(sink: Sink, args: t.Mapping[str, t.Any]) -> None:
    """Hand on events until cancelled.

    :param args: options of the event source.
    :raises CloudOneError: an option is wrong, or the queue cannot be read at the start.
    """
    options = Options.from_arguments(args)
    clients = AwsClients(options.aws, concurrency=1)
    [region] = clients.regions([options.aws["region"]] if options.aws.get("region") else [])
    await Poller(options, clients.client("sqs", region), sink, args.get("eda_feedback_queue")).run()


class Poller:
    """One queue.

    :param sqs: boto3's client.
    :param acknowledgements: gets each event back once the rules have seen it; ``None`` if nothing acknowledges.
    """

    def __init__(self, options: Options, sqs: Client, sink: Sink, acknowledgements: asyncio.Queue[t.Any] | None = None) -> None:
        self._options = options
        self._sqs = sqs
        self._sink = sink
        self._acknowledgements = acknowledgements
        self._gate = Gate(window=options.window, limit=options.max_renewals, period=options.period)

    async def run(self) -> None:
        """Poll until cancelled.

        :raises AwsError: the first question fails. What works once is asked again if it fails later.
        """
        failures, answered = 0, False
        while True:
            asked_at = time.monotonic()
            try:
                messages = await self.receive()
            except AwsError as error:
                if not answered:
                    raise
                failures += 1
                pause = min(2**failures, LONGEST_PAUSE)
                logger.error("%s Asking again in %s seconds.", error, pause)
                await asyncio.sleep(pause)
                continue
            failures, answered = 0, True
            for message in messages:
                await self.handle(message)
            if not messages:
                # A queue that is not waited at would be asked without a break.
                await asyncio.sleep(max(0.0, asked_at + 1 - time.monotonic()))

    async def receive(self) -> list[Response]:
        """Wait for messages.

        :raises AwsError: the queue cannot be read.
        """
        answer = await self._ask(
            "receive_message", MaxNumberOfMessages=MESSAGES, WaitTimeSeconds=self._options.wait_seconds, VisibilityTimeout=INVISIBLE_SECONDS
        )
        return answer.get("Messages") or []

    async def handle(self, message: Response) -> None:
        """Hand on what one message says, then delete it. One that has to wait stays in the queue, and so does one that was not acknowledged."""
        try:
            seconds = await self._hand_on(str(message.get("MessageId", "")), self._read(message))
        except TimeoutError:
            logger.error("ansible-rulebook did not acknowledge an event in %s seconds. Its message stays in the queue.", ACKNOWLEDGE_SECONDS)
            return
        handle = message.get("ReceiptHandle")
        try:
            if seconds:
                await self._ask("change_message_visibility", ReceiptHandle=handle, VisibilityTimeout=min(int(seconds) + 1, LONGEST_HIDING))
            else:
                await self._ask("delete_message", ReceiptHandle=handle)
        except AwsError as error:
            # It comes again, and is a duplicate then, or is judged anew.
            logger.error("%s", error)

    @staticmethod
    def _read(message: Response) -> Reading | UnfitMessage:
        try:
            return read_message(message.get("Body"), utc_now())
        except UnfitMessage as error:
            return error

    async def _hand_on(self, message_id: str, reading: Reading | UnfitMessage) -> float:
        """Hand on what there is, and return for how many seconds the rest has to wait.

        :raises TimeoutError: an event was not acknowledged.
        """
        if isinstance(reading, UnfitMessage):
            await self._report_unusable(message_id, str(reading))
            return 0
        if reading.nameless:
            await self._report_unusable(message_id, f"{reading.nameless} certificate errors in it name no appliance")
        return max([await self._hand_on_one(errors) for errors in reading.found], default=0)

    async def _hand_on_one(self, errors: CertificateErrors) -> float:
        judgement = self._gate.judge(errors.instance_id, time.monotonic())
        if isinstance(judgement, Duplicate):
            logger.info("%s: handed on already.", errors.instance_id)
            return 0
        if isinstance(judgement, Deferred):
            if judgement.first:
                turn = to_text(utc_now() + timedelta(seconds=judgement.seconds))
                logger.warning("%s: too many appliances at a time, waits until %s.", errors.instance_id, turn)
                await self._put({"deferred": {**_fields(errors), "not_before": turn}})
            return judgement.seconds
        # The hosts in meta are what ansible-rulebook limits a playbook to.
        await self._put({"certificate_error": _fields(errors), "meta": {"hosts": errors.instance_id}})
        self._gate.handed_on(errors.instance_id, time.monotonic())
        logger.info("%s: handed on.", errors.instance_id)
        return 0

    async def _report_unusable(self, message_id: str, reason: str) -> None:
        logger.warning("The message %s cannot be used: %s.", message_id, reason)
        await self._put({"unusable": {"message_id": message_id, "reason": reason}})

    async def _put(self, event: Event) -> None:
        """Hand an event to the rules.

        :raises TimeoutError: it was not acknowledged.
        """
        acknowledgements = self._acknowledgements
        # One that came too late is none for what follows.
        while acknowledgements is not None and not acknowledgements.empty():
            acknowledgements.get_nowait()
        await self._sink.put(event)
        if acknowledgements is not None:
            await asyncio.wait_for(acknowledgements.get(), ACKNOWLEDGE_SECONDS)

    async def _ask(self, method: str, **arguments: t.Any) -> Response:
        """Ask SQS in a thread, since boto3 would hold up all other events.

        :raises AwsError: as :func:`call`.
        """
        return await asyncio.to_thread(call, self._sqs, method, QueueUrl=self._options.queue_url, **arguments)


def _fields(errors: CertificateErrors) -> Event:
    return {**asdict(errors), "last_at": to_text(errors.last_at) if errors.last_at else None}
