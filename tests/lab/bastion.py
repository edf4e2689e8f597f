# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bastion host: a real OpenSSH server that forwards connections, run by the present user on loopback."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from lab.keys import known_hosts_line, make_key_pair

# Where Debian (/usr/sbin is not on every user's PATH) and others put it.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", "/sbin"])

START_SECONDS = 10.0

# sshd insists on this folder when it is started by root.
PRIVILEGE_SEPARATION_DIR = Path("/run/sshd")


class BastionError(Exception):
    """The bastion cannot be started; ``str()`` says what to do."""


class Bastion:
    """An ``sshd`` on 127.0.0.1 that lets one key in and forwards anywhere.

    Everything it needs is generated in the state folder; nothing of the system's own SSH configuration is read or changed.

    :param state_dir: existing folder for keys, configuration, log and PID file; host key and authorized key in it are kept.
    :param authorized_key: public key line that may log in.
    :ivar host: address to connect to.
    :ivar port: TCP port, once started.
    :ivar user: user to log in as: the one that runs this process.
    :ivar host_key_line: line for a ``known_hosts`` file, once started.
    """

    def __init__(self, state_dir: Path, authorized_key: str) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.host_key_line = ""
        self._state_dir = state_dir.resolve()
        self._authorized_key = authorized_key
        self._log = self._state_dir / "sshd.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def user(self) -> str:
        """:raises BastionError: the user that runs this process has no name."""
        try:
            return pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:
            raise BastionError(f"User id {os.geteuid()} has no entry in /etc/passwd, which sshd needs to let it log in.") from None

    def start(self) -> None:
        """Start sshd and wait until it answers.

        :raises BastionError: sshd is not installed, or does not start.
        """
        sshd = find_sshd()
        end_leftover(self._state_dir)
        if os.geteuid() == 0:
            PRIVILEGE_SEPARATION_DIR.mkdir(mode=0o755, exist_ok=True)
        self._log.write_bytes(b"")
        host_key = make_key_pair(self._state_dir / "bastion_host_key")
        (self._state_dir / "bastion_authorized_keys").write_text(self._authorized_key.strip() + "\n")
        self.port = _free_port(self.host)
        self.host_key_line = known_hosts_line(self.host, self.port, host_key)
        config = self._write_config(sshd)
        self._process = subprocess.Popen(
            [sshd, "-D", "-f", str(config), "-E", str(self._log)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._wait_until_ready()

    def stop(self) -> None:
        """End sshd and the connections through it."""
        if self._process:
            _end_tree(self._process.pid)
            self._process.wait()
            self._process = None
            (self._state_dir / "sshd.pid").unlink(missing_ok=True)

    def logins(self) -> int:
        """How many logins have succeeded since the start, by sshd's own log."""
        return len(re.findall(rb"^Accepted publickey for ", self._log.read_bytes(), re.MULTILINE))

    def owns_connection(self, local_address: str, local_port: int) -> bool:
        """Whether this sshd, or a child of it, has a TCP connection that starts at this address and port.

        The socket of a forwarded connection belongs to the child that serves the login. Takes some milliseconds, also with many logins.
        """
        if not self._process:
            return False
        sockets = _sockets(local_address, local_port)
        # Youngest first: what is asked about is mostly a connection just made.
        return bool(sockets) and any(_holds(pid, sockets) for pid in sorted(_descendants(self._process.pid), reverse=True))

    def _write_config(self, sshd: str) -> Path:
        path = self._state_dir / "sshd_config"
        settings = {
            "ListenAddress": f"{self.host}:{self.port}",
            "HostKey": _quoted(self._state_dir / "bastion_host_key"),
            # A percent sign would begin a token of this setting.
            "AuthorizedKeysFile": _quoted(self._state_dir / "bastion_authorized_keys").replace("%", "%%"),
            "PidFile": _quoted(self._state_dir / "sshd.pid"),
            "LogLevel": "VERBOSE",
            # The state folder may lie below one that others can write to (/tmp).
            "StrictModes": "no",
            # Without PAM, sshd refuses a user whose password is locked, as root's often is.
            "UsePAM": "yes" if _password_locked(self.user) else "no",
            "UseDNS": "no",
            "AuthenticationMethods": "publickey",
            "PermitRootLogin": "prohibit-password",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "AllowTcpForwarding": "yes",
            "PermitOpen": "any",
            "PermitTTY": "no",
            "X11Forwarding": "no",
            "AllowAgentForwarding": "no",
            # A whole fleet may come through at once.
            "MaxStartups": "1000",
            "MaxSessions": "1000",
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        path.write_text(text)
        # Newer servers shut an address out after failed logins, and here everybody has the same address; older ones do not know the setting.
        if subprocess.run([sshd, "-t", "-f", str(path), "-o", "PerSourcePenalties=no"], capture_output=True, check=False).returncode == 0:
            path.write_text(text + "PerSourcePenalties no\n")
        return path

    def _wait_until_ready(self) -> None:
        assert self._process
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise BastionError(f"sshd ended at once: {self._log.read_text(errors='replace').strip()}")
            try:
                with socket.create_connection((self.host, self.port), timeout=1) as connection:
                    if connection.recv(4) == b"SSH-":
                        return
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise BastionError(f"sshd did not answer on {self.host}:{self.port} within {START_SECONDS:.0f} s; see {self._log}")


def find_sshd() -> str:
    """Path of the OpenSSH server.

    :raises BastionError: it is not installed.
    """
    path = shutil.which("sshd", path=SEARCH_PATH)
    if path is None:
        raise BastionError(
            "The bastion needs the OpenSSH server (sshd), which is not installed. Install Debian's package openssh-server "
            "(it need not be running as a service), for example: RUNLEVEL=1 apt-get install --no-install-recommends openssh-server"
        )
    return os.path.realpath(path)


def end_leftover(state_dir: Path) -> None:
    """End the sshd that an earlier process started with this state folder and did not stop, if there is one."""
    with contextlib.suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
        pid = int((state_dir / "sshd.pid").read_text())
        # The process id may belong to something else by now.
        if str(state_dir.resolve() / "sshd_config") in " ".join(psutil.Process(pid).cmdline()):
            _end_tree(pid)


def _end_tree(pid: int) -> None:
    """End a process and its descendants: sshd's children would go on serving their connections."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.suspend()  # or it would have another child meanwhile
        for member in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()


def _password_locked(user: str) -> bool:
    """Whether sshd, run by this user, would find the user's password locked (it looks only where it may read)."""
    with contextlib.suppress(OSError):
        return any(line.startswith(f"{user}:!") for line in Path("/etc/shadow").read_text().splitlines())
    return False


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _quoted(path: Path) -> str:
    """A path as sshd's configuration takes it, spaces included."""
    return f'"{path}"'


def _descendants(pid: int) -> Iterator[int]:
    """The ids of the processes below this one."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            pids = [int(child) for child in children.read().split()]
    except OSError:  # it has ended meanwhile, or the kernel does not list them; then all processes must be gone through
        with contextlib.suppress(psutil.NoSuchProcess):
            yield from (process.pid for process in psutil.Process(pid).children(recursive=True))
    else:
        for child in pids:
            yield child
            yield from _descendants(child)


def _sockets(address: str, port: int) -> set[str]:
    """The sockets bound to this address and port, as the links in ``/proc/<pid>/fd`` name them."""
    # psutil's net_connections() reads this table and others once per process: too slow for a whole fleet at once.
    local = f"{int.from_bytes(socket.inet_aton(address), 'little'):08X}:{port:04X}"
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table if local in line]
    return {f"socket:[{row[9]}]" for row in rows if row[1] == local}


def _holds(pid: int, sockets: set[str]) -> bool:
    """Whether a process has one of these sockets open."""
    # The process, or a file of it, may have been closed meanwhile.
    with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as files:
        for file in files:
            with contextlib.suppress(OSError):
                if os.readlink(file.path) in sockets:
                    return True
    return False
