# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and groups of hosts."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.naming import GROUPS, check_hostnames, host_names, ready_groups


def host(instance_id: str, name: t.Any = None, **tags: str) -> dict[str, t.Any]:
    return {"netsec_instance_id": instance_id, "netsec_name": name, "netsec_host_name": None, "netsec_tags": tags}


def test_preference() -> None:
    hosts = [host("i-1", "first", Role="r1"), host("i-2", None, Role="r2"), host("i-3"), {**host("i-4"), "ansible_host": "10.0.0.1"}]
    assert host_names(hosts, ["name", "tag:Role", "private_address"], ()) == ["first", "r2", "i-3", "10.0.0.1"]
    assert host_names(hosts, ["instance_id"], ()) == ["i-1", "i-2", "i-3", "i-4"]
    assert host_names(hosts, [], ()) == ["i-1", "i-2", "i-3", "i-4"]


def test_what_several_have_is_nobodys_name() -> None:
    assert host_names([host("i-1", "same"), host("i-2", "same"), host("i-3", "i-1")], ["name"], ()) == ["i-1", "i-2", "i-3"]


@pytest.mark.parametrize("name", ["{{ 1 }}", "a b", "all", "localhost", "127.0.0.1", "a:b", "[1:5]", "-x", "", "\u00e4", "x" * 254])
def test_what_is_no_name_for_a_host_is_passed_over(name: str) -> None:
    assert host_names([host("i-1", name)], ["name"], {"all"}) == ["i-1"]


def test_an_instance_id_that_is_no_name() -> None:
    assert host_names([host("{{ 1 }}"), host("{{ 1 }}x", "fine")], ["name"], ()) == [None, "fine"]


_texts = st.sampled_from(["a", "b", "i-1", "i-2", "all", "x y", ""])


@given(st.lists(st.tuples(st.sampled_from(["i-1", "i-2", "i-3", "{{"]), _texts, _texts), unique_by=lambda one: one[0]))
def test_names_are_unique_and_fit(drawn: list[tuple[str, str, str]]) -> None:
    hosts = [host(instance_id, name, Role=role) for instance_id, name, role in drawn]
    names = [name for name in host_names(hosts, ["name", "tag:Role"], {"all"}) if name is not None]
    assert len(set(names)) == len(names)
    assert not set(names) & {"all", "x y", "", "{{"}
    assert len(names) >= sum(instance_id != "{{" for instance_id, _name, _role in drawn)


def test_unknown_preferences_are_refused() -> None:
    check_hostnames(["instance_id", "name", "host_name", "private_address", "tag:Kind"])
    for wrong in ("tag:", "ip"):
        with pytest.raises(InputError, match="hostnames knows instance_id, name, host_name, private_address and tag:KEY"):
            check_hostnames([wrong])


def test_groups() -> None:
    assert ready_groups({"netsec_status": "expired", "netsec_orphaned": False}) == ["netsec_appliances", "netsec_expired"]
    orphaned = ready_groups({"netsec_status": "unknown", "netsec_orphaned": True})
    assert orphaned == ["netsec_appliances", "netsec_unknown", "netsec_orphaned"]
    assert set(orphaned[1:]) <= set(GROUPS)
