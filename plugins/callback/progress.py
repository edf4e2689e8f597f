# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that tell how far a long play is."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: aggregate
short_description: Tell how far a long run is
description:
  - While a play runs, shows a line now and then that tells how many hosts are done, failed, running and left, at which step the run is, and when it ends.
  - The lines are plain text without any control of the cursor. They go where all output of Ansible goes, so they are in a terminal, in a file, in
    Ansible's log and in the output of AWX.
  - C(done) are hosts for which the play ended without failure, also those for which there was nothing to do. C(changed) are those of them on which a task
    changed something; what a task with C(run_once) changed cannot be told for single hosts and does not count. C(left) are hosts in batches that
    have not begun; in the last line, all that were not finished.
  - The end is an estimate. It is shown from the moment a batch (C(serial)) is done, counted in waves of as many hosts as there are forks, and no longer
    once the batch that runs takes longer than estimated. For a step that runs on many hosts, its own end is estimated after a first wave.
  - What happens inside a task cannot be told.
version_added: 1.0.0
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
requirements:
  - to be enabled in the configuration, C(callbacks_enabled = trendmicro.cloudone.progress)
notes:
  - Callback plugins that write one document for the whole run (for example C(ansible.posix.json)) do not go well with further lines.
  - It reads names of plays and tasks and whether a task changed something, no results and no variables of hosts.
options:
  interval:
    description:
      - Seconds between two lines, at least. The end of each batch and of the play has a line in any case.
      - With V(0) there are no other lines.
    type: float
    default: 10
    env:
      - name: CLOUDONE_PROGRESS_INTERVAL
    ini:
      - section: callback_cloudone_progress
        key: interval
  min_hosts:
    description: Plays with fewer hosts are not shown.
    type: int
    default: 2
    env:
      - name: CLOUDONE_PROGRESS_MIN_HOSTS
    ini:
      - section: callback_cloudone_progress
        key: min_hosts
  timestamps:
    description: Whether each line begins with the time of day, as the machine that runs Ansible has it.
    type: bool
    default: true
    env:
      - name: CLOUDONE_PROGRESS_TIMESTAMPS
    ini:
      - section: callback_cloudone_progress
        key: timestamps
"""

EXAMPLES = r"""
# ansible.cfg
enable: |
  [defaults]
  callbacks_enabled = trendmicro.cloudone.progress

# For one run:
#   ANSIBLE_CALLBACKS_ENABLED=trendmicro.cloudone.progress ansible-playbook trendmicro.cloudone.renew_certs
#
# PROGRESS 12:39:10 Renew appliance certificates: 13 of 50 done (9 changed), 0 failed, 37 running, 0 left; batch 3 of 3, step 14 of 27: Register the appliance
#   (12 of 37 hosts, about 0:40 more); 2:41 elapsed, ends about 12:41
"""

import functools
import threading
import time
import typing as t
from datetime import datetime

from ansible import context
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback import CallbackBase
from ansible.utils.helpers import pct_to_int

from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._progress import PlayProgress
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ticker import Ticker

# Strategies in which a task begins on all hosts before the next one does.
LOCKSTEP = ("linear", "debug")


def _harmless(hook: t.Callable[..., None]) -> t.Callable[..., None]:
    """A fault in here costs the run nothing but its progress. And only one thread at a time looks at the progress, or writes of it."""

    @functools.wraps(hook)
    def wrapped(self: CallbackModule, *arguments: t.Any, **options: t.Any) -> None:
        try:
            with self._lock:
                hook(self, *arguments, **options)
        except Exception as error:
            self._give_up(error)

    return wrapped


class CallbackModule(CallbackBase):
    """Passes on what Ansible tells, and shows the lines.

    The thread that shows a line when nothing else happens does so as Ansible's own thread for messages of workers does: through the display, whose lock is
    held while a worker is forked. No worker ever uses the lock of this plugin. So no worker can inherit a lock that it would wait for.
    """

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "trendmicro.cloudone.progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *arguments: t.Any, **options: t.Any) -> None:
        super().__init__(*arguments, **options)
        self._lock = threading.Lock()
        self._ticker: Ticker | None = None
        self._play_id = ""
        self._lockstep = True
        self._progress: PlayProgress | None = None
        # For all plays: Ansible does nothing more with a host that failed.
        self._lost: set[str] = set()
        self._next_line = 0.0

    @_harmless
    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        """Ansible says so for each batch of a play."""
        now = time.monotonic()
        variables = play.get_variable_manager().get_vars(play=play)
        if play._uuid == self._play_id:
            if self._progress:
                self._progress.end_batch(now)
                self._show(self._progress.tell_batch(now, datetime.now()))
        else:
            self._end_play(now)
            self._play_id = play._uuid
            self._begin_play(play, variables, now)
        if self._progress:
            self._progress.begin_batch(variables["ansible_play_batch"], self._lost, now)

    @_harmless
    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        self._begin_step(task, handler=False)

    @_harmless
    def v2_playbook_on_handler_task_start(self, task: t.Any) -> None:
        self._begin_step(task, handler=True)

    @_harmless
    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._end_step(result)

    @_harmless
    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._end_step(result, skipped=True)

    @_harmless
    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        task = result._task
        if ignore_errors or _is_rescued(task):
            self._end_step(result)
            return
        self._fail(result)
        if self._progress and (task.run_once is True or task.any_errors_fatal is True):
            # Ansible takes the others out of the play as well.
            self._progress.break_off()

    @_harmless
    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        if result._task.ignore_unreachable:
            self._end_step(result)
        else:
            self._fail(result)

    @_harmless
    def v2_playbook_on_no_hosts_remaining(self) -> None:
        if self._progress:
            self._progress.break_off()

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        """The end of a playbook. After it comes no line."""
        if self._ticker:
            # Outside of the lock, for which the thread may be waiting.
            self._ticker.stop()
            self._ticker = None
        self._end_last_play()

    @_harmless
    def _end_last_play(self) -> None:
        self._end_play(time.monotonic())
        self._play_id = ""

    def _begin_play(self, play: t.Any, variables: dict[str, t.Any], now: float) -> None:
        hosts = len(variables["ansible_play_hosts_all"])
        if hosts < max(self.get_option("min_hosts"), 1):
            return
        self._lockstep = str(play.strategy).rpartition(".")[2] in LOCKSTEP
        self._progress = PlayProgress(
            play.get_name(),
            hosts=hosts,
            serial=[pct_to_int(size, hosts) for size in play.serial],
            steps=_steps(play, variables),
            forks=context.CLIARGS.get("forks") or 1,
            now=now,
        )
        interval = self.get_option("interval")
        self._next_line = now + interval
        if interval > 0 and not self._ticker:
            self._ticker = Ticker(self._tick, interval)

    def _end_play(self, now: float) -> None:
        if self._progress:
            self._progress.end_batch(now)
            self._show(self._progress.tell_end(now))
            self._progress = None

    def _begin_step(self, task: t.Any, *, handler: bool) -> None:
        if self._progress:
            countable = self._lockstep and task.run_once is not True
            self._progress.begin_step(task._uuid, task.name or task.get_name(), countable=countable, handler=handler, now=time.monotonic())

    def _end_step(self, result: t.Any, *, skipped: bool = False) -> None:
        if self._progress:
            changed = result._task.run_once is not True and result.is_changed()
            self._progress.end_step(result._task._uuid, result._host.get_name(), changed=changed, skipped=skipped)

    def _fail(self, result: t.Any) -> None:
        host = result._host.get_name()
        self._lost.add(host)
        if self._progress:
            self._progress.fail(host)

    def _tick(self) -> float:
        """Show a line if it is time for one.

        :returns: seconds until it is time for the next one.
        """
        self._show_if_due()
        return max(self._next_line - time.monotonic(), 0.05)

    @_harmless
    def _show_if_due(self) -> None:
        now = time.monotonic()
        if now < self._next_line:
            return
        if self._progress:
            self._show(self._progress.tell(now, datetime.now()))
        else:
            self._next_line = now + self.get_option("interval")

    def _show(self, text: str) -> None:
        self._next_line = time.monotonic() + self.get_option("interval")
        time_of_day = f"{datetime.now():%H:%M:%S} " if self.get_option("timestamps") else ""
        self._display.display(f"PROGRESS {time_of_day}{text}")

    def _give_up(self, error: Exception) -> None:
        self.disabled = True
        if self._ticker:
            self._ticker.cancel()
        self._display.warning(f"The run goes on, but its progress is no longer shown: {type(error).__name__}: {error}. Please report this.")


def _steps(play: t.Any, variables: dict[str, t.Any]) -> list[str] | None:
    """The ids of the tasks that the play runs, as far as tags allow, in their order; None if it includes tasks while it runs."""
    tasks = [task for block in play.compile() for task in block.filter_tagged_tasks(variables).get_tasks()]
    if any(isinstance(task, TaskInclude) for task in tasks):
        return None
    return [task._uuid for task in tasks if str(task.action).rpartition(".")[2] != "meta"]


def _is_rescued(task: t.Any) -> bool:
    """Whether a task stands in a block, however deep, whose rescue section takes its failure."""
    inner, outer = task, task._parent
    while outer is not None:
        # Sections are compared by id, because Ansible works with copies.
        if getattr(outer, "rescue", None) and any(one._uuid == inner._uuid for one in outer.block):
            return True
        inner, outer = outer, outer._parent
    return False
