# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each class of fault once, at the moment where it hurts most. `make faults` begins with these."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults.by_hand import assert_all_invariants_hold, done_at, fault, instance, outage, small, special
from faults.catalogue import KILL_BASTION, KILL_RUN, REPLACE
from faults.model import Round

APPLIANCE = instance("renew_certs", 0)
UNREGISTER = {"method": "DELETE", "instance_id": APPLIANCE}
REGISTER = {"instance_id": APPLIANCE, "moment": "command:cloudone register"}
REGISTERED = {"instance_id": APPLIANCE, "moment": "answer:cloudone register"}
OPEN_SSH = {"operation": "ec2:ModifyNetworkInterfaceAttribute"}

RENEWALS = {
    "the API refuses": fault("answer 409", "api", UNREGISTER),
    "the API is too slow": fault("slow to the limit", "api", UNREGISTER),
    "a login page for an answer": fault("garbage", "api", UNREGISTER),
    "half an answer": fault("truncated", "api", UNREGISTER),
    "cut before the request": fault("cut before the request", "api", UNREGISTER),
    "carried out, and nobody hears of it": fault("cut before the answer", "api", UNREGISTER),
    "cut in the answer": fault("cut in the answer", "api", UNREGISTER),
    "the key is revoked while an appliance is unregistered": outage("key revoked during the run", "api", 8),
    "AWS credentials expire while SSH is open": outage("credentials expired during the run", "aws", 16),
    "AWS throttles": fault("throttled", "aws", OPEN_SSH),
    "AWS denies": fault("denied", "aws", OPEN_SSH),
    "AWS does not know yet what was just made": fault("not visible yet", "aws", OPEN_SSH),
    "the session breaks": fault("SSH drop", "cli", REGISTER),
    "the appliance says nothing more": fault("SSH hang", "cli", REGISTERED),
    "another host key": fault("another host key", "cli", {"instance_id": APPLIANCE, "moment": "connect"}),
    "the bastion is killed": done_at(KILL_BASTION, "cli", REGISTER),
    "ansible-playbook is killed": done_at(KILL_RUN, "cli", REGISTER),
    "a worker is killed": done_at("worker killed", "cli", REGISTER),
    "a module is killed": done_at("module killed", "api", UNREGISTER),
    "the disk is full": done_at("disk full", "cli", REGISTER),
    "an Auto Scaling group replaces the instance": done_at(REPLACE, "cli", REGISTER),
}
OF_THE_RUN = {
    "the home cannot be written to": special("renew_certs", "home cannot be written to"),
    "the disk is full from the start": special("renew_certs", "disk full from the start"),
    "the clock is two days ahead": special("renew_certs", "clock two days ahead"),
    "the clock is two days behind": special("renew_certs", "clock two days behind"),
    "the clock runs away": special("renew_certs", "clock that runs away"),
    "two runs over the same appliances": special("renew_certs", "two runs at once"),
    "two slices": special("renew_certs", "two slices"),
    "no TLS where there should be": special("renew_certs", "API without TLS"),
    "a certificate that nobody vouches for": special("renew_certs", "AWS with a wrong certificate"),
}
ROUNDS = {name: small("renew_certs", one) for name, one in RENEWALS.items()} | OF_THE_RUN


@pytest.mark.parametrize("one", ROUNDS.values(), ids=ROUNDS.keys())
def test_renewed_or_named_and_finished_by_the_next_run(one: Round, tmp_path: Path) -> None:
    assert_all_invariants_hold(one, tmp_path / "round")
