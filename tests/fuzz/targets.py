# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions that take bytes from outside and put them through everything that parses such; they raise only if the collection has a bug.

Expected is a :class:`CloudOneError`, or whatever else a function documents. ``SEEDS`` has for each target what it takes when nothing is hostile.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import gzip
import json
import typing as t
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance import log_streaming, renewal_record
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.certificate import Facts, assess
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.history import is_migrating, last_profile
from ansible_collections.trendmicro.cloudone.plugins.module_utils._appliance.model import Appliance
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.instances import Instance, NetworkInterface
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interface_search import read_user_data
from ansible_collections.trendmicro.cloudone.plugins.module_utils._aws.interfaces import Clues, management_interface
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli import text
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.system_log import certificate_errors, parse_time
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.answer import Allowance, UnusableAnswer, read_body
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.conformity import ConformityApi
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cloudone.netsec import NetsecApi
from ansible_collections.trendmicro.cloudone.plugins.module_utils._conformity import accounts, communication
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.hosts import host_variables
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.join import join, read_listed
from ansible_collections.trendmicro.cloudone.plugins.module_utils._fleet.naming import host_names
from ansible_collections.trendmicro.cloudone.plugins.module_utils._json import UnfitJson, read_json
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.drift import rule_drift
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.model import Observed, Rule, Wanted, template_mismatch
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.observe import read_pattern
from ansible_collections.trendmicro.cloudone.plugins.module_utils._rtm.template import pattern
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._cli_session import CliSession, Dialogue, SessionLost
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._known_hosts import find_keys
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.documents import KINDS
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._report.renderers import FORMATS
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_transport import ConnectError
from fuzz.stand_ins import Answers, Body, Greeted, Terminal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TAG = renewal_record.REGISTERED_AT

Target = Callable[[bytes], None]

_PAGERS = text.compile_patterns(text.PAGERS, "pagers")
_CONFIRMATIONS = text.compile_patterns(text.CONFIRMATIONS, "confirmations")
_ERRORS = text.compile_errors(text.REGISTRATION_ERRORS, "error_patterns")


def terminal(data: bytes) -> None:
    """What an appliance writes, in pieces."""
    written = data.decode("utf-8", errors="replace")
    transcript = text.Transcript()
    for start in range(0, len(written), 7):
        transcript.feed(written[start : start + 7])
        line = transcript.current()
        text.prompt_host(line)
        text.answer_to(line, _PAGERS)
        text.answer_to(line, _CONFIRMATIONS)
        assert 1 <= transcript.repeated(5) <= 5
    lines = transcript.lines()
    assert len(lines) == written.count("\n") + 1
    for line in lines:
        assert all(character == "\t" or not ("\0" <= character < " " or "\x7f" <= character <= "\x9f") for character in line), "a control character is left"
    text.without_echo(lines, "show version")
    text.find_error(lines, _ERRORS)
    text.refusal("\n".join(lines))


def session(data: bytes) -> None:
    """A session with whatever answers; the first part is its greeting."""
    greeting, *rest = data.split(b"\0\0")
    dialogue = Dialogue(max_output=10_000, settle=0, patience=0.05)
    shell = CliSession(Terminal([greeting[start : start + 50] for start in range(0, len(greeting), 50)] + rest), dialogue)
    with contextlib.suppress(SessionLost):
        shell.login(0.05)
        assert shell.host_name
        shell.run("show version", timeout=0.05)


def log(data: bytes) -> None:
    """Lines of a log."""
    lines = data.decode("utf-8", errors="replace").splitlines()
    for line in lines:
        time = parse_time(line, NOW)
        assert time is None or time.utcoffset() == timedelta(0)
    assert len(certificate_errors(lines, NOW)) <= len(lines)


def answer(data: bytes) -> None:
    """The body of an answer, compressed where the first byte is odd."""
    most = 10_000
    with contextlib.suppress(UnusableAnswer):
        body = read_body(Body(data[1:]), "gzip" if data[:1] and data[0] % 2 else "", Allowance(most), 5)
        assert len(body) <= most
        with contextlib.suppress(ValueError):
            _fit_to_be_written(read_json(body.decode("utf-8", errors="replace")))


def network_security(data: bytes) -> None:
    """Every answer of the Network Security API."""
    api = NetsecApi(t.cast(t.Any, Answers(data)))
    with _expected():
        listed, warnings = read_listed(api.list_entries())
        entries = join(listed, [], [], ())
        hosts = [host_variables(entry, registration_tag=TAG, renew_before=timedelta(30), now=NOW) for entry in entries]
        host_names(hosts, ["name", "host_name", "tag:x", "instance_id"], {"all"})
        _fit_to_be_written([hosts, warnings])
    with _expected():
        _fit_to_be_written([appliance.as_result() for appliance in [*api.list_appliances(), *api.find("i-1")]])
    with _expected():
        api.get(1)
    with _expected():
        _log_types(api.log_types(1))
    with _expected():
        last_profile(api.profile_distributions(), 1)
    with _expected():
        is_migrating(api.migrations(), 1)
    with _expected():
        api.create_deployment_token("/tokens", {}, "token.value", "id")


def _log_types(current: list[t.Any]) -> None:
    streams = [log_streaming.stream_name(one.stream, "i-1") for one in log_streaming.read_log_types(current)]
    wanted = log_streaming.LogType("ipsBlock", "ips", "{instance_id}", enabled=True)
    for purge in (False, True):
        planned = log_streaming.plan(current, [wanted], purge=purge)
        _fit_to_be_written([planned.payload, streams, [str(one) for one in planned.after], [one.as_result() for one in planned.before]])


def conformity(data: bytes) -> None:
    """Every answer of the Conformity API."""
    api = ConformityApi(t.cast(t.Any, Answers(data)))
    with _expected():
        _fit_to_be_written([{**accounts.as_result(one), "rtm": accounts.includes_rtm(one)} for one in api.accounts()])
    with _expected():
        api.account("A")
    with _expected():
        api.last_event("A", "us-east-1", since=NOW)
    with _expected():
        api.whoami()
    with _expected():
        settings = [communication.Setting.from_api(entry, "A") for entry in api.communication_settings("A")]
        wanted = communication.Wanted(None, "A", "slack", True, None, {"statuses": ["FAILURE"]}, {"url": "https://x", "channel": "#c"})
        planned = communication.plan(communication.find(settings, wanted), wanted)
        _fit_to_be_written([str(planned), planned.diff(), [one.as_result() for one in settings], planned.payload])


def record(data: bytes) -> None:
    """The tags of an instance, among them the record of a renewal."""
    with _expected(ValueError):
        tags = read_json(data.decode("utf-8", errors="replace"))
        if isinstance(tags, dict):
            _judge({str(key): str(value) for key, value in tags.items()})
    value = base64.urlsafe_b64encode(data).decode()
    _judge({"trendmicro.cloudone:renewal-1": f"1:01:{value}", renewal_record.STARTED: "2026-01-01T00:00:00Z"})


def _judge(tags: dict[str, str]) -> None:
    with _expected():
        settings = renewal_record.decode(tags)
        if settings:
            _fit_to_be_written(settings.as_result())
    appliance = Appliance.from_api({"ID": 1, "instanceId": "i-1"})
    for attached_at in (NOW, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)):
        with _expected():
            facts = Facts("i-1", appliance, dataclasses.replace(_instance(tags), root_volume_attached_at=attached_at), ["us-east-1"])
            judged = assess(facts, registration_tag=TAG, renew_before=timedelta(30), now=NOW)
            assert judged.registration is None or judged.registration.expires_at >= judged.registration.at


def user_data(data: bytes) -> None:
    """User data of an instance, and descriptions of its interfaces."""
    for encoded in (data.decode("utf-8", errors="replace"), base64.b64encode(data).decode(), base64.b64encode(b"\x1f\x8b" + data).decode()):
        found = read_user_data(encoded)
        assert len(found) <= 256 * 1024 or len(found) <= len(data)
        with _expected():
            management_interface(_instance({}, found[:1000]), None, Clues(user_data=found))


def _instance(tags: dict[str, str], description: str = "") -> Instance:
    interfaces = tuple(NetworkInterface(f"eni-{index}", index, "10.0.0.1", "vpc-1", description, (), True) for index in range(2))
    return Instance("i-1", "us-east-1", "123456789012", "running", NOW, tags, interfaces, None)


def rule(data: bytes) -> None:
    """The event pattern of a rule, and a template of CloudFormation."""
    document = data.decode("utf-8", errors="replace")
    found = read_pattern(document)
    template_mismatch(document)
    observed = Observed("123456789012", "us-east-1", None, Rule("arn", "ENABLED", found, (), None))
    for url in (None, "https://example.com/template"):
        wanted = Wanted(True, "s", "123456789013", ("aws.s3",), template_url=url)
        rule_drift(observed, wanted)


def report(data: bytes) -> None:
    """Entries of a report, whatever a playbook puts into them."""
    try:
        value = read_json(data.decode("utf-8", errors="replace"))
    except ValueError:
        return
    entries = [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, dict)]
    for make in KINDS.values():
        document = make(entries, NOW)
        for name, (render, _ending) in FORMATS.items():
            written = render(document)
            written.encode("utf-8")
            if name == "html":
                assert written.count("<script") == 1, "something from outside became a script"
            if name == "json":
                _fit_to_be_written(json.loads(written))


def known_hosts(data: bytes) -> None:
    """A file of known host keys."""
    for name in ("nsva-1", "[10.0.0.1]:2222"):
        find_keys(data.decode("utf-8", errors="replace"), name)


def ssh_server(data: bytes) -> None:
    """What a server sends instead of a handshake, with a version that is fine before it where the first byte is odd."""
    greeting = b"SSH-2.0-x\r\n" if data[:1] and data[0] % 2 else b""
    try:
        Greeted(greeting + data[1:], timeout=2).close()
    except ConnectError as error:
        assert len(str(error)) < 2000
        assert str(error).isprintable()


@contextlib.contextmanager
def _expected(*others: type[Exception]) -> Iterator[None]:
    """What users are told, and what is told to those who call."""
    try:
        yield
    except (CloudOneError, UnfitJson) as error:
        str(error).encode("utf-8")
    except others:
        pass
    except ValueError as error:
        # The stand-in for the HTTP client reads JSON without making it an error of the API.
        if not isinstance(error, json.JSONDecodeError) and "limit" not in str(error):
            raise


def _fit_to_be_written(value: t.Any) -> None:
    """As a module's result it can be written and read again."""
    assert json.loads(json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")) == value


TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (terminal, session, log, answer, network_security, conformity, record, user_data, rule, report, known_hosts, ssh_server)
}

_APPLIANCE = {
    "ID": 1,
    "instanceId": "i-1",
    "hostName": "nsva-1",
    "tosVersion": "2021.1.0.11234",
    "auxDv": {"Malware": {"Version": None}},
    "providerMetadata": [{"key": "accountId", "value": "123456789012"}, {"key": "region", "value": "sa-east-1"}],
}
_LOG_TYPE = {"logName": "ipsBlock", "logGroupName": "ips", "logStreamName": "x_{instance_id}", "enable": True}
_HISTORY = {"applianceId": 1, "type": "profile", "profile": {"id": 7}, "state": "start", "time": "2026-01-01T00:00:00Z"}
_ACCOUNT = {
    "type": "accounts",
    "id": "A",
    "attributes": {"name": "Test", "awsaccount-id": "123456789012", "last-monitoring-event-date": 1502570799000, "time": 1502570799000},
}
_SETTING = {
    "type": "settings",
    "id": "A:communication:slack-1",
    "attributes": {"channel": "slack", "enabled": True, "filter": {"statuses": ["FAILURE"]}, "configuration": {"url": "***", "channel": "#c"}},
    "relationships": {"account": {"data": {"type": "accounts", "id": "A"}}},
}
_ENTRY = {
    "instance_id": "i-1",
    "status": "expired",
    "result": "renewed",
    "reason": "x",
    "failed": False,
    "days_left": 3,
    "expires_at": "2026-04-01T00:00:00Z",
    "seconds": 1.5,
    "hints": ["y"],
    "account_id": "123456789012",
    "streams": [{"name": "system", "group": "g", "stream": "s", "receiving": True, "exists": True, "last_event_at": None}],
    "before": [{"name": "system", "group": "g", "stream": "s", "enabled": True}],
    "changes": [{"region": "us-east-1", "action": "create", "changed": True, "failed": False, "status": "present", "reason": None}],
    "looks": [{"region": "us-east-1", "status": "present", "last_event_at": "2026-01-01T00:00:00Z"}],
    "trails": [{"region": "us-east-1", "recorded": False, "reason": "r"}],
    "failures": ["f"],
    "warnings": ["w"],
}


def _json(*documents: t.Any) -> list[bytes]:
    return [json.dumps(document).encode() for document in documents]


SEEDS: dict[str, list[bytes]] = {
    "terminal": [
        b"\x1b]0;x\x07\x1b[1;32mnsva-1{}\x1b[0m show version\r\nTOS\x08\r\n--More--\r        \r(y/n)? ",
        b"Error: token is invalid\nline\rover\x1b[K\x9b2Jx",
    ],
    "session": [b"Welcome {x}\r\nnsva-1{}\0\0\r\nnsva-1{}\0\0show version\r\nTOS\r\n--More--\0\0\r\nnsva-1{}\0\0\r\nnsva-1{}"],
    "log": [b"Jan 31 04:05:06 h tmcloud[1]: sslv3 alert certificate expired\n2026-01-31T04:05:06.000+02:00 sslv3 alert certificate\n"],
    "answer": [b"\0" + _json({"next": None, "appliances": [1.5, "\ud83d\ude00"]})[0], b"\1" + gzip.compress(b"[]" * 500)],
    "network_security": _json(
        {"next": None, "appliances": [_APPLIANCE], "logTypes": [_LOG_TYPE], "token": {"value": "t"}, "ID": 1},
        {"next": "", "list": [_HISTORY, {**_HISTORY, "profile": {"id": 8}, "time": 5}]},
        {"statuses": [_HISTORY]},
    ),
    "conformity": _json({"data": [_ACCOUNT]}, {"data": _ACCOUNT}, {"data": [_SETTING]}),
    "record": _json(
        {**renewal_record.encode(renewal_record.Settings(1, 7, ())), renewal_record.STARTED: "2026-01-01T00:00:00Z", TAG: "2024-02-29T00:00:00Z"},
        {**renewal_record.encode(renewal_record.Settings(5, None, ())), renewal_record.STARTED: "9999-12-31T23:59:59Z"},
    ),
    "user_data": [b"GWLB-mode=1\nManagementPort=2 management", gzip.compress(b"GWLB-mode=0")],
    "rule": _json(pattern("123456789012", ["aws.s3"]), {"account": [[["a", {"b": ["'"]}]]], "source": []}),
    "report": _json([_ENTRY], [_ENTRY, {**_ENTRY, "instance_id": "<script>x</script>", "failed": True, "msg": "]]>|\n"}]),
    "known_hosts": [b"# x\n|1|c2FsdA==|ZGlnZXN0|x ssh-rsa AAAA\n*.example.com,!nsva-? ssh-ed25519 AAAA\n@revoked * ssh-rsa BBBB\n[10.0.0.1]:2222 x y\n"],
    "ssh_server": [b"\0SSH-2.0-OpenSSH_9.6\r\n", b"\0Go away\r\n" * 3, b"\1\0\0\0\x1c\x0a\x14" + b"\xff" * 40, b"\1\xff\xff\xff\xf8\x01\x02\x03"],
}
