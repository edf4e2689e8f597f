# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the matrix came to: figures, a table, a page."""

from __future__ import annotations

import json
import typing as t
from collections import Counter
from pathlib import Path

import jinja2

from faults.model import Json, Result

TEMPLATE = "report.html.j2"


def figures(results: t.Sequence[Result]) -> Json:
    """The document ``report.json``.

    ``runs``: faults that were ordered, each on a subject of its own; ``fired``: those that hit a call; ``broken``: invariants that did not hold;
    ``by_playbook`` and ``by_fault``: the same by name.
    """
    by_playbook: dict[str, Counter[str]] = {}
    by_fault: dict[str, Counter[str]] = {}
    for result in results:
        counted = by_playbook.setdefault(result.round.playbook, Counter())
        counted["broken"] += len(result.broken)
        counted["playbook_runs"] += 3
        for fault, fired in zip(result.round.faults, result.fired, strict=True):
            for counter in (counted, by_fault.setdefault(fault.kind, Counter())):
                counter["runs"] += 1
                counter["fired" if fired else "not_fired"] += 1
        for kind in {fault.kind for fault in result.round.faults} if result.broken else ():
            by_fault[kind]["in_broken_rounds"] += 1
    totals = sum(by_playbook.values(), Counter())
    return {
        "runs": totals["runs"],
        "fired": totals["fired"],
        "not_fired": totals["not_fired"],
        "broken": totals["broken"],
        "secrets_found": sum(len(result.secrets) for result in results),
        "playbook_runs": totals["playbook_runs"],
        "seconds": round(sum(result.seconds for result in results), 1),
        "by_playbook": {name: _counts(counter, "broken") for name, counter in sorted(by_playbook.items())},
        "by_fault": {name: _counts(counter, "in_broken_rounds") for name, counter in sorted(by_fault.items())},
        "rounds": [_round(result) for result in results],
    }


def _counts(counter: Counter[str], last: str) -> dict[str, int]:
    return {name: counter[name] for name in ("runs", "fired", "not_fired", last)}


def _round(result: Result) -> Json:
    one = result.round
    faults = [
        {"fault": fault.kind, "step": fault.step, "subject": fault.subject, "fired": fired} for fault, fired in zip(one.faults, result.fired, strict=True)
    ]
    return {
        "playbook": one.playbook,
        "fleet": one.fleet,
        "check_mode": one.check,
        "seconds": round(result.seconds, 1),
        "faults": faults,
        "broken": result.broken,
        "secrets": result.secrets,
    }


def table(document: Json) -> str:
    """The figures for a terminal."""
    lines = [f"{'fault':<38} {'runs':>6} {'fired':>6} {'not':>6}"]
    lines += [f"{name:<38} {one['runs']:>6} {one['fired']:>6} {one['not_fired']:>6}" for name, one in document["by_fault"].items()]
    lines += ["", f"{'playbook':<38} {'runs':>6} {'fired':>6} {'not':>6} {'broken':>7}"]
    for name, one in document["by_playbook"].items():
        lines.append(f"{name:<38} {one['runs']:>6} {one['fired']:>6} {one['not_fired']:>6} {one['broken']:>7}")
    lines.append(
        f"\n{document['runs']} fault runs, {document['fired']} fired, {document['not_fired']} did not; {document['broken']} invariants broken, "
        f"{document['secrets_found']} secrets found; {document['playbook_runs']} runs of playbooks."
    )
    return "\n".join(lines)


def write(document: Json, folder: Path) -> None:
    """Write ``report.json`` and ``report.html``."""
    (folder / "report.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined)
    (folder / "report.html").write_text(environment.get_template(TEMPLATE).render(report=document), encoding="utf-8")
