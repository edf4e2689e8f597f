# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says, apart from how it looks. The field names are those of the report's JSON, see docs/reports.md."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

# To be raised when a field of the JSON is renamed, removed, or gets another meaning.
SCHEMA_VERSION = 1

Value = str | int | float | bool | None
# How urgent something is.
Level = t.Literal["bad", "warn", "good", "plain"]
Kind = t.Literal["text", "long", "code", "number", "status"]
# What stands before a word, so that not only its colour tells.
SIGNS: Mapping[Level, str] = {"bad": "✕", "warn": "!", "good": "✓", "plain": "•"}


@dataclass(frozen=True)
class Word:
    """How a value is told to people.

    :ivar rank: place when sorted, the most urgent first.
    :ivar sign: stands before it, and for it in a map.
    """

    label: str
    level: Level
    rank: int
    sign: str


def words(*told: tuple[str, str, Level] | tuple[str, str, Level, str]) -> dict[str, Word]:
    """The vocabulary of a column, the most urgent first.

    :param told: value, label, level, and a sign if it is not the level's.
    """
    return {value: Word(label, level, rank, sign[0] if sign else SIGNS[level]) for rank, (value, label, level, *sign) in enumerate(told)}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    :ivar filter: whether a reader may want to see only the rows with one of its values.
    :ivar words: how its values are told, where not as they are. A status always has them.
    """

    name: str
    label: str
    kind: Kind = "text"
    filter: bool = False
    words: Mapping[str, Word] = field(default_factory=dict)

    def word(self, value: Value) -> Word:
        """How a status is told."""
        return self.words.get(str(value)) or Word("" if value is None else str(value), "plain", len(self.words), SIGNS["plain"])

    def told(self, value: Value) -> str:
        """The value as people read it; empty if it is not known."""
        if self.words:
            return self.word(value).label
        if isinstance(value, bool):
            return "yes" if value else "no"
        return "" if value is None else str(value)


# Which appliance a row is about.
APPLIANCE = (
    Column("instance_id", "Appliance", "code"),
    Column("name", "Name"),
    Column("account_id", "Account", filter=True),
    Column("region", "Region", filter=True),
)


@dataclass(frozen=True)
class Table:
    """Rows of values, in the order of the columns.

    :ivar compact: a map of many statuses, which are shown by their signs, with a legend.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    compact: bool = False

    def choices(self, index: int) -> list[str]:
        """What a column's values are told as, each once, in their order."""
        column = self.columns[index]
        values = {row[index] for row in self.rows} - {None}
        return list(dict.fromkeys(column.told(value) for value in sorted(values, key=lambda value: (column.word(value).rank, str(value)))))

    def without_empty_columns(self) -> Table:
        """The same for people, who need no column in which nothing is known."""
        known = [index for index in range(len(self.columns)) if any(row[index] not in (None, "") for row in self.rows)]
        rows = tuple(tuple(row[index] for index in known) for row in self.rows)
        return replace(self, columns=tuple(self.columns[index] for index in known), rows=rows)

    def legend(self) -> list[Word]:
        """The words for all statuses in it."""
        found = {column.word(value) for row in self.rows for column, value in zip(self.columns, row, strict=True) if column.kind == "status" and value}
        return sorted(found, key=lambda word: (word.rank, word.label))


@dataclass(frozen=True)
class Figure:
    """A key figure."""

    name: str
    label: str
    value: int
    level: Level = "plain"


@dataclass(frozen=True)
class Item:
    """One thing that something is said of: an appliance, or a region of an account."""

    subject: str
    detail: str


@dataclass(frozen=True)
class Action:
    """Something that a person has to do.

    :ivar problem: what is wrong.
    :ivar advice: what to do about it.
    :ivar items: what it concerns.
    """

    problem: str
    advice: str
    level: Level
    items: tuple[Item, ...]

    @property
    def sign(self) -> str:
        """What stands before it."""
        return SIGNS[self.level]


@dataclass(frozen=True)
class Bar:
    """One bar of a chart."""

    label: str
    count: int
    level: Level = "plain"


@dataclass(frozen=True)
class Chart:
    """Bars over a row of labels.

    :ivar summary: what the chart shows, in a sentence.
    """

    name: str
    title: str
    summary: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Document:
    """A report.

    :ivar changes: what was changed, or would be.
    :ivar notes: what a reader has to know to understand the rest.
    """

    kind: str
    title: str
    generated_at: datetime
    headline: str
    figures: tuple[Figure, ...]
    actions: tuple[Action, ...]
    charts: tuple[Chart, ...]
    tables: tuple[Table, ...]
    changes: tuple[Item, ...]
    notes: tuple[str, ...]
