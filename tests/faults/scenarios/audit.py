# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""audit_certs.yml."""

from __future__ import annotations

from faults.catalogue import API_TIMEOUT
from faults.model import Json, Run
from faults.scenarios.renewal import REGIONS, Renewal
from lab.lab import Lab


class Audit(Renewal):
    """Whoever is due is shown as due, or the run fails; nothing is written in any mode."""

    playbook = "audit_certs"

    def arguments(self) -> list[str]:
        return []

    def variables(self, lab: Lab) -> Json:
        return {
            "netsec_api_options": {"api_timeout": API_TIMEOUT},
            "netsec_certificate_regions": list(REGIONS),
        }

    def unreported(self, lab: Lab, run: Run) -> list[str]:
        problems = self.unfinished(lab)
        if run.returncode == 0:
            summary = run.output.rpartition("Show the summary]")[2]
            due = [spec.instance_id for spec in lab.fleet.appliances if spec.name.startswith("due")]
            return problems + [f"the exit code is 0, but the summary does not name {each}" for each in due if f"{each}" not in summary]
        return problems if run.killed or "fatal: " in run.output or "ERROR" in run.output else [*problems, "the run ended without a reason"]

    def unfinished(self, lab: Lab) -> list[str]:
        """It only looks, so everything has to be as it was."""
        touched = [each["name"] for each in lab.control.world()["appliances"] if any(event["credential"] != "initial" for event in each["registrations"])]
        writes = [f"{call['operation']} was asked for" for call in lab.control.aws_writes()]
        return [f"{name} was registered anew" for name in touched] + writes
