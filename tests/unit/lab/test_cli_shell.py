# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from cli_world import TOKEN, Backend, appliance

from lab.appliance_cli.interface import Registration
from lab.appliance_cli.shell import Shell, masked, without_secret

BAD_INPUT = "Valid entries at this position are:"
LOG = ["2026-01-01 00:00:01 link up", "2026-01-02 00:00:02 TLS: sslv3 alert certificate expired"]


def answer(line: str, backend: Backend | None = None, **how: object) -> list[str]:
    reply = Shell(appliance(backend or Backend(), **how)).execute(line)
    return reply.started + reply.lines


def test_the_prompt_shows_the_context() -> None:
    shell = Shell(appliance(Backend()))
    prompts = [shell.prompt]
    for line in ("edit", "log", "exit", "mgmt", "exit", "commit", "exit"):
        shell.execute(line)
        prompts.append(shell.prompt)
    assert prompts == [f"nsva-1{{{mode}}}" for mode in ("", "running", "running-log", "running", "running-mgmt", "running", "running", "")]


def test_exit_at_the_root_ends_the_session() -> None:
    assert Shell(appliance(Backend())).execute("exit").closes


def test_registration_commands_belong_to_the_root() -> None:
    backend = Backend()
    shell = Shell(appliance(backend))
    shell.execute("edit")
    assert shell.execute("cloudone unregister").lines[0] == BAD_INPUT
    assert backend.is_registered


@pytest.mark.parametrize(
    ("line", "entries"),
    [
        ("conf t", ["cloudone", "edit", "exit", "help", "save-config", "show"]),
        ("show", ["log-file", "version"]),
        ("show nothing", ["log-file", "version"]),
        ("show version now", ["<Enter>"]),
        ("show log-file system find", ["search"]),
        ("show log-file system search", ["<words>"]),
        ("cloudone register", ["<deployment"]),
        ("cloudone register a b", ["<Enter>"]),
    ],
)
def test_bad_input_is_answered_with_what_is_valid_there(line: str, entries: list[str]) -> None:
    first, *listed = answer(line)
    assert first == BAD_INPUT
    assert [entry.split()[0] for entry in listed] == entries


def test_show_version_names_the_host_and_what_it_is_given() -> None:
    assert answer("show version", versions={"TOS": "5.5.0.10625"}) == ["Host name: nsva-1", "TOS:       5.5.0.10625"]


def test_the_system_log_is_shown_whole_or_searched() -> None:
    assert answer("show  log-file system", Backend(log=LOG)) == LOG
    assert answer("show log-file system search SSLV3  alert certificate", Backend(log=LOG)) == LOG[1:]
    assert answer("show log-file system search .*", Backend(log=LOG)) == []


def test_hits_prompt_and_errors_are_coloured_where_configured() -> None:
    shell = Shell(appliance(Backend(log=LOG), colours=True))
    assert shell.prompt == "\x1b[1;32mnsva-1{}\x1b[0m"
    assert shell.execute("show log-file system search alert").lines == [LOG[1].replace("alert", "\x1b[1;31malert\x1b[0m")]
    assert shell.execute("foo").lines[0] == f"\x1b[1;31m{BAD_INPUT}\x1b[0m"


def test_registering_takes_the_time_that_the_world_says() -> None:
    backend = Backend(is_registered=False, registration=Registration(seconds=4, blocks=True))
    reply = Shell(appliance(backend)).execute(f"cloudone register {TOKEN}")
    assert (reply.started, reply.seconds, reply.lines) == (["Registering with Trend Cloud One..."], 4, ["Registration complete."])
    assert backend.is_registered


def test_a_registration_that_does_not_block_returns_at_once() -> None:
    backend = Backend(is_registered=False, registration=Registration(seconds=4, blocks=False))
    reply = Shell(appliance(backend)).execute(f"cloudone register {TOKEN}")
    assert (reply.started, reply.seconds, reply.lines) == (["Registering with Trend Cloud One..."], 0, [])


def test_a_refused_credential_is_an_error_that_does_not_repeat_it() -> None:
    assert answer("cloudone register wrong") == ["Error: the credential was not accepted."]


def test_unregistering_twice_is_an_error() -> None:
    backend = Backend()
    assert answer("cloudone unregister", backend) == ["The registration was removed."]
    assert answer("cloudone unregister", backend) == ["Error: this appliance is not registered."]


@pytest.mark.parametrize("line", ["cloudone unregister", f"cloudone register {TOKEN}"])
def test_registration_commands_ask_only_where_configured(line: str) -> None:
    assert Shell(appliance(Backend(), confirmations=True)).question(line).endswith(" (y/n) ")
    assert Shell(appliance(Backend())).question(line) == ""


def test_saving_the_configuration_asks_unless_told_not_to() -> None:
    shell = Shell(appliance(Backend()))
    assert shell.question("save-config").endswith(" (y/n) ")
    assert shell.question("save-config -y") == ""
    assert shell.question("show version") == shell.question("cloudone") == shell.question("") == ""


def test_an_empty_line_does_nothing() -> None:
    assert answer("   ") == []


@pytest.mark.parametrize(
    ("line", "moment", "recorded"),
    [
        (f" cloudone  register {TOKEN}", "cloudone register", "cloudone register ***"),
        ("cloudone register", "cloudone register", "cloudone register"),
        ("show   version", "show version", "show version"),
    ],
)
def test_secrets_do_not_leave_the_line(line: str, moment: str, recorded: str) -> None:
    assert (without_secret(line), masked(line)) == (moment, recorded)
