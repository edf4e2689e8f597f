# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small part of the fault matrix, always the same: `make faults` runs the whole of it, see docs/faults.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.by_hand import assert_all_invariants_hold, done_at, fault, instance, small
from faults.catalogue import KILL_RUN
from faults.model import Round

ROUNDS = {
    "an answer lost in one region, a session that breaks in another": small(
        "renew_certs",
        fault("cut before the answer", "aws", {"operation": "ec2:CreateSecurityGroup", "region": "us-east-1"}),
        fault("SSH drop", "cli", {"instance_id": instance("renew_certs", 1), "moment": "answer:cloudone register"}),
    ),
    "killed while it makes a log group": small("configure_cloudwatch_logs", done_at(KILL_RUN, "aws", {"operation": "logs:CreateLogGroup"})),
    "two appliances, two kinds of answers": small(
        "configure_cloudwatch_logs",
        fault("truncated", "api", {"method": "POST", "instance_id": instance("configure_cloudwatch_logs", 0)}),
        fault("answer 409", "api", {"method": "POST", "instance_id": instance("configure_cloudwatch_logs", 1)}),
    ),
}


@pytest.mark.parametrize("one", ROUNDS.values(), ids=ROUNDS.keys())
def test_all_invariants_hold(one: Round, tmp_path: Path) -> None:
    assert_all_invariants_hold(one, tmp_path / "round")
