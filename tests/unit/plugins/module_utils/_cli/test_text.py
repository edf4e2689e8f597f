# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of the command line: control sequences, prompts, questions, echo, errors."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.text import (
    CONFIRMATIONS,
    PAGERS,
    REGISTRATION_ERRORS,
    Transcript,
    answer_to,
    compile_errors,
    compile_patterns,
    excerpt,
    find_error,
    prompt_host,
    refusal,
    render,
    without_echo,
)
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

plain_text = st.text(st.characters(exclude_categories=["Cc", "Cs"]))
host_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", fullmatch=True)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain \t text ", "plain \t text "),
        ("line\r", "line"),
        ("line\r\r", "line"),
        ("\x1b[1;32mnsva-1{}\x1b[0m", "nsva-1{}"),
        ("\x1b]0;nsva-1{} title\x07nsva-1{}", "nsva-1{}"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("\x1bPdevice string\x1b\\text", "text"),
        ("\x1b(Bte\x1b=xt\x1b[?2004h", "text"),
        ("\x9b31mtext", "text"),
        ("--More--\r        \rnext line", "next line"),
        ("--More--\r        \rab", "ab"),
        ("--More--\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\bnext", "next"),
        ("--More--\r\x1b[Knext", "next"),
        ("--More--\x1b[2K\rnext", "next"),
        ("10%\r20%\r100% done", "100% done"),
        ("\b\bstart", "start"),
        ("bell\x07 and null\x00", "bell and null"),
        ("caf\u00e9 \u65e5\u672c", "caf\u00e9 \u65e5\u672c"),
        # The rest of a sequence may still be on its way.
        ("nsva-1{}\x1b[0", "nsva-1{}[0"),
    ],
)
def test_render(raw: str, shown: str) -> None:
    assert render(raw) == shown


@given(plain_text)
def test_render_leaves_text_alone(text: str) -> None:
    assert render(text) == text


@given(st.text())
def test_render_leaves_no_control_characters(text: str) -> None:
    assert not any((ord(character) < 32 and character != "\t") or 0x7F <= ord(character) <= 0x9F for character in render(text))


@given(plain_text, plain_text)
def test_colours_leave_nothing(before: str, after: str) -> None:
    assert render(f"\x1b[1m{before}\x1b[0m{after}").rstrip(" ") == f"{before}{after}".rstrip(" ")


@given(st.lists(st.text(max_size=20), max_size=8))
def test_transcript_does_not_depend_on_the_pieces(pieces: list[str]) -> None:
    in_pieces, at_once = Transcript(), Transcript()
    for piece in pieces:
        in_pieces.feed(piece)
    at_once.feed("".join(pieces))
    assert in_pieces.lines() == at_once.lines()
    assert (in_pieces.current(), in_pieces.repeated(9), in_pieces.size) == (at_once.current(), at_once.repeated(9), at_once.size)


def test_transcript() -> None:
    transcript = Transcript()
    assert (transcript.current(), transcript.repeated(9), transcript.lines()) == ("", 1, [""])
    transcript.feed("show version\r\nVersion 1\r\n--Mo")
    transcript.feed("re--")
    assert transcript.current() == "--More--"
    transcript.drop_current()
    transcript.feed("\r        \r\x1b[1mnsva-1{}\x1b[0m\r\nnsva-1{} ")
    assert (transcript.current(), transcript.repeated(9)) == ("nsva-1{}", 2)
    assert transcript.lines(leave_out=2) == ["show version", "Version 1"]


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("nsva-1{}", "nsva-1"),
        ("nsva-1{running}", "nsva-1"),
        ("nsva.example_2{running-mgmt}", "nsva.example_2"),
        ("nsva-1{} ", None),
        ("nsva-1{", None),
        ("nsva-1{}}", None),
        ("x nsva-1{}", None),
        ("a{b} c{d}", None),
        ("{}", None),
        ("log: configuration {running} saved", None),
        ('{"json": {}}', None),
        ("", None),
    ],
)
def test_prompt_host(line: str, host: str | None) -> None:
    assert prompt_host(line) == host


@given(host_names, st.sampled_from(["", "running", "running-mgmt"]))
def test_every_host_name_makes_a_prompt(host: str, context: str) -> None:
    assert prompt_host(f"{host}{{{context}}}") == host


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("--More--", " "),
        ("-- More --", " "),
        ("<--- More --->", " "),
        ("--More-- (53%)", " "),
        ("--More--(12%)", " "),
        ("---(more)---", " "),
        ("Press any key to continue...", " "),
        ("(END)", "q"),
        ("lines 1-23/23 (END)", "q"),
        ("more", None),
        ("Read more --", None),
        ("text --More--", None),
        ("nsva-1{}", None),
        ("", None),
    ],
)
def test_pagers(line: str, key: str | None) -> None:
    assert answer_to(line, compile_patterns(PAGERS, "pagers")) == key


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("Unregister this appliance? (y/n) ", "y"),
        ("Unregister? [y/N]: ", "y"),
        ("Are you sure (Y/N)?", "y"),
        ("Are you sure (yes/no)? ", "yes"),
        ("Continue [yes/no]", "yes"),
        ("Enter y/n to go on", None),
        ("(y/n) was asked", None),
        ("", None),
    ],
)
def test_confirmations(line: str, answer: str | None) -> None:
    assert answer_to(line, compile_patterns(CONFIRMATIONS, "confirmations")) == answer


def test_a_bad_pattern_is_named() -> None:
    with pytest.raises(InputError, match=r"ansible_nsva_pagers: '\(' is not a regular expression"):
        compile_patterns({"(": " "}, "ansible_nsva_pagers")
    with pytest.raises(InputError, match="error_patterns"):
        compile_errors(["["], "error_patterns")


@pytest.mark.parametrize(
    ("first", "removed"),
    [
        ("show version", True),
        ("  show   version ", True),
        ("nsva-1{}show version", True),
        ("nsva-1{running} show version", True),
        ("Version 1", False),
        ("what does show version do?", False),
        ("x{y} z show version", False),
        ("", False),
    ],
)
def test_echo(first: str, removed: bool) -> None:
    assert without_echo([first, "Version 1"], "show version") == (["Version 1"] if removed else [first, "Version 1"])


def test_echo_behind_late_prompts() -> None:
    assert without_echo(["", "nsva-1{}", "nsva-1{} show version", "nsva-1{}"], "show version") == ["nsva-1{}"]


def test_output_without_echo() -> None:
    for lines in ([], ["", "1"], ["nsva-1{}", "1", "show version"]):
        assert without_echo(lines, "show version") == lines


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("Error: the token has expired.", True),
        ("% Error: no", True),
        ("Valid entries at this position are:", True),
        ("Registration failed: timeout", True),
        ("Invalid token", True),
        ("The deployment token is not supported", True),
        ("your key was rejected by the server", True),
        ("Could not resolve host name", True),
        ("Registering with Trend Cloud One...", False),
        ("Registration complete, 0 errors.", False),
        ("The token is accepted", False),
        ("", False),
    ],
)
def test_registration_errors(line: str, refused: bool) -> None:
    assert find_error(["Connecting", f"  {line} "], compile_errors(REGISTRATION_ERRORS, "")) == (line if refused else None)


def test_refusal_is_told_from_output_about_errors() -> None:
    assert refusal("\n   ^\nValid entries at this position are:\n  show\n") == "Valid entries at this position are:"
    assert refusal("a\nb\nc\nError: in a log\n") is None
    assert refusal("2026-01-01T00:00:00Z error: in a log") is None
    assert refusal("") is None


# Hostile output.


@pytest.mark.parametrize(
    "line",
    [
        "-" * 4000,
        "--more" + " " * 1300 + "-" * 1300 + " " * 1300 + "x",
        "(yes/no)" * 170 + " " * 2700 + "x",
        "press any key" * 300 + ":",
        "lines 1-1" + "1" * 4000,
    ],
)
def test_the_time_for_a_question_does_not_explode(line: str) -> None:
    started = time.process_time()
    for patterns in (PAGERS, CONFIRMATIONS):
        answer_to(line, compile_patterns(patterns, "x"))
    assert time.process_time() - started < 1


def test_the_time_for_an_error_does_not_explode() -> None:
    started = time.process_time()
    assert find_error(["token " * 1_000_000], compile_errors(REGISTRATION_ERRORS, "x")) is None
    assert time.process_time() - started < 2


def test_an_error_is_found_once_for_many_keywords() -> None:
    line = "The token for the key is expired"
    assert find_error(["token key", line], compile_errors(REGISTRATION_ERRORS, "x")) == line
    assert find_error([f"key {'x' * 5000} is expired"], compile_errors(REGISTRATION_ERRORS, "x")) is None, "no message is so long"


@pytest.mark.parametrize("pattern", ["", ".*", "x?", r"\s*"])
def test_a_pattern_that_asks_for_ever(pattern: str) -> None:
    with pytest.raises(InputError, match="pagers: .* matches an empty line, which asks nothing"):
        compile_patterns({pattern: " "}, "pagers")


def test_a_line_wider_than_any_terminal() -> None:
    line = "\u65e5" * 3_000_000 + "\x1b[31mx\rover\b"
    tracemalloc.start()
    assert render(line) == "\u65e5" * 3_000_000 + "xover"
    assert tracemalloc.get_traced_memory()[1] < 100_000_000
    tracemalloc.stop()


def test_what_a_result_keeps() -> None:
    lines = [str(number) for number in range(5000)]
    assert excerpt([*lines, "x" * 10_000]) == [*lines[-999:], "x" * 4096]
