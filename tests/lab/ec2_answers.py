# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What moto answered about EC2, kept for as long as nothing changes: to write a hundred instances down as XML takes it a tenth of a second."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from lab.aws_call import AwsCall
from lab.aws_writes import is_write

Headers = list[tuple[str, str]]
Answer = tuple[str, Headers, list[bytes]]

MOST_ANSWERS = 1000


class Ec2Answers:
    """Answers by account, region and question. Callers hold :attr:`lab.aws.Aws.lock`.

    Any write, in whatever account and service, may change what EC2 answers, so it makes all of them void.
    """

    def __init__(self) -> None:
        self._kept: dict[t.Hashable, Answer] = {}

    def answer(self, call: AwsCall, account_id: str, ask: Callable[[], Answer]) -> Answer:
        """Return the answer to a call: the one that was given before, or else what moto is asked for."""
        if is_write(call):
            self._kept.clear()
        if call.service != "ec2" or not call.action.startswith("Describe"):
            return ask()
        question = account_id, call.region, call.action, tuple(sorted(call.form.items()))
        if question not in self._kept:
            if len(self._kept) >= MOST_ANSWERS:
                self._kept.clear()
            self._kept[question] = ask()
        return self._kept[question]
