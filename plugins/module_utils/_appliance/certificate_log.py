# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an appliance's system log says about its certificate. Pure.

An appliance whose certificate expired logs errors. How often is not documented, so nothing is concluded from few errors, nor from none.
"""

from __future__ import annotations

import itertools
import typing as t
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

State = t.Literal["searched", "not_streamed", "missing", "denied", "failed", "not_asked"]

# Errors of a certificate can arrive for a while after it was replaced: connections end, logs are handed on, and the clocks of the appliance,
# of AWS and of whoever noted the registration differ.
TOLERANCE = timedelta(hours=1)

# Errors count as over only after a time in which the log went on, and in which many of them were to be expected.
_SHORTEST_SILENCE = timedelta(days=7)
_EXPECTED_ERRORS = 10
# In each part of that time the log must have a line.
_PARTS = 7


@dataclass(frozen=True)
class LogEvidence:
    """What is known of an appliance's system log.

    :ivar state: whether CloudWatch Logs was searched for certificate errors, or why it was not.
    :ivar note: the same in words, for people; ``None`` if there is nothing to say.
    :ivar searched_from: the log was searched completely from then on, as far as it exists.
    :ivar last_line_at: time of the last line in CloudWatch, as far as known.
    :ivar errors: when certificate errors were logged, in their order, from wherever they are known.
    :ivar lines_since: times of some other lines after the last error.
    :ivar from_cli: whether errors that the appliance's command line told are among :ivar:`errors`.
    """

    state: State = "not_asked"
    note: str | None = None
    searched_from: datetime | None = None
    last_line_at: datetime | None = None
    errors: tuple[datetime, ...] = ()
    lines_since: tuple[datetime, ...] = ()
    from_cli: bool = False

    @property
    def known(self) -> bool:
        """Whether anything looked for errors, so that their number means something."""
        return self.state == "searched" or self.from_cli or bool(self.errors)

    def with_cli(self, errors: t.Iterable[datetime], now: datetime) -> LogEvidence:
        """The same, with what the appliance's command line told. Its clock may be ahead."""
        return replace(self, errors=tuple(sorted({*self.errors, *(min(error, now) for error in errors)})), from_cli=True)


def errors_after(errors: t.Iterable[datetime], registered_at: datetime) -> tuple[datetime, ...]:
    """The errors that are newer than a registration. Lines before it never count."""
    return tuple(error for error in errors if error > registered_at + TOLERANCE)


def silence_to_prove(errors: t.Sequence[datetime], now: datetime) -> list[tuple[datetime, datetime]]:
    """The parts of time in each of which a log must have a line, to prove that errors are over.

    :param errors: in their order.
    :returns: begin and end of each part, back from now; none, if it cannot be proved: there were too few errors to tell how often they come,
        or the last one is too new.
    """
    gaps = [after - before for before, after in itertools.pairwise(errors)]
    silence = max(_SHORTEST_SILENCE, _EXPECTED_ERRORS * max(gaps, default=timedelta(0)))
    if not gaps or now - silence <= errors[-1]:
        return []
    part = silence / _PARTS
    return [(now - (number + 1) * part, now - number * part) for number in range(_PARTS)]


def errors_are_over(log: LogEvidence, errors: t.Sequence[datetime], now: datetime) -> bool:
    """Whether the log proves that there are no such errors any more: it went on without them for long.

    :param errors: those that count, in their order.
    """
    parts = silence_to_prove(errors, now)
    return bool(parts) and all(any(begin <= line < end for line in log.lines_since) for begin, end in parts)
