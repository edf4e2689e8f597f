# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole lab: its parts show one world, and it ends when it is to end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import subprocess
import sys
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import boto3
import psutil
import pytest
import requests
import yaml

from lab.__main__ import main
from lab.fleet import parse_fleet
from lab.lab import BASTION_ADDRESS, BASTION_CIDR, Lab

TESTS = Path(__file__).parents[2]
FLEET = {
    "appliances": [
        {"name": "expired", "registered_days_ago": 740, "registration_delay": 0.5, "registration_loses": ["profile"]},
        {"name": "standing", "ssh_standing_rule": True},
        {"name": "hosted", "deployment": "hosted"},
    ]
}


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with Lab(parse_fleet(FLEET), tmp_path / "state") as running:
        yield running


async def on_cli(lab: Lab, name: str, *lines: str) -> str:
    """Type lines on an appliance, through the bastion; return everything it printed."""
    files, appliance = lab.state_dir, lab.control.appliance(name)
    ssh = files.read_description()["ssh"]
    hosts = str(files.known_hosts)
    bastion = asyncssh.connect(
        ssh["bastion_host"], ssh["bastion_port"], username=ssh["bastion_user"], client_keys=[str(files.bastion_key)], known_hosts=hosts, config=[]
    )
    async with bastion as tunnel:
        appliance_ssh = asyncssh.connect(
            appliance["ssh"]["address"],
            ssh["port"],
            tunnel=tunnel,
            username="admin",
            client_keys=[str(files.appliance_key)],
            known_hosts=hosts,
            config=[],
            connect_timeout=5,
        )
        async with appliance_ssh as connection, connection.create_process(term_type="vt100") as shell:
            for line in lines:
                await shell.stdout.readuntil("{}")
                shell.stdin.write(line + "\r")
            return (await shell.stdout.readuntil("{}")) if lines else ""


def type_lines(lab: Lab, name: str, *lines: str) -> str:
    return asyncio.run(on_cli(lab, name, *lines))


def api(lab: Lab, method: str, path: str, **arguments: t.Any) -> requests.Response:
    headers = {"Authorization": f"ApiKey {lab.environment['CLOUDONE_API_KEY']}", "api-version": "v1"}
    return requests.request(method, lab.environment["CLOUDONE_NETSEC_URL"] + path, headers=headers, timeout=10, **arguments)


def ec2(lab: Lab) -> t.Any:
    return boto3.session.Session().client(
        "ec2",
        region_name=lab.environment["AWS_DEFAULT_REGION"],
        endpoint_url=lab.environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=lab.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=lab.environment["AWS_SECRET_ACCESS_KEY"],
    )


def test_a_renewal_by_hand_is_seen_on_all_sides(lab: Lab) -> None:
    client, before = ec2(lab), lab.control.appliance("expired")
    assert before["certificate"]["expired"] and not before["renewed"] and not before["ssh"]["left_open"]
    instance = client.describe_instances(InstanceIds=[before["instance_id"]])["Reservations"][0]["Instances"][0]

    group = client.create_security_group(GroupName="lent", Description="Lent", VpcId=instance["VpcId"])["GroupId"]
    permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": BASTION_CIDR}]}
    client.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
    groups = before["ssh"]["interface_groups"]
    client.modify_network_interface_attribute(NetworkInterfaceId=before["ssh"]["interface_id"], Groups=[*groups, group])
    assert lab.control.world()["totals"]["ssh_left_open"] == 1

    [old_id] = before["api_ids"]
    assert api(lab, "DELETE", f"/appliances/{old_id}").status_code == 204
    token = api(lab, "POST", "/deploymenttokens").json()["token"]
    type_lines(lab, "expired", "cloudone unregister", f"cloudone register {token}")
    deadline = time.monotonic() + 5
    while not lab.control.appliance("expired")["renewed"] and time.monotonic() < deadline:
        time.sleep(0.1)

    client.modify_network_interface_attribute(NetworkInterfaceId=before["ssh"]["interface_id"], Groups=groups)
    after = lab.control.appliance("expired")
    assert after["renewed"] and not after["certificate"]["expired"] and not after["ssh"]["left_open"]
    assert [event["credential"] for event in after["registrations"]] == ["initial", "token"]
    assert not after["settings_as_at_start"]
    [new_id] = after["api_ids"]
    assert api(lab, "POST", "/appliancedistributions", json={"applianceId": new_id, "type": "profile", "profile": {"id": 1}}).status_code == 200
    assert lab.control.appliance("expired")["settings_as_at_start"]
    [left] = lab.control.world()["groups_left"]
    assert (left["group_id"], left["interfaces"]) == (group, [])
    client.delete_security_group(GroupId=group)

    totals = lab.control.world()["totals"]
    assert (totals["renewed"], totals["ssh_left_open"], totals["groups_left"]) == (1, 0, 0)
    assert lab.control.world()["bastion_logins"] == 1
    calls = lab.control.calls("cli")
    assert [call["call"] for call in calls] == ["login", "cloudone unregister", "cloudone register ***"]
    assert token not in json.dumps(lab.control.calls())


def test_ssh_answers_only_who_the_security_groups_let_in(lab: Lab) -> None:
    assert lab.world.ssh_allowed(lab.control.appliance("standing")["instance_id"], BASTION_ADDRESS)
    assert "TOS version" in type_lines(lab, "standing", "show version")
    with pytest.raises((asyncssh.Error, OSError, TimeoutError)):
        type_lines(lab, "expired", "show version")
    assert {call["name"] for call in lab.control.calls("cli")} == {"standing"}


def test_the_state_folder_says_everything_and_only_to_its_owner(lab: Lab) -> None:
    files = lab.state_dir
    inventory = yaml.safe_load(files.inventory.read_text())["netsec_appliances"]
    assert set(inventory["hosts"]) == set(files.read_description()["appliances"].values())
    assert inventory["vars"]["netsec_certificate_ssh_source_cidrs"] == [BASTION_CIDR]
    assert inventory["vars"]["ansible_connection"] == "trendmicro.cloudone.nsva"
    assert not any("ansible_host" in (variables or {}) for variables in inventory["hosts"].values())
    addressed = yaml.safe_load(files.addressed_inventory.read_text())["netsec_appliances"]["hosts"]
    assert {variables["lab_name"]: variables["ansible_host"] for variables in addressed.values()} == {
        name: lab.control.appliance(name)["ssh"]["address"] for name in ("expired", "standing")
    }
    exported = subprocess.run(["sh", "-c", f". '{files.environment_file}'; env"], capture_output=True, text=True, check=True).stdout
    assert f"CLOUDONE_API_KEY={lab.environment['CLOUDONE_API_KEY']}\n" in exported
    for path in (files.appliance_key, files.bastion_key, files.environment_file, files.description):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    ssh = subprocess.run(["ssh", "-F", str(files.ssh_config), "-G", "standing"], capture_output=True, text=True, check=True).stdout
    assert f"hostname {addressed[lab.control.appliance('standing')['instance_id']]['ansible_host']}\n" in ssh
    assert "proxyjump bastion\n" in ssh


def test_the_control_endpoint_orders_faults_and_refuses_nonsense(lab: Lab) -> None:
    lab.control.add_fault("api", {"status": 503}, match={"path": "/profiles"})
    assert [api(lab, "GET", "/profiles").status_code for attempt in range(2)] == [503, 200]
    assert [fault["fired"] for fault in lab.control.faults()] == [1]
    lab.control.add_fault("cli", {"kind": "drop"}, match={"name": "standing", "moment": "command:show version"})
    with pytest.raises((asyncssh.Error, OSError, EOFError)):
        type_lines(lab, "standing", "show version")
    assert [fault["fired"] for fault in lab.control.faults()] == [1, 1]
    with pytest.raises(ValueError, match="explode"):
        lab.control.add_fault("cli", {"kind": "explode"})
    with pytest.raises(KeyError):
        lab.control.appliance("nobody")
    lab.control.clear_faults()
    lab.control.clear_calls()
    assert (lab.control.faults(), lab.control.calls()) == ([], [])


def test_tokens_can_be_made_as_a_person_does(lab: Lab) -> None:
    tokens = {lab.control.issue_token(), lab.control.issue_token(lifetime=0.01)}
    time.sleep(0.02)
    assert len(tokens) == 2
    assert lab.control.world()["tokens"] == {"unused": 1, "used": 0, "revoked": 0, "expired": 1}


# The process ------------------------------------------------------------------------------------------------------------------


def start_process(state: Path, *arguments: str, before: str = "") -> subprocess.Popen[str]:
    """Start ``python -m lab up`` and wait until it says that it is ready."""
    fleet = state.parent / "fleet.yml"
    fleet.write_text(yaml.safe_dump({"appliances": [{"name": "a"}]}))
    command = [sys.executable, "-m", "lab", "up", "--fleet", str(fleet), "--state", str(state), *arguments]
    process = subprocess.Popen(
        [*([] if not before else ["sh", "-c", before, "sh"]), *command],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    assert "ready: 1 appliances" in first
    return process


def gone(state: Path, seconds: float = 10) -> bool:
    """Whether the lab of a folder ends within a time, sshd included."""
    deadline = time.monotonic() + seconds
    while (state / "lab.json").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not (state / "lab.json").exists()


def ends(pid: int, seconds: float = 5) -> bool:
    """Whether a process ends within a time; one that is left as a zombie has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(tmp_path: Path, how: signal.Signals) -> None:
    state = tmp_path / "state"
    process = start_process(state)
    sshd = int((state / "sshd.pid").read_text())
    process.send_signal(how)
    assert process.wait(timeout=10) == 0
    assert gone(state, 0)
    assert ends(sshd)


def test_it_ends_after_its_lifetime(tmp_path: Path) -> None:
    process = start_process(tmp_path / "state", "--lifetime", "1")
    assert process.wait(timeout=10) == 0
    assert gone(tmp_path / "state", 0)


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    state = tmp_path / "state"
    parent = start_process(state, "--stop-with-parent", before='"$@" & wait')
    assert (state / "lab.json").exists()
    parent.kill()
    assert gone(state)


def test_down_ends_it_and_the_commands_say_what_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state"
    process = start_process(state)
    assert main(["world", "--state", str(state)]) == 0
    assert json.loads(capsys.readouterr().out)["appliances"][0]["name"] == "a"
    assert main(["up", "--state", str(state)]) == 1
    assert "already running" in capsys.readouterr().err
    assert main(["down", "--state", str(state)]) == 0
    assert process.wait(timeout=10) == 0
    assert main(["down", "--state", str(state)]) == 0
    assert "No lab is running" in capsys.readouterr().out
    assert main(["world", "--state", str(state)]) == 1


def test_a_lab_that_was_killed_does_not_stand_in_the_way(tmp_path: Path) -> None:
    state = tmp_path / "state"
    killed = start_process(state)
    killed.kill()
    killed.wait()
    sshd = int((state / "sshd.pid").read_text())
    assert main(["down", "--state", str(state)]) == 0
    assert ends(sshd)
    again = start_process(state, "--lifetime", "0.1")
    assert again.wait(timeout=10) == 0


def test_a_bad_fleet_file_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fleet.yml").write_text("appliances: [{name: a, age: 3}]")
    assert main(["up", "--fleet", str(tmp_path / "fleet.yml"), "--state", str(tmp_path)]) == 1
    assert "appliances.0.age" in capsys.readouterr().err


def test_generate_prints_a_fleet_that_up_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--count", "3", "--regions", "us-east-1", "eu-central-1", "--registration-delay", "2", "--api-delay", "0.04"]) == 0
    fleet = parse_fleet(yaml.safe_load(capsys.readouterr().out))
    assert [spec.region for spec in fleet.appliances] == ["us-east-1", "eu-central-1", "us-east-1"]
    assert {spec.registration_delay for spec in fleet.appliances} == {2}
    assert fleet.api.delay == 0.04


def test_generate_prints_a_mixed_fleet_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", "--mixed", "--count", "9", "--accounts", "3", "--no-ssh", "--aws-delay", "0.04"]) == 0
    fleet = parse_fleet(yaml.safe_load(capsys.readouterr().out))
    assert (len(fleet.appliances), len(fleet.aws.accounts), fleet.ssh, fleet.aws.delay) == (9, 2, False, 0.04)


def test_a_lab_without_ssh_has_appliances_that_nobody_can_log_in_to(tmp_path: Path) -> None:
    with Lab(parse_fleet({"ssh": False, "appliances": [{"name": "standing", "ssh_standing_rule": True}]}), tmp_path) as lab:
        assert lab.world.ssh_allowed(lab.control.appliance("standing")["instance_id"], BASTION_ADDRESS)
        assert lab.state_dir.read_description()["ssh"]["port"] == 0
        assert len(lab.state_dir.known_hosts.read_text().splitlines()) == 1, "the bastion's"
        assert yaml.safe_load(lab.state_dir.addressed_inventory.read_text())["netsec_appliances"]["hosts"] == {}
        assert len(yaml.safe_load(lab.state_dir.inventory.read_text())["netsec_appliances"]["hosts"]) == 1
