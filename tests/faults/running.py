# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the rounds: a run with faults, a plain one, one that must change nothing; and looks into the lab's world after each."""

from __future__ import annotations

import contextlib
import shutil
import time
import typing as t
from pathlib import Path

import psutil

from faults.catalogue import KILL_BASTION, KILL_RUN, REPLACE
from faults.control_node import ControlNode, RunningPlay
from faults.leaks import Secrets
from faults.model import Fault, Result, Round, Run, Step
from faults.other_hands import replace_instance
from faults.planning import HOLD
from faults.recording import steps_of
from faults.scenarios import SCENARIOS, Scenario
from faults.specials import KEPT_FILES, SPECIALS
from lab.aws import ACCOUNT_ID
from lab.fleet import parse_fleet
from lab.lab import Lab

LOOK_EVERY = 0.02
REPORT_VARIABLES = ("netsec_report_dir", "conformity_rtm_report_dir")
# How ansible-core tells of an exception that a module did not expect.
CRASH = "Task failed: Module failed: "


class Stage:
    """A scenario with a fresh lab and a control node."""

    def __init__(self, playbook: str, fleet: str, folder: Path) -> None:
        self.scenario: Scenario = SCENARIOS[playbook]
        shutil.rmtree(folder, ignore_errors=True)
        self.lab = Lab(parse_fleet(self.scenario.fleets[fleet]), folder / "lab")
        self._folder = folder

    def __enter__(self) -> Stage:
        self.lab.__enter__()
        self.node = ControlNode(self.lab, self._folder / "node")
        return self

    def __exit__(self, *error: object) -> None:
        self.lab.__exit__(*error)

    def start(self, *arguments: str, environment: t.Mapping[str, str] | None = None, name: str = "run", reports: bool = True) -> RunningPlay:
        """Start the playbook.

        :param reports: whether it writes reports, which name the time and so are another change in each run.
        """
        folder = str(self.node.folder / "reports")
        variables = {**self.scenario.variables(self.lab), **(dict.fromkeys(REPORT_VARIABLES, folder) if reports else {})}
        return self.node.start(self.scenario.playbook, [*self.scenario.arguments(), *arguments], variables, environment, name)

    def play(self, *arguments: str, environment: t.Mapping[str, str] | None = None, reports: bool = True) -> Run:
        """Run the playbook to its end."""
        return self.start(*arguments, environment=environment, reports=reports).wait()

    def writes(self) -> list[str]:
        """What the lab was asked to change since the calls were cleared."""
        return [step.name for step in steps_of(self.lab.control.calls(), ACCOUNT_ID) if step.write]


def record(playbook: str, fleet: str, folder: Path, *, check: bool = False) -> list[Step]:
    """Return the steps of a clean run.

    :raises RuntimeError: if it fails or leaves something undone.
    """
    with Stage(playbook, fleet, folder) as stage:
        run = stage.play(*(["--check"] if check else []))
        wrong = [] if check else stage.scenario.unfinished(stage.lab)
        if run.returncode or wrong:
            log = folder.with_suffix(".log")
            log.write_text(run.output, encoding="utf-8")
            raise RuntimeError(f"The clean run of {playbook} ended with {run.returncode}: {wrong}; its output is in {log}")
        return steps_of(stage.lab.control.calls(), ACCOUNT_ID)


def play_round(one: Round, folder: Path) -> Result:
    """Run one round; whatever goes wrong in the matrix itself is a broken invariant, too."""
    result, began = Result(one, fired=[0] * len(one.faults)), time.monotonic()
    try:
        with Stage(one.playbook, one.fleet, folder) as stage:
            _play(stage, one, result)
    except Exception as error:
        result.broken.append(f"the round could not be carried through: {type(error).__name__}: {error}")
    result.seconds = time.monotonic() - began
    return result


def _play(stage: Stage, one: Round, result: Result) -> None:
    lab, scenario = stage.lab, stage.scenario
    before = lab.control.world()
    run = SPECIALS[one.special](stage, result) if one.special else _with_faults(stage, one, result)
    result.log = run.output
    _inspect(result, run, "the run with faults")
    if one.check:
        result.broken += [f"check mode wrote {call}" for call in stage.writes()]
        if [each["tags"] for each in lab.control.world()["appliances"]] != [each["tags"] for each in before["appliances"]]:
            result.broken.append("check mode changed tags")
    else:
        result.broken += [f"after the run with faults: {problem}" for problem in scenario.unreported(lab, run)]
    lab.control.clear_faults()
    again = stage.play()
    _inspect(result, again, "the run after it")
    gone = [fault.subject for fault in one.faults if fault.act == REPLACE]
    if again.returncode and not gone:
        result.broken.append(f"the plain run after it ends with {again.returncode}")
        result.log += f"\n\n=== the plain run after it ===\n{again.output}"
    if scenario.let_leases_lapse(lab):
        stage.play()
    result.broken += [f"after the plain run: {problem}" for problem in scenario.unfinished(lab) if not gone]
    lab.control.clear_calls()
    further = stage.play(reports=False)
    if further.changed or (writes := stage.writes()):
        result.broken.append(f"a further run changed something: {further.changed} tasks, {writes if not further.changed else ''}")
    _look_for_secrets(stage, result, [run, again, further])


def _with_faults(stage: Stage, one: Round, result: Result) -> Run:
    """Run with the faults of a round, and count which fired."""
    control = stage.lab.control
    ordered = [[control.add_fault(**order) for order in fault.orders] for fault in one.faults]
    ids = [numbers[0] for numbers in ordered]
    play = stage.start(*(["--check"] if one.check else []))
    pending = [(number, fault) for number, fault in zip(ids, one.faults, strict=True) if fault.act]
    while pending and play.running():
        time.sleep(LOOK_EVERY)
        fired = {fault["id"] for fault in control.faults() if fault["fired"]}
        for number, fault in [each for each in pending if each[0] in fired]:
            _act(stage, play, fault)
            pending.remove((number, fault))
    run = play.wait()
    if run.killed:
        time.sleep(HOLD)  # what was under way is carried out, or not, before anybody looks
    counts = {fault["id"]: fault["fired"] for fault in control.faults()}
    result.fired = [counts[number] for number in ids]
    return run


def _act(stage: Stage, play: RunningPlay, fault: Fault) -> None:
    """Do to the run what belongs to a fault that has just fired."""
    if fault.act == KILL_BASTION:
        sshd = psutil.Process(int((stage.lab.state_dir.path / "sshd.pid").read_text()))
        for session in sshd.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                session.kill()
    elif fault.act == REPLACE:
        replace_instance(stage.lab, fault.subject)
    else:
        {KILL_RUN: play.kill, "worker killed": play.kill_worker, "module killed": play.kill_module, "disk full": play.fill_disk}[fault.act]()


def _inspect(result: Result, run: Run, which: str) -> None:
    """Whatever happens outside, a module fails with a reason and does not crash."""
    crashes = {line.partition(CRASH)[2] for line in run.output.splitlines() if '"msg": ' in line and CRASH in line}
    result.broken += [f"in {which} a module crashed: {crash[:200]}" for crash in sorted(crashes)]


def _look_for_secrets(stage: Stage, result: Result, runs: t.Sequence[Run]) -> None:
    secrets = Secrets({**stage.lab.secrets(), **stage.scenario.secrets()})
    for number, run in enumerate(runs):
        result.secrets += [f"{name} in the output of run {number + 1}" for name in secrets.found_in(run.output)]
    result.secrets += [f"{name} in the process list" for name in secrets.found_in("\n".join(sorted(stage.node.command_lines)))]
    # What the user has asked to be kept may hold the arguments of modules, for the user's own eyes.
    left = secrets.found_below(stage.node.folder, only_readable=result.round.special == KEPT_FILES)
    result.secrets += [f"{each}, left behind" for each in left]
