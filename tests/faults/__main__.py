# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line: ``python -m faults``."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import typing as t
from pathlib import Path

from faults.matrix import plan, pool, run_rounds
from faults.model import Result
from faults.planning import thinned
from faults.report import figures, table, write

# Rounds with a single fault are most of the rounds, and few of the faults.
SAMPLE = 6


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m faults", description="Crosses the playbooks with everything that may fail; see docs/faults.md.")
    parser.add_argument("--out", type=Path, default=Path("build/faults"), help="folder for the report, and for the output of rounds that broke something")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="rounds at the same time (default: one for each processor)")
    parser.add_argument("--part", default="", help="only parts whose title (playbook, fleet, scope) matches this regular expression")
    parser.add_argument("--only", default="", help="only rounds whose title matches this regular expression")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="of the rounds with a single fault only each so many-th (default: %(default)s); 1 for all")
    parser.add_argument("--list", action="store_true", help="show the rounds, and run none")
    return parser


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run the matrix; the exit code tells whether everything held."""
    options = _parser().parse_args(arguments)
    out = options.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with pool(options.workers) as workers:
        rounds = plan(out / "work", options.part, workers.imap)
        rounds = thinned([one for one in rounds if re.search(options.only, one.title)], options.sample)
        print(f"{len(rounds)} rounds with {sum(len(one.faults) for one in rounds)} faults", flush=True)
        if options.list:
            print("\n".join(one.title for one in rounds))
            return 0
        results: list[Result] = []
        for result in run_rounds(rounds, out / "work", workers.imap_unordered):
            results.append(result)
            _tell(result, len(results), len(rounds), out)
            write(figures(results), out)
    document = figures(results)
    print(f"\n{table(document)}\nwritten to {out}")
    return 1 if document["broken"] or document["secrets_found"] else 0


def _tell(result: Result, number: int, count: int, out: Path) -> None:
    """Show that a round is over, and keep the output of one that broke something."""
    problems = result.broken + result.secrets
    print(f"[{number}/{count}] {result.seconds:5.1f} s  {sum(map(bool, result.fired))}/{len(result.fired)} fired  {result.round.title}", flush=True)
    if problems:
        file = out / f"broken-{number:04d}.log"
        file.write_text("\n".join(problems) + "\n\n" + result.log, encoding="utf-8")
        print("".join(f"    BROKEN: {problem[:400]}\n" for problem in problems) + f"    output: {file}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
