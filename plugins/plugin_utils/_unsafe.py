# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from outside, which Ansible must never take for a template."""

from __future__ import annotations

import typing as t

from ansible.plugins.inventory import BaseInventoryPlugin

# Since ansible-core 2.19 only what is marked as trusted can be a template, and what plugins bring is not.
_TRUST_IS_MARKED = hasattr(BaseInventoryPlugin, "trusted_by_default")


def make_unsafe(value: t.Any) -> t.Any:
    """Return data of which no text is ever taken for a template."""
    if _TRUST_IS_MARKED:
        return value
    from ansible.utils.unsafe_proxy import wrap_var

    return wrap_var(value)
