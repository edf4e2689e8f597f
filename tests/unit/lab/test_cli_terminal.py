# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import asyncio

import pytest
from cli_world import in_loop
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.appliance_cli.terminal import HungUp, Terminal


class Screen:
    """A terminal whose output is kept."""

    def __init__(self, keys: bytes, *, echo: bool = True, width: int = 0, **how: bool) -> None:
        self.shown = b""
        self.terminal = Terminal(self._show, **how)
        self.terminal.echo = echo
        self.terminal.width = width
        self.terminal.feed(keys)
        self.terminal.hang_up()

    def _show(self, data: bytes) -> None:
        self.shown += data


@pytest.mark.parametrize(
    ("keys", "line", "shown"),
    [
        (b"show\r", "show", b"> show\r\n"),
        (b"show\n", "show", b"> show\r\n"),
        ("gr\u00fcn\r".encode(), "gr\u00fcn", "> gr\u00fcn\r\n".encode()),
        (b"\xff\r", "\ufffd", b"> \xff\r\n"),
        (b"shop\x7fw\r", "show", b"> shop\b \bw\r\n"),
        (b"\x08a\r", "a", b"> a\r\n"),
        (b"ab\x15c\r", "c", b"> ab\b \b\b \bc\r\n"),
        (b"ab\x03", "", b"> ab^C\r\n"),
        (b"a\x04b\r", "ab", b"> ab\r\n"),
        (b"\x1b\ta\r", "a", b"> a\r\n"),
    ],
)
@in_loop
async def test_a_line_is_edited_and_echoed(keys: bytes, line: str, shown: bytes) -> None:
    screen = Screen(keys)
    assert await screen.terminal.read_line("> ") == line
    assert screen.shown == shown


@in_loop
async def test_without_a_pty_nothing_is_echoed() -> None:
    screen = Screen(b"ab\x7f\r", echo=False)
    assert await screen.terminal.read_line("> ") == "a"
    assert screen.shown == b"> "


@in_loop
async def test_cr_lf_ends_one_line_only() -> None:
    screen = Screen(b"a\r\nb\r\n\n")
    assert [await screen.terminal.read_line("") for _line in range(3)] == ["a", "b", ""]


@in_loop
async def test_ctrl_d_at_the_start_of_a_line_and_the_end_of_input_hang_up() -> None:
    screen = Screen(b"\x04")
    for _line in range(3):
        with pytest.raises(HungUp):
            await screen.terminal.read_line("> ")
    assert screen.shown == b"> \r\n> > "


@in_loop
async def test_a_long_echo_is_broken_at_the_last_column_where_configured() -> None:
    screen = Screen(b"abcdefgh\r", width=6, wrap_echo=True)
    assert await screen.terminal.read_line("\x1b[1m> \x1b[0m") == "abcdefgh"
    assert screen.shown == b"\x1b[1m> \x1b[0mabcd \refgh\r\n"


@pytest.mark.parametrize(("keys", "answer", "asked"), [(b"y\r", True, 1), (b"NO\r", False, 1), (b"maybe\r\rYes\r", True, 3)])
@in_loop
async def test_a_question_is_asked_until_it_is_answered(keys: bytes, answer: bool, asked: int) -> None:
    screen = Screen(keys)
    assert await screen.terminal.confirm("Sure? (y/n) ") is answer
    assert screen.shown.count(b"Sure? (y/n) ") == asked


ERASED = b"--More--\r        \r"
LINES = ["1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("keys", "length", "shown"),
    [
        (b"", 0, b"1\r\n2\r\n3\r\n4\r\n5\r\n"),
        (b"", 5, b"1\r\n2\r\n3\r\n4\r\n5\r\n"),
        (b"  ", 2, b"1\r\n2\r\n" + ERASED + b"3\r\n4\r\n" + ERASED + b"5\r\n"),
        (b"x\r ", 2, b"1\r\n2\r\n" + ERASED + b"3\r\n" + ERASED + b"4\r\n5\r\n"),
        (b"q", 2, b"1\r\n2\r\n" + ERASED),
    ],
)
@in_loop
async def test_the_pager_stops_and_goes_on(keys: bytes, length: int, shown: bytes) -> None:
    screen = Screen(keys)
    await screen.terminal.page(LINES, length)
    assert screen.shown == shown


@in_loop
async def test_the_pager_may_be_coloured_and_ends_with_the_session() -> None:
    screen = Screen(b"", colours=True)
    with pytest.raises(HungUp):
        await screen.terminal.page(LINES, 2)
    assert screen.shown.endswith(b"\x1b[7m--More--\x1b[0m")


@settings(max_examples=50, deadline=None)
@given(count=st.integers(0, 60), length=st.integers(0, 20))
def test_paging_through_shows_every_line_once(count: int, length: int) -> None:
    screen = Screen(b" " * count)
    asyncio.run(screen.terminal.page([str(number) for number in range(count)], length))
    assert screen.shown.replace(ERASED, b"").split() == [str(number).encode() for number in range(count)]
    assert screen.shown.count(ERASED) == (max(0, count - 1) // length if length else 0)


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.characters(min_codepoint=32, blacklist_characters="\x7f", blacklist_categories=["Cs"])), width=st.integers(0, 30))
def test_any_printable_text_arrives_as_typed(text: str, width: int) -> None:
    screen = Screen(text.encode() + b"\r", width=width, wrap_echo=True)
    assert asyncio.run(screen.terminal.read_line("")) == text
