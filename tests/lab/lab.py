# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole lab in one process.

``with Lab.from_file(path, state_dir) as lab:`` starts everything and stops it at the end. One lab per process: moto keeps its
state in module variables.
"""

from __future__ import annotations

import os
import secrets
import threading
import typing as t
from contextlib import ExitStack
from pathlib import Path

from lab.appliance_cli.server import ApplianceCliServer
from lab.aws import ACCOUNT_ID, Aws
from lab.aws_accounts import account_specs, session_secrets
from lab.aws_filter import AwsFilter
from lab.aws_policies import AwsPolicies
from lab.bastion import Bastion
from lab.call_log import CallLog
from lab.cli_backend import cli_appliance
from lab.conformity_api import BASE as CONFORMITY_BASE
from lab.conformity_api import create_conformity_app
from lab.conformity_gate import ConformityGate
from lab.conformity_world import ConformityWorld
from lab.control import create_control_app
from lab.control_client import ControlClient
from lab.faults import Faults
from lab.fleet import Fleet, load_fleet
from lab.keys import make_key_pair
from lab.log_delivery import LogDelivery
from lab.netsec_api import BASE, LEGACY_BASE, create_netsec_app
from lab.netsec_gate import ApiGate
from lab.plugin_inventory import write_plugin_inventory
from lab.rtm_monitoring import Monitoring
from lab.servers import AsgiServer, LoopThread, WsgiServer
from lab.state_dir import SshAccess, StateDir, write_ssh_files
from lab.world import World, utc_now
from lab.world_report import world_report

# What security groups see as the source of a connection that comes through the bastion.
BASTION_ADDRESS = "127.20.0.5"
BASTION_CIDR = f"{BASTION_ADDRESS}/32"


class Lab:
    """A running lab.

    :param state_dir: folder for keys, inventory and the like; made if missing, keys in it are kept.
    :ivar policies: what the AWS credentials of :attr:`environment` may do.
    :ivar environment: environment variables with which tools find the lab.
    :ivar control: client for the control endpoint.
    :ivar stop_requested: set when somebody asked over the control endpoint that the lab ends.
    """

    environment: dict[str, str]
    control: ControlClient

    def __init__(self, fleet: Fleet, state_dir: Path) -> None:
        self.fleet = fleet
        self.state_dir = StateDir(state_dir.resolve())
        self.stop_requested = threading.Event()
        self.faults = Faults()
        self.calls = CallLog()
        self._api_key = secrets.token_urlsafe(40)
        self._read_only_key = secrets.token_urlsafe(40)
        self._access_key = "AKIA" + secrets.token_hex(8).upper()
        self._secret_key = secrets.token_urlsafe(30)
        self._cleanup = ExitStack()
        self.aws = Aws(fleet, bastion_cidr=BASTION_CIDR, now=utc_now())
        self.policies = AwsPolicies(fleet.aws, own_id=ACCOUNT_ID)
        self.conformity = ConformityWorld(fleet.conformity)
        self.monitoring = Monitoring(fleet, ACCOUNT_ID, self.conformity)
        self.world = World(fleet, api_key=self._api_key, placements=self.aws.placements, network=self.aws)
        self.log_delivery = LogDelivery(self.world, self.aws, interval=fleet.aws.log_delivery_interval, creation=fleet.aws.log_stream_created)

    @classmethod
    def from_file(cls, fleet_file: Path, state_dir: Path) -> Lab:
        """Make the lab of a fleet file.

        :raises lab.fleet.FleetError: if the file cannot be used.
        """
        return cls(load_fleet(fleet_file), state_dir)

    def __enter__(self) -> Lab:
        """Start everything.

        :raises lab.bastion.BastionError: if sshd is not installed or does not start.
        :raises OSError: if an address or the state folder cannot be used.
        """
        with ExitStack() as cleanup:
            self._start(cleanup)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        """Stop everything; what was written about keys and calls stays in the state folder."""
        self._cleanup.close()

    def secrets(self) -> dict[str, str]:
        """Return everything that must not be shown, by what it is: keys, and whatever tokens and sessions were given out so far."""
        named = {"API key": self._api_key, "read-only API key": self._read_only_key, "AWS secret key": self._secret_key}
        for number, token in enumerate(self.world.token_values()):
            named[f"deployment token {number + 1}"] = token
        with self.aws.lock:
            for number, secret in enumerate(session_secrets(account_specs(self.fleet.aws, ACCOUNT_ID))):
                named[f"secret {number + 1} of STS"] = secret
        for name, file in (("appliances' private key", self.state_dir.appliance_key), ("bastion's private key", self.state_dir.bastion_key)):
            named[name] = file.read_text(encoding="utf-8").splitlines()[3]
        return named

    def _start(self, cleanup: ExitStack) -> None:
        """Start one part after the other; ``cleanup`` learns how to stop each."""
        self.state_dir.create()
        self.state_dir.description.unlink(missing_ok=True)  # of a lab that was killed
        loop = LoopThread()
        cleanup.callback(loop.stop)
        bastion = Bastion(self.state_dir.path, make_key_pair(self.state_dir.bastion_key))
        bastion.start()
        cleanup.callback(bastion.stop)
        appliances = self._start_appliances(loop, bastion, cleanup)
        api_url = self._start_http(self._api_app(), loop, cleanup)
        conformity_url = self._start_http(self._conformity_app(), loop, cleanup) + CONFORMITY_BASE
        control_url = self._start_http(self._control_app(bastion), loop, cleanup)
        aws_url = self._start_aws(cleanup)
        self.log_delivery.start()
        cleanup.callback(self.log_delivery.stop)
        self.control = ControlClient(control_url)
        access = SshAccess(
            port=appliances.port,
            bastion_host=bastion.host,
            bastion_port=bastion.port,
            bastion_user=bastion.user,
            source_cidr=BASTION_CIDR,
            host_keys=[bastion.host_key_line, *appliances.known_hosts_lines()],
        )
        write_ssh_files(self.state_dir, self.world.appliances.values(), access)
        write_plugin_inventory(self.state_dir, self.world.appliances.values(), self.fleet.aws, access)
        self.environment = self._environment(api_url, conformity_url, aws_url)
        self.state_dir.write_environment(self.environment)
        self.state_dir.write_description(self._description(api_url, aws_url, control_url, access))
        cleanup.callback(self.state_dir.description.unlink, missing_ok=True)

    def _start_appliances(self, loop: LoopThread, bastion: Bastion, cleanup: ExitStack) -> ApplianceCliServer:
        """Start the SSH of every appliance that has an address, if any is to run."""
        reachable = [state for state in self.world.appliances.values() if state.placement.address and self.fleet.ssh]

        def source_of(address: str, port: int) -> str:
            return BASTION_ADDRESS if bastion.owns_connection(address, port) else address

        server = ApplianceCliServer(
            [cli_appliance(self.world, state, faults=self.faults, calls=self.calls) for state in reachable],
            authorized_key=make_key_pair(self.state_dir.appliance_key, algorithm="ssh-rsa", form="pkcs1-pem"),
            host_keys_dir=self.state_dir.path / "host_keys",
            source_of=source_of,
        )
        loop.run(server.start())
        cleanup.callback(lambda: loop.run(server.stop()))
        return server

    @staticmethod
    def _start_http(app: t.Any, loop: LoopThread, cleanup: ExitStack) -> str:
        """Start an ASGI application; return its base URL."""
        server = AsgiServer(app)
        loop.run(server.start())
        cleanup.callback(lambda: loop.run(server.stop()))
        return server.url

    def _start_aws(self, cleanup: ExitStack) -> str:
        """Start AWS; return its base URL."""
        # Imported here because it takes a moment, and unit tests of the world need none of it.
        from lab.moto_app import MotoApp

        moto = MotoApp()
        app = AwsFilter(
            moto,
            self.aws,
            spec=self.fleet.aws,
            access_key=self._access_key,
            faults=self.faults,
            calls=self.calls,
            policies=self.policies,
            observe=self.monitoring.observe,
        )
        server = WsgiServer(app)
        server.start()
        cleanup.callback(server.stop)
        return server.url

    def _api_app(self) -> ApiGate:
        return ApiGate(
            create_netsec_app(self.world),
            self.world,
            api_key=self._api_key,
            read_only_key=self._read_only_key,
            delay=self.fleet.api.delay,
            faults=self.faults,
            calls=self.calls,
        )

    def _conformity_app(self) -> ConformityGate:
        return ConformityGate(
            create_conformity_app(self.conformity),
            api_key=self._api_key,
            read_only_key=self._read_only_key,
            delay=self.fleet.conformity.delay,
            faults=self.faults,
            calls=self.calls,
        )

    def _control_app(self, bastion: Bastion) -> t.Any:
        return create_control_app(
            self.world,
            faults=self.faults,
            calls=self.calls,
            report=lambda: world_report(
                self.world,
                self.aws,
                self.log_delivery,
                bastion_logins=bastion.logins,
                monitoring=self.monitoring,
                aws_writes=sum(call["write"] for call in self.calls.list("aws")),
            ),
            stop=self.stop_requested.set,
        )

    def _environment(self, api_url: str, conformity_url: str, aws_url: str) -> dict[str, str]:
        """Return the variables that the collection, boto3 and Ansible look at."""
        return {
            "CLOUDONE_API_KEY": self._api_key,
            "CLOUDONE_NETSEC_URL": api_url + BASE,
            "CLOUDONE_CONFORMITY_URL": conformity_url,
            "AWS_ACCESS_KEY_ID": self._access_key,
            "AWS_SECRET_ACCESS_KEY": self._secret_key,
            "AWS_DEFAULT_REGION": next((spec.region for spec in self.fleet.appliances if spec.in_aws), "us-east-1"),
            "AWS_ENDPOINT_URL": aws_url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.0/8,localhost",
            "ANSIBLE_INVENTORY": str(self.state_dir.inventory),
        }

    def _description(self, api_url: str, aws_url: str, control_url: str, access: SshAccess) -> dict[str, t.Any]:
        """Return what ``lab.json`` says."""
        return {
            "pid": os.getpid(),
            "control_url": control_url,
            "netsec_url": api_url + BASE,
            "legacy_netsec_url": api_url + LEGACY_BASE,
            "aws_url": aws_url,
            "aws_account_id": ACCOUNT_ID,
            "aws_role_arns": [account.role_arn for account in self.fleet.aws.accounts],
            "aws_regions": sorted({spec.region for spec in self.fleet.appliances if spec.in_aws}),
            "read_only_api_key": self._read_only_key,
            "environment": self.environment,
            "ssh": {
                "port": access.port,
                "source_cidr": access.source_cidr,
                "bastion_host": access.bastion_host,
                "bastion_port": access.bastion_port,
                "bastion_user": access.bastion_user,
            },
            "appliances": {state.spec.name: state.instance_id for state in self.world.appliances.values()},
        }
