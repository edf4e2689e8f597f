# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sessions with an appliance's command line, over real SSH."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncssh
import pytest
from fuzz.stand_ins import Terminal

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._cli_session import CliSession, Dialogue, OutputTooLong, SessionLost, SessionTimeout
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_route import Hop, Route
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_transport import SshConnection
from ansible_collections.trendmicro.cloudone.tests.unit.plugins.plugin_utils.ssh_servers import (
    DROP,
    END,
    KEY,
    LINE,
    NO_PROMPT,
    Appliance,
    Servers,
)

TIMEOUT = 10.0
# Longer than a session waits for more output, so that it has to decide without it.
PAUSE = 0.15

Open = Callable[..., CliSession]


@pytest.fixture
def connect(servers: Servers, host_key: asyncssh.SSHKey, tmp_path: Path) -> Iterator[Open]:
    connections = []

    def connect(appliance: Appliance, **dialogue: object) -> CliSession:
        port = servers.appliance(appliance, host_key)
        hop = Hop("127.0.0.1", port, "admin", "", (str(tmp_path / "none"),), "off", (str(servers.folder / "client"),))
        connections.append(SshConnection(Route((hop,)), timeout=TIMEOUT))
        return CliSession(connections[-1].open_shell(), Dialogue(**dialogue))  # type: ignore[arg-type]

    yield connect
    for connection in connections:
        connection.close()


@pytest.fixture
def log_in(connect: Open) -> Open:
    def log_in(appliance: Appliance, **dialogue: object) -> CliSession:
        session = connect(appliance, **dialogue)
        session.login(TIMEOUT)
        return session

    return log_in


def run(session: CliSession, line: str = "show version", timeout: float = TIMEOUT) -> str:
    return session.run(line, timeout=timeout)


def test_commands(log_in: Open) -> None:
    appliance = Appliance(replies={"show version": [b"TOS 2024.1\r\n\r\nDV 4.0\r\n"]})
    session = log_in(appliance)
    assert session.host_name == "nsva-1"
    assert run(session) == "TOS 2024.1\n\nDV 4.0"
    assert run(session, "edit") == ""
    assert run(session) == "TOS 2024.1\n\nDV 4.0"
    assert appliance.typed == ["show version", "edit", "show version"]
    assert appliance.terminal_width == 2000


@pytest.mark.parametrize("prompt", [b"nsva-1{} ", b"\x1b[1;32mnsva-1\x1b[0m{}", b"\x1b]0;x{}\x07nsva-1{running-mgmt}\x1b[K", b"N.s_v-a{running}"])
def test_prompts(log_in: Open, prompt: bytes) -> None:
    assert run(log_in(Appliance(prompt=prompt, replies={"show version": [b"1\r\n"]}))) == "1"


def test_the_prompt_follows_the_mode(log_in: Open) -> None:
    appliance = Appliance()
    session = log_in(appliance)
    appliance.prompt = b"nsva-1{running}"
    assert run(session, "edit") == ""
    assert run(session, "log") == ""


@pytest.mark.parametrize(
    "login",
    [
        [b"*** {authorized} use only ***\r\n"],
        [b"Welcome to {site}\r\nsite{a}\r\n{}\r\n"],
        # What looks like a prompt, and more of it later.
        [b"Welcome\r\nsite{a}", PAUSE, b" is watched\r\n"],
        [b"site{a}\r\nsite{a}", PAUSE, b"\r\n"],
        [b"site{a}", PAUSE, b"\r\n", PAUSE, b"site{b}", PAUSE, b"\r\n"],
        [b"\x1b[2J\x1b[H\x1b[31mRed {banner}\x1b[0m\r\n"],
        [PAUSE, b"late"],
        [b"Press any key to continue", KEY, b"\r\x1b[K"],
        [b"Do you accept the terms {of use} (y/n)? ", LINE],
    ],
)
def test_banners(log_in: Open, login: list[bytes | float | str]) -> None:
    # "late" ends without a line end, so the first prompt stands behind it.
    session = log_in(Appliance(login=login, replies={"show version": [b"1\r\n"]}))
    assert session.host_name == "nsva-1"
    assert run(session) == "1"


@pytest.mark.parametrize(
    "log",
    [
        b"a{b}\r\nconfiguration {running} saved\r\n",
        b"nsva-1{}\r\n",
        b"nsva-1{}\r\nnsva-1{}\r\nnsva-1{}\r\n",
        b"nsva-1{running}\r\nx\r\n",
        b"audit: nsva-1{} show version\r\n",
        b"--More--\r\ntext\r\n",
        b"Sure (y/n)?\r\ntext\r\n",
    ],
)
def test_log_text_does_not_pass_for_a_prompt(log_in: Open, log: bytes) -> None:
    session = log_in(Appliance(replies={"show log": [log], "show version": [b"1\r\n"]}))
    assert run(session, "show log") == log.decode().replace("\r\n", "\n").strip("\n")
    assert run(session) == "1"


@pytest.mark.parametrize(
    "log",
    [
        [b"one\r\nnsva-1{}", PAUSE, b"\r\ntwo\r\n"],
        [b"one\r\nnsva-1{", PAUSE, b"}", PAUSE, b"\r\ntwo\r\n"],
        [b"one\r\nnsva-1{}", PAUSE, b" logged in\r\ntwo\r\n"],
        [b"one\r\nnsva-1{}", PAUSE, b"\r\nnsva-1{running}", PAUSE, b"\r\ntwo\r\n"],
        [b"one\r\nnsva-1{}\r\n", b"nsva-1{}", PAUSE, b"\r\ntwo\r\n"],
    ],
)
def test_log_text_that_ends_like_a_prompt_for_a_moment(log_in: Open, log: list[bytes | float]) -> None:
    session = log_in(Appliance(replies={"show log": log, "show version": [b"1\r\n"]}))
    expected = b"".join(step for step in log if isinstance(step, bytes)).decode().replace("\r\n", "\n").strip("\n")
    assert run(session, "show log") == expected
    assert run(session) == "1"


def test_pager(log_in: Open) -> None:
    pages: list[bytes | str] = [b"1\r\n2\r\n--More--", KEY, b"\r        \r3\r\nlong line\r\n\x1b[7m--More--\x1b[0m", KEY, b"\r\x1b[K5\r\n"]
    appliance = Appliance(replies={"show log": pages})
    assert run(log_in(appliance), "show log") == "1\n2\n3\nlong line\n5"
    assert appliance.typed == ["show log", "' '", "' '"]


def test_own_pager(log_in: Open) -> None:
    appliance = Appliance(replies={"show log": [b"1\r\n[next page]", KEY, b"\r           \r2\r\n"]})
    assert run(log_in(appliance, pagers={r"\[next page\]": "n"}), "show log") == "1\n2"
    assert appliance.typed == ["show log", "'n'"]


def test_confirmation(log_in: Open) -> None:
    appliance = Appliance(replies={"cloudone unregister": [b"Unregister this appliance? (y/n) ", LINE, b"Done.\r\n"]})
    assert run(log_in(appliance), "cloudone unregister") == "Unregister this appliance? (y/n) y\nDone."
    assert appliance.typed == ["cloudone unregister", "y"]


def test_the_same_question_twice(log_in: Open) -> None:
    appliance = Appliance(replies={"reboot": [b"Sure (yes/no)? ", LINE, b"Really sure (yes/no)? ", LINE]})
    run(log_in(appliance), "reboot")
    assert appliance.typed == ["reboot", "yes", "yes"]


def test_own_confirmations(log_in: Open) -> None:
    appliance = Appliance(replies={"reboot": [b"Type the host name: ", LINE], "unregister": [b"Sure (y/n)? ", LINE]})
    session = log_in(appliance, confirmations={"host name:": "nsva-1"})
    run(session, "reboot")
    assert appliance.typed == ["reboot", "nsva-1"]
    with pytest.raises(SessionTimeout, match=r"The last output was: .*Sure \(y/n\)\?"):
        run(session, "unregister", timeout=0.5)


def test_colours_and_other_sequences(log_in: Open) -> None:
    session = log_in(Appliance(replies={"show version": [b"\x1b[1mTOS\x1b[0m \x1b[31m2024", b".1\x1b", b"[0m\x1b[K\r\n10%\r100%\r\n"]}))
    assert run(session) == "TOS 2024.1\n100%"


def test_non_ascii_output(log_in: Open) -> None:
    text = "Caf\u00e9 \u65e5\u672c \U0001f600".encode()
    pieces: list[bytes | float] = [text[:5], PAUSE, text[5:11], PAUSE, text[11:], b"\r\nnot UTF-8: \xff\xfe\r\n"]
    assert run(log_in(Appliance(replies={"show version": pieces}))) == "Caf\u00e9 \u65e5\u672c \U0001f600\nnot UTF-8: \ufffd\ufffd"


def test_megabytes(log_in: Open) -> None:
    lines = [f"{number:08} nsva-1{{}} {'x' * 90}" for number in range(40_000)]
    session = log_in(Appliance(replies={"show log": ["\r\n".join([*lines, ""]).encode()]}))
    started = time.process_time()
    assert run(session, "show log", 60).split("\n") == lines
    assert time.process_time() - started < 10


def test_a_line_without_end(log_in: Open) -> None:
    session = log_in(Appliance(replies={"show log": [b"x" * 1_000_000, b"\r\n"]}))
    assert run(session, "show log", 60) == "x" * 1_000_000


def test_output_that_is_too_long(log_in: Open) -> None:
    session = log_in(Appliance(replies={"show log": [b"x" * 5000]}), max_output=4000)
    with pytest.raises(OutputTooLong, match="longer than 4000 characters") as caught:
        run(session, "show log")
    assert caught.value.sent


def test_terminals_without_echo(log_in: Open) -> None:
    session = log_in(Appliance(echo=False, prompt=b"\r\nnsva-1{}", replies={"show version": [b"1\r\n"]}))
    assert run(session) == "1"


def test_an_appliance_that_does_not_answer_empty_lines(log_in: Open) -> None:
    appliance = Appliance(answers_empty_lines=False, echo=False, replies={"show version": [b"1\r\n"]})
    session = log_in(appliance, patience=0.3)
    assert run(session) == "1"
    assert run(session) == "1"


def test_late_output_of_the_line_before(log_in: Open) -> None:
    """A prompt that was believed because nothing else came, and then something did."""
    appliance = Appliance(replies={"show log": [b"1\r\nnsva-1{}", 0.5, b"\r\n2\r\n"], "show version": [b"1\r\n"]})
    session = log_in(appliance, patience=0.2)
    assert run(session, "show log") == "1"
    time.sleep(0.6)
    assert run(session) == "1"


@pytest.mark.parametrize("line", ["show\nversion", "show\rversion", "show \x03", "\x1b"])
def test_a_command_is_one_line(log_in: Open, line: str) -> None:
    appliance = Appliance()
    with pytest.raises(InputError, match="one line of printable characters"):
        run(log_in(appliance), line)
    assert appliance.typed == []


# Secrets.

TOKEN = "eyJhbGciOiJIUzI1NiJ9." + "0123456789abcdef" * 20


def test_a_secret_is_not_in_the_output(log_in: Open) -> None:
    command = f"cloudone register {TOKEN}"
    appliance = Appliance(replies={command: [f"Error: token {TOKEN} is invalid\r\n".encode()]})
    session = log_in(appliance)
    assert session.run(command, timeout=TIMEOUT, secret=TOKEN) == "Error: token ******** is invalid"
    assert appliance.typed == [command]


@pytest.mark.parametrize("steps", [[TOKEN.encode(), DROP], [TOKEN.encode(), NO_PROMPT]])
def test_a_secret_is_not_in_an_exception(log_in: Open, steps: list[bytes | str]) -> None:
    command = f"cloudone register {TOKEN}"
    session = log_in(Appliance(replies={command: steps}))
    with pytest.raises(SessionLost) as caught:
        session.run(command, timeout=0.5, secret=TOKEN)
    assert "'cloudone register ********'" in str(caught.value)
    error: BaseException | None = caught.value
    while error:
        assert TOKEN[:10] not in f"{error}{vars(error)}"
        error = error.__cause__


def test_a_secret_with_a_line_break_is_not_in_the_error(log_in: Open) -> None:
    with pytest.raises(InputError) as caught:
        log_in(Appliance()).run(f"cloudone register {TOKEN}\n", timeout=TIMEOUT, secret=TOKEN)
    assert TOKEN[:10] not in str(caught.value)


# Sessions that go wrong.


def test_dropped_after_the_line_was_sent(log_in: Open) -> None:
    session = log_in(Appliance(replies={"show version": [b"TOS 20", DROP]}))
    with pytest.raises(SessionLost, match="ended by the other side after 'show version' was sent. The last output was: 'TOS 20'") as caught:
        run(session)
    assert caught.value.sent
    assert caught.value.output == "TOS 20"


def test_ended_after_the_line_was_sent(log_in: Open) -> None:
    with pytest.raises(SessionLost) as caught:
        run(log_in(Appliance(replies={"show version": [END]})))
    assert caught.value.sent


def test_dropped_before_the_line_was_sent(log_in: Open) -> None:
    appliance = Appliance(replies={"show version": [b"1\r\n"], "edit": [b"nsva-1{}\r\nnsva-1{}", 0.3, DROP]})
    session = log_in(appliance, patience=0.1)
    run(session, "edit")
    time.sleep(0.4)
    with pytest.raises(SessionLost, match="before 'show version' was sent") as caught:
        run(session)
    assert not caught.value.sent
    assert "show version" not in appliance.typed


def test_closed_before_the_line_was_sent(log_in: Open) -> None:
    session = log_in(Appliance())
    session.close()
    with pytest.raises(SessionLost) as caught:
        run(session)
    assert not caught.value.sent


def test_the_prompt_does_not_come_back(log_in: Open) -> None:
    session = log_in(Appliance(replies={"show version": [b"TOS 2024.1\r\n", NO_PROMPT]}))
    started = time.monotonic()
    with pytest.raises(SessionTimeout, match="The time limit was reached after 'show version' was sent") as caught:
        run(session, timeout=0.4)
    assert caught.value.sent
    assert time.monotonic() - started < 3


def test_endless_output_ends_with_the_time_limit(log_in: Open) -> None:
    session = log_in(Appliance(replies={"show log": [b"line\r\n", 0.05] * 100}))
    with pytest.raises(SessionTimeout):
        run(session, "show log", timeout=0.4)


@pytest.mark.parametrize(
    ("login", "seen"),
    [
        ([NO_PROMPT], "wrote nothing"),
        ([b"Welcome {you}\r\n", NO_PROMPT], r"wrote: 'Welcome \{you\}'"),
        ([b"Password: ", NO_PROMPT], "wrote: 'Password:'"),
        ([bytes(range(256)) * 20, NO_PROMPT], "wrote: "),
    ],
)
def test_never_a_prompt(connect: Open, login: list[bytes | str], seen: str) -> None:
    with pytest.raises(SessionTimeout, match=f"(?s)No prompt such as HOST.*{seen}") as caught:
        connect(Appliance(login=login)).login(0.4)
    assert not caught.value.sent


def test_garbage_before_the_prompt(log_in: Open) -> None:
    session = log_in(Appliance(login=[bytes(range(256)) * 20 + b"\r\n"], replies={"show version": [b"\xff\x00\x1b[1\x9b\x90\r\n1\r\n"]}))
    assert run(session).endswith("\n1")


def test_refused_at_login(connect: Open) -> None:
    with pytest.raises(SessionLost, match="ended by the other side.*wrote: 'Error: another session is open.'"):
        connect(Appliance(login=[b"Error: another session is open.\r\n", END])).login(TIMEOUT)


def test_too_much_before_the_prompt(connect: Open) -> None:
    with pytest.raises(OutputTooLong):
        connect(Appliance(login=[b"x" * 5000]), max_output=4000).login(TIMEOUT)


# Output without bounds.


def stream(line: bytes) -> Iterator[bytes | None]:
    """More than any log has; it is made as it is read, after a pause."""
    yield None
    while True:
        yield line


@pytest.mark.parametrize("line", [b"sslv3 alert certificate expired\r\n" * 1000, b"x" * 32_768, b"\r\nnsva-1{}" * 1000, b"--More--"])
def test_a_log_that_never_ends_is_read_no_further_than_allowed(line: bytes) -> None:
    terminal = Terminal(stream(line))
    session = CliSession(terminal, Dialogue(max_output=200_000, settle=0))
    session.host_name = "nsva-1"
    with pytest.raises(OutputTooLong, match=r"longer than 200000 characters \(ansible_nsva_max_output\)"):
        session.run("show log-file system", timeout=60)
    assert terminal.given < 300_000


def test_a_greeting_that_never_ends() -> None:
    terminal = Terminal(iter(lambda: b"Welcome\r\n" * 100, None))
    with pytest.raises(OutputTooLong):
        CliSession(terminal, Dialogue(max_output=100_000)).login(60)
    assert terminal.given < 110_000


def test_a_prompt_that_never_comes() -> None:
    started = time.monotonic()
    with pytest.raises(SessionTimeout):
        CliSession(Terminal(iter(lambda: time.sleep(0.01) or b".", None)), Dialogue()).login(0.3)
    assert time.monotonic() - started < 3
