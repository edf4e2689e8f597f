# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from lab_world import API_KEY, id_of, make_world
from pydantic import ValidationError

from lab.call_log import CallLog
from lab.cli_backend import WorldBackend, cli_appliance
from lab.faults import ApiEffect, AwsEffect, Faults, FaultSpec


def test_a_fault_lets_some_calls_pass_then_hits_some_then_none() -> None:
    faults = Faults()
    fault = faults.add(FaultSpec(target="api", match={"path": "/appliances/*"}, effect={"status": 503}, after=1, times=2))
    hits = [faults.due("api", ApiEffect, {"method": "GET", "path": f"/appliances/{number}"}) for number in range(5)]
    assert [effect.status if effect else None for effect in hits] == [None, 503, 503, None, None]
    assert (fault.seen, fault.fired) == (5, 2)
    assert faults.as_json()[0]["fired"] == 2


def test_all_facts_must_agree_and_of_several_values_one() -> None:
    faults = Faults()
    faults.add(FaultSpec(target="aws", match={"operation": "ec2:Create*", "region": "us-east-1"}, effect={"code": "RequestLimitExceeded"}, times=None))
    assert faults.due("aws", AwsEffect, {"operation": ["ec2:RunInstances", "ec2:CreateTags"], "region": "us-east-1"})
    assert not faults.due("aws", AwsEffect, {"operation": ["ec2:CreateTags"], "region": "eu-west-1"})
    assert not faults.due("aws", AwsEffect, {"region": "us-east-1"})
    assert not faults.due("api", ApiEffect, {"operation": "ec2:CreateTags", "region": "us-east-1"})
    faults.clear()
    assert not faults.due("aws", AwsEffect, {"operation": "ec2:CreateTags", "region": "us-east-1"})


@pytest.mark.parametrize(
    "fault",
    [
        {"target": "api", "effect": {"kind": "drop"}},
        {"target": "cli", "effect": {"kind": "explode"}},
        {"target": "cli", "effect": {}},
        {"target": "moon", "effect": {}},
        {"target": "aws", "effect": {"code": "X"}, "times": 0},
        {"target": "aws", "effect": {"code": "X"}, "when": "later"},
    ],
)
def test_effects_that_a_target_does_not_have_are_refused(fault: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FaultSpec.model_validate(fault)


def test_the_backend_binds_one_appliance() -> None:
    world = make_world({"name": "a", "registered": False, "banner": "hi", "pager": 10}, {"name": "b"})
    faults, calls = Faults(), CallLog()
    instance_id = id_of(world, "a")
    backend = WorldBackend(world, instance_id, faults=faults, calls=calls)
    faults.add(FaultSpec(target="cli", match={"name": "a", "moment": "command:cloudone register"}, effect={"kind": "drop", "seconds": 2}))

    assert backend.fault("command:show version") is None
    fault = backend.fault("command:cloudone register")
    assert fault is not None and (fault.kind, fault.seconds) == ("drop", 2)
    assert not backend.registered()
    backend.register(API_KEY)
    assert backend.registered() and world.api_ids(instance_id)
    backend.unregister()
    assert not backend.registered()
    assert backend.ssh_allowed("127.20.0.5") and not backend.ssh_allowed("127.0.0.1")
    assert backend.system_log() == world.system_log(instance_id)
    backend.record("login")
    assert [(call["name"], call["call"]) for call in calls.list("cli")] == [("a", "login")]

    appliance = cli_appliance(world, world.appliances[instance_id], faults=faults, calls=calls)
    assert (appliance.banner, appliance.pager, appliance.host_name) == ("hi", 10, instance_id)


def test_the_call_log_sorts_by_target_and_forgets_on_request() -> None:
    calls = CallLog()
    calls.record("api", method="GET")
    calls.record("cli", call="login")
    assert [call["target"] for call in calls.list()] == ["api", "cli"]
    assert [call["method"] for call in calls.list("api")] == ["GET"]
    calls.clear()
    assert calls.list() == []
