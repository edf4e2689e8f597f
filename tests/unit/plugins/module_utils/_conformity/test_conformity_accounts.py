# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of Conformity's accounts are meant."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import Account
from ansible_collections.trendmicro.cloudone.plugins.module_utils._conformity.accounts import for_aws_account, select
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError


def account(account_id: str, aws: str | None = None, name: str | None = None) -> Account:
    return Account(account_id, name, None, aws, None, None, None)


ACCOUNTS = [account("a", "000000000001", "One"), account("b", "000000000002", "Two"), account("c", "000000000002", "Two again"), account("d", None, "Azure")]


def ids(**asked: t.Any) -> list[tuple[str, str | None]]:
    params = {"account_ids": None, "aws_account_ids": None, "names": None, **asked}
    return [(match.asked_for, match.account.id if match.account else None) for match in select(ACCOUNTS, params)]


def test_without_any_option_all_are_meant() -> None:
    assert ids() == [("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")]


def test_an_empty_list_means_none() -> None:
    assert ids(names=[]) == []


def test_an_aws_account_may_be_listed_twice() -> None:
    assert ids(aws_account_ids=["2"]) == [("2", "b"), ("2", "c")]


def test_each_account_comes_once_and_what_is_not_there_is_said() -> None:
    asked = {"account_ids": ["b", "x", "b", "x"], "aws_account_ids": ["000000000002", "000000000009"], "names": ["Azure", "Two"]}
    assert ids(**asked) == [("b", "b"), ("x", None), ("000000000002", "c"), ("000000000009", None), ("Azure", "d")]


def test_what_is_no_aws_account() -> None:
    with pytest.raises(InputError, match="has 12 digits, 'prod' is none"):
        ids(aws_account_ids=["prod"])


def test_one_for_an_aws_account() -> None:
    assert for_aws_account(ACCOUNTS, "000000000001").id == "a"


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("9", "The AWS account 000000000009 is no account that Conformity shows to this API key: add it"),
        ("2", r"lists the AWS account 000000000002 2 times: b \(Two\), c \(Two again\). Name the one that is meant by its account_id"),
        ("", "'' is none"),
    ],
)
def test_not_exactly_one_for_an_aws_account(option: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        for_aws_account(ACCOUNTS, option)


@given(st.lists(st.sampled_from(["a", "b", "c", "d", "x"])), st.lists(st.sampled_from(["One", "Two", "Nobody"])))
def test_no_account_is_lost_or_doubled(account_ids: list[str], names: list[str]) -> None:
    found = [account_id for _asked_for, account_id in ids(account_ids=account_ids, names=names) if account_id]
    assert sorted(found) == sorted({*account_ids} - {"x"} | {{"One": "a", "Two": "b"}[name] for name in names if name != "Nobody"})
