# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies of answers that never end, or that are more than they look."""

from __future__ import annotations

import gzip
import typing as t

import pytest
from fuzz.stand_ins import Body

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone import answer
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.answer import MEBIBYTE, Allowance, UnusableAnswer, read_body

BOMB = gzip.compress(bytes(50 * MEBIBYTE), mtime=0)


def read(body: Body, encoding: str = "", most: int = MEBIBYTE, seconds: float = 60) -> bytes:
    return read_body(body, encoding, Allowance(most), seconds)


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_plain(encoding: str) -> None:
    assert read(Body(b"{}" * 100_000), encoding) == b"{}" * 100_000


def test_compressed() -> None:
    assert read(Body(gzip.compress(b"{}" * 100_000, mtime=0)), " GZIP ") == b"{}" * 100_000


def test_what_never_ends_is_read_no_further_than_allowed() -> None:
    body = Body(b"x" * MEBIBYTE, endless=True)
    with pytest.raises(UnusableAnswer, match="is larger than 1 MiB"):
        read(body)
    assert body.given <= 2 * MEBIBYTE


def test_what_becomes_too_large_is_decompressed_no_further_than_allowed() -> None:
    assert len(BOMB) < 100_000
    with pytest.raises(UnusableAnswer, match="is larger than 1 MiB"):
        read(Body(BOMB), "gzip")


def test_a_trickle(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(1000))
    monkeypatch.setattr(answer.time, "monotonic", lambda: next(now))
    body = Body(b" ", endless=True)
    with pytest.raises(UnusableAnswer, match="was not complete after 60 seconds"):
        read(body)
    assert body.given < 100


@pytest.mark.parametrize(
    ("content", "encoding", "problem"),
    [
        (b"{}", "gzip", "is not compressed as it says"),
        (gzip.compress(b"{}" * 100, mtime=0)[:-10], "gzip", "breaks off"),
        (b"", "gzip", "breaks off"),
        (b"{}", "gzip, gzip", "is compressed as gzip, gzip, which was not asked for"),
        (b"{}", "br", "is compressed as br, which was not asked for"),
    ],
    ids=["not compressed", "cut", "empty", "twice", "otherwise"],
)
def test_what_cannot_be_decompressed(content: bytes, encoding: str, problem: str) -> None:
    with pytest.raises(UnusableAnswer, match=problem):
        read(Body(content), encoding)


def test_all_pages_share_an_allowance() -> None:
    allowance = Allowance(2 * MEBIBYTE)
    read_body(Body(b"x" * MEBIBYTE), "", allowance, 60)
    with pytest.raises(UnusableAnswer, match="is larger than 2 MiB"):
        read_body(Body(b"x" * (MEBIBYTE + 1)), "", allowance, 60)


def test_a_body_that_can_only_be_read_in_whole_pieces() -> None:
    class Older:
        """As urllib3 1 has it."""

        def __init__(self) -> None:
            self._body = Body(b"{}")

        def read(self, amount: int, decode_content: bool) -> t.Any:
            return self._body.read1(amount, decode_content)

    assert read_body(Older(), "", Allowance(), 60) == b"{}"
