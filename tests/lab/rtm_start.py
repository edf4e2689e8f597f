# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real-time monitoring as it stands when the lab starts: stacks in every state, and rules that somebody changed by hand."""

from __future__ import annotations

import json

from moto.events.models import events_backends

from lab.aws_accounts import account_specs
from lab.cloudformation import vendor_template
from lab.fleet import RTM_REGIONS, Fleet, RtmSpec
from lab.stack_life import StackLife, TimedStack, Wanted, rules_of

RULE_NAME = "CloudConformityMonitoring"
TARGET_ID = "CloudConformityBus"
# The tags of the vendor's script; the date is that of its last run.
VENDOR_TAGS = {"Version": "6", "LastUpdatedTime": "2026-01-15"}
OTHER_ACCOUNT_ID = "105579776292"

# In these states the stack's resources have been made; in the others nothing has been, or it has been removed.
_COMPLETE = frozenset(
    (
        *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"),
        *("UPDATE_ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "DELETE_IN_PROGRESS", "DELETE_FAILED"),
    )
)


def bus_arn(account_id: str, region: str) -> str:
    """Return the ARN of an account's default event bus."""
    return f"arn:aws:events:{region}:{account_id}:event-bus/default"


def build_rtm(fleet: Fleet, own_id: str, life: StackLife) -> None:
    """Make what the fleet file says of each account's regions."""
    for account_id, account in account_specs(fleet.aws, own_id).items():
        everywhere = account.rtm.get("all")
        regions = dict.fromkeys(RTM_REGIONS, everywhere) if everywhere is not None else {}
        regions.update((region, spec) for region, spec in account.rtm.items() if region != "all")
        for region, spec in regions.items():
            if spec is not None and region not in account.regions_off:
                _build_region(account_id, region, spec, fleet.conformity.event_bus_account_id, life)


def _build_region(account_id: str, region: str, spec: RtmSpec, usual_bus_account_id: str, life: StackLife) -> None:
    bus_account_id = spec.event_bus_account_id or usual_bus_account_id
    wanted = Wanted(
        vendor_template("event_bus" if spec.template == "current" else "event_bus_older"),
        {"CloudConformityAccountId": bus_account_id, "EventBusSources": ",".join(spec.event_bus_sources)},
        {**(VENDOR_TAGS if spec.vendor_tags else {}), **spec.tags},
    )
    stack = TimedStack(name=spec.stack_name, wanted=wanted, account_id=account_id, region_name=region, termination_protection=spec.termination_protection)
    if spec.stack is None or spec.stack in _COMPLETE:
        stack.resource_map.create(stack.template_dict)
    if spec.stack is not None:
        life.adopt(stack, spec.stack, then=spec.then, after=spec.stack_seconds)
    if RULE_NAME in rules_of(account_id, region):
        _change_rule(account_id, region, spec)


def _change_rule(account_id: str, region: str, spec: RtmSpec) -> None:
    """Change a region's rule directly, as somebody did in the console."""
    backend = events_backends[account_id][region]
    rule = rules_of(account_id, region)[RULE_NAME]
    if spec.rule == "disabled":
        rule.disable()
    if spec.target == "other":
        rule.put_targets([{"Id": TARGET_ID, "Arn": bus_arn(OTHER_ACCOUNT_ID, region)}])
    elif spec.target == "missing":
        rule.remove_targets([TARGET_ID])
    if spec.pattern == "other":
        pattern = json.dumps({"account": [account_id], "source": ["aws.s3"], "detail": {"eventCategory": ["Management"]}})
        backend.put_rule(RULE_NAME, description=rule.description, event_pattern=pattern, state=rule.state)
    if spec.rule == "missing":
        rule.delete(account_id, region)
