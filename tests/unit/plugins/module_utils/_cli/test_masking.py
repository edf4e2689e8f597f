# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials must not be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.masking import MASK, credential_in, mask

secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="*"), min_size=8, max_size=200)


@pytest.mark.parametrize(
    ("line", "credential"),
    [
        ("cloudone register abc", "abc"),
        ("  CloudOne  register  abc def ", "abc def"),
        ("cloudone register", None),
        ("cloudone unregister", None),
        ("show version", None),
    ],
)
def test_credential_in(line: str, credential: str | None) -> None:
    assert credential_in(line) == credential


@given(secrets, st.text(), st.text())
def test_a_secret_is_masked_everywhere(secret: str, before: str, after: str) -> None:
    assert secret not in mask(f"{before}{secret}{after}{secret}", [secret])


@given(secrets, st.data())
def test_a_broken_echo_is_masked(secret: str, data: st.DataObject) -> None:
    """A narrow terminal breaks the echo of a long secret into lines."""
    width = data.draw(st.integers(6, 80))
    pieces = [secret[start : start + width] for start in range(0, len(secret), width)]
    shown = mask("cloudone register " + "\n".join(pieces), [secret])
    assert not any(piece in shown.split() for piece in pieces if len(piece) >= 6)


def test_other_text_stays() -> None:
    assert mask("Registering with Trend Cloud One", ["top-secret-token"]) == "Registering with Trend Cloud One"
    assert mask("as it is", []) == mask("as it is", [""]) == "as it is"
    # The longer one first: what is left of it would give it away.
    assert mask("abc-abcdefgh", ["abc", "abc-abcdefgh"]) == MASK
