# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text from outside, which Ansible must never take for a template."""

from __future__ import annotations

import typing as t

from ansible.plugins.inventory import BaseInventoryPlugin

# Since ansible-core 2.19 only what is marked as trusted can be a template, and what plugins bring is not.
_mark: t.Callable[[str], str] | None = None
if not hasattr(BaseInventoryPlugin, "trusted_by_default"):
    from ansible.utils.unsafe_proxy import AnsibleUnsafeText as _mark


def make_unsafe(value: t.Any) -> t.Any:
    """Return data, as JSON has it, of which no text is ever taken for a template."""
    if _mark is None:
        return value
    if isinstance(value, str):
        return _mark(value)
    if isinstance(value, dict):
        return {make_unsafe(key): make_unsafe(one) for key, one in value.items()}
    return [make_unsafe(one) for one in value] if isinstance(value, list) else value
