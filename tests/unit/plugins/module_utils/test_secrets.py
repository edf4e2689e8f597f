# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that come from outside, with the way to mask them that the installed ansible-core has, and with that of ansible-core 2.22."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.trendmicro.cloudone.plugins.module_utils import _secrets


@pytest.mark.parametrize("new", [False, True], ids=["by the module", "by the controller"])
def test_keep_secret(monkeypatch: pytest.MonkeyPatch, new: bool) -> None:
    module = SimpleNamespace(no_log_values={"an option's"})
    registered: list[str] = []
    monkeypatch.setattr(_secrets, "register_secrets", registered.extend if new else None)
    _secrets.keep_secret(module, {"told"})
    assert (registered == ["told"], "told" in module.no_log_values) == (new, not new)
    assert "an option's" in module.no_log_values
