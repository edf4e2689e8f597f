# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth about a lab, written down for whoever counts: the demo, the tests, a curious user."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from datetime import datetime

from lab.appliance_state import ApplianceState
from lab.aws import Aws
from lab.log_delivery import LogDelivery
from lab.netsec_json import log_type_json
from lab.rtm_monitoring import Monitoring
from lab.world import SSH_PORT, World

Json = dict[str, t.Any]


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _registrations(state: ApplianceState, now: datetime) -> list[Json]:
    return [
        {"at": _time(event.at), "listed_at": _time(event.listed_at), "listed": event.listed_at <= now, "credential": event.credential, "api_id": event.api_id}
        for event in state.registrations
    ]


def _ssh(aws: Aws, state: ApplianceState) -> Json:
    """Return who may reach the appliance's SSH now."""
    sources = [rule.cidr for rule in aws.ingress_rules(state.instance_id) if rule.covers_tcp(SSH_PORT)]
    return {
        "address": state.placement.address,
        "open_to": sorted(set(sources)),
        "left_open": bool(sources) and not state.spec.ssh_standing_rule,
        "interface_id": state.placement.interface_id,
        "interface_groups": aws.interface_groups(state.instance_id),
    }


def _appliance(world: World, aws: Aws, delivery: LogDelivery, state: ApplianceState, now: datetime) -> Json:
    """Return everything about one appliance."""
    api_ids, communicates = world.api_ids(state.instance_id), world.communicates(state.instance_id)
    registered_anew = any(event.at > world.started_at and event.listed_at <= now for event in state.registrations)
    return {
        "name": state.spec.name,
        "instance_id": state.instance_id,
        "deployment": state.spec.deployment,
        "region": state.placement.region,
        "account_id": state.placement.account_id,
        "api_ids": api_ids,
        "registered_on_appliance": state.registered,
        "communicates": communicates,
        "certificate": {
            "issued_at": _time(state.certificate.issued_at),
            "expires_at": _time(state.certificate.expires_at),
            "expired": state.certificate.expired(now),
        },
        "registrations": _registrations(state, now),
        "renewed": registered_anew and communicates and len(api_ids) == 1,
        "unregistered_in_api_at": [_time(moment) for moment in state.unregistered_in_api_at],
        "unregistered_on_appliance_at": [_time(moment) for moment in state.unregistered_on_appliance_at],
        "settings_as_at_start": world.settings_as_at_start(state.instance_id),
        "profile_id": state.profile_id,
        "log_types": [log_type_json(log_type) for log_type in state.log_types.values()],
        "log_streams": delivery.event_counts(state.instance_id),
        "tags": aws.instance_tags(state.instance_id) if state.spec.in_aws else {},
        "ssh": _ssh(aws, state) if state.spec.in_aws else None,
    }


def world_report(
    world: World,
    aws: Aws,
    delivery: LogDelivery,
    *,
    bastion_logins: Callable[[], int] | None = None,
    monitoring: Monitoring | None = None,
    aws_writes: int = 0,
) -> Json:
    """Return the whole lab as JSON.

    ``renewed`` of an appliance: it registered since the lab started, the API lists it once, and it communicates.
    ``settings_as_at_start``: its profile and its log streaming are those of the fleet file.
    ``log_streams``: the streams in CloudWatch that the appliance writes into, by group, each with its number of events.
    ``lambda_events``: how many log events CloudWatch sent to each Lambda function.
    ``ssh.left_open``: somebody may reach its SSH although its fleet file gives it no standing rule.
    ``rtm``: real-time monitoring per AWS account and region, see :meth:`lab.rtm_monitoring.Monitoring.report`.
    """
    with aws.lock:
        aws.stacks.advance()
        rtm = monitoring.report() if monitoring is not None else {}
    with world.lock:
        now = world.now()
        appliances = [_appliance(world, aws, delivery, state, now) for state in world.appliances.values()]
        groups = aws.groups_created_since_start()
        return {
            "now": _time(now),
            "started_at": _time(world.started_at),
            "appliances": appliances,
            "groups_left": groups,
            "lambda_events": dict(aws.lambda_events),
            "tokens": world.count_tokens(),
            "bastion_logins": bastion_logins() if bastion_logins else None,
            "rtm": rtm,
            "totals": {
                "renewed": sum(appliance["renewed"] for appliance in appliances),
                "expired": sum(appliance["certificate"]["expired"] for appliance in appliances),
                "unregistered": sum(not appliance["api_ids"] for appliance in appliances),
                "listed_twice": sum(len(appliance["api_ids"]) > 1 for appliance in appliances),
                "ssh_left_open": sum(bool(appliance["ssh"] and appliance["ssh"]["left_open"]) for appliance in appliances),
                "interfaces_with_access_groups": sum(len(group["interfaces"]) for group in groups),
                "groups_left": len(groups),
                "regions_monitored": sum(region["monitored"] for account in rtm.values() for region in account["regions"].values()),
                "aws_writes": aws_writes,
            },
        }
