# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command line: ``python -m lab up``, ``down``, ``world``, ``generate``."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import time
import typing as t
from pathlib import Path

import requests
import yaml

from lab.bastion import BastionError, end_leftover
from lab.control_client import ControlClient
from lab.fleet import Fleet, FleetError, load_fleet
from lab.fleet_generator import generate_fleet, generate_mixed_fleet
from lab.state_dir import StateDir

DEMO_FLEET = Path(__file__).parent / "fleets" / "demo.yml"
LOOK_EVERY = 0.5
STOP_WITHIN = 15.0

READY = """\
The lab is ready: {count} appliances, no real account is touched.

In another terminal, point the tools at it:
    . {environment}
Then, for example:
    ansible-playbook playbooks/renew_certs.yml --check
    aws ec2 describe-instances --query 'Reservations[].Instances[].InstanceId'
    curl -H "Authorization: ApiKey $CLOUDONE_API_KEY" -H 'api-version: v1' "$CLOUDONE_NETSEC_URL/appliances"
    curl -H "Authorization: ApiKey $CLOUDONE_API_KEY" -H 'Content-Type: application/vnd.api+json' "$CLOUDONE_CONFORMITY_URL/accounts"
What has really happened:
    curl {control}/_lab/world
Stop it with Ctrl-C here, or with: {stop}
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="A stand-in for everything outside the collection.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start a lab and keep it running")
    up.add_argument("--fleet", type=Path, default=DEMO_FLEET, help="fleet file (default: the demo's)")
    up.add_argument("--state", type=Path, required=True, help="folder for keys, inventory and the like")
    up.add_argument("--lifetime", type=float, help="end by itself after so many seconds")
    up.add_argument("--stop-with-parent", action="store_true", help="end when the process that started it has ended")
    down = commands.add_parser("down", help="end the lab of a folder")
    down.add_argument("--state", type=Path, required=True)
    world = commands.add_parser("world", help="print what is true in the lab of a folder, as JSON")
    world.add_argument("--state", type=Path, required=True)
    generate = commands.add_parser("generate", help="print a fleet file for many appliances")
    generate.add_argument("--count", type=int, default=50)
    generate.add_argument("--regions", nargs="+", default=["us-east-1"])
    generate.add_argument("--api-delay", type=float, default=0)
    alike = generate.add_argument_group("alike appliances")
    alike.add_argument("--registered-days-ago", type=float, default=760)
    alike.add_argument("--registration-delay", type=float, default=5)
    alike.add_argument("--registration-returns-at-once", action="store_true")
    mixed = generate.add_argument_group("appliances of mixed age and history")
    mixed.add_argument("--mixed", action="store_true")
    mixed.add_argument("--accounts", type=int, default=1)
    mixed.add_argument("--aws-delay", type=float, default=0)
    mixed.add_argument("--no-ssh", action="store_true")
    return parser


def _up(fleet: Fleet, state_dir: Path, *, lifetime: float | None, stop_with_parent: bool) -> None:
    """Run a lab until it is to end."""
    from lab.lab import Lab  # moto takes a second to import, which the other commands need not wait for

    parent = os.getppid()
    end = time.monotonic() + lifetime if lifetime is not None else float("inf")
    lab = Lab(fleet, state_dir)
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, lambda *_: lab.stop_requested.set())
    with lab:
        gc.freeze()  # the fleet stays; looking through thousands of appliances for garbage takes a tenth of a second each time
        stop = f"python -m lab down --state {state_dir}"
        control_url = lab.state_dir.read_description()["control_url"]
        print(READY.format(count=len(fleet.appliances), environment=lab.state_dir.environment_file, control=control_url, stop=stop), flush=True)
        while not lab.stop_requested.wait(LOOK_EVERY):
            if time.monotonic() >= end or (stop_with_parent and os.getppid() != parent):
                break


def _running(state_dir: Path) -> dict[str, t.Any] | None:
    """Return the description of the lab that runs in a folder, if one does."""
    try:
        description = StateDir(state_dir).read_description()
        ControlClient(description["control_url"]).faults()
    except (FileNotFoundError, requests.RequestException):
        return None
    return description


def _down(state_dir: Path) -> int:
    """End a lab and wait until it has ended; of one that was killed, end what it left."""
    description = _running(state_dir)
    if description is None:
        end_leftover(state_dir)
        print(f"No lab is running in {state_dir}.")
        return 0
    ControlClient(description["control_url"]).stop()
    deadline = time.monotonic() + STOP_WITHIN
    while StateDir(state_dir).description.exists():
        if time.monotonic() > deadline:
            print(f"The lab has not ended within {STOP_WITHIN:.0f} s; its process id is {description['pid']}.", file=sys.stderr)
            return 1
        time.sleep(0.05)
    return 0


def _generate(options: argparse.Namespace) -> Fleet:
    """Make the fleet that was asked for."""
    if options.mixed:
        return generate_mixed_fleet(
            options.count,
            accounts=options.accounts,
            regions=options.regions,
            ssh=not options.no_ssh,
            api_delay=options.api_delay,
            aws_delay=options.aws_delay,
        )
    return generate_fleet(
        options.count,
        registered_days_ago=options.registered_days_ago,
        registration_delay=options.registration_delay,
        registration_blocks=not options.registration_returns_at_once,
        regions=options.regions,
        api_delay=options.api_delay,
    )


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Carry out one command; return the exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "down":
        return _down(options.state)
    try:
        if options.command == "up":
            if _running(options.state):
                raise FleetError(f"A lab is already running in {options.state}; end it with: python -m lab down --state {options.state}")
            _up(load_fleet(options.fleet), options.state, lifetime=options.lifetime, stop_with_parent=options.stop_with_parent)
        elif options.command == "world":
            description = _running(options.state)
            if description is None:
                raise FleetError(f"No lab is running in {options.state}.")
            print(json.dumps(ControlClient(description["control_url"]).world(), indent=2))
        else:
            fleet = _generate(options)
            print(yaml.safe_dump(fleet.model_dump(exclude_defaults=True), sort_keys=False), end="")
    except (FleetError, BastionError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
