# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An AWS account with a fleet in it, over real HTTP with boto3, and the delivery of the fleet's logs, which the test triggers."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import boto3
import botocore.config
from lab_world import API_KEY, Clock

from lab.aws import Aws
from lab.aws_filter import AwsFilter
from lab.call_log import CallLog
from lab.faults import Faults
from lab.fleet import parse_fleet
from lab.log_delivery import LogDelivery
from lab.moto_app import MotoApp
from lab.servers import WsgiServer
from lab.world import World

ACCESS_KEY = "AKIALAB"
SESSION: t.Any = boto3.session.Session()  # making one is slow
Json = dict[str, t.Any]


def document(*statements: Json) -> str:
    """Write a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@dataclass
class LogAccount:
    """:ivar clock: starts at the real time, because moto judges the age of events by that."""

    aws: Aws
    world: World
    delivery: LogDelivery
    clock: Clock
    url: str
    calls: CallLog
    faults: Faults
    clients: dict[tuple[str, str], t.Any] = field(default_factory=dict)

    def client(self, service: str, region: str = "us-east-1") -> t.Any:
        key = (service, region)
        if key not in self.clients:
            self.clients[key] = SESSION.client(
                service,
                region_name=region,
                endpoint_url=self.url,
                aws_access_key_id=ACCESS_KEY,
                aws_secret_access_key="secret",
                config=botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
            )
        return self.clients[key]

    def id(self, name: str) -> str:
        return next(state.instance_id for state in self.world.appliances.values() if state.spec.name == name)

    def deliver(self, *, after: float = 0) -> None:
        """Let ``after`` seconds pass, then let the appliances write what is new."""
        self.clock.pass_by(seconds=after)
        self.delivery.deliver()

    def streams(self, name: str) -> dict[str, dict[str, int]]:
        return self.delivery.event_counts(self.id(name))

    def messages(self, group: str, stream: str, region: str = "us-east-1") -> list[str]:
        events = self.client("logs", region).get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        return [event["message"] for event in events]


@contextmanager
def log_account(*appliances: Json, **fleet: t.Any) -> Iterator[LogAccount]:
    """Start an account with appliances given as in a fleet file."""
    parsed, clock = parse_fleet({"appliances": list(appliances), **fleet}), Clock()
    clock.now = datetime.now(UTC)
    aws, faults, calls = Aws(parsed, bastion_cidr="127.20.0.5/32", now=clock.now), Faults(), CallLog()
    world = World(parsed, api_key=API_KEY, placements=aws.placements, network=aws, clock=clock)
    delivery = LogDelivery(world, aws, interval=parsed.aws.log_delivery_interval, creation=parsed.aws.log_stream_created)
    moto = MotoApp()
    server = WsgiServer(AwsFilter(moto, aws, spec=parsed.aws, access_key=ACCESS_KEY, faults=faults, calls=calls))
    server.start()
    try:
        yield LogAccount(aws, world, delivery, clock, server.url, calls, faults)
    finally:
        server.stop()
