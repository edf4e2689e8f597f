# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebooks as a user runs them: ansible-rulebook itself, a queue in the lab's AWS, and a fleet on which the renewal happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import typing as t
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3
import pytest
from log_event_messages import document, of_event_bus, of_function, of_pipe

from lab.fleet import parse_fleet
from lab.lab import Lab

Json = dict[str, t.Any]
POLICY = json.loads((Path(__file__).parents[3] / "docs" / "policies" / "event_driven.json").read_text(encoding="utf-8"))
PATIENCE = 180
EXPIRED = {"name": "expired", "registered_days_ago": 745}
UNHEARD = {"name": "unheard", "registered_days_ago": 760}
VALID = {"name": "valid", "registered_days_ago": 100}


class Site:
    """A running lab with a queue, and ansible-rulebook beside it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.output = folder / "ansible-rulebook.log"
        self.environment = {**os.environ, **lab.environment}
        self._sqs = boto3.client(
            "sqs",
            region_name=lab.environment["AWS_DEFAULT_REGION"],
            endpoint_url=lab.environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=lab.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=lab.environment["AWS_SECRET_ACCESS_KEY"],
        )
        self._queue_url: str = self._sqs.create_queue(QueueName="netsec-certificate-errors")["QueueUrl"]

    def id_of(self, name: str) -> str:
        return str(self.lab.control.appliance(name)["instance_id"])

    def errors_of(self, name: str) -> Json:
        """What CloudWatch Logs sends of the certificate errors that an appliance really has in its log."""
        instance_id = self.id_of(name)
        lines = [line for line in self.lab.world.system_log(instance_id) if "sslv3 alert certificate" in line]
        assert lines, "an appliance whose certificate expired logs errors"
        return document(instance_id, lines)

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=body)

    def left(self) -> tuple[int, int]:
        """How many messages are in the queue, visible ones and hidden ones."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue_url, AttributeNames=names)["Attributes"]
        return int(attributes[names[0]]), int(attributes[names[1]])

    def start(self, rulebook: str, *arguments: str, **variables: t.Any) -> subprocess.Popen[bytes]:
        file = self.folder / "event_driven.yml"
        # The lab answers one question at a time, so nobody may wait at the queue.
        file.write_text(json.dumps({"netsec_eda_queue_url": self._queue_url, "netsec_eda_wait_seconds": 0, **variables}), encoding="utf-8")
        command = ["ansible-rulebook", "--rulebook", f"trendmicro.cloudone.{rulebook}", "--vars", str(file), "--print-events", *arguments]
        with self.output.open("wb") as output:
            return subprocess.Popen(command, env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, condition: t.Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert process.poll() is None, f"ansible-rulebook ended:\n{self.said()}"
            assert time.monotonic() < deadline, f"it never came to that:\n{self.said()}"
            time.sleep(0.5)

    def renewals(self, name: str) -> int:
        """How often an appliance registered since the lab started."""
        world = self.lab.control.world()
        start = datetime.fromisoformat(world["started_at"])
        [appliance] = [one for one in world["appliances"] if one["name"] == name]
        return sum(datetime.fromisoformat(registration["at"]) > start for registration in appliance["registrations"])


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
def start_site(tmp_path: Path) -> t.Iterator[t.Callable[..., Site]]:
    """Start a lab with the given appliances; it ends with the test."""
    labs: list[Lab] = []

    def start(*appliances: Json) -> Site:
        labs.append(Lab(parse_fleet({"appliances": list(appliances)}), tmp_path / "lab").__enter__())
        return Site(labs[-1], tmp_path)

    yield start
    for lab in labs:
        lab.__exit__(None, None, None)


def test_the_appliance_that_reports_errors_is_renewed_once_however_often_it_does(start_site: t.Callable[..., Site]) -> None:
    site = start_site(EXPIRED, UNHEARD, VALID)
    errors = site.errors_of("expired")
    hostile = document(lines=["{{ lookup('pipe', 'touch owned') }} \x1b[2J sslv3 alert certificate"], logStream="{{ lookup('pipe', 'touch owned') }}")
    # The same errors in every wrapping, what is of no use, one appliance that is in no inventory, and one whose certificate is fine.
    site.send(of_function(errors), of_function(errors), "garbage", of_pipe(errors), json.dumps(hostile), of_event_bus(errors))
    site.send(of_function(document("i-0000000000000dead")), of_function(document(site.id_of("valid"))))
    process = site.start("renew_on_certificate_error", "--inventory", str(site.lab.state_dir.inventory))
    try:
        site.wait_until(lambda: site.lab.control.appliance("expired")["renewed"] and site.said().count("PLAY RECAP") >= 2, process)
        site.wait_until(lambda: site.left() == (0, 0), process)
        # One more, while everything else is done.
        site.send(of_function(errors))
        site.wait_until(lambda: site.left() == (0, 0), process)
    finally:
        stop(process)
    assert {name: site.renewals(name) for name in ("expired", "unheard", "valid")} == {"expired": 1, "unheard": 0, "valid": 0}
    totals = site.lab.control.world()["totals"]
    assert (totals["renewed"], totals["ssh_left_open"], totals["groups_left"]) == (1, 0, 0)
    said = site.said()
    assert said.count("PLAY RECAP") == 2, "the one that expired, and the valid one, for which nothing was to do"
    assert said.count("cannot be used: it is neither JSON") >= 1
    assert said.count("name no appliance") >= 1
    assert "no hosts to target" in said, "the one that is in no inventory"
    assert "Traceback" not in said and "\x1b[2J" not in said
    assert not list(site.folder.rglob("owned"))


def test_appliances_beyond_the_limit_are_reported_and_renewed_later(start_site: t.Callable[..., Site]) -> None:
    site = start_site(EXPIRED, UNHEARD)
    site.send(of_function(site.errors_of("expired")), of_function(site.errors_of("unheard")))
    process = site.start("renew_on_certificate_error", "--inventory", str(site.lab.state_dir.inventory), netsec_eda_max_renewals=1, netsec_eda_period=45)
    try:
        site.wait_until(lambda: "waits until" in site.said(), process)
        assert sum(site.left()) == 1, "the message of the one that waits is in the queue"
        site.wait_until(lambda: site.lab.control.world()["totals"]["renewed"] == 2 and site.left() == (0, 0), process)
    finally:
        stop(process)
    assert (site.renewals("expired"), site.renewals("unheard")) == (1, 1)
    # What the documented policy allows is what is asked for. The other calls are those of this test.
    asked = {call["operation"] for call in site.lab.control.calls("aws") if call["service"] == "sqs"}
    assert asked - {"sqs:CreateQueue", "sqs:SendMessage", "sqs:GetQueueAttributes"} == set(POLICY["Statement"][0]["Action"])


class Controller(ThreadingHTTPServer):
    """As much of a controller's API as it takes to launch a job template. A job does nothing and succeeds.

    :ivar launches: what each launch asked for.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.launches: list[Json] = []


class _Answers(BaseHTTPRequestHandler):
    server: Controller

    def do_GET(self) -> None:
        job = {"id": 1, "status": "successful", "created": datetime.now(UTC).isoformat(), "url": "/api/v2/jobs/1/", "artifacts": {}}
        template = {
            "id": 7,
            "type": "job_template",
            "name": "Renew appliance certificates",
            "summary_fields": {"organization": {"name": "Default"}},
            "related": {"launch": "/api/v2/job_templates/7/launch/"},
            "ask_limit_on_launch": True,
            "ask_labels_on_launch": False,
            "ask_inventory_on_launch": False,
            "ask_variables_on_launch": False,
        }
        pages = {"config": {"version": "4.6.0"}, "unified_job_templates": {"results": [template]}, "jobs": {"results": [job]}}
        self._answer(pages[self.path.split("?")[0].strip("/").split("/")[2]])

    def do_POST(self) -> None:
        self.server.launches.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer({"id": 1, "url": "/api/v2/jobs/1/"})

    def _answer(self, content: Json) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: t.Any) -> None:
        """Say nothing."""


def test_a_job_template_is_launched_once_limited_to_the_appliance(start_site: t.Callable[..., Site]) -> None:
    site, controller = start_site(EXPIRED), Controller()
    threading.Thread(target=controller.serve_forever, daemon=True).start()
    site.send(*[of_function(site.errors_of("expired"))] * 3)
    url = f"http://127.0.0.1:{controller.server_port}"
    process = site.start("launch_renewal_on_certificate_error", "--controller-url", url, "--controller-token", "a-token")
    try:
        site.wait_until(lambda: bool(controller.launches) and site.left() == (0, 0), process)
    finally:
        stop(process)
        controller.shutdown()
        controller.server_close()
    assert controller.launches == [{"limit": site.id_of("expired"), "extra_vars": {}}]
