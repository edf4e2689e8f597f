# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules for RTM, and what they ask for."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import Spec, concurrency_spec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.regions import ALWAYS_ON
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import Wanted, account_number
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.stackset_model import AutoDeployment, WantedSet
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import CONFORMITY_ACCOUNT_ID, EVENT_BUS_SOURCES, REGIONS, STACK_NAME

Params = t.Mapping[str, t.Any]

_UNIT_ID = re.compile(r"ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32}")
_SET_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


def regions_spec() -> Spec:
    """Options of the doc fragment ``trendmicro.cloudone.rtm.regions``."""
    return {
        "regions": {"type": "list", "elements": "str", "default": list(REGIONS)},
        "expected_account_id": {"type": "str"},
        **concurrency_spec(25),
    }


def events_spec() -> Spec:
    """Options of the doc fragment ``trendmicro.cloudone.rtm.events``."""
    return {
        "conformity_account_id": {"type": "str", "default": CONFORMITY_ACCOUNT_ID},
        "event_bus_sources": {"type": "list", "elements": "str", "default": list(EVENT_BUS_SOURCES)},
    }


def rtm_spec() -> Spec:
    """Options of the doc fragment ``trendmicro.cloudone.rtm``, and those of its parts ``regions`` and ``events``."""
    return {**regions_spec(), "stack_name": {"type": "str", "default": STACK_NAME}, **events_spec()}


def stack_set_spec() -> Spec:
    """Options of the module ``conformity_rtm_stackset``, without those that it shares."""
    return {
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "expected_account_id": {"type": "str"},
        "stack_set_name": {"type": "str", "default": STACK_NAME},
        "administration_region": {"type": "str", "default": "us-east-1"},
        "call_as": {"type": "str", "choices": ["SELF", "DELEGATED_ADMIN"], "default": "SELF"},
        "organizational_units": {"type": "list", "elements": "str", "default": []},
        "regions": {"type": "list", "elements": "str", "default": [region for region in REGIONS if region in ALWAYS_ON]},
        "auto_deployment": {"type": "bool", "default": True},
        "retain_stacks_on_account_removal": {"type": "bool", "default": False},
        "retain_stacks": {"type": "bool", "default": False},
        "failure_tolerance_percentage": {"type": "int", "default": 100},
        "max_concurrent_percentage": {"type": "int", "default": 100},
        "template_url": {"type": "str"},
        "tags": {"type": "dict", "default": {}},
        "wait_timeout": {"type": "int", "default": 3600},
    }


def read_wanted_set(params: Params) -> WantedSet:
    """What the options ask for.

    :raises InputError: an option that cannot be used.
    """
    rtm = read_wanted({**params, "stack_name": params["stack_set_name"]})
    if not _SET_NAME.fullmatch(rtm.stack_name):
        raise InputError(f"stack_set_name: {rtm.stack_name!r} does not begin with a letter, has other characters than letters, digits and -, or is too long.")
    units = tuple(dict.fromkeys(params["organizational_units"]))
    bad = [unit for unit in units if not _UNIT_ID.fullmatch(unit)]
    if bad:
        raise InputError(f"organizational_units: {bad[0]!r} is not the ID of an organizational unit (ou-abcd-12345678) or of a root (r-abcd).")
    if rtm.present and not units:
        raise InputError("organizational_units must name at least one organizational unit, or the root, with state=present.")
    for option, least in (("failure_tolerance_percentage", 0), ("max_concurrent_percentage", 1)):
        if not least <= params[option] <= 100:
            raise InputError(f"{option} must be between {least} and 100, not {params[option]}.")
    auto_deployment = params["auto_deployment"]
    return WantedSet(
        rtm=rtm,
        units=units,
        regions=tuple(dict.fromkeys(params["regions"])),
        auto_deployment=AutoDeployment(auto_deployment, auto_deployment and params["retain_stacks_on_account_removal"]),
        preferences={
            "RegionConcurrencyType": "PARALLEL",
            "FailureTolerancePercentage": params["failure_tolerance_percentage"],
            "MaxConcurrentPercentage": params["max_concurrent_percentage"],
        },
        retain_stacks=params["retain_stacks"],
        call_as=params["call_as"],
    )


def read_wanted(params: Params) -> Wanted:
    """What the options ask for; of a module that only reads, what it compares with.

    :raises InputError: an option that cannot be used.
    """
    sources = tuple(dict.fromkeys(source.strip() for source in params["event_bus_sources"]))
    if not sources or any(not source or "," in source for source in sources):
        raise InputError("event_bus_sources must name at least one source, each as one element, for example aws.s3.")
    return Wanted(
        present=params.get("state", "present") == "present",
        stack_name=params["stack_name"],
        conformity_account_id=account_number(params["conformity_account_id"], "conformity_account_id"),
        sources=sources,
        tags={key: str(value) for key, value in (params.get("tags") or {}).items()},
        protection=params.get("termination_protection"),
        template_url=params.get("template_url"),
    )
