# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that tell how far a run is, against Ansible's own count of what became of each host."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import typing as t
from pathlib import Path

from conftest import ROOT, Site

StartSite = t.Callable[..., Site]
EXPIRED = {"registered_days_ago": 745}
PROGRESS = {"ANSIBLE_CALLBACKS_ENABLED": "trendmicro.cloudone.progress", "ANSIBLE_FORCE_COLOR": "0", "CLOUDONE_PROGRESS_INTERVAL": "0.2"}
END = re.compile(
    r"^PROGRESS \d\d:\d\d:\d\d (?P<play>.+): (\d+) of (\d+) done(?: \((\d+) changed\))?, (\d+) failed, (\d+) left; ended after \d+:\d\d$", re.MULTILINE
)
COUNTS = re.compile(r"(\d+) of (\d+) done(?: \(\d+ changed\))?, (\d+) failed, (?:(\d+) running, )?(\d+) left")

# All that may happen to a host but a renewal. h2 is rescued, h5 is not reachable, h3 fails, and h6 is never begun with.
ODD = """
- name: Odd
  hosts: all
  gather_facts: false
  serial: [1, 4]
  max_fail_percentage: 20
  tasks:
    - block:
        - ansible.builtin.fail:
          when: inventory_hostname == 'h2'
      rescue:
        - ansible.builtin.debug:
      always:
        - ansible.builtin.include_tasks: more.yml
    - ansible.builtin.fail:
      ignore_errors: true
    - ansible.builtin.debug:
      loop: [1, 2]
      changed_when: inventory_hostname == 'h1'
      notify: handle
    - ansible.builtin.meta: noop
    - ansible.builtin.raw: "true"
      vars: {ansible_connection: ssh, ansible_host: 127.0.0.1, ansible_port: 1}
      when: inventory_hostname == 'h5'
    - ansible.builtin.fail:
      when: inventory_hostname == 'h3'
    - ansible.builtin.debug:
  handlers:
    - name: handle
      ansible.builtin.debug:
"""


def lines_of(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("PROGRESS ")]


def play(folder: Path, playbook: str, **options: t.Any) -> subprocess.Popen[str]:
    """Start a playbook over h1 to h6."""
    (folder / "site.yml").write_text(playbook, encoding="utf-8")
    (folder / "more.yml").write_text("- ansible.builtin.debug:\n", encoding="utf-8")
    command = ["ansible-playbook", "-i", "h1,h2,h3,h4,h5,h6,", str(folder / "site.yml")]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **PROGRESS}, **streams, **options)


def test_a_renewal_in_batches(start_site: StartSite) -> None:
    site = start_site(*({**EXPIRED, "name": name} for name in ("one", "two", "three")), {"name": "valid", "registered_days_ago": 100})
    site.lab.control.add_fault("cli", {"kind": "drop"}, match={"name": "three", "moment": "login"}, times=None)
    run = site.renew("--diff", environment=PROGRESS, netsec_serial=[1, "100%"], netsec_max_fail_percentage=100, netsec_certificate_ssh_attempts=1)
    assert site.id_of("three") in run.failed()
    lines = lines_of(run.output)
    end = END.search(run.output)
    assert end and end["play"] == "Renew appliance certificates"
    done, hosts, changed, failed, left = (int(number or 0) for number in end.groups()[1:])
    renewed = [name for name in ("one", "two", "three", "valid") if site.appliance(name)["renewed"]]
    assert (hosts, failed, done, left) == (4, len(run.failed()), 4 - len(run.failed()), 0)
    assert changed == len(renewed)
    assert lines[-1] == end[0]

    assert all(sum(int(number or 0) for number in (counts[1], counts[3], counts[4], counts[5])) == 4 for counts in map(COUNTS.search, lines) if counts)
    assert len([line for line in lines if "batch 1 of 2 ended after" in line]) == 1
    steps = [tuple(map(int, found.groups())) for line in lines if (found := re.search(r"batch (\d) of 2, step (\d+) of (\d+): ", line))]
    assert {batch for batch, _step, _of in steps} == {1, 2}
    assert len({of for _batch, _step, of in steps}) == 1
    assert all(step <= of for _batch, step, of in steps)
    assert [step[:2] for step in steps] == sorted(step[:2] for step in steps)
    assert any(": Register the appliance" in line for line in lines)
    assert "ends about" not in "".join(lines).partition("batch 1 of 2 ended")[0]


def test_all_that_may_happen_to_a_host(tmp_path: Path) -> None:
    process = play(tmp_path, ODD)
    output, _none = process.communicate(timeout=120)
    end = END.search(output)
    assert end, output
    # One of four failed, which is too many: Ansible takes h2 and h4 out of the play, and begins no further batch.
    assert end.groups()[1:] == ("1", "6", "1", "2", "3"), output
    assert len(re.findall(r"unreachable=1 |failed=1 ", output)) == 2
    assert "WARNING" not in output
    assert lines_of(output)[-1] == end[0]


def test_an_interrupted_run_ends_at_once(tmp_path: Path) -> None:
    playbook = "- hosts: all\n  gather_facts: false\n  tasks:\n    - ansible.builtin.pause: {seconds: 60}\n"
    process = play(tmp_path, playbook, start_new_session=True)
    try:
        assert process.stdout
        output = ""
        # Not before the task runs: while Python forks a worker, it may lose the signal.
        while "PROGRESS" not in output.partition("Pausing for 60 seconds")[2]:
            line = process.stdout.readline()
            assert line, output
            output += line
        process.send_signal(signal.SIGINT)
        rest, _none = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 99, rest
    assert "User interrupted execution" in rest
    assert "Fatal Python error" not in rest
