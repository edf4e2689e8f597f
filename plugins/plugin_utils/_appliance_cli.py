# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What action plugins need to use the connection ``trendmicro.cloudone.nsva``."""

from __future__ import annotations

import typing as t

from ansible.plugins.loader import connection_loader

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

TRANSPORT = "trendmicro.cloudone.nsva"

# Ansible loads an action plugin before it forks a worker for each host, and the connection plugin with its documentation afterwards.
# Loaded here already, it is loaded once and not once per host and task.
connection_loader.get(TRANSPORT, class_only=True)


class ApplianceCli(t.Protocol):
    """The part of the connection plugin that action plugins use; described there."""

    def run(self, line: str, *, timeout: float | None = None, secret: str | None = None) -> str:
        """Type a line, and return what the appliance answers."""


def cli_of(connection: t.Any) -> ApplianceCli:
    """A task's connection as what it is.

    :raises InputError: it is a connection of another kind.
    """
    if getattr(connection, "transport", None) != TRANSPORT:
        raise InputError(f"This runs on an appliance: set ansible_connection to {TRANSPORT}.")
    return t.cast(ApplianceCli, connection)
