# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connects along a route: TCP or a proxy command, then one SSH login after the other, each host's key checked before anything is sent to it."""

from __future__ import annotations

import logging
import shlex
import socket
import time
import typing as t

from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._known_hosts import KnownKeys, add_key, read_keys
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._proxy_command import ProxyCommand
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_keys import candidates
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_route import Hop, Route

PARAMIKO_IMPORT_ERROR: ImportError | None = None  # for the connection plugin to report
try:
    import paramiko
    from paramiko.ssh_exception import IncompatiblePeer
except ImportError as import_error:
    PARAMIKO_IMPORT_ERROR = import_error

# Without any handler, Python prints paramiko's tracebacks of failures, which are reported here, to standard error.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
# Nor does it write into the file of ANSIBLE_LOG_PATH: a worker that Ansible forks while another thread writes there gets that file locked for good,
# and paramiko, which logs in the middle of a handshake, would wait for ever.
logging.getLogger("paramiko").propagate = False

# Offered by some versions of paramiko. Names that a version does not know do no harm.
WEAK_ALGORITHMS = {
    "kex": ["diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1"],
    "keys": ["ssh-dss", "ssh-rsa"],
    "pubkeys": ["ssh-dss", "ssh-rsa"],
    "ciphers": ["3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc", "blowfish-cbc"],
    "macs": ["hmac-md5", "hmac-md5-96", "hmac-sha1", "hmac-sha1-96"],
}

# All of them by name.
LEGACY = frozenset(name for names in WEAK_ALGORITHMS.values() for name in names)

# Keeps stateful firewalls from forgetting a session in which a command takes its time.
KEEPALIVE_SECONDS = 15

# Wide enough that no terminal breaks the echo of a long credential, high enough that there are few pages to be turned.
WIDTH, HEIGHT = 2000, 1000

LONGEST_REASON = 300
_TOO_LONG = "the handshake took longer than ansible_connect_timeout"


class ConnectError(CloudOneError):
    """There is no connection.

    :ivar again: whether trying again may help: a change of a security group, for one, takes a moment to take effect.
    """

    def __init__(self, message: str, *, again: bool = False) -> None:
        super().__init__(message)
        self.again = again


class HostKeyError(ConnectError):
    """A host is not, or not known to be, the one that was meant."""


class LoginError(ConnectError):
    """A host refused the user."""


class SshConnection:
    """Logs in to every hop of a route; close it after use.

    paramiko reads packets in a thread, and hands on whatever a malformed one made it raise. So exceptions of any type count as a host's fault here.

    :param timeout: seconds for all of it.
    :param passphrase: of the private key files that have one.
    :param legacy_algorithms: those of :data:`LEGACY` that are offered to the appliance all the same.
    :raises ConnectError: it did not work; nothing is left open.
    :raises InputError: such an algorithm is not known.
    """

    def __init__(self, route: Route, *, timeout: float, passphrase: str | None = None, legacy_algorithms: t.Collection[str] = ()) -> None:
        self._route = route
        self._passphrase = passphrase
        self._legacy_algorithms = frozenset(legacy_algorithms)
        self._deadline = time.monotonic() + timeout
        self._proxy: ProxyCommand | None = None
        self._transports: list[paramiko.Transport] = []
        try:
            stream = self._first_stream(route.hops[0])
            for hop, after in zip(route.hops, [*route.hops[1:], None], strict=True):
                transport = self._handshake(stream, hop)
                self._authenticate(transport, hop)
                transport.set_keepalive(KEEPALIVE_SECONDS)
                if after:
                    stream = self._forward(transport, hop, after)
        except BaseException:
            self.close()
            raise

    def open_shell(self) -> paramiko.Channel:
        """An interactive shell on the appliance.

        :raises ConnectError: there is none.
        """
        try:
            channel = self._transports[-1].open_session(timeout=self._left())
            channel.settimeout(self._left())
            channel.get_pty(term="vt100", width=WIDTH, height=HEIGHT)
            channel.invoke_shell()
        except Exception as error:
            raise ConnectError(f"{self._name(self._route.hops[-1])} gives no interactive shell: {_text(error)}.", again=True) from error
        return channel

    def close(self) -> None:
        """Log out everywhere."""
        while self._transports:
            self._transports.pop().close()
        if self._proxy:
            self._proxy.close()
            self._proxy = None

    def _first_stream(self, hop: Hop) -> t.Any:
        if self._route.proxy_command:
            self._proxy = ProxyCommand(self._route.proxy_command)
            return self._proxy.socket
        try:
            return socket.create_connection((hop.host, hop.port), timeout=self._left())
        except socket.gaierror as error:
            raise ConnectError(f"{self._name(hop)} cannot be found: {error.strerror}. Set its address in the inventory (ansible_host).") from error
        except UnicodeError as error:
            raise ConnectError(f"{self._name(hop)} is no name that a host can have. Set its address in the inventory (ansible_host).") from error
        except OSError as error:
            raise ConnectError(f"{self._name(hop)} cannot be reached: {_text(error)}. {self._advice(hop)}", again=True) from error

    def _handshake(self, stream: t.Any, hop: Hop) -> paramiko.Transport:
        """Agree on encryption with a host and check that it is the one that is meant."""
        allowed = self._legacy_algorithms if hop is self._route.hops[-1] else frozenset()
        weak = {kind: [name for name in names if name not in allowed] for kind, names in WEAK_ALGORITHMS.items()}
        transport = paramiko.Transport(stream, disabled_algorithms=weak)
        self._transports.append(transport)
        _check_offered(transport, allowed)
        # paramiko's own limits are for single steps: longer than the one for all of them, so that it is this one that is told of.
        transport.banner_timeout = transport.handshake_timeout = self._left() + 1
        try:
            known = read_keys(hop.known_hosts_files, hop.known_as)
        except OSError as error:
            raise HostKeyError(f"The known host keys cannot be read: {error}.") from error
        # Of several host keys, a host should show one of the kind that is known.
        known_types = {*known.accepted.values(), *(("rsa-sha2-512", "rsa-sha2-256") if "ssh-rsa" in known.accepted.values() else ())}
        options = transport.get_security_options()
        options.key_types = sorted(options.key_types, key=lambda key_type: key_type not in known_types)
        try:
            transport.start_client(timeout=self._left())
            if not transport.initial_kex_done:  # paramiko does not say so when the time is over
                raise paramiko.SSHException(_TOO_LONG)
            key = transport.get_remote_server_key()
        except IncompatiblePeer as error:
            raise ConnectError(
                f"{self._name(hop)} knows none of the algorithms that are considered strong: {error}. "
                "If an appliance cannot do better, ansible_nsva_legacy_algorithms may name what it knows."
            ) from error
        except Exception as error:
            complaint = f" {self._proxy.complaint()}." if self._proxy else ""
            # What paramiko gave up first when the time was over is a matter of chance.
            problem = _text(error) if time.monotonic() < self._deadline else _TOO_LONG
            reason = f"{self._name(hop)} does not answer as an SSH server: {problem}.{complaint} {self._advice(hop)}"
            raise ConnectError(reason, again=True) from error
        if hop.host_key_policy != "off":
            self._check_host_key(hop, key, known)
        return transport

    def _check_host_key(self, hop: Hop, key: paramiko.PKey, known: KnownKeys) -> None:
        """
        :raises HostKeyError: the key must not be trusted.
        """
        host = f"{self._name(hop)} (known as {hop.known_as})"
        shown = f"{key.get_name()} {key.fingerprint}"
        file = hop.known_hosts_files[0]
        if key.get_base64() in known.revoked:
            raise HostKeyError(f"{host} shows a host key that is marked as revoked: {shown}.")
        if key.get_base64() in known.accepted:
            return
        if known.accepted:
            raise HostKeyError(
                f"{host} shows another host key than the known one: {shown}. Either its instance was replaced, or someone is listening in. "
                f"If the new key is right, remove the old one: ssh-keygen -f {shlex.quote(file)} -R {shlex.quote(hop.known_as)}"
            )
        if hop.host_key_policy == "strict":
            raise HostKeyError(
                f"{host} shows a host key that is not known: {shown}. Check it (an EC2 instance prints its host keys to its system log) and add it to "
                f"{file}, or let keys of new hosts be recorded: ansible_nsva_host_key_policy: accept-new"
            )
        try:
            add_key(file, hop.known_as, key.get_name(), key.get_base64())
        except OSError as error:
            raise HostKeyError(f"The host key of {host} cannot be recorded, so that a change would go unnoticed: {error}.") from error

    def _authenticate(self, transport: paramiko.Transport, hop: Hop) -> None:
        """Log in with the first key that the host takes."""
        problems: list[str] = []
        keys = candidates(hop.key_files, passphrase=self._passphrase, identities_only=hop.identities_only, problems=problems)
        for name, key in keys:
            transport.auth_timeout = self._left()
            try:
                missing = transport.auth_publickey(hop.user, key)
            except paramiko.BadAuthenticationType as error:
                raise LoginError(f"{self._name(hop)} lets user {hop.user} in by {', '.join(error.allowed_types)} only, not with a key.") from error
            except paramiko.AuthenticationException:
                problems.append(f"{name} was refused")
            except Exception as error:
                problems.append(f"{name} could not be tried ({_text(error)})")
            else:
                if not missing:
                    return
                raise LoginError(f"{self._name(hop)} wants more than a key of user {hop.user}: {', '.join(missing)}.")
            if not transport.is_active():
                problems.append("then the connection was ended")
                break
        hint = " An appliance takes the key pair that its EC2 instance was launched with." if hop is self._route.hops[-1] else ""
        raise LoginError(f"{self._name(hop)} does not let user {hop.user} in: {'; '.join(problems) or 'no key was found'}.{hint}")

    def _forward(self, transport: paramiko.Transport, hop: Hop, after: Hop) -> paramiko.Channel:
        try:
            return transport.open_channel("direct-tcpip", (after.host, after.port), ("127.0.0.1", 0), timeout=self._left())
        except paramiko.ChannelException as error:
            if error.code == 1:
                raise ConnectError(f"{self._name(hop)} refuses to forward to {after}: {error.text} (AllowTcpForwarding, PermitOpen).") from error
            raise ConnectError(f"{self._name(hop)} cannot reach {after}: {error.text}. {self._advice(after)}", again=True) from error
        except Exception as error:
            raise ConnectError(f"{self._name(hop)} could not reach {after}: {_text(error)}. {self._advice(after)}", again=True) from error

    def _left(self) -> float:
        """Seconds left; always a moment, after which the call it is for reports the time-out in its own words."""
        return max(self._deadline - time.monotonic(), 0.01)

    def _name(self, hop: Hop) -> str:
        return f"{'Appliance' if hop is self._route.hops[-1] else 'Jump host'} {hop}"

    def _advice(self, hop: Hop) -> str:
        if hop is self._route.hops[-1]:
            return "Does a security group of its management interface let SSH in from where the connection comes from?"
        return "Is it up, and does it let SSH in from here?"


def _check_offered(transport: paramiko.Transport, allowed: t.Collection[str]) -> None:
    """
    :raises InputError: what is allowed is no legacy algorithm, or this version of paramiko has done away with it.
    """
    unknown = sorted(set(allowed) - LEGACY)
    if unknown:
        raise InputError(f"ansible_nsva_legacy_algorithms takes {', '.join(sorted(LEGACY))}; not {', '.join(unknown)}.")
    options = transport.get_security_options()
    offered = {*options.kex, *options.ciphers, *options.digests, *options.key_types}
    missing = sorted(set(allowed) - offered)
    if missing:
        raise InputError(f"paramiko {paramiko.__version__} does not know {', '.join(missing)} any more: ansible_nsva_legacy_algorithms cannot name it.")


def _text(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, EOFError):
        return "the connection was closed"
    text = " ".join(str(error).split()).rstrip(".")
    return text[:LONGEST_REASON] or type(error).__name__
