# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import random
import typing as t
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance import renewal_record
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.renewal_record import (
    REGISTERED_AT,
    STARTED,
    Settings,
    decode,
    encode,
    record_keys,
    tags_to_start,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.aws_world import NOW

NAMES = ("system", "audit", "host", "ipsAlert", "ipsBlock", "reputationBlock", "reputationAlert", "quarantine", "sslInspection")
FIRST = "trendmicro.cloudone:renewal-1"

LOG_TYPE = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES), "group": st.none() | st.text(max_size=60), "stream": st.none() | st.text(max_size=60), "enabled": st.booleans()}
)
SETTINGS = st.builds(Settings, st.none() | st.integers(0, 2**63), st.none() | st.integers(0, 2**63), st.lists(LOG_TYPE, max_size=9).map(tuple))
SMALL = Settings(17, 3, ({"name": "ipsBlock", "group": "g", "stream": "ipsBlock_{instance_id}", "enabled": True},))


def incompressible(length: int) -> str:
    return "".join(random.Random(7).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", k=length))


@given(SETTINGS)
def test_what_is_encoded_can_be_decoded(settings: Settings) -> None:
    tags = encode(settings)
    assert decode({"Name": "x", **tags}) == settings
    assert all(len(value) <= 256 and len(key) <= 128 for key, value in tags.items())
    assert all(character.isascii() and (character.isalnum() or character in "-_=:") for value in tags.values() for character in value)


def test_the_usual_fits_into_few_tags() -> None:
    log_types = tuple({"name": name, "group": "network-security-events", "stream": f"{name}_{{instance_id}}", "enabled": True} for name in NAMES)
    assert len(encode(Settings(1, 2, log_types))) <= 2


def test_large_settings_are_split() -> None:
    settings = Settings(1, 2, ({"name": "system", "group": incompressible(2000)},))
    tags = encode(settings)
    assert list(tags) == [f"trendmicro.cloudone:renewal-{number}" for number in range(1, len(tags) + 1)]
    assert len(tags) > 5
    assert decode(tags) == settings


def test_too_large_settings_are_refused() -> None:
    with pytest.raises(InputError, match="too large to record"):
        encode(Settings(1, 2, ({"name": "system", "group": incompressible(20_000)},)))


def test_no_record() -> None:
    assert decode({"Name": "x", "trendmicro.cloudone:renewal-x": "y", REGISTERED_AT: "2026-01-01T00:00:00Z"}) is None


def test_parts_of_a_longer_record_do_not_matter() -> None:
    assert decode({**encode(SMALL), "trendmicro.cloudone:renewal-2": "rest"}) == SMALL


def packed(text: bytes, header: str = "1:01:") -> dict[str, str]:
    return {FIRST: header + base64.urlsafe_b64encode(zlib.compress(text)).decode()}


@pytest.mark.parametrize(
    "tags",
    [
        {STARTED: "2026-01-01T00:00:00Z"},
        {FIRST: ""},
        {FIRST: "1:01:!!!"},
        {FIRST: "1:02:abcd"},
        {FIRST: "rubbish"},
        {"trendmicro.cloudone:renewal-2": "abcd"},
        packed(b"{}", "2:01:"),
        packed(b"[]"),
        packed(b"not json"),
        packed(b"\xff"),
        packed(b"[" * 100_000),
        packed(b'{"appliance_id": "one"}'),
        packed(b'{"profile_id": 1.5}'),
        packed(b'{"log_types": {}}'),
        packed(b'{"log_types": ["system"]}'),
        packed(b'{"log_types": [{"name": 5}]}'),
        packed(b'{"log_types": [{"name": "system", "enabled": "{{ 1 }}"}]}'),
        packed(b'{"log_types": [{"name": "system", "else": 1}]}'),
        packed(b'{"log_types": [{}]}'),
        packed(b'{"profile_id": NaN}'),
    ],
)
def test_an_unreadable_record_is_an_error_that_names_the_tags(tags: dict[str, str]) -> None:
    with pytest.raises(InputError, match="cannot be read.*delete these tags") as caught:
        decode(tags)
    assert all(key in str(caught.value) for key in tags)


@given(st.dictionaries(st.sampled_from([FIRST, "trendmicro.cloudone:renewal-2", STARTED]), st.text(max_size=256)))
def test_any_tags_decode_or_raise(tags: dict[str, str]) -> None:
    try:
        settings = decode(tags)
    except InputError:
        assert tags
    else:
        assert settings is None or isinstance(settings, Settings)


def test_a_cut_record_is_not_taken_for_a_whole_one() -> None:
    tags = encode(Settings(1, 2, ({"name": "system", "group": incompressible(900)},)))
    last = list(tags)[-1]
    with pytest.raises(InputError):
        decode({key: value for key, value in tags.items() if key != last})
    with pytest.raises(InputError):
        decode({**tags, last: tags[last][: len(tags[last]) // 2]})


def test_a_record_cannot_fill_the_memory() -> None:
    assert len(packed(b" " * 50_000_000)[FIRST]) < 100_000
    with pytest.raises(InputError):
        decode(packed(b" " * 50_000_000))


def test_record_keys() -> None:
    tags = {**encode(SMALL), STARTED: "", REGISTERED_AT: "", "trendmicro.cloudone:renewal-0": "", "trendmicro.cloudone:renewal-01": "", "Name": ""}
    assert record_keys(tags) == [FIRST, STARTED]


class TestStarting:
    def test_writes_settings_and_time(self) -> None:
        assert tags_to_start({"Name": "x"}, SMALL, NOW) == {**encode(SMALL), STARTED: "2026-03-01T12:00:00Z"}

    def test_keeps_a_record_that_is_there(self) -> None:
        assert tags_to_start(encode(SMALL), Settings(99, None, ()), NOW) == {}

    def test_does_not_overwrite_a_record_that_it_cannot_read(self) -> None:
        with pytest.raises(InputError):
            tags_to_start({FIRST: "rubbish"}, SMALL, NOW)

    @pytest.mark.parametrize("registered_before", [True, False])
    def test_leaves_room_for_the_tag_that_comes_last(self, registered_before: bool) -> None:
        """One tag for the settings, one for the time, one for the registration."""
        others = {f"aws:{number}": "" for number in range(20)} | ({REGISTERED_AT: ""} if registered_before else {})
        fits = others | {f"own-{number}": "" for number in range(47)}
        assert len(tags_to_start(fits, SMALL, NOW)) == 2
        with pytest.raises(InputError, match=r"would need 51 tags.*Remove at least 1"):
            tags_to_start({**fits, "one-more": ""}, SMALL, NOW)


def test_settings_from_a_dictionary() -> None:
    assert Settings.from_dict({}) == Settings(None, None, ())
    given_settings: dict[str, t.Any] = {"appliance_id": 1, "profile_id": None, "log_types": [{"name": "host"}]}
    assert Settings.from_dict(given_settings).as_result() == given_settings


def test_the_limits_are_those_of_ec2() -> None:
    assert (renewal_record.LONGEST_VALUE, renewal_record.MOST_TAGS) == (256, 50)
