# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the pattern for the automation platform is set up, without a platform: the set-up playbook runs with the real awx.awx, whose calls are written down."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from pathlib import Path

import pytest
from automation_platform import PATTERN, ROOT, TOOLS, Calls, Platform

from lab.aws import ACCOUNT_ID
from lab.fleet import parse_fleet
from lab.lab import Lab

COLLECTION = Path("ansible_collections/awx/awx")
AWX = ROOT / "build" / "ecosystem" / "collections" / COLLECTION
Json = dict[str, t.Any]
SetUp = t.Callable[..., Calls]
StartPlatform = t.Callable[..., tuple[Lab, Platform]]


@pytest.fixture(scope="session")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree with awx.awx, in which an action plugin stands before each module."""
    assert AWX.is_dir(), "awx.awx is missing; make ecosystem fetches it"
    tree = tmp_path_factory.mktemp("collections")
    plugins = tree / COLLECTION / "plugins"
    (plugins / "action").mkdir(parents=True)
    for entry in AWX.iterdir():
        if entry.name != "plugins":
            (plugins.parent / entry.name).symlink_to(entry)
    for entry in (AWX / "plugins").iterdir():
        (plugins / entry.name).symlink_to(entry)
    for module in (AWX / "plugins" / "modules").glob("[a-z]*.py"):
        (plugins / "action" / module.name).symlink_to(Path(__file__).with_name("recording_action.py"))
    return tree


@pytest.fixture(scope="session")
def set_up(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> SetUp:
    """Run the set-up playbook with a user's settings, and return what it told the platform."""

    def run(**settings: t.Any) -> Calls:
        folder = tmp_path_factory.mktemp("set_up")
        record, variables = folder / "calls.jsonl", folder / "settings.json"
        variables.write_text(json.dumps(settings), encoding="utf-8")
        done = subprocess.run(
            [TOOLS / "ansible-playbook", "-i", "localhost,", "-c", "local", PATTERN / "playbooks" / "setup.yml", "-e", f"@{variables}"],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "AWX_CALLS": str(record), "ANSIBLE_DISPLAY_FAILED_STDERR": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return Calls(record.read_text(encoding="utf-8").splitlines())

    return run


@pytest.fixture(scope="session")
def calls(set_up: SetUp) -> Calls:
    """What a user tells the platform who sets nothing."""
    return set_up()


def secrets_of(lab: Lab) -> Json:
    """What a user fills into the credentials."""
    environment, state = lab.environment, lab.state_dir
    return {
        "Cloud One": {"api_key": environment["CLOUDONE_API_KEY"], "region": "us-1"},
        "Cloud One inventory": {
            "api_key": lab.state_dir.read_description()["read_only_api_key"],
            "region": "us-1",
            "aws_access_key": environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_key": environment["AWS_SECRET_ACCESS_KEY"],
            "aws_region": "us-east-1",
        },
        "Network Security AWS account": {"username": environment["AWS_ACCESS_KEY_ID"], "password": environment["AWS_SECRET_ACCESS_KEY"]},
        "Network Security appliances": {
            "appliance_key": state.appliance_key.read_text(encoding="utf-8"),
            "bastion_key": state.bastion_key.read_text(encoding="utf-8"),
            "known_hosts": state.known_hosts.read_text(encoding="utf-8"),
        },
    }


def ssh_of(lab: Lab) -> Json:
    """How SSH gets to the appliances; nothing of it is secret."""
    ssh = lab.state_dir.read_description()["ssh"]
    return {
        "ansible_port": ssh["port"],
        "ansible_nsva_bastion_host": ssh["bastion_host"],
        "ansible_nsva_bastion_port": ssh["bastion_port"],
        "ansible_nsva_bastion_user": ssh["bastion_user"],
        "netsec_certificate_ssh_source_cidrs": [ssh["source_cidr"]],
    }


@pytest.fixture
def start_platform(set_up: SetUp, tmp_path: Path) -> t.Iterator[StartPlatform]:
    """Start a lab with a fleet, and set up a platform in front of it. One lab at a time: the next one ends the one before."""
    labs: list[Lab] = []

    def stop() -> None:
        while labs:
            labs.pop().__exit__(None, None, None)

    def start(name: str, appliances: list[Json], **fleet: t.Any) -> tuple[Lab, Platform]:
        stop()
        folder = tmp_path / name
        folder.mkdir()
        lab = Lab(parse_fleet({"appliances": appliances, **fleet}), folder / "lab")
        lab.__enter__()
        labs.append(lab)
        settings = {"certificate_renewal_ssh": ssh_of(lab), "certificate_renewal_aws_accounts": [{"id": ACCOUNT_ID}]}
        return lab, Platform(set_up(certificate_renewal_secrets=secrets_of(lab), **settings), lab, folder)

    yield start
    stop()
