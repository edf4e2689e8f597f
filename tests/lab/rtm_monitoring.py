# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a call to AWS to Conformity: trail, rule, target, bus; and what is true of each region. Whoever calls holds moto's lock."""

from __future__ import annotations

import typing as t

from moto.events.models import Rule

from lab.aws_accounts import account_specs, trail_covers
from lab.aws_call import AwsCall
from lab.conformity_world import ConformityWorld
from lab.fleet import EVENT_BUS_SOURCES, RTM_REGIONS, Fleet
from lab.management_events import management_event
from lab.rtm_start import RULE_NAME, bus_arn
from lab.stack_life import backend_of, owner_of, rules_of

Json = dict[str, t.Any]


class Monitoring:
    """Real-time monitoring of all accounts.

    :param own_id: account of the lab's user.
    """

    def __init__(self, fleet: Fleet, own_id: str, world: ConformityWorld) -> None:
        self._specs = account_specs(fleet.aws, own_id)
        self._bus_account_id = fleet.conformity.event_bus_account_id
        self._world = world

    def observe(self, call: AwsCall, account_id: str, identity: str) -> None:
        """Pass on what happened: a trail records it, an enabled rule matches it, its target is Conformity's bus."""
        event = management_event(call, account_id, identity)
        if event is None or not trail_covers(account_id, event["region"]):
            return
        rules = rules_of(account_id, event["region"]).values()
        if any(self._forwards(rule) and rule.event_pattern.matches_event(t.cast(t.Any, event)) for rule in rules):
            detail = event["detail"]
            service = detail["eventSource"].partition(".")[0]
            self._world.receive(aws_account_id=account_id, region=event["region"], name=detail["eventName"], service=service, identity=identity)

    def _forwards(self, rule: Rule) -> bool:
        """Whether a rule is on and its target is Conformity's bus in its region."""
        return rule.state != "DISABLED" and self._targets_bus(rule)

    def _targets_bus(self, rule: Rule) -> bool:
        return any(target["Arn"] == bus_arn(self._bus_account_id, rule.region_name) for target in rule.targets)

    def report(self) -> Json:
        """Return what is true of each account and region of monitoring."""
        return {
            account_id: {
                "trail": trail_covers(account_id, RTM_REGIONS[0]),
                "regions": {region: self._region(account_id, region, on=region not in spec.regions_off) for region in RTM_REGIONS},
            }
            for account_id, spec in self._specs.items()
        }

    def _region(self, account_id: str, region: str, *, on: bool) -> Json:
        if not on:
            return {"on": False, "stacks": {}, "owner": None, "rule": None, "monitored": False, "events_seen": 0}
        rule = rules_of(account_id, region).get(RULE_NAME)
        owner = owner_of(account_id, region, RULE_NAME) if rule is not None else None
        shown = self._rule(rule) if rule is not None else None
        return {
            "on": True,
            "stacks": {stack.name: stack.status for stack in backend_of(account_id, region).stacks.values()},
            "owner": owner.name if owner is not None else None,
            "rule": shown,
            "monitored": shown is not None and shown["state"] != "DISABLED" and shown["target_right"] and shown["pattern_right"],
            "events_seen": self._world.events_seen(account_id, region),
        }

    def _rule(self, rule: Rule) -> Json:
        sample = {"account": rule.account_id, "detail": {"eventCategory": "Management"}}
        matched = [source for source in EVENT_BUS_SOURCES if rule.event_pattern.matches_event(t.cast(t.Any, {**sample, "source": source}))]
        return {
            "state": rule.state,
            "targets": [target["Arn"] for target in rule.targets],
            "target_right": self._targets_bus(rule),
            "sources": matched,
            "pattern_right": len(matched) == len(EVENT_BUS_SOURCES),
        }
