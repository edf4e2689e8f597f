# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Appliances as the API lists them, and versions."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance, version_tuple
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import appliance

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("ID", "instanceId", "provider", "hostName", "tosVersion", "dvVersion", "auxDv", "providerMetadata")
VERSIONS = st.lists(st.integers(0, 99999), min_size=1, max_size=5)


def test_the_documented_example() -> None:
    assert Appliance.from_api(appliance(7)).as_result() == {
        "id": 7,
        "instance_id": "i-00000000000000001",
        "provider": "AWS",
        "host_name": "i-00000000000000001",
        "tos_version": "2021.1.0.11234",
        "dv_version": "4.0.0.9442",
        "aux_dv": {"Malware": None},
        "account_id": "123456789012",
        "availability_zone": "sa-east-1a",
        "instance_type": "c5n.2xlarge",
        "region": "sa-east-1",
        "vpc": "vpc-00000000000000001",
        "provider_metadata": {
            "accountId": "123456789012",
            "availabilityZone": "sa-east-1a",
            "instanceType": "c5n.2xlarge",
            "region": "sa-east-1",
            "vpc": "vpc-00000000000000001",
        },
    }


def test_what_is_missing_or_empty_is_none() -> None:
    sparse = Appliance.from_api({"ID": "12", "instanceId": "i-1", "tosVersion": "", "dvVersion": None, "providerMetadata": None})
    assert sparse == Appliance(12, "i-1")


@given(st.fixed_dictionaries({"ID": st.integers(0, 10**18 - 1)}, optional={name: JSON for name in FIELDS[1:]}))
def test_any_answer_with_an_id_can_be_read(entry: dict[str, t.Any]) -> None:
    read = Appliance.from_api(entry)
    assert read.id == entry["ID"]
    assert all(value is None or isinstance(value, str) for value in (read.provider, read.host_name, read.tos_version, read.region, read.vpc))


@given(JSON | st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_other_answer_is_refused_in_one_way(entry: t.Any) -> None:
    try:
        assert isinstance(Appliance.from_api(entry).id, int)
    except ValueError as error:
        assert "no numeric ID" in str(error)


def test_versions_of_both_schemes() -> None:
    ordered = ["5.5.0.10625", "2020.9.1", "2020.10.0", "2020.10.0.1", "2021.1", "2021.10.0"]
    numbers = [version_tuple(text) for text in ordered]
    assert None not in numbers
    assert numbers == sorted(numbers, key=lambda number: number or ())
    assert numbers[0] == (5, 5, 0, 10625)


@given(VERSIONS, VERSIONS)
def test_versions_compare_as_numbers(left: list[int], right: list[int]) -> None:
    texts = [".".join(map(str, numbers)) for numbers in (left, right)]
    first, second = (version_tuple(text) or () for text in texts)
    assert (first < second) == (left < right)


@pytest.mark.parametrize("text", [None, "", " ", "2020.", "2020.10-rc1", "v1", "٣.١", "1..2", "-1", "1" * 5000])
def test_what_is_no_version(text: str | None) -> None:
    assert version_tuple(text) is None


@given(st.text())
def test_any_text_is_a_version_or_none(text: str) -> None:
    version = version_tuple(text)
    assert version is None or (len(version) >= 1 and all(number >= 0 for number in version))


@pytest.mark.parametrize("number", [10**18, -(10**18), "9" * 19, "9" * 5000, 1e3, True])
def test_a_number_that_no_database_has(number: t.Any) -> None:
    with pytest.raises(ValueError, match="no numeric ID"):
        Appliance.from_api({"ID": number})


def test_text_cannot_steer_a_terminal() -> None:
    read = Appliance.from_api({"ID": 1, "hostName": "\x1b[2Jx\u202e", "providerMetadata": [{"key": "region", "value": "\r"}]})
    assert (read.host_name, read.region) == ("\ufffd[2Jx\ufffd", "\ufffd")


def test_a_version_between_control_characters() -> None:
    assert version_tuple("2021.1\x1f") == (2021, 1)
