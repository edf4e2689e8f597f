# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.trails import EVERYTHING, Coverage, Selection, Trail, coverage, selection

Json = dict[str, t.Any]


def basic(**changes: t.Any) -> Json:
    return {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], "ExcludeManagementEventSources": [], **changes}


def advanced(*conditions: Json) -> Json:
    return {"Name": "x", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, *conditions]}


KMS = "kms.amazonaws.com"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"EventSelectors": [basic()]}, EVERYTHING),
        ({"EventSelectors": [basic(ReadWriteType="WriteOnly")]}, EVERYTHING),
        ({"EventSelectors": [basic(ReadWriteType="ReadOnly")]}, Selection(False)),
        ({"EventSelectors": [basic(IncludeManagementEvents=False)]}, Selection(False)),
        ({"EventSelectors": [basic(ExcludeManagementEventSources=[KMS])]}, Selection(True, frozenset({KMS}))),
        ({"EventSelectors": [basic(ExcludeManagementEventSources=[KMS]), basic()]}, EVERYTHING),
        ({"EventSelectors": [], "AdvancedEventSelectors": [advanced()]}, EVERYTHING),
        ({"AdvancedEventSelectors": [advanced({"Field": "readOnly", "Equals": ["false"]})]}, EVERYTHING),
        ({"AdvancedEventSelectors": [advanced({"Field": "readOnly", "Equals": ["true"]})]}, Selection(False)),
        ({"AdvancedEventSelectors": [advanced({"Field": "readOnly", "NotEquals": ["false"]})]}, Selection(False)),
        ({"AdvancedEventSelectors": [advanced({"Field": "eventSource", "NotEquals": [KMS]})]}, Selection(True, frozenset({KMS}))),
        (
            {"AdvancedEventSelectors": [advanced({"Field": "eventName", "StartsWith": ["Create", "Delete"]})]},
            Selection(True, frozenset({"events without eventName StartsWith Create/Delete"})),
        ),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]}, Selection(False)),
        ({"AdvancedEventSelectors": [{"FieldSelectors": [{"Field": "readOnly", "Equals": ["false"]}]}]}, Selection(False)),
        ({}, Selection(False)),
    ],
)
def test_what_selectors_select(answer: Json, expected: Selection) -> None:
    assert selection(answer) == expected


@pytest.mark.parametrize(
    ("trails", "expected"),
    [
        ([], Coverage(False, (), "There is no trail of CloudTrail for the region.")),
        ([Trail("a", True, EVERYTHING)], Coverage(True, ("a",), None)),
        ([Trail("a", False, EVERYTHING), Trail("b", True, Selection(False))],
         Coverage(False, (), "The trail a is switched off. The trail b records no management events of calls that change something.")),
        ([Trail("a", True, Selection(True, frozenset({KMS})))], Coverage(True, ("a",), f"CloudTrail leaves out: {KMS}.")),
        ([Trail("a", True, Selection(True, frozenset({KMS}))), Trail("b", True, EVERYTHING)], Coverage(True, ("a", "b"), None)),
        ([Trail("a", False, None)], Coverage(False, (), "The trail a is switched off.")),
        ([Trail("a", False, EVERYTHING), Trail("b", None, None, "AWS refused it.")],
         Coverage(None, ("b",), "Whether a trail of CloudTrail records the region's events is not known. AWS refused it.")),
        ([Trail("a", True, EVERYTHING), Trail("b", None, None, "AWS refused it.")], Coverage(True, ("a",), None)),
    ],
)  # fmt: skip
def test_what_trails_come_to(trails: list[Trail], expected: Coverage) -> None:
    assert coverage(trails) == expected


SELECTIONS = st.builds(Selection, st.booleans(), st.frozensets(st.sampled_from([KMS, "rdsdata.amazonaws.com"])))
TRAILS = st.builds(Trail, st.sampled_from("abc"), st.none() | st.booleans(), st.none() | SELECTIONS, st.none() | st.just("why"))


@given(st.lists(TRAILS), TRAILS)
def test_a_further_trail_never_makes_it_worse(trails: list[Trail], further: Trail) -> None:
    order = [False, None, True]
    assert order.index(coverage([*trails, further]).recorded) >= order.index(coverage(trails).recorded)
    assert (coverage(trails).recorded is True) == any(trail.logging and trail.selection and trail.selection.writes for trail in trails)
