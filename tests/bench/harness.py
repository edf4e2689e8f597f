# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measuring commands, and the form in which every benchmark reports."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import signal
import statistics
import subprocess
import time
import typing as t
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Measurement:
    """One command's cost.

    :ivar seconds: wall-clock time.
    :ivar cpu_seconds: user and system time of the command and all its descendants.
    :ivar peak_mib: resident memory of its largest process, in MiB.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float


def measure(command: t.Sequence[str], *, environment: t.Mapping[str, str], output: Path, cwd: Path) -> Measurement:
    """Run a command and measure it.

    :param output: file for what the command prints.
    :raises RuntimeError: if the command fails; the message names ``output``.
    """
    started = time.monotonic()
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, env=dict(environment), cwd=cwd, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    if process.returncode:
        with contextlib.suppress(ProcessLookupError):  # what a loop that was broken off has left running
            os.killpg(process.pid, signal.SIGKILL)
        raise RuntimeError(f"{command[0]} ended with {process.returncode}; its output is in {output}")
    return Measurement(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(measurements: t.Sequence[Measurement]) -> Measurement:
    """The median of each of the three quantities."""
    return Measurement(*(statistics.median(values) for values in zip(*(asdict(item).values() for item in measurements), strict=True)))


def slope(points: t.Mapping[int, float]) -> float:
    """The exponent by which a quantity grows with a count: the slope of its logarithm over the count's."""
    counts, values = ([math.log(number) for number in numbers] for numbers in (points.keys(), points.values()))
    return statistics.linear_regression(counts, values).slope


@dataclass(frozen=True)
class Row:
    """One line of a benchmark's table: ``what`` was measured, over how many items (``n``)."""

    what: str
    n: int
    measurement: Measurement


def report(name: str, rows: t.Sequence[Row], figures: t.Mapping[str, float]) -> None:
    """Print the table and write ``build/bench/<name>.json``."""
    machine = {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
    table = [{"what": row.what, "n": row.n} | {key: round(value, 3) for key, value in asdict(row.measurement).items()} for row in rows]
    document = {"machine": machine, "rows": table, "figures": {key: round(value, 3) for key, value in figures.items()}}
    path = Path("build/bench") / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")

    print(f"{'what':<40} {'n':>6} {'seconds':>9} {'CPU s':>9} {'peak MiB':>9}")
    for row in rows:
        cost = row.measurement
        print(f"{row.what:<40} {row.n:>6} {cost.seconds:>9.2f} {cost.cpu_seconds:>9.2f} {cost.peak_mib:>9.0f}")
    for key, value in document["figures"].items():
        print(f"{key}: {value}")
    print(f"written to {path}")
