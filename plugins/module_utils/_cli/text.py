# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an appliance's command line writes, understood as text: terminal control, prompts, questions, echo, error messages.

Pure functions and one accumulator; nothing here knows about SSH.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError

# Pattern of a line that waits for an answer -> the answer. Case is ignored, and each pattern has to match the line up to its end.
PAGERS: dict[str, str] = {
    r"^[-<(: ]*[-<(] *more\b[^A-Za-z]*(?:\([^()]*\))?": " ",
    r"^\W*(?:press|hit) (?:any key|<?(?:space|enter|return)\b)[^:?]*": " ",
    r"^(?:lines \d+-\d+(?:/\d+)? *)?\(end\)": "q",
}
CONFIRMATIONS: dict[str, str] = {
    r"[(\[]yes[/|,]no[)\]]\W*": "yes",
    r"[(\[]y[/|,]n[)\]]\W*": "y",
}

# The time that these patterns take grows with the length of a line, not with its square: what is not atomic in them has but one way to match.

# Messages by which the appliance, beyond doubt, says that it did not do what was asked.
SYNTAX_ERRORS: tuple[str, ...] = (r"^valid entries at this position are:", r"^(?:% ?)?error:", r"^% ?[a-z]", r"^invalid (?:command|input)\b")
REGISTRATION_ERRORS: tuple[str, ...] = (
    *SYNTAX_ERRORS,
    r"^(?:registration )?(?:error|failed|failure|invalid|cannot|could not|unable to|unauthorized|permission denied|access denied)\b",
    r"(?>^.*?\b(?:token|key|credential|registration)\b)"
    r".* (?:is|was|has|are)? ?(?:invalid|not valid|expired|refused|rejected|denied|not supported|unsupported)\b",
)

Patterns = t.Sequence[tuple[re.Pattern[str], str]]

_ESCAPE = (
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, erasing
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC: window title
    r"|\x1b[PX^_][^\x1b]*\x1b\\"  # DCS, SOS, PM, APC: strings for the terminal
    r"|\x1b[ -/]+[0-~]|\x1b[0-OQ-WYZ\\`-~]"  # two characters and more: character sets, keypad modes
)
_CONTROL = r"[\x00-\x08\x0a-\x1f\x7f-\x9f]"
_SPECIAL = re.compile(_CONTROL)
_CONTROLS = re.compile(rf"{_ESCAPE}|{_CONTROL}")
_TOKEN = re.compile(rf"{_ESCAPE}|{_CONTROL}|[^\x00-\x08\x0a-\x1f\x7f-\x9f]+")
_ERASE_TO_END = ("\x1b[K", "\x1b[0K", "\x1b[J", "\x1b[0J")
_ERASE_LINE = ("\x1b[2K", "\x1b[2J")

_PROMPT = re.compile(r"(?P<host>[A-Za-z0-9][A-Za-z0-9_.-]*)\{[A-Za-z0-9_.-]*\}")

# So many lines of an output are kept in results, which Ansible copies many times.
MOST_LINES = 1000

# No prompt, no question and no error message is longer. It bounds the work on a line that does not end.
_LONGEST_MESSAGE = 4096
# No terminal is wider. Keeping account of each character of longer lines would take gigabytes.
_WIDEST_TERMINAL = 1024 * 1024


def render(line: str) -> str:
    """The text that a terminal shows for one line of output, without its line end.

    Colours and other sequences leave nothing; carriage return, backspace and erasing do what they do on a terminal. On a line that is longer than
    any terminal is wide, they leave nothing either.
    """
    line = line.rstrip("\r")
    if not _SPECIAL.search(line):
        return line
    if len(line) > _WIDEST_TERMINAL:
        return _CONTROLS.sub("", line).rstrip(" ")
    cells: list[str] = []
    column = 0
    for token in _TOKEN.findall(line):
        if token == "\r":
            column = 0
        elif token == "\b":
            column = max(column - 1, 0)
        elif token in _ERASE_TO_END:
            del cells[column:]
        elif token in _ERASE_LINE:
            cells = [" "] * column
        elif not _SPECIAL.match(token):
            cells[column : column + len(token)] = token
            column += len(token)
    # What was erased by overwriting it with spaces is gone.
    return "".join(cells).rstrip(" ")


class Transcript:
    """Output as it arrives, in pieces of any size.

    :ivar size: characters received.
    """

    def __init__(self) -> None:
        self.size = 0
        self._complete: list[str] = []
        self._current = ""

    def feed(self, text: str) -> None:
        """Take the next piece."""
        self.size += len(text)
        *complete, self._current = (self._current + text).split("\n")
        self._complete += complete

    def current(self) -> str:
        """The line that has not ended yet, as a terminal shows it; where a prompt stands."""
        return render(self._current[-_LONGEST_MESSAGE:]).strip()

    def repeated(self, most: int) -> int:
        """How many lines at the end, the one that has not ended included, are equal; at most ``most`` are counted."""
        current, count = self.current(), 1
        while count < most and count <= len(self._complete) and render(self._complete[-count]).strip() == current:
            count += 1
        return count

    def drop_current(self) -> None:
        """Forget the line that has not ended yet."""
        self._current = ""

    def lines(self, *, leave_out: int = 0) -> list[str]:
        """All lines as a terminal shows them, without the last ``leave_out`` ones; the one that has not ended counts as a line."""
        lines = [*self._complete, self._current]
        return [render(line) for line in lines[: len(lines) - leave_out]]


def prompt_host(line: str) -> str | None:
    """The host name in a line that is nothing but a prompt (``HOST{}``, ``HOST{running}``); ``None`` for any other line."""
    match = _PROMPT.fullmatch(line)
    return match["host"] if match else None


def compile_patterns(patterns: Mapping[str, str], option: str) -> Patterns:
    """Prepare ``patterns`` for :func:`answer_to`.

    :raises InputError: one is no regular expression, or matches a line on which nothing is written; the message names ``option``.
    """
    compiled = {pattern: _compile(pattern, option, r"(?:{})$") for pattern in patterns}
    for pattern, expression in compiled.items():
        if expression.search(""):
            raise InputError(f"{option}: {pattern!r} matches an empty line, which asks nothing.")
    return [(compiled[pattern], str(answer)) for pattern, answer in patterns.items()]


def answer_to(line: str, patterns: Patterns) -> str | None:
    """The answer to the first pattern that matches the end of ``line``; ``None`` if the line asks nothing."""
    line = line.rstrip()
    return next((answer for pattern, answer in patterns if pattern.search(line)), None)


def without_echo(lines: Sequence[str], command: str) -> list[str]:
    """``lines`` without the typed command that a terminal repeats first, with or without the prompt before it.

    Before it may stand what the terminal had not shown yet when the command was typed: line ends and prompts.
    """
    typed = command.split()
    for number, line in enumerate(lines):
        if line.split() == typed:
            return list(lines[number + 1 :])
        host, brace, rest = line.strip().partition("}")
        if host + brace and not prompt_host(host + brace):
            break
        if brace and rest.split() == typed:
            return list(lines[number + 1 :])
        if rest.strip():
            break
    return list(lines)


def compile_errors(patterns: Iterable[str], option: str) -> Sequence[re.Pattern[str]]:
    """Prepare ``patterns`` for :func:`find_error`; case is ignored.

    :raises InputError: one is no regular expression; the message names ``option``.
    """
    return [_compile(pattern, option) for pattern in patterns]


def find_error(lines: Iterable[str], patterns: Sequence[re.Pattern[str]]) -> str | None:
    """The first line that one of ``patterns`` is found in, no more of it than a message is long; ``None`` if there is none."""
    messages = (line.strip()[:_LONGEST_MESSAGE] for line in lines)
    return next((message for message in messages if any(pattern.search(message) for pattern in patterns)), None)


def excerpt(lines: Sequence[str]) -> list[str]:
    """What a result keeps of an output: the last lines, and no more of a line than a message is long."""
    return [line[:_LONGEST_MESSAGE] for line in lines[-MOST_LINES:]]


def refusal(output: str) -> str | None:
    """The message with which the appliance refused a whole command line; ``None`` if it did not.

    Only the first lines are looked at: further down, words like "error" belong to what was asked for, such as a log.
    """
    return find_error([line for line in output.splitlines() if line.strip()][:3], _SYNTAX_ERRORS)


def _compile(pattern: str, option: str, form: str = "{}") -> re.Pattern[str]:
    try:
        return re.compile(form.format(pattern), re.IGNORECASE)
    except re.error as error:
        raise InputError(f"{option}: {pattern!r} is not a regular expression: {error}.") from error


_SYNTAX_ERRORS = compile_errors(SYNTAX_ERRORS, "")
