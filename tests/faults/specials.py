# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with a run as a whole: its control node, its clock, its way to the APIs, another run beside it."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

from faults.model import Result, Run
from faults.tls import untrusted_server

if t.TYPE_CHECKING:
    from faults.running import Stage

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)


def _note(result: Result, fired: bool) -> None:
    result.fired = [int(fired)]


def _read_only_home(stage: Stage, result: Result) -> Run:
    """Nothing can be made below HOME, whoever the user is."""
    _note(result, True)
    return stage.play(environment={"HOME": "/dev/null"})


def _full_disk(stage: Stage, result: Result) -> Run:
    play = stage.start()
    play.fill_disk()
    _note(result, True)
    return play.wait()


def _kept_files(stage: Stage, result: Result) -> Run:
    """Ansible leaves what it made for the modules."""
    run = stage.play(environment={"ANSIBLE_KEEP_REMOTE_FILES": "1"})
    _note(result, any(stage.node.folder.rglob("AnsiballZ_*")) or any(stage.node.folder.rglob("ansible-tmp-*")))
    return run


def _clock(offset: str) -> t.Callable[[Stage, Result], Run]:
    def play(stage: Stage, result: Result) -> Run:
        _note(result, FAKETIME is not None)
        return stage.play(environment={"LD_PRELOAD": str(FAKETIME or ""), "FAKETIME": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"})

    return play


def _two(stage: Stage, result: Result, first: t.Sequence[str], second: t.Sequence[str]) -> Run:
    """Two runs at the same time; together they are one that failed if one of them did."""
    plays = [stage.start(*arguments, name=name) for name, arguments in (("one", first), ("two", second))]
    runs = [play.wait() for play in plays]
    _note(result, True)
    output = "\n=== the other run ===\n".join(run.output for run in runs)
    worst = max(runs, key=lambda run: run.returncode)
    return Run(worst.returncode, output, sum(run.changed for run in runs), runs[0].failed | runs[1].failed)


def _two_runs(stage: Stage, result: Result) -> Run:
    return _two(stage, result, [], [])


def _two_slices(stage: Stage, result: Result) -> Run:
    """Job slices of AWX: each run has every second host of the inventory."""
    hosts = stage.scenario.hosts(stage.lab)
    run = _two(stage, result, *(["--limit", ",".join([*hosts[start::2], "localhost"])] for start in (0, 1)))
    if run.returncode:
        result.broken.append("slices disturb each other")
    return run


def _tls(variable: str, *, wrong_certificate: bool) -> t.Callable[[Stage, Result], Run]:
    """One of the endpoints speaks no TLS though its URL says so, or has a certificate that nobody vouches for."""

    def play(stage: Stage, result: Result) -> Run:
        with contextlib.ExitStack() as stack:
            url = stage.lab.environment[variable].replace("http://", "https://")
            if wrong_certificate:
                url = stack.enter_context(untrusted_server(stage.node.folder.parent)) + "/api"
            run = stage.play(environment={variable: url})
        _note(result, "SSL" in run.output or "certificate" in run.output)
        return run

    return play


KEPT_FILES = "remote files are kept"
SPECIALS: dict[str, t.Callable[[Stage, Result], Run]] = {
    "home cannot be written to": _read_only_home,
    "disk full from the start": _full_disk,
    "clock two days ahead": _clock("+2d"),
    "clock two days behind": _clock("-2d"),
    "clock that runs away": _clock("+0 x600"),
    "two runs at once": _two_runs,
    "two slices": _two_slices,
    KEPT_FILES: _kept_files,
    "AWS without TLS": _tls("AWS_ENDPOINT_URL", wrong_certificate=False),
    "AWS with a wrong certificate": _tls("AWS_ENDPOINT_URL", wrong_certificate=True),
    "API without TLS": _tls("CLOUDONE_NETSEC_URL", wrong_certificate=False),
    "API with a wrong certificate": _tls("CLOUDONE_NETSEC_URL", wrong_certificate=True),
    "Conformity without TLS": _tls("CLOUDONE_CONFORMITY_URL", wrong_certificate=False),
    "Conformity with a wrong certificate": _tls("CLOUDONE_CONFORMITY_URL", wrong_certificate=True),
}
