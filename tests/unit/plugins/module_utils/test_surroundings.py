# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the environment says about proxies and authorities is checked, and no password is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._surroundings import check_authorities, check_proxy


@pytest.mark.parametrize(
    "url",
    [None, "", "proxy", "proxy:3128", "http://proxy:3128/", "https://proxy", "http://user:p%2Fw@proxy:3128", "http://[::1]:3128", "user:p@ss@proxy:1"],
)
def test_usable_proxies(url: str | None) -> None:
    check_proxy(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://user:se#cret@proxy:3128", "http://user:se/cret@proxy:3128", "http://user:se?cret@proxy:3128", "user:12#secret@proxy:3128"),
        *("http://user:secret@", "http://user:secret@proxy:port", "http://user:secret@proxy:99999", "http://user:secret@proxy:0"),
        *("socks5://user:secret@proxy:1080", "ftp://user:secret@proxy", "http://user:secret@proxy/path", "http://[user:secret@proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_not_shown(url: str) -> None:
    with pytest.raises(InputError, match="must look like http://user:password@host:port") as caught:
        check_proxy(url)
    assert "cret" not in str(caught.value)


@given(st.text())
def test_whatever_it_is_there_is_no_other_error(url: str) -> None:
    try:
        check_proxy(url)
    except InputError as error:
        assert "percent-encoded" in str(error)


def test_authorities(tmp_path: Path) -> None:
    check_authorities(True, "ca_path")
    check_authorities(None, "ca_path")
    check_authorities(str(tmp_path), "ca_path")
    with pytest.raises(InputError, match=r"There is no file or folder .*/none\.pem .*Correct ca_path\."):
        check_authorities(str(tmp_path / "none.pem"), "ca_path")
