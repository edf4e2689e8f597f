# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.trendmicro.cloudone.plugins.modules.netsec_cloudwatch_logconfig_info import main
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.modules.conftest import Runner
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.netsec_script import OPTIONS, Script, appliance, log_config, log_type


def test_all(script: Script, run_module: Runner) -> None:
    script.expect_list(appliance(1, "i-1"), appliance(2, "i-2"))
    script.expect("GET", "/appliances/1/cloudwatchlogconfig", log_config(log_type("system")))
    script.expect("GET", "/appliances/2/cloudwatchlogconfig", log_config())
    result = run_module(main, OPTIONS, check_mode=True)
    assert (result["failed"], result["changed"]) == (False, False)
    system = {"name": "system", "group": "ips", "stream": "system_{instance_id}", "enabled": False}
    assert result["appliances"] == [
        {"instance_id": "i-1", "changed": False, "failed": False, "appliance_id": 1, "log_types": [system]},
        {"instance_id": "i-2", "changed": False, "failed": False, "appliance_id": 2, "log_types": []},
    ]


def test_some_of_them_unknown(script: Script, run_module: Runner) -> None:
    script.expect_search("i-1", appliance(1, "i-1"))
    script.expect_search("i-2")
    script.expect("GET", "/appliances/1/cloudwatchlogconfig", log_config(log_type("system")))
    result = run_module(main, {**OPTIONS, "instance_ids": ["i-1", "i-2"]})
    assert result["failed"]
    assert [entry["failed"] for entry in result["appliances"]] == [False, True]
    assert "1 of 2 appliances failed; the others were done.\ni-2: i-2 is no registered appliance" in result["msg"]


def test_an_outage(script: Script, run_module: Runner) -> None:
    script.expect("GET", "/appliances", text="<h1>maintenance</h1>", status=500, query={"cursor": "", "limit": 1000})
    result = run_module(main, OPTIONS)
    assert result["failed"]
    assert "HTTP 500: <h1>maintenance</h1>. The service is down, planned or not: run again later." in result["msg"]
