# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the lab's record of a clean run to the steps at which something can fail."""

from __future__ import annotations

import re
import typing as t
from collections import Counter

from faults.model import Json, Scope, Step

Place = tuple[Scope, str, dict[str, str]]

_NUMBER = re.compile(r"/\d+(?=/|$)")
_WITH_SECRET = re.compile(r"(cloudone register) .*")


def steps_of(calls: t.Iterable[Json], own_account: str) -> list[Step]:
    """Return the steps, in the order in which they were taken.

    Calls that many subjects make at the same time come in any order, but those about one subject do not.

    :param calls: as ``GET /_lab/calls`` lists them.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    steps = []
    for call in calls:
        for name, (scope, subject, match) in _moments(call, own_account):
            key = (call["target"], name, subject)
            seen[key] += 1
            connections = seen["cli", "connect", subject]
            steps.append(Step(call["target"], name, scope, subject, seen[key] - 1, tuple(sorted(match.items())), _writes(call), connections))
    return steps


def _moments(call: Json, own_account: str) -> list[tuple[str, Place]]:
    """The moments of a call at which something can fail: one, but two for what is done on an appliance."""
    if call["target"] == "aws":
        return [(call["operation"], _aws_place(call, own_account))]
    if call["target"] == "cli":
        return _cli_moments(call)
    name = f"{call['method']} {_NUMBER.sub('/*', call['path'])}"
    if call["target"] == "api":
        return [(name, _api_place(call))]
    return [(re.sub(r"/[0-9a-f]{22}(?=/|$)", "/*", name), _conformity_place(call))]


def _cli_moments(call: Json) -> list[tuple[str, Place]]:
    line = _WITH_SECRET.sub(r"\1", call["call"])
    moments = ("connect", "login") if line == "login" else (f"command:{line}", f"answer:{line}")
    return [(moment, ("appliance", call["instance_id"], {"instance_id": call["instance_id"], "moment": moment})) for moment in moments]


def _api_place(call: Json) -> Place:
    match = {"method": call["method"], "path": call["path"]}
    if not call["instance_id"]:
        return "run", "", match
    # The number of the appliance changes when it registers.
    path = _NUMBER.sub("/*", call["path"])
    return "appliance", call["instance_id"], {"method": call["method"], "path": path, "instance_id": call["instance_id"]}


def _conformity_place(call: Json) -> Place:
    match = {"method": call["method"], "path": call["path"]}
    account = re.search(r"accountIds?=([0-9a-f]+)", call["query"])
    region = re.search(r"regions%5D=([a-z0-9-]+)", call["query"])
    if account and region:
        return "region", f"{account[1]}/{region[1]}", {**match, "query": f"*accountIds={account[1]}*regions%5D={region[1]}*"}
    if account:
        return "account", account[1], {**match, "query": f"*{account[1]}*"}
    return "run", "", match


def _aws_place(call: Json, own_account: str) -> Place:
    match = {"operation": call["operation"]}
    if call["operation"] == "sts:AssumeRole":
        account = call["parameters"]["RoleArn"].split(":")[4]
        return "account", account, {**match, "RoleArn": f"arn:aws:iam::{account}:*"}
    if call["account"]:
        match["account"] = call["account"]
    if call["service"] in ("sts", "cloudtrail") or call["operation"] == "ec2:DescribeRegions":
        return "account", call["account"] or own_account, match
    if call["service"] == "iam":
        return "run", "", match
    return "region", f"{call['account']}/{call['region']}", {**match, "region": call["region"]}


def _writes(call: Json) -> bool:
    if call["target"] == "aws":
        return bool(call["write"])
    if call["target"] == "cli":
        return bool(call["call"].startswith("cloudone "))
    return call["method"] != "GET" and call["path"] != "/appliances/search"
