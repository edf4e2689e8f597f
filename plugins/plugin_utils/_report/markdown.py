# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as Markdown, of the flavour that GitHub, GitLab and chat programs know."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.model import Chart, Document, Table
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.phrases import MADE, grouped

# With one of these before it, a character stands for itself.
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-!|~^$])")
# What would become a link without any sign: the entity reads the same.
_LINKS = {"://": "&#58;//", "@": "&#64;", "www.": "www&#46;"}


def escape(text: str) -> str:
    """Text from outside as one line that means nothing but itself."""
    line = " ".join(text.split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _SPECIAL.sub(r"\\\1", line)
    for plain, entity in _LINKS.items():
        line = re.sub(re.escape(plain), entity, line, flags=re.IGNORECASE)
    # A number with a dot begins a list.
    return re.sub(r"^(\d+)\.", r"\1\\.", line)


def to_markdown(document: Document) -> str:
    """Write the document as Markdown."""
    sections = [
        f"# {document.title}",
        f"{document.generated_at:{MADE}}",
        f"**{escape(document.headline)}**",
        _rows(("Figure", "Number"), [(figure.label, f"{figure.value:,}") for figure in document.figures]),
    ]
    if document.notes:
        sections.append("\n".join(f"- {escape(note)}" for note in document.notes))
    for action in document.actions:
        what = [f"- {escape(detail)}: {_subjects(subjects)}" if detail else f"- {_subjects(subjects)}" for detail, subjects in grouped(action.items)]
        sections += [f"## {escape(action.problem)}", escape(action.advice), "\n".join(what)]
    for chart in document.charts:
        sections += [f"## {escape(chart.title)}", escape(chart.summary), _chart(chart)]
    if document.changes:
        sections += ["## What changed", "\n".join(f"- {escape(change.subject)}: {escape(change.detail)}" for change in document.changes)]
    for table in document.tables:
        sections += [f"## {escape(table.caption)}", _table(table)]
    return "\n\n".join(sections) + "\n"


def _subjects(subjects: Iterable[str]) -> str:
    return ", ".join(escape(subject) for subject in subjects)


def _chart(chart: Chart) -> str:
    most = max(each.count for each in chart.bars) or 1
    return _rows(("", "Number", ""), [(each.label, f"{each.count:,}", "█" * round(30 * each.count / most)) for each in chart.bars])


def _table(table: Table) -> str:
    table = table.without_empty_columns()
    rows = [[column.told(value) for column, value in zip(table.columns, row, strict=True)] for row in table.rows]
    return _rows([column.label for column in table.columns], rows) if rows else "Nothing."


def _rows(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    labels = [escape(label) for label in head]
    lines = [labels, ["---"] * len(labels), *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
