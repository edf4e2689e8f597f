# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""moto as a WSGI application, without what it works out anew for every call."""

from __future__ import annotations

import functools

from moto.core import responses, utils
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

import lab.instance_filters  # noqa: F401

responses.method_names_from_class = functools.cache(utils.method_names_from_class)


class MotoApp(DomainDispatcherApplication):
    """All of moto's services."""

    # moto looks through its folder and a list of patterns.
    get_backend_for_host = functools.cache(DomainDispatcherApplication.get_backend_for_host)

    def __init__(self) -> None:
        super().__init__(create_backend_app)
