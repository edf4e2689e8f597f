# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from outside, fit to be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._printable import printable, sentence


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("as it is: \u00e9 \u65e5 \U0001f600\n\tnext", "as it is: \u00e9 \u65e5 \U0001f600\n\tnext"),
        ("a\r\nb\rc", "a\nb\ufffdc"),
        ("\x1b[31mred\x07", "\ufffd[31mred\ufffd"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("a\u2028b\x85c", "a\ufffdb\ufffdc"),
        ("\ud800", "\ufffd"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(("text", "shown"), [("no", "no."), ("no.", "no."), ("what?", "what?"), ("cut…", "cut…")])
def test_sentence(text: str, shown: str) -> None:
    assert sentence(text) == shown


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_can_be_written_and_stays_on_its_lines(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert shown.splitlines() == [line for line in shown.rstrip("\n").split("\n") if shown] or shown.endswith("\n")
    assert printable(shown) == shown


def test_errors_quote_nothing_that_steers_a_terminal() -> None:
    assert str(CloudOneError("It said \x1b]0;x\x07 to \u202ei-1.")) == "It said \ufffd]0;x\ufffd to \ufffdi-1."
