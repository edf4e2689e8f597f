# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which hosts an SSH connection goes through, and as whom: Ansible's variables, ssh arguments and the user's SSH configuration, put together.

Nothing is connected here. A setting that cannot be honoured is an error; in particular nothing that names a jump host is ever passed over.
"""

from __future__ import annotations

import getopt
import getpass
import glob
import os
import re
import shlex
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import InputError
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._known_hosts import entry_name

try:
    from paramiko.config import SSHConfig
    from paramiko.ssh_exception import SSHException
except ImportError:
    pass  # The connection plugin reports it.

HostKeyPolicy = t.Literal["strict", "accept-new", "off"]

SYSTEM_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts"

# The ssh_config keywords that are honoured when given as "-o Keyword=value".
KEYWORDS = (
    "HostKeyAlias",
    "IdentitiesOnly",
    "IdentityFile",
    "ProxyCommand",
    "ProxyJump",
    "StrictHostKeyChecking",
    "UserKnownHostsFile",
)
_STRICT_HOST_KEY_CHECKING: dict[str, HostKeyPolicy] = {
    "yes": "strict",
    "ask": "strict",  # nobody is there to be asked
    "accept-new": "accept-new",
    "no": "off",
    "off": "off",
}
_HOST_KEY_KEYWORDS = ("stricthostkeychecking", "userknownhostsfile")
_JUMP = re.compile(r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?:\[(?P<ipv6>[^]]+)\]|(?P<host>[^:@\[\]]+))(?::(?P<port>\d+))?/?")
_NO_HOST = re.compile(r"[\s\x00-\x1f\x7f,*?|]|^[!#@]")
_MOST_HOPS = 8
_MOST_INCLUDES = 16


@dataclass(frozen=True)
class Login:
    """What was said about one host; ``None`` or empty: leave it to the SSH configuration and the defaults."""

    host: str
    port: int | None = None
    user: str | None = None
    key_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wishes:
    """What Ansible's variables say about a connection.

    :ivar ssh_arguments: arguments for ``ssh``, as in ``ansible_ssh_common_args``.
    :ivar host_key_policy: ``None`` leaves it to the arguments, then to ``check_host_keys``, then to the SSH configuration of each host.
    :ivar ssh_config_file: ``None`` means ``~/.ssh/config`` if it exists, ``none`` means no file.
    """

    appliance: Login
    bastion: Login | None = None
    ssh_arguments: str = ""
    ssh_config_file: str | None = None
    known_hosts_file: str | None = None
    host_key_policy: HostKeyPolicy | None = None
    check_host_keys: bool = True
    default_user: str = "admin"


@dataclass(frozen=True)
class Hop:
    """One host to log in to.

    :ivar key_files: private keys to try, in this order; when empty, the user's usual ones.
    :ivar identities_only: use no key of the agent but those in ``key_files``.
    :ivar known_as: the host's name in ``known_hosts`` files.
    :ivar known_hosts_files: files to look in; the first one takes new keys.
    """

    host: str
    port: int
    user: str
    known_as: str
    known_hosts_files: tuple[str, ...]
    host_key_policy: HostKeyPolicy = "strict"
    key_files: tuple[str, ...] = ()
    identities_only: bool = False

    def __post_init__(self) -> None:
        """
        :raises InputError: a name that would mean something else in a ``known_hosts`` file.
        """
        for name in (self.host, self.known_as):
            if _NO_HOST.search(name):
                raise InputError(f"{name!r} is no name of a host: it has white space, or one of the characters , * ? | or begins with ! # or @.")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Route:
    """The way to an appliance.

    :ivar hops: jump hosts in the order of connecting, then the appliance.
    :ivar proxy_command: shell command whose standard input and output are the connection to the first hop.
    """

    hops: tuple[Hop, ...]
    proxy_command: str | None = None


@dataclass(frozen=True)
class SshArguments:
    """Arguments for ``ssh``, taken apart. ``settings`` has lower-case keywords."""

    settings: dict[str, str] = field(default_factory=dict)
    key_files: tuple[str, ...] = ()
    config_file: str | None = None


def plan_route(wishes: Wishes) -> Route:
    """Find the way to an appliance.

    :raises InputError: a setting is contradictory, cannot be understood or cannot be honoured.
    """
    arguments = parse_ssh_arguments(wishes.ssh_arguments)
    proxies = [keyword for keyword in ("proxyjump", "proxycommand") if keyword in arguments.settings]
    if len(proxies) + bool(wishes.bastion) > 1:
        raise InputError(
            "More than one way to the appliance is set: use either ansible_nsva_bastion_host, or ProxyJump (-J), or ProxyCommand in the SSH arguments."
        )
    return _Planner(wishes, arguments, _read_config(wishes.ssh_config_file or arguments.config_file)).plan()


def parse_ssh_arguments(text: str) -> SshArguments:
    """Take apart the arguments that are honoured: ``-J``, ``-F``, ``-i`` and ``-o`` with :data:`KEYWORDS`.

    :raises InputError: any other argument.
    """
    try:
        options, rest = getopt.getopt(shlex.split(text), "J:F:i:o:")
    except (getopt.GetoptError, ValueError) as error:
        raise _not_honoured(str(error)) from error
    if rest:
        raise _not_honoured(f"unexpected {rest[0]!r}")
    settings: dict[str, str] = {}
    key_files: list[str] = []
    config_file = None
    for option, value in options:
        if option == "-F":
            config_file = value
        elif option == "-i":
            key_files.append(value)
        else:
            keyword, value = ("ProxyJump", value) if option == "-J" else _split_setting(value)
            if keyword.lower() not in map(str.lower, KEYWORDS):
                raise _not_honoured(f"-o {keyword}")
            if keyword.lower() == "identityfile":
                key_files.append(value)
            else:
                settings.setdefault(keyword.lower(), value)  # ssh, too, takes the first
    return SshArguments(settings, tuple(key_files), config_file)


def parse_jumps(text: str) -> list[Login]:
    """The hosts of a ``ProxyJump`` value, ``[ssh://][user@]host[:port],...``.

    :raises InputError: it has another form.
    """
    jumps = []
    for part in text.split(","):
        match = _JUMP.fullmatch(part.strip())
        if not match:
            raise InputError(f"ProxyJump {text!r} cannot be understood: expected [user@]host[:port], separated by commas.")
        jumps.append(Login(match["ipv6"] or match["host"], int(match["port"]) if match["port"] else None, match["user"]))
    return jumps


class _Planner:
    """Looks up every host on the way."""

    def __init__(self, wishes: Wishes, arguments: SshArguments, config: str) -> None:
        self._wishes = wishes
        self._arguments = arguments
        self._config = config

    def plan(self) -> Route:
        login = self._wishes.appliance
        login = Login(login.host, login.port, login.user, login.key_files + self._arguments.key_files)
        found = self._look_up(login, self._arguments.settings, self._wishes.default_user)
        hop = self._hop(login, found)
        if self._wishes.bastion:
            return self._through([self._wishes.bastion], hop)
        return self._extend(login, found, hop)

    def _extend(self, login: Login, found: Mapping[str, t.Any], *hops: Hop) -> Route:
        """The way to the first of ``hops``, put before them; ``found`` is that first one's configuration."""
        jumps, command = found.get("proxyjump"), found.get("proxycommand")
        jumps = None if not jumps or jumps.lower() == "none" else jumps
        if jumps and command:
            raise InputError(f"The SSH configuration sets both ProxyJump and ProxyCommand for {login.host}: keep one of them.")
        # A pattern such as "Host *" may name a jump host as its own jump host.
        logins = [jump for jump in parse_jumps(jumps) if jump.host != login.host] if jumps else []
        return self._through(logins, *hops) if logins else Route(hops, command)

    def _through(self, jumps: Sequence[Login], *hops: Hop) -> Route:
        if len(jumps) + len(hops) > _MOST_HOPS:
            raise InputError(f"The SSH configuration leads through more than {_MOST_HOPS} hosts; does a ProxyJump lead back to itself?")
        # ssh itself would leave the jump hosts' keys to their configuration, whatever its arguments say.
        given = {keyword: value for keyword, value in self._arguments.settings.items() if keyword in _HOST_KEY_KEYWORDS}
        found = [self._look_up(jump, given, None) for jump in jumps]
        before = [self._hop(jump, settings) for jump, settings in zip(jumps, found, strict=True)]
        return self._extend(jumps[0], found[0], *before, *hops)

    def _look_up(self, login: Login, given: Mapping[str, str], default_user: str | None) -> dict[str, t.Any]:
        """The SSH configuration for a host. What was given stands first and defaults last: as in ssh, a keyword's first value counts."""
        first = dict(given)
        if login.port:
            first["port"] = str(login.port)
        if login.user:
            first["user"] = login.user
        if any("\n" in value for value in first.values()):
            raise InputError(f"A setting of the SSH connection to {login.host} contains a line break.")
        try:
            last = {"user": default_user or getpass.getuser(), "port": "22"}
            text = "\n".join([_section(first), "Host *", self._config, _section(last)])
            found: dict[str, t.Any] = dict(SSHConfig.from_text(text).lookup(login.host))
        except (SSHException, ValueError, ImportError) as error:
            raise InputError(f"The SSH configuration cannot be understood: {error}") from error
        except (KeyError, OSError) as error:
            raise InputError("The local user has no name, which the SSH configuration needs: set LOGNAME in the environment.") from error
        # One way that was given replaces another that is configured.
        if "proxyjump" in given:
            found.pop("proxycommand", None)
        if "proxycommand" in given:
            found.pop("proxyjump", None)
        return found

    def _hop(self, login: Login, found: Mapping[str, t.Any]) -> Hop:
        if not found["port"].isdecimal():
            raise InputError(f"The SSH configuration for {login.host} has an unusable Port: {found['port']}.")
        port = int(found["port"])
        files = [self._wishes.known_hosts_file] if self._wishes.known_hosts_file else shlex.split(found.get("userknownhostsfile", "~/.ssh/known_hosts"))
        return Hop(
            host=found["hostname"],
            port=port,
            user=found["user"],
            known_as=found.get("hostkeyalias") or entry_name(found["hostname"], port),
            known_hosts_files=(*map(os.path.expanduser, files), SYSTEM_KNOWN_HOSTS),
            host_key_policy=self._wishes.host_key_policy or self._policy(found),
            key_files=tuple(os.path.expanduser(path) for path in (*login.key_files, *found.get("identityfile", []))),
            identities_only=found.get("identitiesonly", "no").lower() == "yes",
        )

    def _policy(self, found: Mapping[str, t.Any]) -> HostKeyPolicy:
        if not self._wishes.check_host_keys and "stricthostkeychecking" not in self._arguments.settings:
            return "off"
        value = found.get("stricthostkeychecking", "yes").lower()
        if value not in _STRICT_HOST_KEY_CHECKING:
            raise InputError(f"StrictHostKeyChecking {value!r} is none of {', '.join(_STRICT_HOST_KEY_CHECKING)}.")
        return _STRICT_HOST_KEY_CHECKING[value]


def _section(settings: Mapping[str, str]) -> str:
    """SSH configuration that holds for every host."""
    return "\n".join(["Host *", *(f"{keyword} {value}" for keyword, value in settings.items())])


def _read_config(path: str | None) -> str:
    if path is None:
        default = Path("~/.ssh/config").expanduser()
        return _with_includes(default) if default.exists() else ""
    return "" if path == "none" else _with_includes(Path(path).expanduser())


def _with_includes(path: Path, depth: int = 0) -> str:
    """The text of an SSH configuration file with the files that it includes, which paramiko would pass over."""
    if depth > _MOST_INCLUDES:
        raise InputError(f"The SSH configuration {path} includes itself.")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The SSH configuration {path} cannot be read: {error}") from error
    lines = []
    section = "Host *"
    for line in text.splitlines():
        keyword, *values = line.replace("=", " ", 1).split(maxsplit=1) or [""]
        if keyword.lower() == "include":
            for pattern in shlex.split("".join(values)):
                names = glob.glob(os.path.join(os.path.expanduser("~/.ssh"), os.path.expanduser(pattern)))
                lines += [_with_includes(Path(name), depth + 1) for name in sorted(names)]
            # What the included file ended in does not hold for the rest of this one.
            line = section
        elif keyword.lower() in ("host", "match"):
            section = line
        lines.append(line)
    return "\n".join(lines)


def _split_setting(setting: str) -> tuple[str, str]:
    keyword, separator, value = re.sub(r"\s*=\s*|\s+", "=", setting.strip(), count=1).partition("=")
    if not separator or not value:
        raise _not_honoured(f"-o {setting}")
    return keyword, value


def _not_honoured(what: str) -> InputError:
    return InputError(
        f"SSH arguments (ansible_ssh_common_args, ansible_ssh_extra_args): {what} is not understood by this connection. "
        f"It takes -J, -F, -i and -o with {', '.join(KEYWORDS)}. Set the variables to an empty string for the appliances if they are meant for other hosts."
    )
