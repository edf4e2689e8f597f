# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin plugins/action/report.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Write a report for people from what modules and roles returned
version_added: 1.0.0
description:
  - Writes what became of a fleet as a report in a folder on the control node. As one HTML file that needs nothing else and can be mailed, read on a
    phone and printed; as Markdown; and as JSON for other programs.
  - A report has a headline, key figures, what has to be done, what changed, and a table that can be sorted and filtered in a browser.
  - Only the fields of an entry that a report shows are taken from it. Fields that are missing are shown as not known, fields that are not known here are
    left out.
author:
  - trendmicro.cloudone contributors (@trendmicro-cloudone)
extends_documentation_fragment:
  - trendmicro.cloudone.attributes
attributes:
  check_mode:
    support: full
    details:
      - Nothing is written.
  diff_mode:
    support: none
    details:
      - A report is what a person reads, not what a person compares.
  idempotent:
    support: full
    details:
      - A file is written anew only if something other than the time of its making differs. It then keeps the time at which its content was first true.
      - What is counted from today, as the days that a certificate is valid, differs from one day to the next.
  action_group:
    support: none
    membership: []
    details:
      - It asks no API and needs no credentials.
options:
  kind:
    description: What the report is about, and with that what O(entries) are.
    type: str
    required: true
    choices:
      certificates: When certificates expire. The entries are RV(trendmicro.cloudone.netsec_certificate_info#module:appliances).
      renewal: What a renewal did. The role P(trendmicro.cloudone.netsec_certificate#role) makes the entries.
      log_streaming: Which logs appliances stream. The role P(trendmicro.cloudone.netsec_cloudwatch_logs#role) makes the entries.
      rtm:
        Real-Time Threat Monitoring of accounts and their regions. The role P(trendmicro.cloudone.conformity_rtm#role) makes the entries.
  entries:
    description:
      - What became of each appliance, or of each account.
      - The fields of each kind are in L(the documentation of the reports,
        https://github.com/trendmicro/ansible-cloudone/blob/main/docs/reports.md).
    type: list
    elements: dict
    required: true
  dest:
    description:
      - The folder for the files, on the control node. It is created if it is missing.
      - A relative path counts from the directory in which Ansible was started.
    type: path
    required: true
  name:
    description:
      - Name of the files without their ending. Default is the O(kind).
      - Files of that name are replaced.
    type: str
  formats:
    description: The files to write, with their endings V(html), V(markdown) (C(.md)) and V(json).
    type: list
    elements: str
    choices: [html, markdown, json]
    default: [html, markdown, json]
  mode:
    description:
      - Permissions of the files, in octal digits. Quote them.
    type: str
    default: "0644"
seealso:
  - module: trendmicro.cloudone.netsec_certificate_info
"""

EXAMPLES = r"""
- name: Forecast the certificates of the fleet
  trendmicro.cloudone.netsec_certificate_info:
    appliances:
      - instance_id: i-0123456789abcdef0
      - instance_id: i-0fedcba9876543210
  register: forecast
  delegate_to: localhost
  run_once: true

- name: Write reports/certificates.html, .md and .json
  trendmicro.cloudone.report:
    kind: certificates
    entries: "{{ forecast.appliances }}"
    dest: reports
  run_once: true

- name: Write only the HTML, under a name with the date
  trendmicro.cloudone.report:
    kind: certificates
    entries: "{{ forecast.appliances }}"
    dest: /srv/reports
    name: certificates-{{ now(utc=true, fmt='%Y-%m-%d') }}
    formats: [html]
    mode: "0640"
  run_once: true
"""

RETURN = r"""
headline:
  description: The report in one sentence.
  type: str
  returned: success
  sample: 2 of 300 certificates have expired, 5 end within 29 days.
figures:
  description: The key figures by name. Which there are depends on O(kind).
  type: dict
  returned: success
  sample: {"appliances": 300, "expired": 2, "expiring": 5, "valid": 280, "unregistered": 3, "orphaned": 0, "hosted": 8, "unknown": 2, "failed": 0}
files:
  description: The files of the report, in the order of O(formats).
  type: list
  elements: dict
  returned: success
  contains:
    format:
      description: One of O(formats).
      type: str
      returned: always
      sample: html
    path:
      description: The absolute path.
      type: str
      returned: always
      sample: /srv/reports/certificates.html
    changed:
      description: Whether it was written, or in check mode would be.
      type: bool
      returned: always
      sample: true
"""
