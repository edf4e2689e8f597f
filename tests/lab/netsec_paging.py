# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in pages, with cursors that a client can only hand back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import typing as t

from lab.netsec_payloads import PayloadRefused

Item = t.TypeVar("Item")


def _fingerprint(question: str) -> str:
    return hashlib.sha256(question.encode()).hexdigest()[:12]


def _encode(offset: int, question: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([offset, _fingerprint(question)]).encode()).decode()


def _decode(cursor: str, question: str) -> int:
    try:
        offset, fingerprint = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError, binascii.Error):
        raise PayloadRefused("cursor: not a cursor that this API gave out") from None
    if fingerprint != _fingerprint(question):
        raise PayloadRefused("cursor: belongs to another query")
    return int(offset)


def page(items: t.Sequence[Item], *, cursor: str, limit: int, question: str) -> tuple[list[Item], str | None]:
    """Cut a page out of a list.

    :param cursor: empty for the first page.
    :param question: what was asked for; a cursor is good only for the question that it was given out for.
    :returns: the page and the cursor of the next one, ``None`` on the last.
    :raises PayloadRefused: if the cursor is none, or belongs to another question.
    """
    start = _decode(cursor, question) if cursor else 0
    end = start + limit
    return list(items[start:end]), _encode(end, question) if end < len(items) else None
