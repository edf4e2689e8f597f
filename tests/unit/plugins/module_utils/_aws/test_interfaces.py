# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance, NetworkInterface
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interfaces import Clues, UndecidedError, management_interface, receives_geneve
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

GWLB_USER_DATA = "#!/bin/sh\n# -- VTPS capability GWLB-mode=1\n# -- VTPS ManagementPort=2\n"


def interface(index: int, description: str = "", *, groups: t.Iterable[str] = (), check: bool = True) -> NetworkInterface:
    return NetworkInterface(f"eni-{index}", index, f"10.0.0.{index}", "vpc-1", description, tuple(groups) or (f"sg-{index}",), check)


def instance(*interfaces: NetworkInterface, state: str = "running") -> Instance:
    return Instance("i-1", "eu-west-1", "123456789012", state, None, {}, interfaces, None)


TWO = instance(interface(0), interface(1))
THREE = instance(interface(0), interface(1), interface(2))


@pytest.mark.parametrize(
    ("of", "clues", "index", "deployment", "evidence"),
    [
        # Nothing but one interface: that is the one.
        (instance(interface(0)), Clues(), 0, None, "the instance's only interface"),
        # User data as the vendor's template for Gateway Load Balancers writes it, and in part.
        (TWO, Clues(user_data=GWLB_USER_DATA), 1, "gateway_load_balancer", "user data says GWLB-mode=1; user data says ManagementPort=2"),
        (TWO, Clues(user_data="GWLB-mode = 1"), 1, "gateway_load_balancer", "user data says GWLB-mode=1"),
        (THREE, Clues(user_data="# -- VTPS capability gwlb-MODE=0"), 0, "inline", "user data says GWLB-mode=0"),
        (THREE, Clues(user_data="# -- VTPS ManagementPort=1"), 0, "inline", "user data says ManagementPort=1"),
        (THREE, Clues(user_data="# -- VTPS ManagementPort=3"), 2, None, "user data says ManagementPort=3"),
        # GENEVE.
        (TWO, Clues(geneve_group_ids={"sg-0", "sg-9"}), 1, "gateway_load_balancer", "sg-0 at device index 0 lets GENEVE (UDP 6081) in"),
        # A load balancer.
        (TWO, Clues(load_balancer_target=True), 1, "gateway_load_balancer", "the instance is a target of a Gateway Load Balancer"),
        # Descriptions.
        (
            instance(interface(0, "Network Security Data Port"), interface(1, "Network Security Mgmt Port")),
            Clues(),
            1,
            "gateway_load_balancer",
            "eni-1 is described as 'Network Security Mgmt Port'",
        ),
        (instance(interface(0, "management"), interface(1), interface(2)), Clues(), 0, "inline", "eni-0 is described as 'management'"),
        # Only data ports pass traffic on.
        (
            instance(interface(0), interface(1, check=False), interface(2, check=False)),
            Clues(),
            0,
            "inline",
            "the source/destination check is off on eni-1, so that one is a data port",
        ),
        (
            instance(interface(0, check=False), interface(1)),
            Clues(),
            1,
            "gateway_load_balancer",
            "the source/destination check is off on eni-0, so that one is a data port",
        ),
    ],
)
def test_evidence(of: Instance, clues: Clues, index: int, deployment: str | None, evidence: str) -> None:
    found = management_interface(of, clues=clues)
    assert (found.id, found.device_index, found.private_ip, found.vpc_id) == (f"eni-{index}", index, f"10.0.0.{index}", "vpc-1")
    assert (found.deployment, found.evidence) == (deployment, evidence)
    assert found.group_ids == of.interfaces[index].group_ids


@pytest.mark.parametrize(
    "of",
    [
        TWO,
        THREE,
        instance(interface(0, check=False), interface(1, check=False)),
        instance(interface(0, "Primary network interface"), interface(1, "amgmtx")),
    ],
)
@pytest.mark.parametrize("clues", [Clues(), Clues(user_data="GWLB-mode=12 ManagementPort=0 export TOKEN=abc"), Clues(geneve_group_ids={"sg-1"})])
def test_no_evidence_is_an_error_that_names_the_option(of: Instance, clues: Clues) -> None:
    with pytest.raises(UndecidedError) as caught:
        management_interface(of, clues=clues)
    assert "Set management_interface of this appliance to one of its interfaces: eni-0 (device index 0, 10.0.0.0), eni-1" in str(caught.value)
    assert "TOKEN" not in str(caught.value)


@pytest.mark.parametrize(
    ("of", "clues"),
    [
        (TWO, Clues(user_data="GWLB-mode=1 GWLB-mode=0")),
        (TWO, Clues(user_data="GWLB-mode=1\nManagementPort=1")),
        (TWO, Clues(user_data="GWLB-mode=0", geneve_group_ids={"sg-0"})),
        (TWO, Clues(user_data="GWLB-mode=0", load_balancer_target=True)),
        (instance(interface(0, "Mgmt"), interface(1)), Clues(geneve_group_ids={"sg-0"})),
        (instance(interface(0, "Mgmt"), interface(1, "Mgmt too")), Clues()),
        (instance(interface(0, "Mgmt", check=False), interface(1)), Clues()),
    ],
)
def test_contradicting_evidence_is_an_error(of: Instance, clues: Clues) -> None:
    with pytest.raises(InputError, match=r"contradicts itself \(device index \d: .*; device index \d: .*\)\. Set management_interface") as caught:
        management_interface(of, clues=clues)
    assert not isinstance(caught.value, UndecidedError)


def test_the_user_decides_against_all_evidence() -> None:
    found = management_interface(TWO, "eni-0", Clues(user_data=GWLB_USER_DATA))
    assert (found.id, found.deployment, found.evidence) == ("eni-0", "inline", "named by the option management_interface")


def test_the_user_may_name_a_device_index() -> None:
    assert [management_interface(TWO, index).id for index in ("0", "1")] == ["eni-0", "eni-1"]


def test_an_empty_option_is_none() -> None:
    assert management_interface(instance(interface(0)), "").id == "eni-0"


def test_the_user_names_an_interface_of_another_instance() -> None:
    with pytest.raises(InputError, match=r"eni-7 is no network interface of i-1\. .*eni-0 .*eni-1"):
        management_interface(TWO, "eni-7")


def test_evidence_for_an_interface_that_is_not_there() -> None:
    with pytest.raises(InputError, match=r"should be at device index 4 \(user data says ManagementPort=5\), where it has none"):
        management_interface(TWO, clues=Clues(user_data="ManagementPort=5"))


def test_an_instance_without_interfaces() -> None:
    with pytest.raises(InputError, match="i-1 is terminated and has no network interface") as caught:
        management_interface(instance(state="terminated"))
    assert not isinstance(caught.value, UndecidedError)


def test_result() -> None:
    assert management_interface(TWO, "eni-1").as_result() == {
        "id": "eni-1",
        "device_index": 1,
        "private_ip": "10.0.0.1",
        "vpc_id": "vpc-1",
        "evidence": "named by the option management_interface",
    }


@pytest.mark.parametrize(
    ("permission", "wanted"),
    [
        ({"IpProtocol": "udp", "FromPort": 6081, "ToPort": 6081}, True),
        ({"IpProtocol": "17", "FromPort": 6081, "ToPort": 6081}, True),
        ({"IpProtocol": "tcp", "FromPort": 6081, "ToPort": 6081}, False),
        ({"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535}, False),
        ({"IpProtocol": "udp", "FromPort": 6081, "ToPort": 6082}, False),
        ({"IpProtocol": "-1"}, False),
    ],
)
def test_geneve_rules(permission: dict[str, t.Any], wanted: bool) -> None:
    assert receives_geneve(permission) is wanted


DESCRIPTIONS = st.sampled_from(["", "Primary network interface", "Network Security Mgmt Port", "Network Security Data Port", "management", "eth"])
INTERFACES = st.lists(st.tuples(DESCRIPTIONS, st.booleans()), min_size=0, max_size=4)
CLUES = st.builds(
    Clues,
    user_data=st.sampled_from(["", GWLB_USER_DATA, "GWLB-mode=0", "ManagementPort=1", "ManagementPort=9"]) | st.text(max_size=30),
    geneve_group_ids=st.frozensets(st.sampled_from(["sg-0", "sg-1", "sg-2"])),
    load_balancer_target=st.booleans(),
)


@given(INTERFACES, CLUES, st.sampled_from([None, "", "eni-0", "eni-1", "eni-8"]))
def test_tells_an_interface_of_the_instance_with_evidence_or_raises(described: list[tuple[str, bool]], clues: Clues, override: str | None) -> None:
    of = instance(*(interface(index, description, check=check) for index, (description, check) in enumerate(described)))
    try:
        found = management_interface(of, override, clues)
    except InputError:
        return
    assert found.id in {one.id for one in of.interfaces}
    assert found.evidence
    assert not override or found.id == override


@given(INTERFACES, CLUES, CLUES)
def test_more_evidence_never_changes_an_answer_silently(described: list[tuple[str, bool]], less: Clues, more: Clues) -> None:
    """More clues confirm what fewer said, or contradict it, which is an error: they never lead to another interface."""
    of = instance(*(interface(index, description, check=check) for index, (description, check) in enumerate(described)))
    both = Clues(f"{less.user_data}\n{more.user_data}", less.geneve_group_ids | more.geneve_group_ids, less.load_balancer_target or more.load_balancer_target)
    try:
        first, second = management_interface(of, clues=less), management_interface(of, clues=both)
    except InputError:
        return
    assert first.id == second.id
