# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret shows, however loud Ansible is told to be, whether the run succeeds or fails."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import pytest
from conftest import Site


@pytest.mark.parametrize("fault", [None, "refuse"])
def test_no_secret_in_output_or_log(start_site: t.Callable[..., Site], tmp_path: Path, fault: str | None) -> None:
    site = start_site({"name": "expired", "registered_days_ago": 745, "supports_tokens": False, "wrap_echo": True})
    if fault:
        site.lab.control.add_fault("cli", {"kind": fault}, match={"moment": "command:cloudone register"}, times=None)
    log = tmp_path / "ansible.log"
    own_token = site.lab.control.issue_token()
    environment = {"ANSIBLE_LOG_PATH": str(log), "ANSIBLE_DISPLAY_ARGS_TO_STDOUT": "1", "ANSIBLE_DEBUG": "1"}
    key = site.lab.environment["CLOUDONE_API_KEY"]
    run = site.renew(
        "-vvvv",
        "--diff",
        environment=environment,
        netsec_certificate_token=own_token,
        netsec_certificate_registration_api_key=key,
        netsec_report_dir=str(site.reports),
    )
    assert (run.returncode != 0) == bool(fault)
    assert site.report("renewal")["figures"][1]["value"] == (1 if fault else 0), "the failure is in the report too"
    shown = "".join([run.output, log.read_text(encoding="utf-8"), *(path.read_text(encoding="utf-8") for path in site.reports.iterdir())])
    # A wrapped echo breaks a secret over two lines, so look for it without white space too.
    squeezed = re.sub(r"\s+", "", shown)
    private_key = site.lab.state_dir.appliance_key.read_text(encoding="utf-8").splitlines()[3]
    for name, secret in {"key": key, "token": own_token, "AWS": site.lab.environment["AWS_SECRET_ACCESS_KEY"], "SSH": private_key}.items():
        assert secret not in shown, name
        assert secret not in squeezed, name
