# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every text is marked where Ansible needs it."""

from __future__ import annotations

import pytest

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils import _unsafe

DATA = {"key": ["text", 1, None, True], "empty": {}}


class Marked(str):
    """A text that is no template."""


def test_every_text_is_marked_before_core_2_19(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_unsafe, "_mark", Marked)
    made = _unsafe.make_unsafe(DATA)
    assert made == DATA
    assert {type(text) for text in (*made, made["key"][0])} == {Marked}


def test_nothing_is_marked_where_what_is_trusted_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_unsafe, "_mark", None)
    assert _unsafe.make_unsafe(DATA) is DATA
