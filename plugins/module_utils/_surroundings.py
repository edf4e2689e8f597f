# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of what the environment says about the network, before a library trips over it, or quotes a password in its complaint."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

_PROXY_PROBLEM = (
    "The proxy that the environment names (HTTPS_PROXY, HTTP_PROXY) cannot be used. It must look like http://user:password@host:port, "
    "with characters such as / # ? % of user name and password percent-encoded. It is not shown here, since it may have a password."
)


def check_proxy(url: str | None) -> None:
    """Check the URL of the proxy that will be used.

    :param url: ``None`` for no proxy; without a scheme, it is taken for ``http``.
    :raises InputError: it cannot be used; the message does not show it.
    """
    if not url:
        return
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise InputError(_PROXY_PROBLEM)


def check_authorities(path: object, named_by: str) -> None:
    """Check that the certification authorities to verify certificates by are where they should be.

    :param path: file or folder; anything but a text stands for those that the library brings along, or for no verification.
    :param named_by: where a user names the path.
    :raises InputError: there is nothing.
    """
    if isinstance(path, str) and not os.path.exists(path):
        raise InputError(f"There is no file or folder {path} with certification authorities to trust. Correct {named_by}.")
