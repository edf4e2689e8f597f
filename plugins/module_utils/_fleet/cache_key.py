# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Under what name an inventory is kept in the cache. Imports little, since an inventory from the cache needs no more."""

from __future__ import annotations

import hashlib
import json
import os
import typing as t

# Which do not matter for what is found out, or must not be told.
_NOT_IN_CACHE_KEY = frozenset({"api_key", "secret_key", "session_token", "concurrency", "api_timeout"})
_CHOOSE_CREDENTIALS = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL")


def cache_key(params: t.Mapping[str, t.Any]) -> str:
    """A name for everything that is found out with these options: other accounts, another endpoint, another question have another one.

    Of the API key it depends on 32 bits of a digest, which tell keys apart and lead back to none; of the other secrets it does not depend.
    """
    told = {name: value for name, value in params.items() if name not in _NOT_IN_CACHE_KEY}
    # What boto3 itself looks at.
    told["environment"] = {name: os.environ.get(name) for name in _CHOOSE_CREDENTIALS}
    told["api_key"] = _digest(str(params["api_key"]).strip())[:8]
    return _digest(json.dumps(told, sort_keys=True, default=str))[:32]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
