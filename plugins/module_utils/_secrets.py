# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets that come from outside. Of those that come as options Ansible knows by itself."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

try:
    from ansible.module_utils.secrets import register_secrets
except ImportError:  # ansible-core before 2.22
    register_secrets = None


def keep_secret(module: AnsibleModule, values: t.Collection[str]) -> None:
    """Have Ansible mask ``values`` wherever the module's result holds them."""
    if register_secrets is None:
        module.no_log_values.update(values)
    else:
        register_secrets(values)
