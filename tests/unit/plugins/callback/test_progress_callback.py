# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The callback with Ansible's own plays and tasks; only the results are made here."""

from __future__ import annotations

import time
import typing as t
from types import SimpleNamespace

import pytest
import yaml
from ansible import context
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.vars.manager import VariableManager

from ansible_collections.trendmicro.cloudone.plugins.callback.progress import CallbackModule

TASKS = """
- {name: one, debug: {}}
- {name: two, debug: {}, run_once: true, tags: [twice]}
- name: around
  block:
    - name: inner
      block:
        - {name: three, debug: {}}
      always:
        - {name: four, debug: {}}
  rescue:
    - {name: five, debug: {}}
- {name: hidden, debug: {}, tags: [never]}
- {meta: noop}
- {name: last, debug: {}, any_errors_fatal: true, ignore_unreachable: true}
"""


class Run:
    """Tells the callback of a run over hosts ``h1``, ``h2``, ... as Ansible would."""

    def __init__(self, hosts: int, **options: t.Any) -> None:
        self.loader = DataLoader()
        self.inventory = InventoryManager(loader=self.loader, sources=[",".join(f"h{number + 1}" for number in range(hosts)) + ","])
        self.variables = VariableManager(loader=self.loader, inventory=self.inventory)
        self.lines: list[str] = []
        self.warnings: list[str] = []
        self.callback = CallbackModule(display=SimpleNamespace(display=self.lines.append, warning=self.warnings.append, verbosity=0))
        settings = {"interval": 0.0, "min_hosts": 2, "timestamps": False} | options
        self.callback.get_option = settings.__getitem__

    def play(self, tasks: str = TASKS, **keywords: t.Any) -> Play:
        data = {"name": "Renew", "hosts": "all", "gather_facts": False, "tasks": yaml.safe_load(tasks), **keywords}
        return Play.load(data, variable_manager=self.variables, loader=self.loader)

    def begin(self, play: Play, *hosts: str) -> None:
        """Begin a batch."""
        self.inventory.restrict_to_hosts([self.inventory.get_host(host) for host in hosts])
        copy = play.copy()
        self.tasks = {task.name: task for block in copy.compile() for task in block.get_tasks()}
        self.callback.v2_playbook_on_play_start(copy)

    def start(self, task: str) -> None:
        self.callback.v2_playbook_on_task_start(self.tasks[task], is_conditional=False)

    def result(self, task: str, host: str, *, changed: bool = False) -> t.Any:
        return SimpleNamespace(_task=self.tasks[task], _host=self.inventory.get_host(host), is_changed=lambda: changed)

    def ok(self, task: str, *hosts: str, changed: bool = False) -> None:
        for host in hosts:
            self.callback.v2_runner_on_ok(self.result(task, host, changed=changed))

    def fail(self, task: str, host: str, *, ignore_errors: bool = False) -> None:
        self.callback.v2_runner_on_failed(self.result(task, host), ignore_errors=ignore_errors)

    def state(self) -> str:
        """What the next line would tell, without its times."""
        self.callback._next_line = 0.0
        self.callback._tick()
        return self.lines[-1].removeprefix("PROGRESS Renew: ").partition("; 0:00 elapsed")[0]

    def end(self) -> str:
        self.callback.v2_playbook_on_stats(None)
        assert self.warnings == []
        return self.lines[-1].removeprefix("PROGRESS Renew: ").partition("; ended")[0]


@pytest.fixture(autouse=True)
def command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(forks=5, tags=["all"], skip_tags=[]))


def test_batches_steps_and_changes() -> None:
    run = Run(5)
    play = run.play(serial=[1, "40%", "100%"])
    run.begin(play, "h1")
    run.start("one")
    assert run.state() == "0 of 5 done, 0 failed, 1 running, 4 left; batch 1 of 3, step 1 of 6: one"
    run.ok("one", "h1", changed=True)
    run.start("two")
    run.ok("two", "h1")
    run.begin(play, "h2", "h3")
    assert run.lines[-1].startswith("PROGRESS Renew: 1 of 5 done (1 changed), 0 failed, 4 left; batch 1 of 3 ended after 0:00; 0:00 elapsed, ends about ")
    run.start("one")
    run.callback.v2_runner_on_skipped(run.result("one", "h2"))
    assert run.state() == "1 of 5 done (1 changed), 0 failed, 2 running, 2 left; batch 2 of 3, step 1 of 6: one (1 of 2 hosts)"
    run.start("two")
    run.ok("two", "h2", changed=True)
    assert run.state().endswith("step 2 of 6: two")
    run.start("last")
    run.ok("last", "h3")
    assert run.state().startswith("2 of 5 done (1 changed), 0 failed, 1 running, 2 left; batch 2 of 3, step 6 of 6: last")
    assert run.end() == "3 of 5 done (1 changed), 0 failed, 2 left"


def test_tags_leave_steps_out() -> None:
    run = Run(2)
    play = run.play()
    play.only_tags, play.skip_tags = {"all", "never"}, {"twice"}
    run.begin(play, "h1", "h2")
    run.start("hidden")
    assert run.state().endswith("step 5 of 6: hidden")


def test_which_failures_count() -> None:
    run = Run(6)
    run.begin(run.play(), "h1", "h2", "h3", "h4", "h5", "h6")
    run.start("one")
    run.fail("one", "h1")
    run.fail("one", "h2", ignore_errors=True)
    run.callback.v2_runner_on_unreachable(run.result("one", "h3"))
    run.start("three")
    run.fail("three", "h4")
    run.fail("four", "h5")
    run.fail("five", "h6")
    run.callback.v2_runner_on_unreachable(run.result("last", "h2"))
    assert run.end() == "3 of 6 done, 3 failed, 0 left"


@pytest.mark.parametrize("task", ["two", "last"])
def test_a_failure_that_ends_it_for_all(task: str) -> None:
    run = Run(3)
    run.begin(run.play(), "h1", "h2", "h3")
    run.fail(task, "h2")
    assert run.end() == "0 of 3 done, 1 failed, 2 left"


def test_no_more_hosts() -> None:
    run = Run(3)
    run.begin(run.play(serial=[2]), "h1", "h2")
    run.fail("one", "h2")
    run.callback.v2_playbook_on_no_hosts_remaining()
    assert run.end() == "0 of 3 done, 1 failed, 2 left"


def test_a_failed_host_stays_failed_in_the_next_play() -> None:
    run = Run(2)
    run.begin(run.play(), "h1", "h2")
    run.fail("one", "h1")
    run.begin(run.play(), "h1", "h2")
    assert run.lines == ["PROGRESS Renew: 1 of 2 done, 1 failed, 0 left; ended after 0:00"]
    assert run.state().startswith("0 of 2 done, 1 failed, 1 running, 0 left")
    assert run.end() == "1 of 2 done, 1 failed, 0 left"


def test_small_plays_are_not_shown() -> None:
    run = Run(3, min_hosts=4)
    play = run.play(serial=[2])
    run.begin(play, "h1", "h2")
    run.start("one")
    run.ok("one", "h1")
    run.fail("one", "h2")
    run.callback.v2_playbook_on_no_hosts_remaining()
    run.begin(play, "h3")
    run.callback._next_line = 0.0
    run.callback._tick()
    run.callback.v2_playbook_on_stats(None)
    assert (run.lines, run.warnings) == ([], [])


def test_included_tasks_handlers_and_strategies_without_lockstep() -> None:
    run = Run(2)
    run.begin(run.play("- {include_tasks: more.yml}\n- {name: one, debug: {}}", strategy="ansible.builtin.free"), "h1", "h2")
    run.start("one")
    run.ok("one", "h1")
    assert run.state().endswith("step 1: one")
    run.callback.v2_playbook_on_handler_task_start(run.tasks["one"])
    run.ok("one", "h2")
    assert run.end() == "2 of 2 done, 0 failed, 0 left"


def test_a_play_without_hosts_has_no_line() -> None:
    run = Run(1, min_hosts=0)
    run.begin(run.play(hosts="nobody"))
    run.callback.v2_playbook_on_stats(None)
    assert (run.lines, run.warnings) == ([], [])


def test_a_line_begins_with_the_time_of_day() -> None:
    run = Run(2, timestamps=True)
    run.begin(run.play(), "h1", "h2")
    run.callback.v2_playbook_on_stats(None)
    word, clock, _rest = run.lines[-1].split(" ", 2)
    assert word == "PROGRESS"
    time.strptime(clock, "%H:%M:%S")


def test_lines_come_while_nothing_happens_and_none_after_the_end() -> None:
    run = Run(2, interval=0.01)
    run.begin(run.play(), "h1", "h2")
    deadline = time.monotonic() + 10
    while len(run.lines) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    ticker = run.callback._ticker
    assert ticker
    assert run.end() == "2 of 2 done, 0 failed, 0 left"
    assert len(run.lines) > 3
    assert not ticker._thread.is_alive()
    assert [line for line in run.lines if "; ended after" in line] == [run.lines[-1]]
    # A further playbook of the same command.
    run.begin(run.play(), "h1", "h2")
    assert run.callback._ticker is not ticker
    run.end()


def test_what_it_cannot_understand_ends_the_lines_and_nothing_else() -> None:
    run = Run(2, interval=0.01)
    run.begin(run.play(), "h1", "h2")
    ticker = run.callback._ticker
    assert ticker
    run.callback.v2_runner_on_ok(object())
    assert run.callback.disabled
    assert len(run.warnings) == 1
    assert "AttributeError" in run.warnings[0]
    ticker._thread.join(10)
    assert not ticker._thread.is_alive()
    run.callback.v2_playbook_on_stats(None)


def test_a_display_that_fails_ends_the_lines_too(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(2, interval=0.01)

    def broken(text: str) -> None:
        raise OSError("no space left")

    run.callback._display.display = broken
    run.begin(run.play(), "h1", "h2")
    ticker = run.callback._ticker
    assert ticker
    ticker._thread.join(10)
    assert run.callback.disabled
    assert not ticker._thread.is_alive()
