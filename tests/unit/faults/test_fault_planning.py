# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planning of the fault matrix: no step forgotten, no subject hit twice in one run."""

from __future__ import annotations

import typing as t
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from faults.catalogue import KILL_RUN, kinds_for
from faults.model import Fault, Result, Round
from faults.planning import REPEATS, acted, crossed, fault_at, outages, thinned
from faults.recording import steps_of
from faults.report import figures, table

OWN = "123456789012"


def api(method: str, path: str, instance_id: str = "", query: str = "") -> dict[str, t.Any]:
    return {"target": "api", "method": method, "path": path, "query": query, "instance_id": instance_id}


def aws(operation: str, region: str = "us-east-1", *, account: str = OWN, write: bool = False, **parameters: str) -> dict[str, t.Any]:
    service = operation.partition(":")[0]
    return {"target": "aws", "operation": operation, "service": service, "region": region, "account": account, "write": write, "parameters": parameters}


def cli(instance_id: str, call: str) -> dict[str, t.Any]:
    return {"target": "cli", "instance_id": instance_id, "call": call}


def test_calls_become_steps_with_their_subject_and_their_place_among_equal_calls() -> None:
    calls = [
        api("POST", "/appliances/search"),
        api("GET", "/appliances/12/cloudwatchlogconfig", "i-a"),
        api("GET", "/appliances/13/cloudwatchlogconfig", "i-b"),
        api("GET", "/appliances/12/cloudwatchlogconfig", "i-a"),
        aws("ec2:CreateTags", "eu-west-1", write=True),
        aws("sts:AssumeRole", RoleArn="arn:aws:iam::111122223333:role/rtm"),
        cli("i-a", "login"),
        cli("i-a", "cloudone register ***"),
    ]
    steps = steps_of(calls, OWN)
    assert [(step.name, step.scope, step.subject) for step in steps] == [
        ("api POST /appliances/search #1", "run", ""),
        ("api GET /appliances/*/cloudwatchlogconfig #1", "appliance", "i-a"),
        ("api GET /appliances/*/cloudwatchlogconfig #1", "appliance", "i-b"),
        ("api GET /appliances/*/cloudwatchlogconfig #2", "appliance", "i-a"),
        ("aws ec2:CreateTags #1", "region", f"{OWN}/eu-west-1"),
        ("aws sts:AssumeRole #1", "account", "111122223333"),
        ("cli connect #1", "appliance", "i-a"),
        ("cli login #1", "appliance", "i-a"),
        ("cli command:cloudone register #1", "appliance", "i-a"),
        ("cli answer:cloudone register #1", "appliance", "i-a"),
    ]
    assert [step.write for step in steps] == [False] * 4 + [True] + [False] * 3 + [True] * 2
    assert dict(steps[3].match) == {"method": "GET", "path": "/appliances/*/cloudwatchlogconfig", "instance_id": "i-a"}
    assert steps[-1].connections == 1


def test_a_reboot_is_a_broken_session_and_a_connection_that_fails_later() -> None:
    steps = steps_of([cli("i-a", "login"), cli("i-a", "show version")], OWN)
    kind = next(kind for kind in kinds_for(steps[2]) if kind.down_for)
    broken, down = fault_at(steps[2], kind).orders
    assert (broken["match"]["moment"], broken["after"], broken["times"]) == ("command:show version", 0, 1)
    assert (down["match"], down["after"], down["times"]) == ({"instance_id": "i-a", "moment": "connect"}, 1, 1)


OPERATIONS = ["ec2:CreateSecurityGroup", "ec2:DescribeInstances", "logs:PutRetentionPolicy", "cloudformation:CreateStack"]
PLACES = st.tuples(st.sampled_from(OPERATIONS), st.sampled_from(["us-east-1", "eu-west-1", "sa-east-1"]))
CALLS = st.lists(PLACES.map(lambda place: aws(*place, write="Describe" not in place[0])), max_size=25)


@given(CALLS)
def test_every_kind_meets_every_step_once_and_each_subject_has_one_fault_a_run(calls: list[dict[str, t.Any]]) -> None:
    steps = steps_of(calls, OWN)
    rounds = crossed("some", "regions", steps, "region")
    planned = Counter((fault.step, fault.kind) for one in rounds for fault in one.faults)
    asked = {step.name: step for step in steps if step.ordinal < REPEATS}
    wanted = Counter((name, kind.name) for name, step in asked.items() for kind in kinds_for(step))
    assert planned == wanted
    for one in rounds:
        subjects = [fault.subject for fault in one.faults]
        assert len(subjects) == len(set(subjects))


@given(CALLS, st.integers(1, 5))
def test_where_kinds_take_turns_no_step_is_left_out(calls: list[dict[str, t.Any]], most: int) -> None:
    steps = steps_of(calls, OWN)
    planned = Counter(fault.step for one in crossed("some", "regions", steps, "region", kinds_per_step=most) for fault in one.faults)
    assert planned == {step.name: most for step in steps if step.ordinal < REPEATS}


@given(CALLS)
def test_something_is_done_to_the_run_at_each_change_of_call_and_it_is_killed_at_each_write(calls: list[dict[str, t.Any]]) -> None:
    steps = steps_of(calls, OWN)
    faults = [fault for one in acted("some", "small", steps) for fault in one.faults]
    changes = [step for before, step in zip([None, *steps], steps, strict=False) if before is None or before.call != step.call]
    assert {fault.step for fault in faults} == {step.name for step in changes}
    for step in changes:
        assert not step.write or any(fault.step == step.name and fault.act == KILL_RUN and not fault.orders[0]["effect"]["drop"] for fault in faults)


@given(st.lists(st.sampled_from(["small", "regions"]), max_size=40), st.integers(1, 7))
def test_only_rounds_with_a_single_fault_are_thinned(fleets: list[str], sample: int) -> None:
    rounds = [Round(str(number), fleet, ()) for number, fleet in enumerate(fleets)]
    kept = thinned(rounds, sample)
    assert [one for one in kept if one.fleet == "regions"] == [one for one in rounds if one.fleet == "regions"]
    assert [one for one in kept if one.fleet == "small"] == [one for one in rounds if one.fleet == "small"][::sample]


def test_outages_begin_at_calls_counted_over_everything() -> None:
    steps = steps_of([aws("ec2:DescribeInstances"), aws("ec2:CreateTags"), api("GET", "/profiles")], OWN)
    orders = [fault.orders[0] for one in outages("some", "small", steps) for fault in one.faults]
    assert [(order["target"], order["after"], order["match"], order["times"]) for order in orders] == [
        ("api", 0, {}, None),
        ("aws", 0, {}, None),
        ("aws", 1, {}, None),
    ]


def test_the_report_counts_what_fired_what_broke_and_what_leaked() -> None:
    faults = (Fault("denied", "aws a #1", "x", ()), Fault("throttled", "aws b #1", "y", ()))
    results = [
        Result(Round("one", "small", faults), fired=[2, 0]),
        Result(Round("two", "small", faults[:1]), fired=[1], broken=["SSH is open"], secrets=["API key in the output"]),
    ]
    document = figures(results)
    assert {name: document[name] for name in ("runs", "fired", "not_fired", "broken", "secrets_found")} == {
        "runs": 3,
        "fired": 2,
        "not_fired": 1,
        "broken": 1,
        "secrets_found": 1,
    }
    assert document["by_playbook"]["one"] == {"runs": 2, "fired": 1, "not_fired": 1, "broken": 0}
    assert document["by_fault"]["denied"] == {"runs": 2, "fired": 2, "not_fired": 0, "in_broken_rounds": 1}
    assert "3 fault runs, 2 fired, 1 did not; 1 invariants broken, 1 secrets found" in table(document)
