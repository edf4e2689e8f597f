# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What action plugins need to use the connection ``trendmicro.cloudone.nsva``."""

from __future__ import annotations

import importlib
import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

TRANSPORT = "trendmicro.cloudone.nsva"

# Ansible loads an action plugin before it forks a worker for each host, and the connection plugin afterwards.
# What costs most of loading the latter is loaded here, once and not once per host.
importlib.import_module("ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_transport")


class ApplianceCli(t.Protocol):
    """The part of the connection plugin that action plugins use; described there."""

    def run(self, line: str, *, timeout: float | None = None, secret: str | None = None) -> str: ...


def cli_of(connection: t.Any) -> ApplianceCli:
    """A task's connection as what it is.

    :raises InputError: it is a connection of another kind.
    """
    if getattr(connection, "transport", None) != TRANSPORT:
        raise InputError(f"This runs on an appliance: set ansible_connection to {TRANSPORT}.")
    return t.cast(ApplianceCli, connection)
