# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin plugins/action/nsva_certificate_info.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nsva_certificate_info
short_description: Search the system log of a Network Security virtual appliance for certificate errors
description:
  - Runs C(show log-file system search sslv3 alert certificate) on an appliance. An appliance whose certificate has expired logs such errors.
  - The host has to be an appliance with O(ignore:ansible_connection=trendmicro.cloudone.nsva), see P(trendmicro.cloudone.nsva#connection).
  - It also proves that address, host key, key pair and prompt of the appliance are as expected.
version_added: 1.0.0
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
  - trendmicro.cloudone.attributes.info_module
attributes:
  action_group:
    support: none
    membership: []
    details:
      - It has nothing in common with the modules that use an API.
options:
  since:
    description:
      - Time such as V(2026-01-31T04:05:06Z), in UTC if no offset is given. Errors that are not newer are left out, and so are those whose time cannot be told.
      - Give the time of the last registration here, as errors before it are about the certificate before.
    type: str
notes:
  - The form of the time stamps is not documented by the vendor. C(2026-01-31T04:05:06Z), with a space or an offset, and C(Jan 31 04:05:06) are understood,
    in UTC where the line does not say otherwise.
seealso:
  - plugin: trendmicro.cloudone.nsva
    plugin_type: connection
  - module: trendmicro.cloudone.netsec_certificate_info
"""

EXAMPLES = r"""
- name: Look for certificate errors since the appliance was registered
  trendmicro.cloudone.nsva_certificate_info:
    since: "2024-11-03T09:20:00Z"
  vars:
    ansible_connection: trendmicro.cloudone.nsva
  register: log
"""

RETURN = r"""
certificate_errors:
  description: The errors, in the order of the log, no more than the last 1000, and of a line no more than 4096 characters.
  returned: success
  type: list
  elements: dict
  contains:
    time:
      description: When it was logged, in UTC; V(null) if the line does not say.
      type: str
      sample: "2026-01-31T04:05:06Z"
    line:
      description: The line of the log.
      type: str
      sample: "Jan 31 04:05:06 tmcloud[1187]: error:14094415:SSL routines:ssl3_read_bytes:sslv3 alert certificate expired"
count:
  description: Number of errors.
  returned: success
  type: int
  sample: 1
undated:
  description: Number of errors whose time cannot be told. With O(since), they are not among RV(certificate_errors).
  returned: success
  type: int
  sample: 0
last_error_at:
  description: Time of the newest of RV(certificate_errors), in UTC; V(null) if there is none.
  returned: success
  type: str
  sample: "2026-01-31T04:05:06Z"
"""
