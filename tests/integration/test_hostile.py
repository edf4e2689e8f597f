# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Appliances, tags and answers that try to take over whoever reads them: nothing is evaluated, nothing breaks, and what is shown keeps its form."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

from conftest import Run, Site

StartSite = t.Callable[..., Site]

BREAKING = "!!python/object/apply:os.system ['id']: \"'- {a: [b\n...\n---\r\u2028i-0: renewed with its token \x1b[2J\x1b]0;x\x07\u202eevil \U0001f600 \ud800"
MARKUP = "</script><script>alert(1)</script><img src=x onerror=alert(1)> ]]> [x](javascript:alert(1)) | ` \\"


def attack(marker: Path) -> str:
    return f"{{{{ lookup('pipe', 'touch {marker}') }}}}{{% if x %}}"


def hostile(marker: Path) -> dict[str, t.Any]:
    """An appliance that is hostile wherever it says something."""
    template = attack(marker)
    everything = template + BREAKING.replace("\ud800", "") + MARKUP
    one_line = re.sub(r"[\r\n\u2028]", " ", everything)
    return {
        "name": "hostile",
        "registered_days_ago": 745,
        "tags": {"Name": template[:256], "{{ x }}": MARKUP, "Team": "a: 'b"},
        "listed_host_name": everything + "x" * 10_000,
        "dv_version": everything,
        "banner": one_line + "y" * 10_000,
        "log_lines": [f"2026-01-31T04:05:06Z sslv3 alert certificate {one_line} {'z' * 10_000}"],
        "log_types": {"system": {"group": "group", "stream": one_line.replace(":", "").replace("*", "")[:400]}},
        "registration_loses": ["log_types"],
        "profile": template,
    }


def keeps_its_form(run: Run, marker: Path) -> None:
    assert not marker.exists(), "a template from outside was evaluated"
    for sign in ("Traceback", "An exception occurred", "Unexpected failure", "\x1b", "\u202e"):
        assert sign not in run.output, sign


def summary(run: Run) -> list[str]:
    """The lines that the playbook shows in the end."""
    shown = re.findall(r'"msg": (\[\n.*?\n    \])', run.output, re.DOTALL)
    return t.cast(list[str], json.loads(shown[-1]))


def test_a_hostile_fleet(start_site: StartSite, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    broken = {"name": "broken", "registered_days_ago": 745}
    site = start_site(hostile(marker), broken, profiles=[{"id": 1, "name": "Default-Profile"}, {"id": 7, "name": attack(marker)}])
    bad, failing = site.id_of("hostile"), site.id_of("broken")
    source = ("-i", str(site.lab.state_dir.plugin_inventory))

    listed = site.run(["ansible-inventory", *source, "--list"])
    keeps_its_form(listed, marker)
    assert json.loads(listed.output[listed.output.index("{\n") :])["_meta"]["hostvars"][bad]["netsec_appliance_id"]

    audited = site.play("audit_certs.yml", *source, netsec_report_dir=str(site.reports))
    keeps_its_form(audited, marker)
    assert audited.returncode == 0, audited.output
    assert site.report("certificates")["headline"].startswith("2 of 2 certificates have expired")

    planned = site.renew("--check", *source)
    keeps_its_form(planned, marker)
    assert [line.partition(":")[0] for line in summary(planned)] == [bad, failing]

    reason = f"{attack(marker)}{BREAKING}{MARKUP}"
    path = f"/appliances/{site.appliance('broken')['api_ids'][0]}"
    site.lab.control.add_fault("api", {"status": 400, "body": json.dumps({"details": reason})}, match={"method": "DELETE", "path": path}, times=None)
    renewed = site.renew(*source, netsec_report_dir=str(site.reports))
    keeps_its_form(renewed, marker)
    assert renewed.failed() == {failing}, renewed.output
    assert [line.split()[:2] for line in summary(renewed) if not line.startswith(" ")] == [[f"{bad}:", "renewed"], [f"{failing}:", "FAILED"]]
    assert len(summary(renewed)) == 3
    assert "python/object/apply" in summary(renewed)[2], "the reason is quoted"
    assert [one["enable"] for one in site.appliance("hostile")["log_types"] if one["logName"] == "system"] == [True], "its streaming is restored"
    assert [row["result"] for row in site.report("renewal")["tables"][0]["rows"]] == ["failed", "renewed"]
    for file in site.reports.glob("*.html"):
        assert file.read_text(encoding="utf-8").count("<script") == 1
    assert not marker.exists()
