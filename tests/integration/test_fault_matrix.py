# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small part of the fault matrix, always the same: `make faults` runs the whole of it, see docs/faults.md."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from faults.catalogue import KILL_RUN, KINDS
from faults.model import Fault, Json, Round
from faults.planning import HOLD
from faults.running import play_round
from faults.scenarios import SCENARIOS
from lab.fleet import parse_fleet


def fault(kind: str, target: t.Literal["api", "aws", "cli"], match: Json, after: int = 0) -> Fault:
    found = next(each for each in KINDS[target] if each.name == kind)
    order = {"target": target, "match": match, "effect": dict(found.effect), "after": after, "times": found.times}
    return Fault(kind, str(match), "", (order,))


def instance(playbook: str, number: int) -> str:
    return parse_fleet(SCENARIOS[playbook].fleets["small"]).appliances[number].instance_id


def killed(target: str, match: Json) -> Fault:
    order = {"target": target, "match": match, "effect": {"delay": HOLD, "drop": True}, "after": 0, "times": 1}
    return Fault(KILL_RUN, str(match), "", (order,), KILL_RUN)


ROUNDS = {
    "an answer lost in one region, a session that breaks in another": Round(
        "renew_certs",
        "small",
        (
            fault("cut before the answer", "aws", {"operation": "ec2:CreateSecurityGroup", "region": "us-east-1"}),
            fault("SSH drop", "cli", {"instance_id": instance("renew_certs", 1), "moment": "answer:cloudone register"}),
        ),
    ),
    "killed while it makes a log group": Round("configure_cloudwatch_logs", "small", (killed("aws", {"operation": "logs:CreateLogGroup"}),)),
    "two appliances, two kinds of answers": Round(
        "configure_cloudwatch_logs",
        "small",
        (
            fault("truncated", "api", {"method": "POST", "instance_id": instance("configure_cloudwatch_logs", 0)}),
            fault("answer 409", "api", {"method": "POST", "instance_id": instance("configure_cloudwatch_logs", 1)}),
        ),
    ),
}


@pytest.mark.parametrize("one", ROUNDS.values(), ids=ROUNDS.keys())
def test_all_invariants_hold(one: Round, tmp_path: Path) -> None:
    result = play_round(one, tmp_path / "round")
    assert result.broken == [], result.log
    assert result.secrets == []
    assert all(result.fired)
