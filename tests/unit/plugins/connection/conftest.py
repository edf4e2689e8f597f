# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of what the connection plugin is made of."""

from __future__ import annotations

from ansible_collections.trendmicro.cloudone.tests.unit.plugins.plugin_utils.conftest import home, host_key, servers

__all__ = ["home", "host_key", "servers"]
