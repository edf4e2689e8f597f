# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the appliances' logs get into CloudWatch.

An appliance writes with its instance's role, so Cloud One has no part in it: an expired certificate or a lost registration does not stop
it. What Cloud One does is to hand over a changed configuration, which reaches the appliance only while both talk to each other.
"""

from __future__ import annotations

import logging
import threading
import typing as t
from dataclasses import dataclass, field
from datetime import datetime

from lab.appliance_state import ApplianceState, LogType
from lab.aws import Aws
from lab.cloudwatch_stream import CloudWatchStream
from lab.system_log import BEGINNING
from lab.world import World

Creation = t.Literal["at_once", "first_event"]

# What an appliance's role has to allow.
WRITING = {"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}

_LOG = logging.getLogger(__name__)


@dataclass
class _Agent:
    """What runs on one appliance.

    :ivar taken: the configuration that the appliance took last.
    :ivar streaming: of that, what is switched on.
    :ivar sent_until: how far each log has been written into each stream.
    """

    state: ApplianceState
    taken: dict[str, LogType] = field(default_factory=dict)
    streaming: list[tuple[str, CloudWatchStream]] = field(default_factory=list)
    sent_until: dict[tuple[str, CloudWatchStream], datetime] = field(default_factory=dict)

    def take(self) -> None:
        """Take the configuration that Cloud One has."""
        self.taken = self.state.log_types
        self.streaming = [(log_type.logName, self._stream(log_type)) for log_type in self.taken.values() if log_type.enable]

    def _stream(self, log_type: LogType) -> CloudWatchStream:
        placement = self.state.placement
        name = log_type.logStreamName.replace("{instance_id}", self.state.instance_id)
        return CloudWatchStream(placement.account_id, placement.region, log_type.logGroupName, name)


class LogDelivery:
    """Delivers what the appliances write into their logs, again and again.

    Hosted appliances are left out: they are in an account of the vendor's.

    :param interval: seconds between two deliveries.
    :param creation: when an appliance creates a stream: as soon as streaming is on, or with the first event.
    """

    def __init__(self, world: World, aws: Aws, *, interval: float, creation: Creation) -> None:
        self._world = world
        self._aws = aws
        self._interval = interval
        self._creation = creation
        self._agents = {state.instance_id: _Agent(state) for state in world.appliances.values() if state.spec.in_aws}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lab-log-delivery", daemon=True)
        for agent in self._agents.values():
            agent.take()
            self._deliver_past(agent)

    def start(self) -> None:
        """Deliver what is there, and in the background from now on."""
        self.deliver()
        self._thread.start()

    def stop(self) -> None:
        """End the delivery."""
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self.deliver()

    def deliver(self) -> None:
        """Let each appliance write what is new."""
        for agent in self._agents.values():
            # Looking at an appliance with nothing to do costs next to nothing: fleets can be large.
            if agent.taken is not agent.state.log_types and self._world.communicates(agent.state.instance_id):
                agent.take()
            for log_name, stream in agent.streaming:
                try:
                    self._deliver(agent, log_name, stream)
                except Exception:
                    _LOG.exception("%s could not write its %s log to %s", agent.state.spec.name, log_name, stream)

    def _deliver_past(self, agent: _Agent) -> None:
        """Let the stream of the system log hold what was streamed before the lab started."""
        spec, instance_id = agent.state.spec, agent.state.instance_id
        streamed_since = self._world.streamed_since(instance_id)
        if streamed_since >= self._world.started_at or not spec.instance_role or WRITING.intersection(spec.instance_role_lacks):
            return
        for log_name, stream in agent.streaming:
            if log_name == "system":
                with self._aws.lock:
                    entries = self._world.past_system_entries(instance_id)
                    stream.put_past(entries, spec.host_name, streamed_since=streamed_since, clock_ahead=spec.clock_ahead)
                agent.sent_until[log_name, stream] = self._world.started_at

    def event_counts(self, instance_id: str) -> dict[str, dict[str, int]]:
        """Return how many events each stream holds that an appliance wrote into: by group, by stream."""
        counts: dict[str, dict[str, int]] = {}
        with self._aws.lock:
            for _log_name, stream in self._agents[instance_id].sent_until if instance_id in self._agents else ():
                if stream.exists():
                    counts.setdefault(stream.group, {})[stream.name] = stream.event_count()
        return counts

    def _deliver(self, agent: _Agent, log_name: str, stream: CloudWatchStream) -> None:
        """Write what is new of one log. What the role does not allow now is kept for later."""
        instance_id, key, now = agent.state.instance_id, (log_name, stream), self._world.now()
        entries = self._world.log_entries(instance_id, log_name, after=agent.sent_until.get(key, BEGINNING), until=now)
        with self._aws.lock:
            if not entries and (self._creation == "first_event" or stream.exists()):
                return
            rights = self._aws.instance_rights(instance_id)
            if rights is None or not stream.create(rights):
                return
            agent.sent_until.setdefault(key, BEGINNING)
            if entries and stream.may_be_written(rights):
                agent.sent_until[key] = now  # also if something goes wrong behind the stream: CloudWatch has the events then
                spec = agent.state.spec
                stream.put([entry.dated(spec.clock_ahead) for entry in entries], spec.host_name, now)
