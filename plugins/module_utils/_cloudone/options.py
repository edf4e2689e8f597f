# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the options that all APIs of Trend Cloud One share say: the key, the region, the HTTP client."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.http_client import HttpClient
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

Params = t.Mapping[str, t.Any]


def api_key(params: Params) -> str:
    """The API key, without the line break in which a key read from a file often ends.

    :raises InputError: it is empty.
    """
    key = str(params["api_key"]).strip()
    if not key:
        raise InputError("api_key is empty: set it, or the environment variable CLOUDONE_API_KEY.")
    return key


def regional_url(service: str, params: Params) -> str:
    """Base URL of a service's API in the region of the account.

    :param service: its name in the host name, ``network`` or ``conformity``.
    :raises InputError: a region that is none.
    """
    region = params["cloudone_region"]
    # Anything else could send the API key to another host.
    if not re.fullmatch(r"[A-Za-z0-9-]+", region):
        raise InputError(f"cloudone_region must be a region's name like us-1, it is {region!r}.")
    return f"https://{service}.{region}.cloudone.trendmicro.com/api"


def http_client(base_url: str, headers: t.Mapping[str, str], params: Params, concurrency: int, hints: t.Mapping[int, str] | None = None) -> HttpClient:
    """Make the client for an API; asks nothing yet.

    :param headers: see :class:`HttpClient`, as for ``hints``.
    :param concurrency: how many threads will use it.
    :raises InputError: an option that cannot be used.
    """
    if concurrency < 1:
        raise InputError(f"concurrency must be at least 1, it is {concurrency}.")
    if params["api_timeout"] < 1:
        raise InputError(f"api_timeout must be at least 1 second, it is {params['api_timeout']}.")
    verify = (params["ca_path"] or True) if params["validate_certs"] else False
    return HttpClient(base_url, headers, timeout=params["api_timeout"], verify=verify, concurrency=concurrency, hints=hints)
