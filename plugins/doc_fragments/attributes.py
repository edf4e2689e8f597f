# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes that every module documents."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and tell what would change without changing it.
  diff_mode:
    description: Returns what changed, or would change, when run with C(--diff).
  idempotent:
    description: Changes nothing, and reports so, when run again with the same options.
  action_group:
    description: Options can be set for the whole group through C(module_defaults).
"""

    # For modules that only read.
    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module only reads.
  diff_mode:
    support: N/A
    details:
      - This module only reads.
  idempotent:
    support: full
    details:
      - This module only reads.
"""

    # For modules that belong to the Network Security action group.
    ACTIONGROUP_NETSEC = r"""
options: {}
attributes:
  action_group:
    support: full
    membership:
      - trendmicro.cloudone.netsec
      - trendmicro.cloudone.all
"""

    # For modules that have the options of AWS.
    ACTIONGROUP_AWS = r"""
options: {}
attributes:
  action_group:
    support: full
    membership:
      - trendmicro.cloudone.aws
      - trendmicro.cloudone.all
"""

    # For modules that belong to the Conformity action group.
    ACTIONGROUP_CONFORMITY = r"""
options: {}
attributes:
  action_group:
    support: full
    membership:
      - trendmicro.cloudone.conformity
      - trendmicro.cloudone.all
"""
