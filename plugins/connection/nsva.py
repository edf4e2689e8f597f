# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines on a Network Security virtual appliance, through an interactive shell over SSH."""

from __future__ import annotations

DOCUMENTATION = r"""
name: nsva
short_description: Run CLI commands on a Network Security virtual appliance
description:
  - Logs in to the management interface of a Trend Cloud One Network Security virtual appliance (NSVA) with SSH and runs lines of its CLI in an
    interactive shell. A line is done when the appliance shows its prompt (V(HOST{}), V(HOST{running})) again.
  - The appliance has no Python and no file transfer. Use this connection with M(ansible.builtin.raw) and with the C(nsva_*) modules of this
    collection; all other modules are for the control node, to which their tasks have to be delegated.
  - The host key is checked, also that of every jump host. Only keys are used to log in, never passwords.
  - Echo, colours and the pager's prompts are removed from the output. Confirmations are answered, see O(confirmations).
version_added: 1.0.0
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
requirements:
  - paramiko >= 3.4
notes:
  - An appliance takes one session at a time. Each task opens its own and closes it again.
  - From the SSH configuration, these keywords are read for the appliance and for jump hosts, also inside C(Host), C(Match) and C(Include) — C(HostName),
    C(Port), C(User), C(IdentityFile), C(IdentitiesOnly), C(ProxyJump), C(ProxyCommand), C(UserKnownHostsFile), C(StrictHostKeyChecking),
    C(HostKeyAlias). The system-wide C(/etc/ssh/ssh_config) is not read.
  - A variable of Ansible goes before an SSH argument, and an argument before the SSH configuration.
  - A jump host that is set is used. If it cannot be used, the connection fails.
  - Of the algorithms of SSH, those that use SHA-1, MD5, CBC, 3DES or DSA are not offered.
options:
  host:
    description: Address or name of the appliance's management interface, or a C(Host) of the SSH configuration.
    type: str
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
      - name: ansible_ssh_host
      - name: delegated_vars['ansible_host']
      - name: delegated_vars['ansible_ssh_host']
  port:
    description: TCP port of the appliance's SSH server. By default the one of the SSH configuration, else V(22).
    type: int
    ini:
      - section: defaults
        key: remote_port
    env:
      - name: ANSIBLE_REMOTE_PORT
    vars:
      - name: ansible_port
      - name: ansible_ssh_port
    keyword:
      - name: port
  remote_user:
    description: User to log in as. By default the one of the SSH configuration, else V(admin).
    type: str
    ini:
      - section: defaults
        key: remote_user
    env:
      - name: ANSIBLE_REMOTE_USER
    vars:
      - name: ansible_user
      - name: ansible_ssh_user
    cli:
      - name: user
    keyword:
      - name: remote_user
  private_key_file:
    description:
      - Private key (C(.pem)) of the EC2 key pair that the instance was launched with.
      - It is tried first, then C(IdentityFile) of the SSH configuration, then the SSH agent. Without any such file, C(~/.ssh/id_ed25519),
        C(id_ecdsa) and C(id_rsa) are tried before the agent.
    type: path
    ini:
      - section: defaults
        key: private_key_file
    env:
      - name: ANSIBLE_PRIVATE_KEY_FILE
    vars:
      - name: ansible_private_key_file
      - name: ansible_ssh_private_key_file
    cli:
      - name: private_key_file
        option: --private-key
  private_key_passphrase:
    description: Passphrase of private key files that are encrypted, also of the jump host's. An SSH agent does without.
    type: str
    vars:
      - name: ansible_nsva_private_key_passphrase
  host_key_checking:
    description:
      - Whether host keys are checked. V(false) lets anyone on the way read along, and take, the registration credentials.
      - O(host_key_policy), and C(StrictHostKeyChecking) in O(ssh_common_args) or O(ssh_extra_args), go before it.
    type: bool
    default: true
    ini:
      - section: defaults
        key: host_key_checking
      - section: ssh_connection
        key: host_key_checking
    env:
      - name: ANSIBLE_HOST_KEY_CHECKING
      - name: ANSIBLE_SSH_HOST_KEY_CHECKING
    vars:
      - name: ansible_host_key_checking
      - name: ansible_ssh_host_key_checking
  host_key_policy:
    description:
      - What to do about the key of a host that is not known. In each case a key that differs from the known one is refused.
      - By default as C(StrictHostKeyChecking) of the SSH configuration says, else V(strict).
    type: str
    choices:
      strict: Refuse it.
      accept-new: Trust it the first time, and add it to O(known_hosts_file).
    vars:
      - name: ansible_nsva_host_key_policy
  known_hosts_file:
    description:
      - File with known host keys, of the appliance and of jump hosts. It may be hashed, and may contain wildcards and C(@revoked).
      - By default the C(UserKnownHostsFile) of the SSH configuration, else C(~/.ssh/known_hosts). C(/etc/ssh/ssh_known_hosts) is read in addition.
    type: path
    vars:
      - name: ansible_nsva_known_hosts_file
  legacy_algorithms:
    description:
      - Older algorithms to offer to the appliance as well, by their SSH names, for one that knows no others. Jump hosts are never offered any.
      - Without this option, nothing with SHA-1, MD5, CBC, 3DES or DSA is offered. Known are V(diffie-hellman-group1-sha1),
        V(diffie-hellman-group14-sha1), V(diffie-hellman-group-exchange-sha1), V(ssh-rsa), V(ssh-dss), V(3des-cbc), V(aes128-cbc), V(aes192-cbc),
        V(aes256-cbc), V(blowfish-cbc), V(hmac-sha1), V(hmac-sha1-96), V(hmac-md5) and V(hmac-md5-96), as far as the installed paramiko still has
        them.
    type: list
    elements: str
    default: []
    vars:
      - name: ansible_nsva_legacy_algorithms
  bastion_host:
    description:
      - Jump host through which the appliance is reached, or a C(Host) of the SSH configuration.
      - It goes before C(ProxyJump) and C(ProxyCommand) of the appliance in the SSH configuration. Together with either in O(ssh_common_args) or
        O(ssh_extra_args) it is an error. An empty string means none.
      - The jump host itself may have a C(ProxyJump) or C(ProxyCommand) in the SSH configuration.
    type: str
    vars:
      - name: ansible_nsva_bastion_host
  bastion_port:
    description: TCP port of the jump host's SSH server. By default the one of the SSH configuration, else V(22).
    type: int
    vars:
      - name: ansible_nsva_bastion_port
  bastion_user:
    description: User to log in to the jump host as. By default the one of the SSH configuration, else the local user.
    type: str
    vars:
      - name: ansible_nsva_bastion_user
  bastion_private_key_file:
    description: Private key for the jump host. What else is tried is as for O(private_key_file).
    type: path
    vars:
      - name: ansible_nsva_bastion_private_key_file
  ssh_config_file:
    description: SSH configuration of the user. V(none) reads none. By default C(~/.ssh/config), if it exists.
    type: str
    vars:
      - name: ansible_nsva_ssh_config_file
  ssh_common_args:
    description:
      - Arguments for C(ssh). V(-J), V(-F), V(-i) and V(-o) are understood, the latter with C(ProxyJump), C(ProxyCommand), C(StrictHostKeyChecking),
        C(UserKnownHostsFile), C(IdentityFile), C(IdentitiesOnly) and C(HostKeyAlias). Anything else is an error.
      - Other than with C(ssh), C(StrictHostKeyChecking) and C(UserKnownHostsFile) also hold for jump hosts.
    type: str
    default: ""
    ini:
      - section: ssh_connection
        key: ssh_common_args
    env:
      - name: ANSIBLE_SSH_COMMON_ARGS
    vars:
      - name: ansible_ssh_common_args
    cli:
      - name: ssh_common_args
  ssh_extra_args:
    description: More such arguments, see O(ssh_common_args).
    type: str
    default: ""
    ini:
      - section: ssh_connection
        key: ssh_extra_args
    env:
      - name: ANSIBLE_SSH_EXTRA_ARGS
    vars:
      - name: ansible_ssh_extra_args
    cli:
      - name: ssh_extra_args
  connect_timeout:
    description: Seconds for one attempt to connect, from the first packet to the appliance's prompt, jump hosts included.
    type: int
    default: 30
    ini:
      - section: defaults
        key: timeout
      - section: ssh_connection
        key: timeout
    env:
      - name: ANSIBLE_TIMEOUT
      - name: ANSIBLE_SSH_TIMEOUT
    vars:
      - name: ansible_timeout
      - name: ansible_ssh_timeout
      - name: ansible_connect_timeout
    cli:
      - name: timeout
  reconnection_retries:
    description:
      - How many more times to try to connect when the appliance or a jump host cannot be reached, does not answer, or ends the session before its
        prompt; two seconds lie between attempts. A change of a security group takes a moment to take effect.
      - A host key or a login that is refused is not tried again.
    type: int
    default: 2
    ini:
      - section: connection
        key: retries
      - section: ssh_connection
        key: retries
    env:
      - name: ANSIBLE_SSH_RETRIES
    vars:
      - name: ansible_ssh_retries
  command_timeout:
    description: Seconds for one command, from sending the line to the prompt.
    type: int
    default: 60
    ini:
      - section: persistent_connection
        key: command_timeout
    env:
      - name: ANSIBLE_PERSISTENT_COMMAND_TIMEOUT
    vars:
      - name: ansible_command_timeout
  max_output:
    description: How many characters one command may write; more is an error.
    type: int
    default: 33554432
    vars:
      - name: ansible_nsva_max_output
  confirmations:
    description:
      - Questions that are answered by themselves, as a dictionary from a regular expression, which has to match the end of the line on which the
        appliance waits, to the answer. Case is ignored.
      - By default V([yes/no]) and V((yes/no\)) are answered with V(yes), and V([y/n]) and V((y/n\)) with V(y).
      - An empty dictionary answers nothing, so that a command with a question ends with O(command_timeout).
    type: dict
    vars:
      - name: ansible_nsva_confirmations
  pagers:
    description:
      - Prompts of a pager, as a dictionary from a regular expression to the key to press. Matched as in O(confirmations).
      - By default V(--More--) and similar forms are known.
    type: dict
    vars:
      - name: ansible_nsva_pagers
"""

import time
import typing as t

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display

from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.masking import credential_in, mask
from ansible_collections.trendmicro.cloudone.plugins.module_utils._cli.text import CONFIRMATIONS, PAGERS, refusal
from ansible_collections.trendmicro.cloudone.plugins.module_utils._errors import CloudOneError, InputError
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._cli_session import CliSession, Dialogue, SessionLost
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_route import Login, Route, Wishes, plan_route
from ansible_collections.trendmicro.cloudone.plugins.plugin_utils._ssh_transport import (
    PARAMIKO_IMPORT_ERROR,
    ConnectError,
    LoginError,
    SshConnection,
)

display = Display()

RETRY_PAUSE_SECONDS = 2.0


class Connection(ConnectionBase):
    """One login to an appliance, made when it is first needed."""

    transport = "trendmicro.cloudone.nsva"
    has_pipelining = False
    has_tty = False

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._ssh: SshConnection | None = None
        self._session: CliSession | None = None

    def run(self, line: str, *, timeout: float | None = None, secret: str | None = None) -> str:
        """Run one line of the CLI; connects first where there is no connection (any more).

        :param timeout: seconds until the prompt has to be back; ``None`` means option ``command_timeout``.
        :param secret: part of ``line`` that is to be seen nowhere.
        :returns: the output, its lines separated by ``\\n``.
        :raises AnsibleError: there is no connection (AnsibleConnectionFailure), or an option or the line is unusable; the line was not sent.
        :raises SessionLost: the session ended, or the prompt did not come back; the next call connects again.
        """
        self._connect()
        display.vvv(f"CLI: {mask(line, [secret] if secret else [])}", host=self.get_option("host"))
        try:
            return self._session.run(line, timeout=timeout or self.get_option("command_timeout"), secret=secret)
        except SessionLost:
            self.close()
            raise
        except CloudOneError as error:
            raise AnsibleError(str(error)) from error

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run one line of the CLI for :ref:`raw`.

        :returns: 0 and the output, or 1 with the output as standard error where the appliance refused the line.
        """
        line = to_text(cmd)
        if self.become and sudoable:
            raise AnsibleError("An appliance has no other users to become: set become to false.")
        if in_data is not None or line.startswith("/bin/sh -c "):
            raise AnsibleError("An appliance runs no Ansible modules. Use ansible.builtin.raw or the nsva modules, or delegate the task to localhost.")
        try:
            output = self.run(line, secret=credential_in(line))
        except SessionLost as lost:
            raise AnsibleConnectionFailure(str(lost)) from lost
        return (1, b"", output.encode()) if refusal(output) else (0, output.encode(), b"")

    def put_file(self, in_path: str, out_path: str) -> t.NoReturn:
        """Refuse: appliances take no files."""
        raise AnsibleError(f"{in_path} cannot be copied: files cannot be put on an appliance.")

    def fetch_file(self, in_path: str, out_path: str) -> t.NoReturn:
        """Refuse: appliances give no files."""
        raise AnsibleError(f"{in_path} cannot be fetched: files cannot be read from an appliance.")

    def close(self) -> None:
        """Log out; the next command logs in again."""
        if self._session:
            self._session.close()
        if self._ssh:
            self._ssh.close()
        self._session = self._ssh = None
        self._connected = False

    reset = close

    def _connect(self) -> Connection:
        if self._connected:
            return self
        if PARAMIKO_IMPORT_ERROR:
            raise AnsibleError(f"This connection needs the Python library paramiko (>= 3.4) on the control node: {PARAMIKO_IMPORT_ERROR}")
        try:
            route, dialogue = plan_route(self._wishes()), self._dialogue()
            self._log_in(route, dialogue)
        except LoginError as error:
            raise AnsibleAuthenticationFailure(str(error)) from error
        except (ConnectError, SessionLost) as error:
            raise AnsibleConnectionFailure(str(error)) from error
        except CloudOneError as error:
            raise AnsibleError(str(error)) from error
        self._connected = True
        return self

    def _log_in(self, route: Route, dialogue: Dialogue) -> None:
        """Connect and wait for the prompt, again if that may help."""
        hops = " via ".join(f"{hop.user}@{hop}" for hop in reversed(route.hops))
        retries = self.get_option("reconnection_retries")
        for left in range(retries, -1, -1):
            display.vvv(f"CONNECT TO APPLIANCE: {hops}", host=self.get_option("host"))
            deadline = time.monotonic() + self.get_option("connect_timeout")
            try:
                self._ssh = SshConnection(
                    route,
                    timeout=self.get_option("connect_timeout"),
                    passphrase=self.get_option("private_key_passphrase"),
                    legacy_algorithms=self.get_option("legacy_algorithms"),
                )
                self._session = CliSession(self._ssh.open_shell(), dialogue)
                self._session.login(deadline - time.monotonic())
                return
            except (ConnectError, SessionLost) as error:
                self.close()
                if not left or not getattr(error, "again", True):
                    raise
                display.vv(f"{error} Trying again, {left} times at most.", host=self.get_option("host"))
                time.sleep(RETRY_PAUSE_SECONDS)

    def _wishes(self) -> Wishes:
        option = self.get_option
        bastion = Login(option("bastion_host"), option("bastion_port"), option("bastion_user"), _paths(option("bastion_private_key_file")))
        if bastion.host is None and bastion != Login(bastion.host):
            raise InputError("A port, user or key of a jump host is set, and no ansible_nsva_bastion_host; leave it empty to use none.")
        return Wishes(
            appliance=Login(option("host"), option("port"), option("remote_user"), _paths(option("private_key_file"))),
            bastion=bastion if bastion.host else None,
            ssh_arguments=f"{option('ssh_common_args')} {option('ssh_extra_args')}",
            ssh_config_file=option("ssh_config_file"),
            known_hosts_file=option("known_hosts_file"),
            host_key_policy=option("host_key_policy"),
            check_host_keys=option("host_key_checking"),
        )

    def _dialogue(self) -> Dialogue:
        pagers, confirmations = self.get_option("pagers"), self.get_option("confirmations")
        return Dialogue(
            pagers=PAGERS if pagers is None else pagers,
            confirmations=CONFIRMATIONS if confirmations is None else confirmations,
            max_output=self.get_option("max_output"),
        )


def _paths(path: str | None) -> tuple[str, ...]:
    return (path,) if path else ()
