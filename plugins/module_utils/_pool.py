# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounded concurrency in which one item's failure never stops another."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError

Item = t.TypeVar("Item")
Value = t.TypeVar("Value")


@dataclass(frozen=True)
class Outcome(t.Generic[Item, Value]):
    """What became of one item: either ``value`` or ``error``."""

    item: Item
    value: Value | None = None
    error: CloudOneError | None = None

    def result(self) -> Value:
        """Return the value.

        :raises CloudOneError: the error, if that is what became of the item.
        """
        if self.error:
            raise self.error
        return t.cast(Value, self.value)


def for_each(function: t.Callable[[Item], Value], items: t.Iterable[Item], *, concurrency: int) -> list[Outcome[Item, Value]]:
    """Call ``function`` for every item, at most ``concurrency`` at a time, and keep the items' order.

    :returns: one outcome per item. An expected failure (:class:`CloudOneError`) becomes its ``error``.
    :raises Exception: any other exception, after the calls under way have ended.
    """

    def attempt(item: Item) -> Outcome[Item, Value]:
        try:
            return Outcome(item, value=function(item))
        except CloudOneError as error:
            return Outcome(item, error=error)

    with ThreadPoolExecutor(max_workers=concurrency) as executor:
        return list(executor.map(attempt, items))
