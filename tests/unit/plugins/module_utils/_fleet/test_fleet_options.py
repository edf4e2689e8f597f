# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory's options ask for, and under what name the answer is kept."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet import cache_key as cache_key_module
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.cache_key import cache_key
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.model import Way
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.options import read_query

ROLE = "arn:aws:iam::111122223333:role/inventory"
PARAMS: dict[str, t.Any] = {
    "api_key": "tmc12Example:SecretPart",
    "netsec_url": None,
    "access_key": "AKIAEXAMPLE",
    "secret_key": "aws-secret-part",
    "session_token": "aws-token-part",
    "profile": None,
    "accounts": [],
    "regions": ["eu-west-1"],
    "concurrency": 10,
    "renew_before": 30,
    "registration_tag": "tag",
    "hosted_instance_ids": ["i-1"],
    "unregistered_filters": [{"image-id": "ami-1", "tag:Kind": ["a", "b"]}],
}


def ways(**changes: t.Any) -> tuple[Way, ...]:
    return read_query({**PARAMS, **changes}).ways


def test_query() -> None:
    query = read_query(PARAMS)
    assert query.unregistered_filters == ({"image-id": ("ami-1",), "tag:Kind": ("a", "b")},)
    assert (query.renew_before, query.hosted_instance_ids, query.registration_tag) == (timedelta(days=30), {"i-1"}, "tag")


def test_without_accounts_the_options_are_the_one_way() -> None:
    (way,) = ways(assume_role_arn=ROLE, assume_role_external_id="x")
    assert (way.role.arn, way.role.external_id, way.regions, way.params["access_key"]) == (ROLE, "x", ("eu-west-1",), "AKIAEXAMPLE")


def test_accounts_take_from_the_options_what_they_lack() -> None:
    own, role, profile = ways(accounts=[{}, {"assume_role_arn": ROLE, "regions": ["us-east-1"]}, {"profile": "other"}])
    assert (own.role.arn, own.regions, own.params["secret_key"]) == (None, ("eu-west-1",), "aws-secret-part")
    assert (role.role.arn, role.role.external_id, role.regions, role.params["secret_key"]) == (ROLE, None, ("us-east-1",), "aws-secret-part")
    # Keys would win over the profile.
    assert (profile.params["profile"], profile.params["access_key"], profile.params["session_token"]) == ("other", None, None)
    assert [way.name for way in (own, role, profile)] == [
        "the AWS account of the credentials",
        f"the AWS account of the role {ROLE}",
        "the AWS account of the profile other",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"renew_before": 731}, "renew_before must be between 0 and 730"),
        ({"concurrency": 0}, "concurrency must be at least 1"),
        ({"accounts": [{}], "assume_role_arn": ROLE}, "each role stands in its account"),
        ({"accounts": [{"role": ROLE}]}, "An element of accounts is a dictionary with some of the keys"),
        ({"accounts": ["x"]}, "An element of accounts is a dictionary"),
        ({"accounts": [{"regions": [1]}]}, "A list of texts is needed for regions of an account"),
        ({"unregistered_filters": ["x"]}, "An element of unregistered_filters is a dictionary"),
        ({"unregistered_filters": [{}]}, "An element of unregistered_filters is a dictionary"),
        ({"unregistered_filters": [{"image-id": 5}]}, "A list of texts is needed for the filter image-id"),
    ],
)
def test_what_cannot_be_used_is_refused(changes: dict[str, t.Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        ways(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"api_key": "tmc34Other:SecretPart"},
        {"netsec_url": "https://other.example.com"},
        {"profile": "other"},
        {"access_key": "AKIAOTHER"},
        {"accounts": [{"assume_role_arn": ROLE}]},
        {"regions": ["us-east-1"]},
        {"renew_before": 60},
        {"unregistered_filters": []},
        {"hosted_instance_ids": []},
    ],
)
def test_another_question_has_another_cache_key(changes: dict[str, t.Any]) -> None:
    assert cache_key(PARAMS) != cache_key({**PARAMS, **changes})


def test_another_environment_has_another_cache_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = set()
    for profile in ("one", "other"):
        monkeypatch.setenv("AWS_PROFILE", profile)
        keys.add(cache_key(PARAMS))
    assert len(keys) == 2


def test_the_cache_key_does_not_change_with_temporary_credentials() -> None:
    assert cache_key(PARAMS) == cache_key({**PARAMS, "secret_key": "other", "session_token": "other", "concurrency": 1})


def test_no_secret_is_in_the_cache_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in it, nor in the text that it is a digest of."""
    digested = []
    digest = cache_key_module._digest
    monkeypatch.setattr(cache_key_module, "_digest", lambda text: digested.append(text) or digest(text))
    key = cache_key(PARAMS)
    of_the_api_key, all_of_it = digested
    assert of_the_api_key == PARAMS["api_key"]
    for text in (key, all_of_it):
        assert not any(secret in text for secret in (PARAMS["api_key"], "SecretPart", PARAMS["secret_key"], PARAMS["session_token"], digest(of_the_api_key)))
    assert PARAMS["access_key"] in all_of_it
