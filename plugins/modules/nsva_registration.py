# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin plugins/action/nsva_registration.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nsva_registration
short_description: Register a Network Security virtual appliance from its CLI
description:
  - Runs C(cloudone unregister) and then C(cloudone register) on an appliance, which gives it a new certificate, valid for two years.
  - The host has to be an appliance with O(ignore:ansible_connection=trendmicro.cloudone.nsva), see P(trendmicro.cloudone.nsva#connection).
  - What the CLI writes about registering is not documented by the vendor. Whether the appliance is registered is for the API to say —
    let M(trendmicro.cloudone.netsec_appliance) wait for it afterwards.
version_added: 1.0.0
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
attributes:
  check_mode:
    support: full
    details:
      - Nothing is sent to the appliance, and it is not connected to.
  diff_mode:
    support: none
    details:
      - The appliance does not tell the state it is in.
  idempotent:
    support: none
    details:
      - Each run registers the appliance again; that is how its certificate is renewed.
  action_group:
    support: none
    membership: []
    details:
      - Options that are shared by a group of modules, such as the API key of the automation, must not reach an appliance by mistake.
options:
  state:
    description: What the appliance should be afterwards.
    type: str
    choices:
      registered: Unregister it, then register it.
      unregistered: Only unregister it.
    default: registered
  token:
    description:
      - Appliance deployment token to register with. It is tried before O(api_key).
      - With O(state=registered), this or O(api_key) is required.
    type: str
  api_key:
    description:
      - API key to register with, for appliances that refuse tokens. It is used only where O(token) is not given or is refused.
      - The appliance gets to know it, so better do not use the key of the automation.
    type: str
  register_timeout:
    description: Seconds that C(cloudone register) may take.
    type: int
    default: 300
  error_patterns:
    description:
      - Regular expressions; case is ignored. A line of the output of C(cloudone register) in which one is found means that the appliance refused.
      - Errors of C(cloudone unregister) are only reported, since the appliance may not be registered.
    type: list
    elements: str
    default:
      - '^valid entries at this position are:'
      - '^(?:% ?)?error:'
      - '^% ?[a-z]'
      - '^invalid (?:command|input)\b'
      - '^(?:registration )?(?:error|failed|failure|invalid|cannot|could not|unable to|unauthorized|permission denied|access denied)\b'
      - '(?>^.*?\b(?:token|key|credential|registration)\b).*
        (?:is|was|has|are)? ?(?:invalid|not valid|expired|refused|rejected|denied|not supported|unsupported)\b'
notes:
  - A session that is lost before C(cloudone register) was sent is opened again once, and the registration goes on.
  - An appliance that cannot be reached at all is reported as unreachable. Once something was sent, it is reported as failed instead, so that C(rescue) and
    C(always) run.
seealso:
  - plugin: trendmicro.cloudone.nsva
    plugin_type: connection
  - module: trendmicro.cloudone.netsec_deployment_token
  - module: trendmicro.cloudone.netsec_appliance
"""

EXAMPLES = r"""
- name: Renew the certificate of the appliance
  trendmicro.cloudone.nsva_registration:
    token: "{{ appliance_deployment_token }}"
  vars:
    ansible_connection: trendmicro.cloudone.nsva

- name: Renew it also if the appliance does not support tokens
  trendmicro.cloudone.nsva_registration:
    token: "{{ appliance_deployment_token }}"
    api_key: "{{ appliance_api_key }}"
"""

RETURN = r"""
commands:
  description: What was sent to the appliance, in this order.
  returned: always
  type: list
  elements: dict
  contains:
    command:
      description: The line, with asterisks for a credential.
      type: str
      sample: cloudone register ********
    output:
      description: What the appliance answered, line by line. No more than the last 1000 lines, and of a line no more than 4096 characters.
      type: list
      elements: str
      sample: [Registering with Trend Cloud One...]
    seconds:
      description: How long it took, including the connection where there was none yet.
      type: float
      sample: 4.2
credential:
  description: Which option the appliance was last told to register with; V(null) if it was not told to.
  returned: always
  type: str
  sample: token
interrupted:
  description:
    - Whether the session was lost at a command. If this was C(cloudone register), only the API knows whether it had an effect, and the task does not fail.
  returned: always
  type: bool
  sample: false
msg:
  description: What went wrong.
  returned: failure
  type: str
  sample: "The appliance is unregistered and refuses to register: with the token it answered: Error: the token has expired."
"""
