# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of an API, taken in with bounds: so many bytes, so much time."""

from __future__ import annotations

import time
import typing as t
import zlib

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError

MEBIBYTE = 1024 * 1024
LARGEST_ANSWER = 64 * MEBIBYTE

_PIECE = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class UnusableAnswer(CloudOneError):
    """An answer is beyond the bounds; the text continues a sentence that begins with "the answer"."""


class Allowance:
    """How many bytes one question may bring in, with all its pages.

    :param size: in bytes, after decompression.
    """

    def __init__(self, size: int = LARGEST_ANSWER) -> None:
        self._size = size
        self.left = size

    def take(self, count: int) -> None:
        """Use some of it up.

        :raises UnusableAnswer: there is not as much left.
        """
        if count > self.left:
            raise UnusableAnswer(f"is larger than {self._size // MEBIBYTE} MiB")
        self.left -= count


def read_body(raw: t.Any, encoding: str, allowance: Allowance, seconds: float) -> bytes:
    """Read a body and decompress it.

    :param raw: urllib3's response, of which nothing has been read.
    :param encoding: its ``Content-Encoding``.
    :param seconds: how long it may take in all.
    :raises UnusableAnswer: it is too large or too slow, or compressed in another way than asked for.
    """
    deadline = time.monotonic() + seconds
    # It returns what has arrived. urllib3 1 has only the other one, which waits for a whole piece.
    read = getattr(raw, "read1", raw.read)
    body = bytearray()
    while piece := read(_PIECE, decode_content=False):
        body += piece
        if len(body) > allowance.left:
            break
        if time.monotonic() > deadline:
            raise UnusableAnswer(f"was not complete after {seconds:g} seconds")
    plain = _decompress(bytes(body), encoding.strip().lower(), allowance.left)
    allowance.take(len(plain))
    return plain


def _decompress(body: bytes, encoding: str, most: int) -> bytes:
    """At most one byte more than ``most``, which tells that it is more."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise UnusableAnswer(f"is compressed as {encoding}, which was not asked for")
    unpacker = zlib.decompressobj(_GZIP)
    try:
        plain = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise UnusableAnswer("is not compressed as it says") from error
    if not unpacker.eof and len(plain) <= most:
        raise UnusableAnswer("breaks off")
    return plain
