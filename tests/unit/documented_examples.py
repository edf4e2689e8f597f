# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Markdown files of the repository say: their blocks of code, command lines, links and anchors."""

from __future__ import annotations

import functools
import re
import shlex
import typing as t
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
# The README is shown on Ansible Galaxy too, where only full URLs work, so it has the repository's own files by these.
HOMEPAGE = "https://github.com/trendmicro/ansible-cloudone"


@dataclass(frozen=True)
class Snippet:
    """A piece of code in a Markdown file."""

    file: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


@functools.cache
def tokens(file: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(file.read_text(encoding="utf-8"))


def inline(file: Path) -> t.Iterator[tuple[int, Token]]:
    """Each inline token, and the line of the paragraph that it stands in."""
    line = 0
    for token in tokens(file):
        line = token.map[0] + 1 if token.map else line
        yield from ((line, child) for child in token.children or [])


def blocks(*languages: str) -> list[Snippet]:
    """All fenced blocks in one of these languages."""
    return [
        Snippet(file, (token.map or [0])[0] + 1, token.info, token.content)
        for file in FILES
        for token in tokens(file)
        if token.type == "fence" and token.info in languages
    ]


def code_spans() -> list[Snippet]:
    return [Snippet(file, line, "", token.content) for file in FILES for line, token in inline(file) if token.type == "code_inline"]


def command_lines() -> list[Snippet]:
    """What a reader would type, each as one logical line: in blocks of a console, and in the text where options of ansible-playbook are meant."""
    typed = [Snippet(block.file, block.line, "", command) for block in blocks("console") for command in typed_in(block.text)]
    return typed + [span for span in code_spans() if re.search(r"ansible-playbook .|(^|\s)(-e|--tags) \S", span.text)]


def typed_in(console: str) -> list[str]:
    """The commands of a console's block. Where it shows prompts, lines without one are output, unless they continue a command."""
    has_prompts = console.startswith("$ ") or "\n$ " in console
    commands, pending = [], ""
    for line in console.splitlines():
        if not pending and has_prompts and not line.startswith("$ "):
            continue
        pending += line.removeprefix("$ ")
        if pending.endswith("\\"):
            pending = pending[:-1]
        elif is_complete(pending):
            commands.append(pending)
            pending = ""
    assert not pending, pending
    return commands


def is_complete(command: str) -> bool:
    """Whether all its quotes are closed."""
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return False
    return True


def links(file: Path) -> list[str]:
    """Targets of links and images into this repository, as paths relative to the file; an anchor of the file itself begins with ``#``."""
    up = "../" * (len(file.relative_to(ROOT).parts) - 1)
    found = []
    for _line, token in inline(file):
        target = unquote(str(token.attrs.get("href") or token.attrs.get("src") or ""))
        target = re.sub(rf"^{HOMEPAGE}/(?:blob|tree|raw)/main/", up, target)
        target = re.sub(rf"^{HOMEPAGE}(?=#)", f"{up}README.md", target)
        if target and not re.match(r"https?:|mailto:", target):
            found.append(target)
    return found


@functools.cache
def anchors(file: Path) -> set[str]:
    """The anchors that GitHub makes of the headings."""
    found: set[str] = set()
    for heading, content in zip(tokens(file), tokens(file)[1:], strict=False):
        if heading.type == "heading_open":
            words = "".join(child.content for child in content.children or [])
            name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            found.add(next(one for one in (name, *(f"{name}-{count}" for count in range(1, 100))) if one not in found))
    return found
