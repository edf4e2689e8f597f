# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules for RTM, and what they ask for."""

from __future__ import annotations

import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._arguments import Spec, concurrency_spec
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import Wanted, account_number
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import CONFORMITY_ACCOUNT_ID, EVENT_BUS_SOURCES, REGIONS, STACK_NAME

Params = t.Mapping[str, t.Any]


def regions_spec() -> Spec:
    """Options of the doc fragment ``trendmicro.cloudone.rtm.regions``."""
    return {
        "regions": {"type": "list", "elements": "str", "default": list(REGIONS)},
        "expected_account_id": {"type": "str"},
        **concurrency_spec(25),
    }


def rtm_spec() -> Spec:
    """Options of the doc fragment ``trendmicro.cloudone.rtm``."""
    return {
        **regions_spec(),
        "stack_name": {"type": "str", "default": STACK_NAME},
        "conformity_account_id": {"type": "str", "default": CONFORMITY_ACCOUNT_ID},
        "event_bus_sources": {"type": "list", "elements": "str", "default": list(EVENT_BUS_SOURCES)},
    }


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
