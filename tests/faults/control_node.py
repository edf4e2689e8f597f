# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control node of the matrix's own: home, temporary folders and log in one place, its processes watched."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import typing as t
from pathlib import Path

import psutil

from faults.model import Json, Run
from lab.lab import Lab

ROOT = Path(__file__).parents[2]
LONGEST_RUN = 600.0
LOOK_EVERY = 0.1

Command = t.Sequence[str]

_RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)


class ControlNode:
    """Where ``ansible-playbook`` runs.

    :ivar folder: everything that a run may leave is below it.
    :ivar command_lines: of all processes of the runs so far.
    """

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.command_lines: set[str] = set()
        self._own = folder.with_suffix(".matrix")
        for path in (folder / "home", folder / "tmp", self._own):
            path.mkdir(parents=True, exist_ok=True)
        # A name for the temporary folder that is short enough for the sockets which ansible-core makes there.
        self._short = tempfile.TemporaryDirectory(prefix="node-")
        temporary = Path(self._short.name) / "tmp"
        temporary.symlink_to((folder / "tmp").absolute())
        self.log = folder / "ansible.log"
        self.environment = {
            **os.environ,
            **lab.environment,
            "HOME": str(folder / "home"),
            "TMPDIR": str(temporary),
            "ANSIBLE_LOG_PATH": str(self.log),
            "ANSIBLE_REMOTE_TEMP": str(folder / "home" / ".ansible" / "tmp"),
            "ANSIBLE_FORCE_COLOR": "0",
            # So that they are searched for secrets.
            "ANSIBLE_DISPLAY_TRACEBACK": "always",
        }

    def start(self, playbook: str, arguments: Command, variables: Json, environment: t.Mapping[str, str] | None = None, name: str = "run") -> RunningPlay:
        """Start a playbook with ``-vvvv``.

        :param name: tells runs apart that are under way at the same time.
        """
        file = self._own / f"{name}.variables.json"
        file.write_text(json.dumps(variables), encoding="utf-8")
        command = ["ansible-playbook", "-vvvv", f"playbooks/{playbook}.yml", "-e", f"@{file}", *arguments]
        return RunningPlay(self, command, {**self.environment, **(environment or {})})

    def play(self, playbook: str, arguments: Command, variables: Json, environment: t.Mapping[str, str] | None = None) -> Run:
        """Run a playbook to its end."""
        return self.start(playbook, arguments, variables, environment).wait()


class RunningPlay:
    """A playbook that is under way, with all its processes."""

    def __init__(self, node: ControlNode, command: Command, environment: t.Mapping[str, str]) -> None:
        self._node = node
        self._output: list[bytes] = []
        self.killed = False
        # Into a pipe, since what it prints shall be seen also when it can write into no file.
        self._process = psutil.Popen(command, cwd=ROOT, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._watch, self._read)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        self._output += self._process.stdout

    def _watch(self) -> None:
        """Note the command lines, which everybody on the machine can read."""
        while self._process.poll() is None:
            for pid in _descendants(self._process.pid):
                with contextlib.suppress(OSError):
                    self._node.command_lines.add(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            time.sleep(LOOK_EVERY)

    def running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL to all of it. The parent first, so that it starts no more; workers are in sessions of their own."""
        self.killed = True
        children = self._process.children(recursive=True)
        for one in (self._process, *children):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()

    def kill_worker(self) -> None:
        """SIGKILL to one of the processes that carry out tasks. Others that ansible-core needs were started before them."""
        _kill_first(self._process.children()[::-1])

    def kill_module(self) -> None:
        """SIGKILL to the module that a worker has started; where there is none, to the worker."""
        children = self._process.children(recursive=True)
        grown = [child for child in children if not child.children() and child.ppid() != self._process.pid]
        _kill_first(grown or children)

    def fill_disk(self) -> None:
        """No process of it can write a byte into a file from now on: what a full disk comes to."""
        for one in (self._process, *self._process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.rlimit(psutil.RLIMIT_FSIZE, (0, 0))

    def wait(self) -> Run:
        """Wait until it has ended.

        :raises TimeoutError: after LONGEST_RUN seconds.
        """
        try:
            returncode = self._process.wait(LONGEST_RUN)
        except psutil.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"the run did not end within {LONGEST_RUN:.0f} s") from None
        for thread in self._threads:
            thread.join(LONGEST_RUN)
        output = b"".join(self._output).decode(errors="replace")
        recap = _RECAP.findall(output.rpartition("PLAY RECAP")[2]) if "PLAY RECAP" in output else []
        failed = frozenset(host for host, _changed, unreachable, failures in recap if int(unreachable) or int(failures))
        return Run(returncode, output, sum(int(changed) for _host, changed, *_rest in recap), failed, self.killed)


def _kill_first(processes: t.Sequence[psutil.Process]) -> None:
    for one in processes[:1]:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()


def _descendants(pid: int) -> t.Iterator[int]:
    """The process and all below it, by what the kernel lists."""
    yield pid
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split():
                yield from _descendants(int(child))
