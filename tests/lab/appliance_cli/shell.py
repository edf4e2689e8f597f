# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the appliance: which words are valid where, and what each answers. No input or output happens here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.appliance_cli.interface import CliAppliance, NotRegistered, RegistrationRefused

GREEN = "1;32"
RED = "1;31"


@dataclass(frozen=True)
class Answer:
    """What a line leads to.

    :ivar lines: output, without line ends.
    :ivar seconds: time that passes between ``started`` and ``lines``.
    :ivar started: output at once.
    :ivar closes: the session ends.
    """

    lines: list[str] = field(default_factory=list)
    seconds: float = 0.0
    started: list[str] = field(default_factory=list)
    closes: bool = False


@dataclass(frozen=True)
class Entry:
    """One valid word at a position of a line.

    :ivar run: carries the command out if the line ends here (or goes on with ``argument``).
    :ivar argument: what may stand for free text after this word, e.g. ``<words>``.
    :ivar question: what is asked before, on appliances with confirmations.
    """

    help: str
    entries: dict[str, Entry] = field(default_factory=dict)
    run: Callable[[str], Answer] | None = None
    argument: str = ""
    question: str = ""


class Shell:
    """One session's command interpreter; not thread-safe.

    Answers are printed in the order: question, ``started``, a pause, ``lines``, prompt.
    """

    def __init__(self, appliance: CliAppliance) -> None:
        self._appliance = appliance
        self._mode = ""
        help_entry = Entry("List the valid entries", run=lambda _: self._valid(self._modes[self._mode]))
        leave = Entry("Leave this context", run=lambda _: self._enter("running"))
        self._modes: dict[str, dict[str, Entry]] = {
            "": {
                "cloudone": Entry(
                    "Trend Cloud One registration",
                    {
                        "register": Entry(
                            "Register this appliance",
                            run=self._register,
                            argument="<deployment token or API key>",
                            question="Register this appliance with Trend Cloud One?",
                        ),
                        "unregister": Entry(
                            "Remove the registration of this appliance",
                            run=self._unregister,
                            question="Unregister this appliance from Trend Cloud One?",
                        ),
                    },
                ),
                "edit": Entry("Change the running configuration", run=lambda _: self._enter("running")),
                "exit": Entry("End the session", run=lambda _: Answer(closes=True)),
                "help": help_entry,
                "save-config": Entry(
                    "Keep the running configuration over a restart",
                    {"-y": Entry("Do not ask", run=lambda _: Answer())},
                    run=lambda _: Answer(),
                    question="Overwrite the saved configuration?",
                ),
                "show": Entry(
                    "Show the state of the appliance",
                    {
                        "log-file": Entry(
                            "Contents of a log file",
                            {
                                "system": Entry(
                                    "System log",
                                    {"search": Entry("Lines that contain a text", run=self._search, argument="<words>")},
                                    run=lambda _: Answer(self._appliance.backend.system_log()),
                                )
                            },
                        ),
                        "version": Entry("Versions of the software", run=lambda _: self._versions()),
                    },
                ),
            },
            "running": {
                "commit": Entry("Put the changes into effect", run=lambda _: Answer()),
                "exit": Entry("Leave the configuration mode", run=lambda _: self._enter("")),
                "help": help_entry,
                "log": Entry("Log configuration", run=lambda _: self._enter("running-log")),
                "mgmt": Entry("Management interface configuration", run=lambda _: self._enter("running-mgmt")),
            },
            "running-log": {"exit": leave, "help": help_entry},
            "running-mgmt": {"exit": leave, "help": help_entry},
        }

    @property
    def prompt(self) -> str:
        """The prompt of the present mode, e.g. ``nsva-1{running}``."""
        return self.paint(f"{self._appliance.host_name}{{{self._mode}}}", GREEN)

    def question(self, line: str) -> str:
        """What to ask before carrying ``line`` out; empty if nothing."""
        entry, _rest = self._find(line)
        # Saving always asks, hence its -y; the registration commands ask only where configured.
        asks = self._appliance.confirmations or line.split()[:1] == ["save-config"]
        return f"{entry.question} (y/n) " if entry and entry.run and asks and entry.question else ""

    def execute(self, line: str) -> Answer:
        """Carry one line out."""
        if not line.split():
            return Answer()
        entry, rest = self._find(line)
        if entry is None or entry.run is None or (rest and not entry.argument):
            return self._valid(self._entries_at_error(line))
        if entry.argument and not rest:
            return self._valid({entry.argument: Entry("")})
        return entry.run(" ".join(rest))

    def error(self, text: str) -> list[str]:
        """An error message as the appliance prints it."""
        return [self.paint(f"Error: {text}", RED)]

    def paint(self, text: str, colour: str) -> str:
        """Colour a text on appliances that do so."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self._appliance.colours else text

    def _find(self, line: str) -> tuple[Entry | None, list[str]]:
        """The entry that the longest valid beginning of ``line`` leads to, and the words after it."""
        entries = self._modes[self._mode]
        entry = None
        words = line.split()
        while words and words[0] in entries:
            entry = entries[words.pop(0)]
            entries = entry.entries
        return entry, words

    def _entries_at_error(self, line: str) -> dict[str, Entry]:
        """The entries that would have been valid at the first wrong, surplus or missing word."""
        entry, _rest = self._find(line)
        return entry.entries or {"<Enter>": Entry("Carry the command out")} if entry else self._modes[self._mode]

    def _valid(self, entries: dict[str, Entry]) -> Answer:
        width = max(len(word) for word in entries)
        listed = [f"  {word:<{width}}  {entry.help}".rstrip() for word, entry in sorted(entries.items())]
        return Answer([self.paint("Valid entries at this position are:", RED), *listed])

    def _enter(self, mode: str) -> Answer:
        self._mode = mode
        return Answer()

    def _versions(self) -> Answer:
        versions = {"Host name": self._appliance.host_name, **self._appliance.versions}
        width = max(len(label) for label in versions)
        return Answer([f"{label + ':':<{width + 1}} {value}" for label, value in versions.items()])

    def _search(self, words: str) -> Answer:
        hit = re.compile(re.escape(words), re.IGNORECASE)
        found = [line for line in self._appliance.backend.system_log() if hit.search(line)]
        return Answer([hit.sub(lambda match: self.paint(match[0], RED), line) for line in found])

    def _register(self, credential: str) -> Answer:
        if " " in credential:
            return self._valid({"<Enter>": Entry("Carry the command out")})
        try:
            registration = self._appliance.backend.register(credential)
        except RegistrationRefused as refusal:
            return Answer(self.error(str(refusal)))
        started = ["Registering with Trend Cloud One..."]
        if registration.blocks:
            return Answer(["Registration complete."], seconds=registration.seconds, started=started)
        return Answer(started=started)

    def _unregister(self, _rest: str) -> Answer:
        try:
            self._appliance.backend.unregister()
        except NotRegistered:
            return Answer(self.error("this appliance is not registered."))
        return Answer(["The registration was removed."])


def without_secret(line: str) -> str:
    """The line with single spaces and without anything after ``cloudone register``."""
    words = line.split()
    return " ".join(words[:2] if words[:2] == ["cloudone", "register"] else words)


def masked(line: str) -> str:
    """The line with single spaces, a credential replaced by ``***``."""
    shown = without_secret(line)
    return f"{shown} ***" if shown != " ".join(line.split()) else shown
